//! The change feed: the effects that follow from records of the table's stream.
//!
//! A record contains an item before and after one write. Whatever follows from a change, and is not part of the request
//! that made it, hangs on its record: enrolments in automations, the timeline of the usage, the history of properties, the
//! definitions of names that were first used.
//!
//! Records may come twice, late, and in several shards. Only the records of one item are in order. So every effect is
//! idempotent: it follows from the record alone, and a repeated effect changes nothing. No exact count, cap or period
//! depends on the feed.

mod change;
mod definitions;
mod enrolment;
mod events;
mod notices;
mod properties;
mod timeline;

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::ids::AccountId;

use crate::StoreError;
use crate::jobs::AutomationTask;
use crate::keys::Item;
use crate::store::Store;

pub use notices::Notice;

pub(crate) use change::{Change, ContactChange, Images, PeriodChange};
use enrolment::was_woken;

/// One record of the table's stream: an item before and after one write.
#[derive(Clone)]
pub struct StreamRecord {
    /// The record's position in its shard.
    pub sequence_number: String,
    /// The item before the write. `None` if the write created it.
    pub old: Option<Item>,
    /// The item after the write. `None` if the write removed it.
    pub new: Option<Item>,
}

/// The result of following records.
#[derive(Debug, Default)]
pub struct Followed {
    /// The sequence numbers of the records whose effects are not complete, with the reason. All others are complete.
    pub failed: Vec<(String, StoreError)>,
    /// The automations that have something to do now.
    pub tasks: Vec<AutomationTask>,
}

/// A change with the sequence number of its record.
pub(crate) struct Numbered {
    pub(crate) sequence_number: String,
    pub(crate) change: Change,
}

impl Followed {
    /// Records that the effects of these records are not complete, all for the same reason.
    fn fail(&mut self, sequence_numbers: impl IntoIterator<Item = String>, error: StoreError) {
        let text = error.to_string();
        let mut error = Some(error);
        for sequence_number in sequence_numbers {
            let error = error.take().unwrap_or_else(|| StoreError::Unavailable(text.clone(), None));
            self.failed.push((sequence_number, error));
        }
    }
}

impl std::fmt::Debug for StreamRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamRecord").field("sequence_number", &self.sequence_number).finish_non_exhaustive()
    }
}

impl Store {
    /// Carries out the effects of records. Records of one item must be in their order.
    ///
    /// A record that cannot be read, and an account whose effects fail, do not keep the others from their effects.
    pub async fn follow(&self, records: Vec<StreamRecord>, wall_clock: Timestamp) -> Followed {
        let mut followed = Followed::default();
        let mut changes = Vec::new();
        for StreamRecord { sequence_number, old, new } in records {
            match Change::read(old, new) {
                Ok(change) => changes.extend(change.map(|change| Numbered { sequence_number, change })),
                Err(error) => followed.failed.push((sequence_number, error)),
            }
        }
        self.follow_timelines(&changes, &mut followed).await;
        self.follow_properties(&changes, &mut followed).await;
        self.follow_definitions(&changes, wall_clock, &mut followed).await;
        self.follow_notices(&changes, wall_clock, &mut followed).await;
        self.follow_automations(&changes, wall_clock, &mut followed).await;
        followed
    }

    /// Enrols the contacts of changes in the automations of their accounts, and names the automations that were woken.
    async fn follow_automations(&self, changes: &[Numbered], wall_clock: Timestamp, followed: &mut Followed) {
        let mut accounts: BTreeMap<AccountId, Vec<&Numbered>> = BTreeMap::new();
        for numbered in changes {
            accounts.entry(numbered.change.account()).or_default().push(numbered);
            if let Change::AutomationState(task, images) = &numbered.change
                && was_woken(images)
            {
                followed.tasks.push(*task);
            }
        }
        for (account, changes) in accounts {
            let records = changes.iter().map(|numbered| &numbered.change);
            match self.enrol(account, records, wall_clock).await {
                // Without its account, nothing follows from a change any more.
                Ok(()) | Err(StoreError::Refused(_)) => {}
                Err(error) => {
                    followed.fail(changes.iter().map(|numbered| numbered.sequence_number.clone()), error);
                }
            }
        }
    }
}
