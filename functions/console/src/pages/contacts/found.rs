//! The contacts of a view, with everything else that their page shows.

use std::collections::BTreeSet;

use api::Problem;
use domain::filter::{Direction, Filter};
use domain::limits::{EXAMINED_SHOWN_MAX, ROWS_SHOWN, TABS_SHOWN};
use maud::{Markup, html};
use store::{ContactPage, Search, Segment};

use super::view::{Base, RowError, Tab, View, joined, state};
use crate::request::Failure;
use crate::signed::Signed;
use crate::text::contacts as words;
use crate::typed::Typed;

/// The contacts that are ticked.
#[derive(Clone, Default)]
pub(crate) struct Ticks {
    pub(crate) contacts: BTreeSet<String>,
    /// True if the selection is all that match.
    pub(crate) is_all: bool,
    /// The contacts that are left out of all that match.
    pub(crate) except: BTreeSet<String>,
}

impl Ticks {
    /// Returns the ticks in a form. A contact that is left out is not ticked.
    pub(crate) fn of(typed: &Typed) -> Self {
        let all = |name| typed.all(name).map(str::to_owned).collect::<BTreeSet<_>>();
        let except = all("except");
        let contacts = all("contact").difference(&except).cloned().collect();
        Self { contacts, is_all: typed.get("scope") == "all", except }
    }

    /// Returns true if the contact is ticked.
    pub(crate) fn has(&self, contact: &str) -> bool {
        if self.is_all { !self.except.contains(contact) } else { self.contacts.contains(contact) }
    }
}

/// Everything that the page shows.
pub(super) struct Facts {
    pub(super) segments: Vec<Segment>,
    /// The segment of the tab.
    pub(super) segment: Option<Segment>,
    /// The contacts, or the errors in the filter.
    pub(super) found: Result<ContactPage, Vec<RowError>>,
    /// The reason for which no filter applies to the tab.
    pub(super) no_filter: Option<&'static str>,
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
        let base = base(signed, view, segment.as_ref()).await?;
        let no_filter = match base {
            Base::Filter(_) => None,
            Base::NoFilter(reason) => Some(reason),
        };
        let found = match (&segment, view.filter(&base)) {
            (_, Ok(filter)) => Ok(search(signed, view, &filter).await?),
            (Some(list), Err(_)) if list.filter.is_none() && !view.is_filtered() => {
                let (after, now) = (view.after, signed.wall_clock);
                Ok(store.segment_contacts(account, list.id, after, ROWS_SHOWN, now).await?)
            }
            (_, Err(errors)) => Err(errors),
        };
        Ok(Self { segments, segment, found, no_filter })
    }

    /// Returns true if the tab is a static list, to which no filter applies.
    pub(super) fn is_list(&self) -> bool {
        self.segment.as_ref().is_some_and(|segment| segment.filter.is_none())
    }
}

/// Returns the filter that selects exactly the contacts of a view, or the errors in it.
pub(super) async fn filter(signed: &Signed, view: &View) -> Result<Result<Filter, Vec<RowError>>, Failure> {
    let segment = match &view.tab {
        Tab::Segment(id) => Some(signed.store().segment(signed.account.id, *id).await?),
        _ => None,
    };
    Ok(view.filter(&base(signed, view, segment.as_ref()).await?))
}

/// Returns the contacts of the view's tab.
async fn base(signed: &Signed, view: &View, segment: Option<&Segment>) -> Result<Base, Failure> {
    let (filter, reason) = match &view.tab {
        Tab::Segment(_) => (segment.and_then(|segment| segment.filter.clone()), words::NO_FILTER_IN_LISTS),
        Tab::RefusedBy(job) => {
            let selected = signed.store().bulk_job_filter(signed.account.id, *job).await?;
            let non_marketing = vec![state("non_marketing")];
            let filter =
                selected.and_then(|filter| Filter::new(joined(filter.groups().to_vec(), non_marketing)).ok());
            (filter, words::NO_FILTER_OF_JOB)
        }
        tab => match tab.groups() {
            Some(groups) => (Filter::new(groups).ok(), words::NO_FILTER_OF_JOB),
            None => return Err(Problem::not_found("segment").into()),
        },
    };
    Ok(filter.map_or(Base::NoFilter(reason), Base::Filter))
}

/// Reads a page, newest contacts first.
async fn search(signed: &Signed, view: &View, filter: &Filter) -> Result<ContactPage, Failure> {
    let (store, account, now) = (signed.store(), signed.account.id, signed.wall_clock);
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
