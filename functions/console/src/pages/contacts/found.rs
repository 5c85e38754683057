//! The contacts of a view, with everything else that their page shows.

use std::collections::BTreeSet;

use api::Problem;
use domain::filter::{Direction, Filter};
use domain::limits::{EXAMINED_SHOWN_MAX, ROWS_SHOWN, TABS_SHOWN};
use maud::{Markup, html};
use store::{ContactPage, Search, Segment};

use super::view::{RowError, Tab, View, changed_by, joined, state};
use crate::request::Failure;
use crate::signed::Signed;
use crate::text::contacts as words;

/// The contacts that are ticked.
#[derive(Clone, Default)]
pub(crate) struct Ticks {
    pub(crate) contacts: BTreeSet<String>,
    /// True if the selection is all that match.
    pub(crate) is_all: bool,
}

/// Everything that the page shows.
pub(super) struct Facts {
    pub(super) segments: Vec<Segment>,
    /// The segment of the tab.
    pub(super) segment: Option<Segment>,
    /// The contacts, or the errors in the filter.
    pub(super) found: Result<ContactPage, Vec<RowError>>,
    /// True if the job of the tab has selected its contacts in a way that no filter expresses.
    pub(super) is_unknown: bool,
}

impl Facts {
    pub(super) async fn read(signed: &Signed, view: &View) -> Result<Self, Failure> {
        let (store, account) = (signed.store(), signed.account.id);
        let segments = store.segments(account, None, TABS_SHOWN).await?.items;
        let segment = match &view.tab {
            Tab::Segment(id) => match segments.iter().find(|segment| segment.id == *id) {
                Some(segment) => Some(segment.clone()),
                None => Some(store.segment(account, *id).await?),
            },
            _ => None,
        };
        let of_tab = of_tab(signed, view, segment.as_ref()).await?;
        let is_unknown = matches!(view.tab, Tab::RefusedBy(_)) && of_tab.is_none();
        let found = match view.filter(of_tab.as_ref()) {
            Ok(_) if is_unknown => {
                Ok(ContactPage { contacts: Vec::new(), period: signed.period().clone(), next: None })
            }
            Ok(filter) => Ok(search(signed, view, segment.as_ref(), &filter).await?),
            Err(errors) => Err(errors),
        };
        Ok(Self { segments, segment, found, is_unknown })
    }

    /// Returns true if the tab is a static list, to which no filter applies.
    pub(super) fn is_list(&self) -> bool {
        self.segment.as_ref().is_some_and(|segment| segment.filter.is_none())
    }
}

/// Returns the filter of a tab that has one of its own.
pub(super) async fn of_tab(
    signed: &Signed,
    view: &View,
    segment: Option<&Segment>,
) -> Result<Option<Filter>, Failure> {
    Ok(match &view.tab {
        Tab::Segment(_) => segment.and_then(|segment| segment.filter.clone()),
        Tab::ChangedBy(job) => Filter::new(changed_by(*job)).ok(),
        Tab::RefusedBy(job) => {
            let selected = signed.store().bulk_job_filter(signed.account.id, *job).await?;
            let non_marketing = vec![state("non_marketing")];
            selected.and_then(|filter| Filter::new(joined(filter.groups().to_vec(), non_marketing)).ok())
        }
        Tab::Unknown => return Err(Problem::not_found("segment").into()),
        Tab::All | Tab::Marketing | Tab::Leaving | Tab::Unengaged => None,
    })
}

/// Reads a page, newest contacts first. A static list is in the order of creation.
async fn search(
    signed: &Signed,
    view: &View,
    segment: Option<&Segment>,
    filter: &Filter,
) -> Result<ContactPage, Failure> {
    let (store, account, now) = (signed.store(), signed.account.id, signed.wall_clock);
    if let Some(list) = segment.filter(|segment| segment.filter.is_none()) {
        return Ok(store.segment_contacts(account, list.id, view.after, ROWS_SHOWN, now).await?);
    }
    let filter = Some(filter).filter(|filter| !filter.groups().is_empty());
    let search = Search { account, filter, after: view.after, limit: ROWS_SHOWN };
    Ok(store.search_within(search, Direction::Descending, EXAMINED_SHOWN_MAX, now).await?)
}

/// Returns the name of the tab in words.
pub(super) fn tab_name(view: &View, facts: &Facts) -> String {
    match &view.tab {
        Tab::All | Tab::Unknown => words::ALL.to_owned(),
        Tab::Marketing => words::MARKETING.to_owned(),
        Tab::Leaving => words::LEAVING.to_owned(),
        Tab::Unengaged => words::UNENGAGED.to_owned(),
        Tab::ChangedBy(_) => words::CHANGED_BY_JOB.to_owned(),
        Tab::RefusedBy(_) => words::REFUSED_BY_JOB.to_owned(),
        Tab::Segment(_) => facts.segment.as_ref().map(|segment| segment.name.clone()).unwrap_or_default(),
    }
}

/// Returns the hidden fields that keep the view in a form.
pub(super) fn hidden(view: &View) -> Markup {
    html! { @for (name, value) in view.fields() { input type="hidden" name=(name) value=(value); } }
}
