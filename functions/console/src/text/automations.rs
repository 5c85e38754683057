//! Texts of automations.

use domain::automation::AutomationState;
use domain::decision::{Outcome, Refusal};

pub(crate) const CAPTION: &str = "Automations, in the order of their creation";
pub(crate) const LEDE: &str = "An automation enrols contacts when a change makes them match, and sets them as marketing or queues them to \
     leave. A budget bounds what it does in a day, and a brake stops it.";
pub(crate) const NONE: &str = "No automations yet. Contacts are set by people, forms and integrations only.";
pub(crate) const CREATE: &str = "Create an automation";
pub(crate) const NAME: &str = "Name";
pub(crate) const NAME_HINT: &str = "The history of each contact shows it.";
pub(crate) const STATE: &str = "State";
pub(crate) const TRIGGER: &str = "Enrols";
pub(crate) const ACTION: &str = "Then";
pub(crate) const BUDGET: &str = "At most in a day";
pub(crate) const BUDGET_HINT: &str =
    "Contacts beyond it wait for the next day, in order. Leave it empty for no maximum.";
pub(crate) const BRAKE: &str = "Pause above this number in an hour";
pub(crate) const BRAKE_HINT: &str =
    "The automation stops, and the contacts wait until a person decides. Leave it empty for no brake.";
pub(crate) const NO_LIMIT: &str = "no maximum";
pub(crate) const NO_BRAKE: &str = "no brake";
pub(crate) const TRIGGER_LEGEND: &str = "Which change enrols a contact?";
pub(crate) const BY_SEGMENT: &str = "It comes to belong to a segment";
pub(crate) const BY_FORM: &str = "It submits a form";
pub(crate) const SEGMENT: &str = "Segment";
pub(crate) const SEGMENT_HINT: &str =
    "For other conditions, filter the contacts and save the filter as a segment first.";
pub(crate) const CHOOSE: &str = "Choose one";
pub(crate) const FORM: &str = "Form";
pub(crate) const ACTION_LEGEND: &str = "What happens to an enrolled contact?";
pub(crate) const SET: &str = "It is set as marketing";
pub(crate) const QUEUE: &str = "It is queued to leave at the update date";
pub(crate) const RE_ENROL: &str = "Enrol a contact again each time that it comes back";
pub(crate) const CREATE_BUTTON: &str = "Create it, switched off";
pub(crate) const CREATE_HINT: &str = "The next page shows how many contacts match, and switches it on.";
pub(crate) const CHOOSE_TRIGGER: &str = "Choose a segment or a form.";
pub(crate) const MAY_NOT: &str = "Automations set and queue contacts, so only people with the permission to modify marketing contacts change them.";

pub(crate) const SWITCH: &str = "Switch";
pub(crate) const SWITCH_OFF: &str = "Switch it off";
pub(crate) const SWITCH_ON: &str = "Switch it on, for changes from now on";
pub(crate) const ENROL_TOO: &str = "Enrol those who match now, too";
pub(crate) const ENROL_LABEL: &str = "Type the number of contacts that match now";
pub(crate) const ENROL_BUTTON: &str = "Switch it on and enrol them";
pub(crate) const OFF_HINT: &str = "What happens while it is off is not caught up.";
pub(crate) const RESUME: &str = "How to go on";
pub(crate) const RESUME_KEEP: &str = "Go on with those who wait";
pub(crate) const RESUME_DROP: &str = "Go on without them";
pub(crate) const WAITING: &str = "Waiting";
pub(crate) const NOT_COUNTED: &str = "Too many contacts match to count them here.";
pub(crate) const PAUSED_AT: &str = "Paused on ";
pub(crate) const LIMITS_SHORT: &str = "Limits";
pub(crate) const TRY: &str = "Try it with a contact";
pub(crate) const TRY_HINT: &str = "Nothing is changed.";
pub(crate) const TRY_LABEL: &str = "Address or id of a contact";
pub(crate) const TRY_BUTTON: &str = "Try it";
pub(crate) const TRY_INVALID: &str = "expected an address or the id of a contact";
pub(crate) const NOT_FOUND: &str = "No contact has this address or id.";
pub(crate) const RESULT: &str = "Result for ";
pub(crate) const MATCHES: &str = "It matches now.";
pub(crate) const MATCHES_NOT: &str = "It does not match now.";
pub(crate) const HAD_TURN: &str = "It had its turn before.";
pub(crate) const ENROLLED_BY_CHANGE: &str = "The next change that makes it match would enrol it.";
pub(crate) const ENROLLED_BY_FORM: &str = "Its next submission would enrol it.";
pub(crate) const NOT_ENROLLED: &str = "It is not enrolled again.";
pub(crate) const WHILE_ON: &str = "The automation enrols only while it is on.";
pub(crate) const ABOUT: &str = "About this automation";
pub(crate) const RUNS: &str = "What it did";
pub(crate) const RUNS_CAPTION: &str = "Contacts by day, the latest day first";
pub(crate) const NO_RUNS: &str = "No contact has been enrolled yet.";
pub(crate) const DAY: &str = "Day";
pub(crate) const CHANGED: &str = "Set or queued";
pub(crate) const UNCHANGED: &str = "Already so";
pub(crate) const REFUSED: &str = "Refused";
pub(crate) const PASSED: &str = "Passed over";
pub(crate) const ENDED: &str = "ended a chain with another automation";
pub(crate) const LIMITS: &str = "Budget and brake";
pub(crate) const SAVE: &str = "Save";
pub(crate) const DELETE: &str = "Delete this automation";
pub(crate) const DANGER: &str = "Delete";
pub(crate) const DELETE_HINT: &str =
    "Contacts that it has changed stay as they are. Contacts that wait are dropped.";
