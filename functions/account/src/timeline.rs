//! `/v1/usage/timeline` and `/v1/usage/forecast`: the usage over time, by days.

use std::collections::BTreeMap;

use api::describe::Parameters;
use api::fields::{Fields, FromFields, Reported};
use api::parse::Parser;
use api::{AccountCaller, Context, Problem, Query, respond};
use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use domain::limits::TIMELINE_DAYS_MAX;
use domain::timeline::DayUsage;
use serde::Serialize;
use store::Outlook;
use utoipa::ToSchema;

use crate::contract::date;

/// The days of a timeline.
pub(crate) struct DayRange {
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

impl FromFields for DayRange {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let from = date().about(
            "The first day. By default there are 30 days. Days before the account's creation are left out.",
        );
        let from = fields.optional("from", from);
        let to = date().about(
            "The last day. By default it is today, or the 366th day from `from` if that is earlier. Days after today \
             are left out.",
        );
        let to = fields.optional("to", to);
        let (from, to) = (from?, to?);
        if let (Some(from), Some(to)) = (from, to)
            && !(0..TIMELINE_DAYS_MAX).contains(&(to - from).num_days())
        {
            return fields.reject("to", "expected a day from `from` on, and at most 366 days in all");
        }
        Ok(Self { from, to })
    }
}

/// The usage over time.
#[derive(Serialize, ToSchema)]
#[schema(as = Timeline)]
struct TimelineView {
    /// The days, oldest first. Days without changes are included.
    results: Vec<DayView>,
}

/// The usage on one day, by the account's time zone.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageDay)]
struct DayView {
    /// The day.
    #[schema(format = Date)]
    date: String,
    /// The usage at the end of the day: that of the day before, plus `set`, less `left`. Today it is the usage now.
    marketing: u64,
    /// The highest usage on the day.
    peak: u64,
    /// The number of contacts that were set as marketing.
    set: u64,
    /// The number of leaving contacts that were kept.
    kept: u64,
    /// The number of contacts that were queued to leave.
    queued: u64,
    /// The number of contacts that left, which happens at the start of an update date.
    left: u64,
    /// The contacts that were set, by the type of their source. The sum is `set`.
    by_source: BTreeMap<&'static str, u64>,
}

impl DayView {
    fn new(day: &DayUsage) -> Self {
        let sources = day.by_source.iter().filter(|(_, contacts)| *contacts > 0);
        Self {
            date: day.date.to_string(),
            marketing: day.marketing,
            peak: day.peak,
            set: day.set(),
            kept: day.kept,
            queued: day.queued,
            left: day.left,
            by_source: sources.map(|(kind, contacts)| (kind.as_str(), contacts)).collect(),
        }
    }
}

/// Returns the account's usage over time.
///
/// There is one result for each day, at most 366. Earlier days may be recorded some seconds late. Today is exact.
#[utoipa::path(
    get, path = "/v1/usage/timeline", tag = "Account", params(Parameters<DayRange>),
    responses((status = 200, description = "The usage on each day, oldest first.", body = TimelineView)),
)]
pub(crate) async fn get_timeline(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(DayRange { from, to }): Query<DayRange>,
) -> Result<Response, Problem> {
    let days = context.store.timeline(principal.account, from, to, context.clock.now()).await?;
    respond::ok(&TimelineView { results: days.iter().map(DayView::new).collect() })
}

/// The pace of the latest days, which a forecast continues.
#[derive(Serialize, ToSchema)]
#[schema(as = UsagePace)]
struct PaceView {
    /// The number of days: 28, today included, or fewer since the account's creation.
    days: u32,
    /// The number of contacts that were set on each of them, on average.
    set_per_day: f64,
    /// The number of contacts that left on each of them, on average.
    left_per_day: f64,
}

/// The forecast of the account's usage.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageForecast)]
struct ForecastView {
    /// The next update date.
    #[schema(format = DateTime)]
    next_update_at: String,
    /// The usage now.
    marketing: u64,
    /// The number of contacts that leave at the next update date.
    leaving: u64,
    /// The usage right after the next update date, if no contact changes before it.
    after_next_update: u64,
    /// The present limit of the contract.
    limit: u64,
    /// The largest usage that the account allows itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cap: Option<u64>,
    /// The pace that the estimate continues.
    pace: PaceView,
    /// The first day on which the usage is at least `limit`. Absent if it is not foreseeable within ten years.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date, nullable = false)]
    limit_reached_on: Option<String>,
    /// The first day on which the usage is at least `cap`. Absent if it is not foreseeable within ten years.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date, nullable = false)]
    cap_reached_on: Option<String>,
    /// Always true: the days on which a limit is reached are an estimate. The other numbers are exact.
    is_estimate: bool,
}

/// Returns an average with two decimals.
#[expect(clippy::cast_precision_loss, reason = "an average of two decimals is not exact")]
fn average(contacts: u64, days: u32) -> f64 {
    (contacts as f64 * 100.0 / f64::from(days)).round() / 100.0
}

impl ForecastView {
    fn new(Outlook { period, forecast }: &Outlook) -> Self {
        let pace = forecast.pace;
        Self {
            next_update_at: period.ends_at.to_string(),
            marketing: period.marketing,
            leaving: period.leaving,
            after_next_update: period.after_next_update(),
            limit: period.tier.limit_for(period.marketing),
            cap: period.cap,
            pace: PaceView {
                days: pace.days,
                set_per_day: average(pace.set, pace.days),
                left_per_day: average(pace.left, pace.days),
            },
            limit_reached_on: forecast.limit_reached_on.map(|date| date.to_string()),
            cap_reached_on: forecast.cap_reached_on.map(|date| date.to_string()),
            is_estimate: true,
        }
    }
}

/// Forecasts the account's usage.
///
/// The contacts that leave at the next update date are exact. The days on which the limit and the cap are reached are
/// estimated: until the next update date the usage grows by `set_per_day`, and from then on by `set_per_day` less
/// `left_per_day`.
#[utoipa::path(
    get, path = "/v1/usage/forecast", tag = "Account",
    responses((status = 200, description = "The forecast.", body = ForecastView)),
)]
pub(crate) async fn get_forecast(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(_): Query,
) -> Result<Response, Problem> {
    let outlook = context.store.usage_forecast(principal.account, context.clock.now()).await?;
    respond::ok(&ForecastView::new(&outlook))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn average_has_two_decimals() {
        assert_eq!(
            [(0, 28), (28, 28), (1, 3), (2, 3)].map(|(sum, days)| average(sum, days)),
            [0.0, 1.0, 0.33, 0.67]
        );
    }
}
