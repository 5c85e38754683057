//! The columns that say who has left: `unsubscribed`, `bounced`, and the statuses of other programs.

use domain::property::field_key;
use domain::unseen::{is_blank, is_visible};
use serde::{Deserialize, Serialize};

/// The meaning of a flag column, which determines the texts that it may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Flag {
    /// Yes means unsubscribed.
    Unsubscribed,
    /// Yes means bounced.
    Bounced,
    /// A status, of which some mean unsubscribed and some bounced. Yes and no mean nothing in it.
    Status,
    /// Any text means unsubscribed: the time of it.
    UnsubscribedIfFilled,
    /// Any text means bounced: the time of it.
    BouncedIfFilled,
}

/// The facts that a row states about its address. `None` is a fact of which the row says nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) unsubscribed: Option<bool>,
    pub(crate) bounced: Option<bool>,
}

/// The meaning of one text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Meaning {
    Yes,
    No,
    Unsubscribed,
    Bounced,
    /// Subscribed, which says nothing of bounces.
    Subscribed,
    /// Reachable in every respect.
    Active,
    /// A status that is neither, such as a subscription that was never confirmed.
    Neither,
}

/// The words for yes, in the languages of the usual names, and the signs for it.
const YES: [&str; 34] = [
    "yes",
    "y",
    "true",
    "t",
    "1",
    "x",
    "on",
    "✓",
    "✔",
    "☑",
    "ja",
    "j",
    "wahr",
    "waar",
    "oui",
    "vrai",
    "sí",
    "si",
    "sì",
    "s",
    "sim",
    "verdadero",
    "verdadeiro",
    "vero",
    "tak",
    "prawda",
    "ano",
    "pravda",
    "igen",
    "igaz",
    "kyllä",
    "tosi",
    "да",
    "はい",
];

/// The words for no, in the same languages.
const NO: [&str; 28] = [
    "no",
    "n",
    "false",
    "f",
    "0",
    "off",
    "nein",
    "falsch",
    "nee",
    "onwaar",
    "non",
    "faux",
    "falso",
    "não",
    "nao",
    "nie",
    "fałsz",
    "ne",
    "nepravda",
    "nem",
    "hamis",
    "ei",
    "epätosi",
    "nej",
    "nei",
    "usann",
    "нет",
    "いいえ",
];

/// The statuses of a contact that has left, or was removed for complaints.
const LEFT: [&str; 24] = [
    "unsubscribed",
    "unsubscribe",
    "opted out",
    "opted-out",
    "opt-out",
    "opt out",
    "optout",
    "opted_out",
    "blocklisted",
    "blacklisted",
    "blocked",
    "cancelled",
    "canceled",
    "complained",
    "complaint",
    "spam complaint",
    "suppressed",
    "removed",
    "abgemeldet",
    "afgemeld",
    "désabonné",
    "désinscrit",
    "disiscritto",
    "dado de baja",
];

/// The statuses of an address that has bounced for good.
const BOUNCED: [&str; 7] =
    ["bounced", "bounce", "hard", "hard bounce", "hard bounced", "hard-bounced", "cleaned"];

/// The statuses of orders and memberships too. By themselves they do not show that a column has the status of an address.
const AMBIGUOUS: [&str; 5] = ["blocked", "cancelled", "canceled", "removed", "hard"];

/// The statuses of an address that may be written to.
const ACTIVE: [&str; 4] = ["active", "enabled", "confirmed", "valid"];

/// The statuses of an address that is neither.
const NEITHER: [&str; 15] = [
    "never_subscribed",
    "never subscribed",
    "non-subscribed",
    "non-subscriber",
    "not subscribed",
    "unconfirmed",
    "pending",
    "awaiting confirmation",
    "inactive",
    "disabled",
    "temp hold",
    "temporary hold",
    "soft",
    "soft bounce",
    "soft bounced",
];

