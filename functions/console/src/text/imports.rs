//! Texts of imports.

use domain::decision::Refusal;
use domain::import::{ImportMode, RowOutcome};
use serde_json::Value;
use store::ImportState;

pub(crate) const IMPORTS: &str = "Imports";
pub(crate) const NONE: &str =
    "No imports yet. An import creates and changes contacts from a file of another program.";
pub(crate) const CAPTION: &str = "Imports, newest first";
pub(crate) const FILE: &str = "File";
pub(crate) const STATE: &str = "State";
pub(crate) const ROWS: &str = "Rows";
pub(crate) const FAILED_ROWS: &str = "Not imported";
pub(crate) const CREATED: &str = "Created";

// The page of a new import.

pub(crate) const NEW: &str = "Import contacts";
pub(crate) const NEW_LEDE: &str = "Choose a CSV file. The next page shows how it is read and what would change. \
     Nothing is imported before you start it there.";
pub(crate) const CHOOSE_FILE: &str = "CSV file";
pub(crate) const RULES: &str = "What happens to the contacts";
pub(crate) const MODE: &str = "Rows of the file";
pub(crate) const LIST: &str = "Add the contacts to a list";
pub(crate) const NO_LIST: &str = "No list";
pub(crate) const SET_MARKETING: &str = "Set these contacts as marketing";
pub(crate) const WITHOUT_AUTOMATIONS: &str = "Leave automations out";
pub(crate) const WITHOUT_AUTOMATIONS_HINT: &str = "Automations do not follow the changes of this import. Use it to bring in contacts that you already have elsewhere.";
pub(crate) const DRY_RUN: &str = "Try it without writing";
pub(crate) const DRY_RUN_HINT: &str =
    "Every row is decided and nothing is written. The results can be downloaded, as after a real import.";
pub(crate) const CLEAR_FLAGS: &str = "The file may also clear \"unsubscribed\" and \"bounced\"";
pub(crate) const CLEAR_FLAGS_HINT: &str = "Without this, a file only ever adds these flags. With it, people who \
     unsubscribed can be reached again if the file says so.";
pub(crate) const PREVIEW: &str = "Go on to the preview";
pub(crate) const CANCEL: &str = "Cancel";
pub(crate) const NO_FILE: &str = "choose a file";
pub(crate) const UPLOADING: &str = "Sending the file";
pub(crate) const UPLOADED_PART: &str = "sent";
pub(crate) const UPLOAD_STAY: &str = "Keep this page open until the file is sent.";
pub(crate) const UPLOAD_FAILED: &str =
    "The file was not sent to its end, and nothing was imported. Reload this page and send it again.";

// The page before the start.

pub(crate) const NOT_STARTED_LEDE: &str =
    "Nothing is imported yet. Check how the file is read, then start the import.";
pub(crate) const START: &str = "Start the import";
pub(crate) const START_DRY: &str = "Try it without writing";
pub(crate) const MAY_NOT_START: &str = "This import sets its contacts as marketing. You may look at it, but not change \
     or start it. An admin can give you this permission in Settings.";
pub(crate) const UPLOAD_MISSING: &str =
    "The file has not arrived. If it is being sent in another tab, reload this page when that is done.";
pub(crate) const CANNOT_BE_READ: &str = "This file cannot be imported.";
pub(crate) const ANOTHER_FILE: &str = "Import another file";
pub(crate) const DISCARD: &str = "Discard this import";
pub(crate) const DISCARD_HINT: &str = "Nothing was imported, and nothing is lost but the file.";
pub(crate) const DISCARD_TITLE: &str = "Discard this import?";
pub(crate) const DONE_APPLIED: &str = "The import is read in this way now. Nothing is imported yet.";

pub(crate) const READ: &str = "How the file is read";
pub(crate) const READ_HINT: &str =
    "Choose where a column goes if it is not right. A property typed beside a list counts instead of it.";
