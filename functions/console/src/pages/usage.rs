//! The usage over time: a picture of the days, the forecast in sentences, and the days in a table.

mod picture;

use axum::response::Response;
use chrono::{Days, NaiveDate};
use domain::limits::TIMELINE_DAYS_MAX;
use domain::period::Statement;
use domain::timeline::DayUsage;
use maud::{Markup, html};
use store::Outlook;

use crate::frame::{Page, Section};
use crate::parts::{date_text, number};
use crate::request::Failure;
use crate::signed::Signed;
use crate::text::usage as words;
use crate::{HOME, text};

/// The numbers of days that can be shown. The first one is shown unless another is chosen.
const RANGES: [u64; 3] = [28, 90, TIMELINE_DAYS_MAX.unsigned_abs()];

/// The number of days of the shortest period.
const PERIOD_DAYS: u64 = 28;

/// Shows the usage over time.
pub(crate) async fn show(signed: Signed) -> Response {
    let chosen = signed.query.get("days").parse().ok();
    let [first, ..] = RANGES;
    let days = chosen.filter(|days| RANGES.contains(days)).unwrap_or(first);
    let shown = page(&signed, days).await;
    signed.finish(shown)
}

async fn page(signed: &Signed, range: u64) -> Result<Page, Failure> {
    let (store, account, now) = (signed.store(), signed.account.id, signed.wall_clock);
    let today = signed.period().calendar.time_zone.date(signed.now);
    let from = today.checked_sub_days(Days::new(range - 1));
    let days = store.timeline(account, from, None, now).await?;
    let outlook = store.usage_forecast(account, now).await?;
    let periods = usize::try_from(range / PERIOD_DAYS + 1).unwrap_or_default();
    let closed = store.statements(account, now, None, periods).await?.items;
    let head = html! {
        p class="trail" { a href=(HOME) { (text::OVERVIEW) } " /" }
        h1 { (words::TITLE) }
    };
    let content = html! {
        nav class="tabs" aria-label=(words::RANGES) {
            @for days in RANGES {
                a href={ "/console/usage?days=" (days) } aria-current=[(days == range).then_some("page")] {
                    (words::range(&number(signed, days)))
                }
            }
        }
        (picture::by_day(signed, &outlook.period, &days, &update_dates(signed, &closed)))
        (forecast(signed, &outlook))
        (table(signed, &days))
    };
    Ok(Page::new(Section::Overview, words::TITLE, content).with_head(head))
}

/// Returns the update dates that have passed.
fn update_dates(signed: &Signed, closed: &[Statement]) -> Vec<NaiveDate> {
    let zone = signed.period().calendar.time_zone;
    closed.iter().map(|statement| zone.date(statement.ends_at)).collect()
}

fn forecast(signed: &Signed, outlook: &Outlook) -> Markup {
    let Outlook { period, forecast } = outlook;
    let usage = period.marketing;
    let limit = period.tier.limit_for(usage);
    let limit_text = number(signed, limit);
    let date = |date| signed.language.date(date);
    let at_limit = match forecast.limit_reached_on {
        Some(_) if usage >= limit => words::limit_reached(&limit_text),
        Some(on) => words::limit_on(&limit_text, &date(on)),
        None => words::limit_never(&limit_text),
    };
    let at_cap = match (period.cap, forecast.cap_reached_on) {
        (None, _) => words::NO_CAP.to_owned(),
        (Some(cap), Some(_)) if usage >= cap => words::cap_reached(&number(signed, cap)),
        (Some(cap), Some(on)) => words::cap_on(&number(signed, cap), &date(on)),
        (Some(cap), None) => words::cap_never(&number(signed, cap)),
    };
    html! {
        section aria-labelledby="forecast" {
            h2 id="forecast" { (words::FORECAST) }
            dl class="facts narrow" {
                div { dt { (words::EXACT) } dd { (next_update(signed, outlook)) } }
                div { dt { (words::PACE) } dd { (pace(signed, outlook)) } }
                div { dt { (words::LIMIT) } dd { (at_limit) } }
                div { dt { (words::CAP) } dd { (at_cap) } }
            }
            p class="quiet narrow gap" { (words::ESTIMATE) }
        }
    }
}

/// Returns a number of contacts in words.
fn contacts(signed: &Signed, count: u64) -> String {
    text::counted(count, &number(signed, count), "contact")
}

fn next_update(signed: &Signed, Outlook { period, .. }: &Outlook) -> String {
    let rest = period.after_next_update();
    let leaving = period.leaving;
    let leaving = (leaving > 0).then(|| words::leave(leaving, &contacts(signed, leaving)));
    let [rest, limit] = [rest, period.tier.limit_for(period.marketing)].map(|count| number(signed, count));
    words::next_update(&date_text(signed, period.ends_at), leaving.as_deref(), &rest, &limit)
}

fn pace(signed: &Signed, Outlook { forecast, .. }: &Outlook) -> String {
    let pace = forecast.pace;
    let days = u64::from(pace.days).max(1);
    let average = |sum: u64| match (sum.saturating_mul(10) + days / 2) / days {
        0 if sum > 0 => words::LITTLE.to_owned(),
        tenths => signed.language.tenths(tenths),
    };
    let sums = [contacts(signed, pace.set), number(signed, pace.left)];
    words::pace(pace.days, &number(signed, days), &sums, &[average(pace.set), average(pace.left)])
}

/// Returns true if the usage changed on a day.
fn has_change(day: &DayUsage) -> bool {
    day.set() + day.kept + day.queued + day.left > 0
}

/// Returns the days with a change, and today.
fn table(signed: &Signed, days: &[DayUsage]) -> Markup {
    let listed: Vec<&DayUsage> = days
        .iter()
        .rev()
        .enumerate()
        .filter(|(nth, day)| *nth == 0 || has_change(day))
        .map(|(_, day)| day)
        .collect();
    let rest = u64::try_from(days.len().saturating_sub(listed.len())).unwrap_or_default();
    let numbers = [words::MARKETING, words::PEAK, words::SET, words::KEPT, words::QUEUED, words::LEFT];
    html! {
        section aria-labelledby="days" {
            h2 id="days" { (words::DAYS) }
            table class="stack" {
                caption class="vh" { (words::DAYS_CAPTION) }
                thead { tr {
                    th scope="col" { (words::DATE) }
                    @for column in numbers { th scope="col" class="n" { (column) } }
                    th scope="col" { (words::BY_SOURCE) }
                } }
                tbody {
                    @for day in listed {
                        tr {
                            th scope="row" { (signed.language.date(day.date)) }
                            @for (label, count) in numbers.iter().zip([
                                day.marketing, day.peak, day.set(), day.kept, day.queued, day.left,
                            ]) {
                                td class="n" data-label=(label) { (number(signed, count)) }
                            }
                            td data-label=(words::BY_SOURCE) { (by_source(signed, day)) }
                        }
                    }
                }
            }
            @if rest > 0 { p class="quiet gap" { (words::unchanged(rest, &number(signed, rest))) } }
        }
    }
}

/// Returns the contacts that were set on a day by the kinds of their sources, the most first.
fn by_source(signed: &Signed, day: &DayUsage) -> String {
    let mut sources: Vec<_> = day.by_source.iter().filter(|(_, contacts)| *contacts > 0).collect();
    sources.sort_by_key(|(_, contacts)| std::cmp::Reverse(*contacts));
    let words = sources
        .into_iter()
        .map(|(kind, contacts)| format!("{} {}", text::source_kind(kind), number(signed, contacts)));
    text::capitalized(&words.collect::<Vec<_>>().join(", "))
}
