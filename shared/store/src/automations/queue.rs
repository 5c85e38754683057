//! The queue of an automation: the contacts that wait, and the state that says when a worker is needed.

use aws_sdk_dynamodb::types::{AttributeValue, Select, Update};
use domain::Timestamp;
use domain::ids::{AccountId, AutomationId};
use domain::limits::WAITING_COUNTED_MAX;

use crate::StoreError;
use crate::error::call_error;
use crate::expressions::{Expression, number};
use crate::items::{AutomationItem, AutomationStateItem, WaitingItem};
use crate::jobs::{AutomationTask, Job};
use crate::keys::{DUE_AT, DUE_SHARD, Key, PK, SK, waiting_pk};
use crate::store::{Query, Store};

/// The need for a worker after a write of the state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Need {
    /// A worker is needed now. The write's record in the stream sends the message.
    Now,
    /// As before the write.
    Same,
    /// A worker is needed at this instant, by the schedule.
    At(Timestamp),
    /// No worker is needed, if no contact was added since the state was read with this number of wakes.
    None(u64),
}

/// Returns the update that stores a state. The number of wakes and the due time belong to all writers, so they are
/// changed and never replaced.
pub(super) fn state_update(
    store: &Store,
    task: AutomationTask,
    state: &AutomationStateItem,
    stored_version: u64,
    need: Need,
    wall_clock: Timestamp,
) -> Result<Update, StoreError> {
    let mut item: crate::keys::Item = serde_dynamo::to_item(state)
        .map_err(|error| StoreError::Fault("could not encode a state".to_owned(), Some(error.into())))?;
    for shared in ["wakes", "version", DUE_SHARD, DUE_AT] {
        item.remove(shared);
    }
    let mut expression =
        Expression::default().name("version").value("stored", number(stored_version)).value("one", number(1));
    let (mut sets, mut removes, mut adds) = (Vec::new(), Vec::new(), vec!["#version :one"]);
    for name in STATE_ATTRIBUTES {
        expression = expression.name(name);
        match item.remove(name) {
            Some(value) => {
                expression = expression.value(name, value);
                sets.push(format!("#{name} = :{name}"));
            }
            None => removes.push(format!("#{name}")),
        }
    }
    let mut condition = "#version = :stored".to_owned();
    let (shard, lease_end) = Job::Automation(task).due(wall_clock);
    let due = |expression: Expression, at: Timestamp, sets: &mut Vec<String>| {
        sets.push(format!("#{DUE_SHARD} = :shard"));
        sets.push(format!("#{DUE_AT} = :at"));
        expression.name(DUE_SHARD).name(DUE_AT).text("shard", shard.clone()).text("at", at.to_string())
    };
    match need {
        Need::Now => {
            expression = due(expression.name("wakes"), lease_end, &mut sets);
            adds.push("#wakes :one");
        }
        Need::Same => {}
        Need::At(at) => expression = due(expression, at, &mut sets),
        Need::None(wakes) => {
            expression = expression.name("wakes").name(DUE_SHARD).name(DUE_AT).value("wakes", number(wakes));
            condition.push_str(" AND #wakes = :wakes");
            removes.extend([format!("#{DUE_SHARD}"), format!("#{DUE_AT}")]);
        }
    }
    let mut update = format!("ADD {}", adds.join(", "));
    for (verb, parts) in [("SET", sets), ("REMOVE", removes)] {
        if !parts.is_empty() {
            update.push_str(&format!(" {verb} {}", parts.join(", ")));
        }
    }
    let key = Key::automation_state(task.account, task.automation);
    store.update_if(key, &update, &condition, &expression)
}

/// The attributes of a state that only its own writers change.
const STATE_ATTRIBUTES: [&str; 6] =
    ["paused_at", "paused_with", "recent", "counted_after", "dropped", "deleted"];

impl Store {
    /// Makes an automation due and counts a wake, whose record in the stream sends the message. A deleted automation
    /// stays deleted.
    pub(crate) async fn wake_automation(
        &self,
        task: AutomationTask,
        wall_clock: Timestamp,
    ) -> Result<(), StoreError> {
        let (shard, until) = Job::Automation(task).due(wall_clock);
        let expression = Expression::default()
            .name("wakes")
            .name(DUE_SHARD)
            .name(DUE_AT)
            .name(PK)
            .value("one", number(1))
            .text("shard", shard)
            .text("until", until.to_string());
        let update = "ADD #wakes :one SET #due_shard = :shard, #due_at = :until";
        let key = Key::automation_state(task.account, task.automation);
        self.update_alone(key, update, "attribute_exists(#pk)", &expression).await
    }

    /// Returns the number of contacts that wait for an automation, at most [`WAITING_COUNTED_MAX`].
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn waiting_of(&self, account: AccountId, automation: AutomationId) -> Result<u64, StoreError> {
        let item: Option<AutomationItem> = self.get(Key::automation(account, automation)).await?;
        let Some(item) = item else { return Ok(0) };
        let pk = waiting_pk(account, automation, item.queue);
        self.count_waiting(&pk, None, None, WAITING_COUNTED_MAX).await
    }

    /// Counts the entries of a queue after a place, which were enrolled after an instant and which no person asked for
    /// if there is one. It stops above `most`.
    pub(super) async fn count_waiting(
        &self,
        pk: &str,
        after: Option<&str>,
        since: Option<Timestamp>,
        most: u64,
    ) -> Result<u64, StoreError> {
        let (mut count, mut start) = (0, None);
        loop {
            let mut request = self
                .client
                .query()
                .table_name(&*self.table)
                .consistent_read(true)
                .select(Select::Count)
                .expression_attribute_names("#pk", PK)
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .set_exclusive_start_key(start.take());
            request = match after {
                Some(after) => request
                    .key_condition_expression("#pk = :pk AND #sk > :after")
                    .expression_attribute_names("#sk", SK)
                    .expression_attribute_values(":after", AttributeValue::S(after.to_owned())),
                None => request.key_condition_expression("#pk = :pk"),
            };
            if let Some(since) = since {
                request = request
                    .filter_expression("#at >= :since AND attribute_not_exists(#existing)")
                    .expression_attribute_names("#at", "at")
                    .expression_attribute_names("#existing", "existing")
                    .expression_attribute_values(":since", number(since.millis()));
            }
            let output =
                request.send().await.map_err(|error| call_error("a count of waiting contacts", error))?;
            count += u64::try_from(output.count).unwrap_or_default();
            start = output.last_evaluated_key;
            if start.is_none() || count > most {
                return Ok(count);
            }
        }
    }

    /// Returns the place of the last contact that waits.
    pub(super) async fn last_waiting(
        &self,
        account: AccountId,
        automation: AutomationId,
        queue: u64,
    ) -> Result<Option<String>, StoreError> {
        let pk = waiting_pk(account, automation, queue);
        let query = Query { pk, prefix: "", after: None, limit: 1, newest_first: true };
        Ok(self.query(&query).await?.items.first().and_then(Key::of).map(|key| key.sk))
    }

    /// Returns the next contacts that wait, in their order, with their keys.
    pub(super) async fn next_waiting(
        &self,
        pk: String,
        limit: usize,
    ) -> Result<Vec<(Key, WaitingItem)>, StoreError> {
        let query = Query { pk, prefix: "", after: None, limit, newest_first: false };
        let page = self.query(&query).await?;
        let read = |item: crate::keys::Item| {
            let key = Key::of(&item).ok_or_else(|| crate::items::unreadable::<WaitingItem>("key"))?;
            Ok((key, crate::items::decode::<WaitingItem>(item)?))
        };
        page.items.into_iter().map(read).collect()
    }
}
