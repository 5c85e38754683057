//! The dialogs over the list: the consequence of a change, and the questions for a name or a list.

use domain::Timestamp;
use maud::{Markup, html};
use serde_json::Value;
use store::{FileFormat, Segment};

use crate::frame::Dialog;
use crate::parts::{Detail, date_text, key, number, time};
use crate::signed::Signed;
use crate::text::{self, contacts as words, exports};

/// The numbers of a preview, as the API answers them.
#[derive(Clone)]
pub(super) struct Numbers(pub(super) Value);

/// The reason for which a dialog asks again.
pub(super) enum Asked {
    /// No number was typed.
    Nothing,
    /// Another number was typed.
    Wrong(String),
    /// Another number of contacts matches since the dialog was shown.
    Changed { before: u64, now: u64 },
}

impl Numbers {
    fn get(&self, pointer: &str) -> u64 {
        self.0.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
    }

    fn matched(&self) -> u64 {
        self.get("/matched")
    }

    /// Returns true if contacts are set, and false if they are queued.
    fn sets(&self) -> bool {
        self.0.get("action").and_then(Value::as_str) == Some("set-marketing")
    }

    /// Returns the number of contacts that become marketing contacts, or that are queued.
    fn newly(&self) -> u64 {
        self.get(if self.sets() { "/would/set" } else { "/would/queued" })
    }

    fn kept(&self) -> u64 {
        self.get("/would/kept")
    }

    /// Returns the number of contacts that change.
    fn changes(&self) -> u64 {
        self.newly() + self.kept()
    }

    fn next_update(&self) -> Option<Timestamp> {
        self.0.get("next_update_at")?.as_str()?.parse().ok()
    }

    /// Returns the dialog's title.
    fn title(&self, signed: &Signed) -> String {
        let matched = contacts(signed, self.matched());
        let changes =
            Some(self.changes()).filter(|changes| *changes > 0).map(|changes| number(signed, changes));
        let is_all = self.changes() == self.matched();
        if self.sets() {
            words::set_title(changes.as_deref(), &matched, is_all)
        } else {
            words::queue_title(changes.as_deref(), &matched, is_all)
        }
    }
}

/// Returns a number with the noun.
fn contacts(signed: &Signed, count: u64) -> String {
    text::counted(count, &number(signed, count), "contact")
}

/// Returns a dialog whose form is posted to `action`.
fn dialog(title: &str, action: &str, is_focused: bool, content: Markup) -> Dialog {
    Dialog { title: title.to_owned(), action: action.to_owned(), is_focused, content }
}

/// Returns the dialog with the consequence, which asks for the number.
pub(super) fn consequence(
    signed: &Signed,
    numbers: &Numbers,
    hidden: &Markup,
    back: &str,
    asked: Option<&Asked>,
) -> Dialog {
    let changes = numbers.changes();
    let content = html! {
        @if let Some(Asked::Changed { before, now }) = asked {
            div class="note fault" role="alert" {
                p { b { (words::count_changed(&contacts(signed, *now), &number(signed, *before))) } }
            }
        }
        (sentence(signed, numbers))
        (warnings(signed, numbers))
        div { (table(signed, numbers)) }
        (outcomes(signed, numbers))
        @if changes > 0 { (question(signed, numbers, asked)) }
        div class="foot" {
            (hidden) (key(signed))
            input type="hidden" name="matched" value=(numbers.matched());
            a class="button" href=(back) data-close { (if changes > 0 { words::CANCEL } else { words::CLOSE }) }
            @if changes > 0 {
                @if numbers.sets() {
                    button class="set" { (words::set_button(&contacts(signed, changes))) }
                } @else {
                    button class="queue" { (words::queue_button(&contacts(signed, changes))) }
                }
            }
        }
    };
    dialog(&numbers.title(signed), "/console/jobs", asked.is_none(), content)
}