pub(crate) const ENCODING: &str = "Characters";
pub(crate) const DELIMITER: &str = "Columns are separated by";
pub(crate) const FOUND_OUT: &str = "As found out by itself";
pub(crate) const HEADER: &str = "Names of the columns";
pub(crate) const NO_HEADER: &str = "none in the file";
pub(crate) const ROWS_IN_FILE: &str = "Rows in the file";
pub(crate) const ROWS_UNKNOWN: &str = "counted when the import starts, because the file is large";
pub(crate) const COLUMNS: &str = "Columns of the file, their first values, and where each goes";
pub(crate) const COLUMN: &str = "Column";
pub(crate) const VALUES: &str = "First values";
pub(crate) const GOES_TO: &str = "Goes to";
pub(crate) const NOTHING: &str = "Not imported";
pub(crate) const NO_NAME: &str = "without a name";
pub(crate) const APPLY: &str = "Apply and look again";

/// The character sets that a person can choose, with their words.
pub(crate) const ENCODINGS: [(&str, &str); 12] = [
    ("UTF-8", "UTF-8 (most programs)"),
    ("windows-1252", "Windows-1252 (Excel, Western Europe)"),
    ("windows-1250", "Windows-1250 (Central Europe)"),
    ("windows-1251", "Windows-1251 (Cyrillic)"),
    ("windows-1253", "Windows-1253 (Greek)"),
    ("windows-1254", "Windows-1254 (Turkish)"),
    ("macintosh", "Macintosh (older Macs)"),
    ("UTF-16LE", "UTF-16 (Unicode text of Excel)"),
    ("Shift_JIS", "Shift_JIS (Japanese)"),
    ("EUC-KR", "EUC-KR (Korean)"),
    ("GBK", "GBK (simplified Chinese)"),
    ("Big5", "Big5 (traditional Chinese)"),
];

/// The separators that a person can choose, with their words.
pub(crate) const DELIMITERS: [(&str, &str); 4] =
    [(",", "a comma"), (";", "a semicolon"), ("\t", "a tab"), ("|", "a bar")];

pub(crate) const FIRST_ROWS: &str = "What would happen";
pub(crate) const OUTCOMES: &str = "The first rows by what would happen";
pub(crate) const OUTCOME: &str = "Outcome";
pub(crate) const COUNT: &str = "Rows";
pub(crate) const ROW: &str = "Row";
pub(crate) const REASON: &str = "Reason";
pub(crate) const MARKETING: &str = "Marketing";
pub(crate) const EACH_ROW: &str = "Each of these rows";
pub(crate) const EACH_ROW_CAPTION: &str = "The first rows with what would happen to each";

// The page of a running or finished import.

pub(crate) const PROGRESS: &str = "Progress";
pub(crate) const BEING_READ: &str = "The file is being read.";
pub(crate) const BEING_FINISHED: &str = "The results are being written to a file.";
pub(crate) const CLOSE_PAGE: &str = "You can close this page; the import continues.";
pub(crate) const CANCEL_REST: &str = "Cancel the rest";
pub(crate) const CANCEL_TITLE: &str = "Cancel the rest of this import?";
pub(crate) const CANCEL_HINT: &str = "Rows that were imported stay imported. The other rows are not imported, and the results say which these are.";
pub(crate) const GO_ON: &str = "Let it go on";
pub(crate) const RESULT: &str = "Result";
pub(crate) const RESULT_SO_FAR: &str = "Result so far";
pub(crate) const RESULT_CAPTION: &str = "Rows of the file by their outcomes";
pub(crate) const ALL_ROWS: &str = "All rows";
pub(crate) const DOWNLOADS: &str = "Files with the results";
pub(crate) const DOWNLOAD_FAILED: &str = "Download what failed";
pub(crate) const DOWNLOAD_ALL: &str = "Download all rows";
pub(crate) const DOWNLOAD_HINT: &str = "Each row with its outcome and the reason. You can correct the file of what \
     failed and import it again.";
