//! Stored items as the checks read them: raw attributes, without the program's code.

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use domain::Timestamp;
use testkit::{RawItem, RawKey};

use crate::model::rules::{Kept, Moved};

/// The whole table.
pub type Items = BTreeMap<RawKey, RawItem>;

/// The kind of an item, by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    Account,
    Period,
    Statement,
    Contact(&'a str),
    Address(&'a str),
    History(&'a str),
    /// The response stored for an `Idempotency-Key`.
    Answer,
    /// The stored result of one of several transactions of a request.
    Part,
    Delivery,
    /// One part of a form's counts.
    FormCounts,
    /// The number of contacts that a form set on its latest day.
    FormDay,
    /// A bulk job with its progress.
    BulkJob,
    /// An import with its progress.
    Import,
    /// The results of some rows of an import.
    ImportRows,
    Other,
}

/// Returns the account or form that a key belongs to, and the kind of the item.
pub fn kind<'a>((pk, sk): &'a RawKey) -> (Option<&'a str>, Kind<'a>) {
    let mut parts = pk.splitn(3, '#');
    let (Some(prefix), account) = (parts.next(), parts.next()) else { return (None, Kind::Other) };
    let rest = parts.next().unwrap_or_default();
    let kind = match (prefix, sk.as_str()) {
        ("ACCOUNT", "ACCOUNT") => Kind::Account,
        ("ACCOUNT", "PERIOD") => Kind::Period,
        ("ACCOUNT", sk) if sk.starts_with("STATEMENT#") => Kind::Statement,
        ("ACCOUNT", sk) if sk.starts_with("JOB#") => Kind::BulkJob,
        ("ACCOUNT", sk) if sk.starts_with("IMPORT#") => Kind::Import,
        ("IMPORT", sk) if sk.starts_with("ROWS#") => Kind::ImportRows,
        // The sort key is the id with leading zeros.
        ("CONTACT", sk) => Kind::Contact(contact_id(sk)),
        ("EMAIL", _) => Kind::Address(rest),
        ("HISTORY", _) => Kind::History(rest),
        ("IDEMPOTENCY", "ANSWER") => Kind::Answer,
        ("IDEMPOTENCY", _) => Kind::Part,
        ("SEEN", _) => Kind::Delivery,
        ("FORM_COUNTS", _) => Kind::FormCounts,
        ("FORM_DAY", _) => Kind::FormDay,
        _ => Kind::Other,
    };
    let owned = !matches!(prefix, "TOKEN" | "FORM");
    (account.filter(|_| owned), kind)
}

/// Returns the id of the contact with this sort key.
pub fn contact_id(sk: &str) -> &str {
    sk.trim_start_matches('0')
}

pub fn text<'a>(item: &'a RawItem, name: &str) -> Option<&'a str> {
    item[name]["S"].as_str()
}

pub fn number(item: &RawItem, name: &str) -> Option<u64> {
    let text = item[name]["N"].as_str()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text}")))
}

/// Returns an instant, which is a text in some items and a number of milliseconds in others.
fn instant(item: &RawItem, name: &str) -> Timestamp {
    match text(item, name) {
        Some(text) => text.parse().expect("an instant"),
        None => millis(number(item, name).expect("an instant")),
    }
}

fn millis(millis: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(millis).expect("an instant of this age"))
}

/// The stored period of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawPeriod {
    pub number: u64,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub marketing: u64,
    pub leaving: u64,
    pub cap: Option<u64>,
    pub tier_limit: u64,
    pub forms_may_raise_tier: bool,
    pub marketing_contacts: bool,
    pub clock: Option<Timestamp>,
}