/// Returns the consequence in a sentence.
fn sentence(signed: &Signed, numbers: &Numbers) -> Markup {
    let count = |pointer| number(signed, numbers.get(pointer));
    let (new, kept) = (numbers.newly(), numbers.kept());
    let usage = ["/usage_before", "/usage_after", "/tier_limit_after"].map(count);
    let date = numbers.next_update().map(|at| time(signed, at, Detail::Date));
    html! {
        p class="sentence" {
            @if numbers.changes() == 0 { (words::NOTHING_TO_DO) }
            @else if numbers.sets() {
                @if new > 0 {
                    b { (words::become_marketing(&contacts(signed, new), new == 1)) }
                    (words::billable_at_once(&usage, new == 1))
                    (date.unwrap_or_default()) (words::AT_THE_EARLIEST)
                }
                @if kept > 0 { " " b { (words::kept(&contacts(signed, kept), kept == 1)) } }
            } @else {
                b { (words::are_queued(&contacts(signed, new), new == 1)) }
                (words::stay_billable(new == 1)) (date.unwrap_or_default())
                (words::usage_stays(&count("/usage_after"), &count("/after_next_update")))
            }
        }
    }
}

/// Returns what a person should know before: that the tier rises, that contacts are refused, that e-mail reaches some
/// contacts in no case.
fn warnings(signed: &Signed, numbers: &Numbers) -> Markup {
    let [before, after] = ["/tier_limit_before", "/tier_limit_after"].map(|pointer| numbers.get(pointer));
    let (refused, unengaged) = (numbers.get("/would/refused"), numbers.get("/unengaged"));
    let by_cap = numbers.get("/refused_by/cap-exceeded") + numbers.get("/refused_by/cap-reached");
    let cap = signed.period().cap.filter(|_| by_cap > 0 || numbers.sets()).map(|cap| number(signed, cap));
    html! {
        @if after > before {
            div class="note bills" {
                p { b { (words::tier_rises(&number(signed, before), &number(signed, after))) } " " (words::NO_FALL) }
            }
        }
        @if refused > 0 {
            div class="note fault" {
                p { b { (words::are_refused(&contacts(signed, refused), refused == 1)) }
                    (words::because_of_cap(cap.as_deref(), refused == 1)) }
            }
        }
        @if unengaged > 0 {
            div class="note" { p { (words::unengaged(&number(signed, unengaged))) } }
        }
    }
}

fn table(signed: &Signed, numbers: &Numbers) -> Markup {
    let period = signed.period();
    let date = numbers.next_update().unwrap_or(period.ends_at);
    let [before, after, later] =
        ["/usage_before", "/usage_after", "/after_next_update"].map(|pointer| numbers.get(pointer));
    let leaving = after.saturating_sub(later);
    let limits = [
        numbers.get("/tier_limit_before"),
        numbers.get("/tier_limit_after"),
        numbers.get("/tier_limit_after"),
    ];
    let row = |class: Option<&str>, name: &str, values: [u64; 3]| {
        html! {
            tr class=[class] {
                th scope="row" { (name) }
                @for value in values { td class="n" { (number(signed, value)) } }
            }
        }
    };
    html! {
        table {
            caption class="vh" { (words::NUMBERS) }
            thead { tr {
                td {}
                th scope="col" class="n" { (words::NOW) }
                th scope="col" class="n" { (words::AFTER) }
                th scope="col" class="n" { (words::after_date(&date_text(signed, date))) }
            } }
            tbody {
                (row(Some("key"), words::ROW_MARKETING, [before, after, later]))
                (row(Some("part"), words::ROW_LEAVING, [period.leaving, leaving, 0]))
                (row(None, words::ROW_TIER, limits))
                @if let Some(cap) = period.cap {
                    @let places = [before, after, later].map(|usage| cap.saturating_sub(usage));
                    (row(None, &words::row_places(&number(signed, cap)), places))
                }
            }
        }
    }
}

fn outcomes(signed: &Signed, numbers: &Numbers) -> Markup {
    let count = |count| number(signed, count);
    let unchanged = numbers.get("/would/unchanged");
    let values = [numbers.newly(), numbers.kept(), unchanged, numbers.get("/would/refused")].map(count);
    let rises = numbers.get("/tier_limit_after") > numbers.get("/tier_limit_before");
    html! {
        p class="quiet" {
            (words::outcomes(&contacts(signed, numbers.matched()), &values, numbers.sets()))
            @if numbers.sets() && !rises { " " (words::TIER_STAYS) }
        }
    }
}

