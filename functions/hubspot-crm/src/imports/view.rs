//! Views of imports.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::ids::NumberedId as _;
use domain::import::RowOutcome;
use serde::Serialize;
use store::{Import, ImportState};

use crate::lists::CONTACTS;

/// The list to which the contacts of an import are added.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListRecordView {
    list_id: String,
    object_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MetadataView {
    counters: BTreeMap<&'static str, u64>,
    file_ids: Vec<String>,
    object_lists: Vec<ListRecordView>,
}

/// An import in a response.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImportView {
    id: String,
    import_name: String,
    state: &'static str,
    created_at: String,
    updated_at: String,
    import_source: &'static str,
    opt_out_import: bool,
    mapped_object_type_ids: [&'static str; 1],
    metadata: MetadataView,
}

impl ImportView {
    pub(super) fn new(import: &Import) -> Self {
        let id = import.id.number().to_string();
        let updated_at = import.finished_at.or(import.started_at).unwrap_or(import.created_at);
        let list = import
            .terms
            .add_to_segment
            .map(|segment| ListRecordView { list_id: segment.number().to_string(), object_type: "CONTACT" });
        Self {
            import_name: import.name.clone(),
            state: state(import.state),
            created_at: import.created_at.to_string(),
            updated_at: updated_at.to_string(),
            import_source: "API",
            // An import never unsubscribes all of its contacts.
            opt_out_import: false,
            mapped_object_type_ids: [CONTACTS],
            metadata: MetadataView {
                counters: counters(import),
                // An import has one file, which has no number of its own.
                file_ids: import.file.iter().map(|_| id.clone()).collect(),
                object_lists: list.into_iter().collect(),
            },
            id,
        }
    }
}

/// Returns the state in `HubSpot`'s words. An import without a file waits for one.
fn state(state: ImportState) -> &'static str {
    match state {
        ImportState::Created => "DEFERRED",
        ImportState::Reading => "STARTED",
        ImportState::Running | ImportState::Finishing => "PROCESSING",
        ImportState::Done => "DONE",
        ImportState::Failed => "FAILED",
        ImportState::Cancelled => "CANCELED",
    }
}

fn counters(import: &Import) -> BTreeMap<&'static str, u64> {
    let rows = |outcome| import.summary.rows(outcome);
    let (created, updated) = (rows(RowOutcome::Created), rows(RowOutcome::Updated));
    let counters = [
        ("CREATED_OBJECTS", created),
        ("UPDATED_OBJECTS", updated),
        ("UNIQUE_OBJECTS_WRITTEN", created + updated),
        ("DUPLICATE_ROWS", rows(RowOutcome::DuplicateOf)),
        ("UNCHANGED_OBJECTS", rows(RowOutcome::Unchanged)),
        ("ERRORS", rows(RowOutcome::Invalid)),
        ("MARKETABLE_CONTACTS_SET", import.summary.set + import.summary.kept),
        ("MARKETABLE_CONTACTS_NOT_SET", import.summary.refused.values().sum()),
    ];
    let total = import.rows.map(|rows| ("TOTAL_ROWS", rows));
    counters.into_iter().chain(total).collect()
}

/// The result of an action.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActionView {
    status: &'static str,
    requested_at: String,
    started_at: String,
    completed_at: String,
}

impl ActionView {
    pub(super) fn new(now: Timestamp) -> Self {
        let now = now.to_string();
        Self { status: "COMPLETE", requested_at: now.clone(), started_at: now.clone(), completed_at: now }
    }
}
