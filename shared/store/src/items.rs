//! Stored items: their attributes, their entity tag and schema version, and their conversion to and from the domain.
//!
//! Every item contains its kind and the version of its schema. Both are checked when the item is read. The schema of a
//! version never changes: `tests/fixtures/items` has an item of each, which must always decode. Version 1 of some kinds
//! was removed before the first deployment.

mod accounts;
mod answers;
mod automations;
mod bulk;
mod contacts;
mod definitions;
mod exports;
mod forms;
mod history;
mod imports;
mod notices;
mod periods;
mod properties;
mod segments;
mod timeline;
mod totals;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use accounts::{
    AccountEntryItem, AccountItem, BearerItem, HoldingsItem, PortalItem, SessionItem, SignInCodeItem,
    TokenItem, TokenOwnerItem, UserItem,
};
pub(crate) use answers::{AnswerItem, AnswerPartItem, PartResultItem};
pub(crate) use automations::{
    AutomationItem, AutomationRunItem, AutomationStateItem, EnrolmentItem, TriggerItem, WaitingItem,
};
pub(crate) use bulk::{
    BulkDefinitionItem, BulkJobItem, BulkQueueItem, CountItem, ForecastItem, PartItem, SummaryItem,
};
pub(crate) use contacts::{AddressItem, ContactItem};
pub(crate) use definitions::{ChoiceItem, DefinitionCountsItem, DefinitionItem, GroupItem};
pub(crate) use exports::{ExportItem, StatementExportItem};
pub(crate) use forms::{
    DeliveryItem, FieldErrorItem, FormCountsItem, FormDayItem, FormEntryItem, FormItem, PendingItem,
    PersonItem, RejectedItem,
};
pub(crate) use history::{HistoryPageItem, decode_cause, decode_changes, encode_cause, encode_changes};
pub(crate) use imports::{
    ImportFileItem, ImportItem, ImportLayoutItem, ImportRowsItem, ImportSummaryItem, encode_results,
};
pub(crate) use notices::{FactItem, NoticeIdItem, NoticeItem};
pub(crate) use periods::{PeriodItem, SWEPT_AT, StatementItem, UNSWEPT};
pub(crate) use properties::{PropertyChangeItem, ValuesItem};
pub(crate) use segments::{FilterText, MemberItem, MembershipItem, SegmentItem};
pub(crate) use timeline::TimelineItem;
pub(crate) use totals::{COUNTED, COUNTED_AT, TotalsItem, additions};

use crate::StoreError;
use crate::keys::{Item, Key};

/// The attribute with an item's kind.
pub(crate) const ENTITY: &str = "entity";
/// The attribute with the version of an item's schema.
pub(crate) const VERSION: &str = "v";

/// A kind of stored item.
pub(crate) trait Entity: Serialize + DeserializeOwned {
    /// The name of the kind.
    const TAG: &'static str;
    /// The version of its schema that this code writes and reads.
    const SCHEMA: u32 = 1;
}

/// An item with a version that increases with every write.
pub(crate) trait Versioned: Entity {
    /// Returns the version.
    fn version(&self) -> u64;
}

/// Returns the item of `entity` under `key`.
///
/// # Errors
///
/// A fault if it can't be encoded.
pub(crate) fn encode<E: Entity>(key: Key, entity: &E) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(entity)
        .map_err(|error| StoreError::Fault(format!("could not encode a {}", E::TAG), Some(error.into())))?;
    item.extend(key.into_item());
    item.insert(ENTITY.to_owned(), AttributeValue::S(E::TAG.to_owned()));
    item.insert(VERSION.to_owned(), AttributeValue::N(E::SCHEMA.to_string()));
    Ok(item)
}

/// Decodes an item.
///
/// # Errors
///
/// A fault if the item is not an `E` in the version that this code knows, or can't be decoded.
pub(crate) fn decode<E: Entity>(item: Item) -> Result<E, StoreError> {
    let tag = item.get(ENTITY).and_then(|tag| tag.as_s().ok());
    let version = item.get(VERSION).and_then(|version| version.as_n().ok());
    if tag.map(String::as_str) != Some(E::TAG) || version != Some(&E::SCHEMA.to_string()) {
        return Err(StoreError::Fault(
            format!("expected a {} of version {}, found {tag:?} of version {version:?}", E::TAG, E::SCHEMA),
            None,
        ));
    }
    serde_dynamo::from_item(item).map_err(|error| {
        let cause = without_value(&error.to_string());
        StoreError::Fault(format!("could not decode a {}", E::TAG), Some(cause.into()))
    })
}

