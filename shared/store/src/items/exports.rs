//! Exports: their progress, and the latest export of each statement.

use domain::Timestamp;
use domain::ids::ExportId;
use domain::period::PeriodNumber;
use domain::source::Actor;
use serde::{Deserialize, Serialize};

use super::history::actor;
use super::{Entity, Versioned, as_text};
use crate::job_state::{ExportState, FileFormat, SelectionKind};

/// An export and its progress.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ExportItem {
    #[serde(with = "as_text")]
    pub(crate) id: ExportId,
    #[serde(with = "actor")]
    pub(crate) actor: Actor,
    #[serde(with = "as_text")]
    pub(crate) state: ExportState,
    #[serde(with = "as_text")]
    pub(crate) format: FileFormat,
    /// The kind of the selection. `None` for the contacts that a statement counts.
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) selection: Option<SelectionKind>,
    /// The description of the contacts for people.
    pub(crate) name: String,
    /// The instant as of which states are exported.
    #[serde(with = "as_text")]
    pub(crate) as_of: Timestamp,
    /// The period in which that instant is.
    #[serde(with = "as_text")]
    pub(crate) period: PeriodNumber,
    /// The update date that ends that period, as it was known at the request.
    #[serde(with = "as_text")]
    pub(crate) ends_at: Timestamp,
    /// The usage that the statement counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counted: Option<u64>,
    /// The names of the properties that have columns, separated by commas. `None` until they are found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) columns: Option<String>,
    /// The number of contacts that were selected when the columns were found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) matched: Option<u64>,
    /// The number of rows in the file so far.
    #[serde(default)]
    pub(crate) rows: u64,
    /// The sort key of the contact up to which all contacts are in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<String>,
    /// The state of the file, as its writer's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// The size of the complete file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<u64>,
    /// The reason for which the export failed: a slug, a space and a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
    #[serde(with = "as_text")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) finished_at: Option<Timestamp>,
    /// The instant until which the file is stored, by the wall clock.
    #[serde(with = "as_text")]
    pub(crate) kept_until: Timestamp,
    pub(crate) version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_shard: Option<String>,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
}

impl Entity for ExportItem {
    const TAG: &'static str = "export";
}

impl Versioned for ExportItem {
    fn version(&self) -> u64 {
        self.version
    }
}

/// The latest export of the contacts that a statement counts.
#[derive(Serialize, Deserialize)]
pub(crate) struct StatementExportItem {
    #[serde(with = "as_text")]
    pub(crate) export: ExportId,
    pub(crate) expires_at: i64,
}

impl Entity for StatementExportItem {
    const TAG: &'static str = "statement-export";
}
