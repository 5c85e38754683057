//! The review of marketing contacts: a wizard that leads to a job which queues contacts.
//!
//! The wizard has no store. Its state is the choice in the hidden fields of its form, which every step posts. Only the
//! last step acts.

mod choice;
pub(crate) mod count;
mod numbers;
mod segments;
mod update;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use maud::{Markup, html};

pub(crate) use count::{typed_number, whole};

use crate::Console;
use crate::frame::{Page, Section, update_date};
use crate::parts::{date_text, number};
use crate::request::Failure;
use crate::signed::Signed;
use crate::text::{self, review as words};
use crate::typed::Typed;

use choice::Choice;

const PATH: &str = "/console/review";

/// The steps, in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Step {
    Date = 1,
    Unengaged,
    Segments,
    Numbers,
    Update,
}

impl Step {
    const ALL: [(Self, &str); 5] = [
        (Self::Date, words::DATE),
        (Self::Unengaged, words::UNENGAGED),
        (Self::Segments, words::SEGMENTS),
        (Self::Numbers, words::NUMBERS),
        (Self::Update, words::UPDATE),
    ];

    fn number(self) -> usize {
        self as usize
    }
}

pub(crate) fn routes() -> Router<Console> {
    Router::new().route(PATH, get(show).post(go_on))
}

async fn show(signed: Signed) -> Response {
    let shown = Ok(date(&signed, &Choice::PROPOSED));
    signed.finish(shown)
}

/// Shows the step that was asked for, or carries the review out.
async fn go_on(signed: Signed, typed: Typed) -> Response {
    let mut choice = Choice::of(&typed);
    if reason_against(&signed).is_some() {
        let page = date(&signed, &choice).with_status(StatusCode::FORBIDDEN);
        return signed.finish(Ok(page));
    }
    let step = typed.get("step");
    match step {
        "skip-unengaged" => (choice.unsubscribed, choice.bounced) = (false, false),
        "skip-segments" => choice.segments.clear(),
        _ => {}
    }
    let shown = match step {
        _ if typed.has("after") => segments::page(&signed, &choice, typed.get("after"), None).await,
        "2" => Ok(unengaged(&signed, &choice)),
        "3" | "skip-unengaged" => segments::page(&signed, &choice, "", None).await,
        "4" | "skip-segments" => numbers::page(&signed, &choice, &typed).await,
        "5" => update::page(&signed, &choice, &typed).await,
        "queue" => return update::queue(signed, &choice, &typed).await,
        _ => Ok(date(&signed, &choice)),
    };
    signed.finish(shown)
}

/// Returns the reason for which the person can't review the contacts.
fn reason_against(signed: &Signed) -> Option<&'static str> {
    if !signed.may_edit() {
        Some(text::MAY_NOT_EDIT)
    } else if !signed.period().marketing_contacts {
        Some(words::SWITCHED_OFF)
    } else {
        None
    }
}

/// The parts of a step's page.
struct Shown<'a> {
    step: Step,
    choice: &'a Choice,
    /// The remarks at the steps with the unengaged contacts and with the segments, if their numbers are known.
    counted: Option<[String; 2]>,
    /// The value of the button that leads on, which the Enter key presses.
    next: &'a str,
    content: Markup,
}

/// Returns the page of a step. All of it is one form, so that each button takes the whole choice along.
fn step_page(signed: &Signed, shown: &Shown<'_>) -> Page {
    let head = html! {
        h1 { (words::TITLE) }
        a href="/console" { (words::LEAVE) }
    };
    let content = html! {
        form method="post" action=(PATH) {
            button hidden name="step" value=(shown.next) { (words::CONTINUE) }
            @if shown.step != Step::Unengaged { (shown.choice.hidden_unengaged()) }
            @if shown.step != Step::Segments { (shown.choice.hidden_segments(&[])) }
            (steps(signed, shown))
            (shown.content)
        }
    };
    Page::new(Section::Review, words::step_of(shown.step.number()), content).with_head(head)
}

fn steps(signed: &Signed, shown: &Shown<'_>) -> Markup {
    html! {
        ol class="steps" aria-label=(words::STEPS) {
            @for (step, name) in Step::ALL {
                @if step < shown.step {
                    li class="done" {
                        button class="link" name="step" value=(step.number()) { (name) } " "
                        span class="sub" { (remark(signed, shown, step)) }
                    }
                } @else {
                    li aria-current=[(step == shown.step).then_some("step")] { (name) }
                }
            }
        }
    }
}