impl RawPeriod {
    pub fn of(item: &RawItem) -> Self {
        Self {
            number: number(item, "number").expect("a number"),
            starts_at: instant(item, "starts_at"),
            ends_at: instant(item, "ends_at"),
            marketing: number(item, "marketing").expect("a usage"),
            leaving: number(item, "leaving").expect("a count"),
            cap: number(item, "cap"),
            tier_limit: number(item, "tier_limit").expect("a limit"),
            forms_may_raise_tier: item["forms_may_raise_tier"]["BOOL"].as_bool().unwrap_or_default(),
            marketing_contacts: item["marketing_contacts"]["BOOL"].as_bool().expect("a switch"),
            clock: text(item, "test_clock").map(|text| text.parse().expect("an instant")),
        }
    }

    /// Describes each attribute that differs from the other period's.
    pub fn differences(&self, other: &Self) -> String {
        let mut differences = Vec::new();
        let mut compare = |name: &str, [this, that]: [&dyn fmt::Debug; 2]| {
            let [this, that] = [format!("{this:?}"), format!("{that:?}")];
            if this != that {
                differences.push(format!("{name} is {this}, expected {that}"));
            }
        };
        compare("number", [&self.number, &other.number]);
        compare("starts_at", [&self.starts_at, &other.starts_at]);
        compare("ends_at", [&self.ends_at, &other.ends_at]);
        compare("marketing", [&self.marketing, &other.marketing]);
        compare("leaving", [&self.leaving, &other.leaving]);
        compare("cap", [&self.cap, &other.cap]);
        compare("tier_limit", [&self.tier_limit, &other.tier_limit]);
        compare("forms_may_raise_tier", [&self.forms_may_raise_tier, &other.forms_may_raise_tier]);
        compare("marketing_contacts", [&self.marketing_contacts, &other.marketing_contacts]);
        compare("clock", [&self.clock, &other.clock]);
        differences.join(", ")
    }
}

/// Returns true if a delivery waits in the inbox.
pub fn waits(item: &RawItem) -> bool {
    item.get("pending").is_some()
}

/// Returns the result that a delivery's item stores.
pub fn remembered(item: &RawItem) -> String {
    let word = |name| text(item, name).unwrap_or_default();
    let reason = text(item, "reason").map(|reason| format!(" {reason}")).unwrap_or_default();
    format!("{} {}{reason}", word("contact"), word("marketing"))
}

/// Returns the counts in a part of a form's counts. Duplicates are excluded, because the store counts them in a
/// separate write.
pub fn form_counts(item: &RawItem) -> impl Iterator<Item = (&str, i64)> {
    let attributes = item.as_object().expect("an item").iter();
    let counted =
        attributes.filter(|(name, _)| !matches!(name.as_str(), "pk" | "sk" | "entity" | "v" | "duplicates"));
    counted.map(|(name, value)| {
        (name.as_str(), value["N"].as_str().expect("a count").parse().expect("a number"))
    })
}

/// Returns a form's stored day and the number of contacts that it set on it.
pub fn form_day(item: &RawItem) -> (NaiveDate, u64) {
    let day = text(item, "day").and_then(|day| day.parse().ok()).expect("a day");
    (day, number(item, "new_marketing").expect("a count"))
}

/// Returns a stored statement: the number, the end, the usage, and the number of contacts that left.
pub fn statement(item: &RawItem) -> (u64, Timestamp, u64, u64) {
    (
        number(item, "number").expect("a number"),
        instant(item, "ends_at"),
        number(item, "marketing").expect("a usage"),
        number(item, "left").expect("a count"),
    )
}

/// A stored contact.
#[derive(Clone, Debug)]
pub struct RawContact {
    pub state: Kept,
    pub queued_in: Option<u64>,
    pub address: Option<String>,
    pub note: Option<u64>,
    pub deleted: bool,
    pub updated_at: Timestamp,
    pub earlier: u64,
    pub recent: Vec<RawMoved>,
}

/// One stored entry of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawMoved {
    pub at: Timestamp,
    pub from: Option<Kept>,
    pub to: Kept,
    pub through: String,
    pub actor: String,
}

