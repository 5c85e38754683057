//! Fields of the forms' pages, with the messages of a refusal.

use api::problem::ProblemType;
use maud::{Markup, html};

use crate::parts::{self, Tone, note};
use crate::request::Refusal;
use crate::text;
use crate::text::forms as words;

/// A field with its label. Browsers go to the first field with a message.
pub(super) struct Field<'a> {
    /// The field's name, also in the API.
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    pub(super) hint: Option<&'a str>,
    pub(super) error: Option<String>,
}

/// The control of a field.
pub(super) enum Control<'a> {
    /// A line of text, which must be filled in.
    Required(&'a str),
    /// A number.
    Digits(&'a str),
    /// An address of the web.
    Address(&'a str),
    /// A secret, which is never sent to the browser.
    Secret,
    /// Several lines.
    Lines(&'a str),
    /// A choice of values, each with its name. One of them is selected.
    Choice(Vec<(&'a str, String)>, &'a str),
}

impl<'a> Field<'a> {
    /// Creates a field with the message that the refusal has for it.
    pub(super) fn new(name: &'a str, label: &'a str, refusal: Option<&Refusal>) -> Self {
        Self { name, label, hint: None, error: refusal.and_then(|refusal| message(refusal, name)) }
    }

    pub(super) fn hint(self, hint: &'a str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// Returns the field with its control.
    pub(super) fn show(&self, control: &Control<'_>) -> Markup {
        let id = format!("f-{}", self.name);
        html! {
            div class="field" {
                label for=(id) { (self.label) }
                (error(&id, self.error.as_deref()))
                (self.control(&id, control))
                @if let Some(hint) = self.hint { p class="hint" id={ (id) "-h" } { (hint) } }
            }
        }
    }

    fn control(&self, id: &str, control: &Control<'_>) -> Markup {
        let described = [self.error.as_ref().map(|_| "-e"), self.hint.map(|_| "-h")];
        let described: Vec<_> = described.into_iter().flatten().map(|end| format!("{id}{end}")).collect();
        let described = Some(described.join(" ")).filter(|ids| !ids.is_empty());
        let invalid = self.error.as_ref().map(|_| "true");
        let input = |kind: &str, class: &str, mode: Option<&str>, value: Option<&str>, required: bool| {
            html! {
                input id=(id) name=(self.name) type=(kind) class=(class) inputmode=[mode] value=[value]
                    autocomplete="off" required[required] aria-describedby=[&described] aria-invalid=[invalid]
                    autofocus[invalid.is_some()];
            }
        };
        match control {
            Control::Required(value) => input("text", "w-l", None, Some(value), true),
            Control::Digits(value) => input("text", "w-s", Some("numeric"), Some(value), false),
            Control::Address(value) => input("text", "w-l", Some("url"), Some(value), false),
            Control::Secret => input("password", "w-l mono", None, None, false),
            Control::Lines(value) => html! {
                textarea id=(id) name=(self.name) class="w-l mono" rows="3" spellcheck="false"
                    aria-describedby=[&described] aria-invalid=[invalid] autofocus[invalid.is_some()] { (value) }
            },
            Control::Choice(choices, selected) => html! {
                select id=(id) name=(self.name) aria-describedby=[&described] aria-invalid=[invalid]
                    autofocus[invalid.is_some()] {
                    @for (value, name) in choices {
                        option value=(value) selected[value == selected] { (name) }
                    }
                }
            },
        }
    }
}

/// Returns a message with the id to which its field refers.
pub(super) fn error(id: &str, message: Option<&str>) -> Markup {
    html! { @if let Some(message) = message { p class="error" id={ (id) "-e" } { (text::sentence(message)) } } }
}

/// Returns the message that a refusal has for a field, or for an entry of its list.
pub(super) fn message(refusal: &Refusal, name: &str) -> Option<String> {
    if let Some(message) = refusal.error_of(name) {
        let widens = refusal.kind == ProblemType::PermissionDenied;
        return Some(if widens { words::WIDENS.to_owned() } else { message.to_owned() });
    }
    refusal.errors.iter().find_map(|error| {
        let place = error.field.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')?;
        Some(words::entry(place.parse::<usize>().ok()? + 1, &error.message))
    })
}

/// Returns the note about a refusal. `shown` has the names of the fields that show their own messages.
pub(super) fn refused(refusal: &Refusal, shown: &[&str]) -> Markup {
    if refusal.kind == ProblemType::PermissionDenied {
        return note(
            Tone::Fault,
            &html! { p { b { (text::nothing_was_changed(false)) } " " (words::WIDENS) } },
        );
    }
    let is_shown = |field: &str| {
        let name = field.split(['[', '.']).next().unwrap_or_default();
        shown.contains(&name)
    };
    let fields: Vec<&str> = refusal.errors.iter().map(|error| error.field.as_str()).collect();
    let shown: Vec<&str> = fields.into_iter().filter(|field| is_shown(field)).collect();
    parts::refused(refusal, &shown)
}