/// Returns what was chosen in a step.
fn remark(signed: &Signed, shown: &Shown<'_>, step: Step) -> String {
    let Choice { unsubscribed, bounced, ref segments } = *shown.choice;
    match (step, &shown.counted) {
        (Step::Date, _) => date_text(signed, signed.period().ends_at),
        (Step::Unengaged, _) if !unsubscribed && !bounced => words::SKIPPED.to_owned(),
        (Step::Segments, _) if segments.is_empty() => words::SKIPPED.to_owned(),
        (Step::Unengaged, Some([unengaged, _])) => unengaged.clone(),
        (Step::Segments, Some([_, further])) => further.clone(),
        (Step::Unengaged, None) => {
            let kinds = [(unsubscribed, words::UNSUBSCRIBED), (bounced, words::BOUNCED)];
            kinds.into_iter().filter(|(is_on, _)| *is_on).map(|(_, name)| name).collect::<Vec<_>>().join(", ")
        }
        (Step::Segments, None) => {
            let count = u64::try_from(segments.len()).unwrap_or_default();
            words::segments(count, &number(signed, count))
        }
        (Step::Numbers | Step::Update, _) => String::new(),
    }
}

/// Returns the buttons of a step. `skip` is the value of the button that skips it.
fn buttons(back: Option<Step>, skip: Option<&str>, main: &Markup) -> Markup {
    html! {
        div class="row block" {
            @if let Some(back) = back { button name="step" value=(back.number()) { (words::BACK) } " " }
            @if let Some(skip) = skip { button name="step" value=(skip) { (words::SKIP) } " " }
            (main)
        }
    }
}

/// Returns the first step.
fn date(signed: &Signed, choice: &Choice) -> Page {
    let period = signed.period();
    let fact = |name: &str, count: u64| html! { div { dt { (name) } dd { (number(signed, count)) } } };
    let main = match reason_against(signed) {
        None => html! { button class="act" name="step" value="2" { (words::CONTINUE) } },
        Some(reason) => html! {
            button disabled aria-describedby="review-why" { (words::CONTINUE) }
            span class="quiet" id="review-why" { (reason) }
        },
    };
    let content = html! {
        p class="sentence" { (words::NEXT_UPDATE) b { (update_date(signed)) } ". " (words::UNTIL_THEN) }
        dl class="facts narrow gap" {
            (fact(words::MARKETING_NOW, period.marketing))
            (fact(words::LEAVING_ALREADY, period.leaving))
            (fact(words::REMAIN, period.after_next_update()))
        }
        (buttons(None, None, &main))
    };
    step_page(signed, &Shown { step: Step::Date, choice, counted: None, next: "2", content })
}

/// Returns the step with the unengaged contacts.
fn unengaged(signed: &Signed, choice: &Choice) -> Page {
    let check = |field: &str, label: &str, is_on: bool| {
        html! {
            label class="check" { input type="checkbox" name=(field) value="true" checked[is_on]; " " (label) }
        }
    };
    let content = html! {
        p class="sentence" { (words::UNENGAGED_SENTENCE) }
        fieldset class="gap" aria-describedby="unengaged-h" {
            legend { (words::UNENGAGED_LEGEND) }
            div class="field" {
                (check("unsubscribed", words::UNSUBSCRIBED_CONTACTS, choice.unsubscribed))
                (check("bounced", words::BOUNCED_CONTACTS, choice.bounced))
                p class="hint" id="unengaged-h" { (words::ONLY_STAYING) }
            }
        }
        (buttons(
            Some(Step::Date),
            Some("skip-unengaged"),
            &html! { button class="act" name="step" value="3" { (words::CONTINUE) } },
        ))
    };
    step_page(signed, &Shown { step: Step::Unengaged, choice, counted: None, next: "3", content })
}

/// Returns the date of the next update in words.
fn update_text(signed: &Signed) -> String {
    date_text(signed, signed.period().ends_at)
}

/// The result of a step's page.
type Stepped = Result<Page, Failure>;
