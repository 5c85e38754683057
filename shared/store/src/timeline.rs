//! The usage of an account over time, as the change feed has recorded it, and the forecast that follows from it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use chrono::{Days, NaiveDate, TimeDelta};
use domain::Timestamp;
use domain::ids::AccountId;
use domain::limits::{PACE_DAYS, TIMELINE_DAYS_BEFORE, TIMELINE_DAYS_DEFAULT, TIMELINE_DAYS_MAX};
use domain::period::{Period, PeriodNumber};
use domain::timeline::{DayRecord, DayUsage, Snapshot, timeline};
use domain::usage_forecast::{Pace, UsageForecast};

use crate::StoreError;
use crate::items::{StatementItem, TimelineItem, decode, unreadable_key};
use crate::keys::{FIRST_SK, Item, Key, timeline_pk};
use crate::periods::PeriodSnapshot;
use crate::store::{Query, Store};

/// An account's usage and its forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// The account's current period.
    pub period: Period,
    /// The forecast.
    pub forecast: UsageForecast,
}

/// The days of an account up to now.
struct Lifetime {
    period: Period,
    now: Timestamp,
    first: NaiveDate,
    today: NaiveDate,
}

impl Store {
    /// Returns the account's usage on the days `from` to `to`, at most [`TIMELINE_DAYS_MAX`]. Without `to` they end today
    /// or after so many days, and without `from` there are [`TIMELINE_DAYS_DEFAULT`]. Days before the account's creation
    /// and after today are left out.
    ///
    /// The period itself is the newest snapshot, so today is exact, also if the change feed is behind.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`](crate::Refused::NotFound) if there is no such account.
    pub async fn timeline(
        &self,
        account: AccountId,
        from: Option<NaiveDate>,
        to: Option<NaiveDate>,
        wall_clock: Timestamp,
    ) -> Result<Vec<DayUsage>, StoreError> {
        let life = self.lifetime(account, wall_clock).await?;
        let later = |date: NaiveDate, days: i64| {
            date.checked_add_signed(TimeDelta::days(days)).unwrap_or(if days < 0 {
                life.first
            } else {
                life.today
            })
        };
        let last = match (from, to) {
            (Some(from), to) => later(from, TIMELINE_DAYS_MAX - 1).min(to.unwrap_or(life.today)),
            (None, to) => to.unwrap_or(life.today),
        };
        let first = from.unwrap_or_else(|| later(last, 1 - TIMELINE_DAYS_DEFAULT));
        self.days(account, &life, first.max(life.first)..=last.min(life.today)).await
    }

    /// Returns the account's usage with its forecast, at the pace of the last [`PACE_DAYS`] days, or of those since the
    /// account's creation.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`](crate::Refused::NotFound) if there is no such account.
    pub async fn usage_forecast(
        &self,
        account: AccountId,
        wall_clock: Timestamp,
    ) -> Result<Outlook, StoreError> {
        let life = self.lifetime(account, wall_clock).await?;
        let earlier = Days::new(u64::from(PACE_DAYS.saturating_sub(1)));
        let first = life.today.checked_sub_days(earlier).unwrap_or(life.first).max(life.first);
        let days = self.days(account, &life, first..=life.today).await?;
        let pace = Pace {
            days: u32::try_from(days.len()).unwrap_or(PACE_DAYS),
            set: days.iter().map(DayUsage::set).sum(),
            left: days.iter().map(|day| day.left).sum(),
        };
        let forecast = UsageForecast::new(&life.period, life.now, pace);
        Ok(Outlook { period: life.period, forecast })
    }

    /// Reads the account's period, and the day of its creation by the account's own clock.
    async fn lifetime(&self, account: AccountId, wall_clock: Timestamp) -> Result<Lifetime, StoreError> {
        let first = Key::statement(account, PeriodNumber::FIRST);
        let op = self.operation(account, wall_clock);
        let PeriodSnapshot { mut items, period, now } = op.read_current_period(vec![first.clone()]).await?;
        let statement =
            items.take::<StatementItem>(&first)?.map(StatementItem::into_statement).transpose()?;
        let created_at = statement.map_or(period.starts_at, |statement| statement.starts_at);
        let zone = period.calendar.time_zone;
        let today = zone.date(now);
        // A changed time zone may show the creation on the next day.
        Ok(Lifetime { first: zone.date(created_at).min(today), today, period, now })
    }

    /// Returns the usage on days of an account's lifetime.
    async fn days(
        &self,
        account: AccountId,
        life: &Lifetime,
        days: RangeInclusive<NaiveDate>,
    ) -> Result<Vec<DayUsage>, StoreError> {
        let (first, last) = (*days.start(), *days.end());
        if first > last {
            return Ok(Vec::new());
        }
        let whole = usize::try_from((last - first).num_days()).unwrap_or_default().saturating_add(1);
        let mut records = self.day_records(account, first..=last, whole).await?;
        let earlier = match first.pred_opt() {
            Some(before) => self.day_records(account, NaiveDate::MIN..=before, TIMELINE_DAYS_BEFORE).await?,
            None => BTreeMap::new(),
        };
        let mut before = Snapshot::before(&life.period);
        for record in earlier.values() {
            before = before.newer(record.snapshot);
        }
        let current = DayRecord::of(&life.period);
        let counted_on = life.period.counted_at.map(|at| life.period.calendar.time_zone.date(at));
        match counted_on.map(|date| date.min(life.today)) {
            Some(date) if date < first => before = before.newer(current.snapshot),
            Some(date) => {
                records.entry(date).and_modify(|record| *record = record.merged(current)).or_insert(current);
            }
            None => {}
        }
        Ok(timeline(days, before, &records))
    }

    /// Reads the newest records of days, at most `limit`.
    async fn day_records(
        &self,
        account: AccountId,
        days: RangeInclusive<NaiveDate>,
        limit: usize,
    ) -> Result<BTreeMap<NaiveDate, DayRecord>, StoreError> {
        let query = Query { pk: timeline_pk(account), prefix: "", after: None, limit, newest_first: true };
        // The earliest text of a date.
        let from =
            if *days.start() == NaiveDate::MIN { FIRST_SK.to_owned() } else { days.start().to_string() };
        let page = self.query_range(&query, &(from..=days.end().to_string())).await?;
        let record = |item: Item| {
            let date = Key::of(&item).and_then(|key| key.sk.parse().ok());
            let date: NaiveDate = date.ok_or_else(|| unreadable_key("day"))?;
            Ok((date, decode::<TimelineItem>(item)?.into()))
        };
        page.items.into_iter().map(record).collect()
    }
}
