//! Automations: their definitions, their states, the contacts that wait for them, and the numbers of their runs.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::automation::{RecentTurns, RunCounts, Trigger};
use domain::decision::{Command, Refusal};
use domain::ids::{AutomationId, ContactId, FormId};
use serde::{Deserialize, Serialize};

use super::segments::FilterText;
use super::{Entity, as_millis, as_text, unreadable};
use crate::StoreError;

/// The definition of an automation. Requests change it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AutomationItem {
    #[serde(with = "as_text")]
    pub(crate) id: AutomationId,
    pub(crate) name: String,
    pub(crate) trigger: TriggerItem,
    #[serde(with = "as_text")]
    pub(crate) action: Command,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) re_enrol: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_per_day: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pause_above: Option<u64>,
    /// The instant of the wall clock since which it is enabled. Earlier changes enrol no contact.
    #[serde(with = "as_millis::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) enabled_since: Option<Timestamp>,
    /// The number of the queue in which contacts wait. Contacts in an earlier one were dropped.
    pub(crate) queue: u64,
    #[serde(with = "as_text")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "as_text")]
    pub(crate) updated_at: Timestamp,
    pub(crate) version: u64,
}

impl Entity for AutomationItem {
    const TAG: &'static str = "automation";
}

/// The trigger of an automation.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TriggerItem {
    Filter(FilterText),
    Forms(BTreeSet<String>),
    Segment(String),
}

impl TriggerItem {
    pub(crate) fn of(trigger: &Trigger) -> Result<Self, StoreError> {
        Ok(match trigger {
            Trigger::Filter(filter) => Self::Filter(FilterText::of(filter)?),
            Trigger::Forms(forms) => Self::Forms(forms.iter().map(FormId::to_string).collect()),
            Trigger::Segment(segment) => Self::Segment(segment.to_string()),
        })
    }

    /// Returns the trigger.
    ///
    /// # Errors
    ///
    /// A fault if the item contradicts itself.
    pub(crate) fn trigger(&self) -> Result<Trigger, StoreError> {
        let id = || unreadable::<AutomationItem>("id");
        Ok(match self {
            Self::Filter(filter) => Trigger::Filter(filter.filter()?),
            Self::Forms(forms) => {
                let forms = forms.iter().map(|form| form.parse().map_err(|_| id()));
                Trigger::Forms(forms.collect::<Result<_, _>>()?)
            }
            Self::Segment(segment) => Trigger::Segment(segment.parse().map_err(|_| id())?),
        })
    }
}

/// The state of an automation, which every transaction of its work writes.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct AutomationStateItem {
    /// The instant at which the brake stopped it.
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) paused_at: Option<Timestamp>,
    /// The number of contacts that the brake has counted when it stopped the automation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) paused_with: Option<u64>,
    /// The recent turns by minute, for the brake.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) recent: BTreeMap<String, u64>,
    /// The place in the queue after which the brake counts waiting contacts: the last one when a person let the automation
    /// go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counted_after: Option<String>,
    /// The queues whose contacts were dropped and not removed yet.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) dropped: BTreeSet<String>,
    /// True if the automation is deleted, and what remains of it is being removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) deleted: bool,
    /// A number that rises with every contact that is added to the queue, so that a worker does not go to rest at the
    /// same time.
    #[serde(default)]
    pub(crate) wakes: u64,
    pub(crate) version: u64,
    /// The keys of the `due` index, while contacts wait for a turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_shard: Option<String>,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_at: Option<Timestamp>,
}

impl Entity for AutomationStateItem {
    const TAG: &'static str = "automation-state";
}

impl AutomationStateItem {
    /// Returns the recent turns.
    pub(crate) fn recent(&self) -> RecentTurns {
        let minutes = self.recent.iter().filter_map(|(minute, number)| Some((minute.parse().ok()?, *number)));
        RecentTurns::new(minutes.collect())
    }

    pub(crate) fn set_recent(&mut self, recent: &RecentTurns) {
        self.recent = recent.minutes().iter().map(|(minute, number)| (minute.to_string(), *number)).collect();
    }
}

/// A contact that waits for its turn. The sort key orders the contacts as they were enrolled.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct WaitingItem {
    #[serde(with = "as_text")]
    pub(crate) contact: ContactId,
    /// The contact's time of creation, if the trigger knows it. A contact that returned with the same id is another one.
    #[serde(with = "as_millis::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<Timestamp>,
    /// The account's instant of the trigger.
    #[serde(with = "as_millis")]
    pub(crate) at: Timestamp,
    /// The version of the contact that came to match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) matched_version: Option<u64>,
    /// The identity of the trigger: a digest.
    pub(crate) trigger: String,
    /// True if a person asked to enrol the contact together with all others that matched.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) existing: bool,
}

impl Entity for WaitingItem {
    const TAG: &'static str = "automation-waiting";
}

/// A contact's enrolment in an automation. The transaction that acts on the contact writes it.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct EnrolmentItem {
    /// The contact's time of creation.
    #[serde(with = "as_millis::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<Timestamp>,
    /// True if the contact had its turn. Otherwise the automation passed it over.
    #[serde(default)]
    pub(crate) acted: bool,
    /// The version of the contact after its turn. Changes up to it enrol the contact no more.
    #[serde(default)]
    pub(crate) version_seen: u64,
    /// The latest triggers that were no changes of the contact, newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) triggers: Vec<String>,
    pub(crate) version: u64,
    /// The expiry, in seconds since 1970, of a contact that was passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
}

impl Entity for EnrolmentItem {
    const TAG: &'static str = "automation-enrolment";
}

/// The numbers of an automation on one day.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AutomationRunItem {
    pub(crate) set: u64,
    pub(crate) kept: u64,
    pub(crate) queued: u64,
    pub(crate) unchanged: u64,
    pub(crate) gone: u64,
    pub(crate) no_longer_matches: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) refused_by: BTreeMap<String, u64>,
    /// The automations that changed a contact after this one in the same chain, so that the chain ended here.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", with = "serde_dynamo::string_set")]
    pub(crate) ended_by: BTreeSet<String>,
    pub(crate) version: u64,
}

impl Entity for AutomationRunItem {
    const TAG: &'static str = "automation-run";
}

impl AutomationRunItem {
    pub(crate) fn counts(&self) -> RunCounts {
        let refused = self.refused_by.iter();
        let refused = refused.filter_map(|(reason, number)| Some((reason.parse::<Refusal>().ok()?, *number)));
        RunCounts {
            set: self.set,
            kept: self.kept,
            queued: self.queued,
            unchanged: self.unchanged,
            gone: self.gone,
            no_longer_matches: self.no_longer_matches,
            refused_by: refused.collect(),
        }
    }

    pub(crate) fn set_counts(&mut self, counts: &RunCounts) {
        self.set = counts.set;
        self.kept = counts.kept;
        self.queued = counts.queued;
        self.unchanged = counts.unchanged;
        self.gone = counts.gone;
        self.no_longer_matches = counts.no_longer_matches;
        self.refused_by =
            counts.refused_by.iter().map(|(reason, number)| (reason.to_string(), *number)).collect();
    }
}
