//! The try of an automation with one contact.

use domain::address::EmailAddress;
use domain::automation::{AutomationState, Trigger};
use maud::{Markup, html};
use store::{Automation, ContactRef, Trial, TrialResult};

use super::Asked;
use crate::pages::automations::path;
use crate::parts::field_error;
use crate::request::Refusal;
use crate::text::automations as words;
use crate::typed::Typed;

/// The field with the address or the id of the contact.
pub(super) const CONTACT: &str = "contact";

/// Returns the contact that was typed.
pub(super) fn contact(typed: &Typed) -> Result<ContactRef, Refusal> {
    let text = typed.get(CONTACT);
    let named = match text.contains('@') {
        true => EmailAddress::parse(text).ok().map(ContactRef::Email),
        false => text.parse().ok().map(ContactRef::Id),
    };
    named.ok_or_else(|| Refusal::of_console(CONTACT, words::TRY_INVALID))
}

/// Returns the form for a contact, with the result of the try that was asked for.
pub(super) fn section(automation: &Automation, trial: &Trial, asked: Asked<'_>) -> Markup {
    let typed = asked.typed.map_or("", |typed| typed.get(CONTACT));
    let is_wrong = asked.refusal.is_some_and(|refusal| refusal.error_of(CONTACT).is_some());
    let described = if is_wrong { "contact-e contact-h" } else { "contact-h" };
    html! {
        section aria-labelledby="try" {
            h2 id="try" { (words::TRY) }
            form method="post" action={ (path(automation.id)) "/test#try" } class="narrow" {
                div class="field" {
                    label for=(CONTACT) { (words::TRY_LABEL) }
                    (field_error(asked.refusal, CONTACT, CONTACT))
                    input id=(CONTACT) name=(CONTACT) class="w-l" value=(typed) autocomplete="off"
                        aria-invalid=[is_wrong.then_some("true")] aria-describedby=(described) autofocus[is_wrong];
                    p class="hint quiet" id="contact-h" { (words::TRY_HINT) }
                }
                button { (words::TRY_BUTTON) }
            }
            @if let Some(tried) = trial.results.first() { (result(automation, tried.as_ref(), typed)) }
        }
    }
}

/// Returns the result of a try in sentences.
fn result(automation: &Automation, result: Option<&TrialResult>, typed: &str) -> Markup {
    let Some(result) = result else {
        return html! { div class="note gap" role="status" { p { (words::NOT_FOUND) } } };
    };
    let is_by_form = matches!(automation.trigger, Trigger::Forms(_));
    let enrolment = match (result.would_enrol, is_by_form) {
        (false, _) => words::NOT_ENROLLED,
        (true, true) => words::ENROLLED_BY_FORM,
        (true, false) => words::ENROLLED_BY_CHANGE,
    };
    let matches = result.matches.map(|matches| if matches { words::MATCHES } else { words::MATCHES_NOT });
    let turn = result.had_turn.then_some(words::HAD_TURN);
    let is_off = automation.state == AutomationState::Disabled;
    html! {
        div class="note gap" role="status" {
            p {
                b { (words::RESULT) a href={ "/console/contacts/" (result.contact) } { bdi { (typed) } } } ". "
                @for sentence in [matches, turn, Some(enrolment)].into_iter().flatten() { (sentence) " " }
                @if result.would_enrol { (words::outcome(result.outcome)) " " }
                @if is_off { (words::WHILE_ON) }
            }
        }
    }
}