/// Returns the message of a decoding error without the stored value that it quotes. Faults are logged, and the value may be
/// personal.
fn without_value(message: &str) -> String {
    if message.starts_with("missing field") {
        return message.to_owned();
    }
    let until_quoted = message.split(['"', '\'', '`']).next().unwrap_or_default();
    until_quoted.trim_end().to_owned()
}

/// Returns a fault for an item whose attributes have the right types and an invalid value.
pub(crate) fn unreadable<E: Entity>(what: &'static str) -> StoreError {
    StoreError::Fault(format!("a stored {} has an unreadable {what}", E::TAG), None)
}

/// Returns a fault for an item of this kind under a key that is not of its form.
pub(crate) fn unreadable_key(kind: &str) -> StoreError {
    StoreError::Fault(format!("a stored {kind} has an unreadable key"), None)
}

/// The items of one batched read, by key.
#[derive(Default)]
pub(crate) struct Items(pub(crate) HashMap<Key, Item>);

impl Items {
    /// Removes and decodes the item under `key`, if there is one.
    ///
    /// # Errors
    ///
    /// The errors of [`decode`].
    pub(crate) fn take<E: Entity>(&mut self, key: &Key) -> Result<Option<E>, StoreError> {
        self.0.remove(key).map(decode).transpose()
    }
}

/// Serde for instants that are stored as numbers, their Unix milliseconds. They have a third of the text's size.
pub(crate) mod as_millis {
    use domain::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.millis())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_millis)
    }

    /// The same for optional values.
    pub(crate) mod option {
        use domain::Timestamp;
        use serde::{Deserialize as _, Deserializer, Serializer};

        pub(crate) fn serialize<S: Serializer>(
            at: &Option<Timestamp>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match at {
                Some(at) => serializer.serialize_i64(at.millis()),
                None => serializer.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            Ok(Option::<i64>::deserialize(deserializer)?.map(Timestamp::from_millis))
        }
    }
}

/// Serde for types that are stored as text.
pub(crate) mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }

    /// The same for optional values.
    pub(crate) mod option {
        use std::fmt::Display;
        use std::str::FromStr;

        use serde::{Deserialize as _, Deserializer, Serializer, de::Error};

        pub(crate) fn serialize<T: Display, S: Serializer>(
            value: &Option<T>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => serializer.collect_str(value),
                None => serializer.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<T>, D::Error> {
            Option::<String>::deserialize(deserializer)?
                .map(|text| text.parse().map_err(D::Error::custom))
                .transpose()
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::ids::{AccountId, ContactId};

    use super::*;

    #[test]
    fn item_of_another_kind_or_version_is_a_fault() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let (account, contact) = (AccountId::new(now, 1), ContactId::new(now, 2));
        let item = encode(Key::contact(account, contact), &AddressItem { contact }).unwrap();
        assert_eq!(decode::<AddressItem>(item.clone()).unwrap().contact, contact);
        for (name, other) in
            [(VERSION, AttributeValue::N("3".to_owned())), (ENTITY, AttributeValue::S("contact".to_owned()))]
        {
            let mut item = item.clone();
            item.insert(name.to_owned(), other);
            assert!(matches!(decode::<AddressItem>(item.clone()), Err(StoreError::Fault(..))), "{name}");
            item.remove(name);
            assert!(matches!(decode::<AddressItem>(item), Err(StoreError::Fault(..))), "without {name}");
        }
    }

    #[test]
    fn fault_does_not_repeat_an_unreadable_value() {
        for (message, expected) in [
            ("invalid type: string \"wanda@x\", expected u64", "invalid type: string"),
            ("invalid value: integer `31612345678`, expected a text", "invalid value: integer"),
            ("Failed to parse 'wanda's' as an integer", "Failed to parse"),
            ("unknown variant `wanda`, expected `marketing`", "unknown variant"),
            ("missing field `contact`", "missing field `contact`"),
        ] {
            assert_eq!(without_value(message), expected);
        }
        let now = Timestamp::from_millis(1_800_000_000_000);
        let (account, contact) = (AccountId::new(now, 1), ContactId::new(now, 2));
        let mut item = encode(Key::contact(account, contact), &AddressItem { contact }).unwrap();
        item.insert("contact".to_owned(), AttributeValue::S("wanda@x.example".to_owned()));
        let Err(StoreError::Fault(text, Some(cause))) = decode::<AddressItem>(item) else {
            panic!("decoded")
        };
        assert!(!format!("{text} {cause}").contains("wanda"), "{text} {cause}");
    }
}
