//! The picture of the usage over time: the ends of the closed periods, today, and what is expected at the next update
//! date.

use domain::Timestamp;
use domain::period::Statement;
use maud::{Markup, html};

use crate::chart::{self, percent, px, steps, stretched};
use crate::parts::{date_text, number};
use crate::signed::Signed;
use crate::text::overview as words;

/// The number of closed periods in the picture.
pub(crate) const PERIODS: usize = 3;
/// The height of the picture, and the upper and lower end of its scale, in pixels.
const HEIGHT: u32 = 288;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 264.0;
/// The part of the picture after the next update date, which has room for the number that remains.
const BEYOND: i32 = 9;
/// The width in per cent in which labels of two instants would overlap.
const NEAR: f64 = 16.0;
/// The height of a label with its distance from the next one, in pixels.
const LINE: f64 = 16.0;

/// The places of a label beside an instant: the distance, and the end of the text that is there.
const BEFORE: (&str, &str) = ("-6", "end");
const AFTER: (&str, &str) = ("6", "start");

/// A point of the line: the usage at an instant, and the number of contacts that leave then.
#[derive(Clone)]
struct Point {
    at: Timestamp,
    usage: u64,
    leaves: u64,
    /// True if a period ends here.
    is_end: bool,
    remark: String,
}

/// The scales of a picture.
struct Scale {
    from: Timestamp,
    to: Timestamp,
    /// The number of contacts from one line of the scale to the next.
    step: u64,
    parts: u64,
}

#[expect(clippy::cast_precision_loss, reason = "a picture needs few digits")]
impl Scale {
    /// Returns the horizontal place of an instant in per cent.
    fn x(&self, at: Timestamp) -> f64 {
        let whole = (self.to.millis() - self.from.millis()).max(1);
        ((at.millis() - self.from.millis()) as f64 / whole as f64 * 100.0).clamp(0.0, 100.0)
    }

    /// Returns the vertical place of a number of contacts in pixels.
    fn y(&self, contacts: u64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * contacts as f64 / (self.step * self.parts).max(1) as f64
    }
}

/// Returns the picture with its legend and the same numbers as a table. `statements` are the closed periods, newest
/// first.
pub(crate) fn over_time(signed: &Signed, statements: &[Statement]) -> Markup {
    let period = signed.period();
    let points = points(signed, statements);
    let limit = period.tier.limit_for(period.marketing);
    let cap = period.cap.filter(|cap| *cap <= limit.saturating_mul(2));
    let usage = points.iter().map(|point| point.usage).max().unwrap_or_default();
    let from = points.first().map_or(period.starts_at, |point| point.at);
    let (step, parts) = steps(usage.max(limit).max(cap.unwrap_or_default()));
    let to = period.ends_at.plus((period.ends_at.to_utc() - from.to_utc()) / BEYOND);
    let scale = Scale { from, to, step, parts };
    html! {
        figure {
            (legend())
            div class="chart" { (axis(signed, &scale)) (drawing(signed, &points, &scale, limit, cap)) }
            figcaption {
                (words::CHART_STRAIGHT) " " (limits(signed, limit)) " "
                a href="/console/usage" { (words::BY_DAY) }
            }
            (table(signed, &points))
        }
    }
}

/// Returns the known points, oldest first. The usage begins anew after each update date.
fn points(signed: &Signed, statements: &[Statement]) -> Vec<Point> {
    let period = signed.period();
    let mut points = Vec::new();
    let mut shown: Vec<&Statement> = statements.iter().collect();
    shown.reverse();
    let (before, shown) = if shown.len() > PERIODS { shown.split_at(1) } else { (&[][..], &shown[..]) };
    let mut usage = before.first().map_or(0, |statement| statement.marketing - statement.left);
    let begins = shown.first().map_or(period.starts_at, |statement| statement.starts_at);
    points.push(Point { at: begins, usage, leaves: 0, is_end: false, remark: String::new() });
    for statement in shown {
        let remark = words::end_of_period(&number(signed, statement.number.number()));
        let Statement { ends_at: at, marketing, left: leaves, .. } = **statement;
        points.push(Point { at, usage: marketing, leaves, is_end: true, remark });
        usage = marketing.saturating_sub(leaves);
        points.push(Point { at, usage, leaves: 0, is_end: false, remark: String::new() });
    }
    let (usage, leaves) = (period.marketing, period.leaving);
    points.push(Point { at: signed.now, usage, leaves, is_end: false, remark: words::TODAY.to_owned() });
    points
}

fn legend() -> Markup {
    html! {
        ul class="legend" {
            li {
                svg class="crisp" width="12" height="12" aria-hidden="true" {
                    rect class="c-area" width="12" height="12" {} rect class="c-stay" width="12" height="2" {}
                }
                " " (words::CHART_MARKETING)
            }
            li {
                svg class="crisp" width="12" height="12" aria-hidden="true" {
                    (chart::hatch("hatch-l1")) rect fill="url(#hatch-l1)" width="12" height="12" {}
                }
                " " (words::CHART_LEAVING)
            }
            li {
                svg class="crisp" width="12" height="12" aria-hidden="true" {
                    rect class="c-area later" width="12" height="12" {} path class="c-use later" d="M0 1h12" {}
                }
                " " (words::CHART_EXPECTED)
            }
        }
    }
}

