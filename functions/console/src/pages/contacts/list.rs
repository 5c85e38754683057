//! The page with the list of contacts.

use std::collections::BTreeSet;

use domain::filter::{Direction, Filter};
use domain::limits::{ROWS_SHOWN, TABS_SHOWN};
use http::StatusCode;
use maud::{Markup, html};
use store::{ContactPage, Search, Segment};

use super::filters;
use super::table;
use super::view::{RowError, Tab, View, changed_by, joined, state};
use crate::frame::{Page, Section};
use crate::parts::{Tone, note, number};
use crate::request::Failure;
use crate::signed::Signed;
use crate::text::{self, contacts as words};

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
    found: Result<ContactPage, Vec<RowError>>,
    /// True if the job of the tab has selected its contacts in a way that no filter expresses.
    is_unknown: bool,
}

/// Returns the page for a view.
pub(crate) async fn page(signed: &Signed, view: &View, ticks: &Ticks) -> Result<Page, Failure> {
    let facts = Facts::read(signed, view).await?;
    let head = html! {
        h1 { (text::CONTACTS) }
        form method="post" action="/console/contacts/search" role="search" class="row" {
            label class="vh" for="q" { (words::SEARCH_LABEL) }
            input id="q" name="q" type="search" class="w-l" placeholder=(words::SEARCH_LABEL) autocomplete="off"
                value=(view.words);
            button { (words::SEARCH) }
        }
    };
    let errors = facts.found.as_ref().err().map(Vec::as_slice).unwrap_or_default();
    let content = html! {
        (done(signed, view, &facts))
        (tabs(signed, view, &facts))
        (filters::form(view, &facts, errors))
        @if let Ok(found) = &facts.found { (results(signed, view, &facts, found, ticks)) }
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(Page::new(Section::Contacts, text::CONTACTS, content).with_head(head).with_status(status))
}

impl Facts {
    async fn read(signed: &Signed, view: &View) -> Result<Self, Failure> {
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
    Ok(store.search_by_id(search, Direction::Descending, now).await?)
}

fn done(signed: &Signed, view: &View, facts: &Facts) -> Markup {
    let said = match signed.done.as_deref() {
        Some("deleted") => words::DELETED,
        Some("erased") => words::ERASED,
        Some("listed") => words::ADDED_TO_LIST,
        _ if facts.is_unknown => words::NO_FILTER_OF_JOB,
        _ if view.words.contains('@')
            && facts.found.as_ref().is_ok_and(|found| found.contacts.is_empty()) =>
        {
            words::NONE_HAS_ADDRESS
        }
        _ => return html! {},
    };
    note(Tone::Plain, &html! { p { (said) } })
}

/// Returns the tabs. Only exact counts are shown, and those of segments from their last count.
fn tabs(signed: &Signed, view: &View, facts: &Facts) -> Markup {
    let period = signed.period();
    let of_tab = |tab: Tab| View { tab, words: String::new(), rows: Vec::new(), after: None };
    let link = |tab: Tab, name: &str, count: Option<u64>| {
        html! {
            a href=(of_tab(tab.clone()).path(None)) aria-current=[(tab == view.tab).then_some("page")] {
                (name) @if let Some(count) = count { " " span { (number(signed, count)) } }
            }
        }
    };
    let staying = period.after_next_update();
    let is_shown = |id| facts.segments.iter().any(|segment| segment.id == id);
    html! {
        nav class="tabs" aria-label=(words::TABS) {
            (link(Tab::All, words::ALL, None))
            (link(Tab::Marketing, words::MARKETING, Some(staying)))
            (link(Tab::Leaving, words::LEAVING, Some(period.leaving)))
            (link(Tab::Unengaged, words::UNENGAGED, None))
            @match &view.tab {
                Tab::ChangedBy(_) => { (link(view.tab.clone(), words::CHANGED_BY_JOB, None)) }
                Tab::RefusedBy(_) => { (link(view.tab.clone(), words::REFUSED_BY_JOB, None)) }
                _ => {}
            }
            @for segment in &facts.segments {
                (link(Tab::Segment(segment.id), &segment.name, segment.counted.map(|(count, _)| count)))
            }
            @if let Some(segment) = facts.segment.as_ref().filter(|segment| !is_shown(segment.id)) {
                (link(Tab::Segment(segment.id), &segment.name, segment.counted.map(|(count, _)| count)))
            }
            @if facts.segments.len() >= TABS_SHOWN { a href="/console/segments" { (words::MORE_SEGMENTS) } }
        }
    }
}

/// Returns the name of the tab in words.
pub(super) fn tab_name(view: &View, facts: &Facts) -> String {
    match &view.tab {
        Tab::All => words::ALL.to_owned(),
        Tab::Marketing => words::MARKETING.to_owned(),
        Tab::Leaving => words::LEAVING.to_owned(),
        Tab::Unengaged => words::UNENGAGED.to_owned(),
        Tab::ChangedBy(_) => words::CHANGED_BY_JOB.to_owned(),
        Tab::RefusedBy(_) => words::REFUSED_BY_JOB.to_owned(),
        Tab::Segment(_) => facts.segment.as_ref().map(|segment| segment.name.clone()).unwrap_or_default(),
    }
}

fn results(signed: &Signed, view: &View, facts: &Facts, found: &ContactPage, ticks: &Ticks) -> Markup {
    let has_filter = view.is_filtered() || view.tab != Tab::All;
    html! {
        @if found.contacts.is_empty() {
            p class="gap" { (if has_filter { words::NONE_MATCH } else { words::NONE_YET }) }
        } @else {
            (table::form(signed, view, facts, found, ticks))
        }
        (pages(signed, view, facts, found))
    }
}

/// Returns the links to the other pages. A search that has not examined all contacts says how far it is.
fn pages(signed: &Signed, view: &View, facts: &Facts, found: &ContactPage) -> Markup {
    let shown = number(signed, found.contacts.len() as u64);
    let is_partial = found.next.is_some() && found.contacts.len() < ROWS_SHOWN && !facts.is_list();
    let label =
        if is_partial { words::SEARCH_ON.to_owned() } else { words::next_page(&ROWS_SHOWN.to_string()) };
    let first = View { after: None, ..view.clone() };
    html! {
        nav class="pager" aria-label=(text::PAGES) {
            span {
                @if is_partial {
                    @if let Some(next) = found.next {
                        (words::searched_to(&crate::parts::date_text(signed, next.created_about())))
                    }
                } @else if !found.contacts.is_empty() { (words::shown(&shown, view.after.is_none())) }
            }
            span class="row" {
                @if view.after.is_some() { (step(&first, None, text::FIRST_PAGE)) }
                @if let Some(next) = found.next { (step(view, Some(next), &label)) }
            }
        }
    }
}

/// Returns the link to a page, or a form if the view may not stand in an address.
fn step(view: &View, after: Option<domain::ids::ContactId>, label: &str) -> Markup {
    html! {
        @if view.is_shareable() {
            a class="button" href=(view.path(after)) rel=[after.map(|_| "next")] { (label) }
        } @else {
            form method="post" action="/console/contacts/filter" {
                (hidden(view))
                @if let Some(after) = after { input type="hidden" name="after" value=(after); }
                button { (label) }
            }
        }
    }
}

/// Returns the hidden fields that keep the view in a form.
pub(super) fn hidden(view: &View) -> Markup {
    html! { @for (name, value) in view.fields() { input type="hidden" name=(name) value=(value); } }
}
