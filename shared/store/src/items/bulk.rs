//! Bulk jobs: their progress, their definitions, and the queue of the unfinished ones.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::bulk::{Forecast, StateCounts, Summary, Tally};
use domain::decision::{Command, Refusal};
use domain::ids::{AccountId, ContactId, JobId, SegmentId};
use domain::marketing::EffectiveState;
use domain::period::PeriodNumber;
use domain::source::Actor;
use serde::{Deserialize, Serialize};

use super::history::actor;
use super::segments::FilterText;
use super::{Entity, Versioned, as_text};
use crate::StoreError;
use crate::job_state::{JobKind, JobState, SelectionKind};
use crate::keys::due_shard_of;

/// A bulk job and its progress. Every transaction of the job writes this item, so it is small.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct BulkJobItem {
    #[serde(with = "as_text")]
    pub(crate) id: JobId,
    #[serde(with = "as_text")]
    pub(crate) kind: JobKind,
    #[serde(with = "as_text")]
    pub(crate) command: Command,
    #[serde(with = "as_text")]
    pub(crate) state: JobState,
    #[serde(with = "as_text")]
    pub(crate) selection: SelectionKind,
    /// The id of the selected segment or job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) selected: Option<String>,
    /// The description of the selection that histories show as the source's name.
    pub(crate) name: String,
    #[serde(with = "actor")]
    pub(crate) actor: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) confirm_count: Option<u64>,
    /// The queue of the automation in which the job enrols contacts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) automation_queue: Option<u64>,
    /// The number of selected contacts, once they are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) matched: Option<u64>,
    #[serde(default)]
    pub(crate) summary: SummaryItem,
    /// The number of contacts that the job has read since it began to change contacts.
    #[serde(default)]
    pub(crate) examined: u64,
    /// The contact up to which the job has examined all contacts.
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<ContactId>,
    /// The count that precedes the changes.
    #[serde(default)]
    pub(crate) count: CountItem,
    /// The consequence of the command, for a finished preview or review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) forecast: Option<ForecastItem>,
    /// The next update date, as the job last read it.
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) next_update_at: Option<Timestamp>,
    #[serde(with = "as_text")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<Timestamp>,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
}

impl Entity for BulkJobItem {
    const TAG: &'static str = "bulk-job";
}

impl Versioned for BulkJobItem {
    fn version(&self) -> u64 {
        self.version
    }
}

/// The outcomes of a job so far.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct SummaryItem {
    set: u64,
    kept: u64,
    queued: u64,
    unchanged: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    enrolled: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    refused: BTreeMap<String, u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl From<&Summary> for SummaryItem {
    fn from(summary: &Summary) -> Self {
        let refused = summary.refused.iter().map(|(refusal, contacts)| (refusal.to_string(), *contacts));
        Self {
            set: summary.set,
            kept: summary.kept,
            queued: summary.queued,
            unchanged: summary.unchanged,
            enrolled: summary.enrolled,
            refused: refused.collect(),
        }
    }
}

impl SummaryItem {
    /// Returns the summary. A reason that this code does not know is left out.
    pub(crate) fn summary(&self) -> Summary {
        let refused = self.refused.iter();
        let refused = refused.filter_map(|(text, contacts)| Some((text.parse::<Refusal>().ok()?, *contacts)));
        Summary {
            set: self.set,
            kept: self.kept,
            queued: self.queued,
            unchanged: self.unchanged,
            enrolled: self.enrolled,
            refused: refused.collect(),
        }
    }
}

/// The consequence of a command, in addition to the counts of the contacts.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ForecastItem {
    would: SummaryItem,
    usage_before: u64,
    usage_after: u64,
    after_next_update: u64,
    #[serde(with = "as_text")]
    next_update_at: Timestamp,
    tier_limit_before: u64,
    tier_limit_after: u64,
}

impl From<&Forecast> for ForecastItem {
    fn from(forecast: &Forecast) -> Self {
        Self {
            would: SummaryItem::from(&forecast.would),
            usage_before: forecast.usage_before,
            usage_after: forecast.usage_after,
            after_next_update: forecast.after_next_update,
            next_update_at: forecast.next_update_at,
            tier_limit_before: forecast.tier_limit_before,
            tier_limit_after: forecast.tier_limit_after,
        }
    }
}

