//! Sources and changes, which stand in contacts and in pages of their history.

use domain::Timestamp;
use domain::ids::{FormId, IntegrationId, UserId};
use domain::marketing::{Change, State};
use domain::source::{Actor, Source, SourceType};
use serde::{Deserialize, Serialize};

use super::{Entity, as_text};

/// A source as stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct SourceItem {
    #[serde(rename = "type", with = "as_text")]
    kind: SourceType,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

impl From<&Source> for SourceItem {
    fn from(source: &Source) -> Self {
        Self { kind: source.kind, name: source.name.clone(), id: source.id.clone() }
    }
}

impl From<SourceItem> for Source {
    fn from(item: SourceItem) -> Self {
        Self { kind: item.kind, name: item.name, id: item.id }
    }
}

/// An actor as stored.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ActorItem {
    User {
        #[serde(with = "as_text")]
        id: UserId,
    },
    Integration {
        #[serde(with = "as_text")]
        id: IntegrationId,
    },
    Form {
        #[serde(with = "as_text")]
        id: FormId,
    },
    System,
}

impl From<Actor> for ActorItem {
    fn from(actor: Actor) -> Self {
        match actor {
            Actor::User(id) => Self::User { id },
            Actor::Integration(id) => Self::Integration { id },
            Actor::Form(id) => Self::Form { id },
            Actor::System => Self::System,
        }
    }
}

impl From<ActorItem> for Actor {
    fn from(item: ActorItem) -> Self {
        match item {
            ActorItem::User { id } => Self::User(id),
            ActorItem::Integration { id } => Self::Integration(id),
            ActorItem::Form { id } => Self::Form(id),
            ActorItem::System => Self::System,
        }
    }
}

/// A change of state as stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct ChangeItem {
    #[serde(with = "as_text")]
    at: Timestamp,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    from: Option<State>,
    #[serde(with = "as_text")]
    to: State,
    source: SourceItem,
    actor: ActorItem,
}

impl From<&Change> for ChangeItem {
    fn from(change: &Change) -> Self {
        let Change { at, from, to, source, actor } = change;
        Self { at: *at, from: *from, to: *to, source: source.into(), actor: (*actor).into() }
    }
}

impl From<ChangeItem> for Change {
    fn from(item: ChangeItem) -> Self {
        let ChangeItem { at, from, to, source, actor } = item;
        Self { at, from, to, source: source.into(), actor: actor.into() }
    }
}

/// A page of changes, oldest first. Its key says the number of the first; what it holds never changes.
#[derive(Serialize, Deserialize)]
pub(crate) struct HistoryPageItem {
    pub(crate) first: u64,
    pub(crate) changes: Vec<ChangeItem>,
}

impl Entity for HistoryPageItem {
    const TAG: &'static str = "history";
}
