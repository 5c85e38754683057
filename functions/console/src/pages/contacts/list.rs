//! The page with the list of contacts.

use domain::limits::{ROWS_SHOWN, SEARCH_CHARS_MAX, TABS_SHOWN};
use http::StatusCode;
use maud::{Markup, html};
use store::ContactPage;

use super::found::{Facts, Ticks, hidden};
use super::view::{Tab, View};
use super::{filters, table};
use crate::frame::{Page, Section};
use crate::parts::{Tone, note, number};
use crate::request::Failure;
use crate::signed::Signed;
use crate::text::{self, contacts as words};

/// Returns the page for a view.
pub(crate) async fn page(signed: &Signed, view: &View, ticks: &Ticks) -> Result<Page, Failure> {
    let facts = Facts::read(signed, view).await?;
    let head = html! {
        h1 { (text::CONTACTS) }
        form method="post" action="/console/contacts/search" role="search" class="row" {
            label class="vh" for="q" { (words::SEARCH_LABEL) }
            input id="q" name="q" type="search" class="w-l" placeholder=(words::SEARCH_LABEL) autocomplete="off"
                maxlength=(SEARCH_CHARS_MAX) value=(view.words);
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

fn done(signed: &Signed, view: &View, facts: &Facts) -> Markup {
    let of_query = |name| signed.query.get(name).parse::<u64>().unwrap_or_default();
    let said = match signed.done.as_deref() {
        Some("deleted") => words::DELETED,
        Some("erased") => words::ERASED,
        Some("listed") => {
            let (added, unknown) = (of_query("n"), of_query("unknown"));
            let tone = if added == 0 || unknown > 0 { Tone::Fault } else { Tone::Plain };
            let [added, unknown] = [added, unknown]
                .map(|count| (count, text::counted(count, &number(signed, count), "contact")));
            return note(tone, &html! { p { (words::added_to_list(&added, &unknown)) } });
        }
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

fn results(signed: &Signed, view: &View, facts: &Facts, found: &ContactPage, ticks: &Ticks) -> Markup {
    let has_filter = view.is_filtered() || view.tab != Tab::All;
    html! {
        @if found.contacts.is_empty() {
            p class="gap" {
                @if found.next.is_some() { (words::NONE_SO_FAR) }
                @else if has_filter { (words::NONE_MATCH) }
                @else { (words::NONE_YET) }
            }
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
                } @else if !found.contacts.is_empty() {
                    (words::shown(&shown, view.after.is_none(), facts.is_list()))
                }
            }
            span class="row" {
                @if view.after.is_some() { (step(&first, None, text::FIRST_PAGE, false)) }
                @if let Some(next) = found.next { (step(view, Some(next), &label, is_partial && found.contacts.is_empty())) }
            }
        }
    }
}

/// Returns the link to a page, or a form if the view may not stand in an address. The script follows the link by
/// itself if the search `goes_on` and has found nothing yet.
fn step(view: &View, after: Option<domain::ids::ContactId>, label: &str, goes_on: bool) -> Markup {
    html! {
        @if view.is_shareable() {
            a class="button" href=(view.path(after)) rel=[after.map(|_| "next")] data-go-on[goes_on] { (label) }
        } @else {
            form method="post" action="/console/contacts/filter" {
                (hidden(view))
                @if let Some(after) = after { input type="hidden" name="after" value=(after); }
                button { (label) }
            }
        }
    }
}
