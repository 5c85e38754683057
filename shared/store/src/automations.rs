//! Automations: contacts are enrolled as they change, wait for their turn, and are set marketing or queued to leave.
//!
//! The change feed enrols: it puts a contact at the end of the automation's queue. That is one write without a condition,
//! under a key that follows from the trigger, so a trigger that is read twice is one entry. A worker gives the contacts
//! their turns, in their order and within the budget of the day and the brake. One transaction acts on the contacts,
//! writes their enrolments, counts the run and stores the automation's state. So a contact has its turn once, however
//! often its trigger is read, and wherever a worker stops.

mod define;
mod queue;
mod runs;
mod trial;
mod turns;

use chrono::NaiveDate;
use domain::Timestamp;
use domain::automation::{AutomationState, RunCounts, Trigger};
use domain::decision::Command;
use domain::ids::{AccountId, AutomationId};
use domain::patch::Patch;

use crate::StoreError;
use crate::bulk::BulkJob;
use crate::items::{AutomationItem, AutomationStateItem};
use crate::jobs::AutomationTask;

pub use trial::{Trial, TrialResult};
pub use turns::AutomationProgress;

/// An automation.
#[derive(Clone, Debug)]
pub struct Automation {
    /// The automation's id.
    pub id: AutomationId,
    /// The account that it belongs to.
    pub account: AccountId,
    /// The display name.
    pub name: String,
    /// The changes that enrol a contact.
    pub trigger: Trigger,
    /// The command for each enrolled contact.
    pub action: Command,
    /// True if a contact is enrolled again each time that it comes back.
    pub re_enrol: bool,
    /// The maximum number of contacts that it acts on in one day. Further contacts wait for the next day.
    pub max_per_day: Option<u64>,
    /// The number of contacts within an hour above which it is paused.
    pub pause_above: Option<u64>,
    /// Its state.
    pub state: AutomationState,
    /// The pause, if its brake has stopped it.
    pub paused: Option<Pause>,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of the last change of the definition.
    pub updated_at: Timestamp,
}

/// The pause of an automation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// The instant at which the brake stopped it.
    pub at: Timestamp,
    /// The number of contacts that were enrolled in the hour before.
    pub enrolled: u64,
}

/// A request to create an automation.
#[derive(Clone, Debug)]
pub struct NewAutomation {
    /// The display name.
    pub name: String,
    /// The changes that enrol a contact.
    pub trigger: Trigger,
    /// The command for each enrolled contact.
    pub action: Command,
    /// True if a contact is enrolled again each time that it comes back.
    pub re_enrol: bool,
    /// The maximum number of contacts that it acts on in one day.
    pub max_per_day: Option<u64>,
    /// The number of contacts within an hour above which it is paused.
    pub pause_above: Option<u64>,
    /// True if it begins at once.
    pub enabled: bool,
    /// The confirmed number of the contacts that match now, if they are enrolled as well.
    pub enrol_existing: Option<u64>,
}

/// A change of an automation. Fields that are `None` do not change.
#[derive(Clone, Debug, Default)]
pub struct UpdateAutomation {
    /// The display name.
    pub name: Option<String>,
    /// The changes that enrol a contact.
    pub trigger: Option<Trigger>,
    /// The command for each enrolled contact.
    pub action: Option<Command>,
    /// True if a contact is enrolled again each time that it comes back.
    pub re_enrol: Option<bool>,
    /// The maximum number of contacts that it acts on in one day.
    pub max_per_day: Patch<u64>,
    /// The number of contacts within an hour above which it is paused.
    pub pause_above: Patch<u64>,
    /// True to enable it, false to disable it.
    pub enabled: Option<bool>,
    /// The confirmed number of the contacts that match now, if they are enrolled as well.
    pub enrol_existing: Option<u64>,
}

/// The result of a request that creates or changes an automation.
#[derive(Clone, Debug)]
pub struct AutomationReport {
    /// The automation.
    pub automation: Automation,
    /// The number of contacts that match now, if the request enabled the automation and the count was completed in time.
    /// They are not enrolled unless the request asks for it.
    pub matching: Option<u64>,
    /// The number of waiting contacts that were dropped.
    pub dropped: Option<u64>,
    /// The job that enrols the contacts that match now.
    pub job: Option<BulkJob>,
}

/// The treatment of the contacts that wait, when a paused automation is resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// They have their turn.
    Keep,
    /// They are dropped.
    Drop,
}

/// The numbers of an automation on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutomationRun {
    /// The day, by the account's calendar.
    pub day: NaiveDate,
    /// The numbers.
    pub counts: RunCounts,
    /// The automations that changed a contact after this one in the same chain. The chain ended there.
    pub ended_by: Vec<AutomationId>,
}

impl Automation {
    fn of(
        account: AccountId,
        item: &AutomationItem,
        state: &AutomationStateItem,
    ) -> Result<Self, StoreError> {
        let paused = state.paused_at.filter(|_| item.enabled_since.is_some());
        Ok(Self {
            id: item.id,
            account,
            name: item.name.clone(),
            trigger: item.trigger.trigger()?,
            action: item.action,
            re_enrol: item.re_enrol,
            max_per_day: item.max_per_day,
            pause_above: item.pause_above,
            state: match (item.enabled_since, paused) {
                (None, _) => AutomationState::Disabled,
                (Some(_), None) => AutomationState::Enabled,
                (Some(_), Some(_)) => AutomationState::Paused,
            },
            paused: paused.map(|at| Pause { at, enrolled: state.paused_with.unwrap_or_default() }),
            created_at: item.created_at,
            updated_at: item.updated_at,
        })
    }

    /// Returns the message for its worker.
    #[must_use]
    pub fn task(&self) -> AutomationTask {
        AutomationTask { account: self.account, automation: self.id }
    }
}
