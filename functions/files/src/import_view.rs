//! Views of imports.

use std::collections::BTreeMap;

use contact_files::Options;
use domain::import::{ImportSummary, RowOutcome};
use file_store::Link;
use serde::Serialize;
use store::Import;
use utoipa::ToSchema;

/// A request that the caller sends to store a file, without the bearer token.
#[derive(Serialize, ToSchema)]
#[schema(as = Upload)]
pub(crate) struct UploadView {
    /// `PUT`.
    method: &'static str,
    /// The URL. It is a secret, because each holder can store the file.
    url: String,
    /// The headers that the request must have.
    headers: BTreeMap<String, String>,
    /// The end of the URL's validity.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl UploadView {
    pub(crate) fn new(link: &Link) -> Self {
        Self {
            method: "PUT",
            url: link.url.clone(),
            headers: link.headers.iter().cloned().collect(),
            expires_at: link.expires_at.to_string(),
        }
    }
}

/// The number of rows with each result.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportSummary)]
pub(crate) struct SummaryView {
    /// Rows that created a contact.
    created: u64,
    /// Rows that changed a contact.
    updated: u64,
    /// Rows whose contact has all of their values already.
    unchanged: u64,
    /// Rows for a contact that an earlier row of the file wrote.
    duplicate_of: u64,
    /// Rows without a filled cell.
    empty: u64,
    /// Rows that were not applied.
    invalid: u64,
    /// Rows after the end of a cancelled import.
    not_run: u64,
    /// Contacts that became marketing contacts.
    set: u64,
    /// Contacts that were leaving and stay.
    kept: u64,
    /// Contacts that were refused as marketing contacts, by reason. They are stored all the same.
    refused: BTreeMap<&'static str, u64>,
}

impl SummaryView {
    pub(crate) fn new(summary: &ImportSummary) -> Self {
        Self {
            created: summary.rows(RowOutcome::Created),
            updated: summary.rows(RowOutcome::Updated),
            unchanged: summary.rows(RowOutcome::Unchanged),
            duplicate_of: summary.rows(RowOutcome::DuplicateOf),
            empty: summary.rows(RowOutcome::Empty),
            invalid: summary.rows(RowOutcome::Invalid),
            not_run: summary.rows(RowOutcome::NotRun),
            set: summary.set,
            kept: summary.kept,
            refused: summary.refused.iter().map(|(refusal, rows)| (refusal.as_str(), *rows)).collect(),
        }
    }
}

/// The reason for which an import or an export failed.
#[derive(Serialize, ToSchema)]
#[schema(as = FileProblem)]
pub(crate) struct ProblemView {
    /// The name of the reason, such as `spreadsheet`.
    slug: String,
    /// A sentence about it.
    message: String,
}

impl ProblemView {
    pub(crate) fn new((slug, message): &(String, String)) -> Self {
        Self { slug: slug.clone(), message: message.clone() }
    }
}

/// The options of an import.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportSettings)]
struct OptionsView {
    /// The contacts that the import may write.
    mode: &'static str,
    /// True if the contacts of the file are set marketing.
    set_marketing: bool,
    /// The static list to which the contacts are added.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    add_to_segment: Option<String>,
    /// True if automations follow the changes.
    automations: bool,
    /// True if nothing is written.
    dry_run: bool,
    /// The mapped columns, each with its target.
    mapping: BTreeMap<String, Option<String>>,
    /// The encoding, if the request names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    encoding: Option<&'static str>,
    /// The delimiter, if the request names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    delimiter: Option<&'static str>,
    /// True if the file may also clear `unsubscribed` and `bounced`.
    clear_flags: bool,
}

/// An import with its progress.
#[derive(Serialize, ToSchema)]
#[schema(as = Import)]
pub(crate) struct ImportView {
    /// The id.
    id: String,
    /// The display name.
    name: String,
    /// The state. `created`: the file is not uploaded yet, or the import was not started. `reading`: the file is being
    /// read. `running`: its rows are being applied. `finishing`: the results are being written. `done`, `cancelled` and
    /// `failed` are final.
    state: &'static str,
    /// The options.
    options: OptionsView,
    /// The size of the file in bytes, once the import has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    bytes: Option<u64>,
    /// The number of rows in the file, once it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rows: Option<u64>,
    /// The part that is done, from 0 to 1.
    progress: f64,
    /// The results so far.
    summary: SummaryView,
    /// The reason for the state `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<ProblemView>,
    /// The path of the file with the result of each row, once it is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rows_url: Option<String>,
    /// The request that stores the file, in the response that creates the import.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    upload: Option<UploadView>,
    /// The instant of creation.
    #[schema(format = DateTime)]
    created_at: String,
    /// The instant at which the work began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    started_at: Option<String>,
    /// The instant at which the import ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    finished_at: Option<String>,
}

impl ImportView {
    pub(crate) fn new(import: &Import) -> Self {
        Self::with_upload(import, None)
    }

    pub(crate) fn with_upload(import: &Import, upload: Option<&Link>) -> Self {
        // The text was written by this program. If a later one can't read it, the other options are still shown.
        let reading = file_jobs::read_options(&import.reading).unwrap_or_default();
        Self {
            id: import.id.to_string(),
            name: import.name.clone(),
            state: import.state.as_str(),
            options: OptionsView::new(import, reading),
            bytes: import.file.as_ref().map(|file| file.bytes),
            rows: import.rows,
            progress: import.progress(),
            summary: SummaryView::new(&import.summary),
            problem: import.problem.as_ref().map(ProblemView::new),
            rows_url: import.has_results.then(|| format!("/v1/imports/{}/rows.csv", import.id)),
            upload: upload.map(UploadView::new),
            created_at: import.created_at.to_string(),
            started_at: import.started_at.map(|at| at.to_string()),
            finished_at: import.finished_at.map(|at| at.to_string()),
        }
    }
}

impl OptionsView {
    fn new(import: &Import, reading: Options) -> Self {
        let terms = &import.terms;
        Self {
            mode: terms.mode.as_str(),
            set_marketing: terms.set_marketing,
            add_to_segment: terms.add_to_segment.map(|segment| segment.to_string()),
            automations: terms.automations,
            dry_run: terms.dry_run,
            mapping: reading.mapping.into_iter().map(|(name, target)| (name, target.into())).collect(),
            encoding: reading.encoding.map(contact_files::Encoding::name),
            delimiter: reading.delimiter.map(contact_files::Delimiter::as_str),
            clear_flags: reading.clear_flags,
        }
    }
}
