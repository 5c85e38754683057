//! The history of a contact: a line in time, and a table.

use chrono::Datelike as _;
use domain::Timestamp;
use domain::marketing::{Change, EffectiveState};
use domain::source::{Actor, Source, SourceType};
use maud::{Markup, html};
use store::User;

use super::state::source_name;
use super::{Facts, user_name};
use crate::chart::{self, percent};
use crate::parts::{self, Detail, date_text, number, time};
use crate::signed::Signed;
use crate::text::{self, contact as words};

/// The part of the picture after the next update date, in per cent of the time before it.
const BEYOND_PERCENT: i64 = 5;
/// The width for which a label is left out if another is nearer, in per cent of the picture.
const LABEL: f64 = 13.0;
/// The place from which labels end at their mark instead of beginning there.
const RIGHT: f64 = 70.0;

/// Returns the history as a picture and as a table.
pub(super) fn show(signed: &Signed, facts: &Facts) -> Markup {
    let history = &facts.explained.history;
    let known = facts.explained.contact.marketing.history.recent.len();
    let earlier = facts.explained.contact.marketing.history.earlier;
    let all = earlier.saturating_add(u64::try_from(known).unwrap_or(u64::MAX));
    let rest = all.saturating_sub(u64::try_from(history.len()).unwrap_or(u64::MAX));
    html! {
        section aria-labelledby="history" {
            h2 id="history" { (words::HISTORY) }
            (line(signed, facts))
            (table(signed, facts))
            @if rest > 0 {
                p class="quiet gap" { (words::earlier(&text::counted(rest, &number(signed, rest), "change"))) }
            }
        }
    }
}

/// A change with its place in the picture, in per cent of the width.
struct Place<'a> {
    x: f64,
    change: &'a Change,
}

/// The scale of the picture.
struct Scale {
    from: Timestamp,
    to: Timestamp,
}

impl Scale {
    #[expect(clippy::cast_precision_loss, reason = "a picture needs few digits")]
    fn x(&self, at: Timestamp) -> f64 {
        let whole = (self.to.millis() - self.from.millis()).max(1);
        ((at.millis() - self.from.millis()) as f64 / whole as f64 * 100.0).clamp(0.0, 100.0)
    }
}

fn line(signed: &Signed, facts: &Facts) -> Markup {
    let changes: Vec<&Change> = facts.explained.history.iter().rev().collect();
    let Some(first) = changes.first() else { return html! {} };
    let end = facts.explained.period.ends_at;
    let beyond = (end.millis() - first.at.millis()) * BEYOND_PERCENT / 100;
    let scale = Scale { from: first.at, to: Timestamp::from_millis(end.millis() + beyond) };
    let places: Vec<Place<'_>> =
        changes.iter().map(|change| Place { x: scale.x(change.at), change }).collect();
    let (now, until) = (scale.x(signed.now), scale.x(end));
    html! {
        figure class="line" {
            svg height="86" role="img" aria-labelledby="line-t line-d" {
                title id="line-t" { (words::line_title(&date_text(signed, scale.from), &date_text(signed, scale.to))) }
                desc id="line-d" { (description(signed, facts, &changes)) }
                (chart::hatch("hatch"))
                @for (place, next) in places.iter().zip(places.iter().skip(1).map(|next| next.x).chain([now])) {
                    (stretch(place.change.to, place.x, next))
                }
                (expected(facts.state(), now, until))
                line class="c-base crisp" x1=(percent(until)) x2=(percent(until)) y1="28" y2="60" {}
                line class="c-now crisp" x1=(percent(now)) x2=(percent(now)) y1="28" y2="60" {}
                @for place in &places { circle class="c-mark" cx=(percent(place.x)) cy="44" r="4" {} }
                (marks(&places))
                (dates(signed, &places, end))
            }
        }
    }
}

/// Returns the stretch of one state.
fn stretch(state: EffectiveState, from: f64, to: f64) -> Markup {
    let width = percent((to - from).max(0.0));
    html! {
        @match state {
            EffectiveState::NonMarketing => {
                line class="c-base" x1=(percent(from)) x2=(percent(to)) y1="44" y2="44" {}
            }
            EffectiveState::Marketing => { rect class="c-stay" x=(percent(from)) y="36" width=(width) height="16" {} }
            EffectiveState::Leaving => {
                rect fill="url(#hatch)" x=(percent(from)) y="36" width=(width) height="16" {}
            }
        }
    }
}

/// Returns what follows if nothing else changes. `end` is the place of the next update date.
fn expected(state: EffectiveState, now: f64, end: f64) -> Markup {
    let dashed = |from: f64| {
        html! { line class="c-base" x1=(percent(from)) x2="100%" y1="44" y2="44" stroke-dasharray="3 3" {} }
    };
    html! {
        @match state {
            EffectiveState::NonMarketing => { (dashed(now)) }
            EffectiveState::Marketing => {
                rect class="c-rest" x=(percent(now)) y="36" width=(percent(100.0 - now)) height="16" {}
            }
            EffectiveState::Leaving => { (stretch(state, now, end)) (dashed(end)) }
        }
    }
}