impl RawMoved {
    /// Parses a change: two letters for the states, the index of the cause, and the instant.
    fn of(change: &str, causes: &[Vec<&str>]) -> Self {
        let (states, rest) = change.split_at(2);
        let mut states = states.chars().map(letter);
        let mut state = || states.next().expect("two states");
        let (from, to) = (state(), state());
        let (place, at) = rest.split_once('.').expect("a cause and an instant");
        let cause = &causes[usize::from_str_radix(place, 36).expect("a place")];
        let actor = match cause[0].split('_').next() {
            Some("usr") => "user",
            Some("int") => "integration",
            Some("frm") => "form",
            Some("") => "system",
            other => panic!("unexpected actor {other:?}"),
        };
        Self {
            at: millis(u64::from_str_radix(at, 36).expect("an instant")),
            from,
            to: to.expect("a state"),
            through: cause[1].to_owned(),
            actor: actor.to_owned(),
        }
    }

    /// Returns true if the states, the source and the actor match the rules. The instant may be later.
    pub fn is_like(&self, moved: &Moved) -> bool {
        let actor = match self.through.as_str() {
            "form" | "external_form" => "form",
            "integration" => "integration",
            "update_date" => "system",
            _ => "user",
        };
        (self.from, self.to) == (moved.from, moved.to)
            && self.at >= moved.at
            && self.through == moved.through
            && self.actor == actor
    }

    /// Returns true if the entry and its instant match the rules.
    pub fn is(&self, moved: &Moved) -> bool {
        self.is_like(moved) && self.at == moved.at
    }
}

fn kept(state: &str) -> Kept {
    match state {
        "non_marketing" => Kept::NonMarketing,
        "marketing" => Kept::Marketing,
        "leaving" => Kept::Leaving,
        other => panic!("unexpected state {other}"),
    }
}

fn letter(letter: char) -> Option<Kept> {
    match letter {
        '-' => None,
        'n' => Some(Kept::NonMarketing),
        'm' => Some(Kept::Marketing),
        'l' => Some(Kept::Leaving),
        other => panic!("unexpected letter of a state: {other}"),
    }
}

/// Parses the changes in a text attribute, which contains the causes and then the changes.
pub fn history(item: &RawItem, name: &str) -> Vec<RawMoved> {
    let Some(changes) = text(item, name) else { return Vec::new() };
    let (causes, changes) = changes.split_once('|').expect("causes and changes");
    let causes: Vec<Vec<&str>> = causes.split(';').map(|cause| cause.split(',').collect()).collect();
    changes.split(',').map(|change| RawMoved::of(change, &causes)).collect()
}

impl RawContact {
    pub fn of(item: &RawItem) -> Self {
        Self {
            state: text(item, "state").map(kept).expect("a state"),
            queued_in: number(item, "queued_in"),
            address: text(item, "email_key").or_else(|| text(item, "email")).map(str::to_owned),
            note: text(&item["properties"]["M"], NOTE).map(|text| text.parse().expect("a note")),
            deleted: !item["deleted_at"].is_null(),
            updated_at: instant(item, "updated_at"),
            earlier: number(item, "history_earlier").unwrap_or_default(),
            recent: history(item, "history"),
        }
    }

    /// Returns true if the contact has left by the period `current`, but its item still has the earlier state.
    pub fn has_left(&self, current: u64) -> bool {
        self.queued_in.is_some_and(|queued_in| queued_in < current)
    }

    /// Returns the contact's state in the period `current`.
    pub fn state_in(&self, current: u64) -> Kept {
        if self.has_left(current) { Kept::NonMarketing } else { self.state }
    }

    /// Returns the number of entries in the contact's history in the period `current`.
    pub fn moves_in(&self, current: u64) -> u64 {
        self.earlier + self.recent.len() as u64 + u64::from(self.has_left(current))
    }
}

/// The only property of the simulation's contacts.
pub const NOTE: &str = "note";
