//! The picture of the usage by day. Each day is a step whose height is the usage at its end.

use chrono::{Datelike as _, NaiveDate};
use domain::period::Period;
use domain::timeline::DayUsage;
use maud::{Markup, html};

use crate::chart::{percent, px, steps, stretched};
use crate::parts::number;
use crate::signed::Signed;
use crate::text::usage as words;

/// The height of the picture, and the upper and lower end of its scale, in pixels.
const HEIGHT: u32 = 288;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 264.0;
/// The distance of a label above its line, in pixels.
const ABOVE: f64 = 5.0;
/// The height of a label with its distance from the next one, in pixels.
const LINE: f64 = 16.0;
/// The radius of the ring around the peak, in pixels.
const RING: f64 = 4.0;
/// The width in per cent in which two dates would overlap.
const NEAR: f64 = 14.0;
/// The limit and the cap are in the picture if they are at most this many times the peak.
const IN_RANGE: u64 = 3;

/// The picture with its scales.
struct Picture<'a> {
    signed: &'a Signed,
    /// The days, oldest first. There is at least one.
    days: &'a [DayUsage],
    /// The days on which contacts left, by their place among the days.
    updates: Vec<usize>,
    /// The place of the day with the peak, and the peak.
    peak: (usize, u64),
    limit: u64,
    cap: Option<u64>,
    step: u64,
    parts: u64,
}

#[expect(clippy::cast_precision_loss, reason = "a picture needs few digits")]
impl Picture<'_> {
    /// Returns the place at which a day begins, in per cent.
    fn x(&self, day: usize) -> f64 {
        day as f64 / self.days.len().max(1) as f64 * 100.0
    }

    /// Returns the vertical place of a number of contacts in pixels.
    fn y(&self, contacts: u64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * contacts as f64 / (self.step * self.parts).max(1) as f64
    }
}

/// Returns the picture with its legend. `updates` are the update dates that have passed.
pub(super) fn by_day(signed: &Signed, period: &Period, days: &[DayUsage], updates: &[NaiveDate]) -> Markup {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return html! {} };
    let peak =
        days.iter().enumerate().rev().map(|(place, day)| (place, day.peak)).max_by_key(|(_, peak)| *peak);
    let peak = peak.unwrap_or_default();
    let limit = period.tier.limit_for(period.marketing);
    let is_shown = |line: u64| line <= peak.1.saturating_mul(IN_RANGE);
    let lines = [Some(limit), period.cap].into_iter().flatten().filter(|line| is_shown(*line));
    let (step, parts) = steps(lines.chain([peak.1]).max().unwrap_or_default());
    let places =
        days.iter().enumerate().filter(|(_, day)| updates.contains(&day.date)).map(|(place, _)| place);
    let picture =
        Picture { signed, days, updates: places.collect(), peak, limit, cap: period.cap, step, parts };
    let date = |day: &DayUsage| signed.language.date(day.date);
    html! {
        figure class="gap" {
            (legend(peak.1 > 0, !picture.updates.is_empty()))
            div class="chart" {
                (picture.axis())
                svg height=(HEIGHT) role="img" aria-labelledby="usage-t usage-d" {
                    title id="usage-t" { (words::chart_title(&date(first), &date(last))) }
                    desc id="usage-d" { (picture.description(first, last)) }
                    (picture.areas()) (picture.lines()) (picture.labels())
                }
            }
            figcaption { (picture.caption(is_shown)) }
        }
    }
}

fn legend(has_peak: bool, has_updates: bool) -> Markup {
    html! {
        ul class="legend" {
            li {
                svg class="crisp" width="12" height="12" aria-hidden="true" {
                    rect class="c-area" width="12" height="12" {} rect class="c-stay" width="12" height="2" {}
                }
                " " (words::LEGEND_USAGE)
            }
            @if has_peak {
                li {
                    svg width="12" height="12" aria-hidden="true" { circle class="c-mark" cx="6" cy="6" r="4" {} }
                    " " (words::LEGEND_PEAK)
                }
            }
            @if has_updates {
                li {
                    svg class="crisp" width="12" height="12" aria-hidden="true" {
                        line class="c-now" x1="6" x2="6" y1="0" y2="12" {}
                    }
                    " " (words::LEGEND_UPDATE)
                }
            }
        }
    }
}