fn axis(signed: &Signed, scale: &Scale) -> Markup {
    html! {
        svg class="axis" width="40" height=(HEIGHT) aria-hidden="true" {
            @for part in 0..=scale.parts {
                @let contacts = scale.step * part;
                text x="0" y=(px(scale.y(contacts) + 4.0)) { (number(signed, contacts)) }
            }
        }
    }
}

fn drawing(signed: &Signed, points: &[Point], scale: &Scale, limit: u64, cap: Option<u64>) -> Markup {
    let period = signed.period();
    let texts = [period.marketing, period.leaving, period.after_next_update(), limit];
    let [usage, leaving, rest, limit_text] = texts.map(|count| number(signed, count));
    let date = date_text(signed, period.ends_at);
    html! {
        svg height=(HEIGHT) role="img" aria-labelledby="usage-t usage-d" {
            title id="usage-t" { (words::chart_title(&date_text(signed, scale.from), &date)) }
            desc id="usage-d" { (words::chart_description(&usage, &leaving, &date, &rest, &limit_text)) }
            (chart::hatch("hatch"))
            g class="crisp" {
                @for part in 1..scale.parts {
                    @let y = px(scale.y(scale.step * part));
                    line class="c-grid" x1="0" x2="100%" y1=(y) y2=(y) {}
                }
            }
            (areas(signed, points, scale))
            (lines(signed, scale, limit, cap))
            (labels(signed, points, scale, limit, cap))
        }
    }
}

/// Returns the areas and the line of the usage.
fn areas(signed: &Signed, points: &[Point], scale: &Scale) -> Markup {
    let period = signed.period();
    let place = |at, usage| format!("{:.3} {:.1}", scale.x(at), scale.y(usage));
    let line: Vec<String> = points.iter().map(|point| place(point.at, point.usage)).collect();
    let line = line.join("L");
    let first = points.first().map_or(0.0, |point| scale.x(point.at));
    let (now, end) = (scale.x(signed.now), scale.x(period.ends_at));
    let (usage, rest) = (scale.y(period.marketing), scale.y(period.after_next_update()));
    let later = format!("M{now:.3} {usage:.1}H{end:.3}V{rest:.1}H100");
    let stay = points.iter().rev().map(|point| place(point.at, point.usage.saturating_sub(point.leaves)));
    let leaving = format!("M{line}L{}z", stay.collect::<Vec<_>>().join("L"));
    html! {
        (stretched(HEIGHT, &html! {
            path class="c-area" d={ "M" (line) "V" (BOTTOM) "H" (first) "z" } {}
            path class="c-area later" d={ (later) "V" (BOTTOM) "H" (now) "z" } {}
        }))
        // A pattern in a stretched picture would be stretched too.
        mask id="leaving" maskUnits="userSpaceOnUse" width="100%" height=(HEIGHT) {
            (stretched(HEIGHT, &html! { path fill="white" d=(leaving) {} }))
        }
        rect fill="url(#hatch)" mask="url(#leaving)" width="100%" height=(HEIGHT) {}
        rect fill="url(#hatch)" x=(percent(now)) width=(percent(end - now)) y=(px(usage)) height=(px(rest - usage)) {}
        (stretched(HEIGHT, &html! {
            path class="c-use" vector-effect="non-scaling-stroke" d={ "M" (line) } {}
            path class="c-use later" vector-effect="non-scaling-stroke" d=(later) {}
        }))
    }
}

fn lines(signed: &Signed, scale: &Scale, limit: u64, cap: Option<u64>) -> Markup {
    let (now, end) = (percent(scale.x(signed.now)), percent(scale.x(signed.period().ends_at)));
    let usage = px(scale.y(signed.period().marketing));
    html! {
        g class="crisp" {
            line class="c-base" x1="0" x2="100%" y1=(BOTTOM) y2=(BOTTOM) {}
            line class="c-limit" x1="0" x2="100%" y1=(px(scale.y(limit))) y2=(px(scale.y(limit))) {}
            @if let Some(cap) = cap {
                line class="c-cap" x1="0" x2="100%" y1=(px(scale.y(cap))) y2=(px(scale.y(cap))) {}
            }
            line class="c-now" x1=(now) x2=(now) y1=(usage) y2=(BOTTOM) {}
            line class="c-base" x1=(end) x2=(end) y1=(usage) y2=(BOTTOM + 5.0) {}
        }
    }
}

