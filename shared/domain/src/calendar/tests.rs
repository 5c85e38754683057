use chrono::{Days, NaiveTime, TimeDelta};
use proptest::prelude::*;

use super::zone::tests::zones;

use super::*;

fn date(text: &str) -> NaiveDate {
    parse_date(text).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn calendar(term: Term, renewal_date: &str, time_zone: &str) -> Calendar {
    Calendar { term, renewal_date: date(renewal_date), time_zone: time_zone.parse().unwrap() }
}

/// Returns the next `count` update dates after `after`. An instant at 00:00 UTC is shown as its date only.
fn updates(calendar: Calendar, after: &str, count: usize) -> Vec<String> {
    std::iter::successors(Some(calendar.next_update(at(after))), |last| Some(calendar.next_update(*last)))
        .take(count)
        .map(|update| update.to_string().replace("T00:00:00.000Z", ""))
        .collect()
}

#[test]
fn terms_and_time_zones_round_trip() {
    for term in Term::ALL {
        assert_eq!(term.as_str().parse(), Ok(*term));
    }
    assert_eq!("weekly".parse::<Term>().unwrap_err().to_string(), "expected one of annual, monthly");
    assert_eq!("Europe/Berlin".parse::<TimeZone>().unwrap().as_str(), "Europe/Berlin");
    assert_eq!(TimeZone::default().as_str(), "UTC");
    assert_eq!(format!("{:?}", TimeZone::default()), "UTC");
    assert_ne!("Europe/Berlin".parse(), Ok(TimeZone::default()));
    for text in ["", "Berlin", "europe/berlin", "+01:00", "Europe/Atlantis"] {
        let error = text.parse::<TimeZone>().unwrap_err();
        assert_eq!(error.to_string(), "expected an IANA time zone name such as Europe/Berlin");
    }
}

#[test]
fn date_has_one_format() {
    assert_eq!(parse_date("2028-02-29"), Ok(NaiveDate::from_ymd_opt(2028, 2, 29).unwrap()));
    for text in [
        "",
        "2026",
        "2026-1-05",
        "2026-01-5",
        "+2026-01-05",
        " 2026-01-05",
        "2026-01-05 ",
        "2026-02-29",
        "2026-13-01",
        "1969-12-31",
        "10000-01-01",
        "2026-01-05T00:00:00Z",
        "２０２６-01-05",
    ] {
        assert_eq!(parse_date(text), Err(DateError), "{text}");
    }
}

#[test]
fn monthly_renewal_day_follows_from_the_original_day() {
    let table = [
        ("2026-01-31", ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("2026-01-30", ["2026-01-30", "2026-02-28", "2026-03-30", "2026-04-30"]),
        ("2024-02-29", ["2026-01-29", "2026-02-28", "2026-03-29", "2026-04-29"]),
        ("2026-01-15", ["2026-01-15", "2026-02-15", "2026-03-15", "2026-04-15"]),
        ("2026-01-01", ["2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"]),
    ];
    for (renewal, expected) in table {
        let monthly = calendar(Term::Monthly, renewal, "UTC");
        let after = if renewal == "2026-01-31" { "2026-01-31T00:00:00Z" } else { "2026-01-10T12:00:00Z" };
        assert_eq!(updates(monthly, after, 4), expected, "{renewal}");
    }
}

#[test]
fn monthly_term_has_update_dates_before_its_renewal_date() {
    let monthly = calendar(Term::Monthly, "2028-07-31", "UTC");
    assert_eq!(updates(monthly, "2028-01-31T00:00:00Z", 2), ["2028-02-29", "2028-03-31"]);
}

#[test]
fn annual_term_has_month_starts_and_the_renewal_date() {
    let table: [(&str, &str, &[&str]); 7] = [
        ("2027-03-15", "2027-02-10T00:00:00Z", &["2027-03-01", "2027-03-15", "2027-04-01"]),
        ("2027-03-01", "2027-02-10T00:00:00Z", &["2027-03-01", "2027-04-01", "2027-05-01"]),
        ("2027-03-31", "2027-03-02T00:00:00Z", &["2027-03-31", "2027-04-01", "2027-05-01"]),
        ("2027-03-15", "2028-03-14T23:59:59.999Z", &["2028-03-15", "2028-04-01"]),
        ("2027-12-31", "2027-12-31T00:00:00Z", &["2028-01-01", "2028-02-01"]),
        // The leap day becomes the 28th in common years.
        ("2024-02-29", "2025-02-02T00:00:00Z", &["2025-02-28", "2025-03-01"]),
        ("2024-02-29", "2028-02-02T00:00:00Z", &["2028-02-29", "2028-03-01"]),
    ];
    for (renewal, after, expected) in table {
        assert_eq!(
            updates(calendar(Term::Annual, renewal, "UTC"), after, expected.len()),
            expected,
            "{renewal}"
        );
    }
}

#[test]
fn annual_contract_does_not_renew_before_its_renewal_date() {
    let annual = calendar(Term::Annual, "2028-03-15", "UTC");
    assert_eq!(updates(annual, "2027-03-10T00:00:00Z", 1), ["2027-04-01"]);
    assert_eq!(updates(annual, "2028-03-10T00:00:00Z", 1), ["2028-03-15"]);
    assert!(!annual.is_renewal(at("2027-03-15T00:00:00Z")));
    assert!(annual.is_renewal(at("2028-03-15T00:00:00Z")));
    assert!(annual.is_renewal(at("2031-03-15T00:00:00Z")));
}

#[test]
fn renewals_are_recognised_among_update_dates() {
    let annual = calendar(Term::Annual, "2024-02-29", "Europe/Berlin");
    assert!(annual.is_renewal(at("2025-02-27T23:00:00Z")));
    assert!(!annual.is_renewal(at("2025-02-28T23:00:00Z")));
    let first = calendar(Term::Annual, "2026-03-01", "UTC");
    assert!(first.is_renewal(at("2026-03-01T00:00:00Z")));
    assert!(!first.is_renewal(at("2026-04-01T00:00:00Z")));
    let monthly = calendar(Term::Monthly, "2026-01-31", "UTC");
    assert!(monthly.is_renewal(at("2026-02-28T00:00:00Z")));
    // The renewal day was skipped there, so the contract renews when the next day begins.
    assert!(calendar(Term::Annual, "2010-12-30", "Pacific/Apia").is_renewal(at("2011-12-30T10:00:00Z")));
}

#[test]
fn update_date_ends_its_period_and_starts_the_next() {
    let monthly = calendar(Term::Monthly, "2026-01-15", "UTC");
    let update = at("2026-02-15T00:00:00Z");
    assert_eq!(monthly.next_update(at("2026-02-14T23:59:59.999Z")), update);
    assert_eq!(monthly.next_update(update), at("2026-03-15T00:00:00Z"));
}

#[test]
fn midnight_follows_the_time_zone() {
    let table = [
        ("Europe/Berlin", "2026-03-01", "2026-02-28T23:00:00.000Z"),
        ("Europe/Berlin", "2026-07-01", "2026-06-30T22:00:00.000Z"),
        ("Asia/Kathmandu", "2026-07-01", "2026-06-30T18:15:00.000Z"),
        ("Pacific/Kiritimati", "2027-01-01", "2026-12-31T10:00:00.000Z"),
        ("Etc/GMT+12", "2027-01-01", "2027-01-01T12:00:00.000Z"),
        // Twice: clocks are set back from 01:00 to 00:00.
        ("America/Havana", "2020-11-01", "2020-11-01T04:00:00.000Z"),
        // Twice: clocks are set back from 00:01 to 23:01 of the previous day.
        ("America/St_Johns", "2008-11-02", "2008-11-02T02:30:00.000Z"),
        // Once: clocks are set back from 24:00 to 23:00.
        ("America/Asuncion", "2018-03-25", "2018-03-25T04:00:00.000Z"),
        // Never: clocks are set forward from 00:00 to 01:00.
        ("America/Asuncion", "2017-10-01", "2017-10-01T04:00:00.000Z"),
        ("Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00.000Z"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z"),
        // Before the first instant of `Timestamp`.
        ("Europe/Berlin", "1970-01-01", "1970-01-01T00:00:00.000Z"),
        // The whole day is skipped.
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00.000Z"),
        ("Pacific/Kwajalein", "1993-08-21", "1993-08-21T12:00:00.000Z"),
        ("Pacific/Kwajalein", "1993-08-22", "1993-08-21T12:00:00.000Z"),
    ];
    for (zone, day, expected) in table {
        let zone: TimeZone = zone.parse().unwrap();
        assert_eq!(zone.midnight(date(day)).to_string(), expected, "{zone} {day}");
    }
}

#[test]
fn days_that_share_one_instant_are_one_update_date() {
    // 31 December 2011 in Apia begins at the instant at which the skipped 30th would have begun.
    let monthly = calendar(Term::Monthly, "2011-01-30", "Pacific/Apia");
    let skipped = at("2011-12-30T10:00:00Z");
    assert_eq!(monthly.next_update(at("2011-12-30T09:59:59.999Z")), skipped);
    assert_eq!(monthly.next_update(skipped), at("2012-01-29T10:00:00Z"));
}

#[test]
fn midnight_shown_twice_is_one_update_date() {
    let monthly = calendar(Term::Monthly, "2008-01-02", "America/St_Johns");
    let update = at("2008-11-02T02:30:00Z");
    assert_eq!(monthly.next_update(at("2008-11-02T02:29:59.999Z")), update);
    // Half an hour later clocks show 1 November again.
    assert_eq!(monthly.next_update(update), at("2008-12-02T03:30:00Z"));
    assert_eq!(monthly.next_update(at("2008-11-02T03:00:00Z")), at("2008-12-02T03:30:00Z"));

    // Here clocks show October again. The next update date is then in the second month after, not in the following one.
    let annual = calendar(Term::Annual, "2008-01-02", "America/St_Johns");
    assert_eq!(annual.next_update(at("2009-11-01T02:29:59.999Z")), at("2009-11-01T02:30:00Z"));
    assert_eq!(annual.next_update(at("2009-11-01T02:45:00Z")), at("2009-12-01T03:30:00Z"));
}

#[test]
fn extreme_instants_and_dates_do_not_panic() {
    for term in Term::ALL {
        for renewal_date in [NaiveDate::MIN, NaiveDate::MAX, date("1970-01-01"), date("9999-12-31")] {
            for time_zone in zones() {
                let calendar = Calendar { term: *term, renewal_date, time_zone };
                assert!(calendar.next_update(Timestamp::MIN) > Timestamp::MIN);
                assert_eq!(calendar.next_update(Timestamp::MAX), Timestamp::MAX);
                assert!(*term == Term::Monthly || !calendar.is_renewal(at("2000-01-01T00:00:00.001Z")));
            }
        }
    }
    let annual = calendar(Term::Annual, "2026-03-15", "UTC");
    assert_eq!(annual.next_update(at("9999-12-05T00:00:00Z")), Timestamp::MAX);
}

/// Returns true if a day is an update date, computed per day instead of per month.
fn is_update_day(calendar: &Calendar, day: NaiveDate) -> bool {
    let is_last = day.succ_opt().unwrap().day() == 1;
    let renewal = calendar.renewal_date;
    let is_renewal_day = day.day() == renewal.day() || (is_last && day.day() < renewal.day());
    match calendar.term {
        Term::Monthly => is_renewal_day,
        Term::Annual => {
            day.day() == 1 || (is_renewal_day && day.month() == renewal.month() && day >= renewal)
        }
    }
}

/// Returns the first instant, in steps of half a minute, at which clocks show the day or a later one.
fn first_shown(zone: TimeZone, day: NaiveDate) -> Timestamp {
    let utc_midnight = Timestamp::from(day.and_time(NaiveTime::MIN).and_utc());
    (0..)
        .map(|step| utc_midnight.plus(TimeDelta::hours(-15) + TimeDelta::seconds(30 * step)))
        .find(|at| zone.local(*at).date() >= day)
        .unwrap()
}

/// Returns the next update date by trying one local day after the other.
fn next_update_by_days(calendar: &Calendar, after: Timestamp) -> Timestamp {
    let start = calendar.time_zone.local(after).date() - Days::new(2);
    start
        .iter_days()
        .filter(|day| is_update_day(calendar, *day))
        .map(|day| first_shown(calendar.time_zone, day))
        .find(|update| *update > after)
        .unwrap()
}

fn any_calendar() -> impl Strategy<Value = Calendar> {
    let terms = prop_oneof![Just(Term::Annual), Just(Term::Monthly)];
    let zones = prop_oneof![
        proptest::sample::select(zones()),
        proptest::sample::select(vec!["Pacific/Apia", "America/Havana", "America/St_Johns", "UTC"])
            .prop_map(|name| name.parse().unwrap()),
    ];
    (terms, 1970..2100_i32, 1..=366_u32, zones).prop_map(|(term, year, day, time_zone)| {
        let last = NaiveDate::from_ymd_opt(year, 12, 31).unwrap().ordinal();
        let renewal_date = NaiveDate::from_yo_opt(year, day.min(last)).unwrap();
        Calendar { term, renewal_date, time_zone }
    })
}

fn any_instant() -> impl Strategy<Value = Timestamp> {
    let range = at("1973-01-01T00:00:00Z").millis()..at("2110-01-01T00:00:00Z").millis();
    range.prop_map(Timestamp::from_millis)
}

proptest! {
    #[test]
    fn next_update_agrees_with_trying_every_day(calendar in any_calendar(), after in any_instant()) {
        prop_assert_eq!(calendar.next_update(after), next_update_by_days(&calendar, after));
    }

    #[test]
    fn next_update_is_the_first_one_after(
        calendar in any_calendar(), after in any_instant(), permille in 0..1000_i64,
    ) {
        let next = calendar.next_update(after);
        prop_assert!(next > after);
        let length = next.millis() - after.millis();
        let inside = after.plus(TimeDelta::milliseconds(length / 1000 * permille));
        prop_assert_eq!(calendar.next_update(inside.min(next.plus(TimeDelta::milliseconds(-1)))), next);
        prop_assert!(calendar.next_update(next) > next);
    }

    #[test]
    fn update_dates_are_at_most_32_days_apart(calendar in any_calendar(), after in any_instant()) {
        // 31 days, and the hours by which clocks were set back in between.
        prop_assert!(calendar.next_update(after) <= after.plus(TimeDelta::days(32)));
    }

    #[test]
    fn annual_contract_renews_once_a_year(mut calendar in any_calendar(), year in 1975..2100_i32) {
        calendar.term = Term::Annual;
        let year_ends = at(&format!("{}-01-05T00:00:00Z", year + 1));
        let mut update = at(&format!("{year}-01-05T00:00:00Z"));
        let mut renewals = 0;
        while update < year_ends {
            update = calendar.next_update(update);
            renewals += u32::from(update < year_ends && calendar.is_renewal(update));
        }
        // A renewal near 5 January may be counted in either of the two years.
        let near_cut = calendar.renewal_date.month() == 1 && (3..=7).contains(&calendar.renewal_date.day());
        if year > calendar.renewal_date.year() && !near_cut {
            prop_assert_eq!(renewals, 1);
        }
        prop_assert!(renewals <= 2);
    }

    #[test]
    fn never_panics(
        annual: bool, days in any::<i32>(), time_zone in proptest::sample::select(zones()), millis: i64,
    ) {
        let renewal_date = NaiveDate::from_epoch_days(days).unwrap_or(NaiveDate::MAX);
        let term = if annual { Term::Annual } else { Term::Monthly };
        let calendar = Calendar { term, renewal_date, time_zone };
        let after = Timestamp::from_millis(millis);
        let next = calendar.next_update(after);
        prop_assert!(next > after || after == Timestamp::MAX);
        let _ = calendar.is_renewal(after);
    }
}
