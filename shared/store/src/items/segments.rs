//! Segments, and the members of static lists.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::filter::{Condition, ConditionParts, Filter};
use domain::ids::{ContactId, SegmentId};
use serde::{Deserialize, Serialize};

use super::{Entity, as_millis, as_text, unreadable};
use crate::StoreError;

/// A segment.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SegmentItem {
    #[serde(with = "as_text")]
    pub(crate) id: SegmentId,
    pub(crate) name: String,
    /// The filter. A static list has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<FilterText>,
    /// An upper bound of the number of members of a static list, for its limit.
    #[serde(default)]
    pub(crate) members: u64,
    /// The number of contacts in the latest complete count, and its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counted: Option<u64>,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) counted_at: Option<Timestamp>,
    /// The automations whose trigger it is.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", with = "serde_dynamo::string_set")]
    pub(crate) used_by: BTreeSet<String>,
    #[serde(with = "as_text")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "as_text")]
    pub(crate) updated_at: Timestamp,
    pub(crate) version: u64,
}

impl Entity for SegmentItem {
    const TAG: &'static str = "segment";
}

/// A filter as JSON: groups of conditions, each with the parts that the request had.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct FilterText(String);

/// The parts of a condition.
#[derive(Serialize, Deserialize)]
struct ConditionItem {
    name: String,
    operator: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    values: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    high_value: Option<String>,
}

impl From<&Condition> for ConditionItem {
    fn from(condition: &Condition) -> Self {
        let ConditionParts { name, operator, value, values, high_value } = condition.parts().clone();
        Self { name, operator: operator.to_string(), value, values, high_value }
    }
}

impl FilterText {
    /// Returns the text of a filter.
    ///
    /// # Errors
    ///
    /// A fault if it can't be encoded.
    pub(crate) fn of(filter: &Filter) -> Result<Self, StoreError> {
        let groups: Vec<Vec<ConditionItem>> =
            filter.groups().iter().map(|group| group.iter().map(ConditionItem::from).collect()).collect();
        let text = serde_json::to_string(&groups)
            .map_err(|error| StoreError::Fault("could not encode a filter".to_owned(), Some(error.into())))?;
        Ok(Self(text))
    }

    /// Returns the size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Returns the filter.
    ///
    /// # Errors
    ///
    /// A fault if the text is not a filter.
    pub(crate) fn filter(&self) -> Result<Filter, StoreError> {
        let groups: Vec<Vec<ConditionItem>> = serde_json::from_str(&self.0)
            .map_err(|error| StoreError::Fault("could not decode a filter".to_owned(), Some(error.into())))?;
        let groups = groups.into_iter().map(|group| group.into_iter().map(ConditionItem::read).collect());
        let unreadable = |_| unreadable::<SegmentItem>("filter");
        Filter::new(groups.collect::<Result<_, _>>()?).map_err(unreadable)
    }
}

impl ConditionItem {
    fn read(self) -> Result<Condition, StoreError> {
        let Self { name, operator, value, values, high_value } = self;
        let operator = operator.parse().map_err(|_| unreadable::<SegmentItem>("operator"))?;
        let parts = ConditionParts { name, operator, value, values, high_value };
        Condition::from_parts(parts).map_err(|_| unreadable::<SegmentItem>("condition"))
    }
}

/// A member of a static list. The sort key is the contact's id.
///
/// A deleted contact may return with the same id. So the item contains the contact's time of creation, and is valid only
/// for a contact with the same one.
#[derive(Serialize, Deserialize)]
pub(crate) struct MemberItem {
    #[serde(with = "as_millis")]
    pub(crate) created_at: Timestamp,
    /// The instant at which the contact was added, by the wall clock.
    #[serde(with = "as_millis::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) added_at: Option<Timestamp>,
}

impl Entity for MemberItem {
    const TAG: &'static str = "member";
}

/// A contact's membership in a static list. With it, a deleted contact is removed from its lists. The sort key is the
/// segment's id, and the other attributes are those of every item.
#[derive(Serialize, Deserialize)]
pub(crate) struct MembershipItem {
    #[serde(with = "as_text")]
    pub(crate) contact: ContactId,
    #[serde(with = "as_text")]
    pub(crate) segment: SegmentId,
}

impl Entity for MembershipItem {
    const TAG: &'static str = "membership";
}