pub(crate) const FILES_DELETED: &str = "The files with the results were deleted after 30 days.";
pub(crate) const FAILED: &str = "The import could not continue. What it has imported stays imported.";
pub(crate) const WAS_DRY_RUN: &str = "This was a try: nothing was written.";
pub(crate) const IS_DRY_RUN: &str = "This is a try: nothing is written.";
pub(crate) const ABOUT: &str = "About this import";
pub(crate) const STARTED: &str = "Started";
pub(crate) const SIZE: &str = "Size";
pub(crate) const AUTOMATIONS: &str = "Automations";
pub(crate) const AUTOMATIONS_FOLLOW: &str = "follow the changes";
pub(crate) const AUTOMATIONS_OUT: &str = "left out";
pub(crate) const AS_MARKETING: &str = "Set as marketing";

/// Returns the state in words.
pub(crate) fn state(state: ImportState) -> &'static str {
    match state {
        ImportState::Created => "not started",
        ImportState::Reading => "being read",
        ImportState::Running => "running",
        ImportState::Finishing => "writing the results",
        ImportState::Done => "done",
        ImportState::Cancelled => "cancelled",
        ImportState::Failed => "failed",
    }
}

pub(crate) fn mode(mode: ImportMode) -> &'static str {
    match mode {
        ImportMode::Both => "Create new contacts and change existing ones",
        ImportMode::Create => "Only create new contacts",
        ImportMode::Update => "Only change existing contacts",
    }
}

pub(crate) fn file_hint(most: &str) -> String {
    format!(
        "At most {most} if your browser runs no scripts, and 5 GB otherwise. Save a spreadsheet as CSV first."
    )
}

pub(crate) fn too_large(most: &str) -> String {
    format!(
        "the file is larger than {most}. Send it with a browser that runs scripts, split it, or send it through the API"
    )
}

/// Returns the effect of setting contacts as marketing on the bill.
pub(crate) fn if_set([usage, limit]: &[String; 2], date: &str) -> String {
    format!(
        "Each contact of the file becomes billable at once, and can leave again on {date} at the earliest. \
         Usage is {usage} of {limit} now."
    )
}

/// Returns the reason for which a file is refused, by the name of the problem. The API's own messages name a mapping, which
/// people do not know.
pub(crate) fn file_problem(slug: &str, message: &str) -> String {
    match slug {
        "no-header" => {
            "the file has no names of columns: its first line is a person. Add a first line with a name for each column"
        }
        "no-address-column" => {
            "the file has no column with email addresses. Name that column \"email\" in its first line"
        }
        _ => message,
    }
    .to_owned()
}

pub(crate) fn encoding(name: &str) -> &str {
    ENCODINGS.iter().find(|(known, _)| *known == name).map_or(name, |(_, words)| words)
}

pub(crate) fn yes_or_no(is_yes: bool) -> &'static str {
    if is_yes { "yes" } else { "no" }
}

pub(crate) fn found_out(found: &str) -> String {
    format!("As found out: {found}")
}

pub(crate) fn guessed(encoding: &str) -> String {
    format!("{encoding}, guessed")
}

pub(crate) fn delimiter(sign: Option<&str>) -> &'static str {
    let known = DELIMITERS.iter().find(|(known, _)| Some(*known) == sign);
    known.map_or("nothing: the file has one column", |(_, words)| words)
}

pub(crate) fn header_line(line: &str) -> String {
    format!("in line {line}")
}

/// Returns a remark about the file in words.
pub(crate) fn file_note(note: &Value) -> Option<String> {
    let line = || note.get("line").and_then(Value::as_u64).unwrap_or_default();
    Some(match note.get("note")?.as_str()? {
        "header-at" => {
            format!("The names of the columns are in line {}. The lines above it are left out.", line())
        }
        "no-header" => "The file has no names of columns, so they are known by their positions.".to_owned(),
        "delimiter-named" => "The first line says how columns are separated.".to_owned(),
        "lines-quoted-whole" => {
            "Each line is in quotes as a whole. The rows within them are read all the same.".to_owned()
        }
        "mixed-encodings" => {
            let other = note.get("fallback").and_then(Value::as_str).unwrap_or_default();
            format!("Some lines are written in other characters than the rest. They are read as {other}.")
        }
        "decoded-twice" => {
            "Some texts are garbled in the file already, such as JosÃ©. They are kept as they are.".to_owned()
        }
        _ => format!(
            "A quote in line {} is never closed. That row is not imported, and reading goes on after its line.",
            line()
        ),
    })
}