/// Returns the names of the states above the line. The last one is always there, and others where they have room.
fn marks(places: &[Place<'_>]) -> Markup {
    let mut room = f64::INFINITY;
    let mut shown = Vec::new();
    for (nth, Place { x, change }) in places.iter().rev().enumerate() {
        let is_end = *x > RIGHT;
        let (begins, ends) = if is_end { (x - LABEL, *x) } else { (*x, x + LABEL) };
        if nth == 0 || ends <= room {
            room = begins;
            shown.push((*x, is_end, nth > 0, *change));
        }
    }
    html! {
        @for (x, is_end, is_wide, change) in shown {
            text class=(label_class(change.to, is_wide)) x=(percent(x)) y="22" text-anchor=[is_end.then_some("end")] {
                (words::line_mark(change.from, change.to))
            }
        }
    }
}

fn label_class(state: EffectiveState, is_wide: bool) -> &'static str {
    match (state == EffectiveState::Leaving, is_wide) {
        (true, true) => "leaves wide",
        (true, false) => "leaves",
        (false, true) => "wide",
        (false, false) => "",
    }
}

/// Returns the dates below the line: the first change, the next update date, and others where they have room.
fn dates(signed: &Signed, places: &[Place<'_>], end: Timestamp) -> Markup {
    let zone = signed.period().calendar.time_zone;
    let year = zone.local(signed.now).date().year();
    let short = |at: Timestamp| signed.language.short_date(zone.local(at).date(), year);
    let mut room = 100.0 - LABEL;
    let mut shown = Vec::new();
    for Place { x, change } in places.iter().skip(1).rev() {
        if x + LABEL <= room && *x >= LABEL {
            room = *x;
            shown.push((*x, change.at));
        }
    }
    html! {
        @if let Some(first) = places.first() { text x="0" y="80" { (short(first.change.at)) } }
        @for (x, at) in shown { text class="wide" x=(percent(x)) y="80" { (short(at)) } }
        text class="say" x="100%" y="80" text-anchor="end" { (short(end)) }
    }
}

/// Returns the line in words.
fn description(signed: &Signed, facts: &Facts, changes: &[&Change]) -> String {
    let mut parts: Vec<String> = changes
        .iter()
        .map(|change| words::line_part(change.from, change.to, &date_text(signed, change.at)))
        .collect();
    if facts.state() == EffectiveState::Leaving {
        let date = date_text(signed, facts.explained.period.ends_at);
        parts.push(words::line_part(Some(EffectiveState::Leaving), EffectiveState::NonMarketing, &date));
    }
    text::sentence(&parts.join(", "))
}

fn table(signed: &Signed, facts: &Facts) -> Markup {
    let zone = signed.period().calendar.time_zone;
    html! {
        table class="stack gap" {
            caption class="vh" { (words::HISTORY_CAPTION) }
            thead { tr {
                th scope="col" { (words::when_in(zone.as_str())) }
                th scope="col" { (words::FROM) }
                th scope="col" { (words::TO_STATE) }
                th scope="col" { (words::THROUGH) }
                th scope="col" { (words::BY) }
            } }
            tbody {
                @for change in &facts.explained.history {
                    tr {
                        th scope="row" { (time(signed, change.at, Detail::Short)) }
                        td data-label=(words::FROM) {
                            @if let Some(from) = change.from { (parts::state(from)) } @else { (words::CREATED) }
                        }
                        td data-label=(words::TO_STATE) { (parts::state(change.to)) }
                        td data-label=(words::THROUGH) { (through(&change.source)) }
                        td data-label=(words::BY) { (by(signed, &facts.users, &change.source, change.actor)) }
                    }
                }
            }
        }
    }
}

/// Returns the source of a change: its name, which leads to its page, and its kind.
pub(super) fn through(source: &Source) -> Markup {
    let kind = text::source_kind(source.kind);
    html! {
        @if matches!(source.kind, SourceType::Manual | SourceType::UpdateDate) || source.name.is_empty() {
            (text::capitalized(kind))
        } @else {
            (source_name(source)) " " span class="quiet" { (kind) }
        }
    }
}

/// Returns the actor of a change through `source`.
pub(super) fn by(signed: &Signed, users: &[User], source: &Source, actor: Actor) -> String {
    match actor {
        Actor::User(id) => user_name(signed, users, id),
        Actor::Form(_) => words::A_SUBMISSION.to_owned(),
        Actor::Automation(_) => words::THE_AUTOMATION.to_owned(),
        Actor::Integration(_) if source.kind == SourceType::Integration && !source.name.is_empty() => {
            source.name.clone()
        }
        Actor::Integration(_) => words::AN_INTEGRATION.to_owned(),
        Actor::System => words::THE_CALENDAR.to_owned(),
    }
}