/// Returns the field for the number, with the message about the one that was typed before.
fn question(signed: &Signed, numbers: &Numbers, asked: Option<&Asked>) -> Markup {
    let matched = number(signed, numbers.matched());
    let error = asked.and_then(|asked| match asked {
        Asked::Nothing => Some(words::typed_nothing(&matched)),
        Asked::Wrong(typed) => {
            Some(words::typed_wrong(typed, &contacts(signed, numbers.matched()), numbers.matched() == 1))
        }
        Asked::Changed { .. } => None,
    });
    let typed = match asked {
        Some(Asked::Wrong(typed)) => Some(typed.as_str()),
        _ => None,
    };
    let is_all = numbers.changes() == numbers.matched();
    html! {
        div class="field" {
            label for="confirm" { (words::type_number(&matched, is_all)) }
            @if let Some(error) = &error { p class="error" id="confirm-e" { (error) } }
            input id="confirm" name="confirm_count" class="count" inputmode="numeric" autocomplete="off" required
                value=[typed] autofocus[asked.is_some()] aria-invalid=[error.as_ref().map(|_| "true")]
                aria-describedby=[error.as_ref().map(|_| "confirm-e")];
        }
    }
}

/// Returns the dialog of a count that goes on as a job.
pub(super) fn counting(hidden: &Markup, job: &str, back: &str) -> Dialog {
    let content = html! {
        p class="sentence" { (words::COUNTING_SENTENCE) }
        div class="foot" {
            (hidden)
            input type="hidden" name="counted" value=(job);
            a class="button" href=(back) data-close { (words::CANCEL) }
            button class="act" { (words::CONTINUE) }
        }
    };
    dialog(words::COUNTING, "/console/contacts/preview", true, content)
}

/// Returns the dialog that asks for a list.
pub(super) fn lists(signed: &Signed, lists: &[Segment], count: u64, hidden: &Markup, back: &str) -> Dialog {
    let content = html! {
        @if lists.is_empty() { p { (words::NO_LISTS) } } @else {
            div class="field" {
                label for="list" { (words::LIST) }
                select id="list" name="list" class="w-full" {
                    @for list in lists { option value=(list.id) { (list.name) } }
                }
            }
        }
        div class="foot" {
            (hidden) (key(signed))
            a class="button" href=(back) data-close { (words::CANCEL) }
            @if !lists.is_empty() { button class="act" { (words::add_button(&contacts(signed, count))) } }
        }
    };
    dialog(words::LIST_TITLE, "/console/contacts/add-to-list", true, content)
}

/// Returns the dialog that asks for the name of a segment.
pub(super) fn segment(signed: &Signed, filter: &str, back: &str) -> Dialog {
    let content = html! {
        p { (words::SAVE_SENTENCE) }
        div class="field" {
            label for="segment-name" { (words::SEGMENT_NAME) }
            input id="segment-name" name="name" class="w-full" required autocomplete="off";
        }
        div class="foot" {
            (key(signed))
            input type="hidden" name="filter" value=(filter);
            a class="button" href=(back) data-close { (words::CANCEL) }
            button class="act" { (words::SAVE) }
        }
    };
    dialog(words::SAVE_TITLE, "/console/segments", true, content)
}

/// Returns the dialog that asks for the format of an export.
pub(super) fn export(signed: &Signed, hidden: &Markup, back: &str) -> Dialog {
    let content = html! {
        p class="sentence" { (exports::SENTENCE) }
        fieldset {
            legend { (exports::AS) }
            @for format in FileFormat::ALL {
                p {
                    label class="check" {
                        input type="radio" name="format" value=(format) checked[*format == FileFormat::Csv];
                        (exports::format_choice(*format))
                    }
                }
            }
        }
        div class="foot" {
            (hidden) (key(signed))
            a class="button" href=(back) data-close { (words::CANCEL) }
            button class="act" { (exports::EXPORT) }
        }
    };
    dialog(exports::TITLE, "/console/exports", true, content)
}
