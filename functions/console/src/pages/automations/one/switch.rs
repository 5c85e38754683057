//! The switch of an automation, the ways on after a pause, and the enrolment of the contacts that match now.

use api::ProblemType;
use domain::automation::{AutomationState, Trigger};
use domain::bulk::Forecast;
use maud::{Markup, html};
use store::Automation;

use super::Asked;
use crate::pages::automations::{MAY_NOT, path};
use crate::parts::{key, number};
use crate::signed::Signed;
use crate::text::{self, automations as words, contacts};

/// The field with the confirmed number of contacts.
pub(super) const CONFIRM: &str = "confirm_count";

/// Returns a form with one button. `part` is the path of the act below the automation's.
fn button(signed: &Signed, automation: &Automation, part: &str, field: (&str, &str), label: &str) -> Markup {
    let is_main = part == "switch" && field.1 == "on";
    let may = signed.may_edit();
    html! {
        form method="post" action={ (path(automation.id)) "/" (part) } {
            (key(signed))
            button class=[is_main.then_some("act")] name=(field.0) value=(field.1) disabled[!may]
                aria-describedby=[(!may).then_some(MAY_NOT)] { (label) }
        }
    }
}

/// Returns the switch, or the ways on after a pause. `forecast` is the consequence for the contacts that match now.
pub(super) fn section(
    signed: &Signed,
    automation: &Automation,
    forecast: Option<&Forecast>,
    waiting: u64,
    asked: Asked<'_>,
) -> Markup {
    let button = |part, field, label| button(signed, automation, part, field, label);
    let off = || button("switch", ("to", "off"), words::SWITCH_OFF);
    let is_paused = automation.state == AutomationState::Paused;
    html! {
        section aria-labelledby="switch" {
            h2 id="switch" { (if is_paused { words::RESUME } else { words::SWITCH }) }
            @match automation.state {
                AutomationState::Enabled => {
                    p class="quiet" { (words::OFF_HINT) }
                    div class="row gap" { (off()) }
                }
                AutomationState::Paused => {
                    p { (words::wait(&text::counted(waiting, &number(signed, waiting), "contact"), waiting == 1)) }
                    div class="row gap" {
                        (button("resume", ("waiting", "keep"), words::RESUME_KEEP))
                        (button("resume", ("waiting", "drop"), words::RESUME_DROP))
                        (off())
                    }
                }
                AutomationState::Disabled => {
                    div class="row gap" { (button("switch", ("to", "on"), words::SWITCH_ON)) }
                    // A submission is not repeated, so no contact matches a form now.
                    @if signed.may_edit() && !matches!(automation.trigger, Trigger::Forms(_)) {
                        (existing(signed, automation, forecast, asked))
                    }
                }
            }
        }
    }
}

/// Returns the form that also enrols the contacts that match now, with their number typed in.
fn existing(
    signed: &Signed,
    automation: &Automation,
    forecast: Option<&Forecast>,
    asked: Asked<'_>,
) -> Markup {
    let counted = |count: u64| text::counted(count, &number(signed, count), "contact");
    let typed = asked.typed.map_or("", |typed| typed.get(CONFIRM));
    let message = message(signed, forecast, asked);
    let described = message.as_ref().map(|_| "confirm_count-e");
    html! {
        h3 class="gap" { (words::ENROL_TOO) }
        p {
            @match forecast {
                Some(forecast) => {
                    (words::matching(
                        &counted(forecast.matched), forecast.matched == 1, &number(signed, forecast.would.changed()),
                    ))
                }
                None => { span class="quiet" { (words::NOT_COUNTED) } }
            }
        }
        form method="post" action={ (path(automation.id)) "/switch" } class="narrow gap" {
            (key(signed))
            input type="hidden" name="to" value="existing";
            div class="field" {
                label for=(CONFIRM) { (words::ENROL_LABEL) }
                @if let Some(message) = &message { p class="error" id="confirm_count-e" { (text::sentence(message)) } }
                input id=(CONFIRM) name=(CONFIRM) class="w-s" inputmode="numeric" value=(typed) autocomplete="off"
                    aria-invalid=[described.map(|_| "true")] aria-describedby=[described]
                    autofocus[described.is_some()];
            }
            button { (words::ENROL_BUTTON) }
        }
    }
}

/// Returns the message at the number, in the words of the dialogs that ask for such a number.
fn message(signed: &Signed, forecast: Option<&Forecast>, asked: Asked<'_>) -> Option<String> {
    let counted = |count: u64| text::counted(count, &number(signed, count), "contact");
    let (typed, refusal) = (asked.typed?.get(CONFIRM), asked.refusal?);
    if refusal.kind == ProblemType::CountChanged {
        let matched = refusal.number("matched")?;
        return Some(contacts::typed_wrong(typed, &counted(matched), matched == 1));
    }
    let own = refusal.error_of(CONFIRM)?;
    match forecast {
        Some(forecast) if typed.is_empty() => {
            Some(contacts::typed_nothing(&number(signed, forecast.matched)))
        }
        _ => Some(own.to_owned()),
    }
}