impl Picture<'_> {
    fn number(&self, count: u64) -> String {
        number(self.signed, count)
    }

    fn peak_date(&self) -> String {
        let date = self.days.get(self.peak.0).map(|day| self.signed.language.date(day.date));
        date.unwrap_or_default()
    }

    fn description(&self, first: &DayUsage, last: &DayUsage) -> String {
        let numbers = [first.marketing, last.marketing, self.peak.1].map(|count| self.number(count));
        words::chart_description(&numbers, &self.peak_date())
    }

    fn caption(&self, is_shown: impl Fn(u64) -> bool) -> String {
        let hidden = |line: u64| (!is_shown(line)).then(|| self.number(line));
        let (limit, cap) = (hidden(self.limit), self.cap.and_then(hidden));
        let peak = match self.peak.1 {
            0 => words::NO_USAGE.to_owned(),
            peak => words::peak(&self.number(peak), &self.peak_date()),
        };
        let above = words::above(limit.as_deref(), cap.as_deref());
        [Some(peak), above].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// Returns true if a number of contacts is in the scale.
    fn fits(&self, contacts: u64) -> bool {
        contacts <= self.step * self.parts
    }

    fn axis(&self) -> Markup {
        html! {
            svg class="axis" width="40" height=(HEIGHT) aria-hidden="true" {
                @for part in 0..=self.parts {
                    @let contacts = self.step * part;
                    text x="0" y=(px(self.y(contacts) + 4.0)) { (self.number(contacts)) }
                }
            }
        }
    }

    /// Returns the area and the line of the usage.
    fn areas(&self) -> Markup {
        let steps = self.days.iter().enumerate().map(|(place, day)| {
            let sign = if place == 0 { "M0 " } else { "V" };
            format!("{sign}{:.1}H{:.3}", self.y(day.marketing), self.x(place + 1))
        });
        let line: String = steps.collect();
        html! {
            g class="crisp" {
                @for part in 1..=self.parts {
                    @let y = px(self.y(self.step * part));
                    line class="c-grid" x1="0" x2="100%" y1=(y) y2=(y) {}
                }
            }
            (stretched(HEIGHT, &html! {
                path class="c-area" d={ (line) "V" (BOTTOM) "H0z" } {}
                path class="c-use" vector-effect="non-scaling-stroke" d=(line) {}
            }))
        }
    }

    fn lines(&self) -> Markup {
        let limit = Some(self.limit).filter(|limit| self.fits(*limit));
        let cap = self.cap.filter(|cap| self.fits(*cap));
        let middle = f64::midpoint(self.x(self.peak.0), self.x(self.peak.0 + 1));
        html! {
            g class="crisp" {
                line class="c-base" x1="0" x2="100%" y1=(BOTTOM) y2=(BOTTOM) {}
                @for place in &self.updates {
                    @let x = percent(self.x(*place));
                    line class="c-now" x1=(x) x2=(x) y1=(TOP) y2=(BOTTOM + 5.0) {}
                }
                @for (class, y) in [("c-limit", limit), ("c-cap", cap)] {
                    @if let Some(y) = y.map(|line| px(self.y(line))) {
                        line class=(class) x1="0" x2="100%" y1=(y) y2=(y) {}
                    }
                }
            }
            @if self.peak.1 > 0 { circle class="c-mark" cx=(percent(middle)) cy=(px(self.y(self.peak.1))) r=(RING) {} }
        }
    }

    /// Returns the labels: the limit at the left, the cap in the middle and the usage at the right, so that they never
    /// overlap.
    fn labels(&self) -> Markup {
        let above = |contacts: u64| px(self.y(contacts) - ABOVE);
        let usage = self.days.last().map_or(0, |day| day.marketing);
        // The ring around the peak may be at the end of the line.
        let is_near = (self.y(usage) - self.y(self.peak.1)).abs() < LINE;
        let now = px(self.y(usage) - ABOVE - if is_near { RING } else { 0.0 });
        let cap = self.cap.filter(|cap| self.fits(*cap));
        html! {
            @if self.fits(self.limit) {
                text class="say halo" x="0" y=(above(self.limit)) {
                    @if cap == Some(self.limit) { (words::limit_and_cap(&self.number(self.limit))) }
                    @else { (words::tier_limit(&self.number(self.limit))) }
                }
            }
            @if let Some(cap) = cap.filter(|cap| *cap != self.limit || !self.fits(self.limit)) {
                text class="say halo" x="50%" text-anchor="middle" y=(above(cap)) { (words::cap(&self.number(cap))) }
            }
            text class="bills halo" x="100%" text-anchor="end" y=(now) { (words::now(&self.number(usage))) }
            (self.departures())
            (self.dates())
        }
    }

    /// Returns the numbers of contacts that left, at the foot of their update dates where they have room.
    fn departures(&self) -> Markup {
        let mut room = 100.0;
        let mut shown = Vec::new();
        for place in self.updates.iter().rev() {
            let (x, left) = (self.x(*place), self.days.get(*place).map_or(0, |day| day.left));
            if left > 0 && x + NEAR / 2.0 <= room {
                room = x;
                shown.push((x, left));
            }
        }
        html! {
            @for (x, left) in shown {
                text class="leaves halo wide" x=(percent(x)) dx="6" y=(px(BOTTOM - 2.0 * ABOVE)) {
                    (words::left(&self.number(left)))
                }
            }
        }
    }

    /// Returns the dates below the picture: the first day, today, and the update dates where they have room.
    fn dates(&self) -> Markup {
        let year = self.days.last().map_or(0, |day| day.date.year());
        let short = |day: &DayUsage| self.signed.language.short_date(day.date, year);
        let mut room = 100.0 - NEAR;
        let mut shown = Vec::new();
        for place in self.updates.iter().rev() {
            let x = self.x(*place);
            if x >= NEAR && x + NEAR / 2.0 <= room {
                room = x - NEAR / 2.0;
                shown.extend(self.days.get(*place).map(|day| (x, short(day))));
            }
        }
        let y = HEIGHT - 6;
        html! {
            @if let (Some(first), [_, .., last]) = (self.days.first(), self.days) {
                text x="0" y=(y) { (short(first)) }
                text class="say" x="100%" y=(y) text-anchor="end" { (short(last)) }
            } @else if let Some(only) = self.days.first() {
                text class="say" x="50%" y=(y) text-anchor="middle" { (short(only)) }
            }
            @for (x, date) in shown {
                text class="wide" x=(percent(x)) y=(y) text-anchor="middle" { (date) }
            }
        }
    }
}
