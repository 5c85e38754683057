//! Searches by `lastmodifieddate`, which incremental syncs send. They read the index of changes.

use std::ops::RangeInclusive;

use domain::Timestamp;
use domain::filter::{Condition, FieldName, Operator};
use domain::ids::ContactId;
use serde_json::Value;
use store::{ChangeOrder, ChangedContacts, ChangedResult};

use super::order::Order;
use super::{Found, Place};
use crate::envelope::Failure;
use crate::session::Session;

/// A search whose conditions are ranges of `lastmodifieddate` and of ids alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ChangedQuery {
    changed: RangeInclusive<Timestamp>,
    ids: RangeInclusive<ContactId>,
    order: ChangeOrder,
}

impl ChangedQuery {
    /// Returns the query for a search, or `None` if the index can't answer it.
    pub(super) fn of(groups: &[Vec<Condition>], body: &Value, order: &Order) -> Option<Self> {
        let [group] = groups else { return None };
        let has_query =
            body.get("query").and_then(Value::as_str).is_some_and(|query| !query.trim().is_empty());
        let order = match order.sort() {
            _ if has_query => return None,
            sort if sort.is_by_id() => ChangeOrder::Id(sort.direction),
            sort if sort.field == FieldName::UpdatedAt => ChangeOrder::Instant(sort.direction),
            _ => return None,
        };
        let mut query = Self {
            changed: Timestamp::MIN..=Timestamp::MAX,
            ids: ContactId::LOWEST..=ContactId::HIGHEST,
            order,
        };
        let mut is_by_change = false;
        for condition in group {
            match condition.field() {
                FieldName::UpdatedAt => {
                    is_by_change = true;
                    query.changed = within(query.changed, instants(condition)?);
                }
                FieldName::HsObjectId => query.ids = within(query.ids, ids(condition)?),
                _ => return None,
            }
        }
        is_by_change.then_some(query)
    }

    /// Returns a page, or `None` if the index is not there or not complete.
    pub(super) async fn find(self, session: &Session, place: Place) -> Result<Option<Found>, Failure> {
        let Self { changed, ids, order } = self;
        let Place { offset, limit } = place;
        let request = ChangedContacts { account: session.account(), changed, ids, order, offset, limit };
        match session.context.store.changed_contacts(&request, session.now()).await? {
            ChangedResult::Page(page) => {
                Ok(Some(Found { contacts: page.contacts, period: page.period, total: page.total }))
            }
            ChangedResult::NotIndexed => Ok(None),
            ChangedResult::TooMany => Err(super::too_large()),
        }
    }
}

fn within<T: Copy + Ord>(one: RangeInclusive<T>, other: RangeInclusive<T>) -> RangeInclusive<T> {
    *one.start().max(other.start())..=*one.end().min(other.end())
}

/// Returns the instants that a condition requires, or `None` for one that is no range.
fn instants(condition: &Condition) -> Option<RangeInclusive<Timestamp>> {
    let (all, step) =
        (Timestamp::MIN..=Timestamp::MAX, |at: Timestamp, by| Timestamp::from_millis(at.millis() + by));
    let parts = condition.parts();
    let at = || instant(parts.value.as_deref()?);
    Some(match parts.operator {
        Operator::Eq => at()?..=at()?,
        Operator::Gte => at()?..=*all.end(),
        Operator::Gt => step(at()?, 1)..=*all.end(),
        Operator::Lte => *all.start()..=at()?,
        Operator::Lt => *all.start()..=step(at()?, -1),
        Operator::Between => at()?..=instant(parts.high_value.as_deref()?)?,
        _ => return None,
    })
}

/// Parses an operand, which the condition has brought to the form of RFC 3339.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn ids(condition: &Condition) -> Option<RangeInclusive<ContactId>> {
    let (lowest, highest) = (ContactId::LOWEST, ContactId::HIGHEST);
    let parts = condition.parts();
    let number = |text: &Option<String>| text.as_deref()?.parse::<u64>().ok();
    let id = |number: u64| ContactId::from_number(number);
    let value = number(&parts.value)?;
    Some(match parts.operator {
        Operator::Eq => id(value)?..=id(value)?,
        // 0 is below each id, so syncs begin with it.
        Operator::Gte => id(value).unwrap_or(lowest)..=highest,
        Operator::Gt => id(value.checked_add(1)?)?..=highest,
        Operator::Lte => lowest..=id(value)?,
        Operator::Lt => lowest..=id(value.checked_sub(1)?)?,
        Operator::Between => id(value)?..=id(number(&parts.high_value)?)?,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use domain::filter::Direction;
    use serde_json::json;

    use super::super::conditions::groups;
    use super::*;

    fn query(body: &Value) -> Option<ChangedQuery> {
        ChangedQuery::of(&groups(body).unwrap(), body, &Order::read(body.get("sorts")).unwrap())
    }

    #[test]
    fn search_of_a_sync_reads_the_index() {
        let found = query(&json!({
            "filters": [
                {"propertyName": "lastmodifieddate", "operator": "GTE", "value": 1_795_377_541_123_i64},
                {"propertyName": "lastmodifieddate", "operator": "LT", "value": "2026-11-29T00:00:00.000Z"},
                {"propertyName": "hs_object_id", "operator": "GTE", "value": 0},
            ],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        }))
        .unwrap();
        assert_eq!(*found.changed.start(), Timestamp::from_millis(1_795_377_541_123));
        assert_eq!(found.changed.end().to_string(), "2026-11-28T23:59:59.999Z");
        assert_eq!(found.ids, ContactId::LOWEST..=ContactId::HIGHEST);
        assert_eq!(found.order, ChangeOrder::Id(Direction::Ascending));
    }

    #[test]
    fn other_searches_do_not_read_the_index() {
        let changed = json!({"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1"});
        let city = json!({"propertyName": "city", "operator": "EQ", "value": "Paris"});
        for body in [
            json!({}),
            json!({"filters": [city]}),
            json!({"filters": [changed, city]}),
            json!({"filters": [changed], "query": "ada"}),
            json!({"filters": [changed], "sorts": ["city"]}),
            json!({"filterGroups": [{"filters": [changed]}, {"filters": [changed]}]}),
            json!({"filters": [{"propertyName": "hs_object_id", "operator": "GT", "value": "7"}]}),
        ] {
            assert_eq!(query(&body), None, "{body}");
        }
        assert!(query(&json!({"filters": [changed], "query": " "})).is_some());
    }
}