impl ForecastItem {
    /// Returns the forecast for contacts that were counted.
    pub(crate) fn forecast(&self, tally: &Tally, command: Command) -> Forecast {
        Forecast {
            matched: tally.matched.total(),
            would: self.would.summary(),
            unengaged: (command == Command::SetMarketing).then_some(tally.unengaged),
            usage_before: self.usage_before,
            usage_after: self.usage_after,
            after_next_update: self.after_next_update,
            next_update_at: self.next_update_at,
            tier_limit_before: self.tier_limit_before,
            tier_limit_after: self.tier_limit_after,
        }
    }
}

/// The progress and the result of a count.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct CountItem {
    /// The numbers of a [`Tally`], in the order of [`Self::of`].
    #[serde(default)]
    numbers: Vec<u64>,
    /// The contact up to which all contacts are counted.
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<ContactId>,
    /// The period against which the contacts were settled.
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) period: Option<PeriodNumber>,
}

impl CountItem {
    /// Returns the item for a count up to `place`.
    pub(crate) fn of(tally: &Tally, place: Option<ContactId>, period: Option<PeriodNumber>) -> Self {
        let states = |counts: StateCounts| [counts.non_marketing, counts.marketing, counts.leaving];
        let mut numbers = vec![tally.examined, tally.unengaged, tally.unsubscribed, tally.bounced];
        numbers.extend(states(tally.matched).into_iter().chain(states(tally.existing)));
        Self { numbers, place, period }
    }

    /// Returns the numbers. A count that has not begun has only zeros.
    pub(crate) fn tally(&self) -> Tally {
        let number = |index| self.numbers.get(index).copied().unwrap_or_default();
        let states = |first| StateCounts {
            non_marketing: number(first),
            marketing: number(first + 1),
            leaving: number(first + 2),
        };
        Tally {
            examined: number(0),
            unengaged: number(1),
            unsubscribed: number(2),
            bounced: number(3),
            matched: states(4),
            existing: states(7),
        }
    }
}

/// The contacts that a job selects, as they were confirmed.
#[derive(Serialize, Deserialize)]
pub(crate) struct BulkDefinitionItem {
    /// The parts of the selection. A contact is selected by any of them.
    pub(crate) any_of: Vec<PartItem>,
    /// The state that a contact must have.
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<EffectiveState>,
    /// True if all contacts are counted, also those that are not selected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) counts_all: bool,
    /// The numbers of the contacts that are not selected.
    pub(crate) except: Vec<String>,
    /// The last contact that can be selected. Later ones were created after the request.
    #[serde(with = "as_text")]
    pub(crate) until: ContactId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
}

impl Entity for BulkDefinitionItem {
    const TAG: &'static str = "bulk-definition";
}

/// One part of a selection.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PartItem {
    Filter(FilterText),
    List(#[serde(with = "as_text")] SegmentId),
    ChangedBy(#[serde(with = "as_text")] JobId),
    Contacts(Vec<String>),
}

/// The unfinished bulk jobs of an account, in the order in which they were requested.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct BulkQueueItem {
    pub(crate) open: Vec<String>,
    pub(crate) version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_shard: Option<String>,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
}

impl Entity for BulkQueueItem {
    const TAG: &'static str = "bulk-queue";
}

impl BulkQueueItem {
    /// Returns the ids, in order.
    ///
    /// # Errors
    ///
    /// A fault if a text is not an id.
    pub(crate) fn jobs(&self) -> Result<Vec<JobId>, StoreError> {
        let parse = |text: &String| text.parse().map_err(|_| super::unreadable::<Self>("job"));
        self.open.iter().map(parse).collect()
    }

    /// Returns the queue in its next version, with these jobs. It is due at `due_at` while it has any.
    pub(crate) fn with(&self, account: AccountId, open: Vec<String>, due_at: Timestamp) -> Self {
        let due = !open.is_empty();
        Self {
            open,
            version: self.version + 1,
            due_shard: due.then(|| due_shard_of(account)),
            due_at: due.then_some(due_at),
        }
    }
}