impl Flag {
    /// Returns the facts that a cell of the column states, or `None` if its text has no known meaning.
    pub(crate) fn read(self, cell: &str) -> Option<Facts> {
        let yes = Some(true);
        if !is_visible(cell) {
            return Some(Facts::default());
        }
        let meaning = meaning(cell);
        if self == Self::UnsubscribedIfFilled || self == Self::BouncedIfFilled {
            let is_filled = meaning != Some(Meaning::No);
            return Some(self.fact(is_filled));
        }
        Some(match (meaning?, self) {
            (Meaning::Yes | Meaning::No, Self::Status) => return None,
            (Meaning::Yes, _) => self.fact(true),
            (Meaning::No, _) => self.fact(false),
            (Meaning::Unsubscribed, _) => Facts { unsubscribed: yes, bounced: None },
            (Meaning::Bounced, _) => Facts { unsubscribed: None, bounced: yes },
            (Meaning::Active, Self::Status) => Facts { unsubscribed: Some(false), bounced: Some(false) },
            (Meaning::Active, _) => self.fact(false),
            (Meaning::Subscribed, Self::Bounced) | (Meaning::Neither, _) => Facts::default(),
            (Meaning::Subscribed, _) => Facts { unsubscribed: Some(false), bounced: None },
        })
    }

    fn fact(self, value: bool) -> Facts {
        match self {
            Self::Bounced | Self::BouncedIfFilled => Facts { unsubscribed: None, bounced: Some(value) },
            _ => Facts { unsubscribed: Some(value), bounced: None },
        }
    }
}

impl Facts {
    /// Adds the facts of another column. Of two columns that differ, the one that says yes counts.
    pub(crate) fn add(&mut self, other: Self) {
        let add = |mine: &mut Option<bool>, other: Option<bool>| *mine = (*mine).max(other);
        add(&mut self.unsubscribed, other.unsubscribed);
        add(&mut self.bounced, other.bounced);
    }
}

/// Returns true if the text is a status of an address.
pub(crate) fn is_status(cell: &str) -> bool {
    !matches!(meaning(cell), None | Some(Meaning::Yes | Meaning::No))
}

/// Returns true if the text is the status of an address that has left or bounced, and means nothing else.
pub(crate) fn is_leaving(cell: &str) -> bool {
    matches!(meaning(cell), Some(Meaning::Unsubscribed | Meaning::Bounced))
        && !AMBIGUOUS.contains(&word(cell).as_str())
}

/// Returns the text by which words compare.
fn word(cell: &str) -> String {
    field_key(cell.trim_matches(is_blank))
}

fn meaning(cell: &str) -> Option<Meaning> {
    let word = word(cell);
    let is = |words: &[&str]| words.contains(&word.as_str());
    if is(&YES) {
        return Some(Meaning::Yes);
    }
    if is(&NO) {
        return Some(Meaning::No);
    }
    if is(&LEFT) {
        return Some(Meaning::Unsubscribed);
    }
    if is(&BOUNCED) {
        return Some(Meaning::Bounced);
    }
    if is(&ACTIVE) {
        return Some(Meaning::Active);
    }
    if word == "subscribed" {
        return Some(Meaning::Subscribed);
    }
    if is(&NEITHER) {
        return Some(Meaning::Neither);
    }
    time(&word)
}

/// Returns the meaning of a date or a time: yes, or no for the time nought that databases write for none.
fn time(word: &str) -> Option<Meaning> {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '/' | '.' | ':' | '+' | ' ' | 't' | 'z');
    let clock = word.strip_suffix("am").or_else(|| word.strip_suffix("pm")).unwrap_or(word);
    let clock = clock.strip_suffix("utc").unwrap_or(clock);
    let date = clock.split([' ', 't']).next().unwrap_or_default();
    let numbers: Vec<&str> = date.split(['-', '/', '.']).collect();
    let is_date = numbers.len() == 3
        && numbers
            .iter()
            .all(|part| matches!(part.len(), 1..=4) && part.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_date || !clock.chars().all(is_part) {
        return None;
    }
    let is_nought = date.chars().all(|c| matches!(c, '0' | '-' | '/' | '.'));
    Some(if is_nought { Meaning::No } else { Meaning::Yes })
}
