//! Imports and exports that wait for their worker, created without the function `files`.

use domain::Timestamp;
use domain::filter::Filter;
use domain::ids::SegmentId;
use domain::import::ImportMode;
use file_jobs::{options_text, upload_key};
use store::{
    ContactRef, Export, ExportSelection, FileFormat, FileJob, FileTask, Import, ImportFile, ImportTerms,
    MembersReport, NewExport, NewImport, NewSegment, Responder, Segment, SegmentContent, Selected, Selection,
};
use testkit::TestFiles;

use super::setting::{Fixture, address};
use crate::operations::{self, Told};

/// Returns the rules of an ordinary import.
pub fn terms() -> ImportTerms {
    ImportTerms {
        mode: ImportMode::Both,
        set_marketing: false,
        add_to_segment: None,
        automations: true,
        dry_run: false,
    }
}

/// Returns all contacts of an account, as an export selects them.
pub fn everything() -> ExportSelection {
    selected(Selection::Filter(Filter::default()))
}

/// Returns the contacts that an export selects in this way.
pub fn selected(by: Selection) -> ExportSelection {
    ExportSelection::Contacts(Selected { by, except: std::collections::BTreeSet::new() })
}

impl Fixture {
    /// Uploads a file and starts its import, as of this instant. Returns the message for the worker.
    pub async fn import(&self, files: &TestFiles, terms: ImportTerms, csv: &str, at: Timestamp) -> String {
        let store = &self.table.store;
        let id = store.new_import_id(at);
        let key = upload_key(self.account, id);
        files.files.put(&key, "text/csv", csv.as_bytes().to_vec()).await.expect("it is stored");
        let info = files.files.info(&key).await.expect("an answer").expect("the file");
        let new = NewImport {
            name: "spring.csv".to_owned(),
            terms,
            reading: options_text(&Default::default()).expect("a text"),
            actor: operations::user(),
            file: Some(ImportFile { bytes: info.bytes, version: info.version }),
        };
        let told = Told::<Import>::new();
        let render = told.render();
        let responder = Responder::new(None, &render);
        store.create_import(self.account, &new, id, at, responder).await.expect("an import");
        self.message(FileJob::Import(id))
    }

    /// Creates a static list of the contacts with these names, as of this instant.
    pub async fn list(&self, names: &[&str], at: Timestamp) -> SegmentId {
        let members = names.iter().map(|name| ContactRef::Email(testkit::email(&address(name))));
        let new = NewSegment { name: "Guests".to_owned(), content: SegmentContent::List(members.collect()) };
        let told = Told::<(Segment, MembersReport)>::new();
        let render = told.render();
        let responder = Responder::new(None, &render);
        self.table.store.create_segment(self.account, &new, at, responder).await.expect("a list");
        drop(render);
        told.take().0.id
    }

    /// Creates an export of all contacts, as of this instant. Returns the message for the worker.
    pub async fn export(&self, at: Timestamp) -> String {
        self.export_of(everything(), at).await
    }

    /// Creates an export of this selection, as of this instant. Returns the message for the worker.
    pub async fn export_of(&self, selection: ExportSelection, at: Timestamp) -> String {
        let new = NewExport { selection, format: FileFormat::Csv, columns: None, actor: operations::user() };
        let told = Told::<Export>::new();
        let render = told.render();
        let responder = Responder::new(None, &render);
        self.table.store.create_export(self.account, &new, at, responder).await.expect("an export");
        drop(render);
        self.message(FileJob::Export(told.take().id))
    }

    fn message(&self, job: FileJob) -> String {
        serde_json::to_string(&FileTask { account: self.account, job }).expect("a message")
    }
}
