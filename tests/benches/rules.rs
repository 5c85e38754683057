//! Benchmarks of the rules alone: the time of a decision, an update date and a filter.

use std::hint::black_box;

use chrono::NaiveDate;
use domain::Timestamp;
use domain::calendar::{Calendar, Term};
use domain::contact::Contact;
use domain::decision::{Command, Ledger};
use domain::filter::{Condition, Filter};
use domain::ids::ContactId;
use domain::marketing::{EffectiveState, Marketing, StoredState};
use domain::period::Period;
use domain::property::{Properties, PropertyName};
use domain::source::{Actor, Source, SourceType};
use testkit::{at, email, terms};

use crate::report::{Row, row};
use crate::sample::nanos_each;

const NOW: &str = "2026-11-10T12:00:00.000Z";

/// The maximum time of a filter with three conditions for one contact, in nanoseconds.
const FILTER_MOST: f64 = 1_000.0;

/// Measures the decision, the calendar and the filters.
pub fn measure() {
    decision();
    calendar();
    filters();
}

fn decision() {
    let mut terms = terms();
    terms.cap = Some(1_000_000);
    let period = Period::first(terms, at(NOW));
    let nanos = nanos_each(|| {
        let stored_state = black_box(StoredState::NonMarketing);
        let _ = black_box(Ledger::new(black_box(&period)).decide(
            stored_state,
            Command::SetMarketing,
            SourceType::Manual,
        ));
    });
    row(&Row::new("Deciding a transition, under a cap", format!("{nanos:.1}"), "ns"));
}

fn calendar() {
    let calendar = |term, zone: &str| Calendar {
        term,
        renewal_date: NaiveDate::from_ymd_opt(2026, 1, 31).expect("a date"),
        time_zone: zone.parse().expect("a time zone"),
    };
    for (what, calendar) in [
        ("annual, UTC", calendar(Term::Annual, "UTC")),
        ("monthly on the 31st, Europe/Berlin", calendar(Term::Monthly, "Europe/Berlin")),
    ] {
        let now = at(NOW);
        let nanos = nanos_each(|| {
            black_box(black_box(&calendar).next_update(black_box(now)));
        });
        row(&Row::new(format!("Next update date, {what}"), format!("{nanos:.0}"), "ns"));
    }
}

fn filters() {
    let contact = contact();
    let plain = [
        condition("lastname", "EQ", "Lovelace"),
        condition("hs_marketable_status", "EQ", "true"),
        condition("visits", "GTE", "12"),
    ];
    let costly = [
        condition("email", "CONTAINS_TOKEN", "*lace"),
        condition("created_at", "GTE", "2026-11-01"),
        condition("city", "NEQ", "Berlin"),
    ];
    for (what, conditions) in
        [("a text, a flag and a number", plain), ("a pattern, an instant and a text", costly)]
    {
        let filter = Filter::new(vec![conditions.to_vec()]).expect("a filter");
        assert!(filter.matches(&contact), "the filter must evaluate every condition");
        let nanos = nanos_each(|| {
            black_box(black_box(&filter).matches(black_box(&contact)));
        });
        let what = format!("Three conditions on a contact, all true: {what}");
        row(&Row::new(what, format!("{nanos:.0}"), "ns").at_most(nanos, FILTER_MOST, " ns"));
    }
}

fn condition(name: &str, operator: &str, value: &str) -> Condition {
    Condition::new(name, operator, Some(value), None, None).expect("a condition")
}

/// Returns a marketing contact with ten properties.
fn contact() -> Contact {
    let mut properties = Properties::new();
    for (name, value) in [
        ("city", "London"),
        ("company", "Analytical Engines"),
        ("country", "United Kingdom"),
        ("firstname", "Ada"),
        ("jobtitle", "Mathematician"),
        ("lastname", "Lovelace"),
        ("phone", "+44 20 7946 0000"),
        ("visits", "42"),
        ("website", "https://example.org/ada"),
        ("zip", "SW1A 1AA"),
    ] {
        properties.insert(PropertyName::parse(name).expect("a name"), value.to_owned()).expect("room");
    }
    let made: Timestamp = at(NOW);
    let source = Source { kind: SourceType::Form, name: "Newsletter".to_owned(), id: None };
    Contact {
        id: ContactId::new(made, 1),
        email: Some(email("ada.lovelace@example.org")),
        properties,
        unsubscribed: false,
        bounced: false,
        marketing: Marketing::new(
            StoredState::Marketing,
            EffectiveState::Marketing,
            made,
            source,
            Actor::System,
        ),
        created_at: made,
        updated_at: made,
        version: 1,
        deleted_at: None,
        chain: Vec::new(),
        unenrolled: false,
        imported: None,
        edited: None,
    }
}
