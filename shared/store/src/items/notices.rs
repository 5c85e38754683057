//! Notices: events that are stored for the account.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::event::{EventId, EventType, Fact};
use serde::{Deserialize, Serialize};

use super::{Entity, as_text};

/// An event that the account can read. Its sort key begins with the instant.
#[derive(Serialize, Deserialize)]
pub(crate) struct NoticeItem {
    #[serde(with = "as_text")]
    pub(crate) id: EventId,
    #[serde(with = "as_text")]
    pub(crate) kind: EventType,
    #[serde(with = "as_text")]
    pub(crate) at: Timestamp,
    pub(crate) facts: BTreeMap<String, FactItem>,
    pub(crate) expires_at: i64,
}

/// A fact of a notice.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum FactItem {
    Number(u64),
    Text(String),
}

impl Entity for NoticeItem {
    const TAG: &'static str = "notice";
}

impl From<Fact> for FactItem {
    fn from(fact: Fact) -> Self {
        match fact {
            Fact::Number(number) => Self::Number(number),
            Fact::Text(text) => Self::Text(text),
        }
    }
}

impl From<FactItem> for Fact {
    fn from(fact: FactItem) -> Self {
        match fact {
            FactItem::Number(number) => Self::Number(number),
            FactItem::Text(text) => Self::Text(text),
        }
    }
}

/// The mark that an event is stored, by its id alone. Two records may tell the same event at different instants.
#[derive(Serialize, Deserialize)]
pub(crate) struct NoticeIdItem {
    pub(crate) expires_at: i64,
}

impl Entity for NoticeIdItem {
    const TAG: &'static str = "notice-id";
}
