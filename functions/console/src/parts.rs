//! Parts that several pages have in common.

use chrono::Datelike as _;
use domain::Timestamp;
use domain::marketing::EffectiveState;
use domain::source::Source;
use maud::{Markup, html};

use crate::request::Refusal;
use crate::signed::Signed;
use crate::text;

/// The meaning of a note at the top of the content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tone {
    Plain,
    /// About contacts that are billable.
    Bills,
    /// About contacts that leave.
    Leaves,
    /// About an error or a loss.
    Fault,
}

/// Returns a note. One about something that was done is announced to screen readers.
pub(crate) fn note(tone: Tone, content: &Markup) -> Markup {
    let class = match tone {
        Tone::Plain => "note",
        Tone::Bills => "note bills",
        Tone::Leaves => "note leaves",
        Tone::Fault => "note fault",
    };
    let role = if tone == Tone::Fault { "alert" } else { "status" };
    html! { div class=(class) role=(role) { (content) } }
}

/// Returns the note about a refusal, with the texts of the API. Messages of fields that the page shows at the fields
/// are left out.
pub(crate) fn refused(refusal: &Refusal, shown: &[&str]) -> Markup {
    let rest = refusal.errors.iter().filter(|error| !shown.contains(&error.field.as_str()));
    let content = html! {
        p { b { (text::nothing_was_changed(refusal.is_fault())) } " "
            @if refusal.errors.is_empty() { (refusal.detail) } }
        @for error in rest { p { (error.field) ": " (error.message) } }
    };
    note(Tone::Fault, &content)
}

/// Returns the message of a field, with an id that the field refers to.
pub(crate) fn field_error(refusal: Option<&Refusal>, field: &str, id: &str) -> Markup {
    html! {
        @if let Some(message) = refusal.and_then(|refusal| refusal.error_of(field)) {
            p class="error" id={ (id) "-e" } { (text::sentence(message)) }
        }
    }
}

/// Returns the hidden field with the key under which a form acts once.
pub(crate) fn key(signed: &Signed) -> Markup {
    html! { input type="hidden" name="key" value=(signed.key()); }
}

/// Returns a state as a word with its sign.
pub(crate) fn state(state: EffectiveState) -> Markup {
    let (class, word) = match state {
        EffectiveState::NonMarketing => ("state free", text::NON_MARKETING),
        EffectiveState::Marketing => ("state marketing", text::MARKETING),
        EffectiveState::Leaving => ("state leaving", text::LEAVING),
    };
    html! { span class=(class) { (word) } }
}

/// Returns a switch, which is a form of its own. `name` is what it switches, for screen readers.
pub(crate) fn switch(signed: &Signed, action: &str, switch: &Switch<'_>) -> Markup {
    let class = if switch.bills { "switch bill" } else { "switch" };
    html! {
        form method="post" action=(action) {
            (key(signed))
            button class=(class) role="switch" name=(switch.field) value=(!switch.is_on)
                aria-checked=(switch.is_on) {
                span class=[switch.hides_name.then_some("vh")] { (switch.name) ": " }
                (if switch.is_on { text::ON } else { text::OFF })
            }
        }
    }
}

/// A setting that is on or off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switch<'a> {
    /// The name of the field that is posted, with the new setting as its value.
    pub(crate) field: &'a str,
    /// The setting in words.
    pub(crate) name: &'a str,
    /// True if the words are for screen readers, because the place of the switch shows them.
    pub(crate) hides_name: bool,
    pub(crate) is_on: bool,
    /// True if the setting makes contacts billable.
    pub(crate) bills: bool,
}

/// Returns a number in the reader's language.
pub(crate) fn number(signed: &Signed, number: u64) -> String {
    signed.language.number(number)
}

/// Returns the size of a file in the unit that gives the fewest digits.
pub(crate) fn size(signed: &Signed, bytes: u64) -> String {
    const UNITS: [&str; 3] = ["kB", "MB", "GB"];
    let mut tenths = bytes.saturating_mul(10).div_ceil(1024);
    let mut units = UNITS.into_iter().peekable();
    let mut unit = units.next().unwrap_or_default();
    while tenths >= 10_240 && units.peek().is_some() {
        tenths = tenths.div_ceil(1024);
        unit = units.next().unwrap_or_default();
    }
    let shown = match tenths % 10 {
        0 => number(signed, tenths / 10),
        _ => signed.language.tenths(tenths),
    };
    format!("{shown}\u{a0}{unit}")
}

/// Returns a source in words: its name, and its kind in a quieter voice.
pub(crate) fn source(source: &Source) -> Markup {
    let kind = text::source_kind(source.kind);
    html! {
        @if source.name.is_empty() || source.name.eq_ignore_ascii_case(kind) { (text::capitalized(kind)) }
        @else { bdi { (source.name) } " " span class="quiet" { (kind) } }
    }
}

/// The detail with which an instant is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Detail {
    /// The date alone.
    Date,
    /// The date and the time.
    Time,
    /// The date and the time with the zone.
    Zone,
    /// The day and the month in short, for tables.
    Short,
}

/// Returns an instant in the account's time zone. The UTC instant is on hover, and for screen readers outside tables.
pub(crate) fn time(signed: &Signed, at: Timestamp, detail: Detail) -> Markup {
    let zone = signed.period().calendar.time_zone;
    let local = zone.local(at);
    let (language, clock) = (signed.language, signed.language.time(local));
    let words = match detail {
        Detail::Date => language.date(local.date()),
        Detail::Time => format!("{}, {clock}", language.date(local.date())),
        Detail::Zone => format!("{}, {clock} ({})", language.date(local.date()), zone.as_str()),
        Detail::Short => {
            format!("{}, {clock}", language.short_date(local.date(), zone.local(signed.now).year()))
        }
    };
    let utc = at.to_string();
    html! {
        time datetime=(utc) title=(utc) {
            (words)
            @if detail != Detail::Short { span class="vh" { (text::in_utc(&utc)) } }
        }
    }
}

/// Returns the text of an instant's date, for headings and sentences without markup.
pub(crate) fn date_text(signed: &Signed, at: Timestamp) -> String {
    signed.language.date(signed.period().calendar.time_zone.local(at).date())
}

/// Returns the links of a list's page.
pub(crate) fn pager(shown: &str, first: Option<&str>, next: Option<&str>) -> Markup {
    if shown.is_empty() && first.is_none() && next.is_none() {
        return html! {};
    }
    html! {
        nav class="pager" aria-label=(text::PAGES) {
            span { (shown) }
            span class="row" {
                @if let Some(first) = first { a class="button" href=(first) { (text::FIRST_PAGE) } }
                @if let Some(next) = next { a class="button" href=(next) rel="next" { (text::NEXT_PAGE) } }
            }
        }
    }
}
