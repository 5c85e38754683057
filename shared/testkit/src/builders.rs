//! Short constructors for values that many tests need.

use chrono::NaiveDate;
use domain::Timestamp;
use domain::address::EmailAddress;
use domain::calendar::{Calendar, Term, TimeZone};
use domain::period::Terms;
use domain::property::PropertyName;
use domain::tier::Tier;

/// Parses an RFC 3339 instant. Panics if the text is not valid.
#[must_use]
pub fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// Parses an email address. Panics if the text is not valid.
#[must_use]
pub fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}

/// Returns a property with a value to set.
#[must_use]
pub fn property(name: &str, value: &str) -> (PropertyName, Option<String>) {
    (PropertyName::parse(name).expect("a property name"), Some(value.to_owned()))
}

/// Returns the terms of an annual contract in UTC that renews on 1 January, without a cap.
#[must_use]
pub fn terms() -> Terms {
    Terms {
        calendar: Calendar {
            term: Term::Annual,
            renewal_date: NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date"),
            time_zone: TimeZone::default(),
        },
        tier: Tier::new(1_000, 1_000).expect("a tier"),
        cap: None,
        marketing_contacts: true,
        test_clock: None,
    }
}
