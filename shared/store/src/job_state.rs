//! The kinds and states of bulk jobs, imports and exports, as requests, responses and items name them.

use domain::string_enum::string_enum;

string_enum! {
    /// The work of a bulk job.
    pub enum JobKind {
        /// A command for the selected contacts.
        Change = "change",
        /// A count for a preview that took longer than its request.
        Preview = "preview",
        /// A count for a review that took longer than its request.
        Review = "review",
        /// The enrolment of the selected contacts in an automation.
        Enrol = "enrol",
        /// The removal of the members of a deleted list. Callers do not see it.
        DeleteMembers = "delete-members",
    }
}

string_enum! {
    /// The state of a bulk job.
    pub enum JobState {
        /// An earlier job of the account is not finished.
        Waiting = "waiting",
        /// The selected contacts are being counted.
        Counting = "counting",
        /// The contacts are being changed.
        Running = "running",
        /// The job is complete.
        Done = "done",
        /// A caller cancelled the job. Contacts that it has changed stay changed.
        Cancelled = "cancelled",
        /// The count differed from the confirmed number, so no contact was changed.
        CountChanged = "count-changed",
        /// The job could not continue. Contacts that it has changed stay changed.
        Failed = "failed",
    }
}

impl JobState {
    /// Returns true if the job does no further work.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::CountChanged | Self::Failed)
    }
}

string_enum! {
    /// The state of an import.
    pub enum ImportState {
        /// The file is not uploaded yet, or the import was not started.
        Created = "created",
        /// The file is being read, to learn its layout and the number of its rows.
        Reading = "reading",
        /// The rows are being applied.
        Running = "running",
        /// The results are being written to a file.
        Finishing = "finishing",
        /// The import is complete.
        Done = "done",
        /// A caller cancelled the import. Rows that were applied stay applied.
        Cancelled = "cancelled",
        /// The file could not be read, or the import could not continue. Rows that were applied stay applied.
        Failed = "failed",
    }
}

impl ImportState {
    /// Returns true if the import does no further work.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Failed)
    }
}

string_enum! {
    /// The state of an export.
    pub enum ExportState {
        /// The contacts are being read, to find the columns.
        Reading = "reading",
        /// The file is being written.
        Running = "running",
        /// The file is complete.
        Done = "done",
        /// A caller cancelled the export.
        Cancelled = "cancelled",
        /// The export could not continue.
        Failed = "failed",
    }
}

impl ExportState {
    /// Returns true if the export does no further work.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Failed)
    }
}

string_enum! {
    /// The format of an exported file.
    pub enum FileFormat {
        /// Comma-separated values with a header.
        Csv = "csv",
        /// One JSON object in each line.
        Ndjson = "ndjson",
    }
}

string_enum! {
    /// The kind of a job's selection.
    pub enum SelectionKind {
        /// Named contacts.
        Contacts = "contacts",
        /// A filter.
        Filter = "filter",
        /// A segment.
        Segment = "segment",
        /// The contacts that another job changed.
        Job = "job",
        /// A review of marketing contacts.
        Review = "review",
    }
}
