//! The names of columns: those of this program, and those by which other programs say who has left.

use domain::property::{OWN_PREFIX, STORED_WITH_PREFIX, field_key};
use domain::unseen::is_blank;

use crate::flags::Flag;

/// The beginning of the name of a column that fills exactly one property.
pub(crate) const PROPERTY_PREFIX: &str = "property:";

/// The beginnings of names of columns that this program writes and never reads. Some names with [`OWN_PREFIX`] are those
/// of properties.
const OWN_PREFIXES: [&str; 3] = [OWN_PREFIX, "marketing.", "tidemark:"];

/// The names of columns that no file sets: parts of a contact, and the key and the marketing status of `HubSpot`.
const OWN: [&str; 6] =
    ["id", "created_at", "updated_at", "marketing", "record id", "marketing contact status"];

/// The names of columns in which yes means unsubscribed, by their letters.
///
/// `Subscribed`, `Opt-in` and `Consent` are not among them and are never compared by likeness. A column that means the
/// opposite would unsubscribe all others.
const UNSUBSCRIBED: [&str; 8] = [
    "unsubscribed",
    "unsubscribedfromallemail",
    "emailblacklisted",
    "donotemail",
    "optedout",
    "optedoutofemail",
    "hasoptedoutofemail",
    "emailoptout",
];

/// The names of columns in which yes means bounced, by their letters.
const BOUNCED: [&str; 3] = ["bounced", "emailbounced", "hardbounced"];

/// The name of Mailchimp's column with the time at which a contact left.
const UNSUBSCRIBED_TIME: &str = "unsubtime";

/// The name of Mailchimp's column with the time at which an address bounced.
const BOUNCED_TIME: &str = "cleantime";

/// The columns of programs whose files have a status: its name, and others by which the program is known.
const STATUSES: [(&str, &[&str]); 5] = [
    // ActiveCampaign.
    ("status", &["datecreated", "ip"]),
    // Constant Contact.
    ("emailstatus", &["emailpermissionstatus"]),
    // Kit.
    ("status", &["firstname", "createdat"]),
    // Klaviyo.
    ("emailmarketingconsent", &["klaviyoid"]),
    // listmonk.
    ("status", &["uuid", "attributes"]),
];

/// The name of a column.
pub(crate) struct Name {
    /// The name as shown: without surrounding spaces and control characters.
    pub(crate) shown: String,
    /// The name without words in brackets and marks at its end.
    pub(crate) bare: String,
    /// The letters and digits of the bare name, in lower case.
    pub(crate) letters: String,
    /// The key by which whole names compare.
    pub(crate) key: String,
}

impl Name {
    /// Reads the name in a cell of the header.
    pub(crate) fn of(cell: &str) -> Self {
        let shown: String = cell
            .trim_matches(is_blank)
            .chars()
            .map(|c| if c.is_whitespace() { ' ' } else { c })
            .filter(|c| !c.is_control())
            .collect();
        let bare = bare(&shown);
        let letters = bare.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        let key = field_key(&shown);
        Self { shown, bare, letters, key }
    }

    /// Returns true if the name has no visible character.
    pub(crate) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Returns true for a column that this program sets itself.
    pub(crate) fn is_own(&self) -> bool {
        let name = self.shown.to_lowercase();
        let is_own =
            |prefix: &&str| name.starts_with(*prefix) && !STORED_WITH_PREFIX.contains(&name.as_str());
        OWN.contains(&name.as_str()) || OWN_PREFIXES.iter().any(is_own)
    }

    /// Returns true for a column that has the address in no file, even if its name or its values say e-mail.
    pub(crate) fn is_never_the_address(&self) -> bool {
        self.is_own() || self.shown.starts_with(PROPERTY_PREFIX) || self.flag().is_some()
    }

    /// Returns the flag that a column of this name sets, whatever other columns there are.
    pub(crate) fn flag(&self) -> Option<Flag> {
        let name = self.letters.as_str();
        if UNSUBSCRIBED.contains(&name) {
            return Some(Flag::Unsubscribed);
        }
        if BOUNCED.contains(&name) {
            return Some(Flag::Bounced);
        }
        match name {
            UNSUBSCRIBED_TIME => Some(Flag::UnsubscribedIfFilled),
            BOUNCED_TIME => Some(Flag::BouncedIfFilled),
            _ => None,
        }
    }

    /// Returns true if the column may have a status, which its values decide.
    pub(crate) fn is_status(&self) -> bool {
        self.letters.contains("status") || STATUSES.iter().any(|(status, _)| self.letters == *status)
    }

    /// Returns true if the column has the status of a program that is known by its other columns.
    pub(crate) fn is_status_of_a_program(&self, header: &[Self]) -> bool {
        let has = |wanted: &&str| header.iter().any(|name| name.letters == *wanted);
        STATUSES.iter().any(|(status, others)| self.letters == *status && others.iter().all(has))
    }
}

/// Returns a name without words in round brackets, and without marks at its end.
fn bare(name: &str) -> String {
    let mut bare = String::with_capacity(name.len());
    let mut depth = 0_usize;
    for c in name.chars() {
        match c {
            '(' | '（' => depth += 1,
            ')' | '）' => depth = depth.saturating_sub(1),
            _ if depth == 0 => bare.push(c),
            _ => {}
        }
    }
    let trimmed = bare.trim_matches(|c: char| is_blank(c) || matches!(c, '*' | ':' | '†'));
    // A name of nothing but brackets keeps them.
    if trimmed.is_empty() { name.to_owned() } else { trimmed.to_owned() }
}