fn labels(signed: &Signed, points: &[Point], scale: &Scale, limit: u64, cap: Option<u64>) -> Markup {
    let period = signed.period();
    let (now, end) = (scale.x(signed.now), scale.x(period.ends_at));
    let near = |contacts: u64| px(scale.y(contacts) - 5.0);
    let ends = points.iter().filter(|point| point.is_end).map(|point| scale.x(point.at));
    let is_after = |from: f64| now - from < NEAR;
    // The label of today begins at its place if an update date is shortly before it, and its own label ends there then.
    let (dx, anchor) = if is_after(ends.fold(0.0, f64::max)) { AFTER } else { BEFORE };
    html! {
        text class="say halo" x="0" y=(near(limit)) { (words::tier_limit(&number(signed, limit))) }
        @if let Some(cap) = cap.filter(|cap| *cap != limit) {
            @let (x, anchor, dy) = cap_label(scale, cap, [limit, period.after_next_update()], now);
            text class="say halo" x=(x) text-anchor=(anchor) y=(px(scale.y(cap) + dy)) {
                (words::cap(&number(signed, cap)))
            }
        }
        text class="bills halo" x=(percent(now)) dx=(dx) text-anchor=(anchor) y=(near(period.marketing)) {
            (words::today(&number(signed, period.marketing)))
        }
        @if period.leaving > 0 {
            text class="leaves halo wide" x=(percent(f64::midpoint(now, end))) text-anchor="middle"
                y=(px(scale.y(period.marketing) - 20.0)) { (words::leave(&number(signed, period.leaving))) }
        }
        text class="bills halo wide" x="100%" text-anchor="end" y=(near(period.after_next_update())) {
            (words::remain(&number(signed, period.after_next_update())))
        }
        @for point in points.iter().filter(|point| point.leaves > 0 && point.at < signed.now) {
            @let (dx, anchor) = if is_after(scale.x(point.at)) { BEFORE } else { AFTER };
            text class="leaves halo wide" x=(percent(scale.x(point.at))) dx=(dx) text-anchor=(anchor)
                y=(near(point.usage)) {
                (words::left(&number(signed, point.leaves)))
            }
        }
        (dates(signed, points, scale))
    }
}

/// Returns the place of the cap's label: its end, its anchor, and its distance from the line. The right end has the
/// label of what remains as well, and the left end that of the limit, so it gives way to both.
fn cap_label(
    scale: &Scale,
    cap: u64,
    [limit, rest]: [u64; 2],
    now: f64,
) -> (&'static str, &'static str, f64) {
    let is_near = |other: u64| (scale.y(cap) - scale.y(other)).abs() < LINE;
    if !is_near(rest) {
        ("100%", "end", -5.0)
    } else if !is_near(limit) && now > 50.0 {
        ("0", "start", -5.0)
    } else if !is_near(limit) {
        ("100%", "end", -5.0 - LINE)
    } else {
        ("100%", "end", LINE)
    }
}

/// Returns the dates below the picture: its beginning, the update dates in it, and the next one.
fn dates(signed: &Signed, points: &[Point], scale: &Scale) -> Markup {
    let zone = signed.period().calendar.time_zone;
    let short = |at: Timestamp| {
        let year = chrono::Datelike::year(&zone.local(signed.now).date());
        signed.language.short_date(zone.local(at).date(), year)
    };
    let end = scale.x(signed.period().ends_at);
    // Labels closer than this would overlap.
    let update_dates = points.iter().filter(|point| point.is_end);
    let marks =
        update_dates.map(|point| (scale.x(point.at), point.at)).filter(|(x, _)| *x > 12.0 && end - x > 12.0);
    html! {
        @if end > 12.0 { text x="0" y="282" { (short(scale.from)) } }
        @for (x, at) in marks { text class="wide" x=(percent(x)) y="282" text-anchor="middle" { (short(at)) } }
        text class="say" x=(percent(end)) y="282" text-anchor="middle" { (short(signed.period().ends_at)) }
    }
}

/// Returns the sentence about the contact that raises the tier, and about the cap.
fn limits(signed: &Signed, limit: u64) -> String {
    let period = signed.period();
    let is_raised = period.cap.is_none_or(|cap| cap > limit);
    let raised = is_raised.then(|| number(signed, period.tier.limit_for(limit + 1)));
    let cap = period.cap.map(|cap| number(signed, cap));
    words::next_contact(&number(signed, limit + 1), raised.as_deref(), cap.as_deref())
}

fn table(signed: &Signed, points: &[Point]) -> Markup {
    let period = signed.period();
    let known = points.iter().filter(|point| !point.remark.is_empty());
    let row = |at, usage, leaving, remark: &str| {
        html! {
            tr {
                th scope="row" { (date_text(signed, at)) }
                td class="n" { (number(signed, usage)) }
                td class="n" { (number(signed, leaving)) }
                td { (remark) }
            }
        }
    };
    html! {
        details class="alt" {
            summary { (words::CHART_AS_TABLE) }
            table {
                caption class="vh" { (words::CHART_CAPTION) }
                thead { tr {
                    th scope="col" { (words::COLUMN_DATE) }
                    th scope="col" class="n" { (words::COLUMN_MARKETING) }
                    th scope="col" class="n" { (words::COLUMN_LEAVING) }
                    th scope="col" { (words::COLUMN_REMARK) }
                } }
                tbody {
                    @for point in known { (row(point.at, point.usage, point.leaves, &point.remark)) }
                    (row(period.ends_at, period.after_next_update(), 0, words::REMAINS))
                }
            }
        }
    }
}
