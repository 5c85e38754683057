//! Texts of exports.

use store::{ExportState, FileFormat};

pub(crate) const EXPORTS: &str = "Exports";
pub(crate) const NONE: &str =
    "No exports yet. Tick contacts under Contacts, or choose all that match, and choose Export under More.";
pub(crate) const OF_FILTER: &str = "contacts that matched a filter";
pub(crate) const CAPTION: &str = "Exports, newest first";
pub(crate) const CONTACTS: &str = "Contacts";
pub(crate) const STATE: &str = "State";
pub(crate) const FORMAT: &str = "Format";
pub(crate) const ROWS: &str = "Rows";
pub(crate) const SIZE: &str = "Size";
pub(crate) const CREATED: &str = "Requested";
pub(crate) const FILE: &str = "File";
pub(crate) const DOWNLOAD: &str = "Download";
pub(crate) const CANCEL: &str = "Cancel the export";

pub(crate) const PROGRESS: &str = "Progress";
pub(crate) const BEING_READ: &str = "The contacts are being read, to find the columns.";
pub(crate) const CLOSE_PAGE: &str = "You can close this page; the export continues.";
pub(crate) const ABOUT: &str = "About this export";
pub(crate) const AS_OF: &str = "Marketing states as of";
pub(crate) const KEPT_FOR: &str = "A file is stored for 30 days.";
pub(crate) const DELETED: &str = "The file was deleted after 30 days. Export the contacts again.";
pub(crate) const CANCELLED: &str = "There is no file.";
pub(crate) const FAILED: &str = "The export could not continue, and there is no file.";

// The dialog.

pub(crate) const EXPORT: &str = "Export";
pub(crate) const TITLE: &str = "Export contacts";
pub(crate) const SENTENCE: &str = "The file has each selected contact with its properties, its marketing state, since \
     when and why. It contains personal data.";
pub(crate) const AS: &str = "Format";

/// Returns the state in words.
pub(crate) fn state(state: ExportState) -> &'static str {
    match state {
        ExportState::Reading => "being read",
        ExportState::Running => "being written",
        ExportState::Done => "done",
        ExportState::Cancelled => "cancelled",
        ExportState::Failed => "failed",
    }
}

pub(crate) fn format(format: FileFormat) -> &'static str {
    match format {
        FileFormat::Csv => "CSV",
        FileFormat::Ndjson => "NDJSON",
    }
}

pub(crate) fn format_choice(format: FileFormat) -> &'static str {
    match format {
        FileFormat::Csv => "CSV, for spreadsheets and other programs",
        FileFormat::Ndjson => "NDJSON, for developers: one JSON object in each line",
    }
}

pub(crate) fn title(name: &str) -> String {
    format!("Export of {name}")
}

pub(crate) fn of_file(name: &str) -> String {
    format!(" the file of {name}")
}

pub(crate) fn written(rows: &str) -> String {
    format!("{rows} written")
}

pub(crate) fn of_done(whole: &str) -> String {
    format!(" of {whole} done")
}

pub(crate) fn without_row(contacts: &str, is_one: bool) -> String {
    if is_one {
        format!("{contacts} of the statement is not in the file, because it was erased since.")
    } else {
        format!("{contacts} of the statement are not in the file, because they were erased since.")
    }
}
