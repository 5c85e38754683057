//! Operands: the parsed values with which fields are compared.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveTime, SecondsFormat, Utc};

use super::Value;
use super::decimal::Decimal;
use super::field::Kind;
use crate::address::EmailAddress;
use crate::calendar::parse_date;
use crate::ids::ContactId;

/// One operand, parsed in every way in which a field may compare with it.
#[derive(Clone)]
pub(super) struct Operand {
    folded: String,
    number: Option<Decimal<String>>,
    instant: Option<DateTime<Utc>>,
    /// The address, for a field of the kind address.
    address: Option<EmailAddress>,
    /// The number, for a field of the kind id. It is limited to a range that all ids are within.
    id: Option<i64>,
}

impl Operand {
    /// Parses an operand for fields of this kind, or returns the expected format.
    pub(super) fn read(kind: Kind, text: &str) -> Result<Self, &'static str> {
        let instant = read_instant(text).or_else(|| loose_instant(kind, text));
        if kind == Kind::Instant && instant.is_none() {
            return Err(
                "expected an RFC 3339 instant, a date such as 2026-11-01, or milliseconds since 1970",
            );
        }
        let number = Decimal::read(text);
        let id = number.as_ref().filter(|_| kind == Kind::Id).and_then(Decimal::to_integer);
        if kind == Kind::Id && id.is_none() {
            return Err("expected the id of a contact, or another whole number");
        }
        let folded: String = fold(text).collect();
        if kind == Kind::Flag && !matches!(folded.as_str(), "true" | "false") {
            return Err("expected true or false");
        }
        let address = (kind == Kind::Address).then(|| EmailAddress::parse(text).ok()).flatten();
        Ok(Self { folded, number: number.map(Decimal::into_owned), instant, address, id })
    }

    /// Returns the address, for a field of the kind address and an operand that is one.
    pub(super) fn address(&self) -> Option<&EmailAddress> {
        self.address.as_ref()
    }

    /// Returns the number, for a field of the kind id.
    pub(super) fn id(&self) -> Option<i64> {
        self.id
    }

    /// Compares a field's value with the operand. A value that is not a number is neither above nor below a number, and
    /// the same applies to instants.
    pub(super) fn compare(&self, value: Value<'_>) -> Option<Ordering> {
        match (value, &self.instant) {
            (Value::Id(id), _) => Some(id_number(id).cmp(&self.id?)),
            (Value::Text(text), _) => self.compare_text(text),
            (Value::Instant(at), Some(instant)) => Some(at.to_utc().cmp(instant)),
            (Value::Instant(at), None) => self.compare_text(&at.to_string()),
        }
    }

    fn compare_text(&self, text: &str) -> Option<Ordering> {
        if let Some(instant) = &self.instant {
            return Some(read_instant(text)?.cmp(instant));
        }
        if let Some(number) = &self.number {
            return Some(Decimal::read(text)?.compare(number));
        }
        Some(self.compare_folded(text))
    }

    fn compare_folded(&self, text: &str) -> Ordering {
        if text.is_ascii() {
            // This is several times faster. The order is the same, because UTF-8 bytes sort like characters.
            return text.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(self.folded.bytes());
        }
        fold(text).cmp(self.folded.chars())
    }

    /// Returns true if a field's value equals the operand.
    pub(super) fn equals(&self, value: Value<'_>) -> bool {
        match (&self.address, value) {
            // In ASCII the key is the address in lower case, so the address is not parsed.
            (Some(own), Value::Text(text)) if text.is_ascii() => text.eq_ignore_ascii_case(own.key()),
            (Some(own), Value::Text(text)) => {
                EmailAddress::parse(text).is_ok_and(|address| address.same_as(own))
            }
            _ => self.compare(value).is_some_and(Ordering::is_eq),
        }
    }
}

/// Returns the number of an id in the type of operands.
pub(super) fn id_number(id: ContactId) -> i64 {
    // An id is below 2^53, so it fits.
    i64::try_from(id.number()).unwrap_or(i64::MAX)
}

/// Returns the text's characters without case. Both small letters for the Greek capital sigma become one.
pub(super) fn fold(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c })
}

pub(super) fn read_instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

/// Parses the further formats of instants, a date and milliseconds, for fields of the kind instant.
fn loose_instant(kind: Kind, text: &str) -> Option<DateTime<Utc>> {
    if kind != Kind::Instant {
        return None;
    }
    match parse_date(text) {
        Ok(date) => Some(date.and_time(NaiveTime::MIN).and_utc()),
        Err(_) => text.parse().ok().and_then(DateTime::from_timestamp_millis),
    }
}

impl Kind {
    /// Returns the operand as a condition repeats it. For fields of the kind instant it is the RFC 3339 instant in UTC
    /// that the operand means. All other operands are repeated as they are.
    pub(super) fn written(self, text: &str) -> String {
        let instant =
            (self == Self::Instant).then(|| read_instant(text).or_else(|| loose_instant(self, text)));
        let written = instant.flatten().map(|instant| {
            let is_exact = instant.timestamp_subsec_nanos().is_multiple_of(1_000_000);
            let digits = if is_exact { SecondsFormat::Millis } else { SecondsFormat::Nanos };
            (instant, instant.to_rfc3339_opts(digits, true))
        });
        // RFC 3339 has years of four digits only, but milliseconds may mean a later one.
        let written = written.filter(|(instant, written)| read_instant(written) == Some(*instant));
        written.map_or_else(|| text.to_owned(), |(_, written)| written)
    }
}
