//! Texts of bulk jobs.

use domain::decision::Refusal;
use store::JobState;

pub(crate) const PREVIEW: &str = "Preview of a change";
pub(crate) const REVIEW: &str = "Count for a review";
pub(crate) const DELETE_MEMBERS: &str = "Removal of a list's members";

pub(crate) const NONE: &str = "No jobs yet. A job runs when you set or queue many contacts: tick them under Contacts, or choose all that match.";
pub(crate) const CAPTION: &str = "Jobs, newest first";
pub(crate) const JOB: &str = "Job";
pub(crate) const STATE: &str = "State";
pub(crate) const CONTACTS: &str = "Contacts";
pub(crate) const CHANGED: &str = "Changed";
pub(crate) const CREATED: &str = "Requested";

pub(crate) const CANCEL_REST: &str = "Cancel the rest";
pub(crate) const PROGRESS: &str = "Progress";
pub(crate) const BEING_COUNTED: &str = "The contacts are being counted.";
pub(crate) const CLOSE_PAGE: &str = "You can close this page; the count continues.";
pub(crate) const COUNT_CHANGED: &str =
    "Another number of contacts matched than was confirmed, so nothing was changed. Ask for a new preview.";
pub(crate) const FAILED: &str = "The job could not continue. What it has changed stays changed.";

pub(crate) const RESULT: &str = "Result";
pub(crate) const RESULT_SO_FAR: &str = "Result so far";
pub(crate) const OUTCOMES: &str = "Outcomes";
pub(crate) const OUTCOME: &str = "Outcome";
pub(crate) const SET: &str = "Set as marketing";
pub(crate) const QUEUED: &str = "Queued";
pub(crate) const KEPT: &str = "Kept (was leaving)";
pub(crate) const UNCHANGED: &str = "Unchanged";
pub(crate) const REFUSED: &str = "Refused";
pub(crate) const MATCHED: &str = "Matched";

pub(crate) const ABOUT: &str = "About this job";
pub(crate) const REQUESTED: &str = "Requested";
pub(crate) const STARTED: &str = "Started";

pub(crate) const UNDO: &str = "If this was a mistake";
pub(crate) const UNDO_END: &str = "; setting a contact can't be undone.";

pub(crate) fn change(sets: bool, contacts: Option<&str>) -> String {
    let contacts = contacts.unwrap_or("contacts");
    if sets { format!("Set {contacts} as marketing") } else { format!("Queue {contacts} to leave") }
}

/// Returns the title of a job that enrols contacts in an automation.
pub(crate) fn enrol(contacts: Option<&str>) -> String {
    format!("Enrol {} in an automation", contacts.unwrap_or("contacts"))
}

/// Returns the state within a path of pages.
pub(crate) fn state(state: JobState) -> &'static str {
    match state {
        JobState::Waiting => "waiting",
        JobState::Counting => "counting",
        JobState::Running => "running",
        JobState::Done => "done",
        JobState::Cancelled => "cancelled",
        JobState::CountChanged => "not started",
        JobState::Failed => "failed",
    }
}

pub(crate) fn state_word(of: JobState) -> String {
    super::capitalized(state(of))
}

pub(crate) fn show_refused(count: &str) -> String {
    format!("Show the {count} refused")
}

pub(crate) fn of_done(whole: &str) -> String {
    format!(" of {whole} done")
}

pub(crate) fn cancelling(date: &str, sets: bool) -> String {
    let rest = if sets {
        format!("Contacts already set stay billable until {date}.")
    } else {
        "Contacts already queued stay queued.".to_owned()
    };
    format!("Cancelling stops the rest. {rest} You can close this page; the job continues.")
}

pub(crate) fn took(seconds: i64) -> String {
    match seconds {
        0 => " within a second".to_owned(),
        1 => " in 1 second".to_owned(),
        2..120 => format!(" in {seconds} seconds"),
        _ => format!(" in {} minutes", seconds / 60),
    }
}

pub(crate) fn changed_and_refused(changed: &str, refused: &str, sets: bool) -> String {
    let done = if sets { "set" } else { "queued" };
    format!("{changed} {done}, {refused} refused.")
}

pub(crate) fn usage_now([usage, limit]: &[String; 2]) -> String {
    format!("Usage is {usage} of {limit} now.")
}

pub(crate) fn of_outcome(name: &str) -> String {
    format!(" contacts: {name}")
}

pub(crate) fn refused_because(reason: Refusal) -> String {
    format!("Refused: {}", reason.as_str().replace('-', " "))
}

pub(crate) fn matched(contacts: &str) -> String {
    format!("{contacts} matched.")
}

pub(crate) fn kept_for(days: i64) -> String {
    format!("A finished job is kept for {days} days.")
}

pub(crate) fn undo_sentence(contacts: &str, is_one: bool) -> String {
    let stay = if is_one { "It stays" } else { "They stay" };
    format!("{contacts} can be queued in one step. {stay} billable until ")
}

pub(crate) fn queue_back(contacts: &str) -> String {
    format!("Queue {contacts}")
}
