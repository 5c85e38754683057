//! The table of contacts, with what can be done with the ticked ones.

use domain::contact::Contact;
use maud::{Markup, html};
use store::ContactPage;

use super::found::{Facts, Ticks, hidden, tab_name};
use super::view::{Tab, View};
use crate::parts::{Detail, number, source, state, time};
use crate::signed::Signed;
use crate::text::{self, contacts as words, exports};

/// Returns the form with the table.
pub(super) fn form(
    signed: &Signed,
    view: &View,
    facts: &Facts,
    found: &ContactPage,
    ticks: &Ticks,
) -> Markup {
    let count = number(signed, found.contacts.len() as u64);
    html! {
        form method="post" action="/console/contacts/preview" data-select {
            (hidden(view))
            @if let Some(after) = view.after { input type="hidden" name="after" value=(after); }
            @for contact in &ticks.except { input type="hidden" name="except" value=(contact); }
            (bar(signed, view, facts, ticks))
            @if !signed.may_edit() { p class="quiet" id="why-not" { (text::MAY_NOT_EDIT) } }
            table class="stack lines" {
                caption class="vh" { (words::caption(&tab_name(view, facts), &count)) }
                thead { tr {
                    td class="tick" {
                        input type="checkbox" data-tick-page aria-label=(words::tick_page(&count))
                            checked[ticks.is_all];
                    }
                    @for column in [words::ADDRESS, words::NAME, words::STATE, words::SOURCE, words::SINCE, words::FLAGS] {
                        th scope="col" { (column) }
                    }
                } }
                tbody {
                    @for (place, contact) in found.contacts.iter().enumerate() {
                        (row(signed, place, contact, ticks.has(&contact.id.to_string())))
                    }
                }
            }
        }
    }
}

/// Returns the bar with the selection and the actions.
fn bar(signed: &Signed, view: &View, facts: &Facts, ticks: &Ticks) -> Markup {
    let reason = (!signed.may_edit()).then_some("why-not");
    let total = total(signed, view, facts).map(|total| number(signed, total));
    let disabled = reason.is_some();
    html! {
        div class="bar-sel" role="group" aria-label=(words::WITH_SELECTION) {
            fieldset {
                legend class="vh" { (words::ACT_ON) }
                label class="check" {
                    input type="radio" name="scope" value="ticked" checked[!ticks.is_all]; " "
                    span { span data-count { (ticks.contacts.len()) } " " (words::TICKED) }
                }
                label class="check" {
                    input type="radio" name="scope" value="all" checked[ticks.is_all]; " "
                    (words::all_that_match(total.as_deref()))
                }
            }
            div class="row" {
                button name="action" value="set-marketing" disabled[disabled] aria-describedby=[reason] {
                    span class="state marketing" { (words::SET) }
                }
                button name="action" value="set-non-marketing-pending" disabled[disabled] aria-describedby=[reason] {
                    span class="state leaving" { (words::QUEUE) }
                }
                details class="more" {
                    summary class="button" { (words::MORE) }
                    div {
                        button name="action" value="add-to-list" { (words::ADD_TO_LIST) }
                        button name="action" value="export" { (exports::EXPORT) }
                    }
                }
                a class="button" href="/console/contacts/new" { (words::ADD) }
            }
        }
    }
}

/// Returns the number of contacts of the view, if it is known without reading them.
fn total(signed: &Signed, view: &View, facts: &Facts) -> Option<u64> {
    match &view.tab {
        _ if view.is_filtered() => None,
        Tab::Marketing => Some(signed.period().after_next_update()),
        Tab::Leaving => Some(signed.period().leaving),
        Tab::Segment(_) => facts.segment.as_ref()?.counted.map(|(count, _)| count),
        Tab::All | Tab::Unengaged | Tab::ChangedBy(_) | Tab::RefusedBy(_) | Tab::Unknown => None,
    }
}

fn row(signed: &Signed, place: usize, contact: &Contact, is_ticked: bool) -> Markup {
    let id = format!("c{place}");
    html! {
        tr data-ticked[is_ticked] {
            td class="tick" {
                input type="checkbox" name="contact" value=(contact.id) aria-labelledby=(id) checked[is_ticked];
            }
            th scope="row" id=(id) { a href={ "/console/contacts/" (contact.id) } { (address_of(contact)) } }
            td data-label=(words::NAME) { (name_of(contact)) }
            td data-label=(words::STATE) { (state(contact.state())) }
            td data-label=(words::SOURCE) { (source(&contact.marketing.source)) }
            td data-label=(words::SINCE) { (time(signed, contact.marketing.since, Detail::Short)) }
            td data-label=(words::FLAGS) {
                @if contact.unsubscribed { span class="flag" { (words::UNSUBSCRIBED) } }
                @if contact.unsubscribed && contact.bounced { " " }
                @if contact.bounced { span class="flag" { (words::BOUNCED) } }
            }
        }
    }
}

/// Returns the name of a contact, or an empty text.
fn name_of(contact: &Contact) -> String {
    let part = |name| contact.properties.get(name).unwrap_or_default().trim();
    [part("firstname"), part("lastname")].join(" ").trim().to_owned()
}

/// Returns a contact's address, or the words for its absence.
fn address_of(contact: &Contact) -> String {
    contact.email.as_ref().map_or_else(|| words::NO_ADDRESS.to_owned(), |email| email.given().to_owned())
}