pub(crate) fn goes_to(column: &str) -> String {
    format!("{column} goes to")
}

pub(crate) fn goes_to_other(column: &str) -> String {
    format!("{column} goes to another property")
}

/// Returns the heading of the sums. `is_all` is true if the file has no more rows.
pub(crate) fn of_rows(rows: &str, is_all: bool) -> String {
    if is_all {
        format!("If you start now, these are the outcomes of all {rows}.")
    } else {
        format!("If you start now, these are the outcomes of the first {rows}.")
    }
}

/// Returns the outcome of rows in words.
pub(crate) fn outcome(outcome: RowOutcome) -> &'static str {
    match outcome {
        RowOutcome::Created => "New contacts",
        RowOutcome::Updated => "Changed contacts",
        RowOutcome::Unchanged => "Contacts that have all values already",
        RowOutcome::DuplicateOf => "Further rows of the same person",
        RowOutcome::Empty => "Empty rows",
        RowOutcome::Invalid => "Not imported",
        RowOutcome::NotRun => "Not reached",
    }
}

/// Returns the outcome of one row in words.
pub(crate) fn row_outcome(outcome: &str) -> &'static str {
    match outcome {
        "created" => "New contact",
        "updated" => "Changed",
        "unchanged" => "Unchanged",
        "duplicate-of" => "Same person again",
        "empty" => "Empty",
        "not-run" => "Not reached",
        _ => "Not imported",
    }
}

/// Returns the outcome of one row for the marketing state in words.
pub(crate) fn row_marketing(outcome: &str) -> &'static str {
    match outcome {
        "set" => "Becomes marketing",
        "kept" => "Stays marketing",
        "refused" => "Refused",
        _ => "Unchanged",
    }
}

pub(crate) const MARKETING_CAPTION: &str = "Marketing contacts";
pub(crate) const CONTACTS: &str = "Contacts";
pub(crate) const SET: &str = "Set as marketing, billable at once";
pub(crate) const KEPT: &str = "Kept (were leaving)";

/// Returns the reason for which contacts are not set as marketing.
pub(crate) fn refused_because(reason: Refusal) -> &'static str {
    match reason {
        Refusal::CapReached => "Imported, but not set: the cap is reached",
        Refusal::MarketingContactsOff => "Imported, but not set: marketing contacts are switched off",
        Refusal::TierLimit => "Imported, but not set: the tier limit is reached",
        Refusal::FormBudget => "Imported, but not set: the budget of the day is used up",
    }
}

pub(crate) fn would_set(contacts: &str, is_one: bool) -> String {
    let effect = if is_one { "becomes a marketing contact" } else { "become marketing contacts" };
    format!("{contacts} of these rows {effect} and billable at once.")
}

pub(crate) fn would_refuse(contacts: &str, is_one: bool) -> String {
    let are = if is_one { "is imported, but refused" } else { "are imported, but refused" };
    format!("{contacts} of these rows {are} as marketing.")
}

pub(crate) fn clears(unsubscribed: &str, bounced: &str) -> String {
    format!("These rows clear \"unsubscribed\" of {unsubscribed} and \"bounced\" of {bounced}.")
}

pub(crate) fn of_done(whole: &str) -> String {
    format!(" of {whole} done")
}

pub(crate) fn imported(rows: &str, failed: &str) -> String {
    format!("{rows} imported, {failed} not imported.")
}

pub(crate) fn usage_now([usage, limit]: &[String; 2]) -> String {
    format!("Usage is {usage} of {limit} now.")
}

pub(crate) fn title(name: &str) -> String {
    format!("Import of {name}")
}