pub(crate) const CANCEL: &str = "Cancel";
pub(crate) const DONE_CREATED: &str = "Created. It is switched off.";
pub(crate) const DONE_SAVED: &str = "Saved.";
pub(crate) const DONE_ON: &str = "Switched on.";
pub(crate) const DONE_DELETED: &str = "Deleted.";
pub(crate) const DONE_RESUMED: &str = "It goes on.";

/// Returns the word for a state.
pub(crate) fn state(state: AutomationState) -> &'static str {
    match state {
        AutomationState::Enabled => "On",
        AutomationState::Disabled => "Off",
        AutomationState::Paused => "Paused",
    }
}

pub(crate) fn action(sets: bool) -> &'static str {
    if sets { "Sets them as marketing" } else { "Queues them to leave" }
}

pub(crate) fn by_segment(name: &str) -> String {
    format!("Contacts that come to belong to {name}")
}

pub(crate) fn by_forms(names: &str) -> String {
    format!("Contacts that submit {names}")
}

pub(crate) const BY_FILTER: &str = "Contacts that come to match a filter";

pub(crate) fn in_a_day(number: &str) -> String {
    format!("{number} in a day")
}

pub(crate) fn pauses_above(number: &str) -> String {
    format!("pauses above {number} in an hour")
}

/// Returns the sentence about a pause.
pub(crate) fn paused(enrolled: &str) -> String {
    format!(": the brake stopped it, because {enrolled} or more contacts were enrolled within an hour.")
}

pub(crate) fn switched_off(dropped: &str) -> String {
    format!("Switched off. {dropped} waited and will not have their turn.")
}

/// Returns the sentence about the contacts that match now.
pub(crate) fn matching(matched: &str, is_one: bool, changed: &str) -> String {
    let verb = if is_one { "matches" } else { "match" };
    format!("{matched} {verb} now, of which {changed} would change.")
}

/// Returns the sentence about the contacts that wait after a pause.
pub(crate) fn wait(contacts: &str, is_one: bool) -> String {
    let verb = if is_one { "waits" } else { "wait" };
    format!("{contacts} {verb}. Without them, they are dropped and have no turn later.")
}

/// Returns the sentence about the outcome of a turn, or the reason for which it would be refused.
pub(crate) fn outcome(outcome: Result<Outcome, Refusal>) -> String {
    match outcome {
        Ok(Outcome::Set) => "Its turn would set it as marketing.".to_owned(),
        Ok(Outcome::Kept) => "Its turn would keep it as marketing.".to_owned(),
        Ok(Outcome::Queued) => "Its turn would queue it to leave.".to_owned(),
        Ok(Outcome::Unchanged) => {
            "Its turn would change nothing, because it has this state already.".to_owned()
        }
        Err(refusal) => {
            format!("Its turn would be refused. {}", super::contact::refused(Some(refusal), None))
        }
    }
}

pub(crate) fn delete_title(name: &str) -> String {
    format!("Delete {name}?")
}
