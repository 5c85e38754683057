//! Creation, start, reads and cancellation of imports.

use domain::Timestamp;
use domain::ids::{AccountId, ImportId, SegmentId};
use domain::import::{ImportMode, ImportSummary};
use domain::limits::{FILE_JOB_KEPT, FILE_KEPT};
use domain::source::Actor;

use crate::items::{ExportItem, ImportFileItem, ImportItem, ImportSummaryItem, Items, SegmentItem, decode};
use crate::job_state::ImportState;
use crate::jobs::{FileJob, FileTask, Job};
use crate::keys::{Collection, Key, account_pk};
use crate::operation::Step;
use crate::periods::PeriodSnapshot;
use crate::store::{Query, Store};
use crate::transaction::Transaction;
use crate::{Listing, Refused, Responder, StoreError, StoredResponse};

/// A request to create an import.
#[derive(Clone, Debug)]
pub struct NewImport {
    /// The display name, which the histories of the contacts show.
    pub name: String,
    /// The rules for the rows.
    pub terms: ImportTerms,
    /// The options for reading the file, as the reader's text.
    pub reading: String,
    /// The actor that the history shows.
    pub actor: Actor,
    /// The file, if it is stored already. The import then starts at once.
    pub file: Option<ImportFile>,
}

/// The rules for the rows of an import.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportTerms {
    /// The contacts that may be written.
    pub mode: ImportMode,
    /// True if the contacts of the file are set marketing.
    pub set_marketing: bool,
    /// The static list to which the contacts of the file are added.
    pub add_to_segment: Option<SegmentId>,
    /// True if automations follow the changes.
    pub automations: bool,
    /// True if the rows are decided and nothing is written.
    pub dry_run: bool,
}

/// An uploaded file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportFile {
    /// The size in bytes.
    pub bytes: u64,
    /// The version that the file store has assigned to the content.
    pub version: String,
}

/// An import with its progress.
#[derive(Clone, Debug)]
pub struct Import {
    /// The id.
    pub id: ImportId,
    /// The display name.
    pub name: String,
    /// The state.
    pub state: ImportState,
    /// The rules for the rows.
    pub terms: ImportTerms,
    /// The options for reading the file, as the reader's text.
    pub reading: String,
    /// The file, once the import has started.
    pub file: Option<ImportFile>,
    /// The number of rows in the file, once it was read.
    pub rows: Option<u64>,
    /// The results so far.
    pub summary: ImportSummary,
    /// The slug and the description of the reason for which the import failed.
    pub problem: Option<(String, String)>,
    /// True if the files with the results can be downloaded.
    pub has_results: bool,
    /// The instant of creation.
    pub created_at: Timestamp,
    /// The instant at which the work began.
    pub started_at: Option<Timestamp>,
    /// The instant at which the import ended.
    pub finished_at: Option<Timestamp>,
}

impl Import {
    /// Returns the part of the rows that is done, from 0 to 1. It is 1 only if the import is complete.
    #[must_use]
    pub fn progress(&self) -> f64 {
        /// The highest progress of an import that is not complete.
        const UNFINISHED_MAX: f64 = 0.99;
        if self.state == ImportState::Done {
            return 1.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a progress needs few digits")]
        let part = match self.rows {
            Some(rows) if rows > 0 => self.summary.total() as f64 / rows as f64,
            _ => 0.0,
        };
        part.min(UNFINISHED_MAX)
    }
}

impl From<ImportItem> for Import {
    fn from(item: ImportItem) -> Self {
        let file = item.file.map(|ImportFileItem { bytes, version }| ImportFile { bytes, version });
        let problem = item.problem.as_deref().and_then(|problem| problem.split_once(' '));
        Self {
            id: item.id,
            name: item.name,
            state: item.state,
            terms: ImportTerms {
                mode: item.mode,
                set_marketing: item.set_marketing,
                add_to_segment: item.add_to_segment,
                automations: item.automations,
                dry_run: item.dry_run,
            },
            reading: item.reading,
            file,
            rows: item.rows,
            summary: item.summary.summary(),
            problem: problem.map(|(slug, text)| (slug.to_owned(), text.to_owned())),
            has_results: item.has_results,
            created_at: item.created_at,
            started_at: item.started_at,
            finished_at: item.finished_at,
        }
    }
}

impl ImportItem {
    /// Returns the task of the import.
    pub(super) fn task(&self, account: AccountId) -> FileTask {
        FileTask { account, job: FileJob::Import(self.id) }
    }

    /// Begins a lease at `wall_clock`: the import is due again when the lease ends.
    pub(super) fn lease(&mut self, account: AccountId, wall_clock: Timestamp) {
        let (shard, until) = Job::File(self.task(account)).due(wall_clock);
        self.due_shard = Some(shard);
        self.due_at = Some(until);
    }

    /// Ends the import in a state.
    pub(super) fn end(&mut self, state: ImportState, now: Timestamp, wall_clock: Timestamp) {
        self.state = state;
        self.ends_as = None;
        self.finished_at = Some(now);
        self.due_shard = None;
        self.due_at = None;
        self.expires_at = Some(wall_clock.plus(FILE_JOB_KEPT).seconds());
    }

    /// Starts the import with its file.
    fn start(&mut self, file: &ImportFile, account: AccountId, wall_clock: Timestamp) {
        self.file = Some(ImportFileItem { bytes: file.bytes, version: file.version.clone() });
        self.state = ImportState::Reading;
        self.expires_at = None;
        self.lease(account, wall_clock);
    }
}

impl Store {
    /// Creates an import. If the request has a file, it also starts.
    ///
    /// # Errors
    ///
    /// [`Refused::MarketingContactsOff`] if the import sets contacts marketing and the account can't have any, and
    /// [`Refused::Invalid`] if the segment is not a static list of the account.
    pub async fn create_import(
        &self,
        account: AccountId,
        new: &NewImport,
        id: ImportId,
        wall_clock: Timestamp,
        responder: Responder<'_, Import>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let segment = new.terms.add_to_segment.map(|segment| Key::segment(account, segment));
        let keys: Vec<Key> = segment.into_iter().collect();
        op.mutate_in_period(&keys, responder, async |mut opened| {
            check_terms(account, &new.terms, &mut opened)?;
            let terms = new.terms.clone();
            let mut item = ImportItem {
                id,
                name: new.name.clone(),
                actor: new.actor,
                state: ImportState::Created,
                ends_as: None,
                mode: terms.mode,
                set_marketing: terms.set_marketing,
                add_to_segment: terms.add_to_segment,
                automations: terms.automations,
                dry_run: terms.dry_run,
                reading: new.reading.clone(),
                file: None,
                rows: None,
                done: 0,
                place: None,
                summary: ImportSummaryItem::default(),
                problem: None,
                has_results: false,
                created_at: opened.now,
                started_at: None,
                finished_at: None,
                version: 1,
                due_shard: None,
                due_at: None,
                // An import that never starts disappears with its file.
                expires_at: Some(wall_clock.plus(FILE_KEPT).seconds()),
            };
            if let Some(file) = &new.file {
                item.start(file, account, wall_clock);
            }
            let mut transaction = Transaction::default();
            transaction.put(self.put_new(Key::import(account, id), &item)?);
            Ok(Step::Commit(transaction, Import::from(item)))
        })
        .await
    }

    /// Returns the id for a new import, by which its file is stored.
    #[must_use]
    pub fn new_import_id(&self, wall_clock: Timestamp) -> ImportId {
        ImportId::new(wall_clock, self.rng().bits())
    }

    /// Starts an import with its uploaded file. An import that has started already stays as it is. The histories of the
    /// contacts name `starter`, who decides what the import changes.
    ///
    /// `checked` is the import as the caller's permission was checked, and its file was looked at. The caller sends the import to the queue. A lost message does no harm, because unfinished imports are due.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], and [`StoreError::Unavailable`] if the rules are no longer those that were checked.
    pub async fn start_import(
        &self,
        account: AccountId,
        checked: &Import,
        file: &ImportFile,
        starter: Actor,
        wall_clock: Timestamp,
        responder: Responder<'_, Import>,
    ) -> Result<StoredResponse, StoreError> {
        self.change_import(account, checked.id, wall_clock, responder, |item, _| {
            if item.state != ImportState::Created {
                return Ok(false);
            }
            let stored = Import::from(item.clone());
            if (&stored.terms, &stored.reading) != (&checked.terms, &checked.reading) {
                return Err(StoreError::Unavailable(
                    "the import was changed during its start".to_owned(),
                    None,
                ));
            }
            item.actor = starter;
            item.start(file, account, wall_clock);
            Ok(true)
        })
        .await
    }

    /// Cancels an import. Rows that it has applied stay applied, and the others have no effect. A finished import stays as
    /// it is.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn cancel_import(
        &self,
        account: AccountId,
        id: ImportId,
        wall_clock: Timestamp,
        responder: Responder<'_, Import>,
    ) -> Result<StoredResponse, StoreError> {
        self.change_import(account, id, wall_clock, responder, |item, now| match item.state {
            ImportState::Created | ImportState::Reading => {
                item.end(ImportState::Cancelled, now, wall_clock);
                Ok(true)
            }
            ImportState::Running => {
                item.state = ImportState::Finishing;
                item.ends_as = Some(ImportState::Cancelled);
                item.lease(account, wall_clock);
                Ok(true)
            }
            _ => Ok(false),
        })
        .await
    }

    /// Changes an import by `change`, which returns false if nothing changes. The worker's next transaction fails, because
    /// the import's version has changed.
    async fn change_import(
        &self,
        account: AccountId,
        id: ImportId,
        wall_clock: Timestamp,
        responder: Responder<'_, Import>,
        change: impl Fn(&mut ImportItem, Timestamp) -> Result<bool, StoreError> + Sync,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let key = Key::import(account, id);
        op.mutate_in_period(std::slice::from_ref(&key), responder, async |mut opened| {
            let item: Option<ImportItem> = opened.items.take(&key)?;
            let mut item = item.ok_or(Refused::NotFound("import"))?;
            if !change(&mut item, opened.now)? {
                return Ok(Step::unchanged(Import::from(item)));
            }
            let stored = item.version;
            item.version += 1;
            let mut transaction = Transaction::default();
            transaction.put(self.put_versioned(key.clone(), &item, stored)?);
            Ok(Step::Commit(transaction, Import::from(item)))
        })
        .await
    }

    /// Returns an import of the account. One read.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn import(&self, account: AccountId, id: ImportId) -> Result<Import, StoreError> {
        let item: Option<ImportItem> = self.get(Key::import(account, id)).await?;
        Ok(item.ok_or(Refused::NotFound("import"))?.into())
    }

    /// Returns the account's imports, newest first. The list begins before the import `after`.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn imports(
        &self,
        account: AccountId,
        after: Option<ImportId>,
        limit: usize,
    ) -> Result<Listing<Import>, StoreError> {
        let query = Query {
            pk: account_pk(account),
            prefix: Collection::Imports.prefix(),
            after: after.map(|import| Key::import(account, import).sk),
            limit,
            newest_first: true,
        };
        let page = self.query(&query).await?;
        let more = page.next.is_some();
        let items = page.items.into_iter().map(|item| decode::<ImportItem>(item).map(Import::from));
        Ok(Listing { items: items.collect::<Result<_, _>>()?, more })
    }
}

impl Store {
    /// Returns the tasks of the account's unfinished imports and exports.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn unfinished_files(&self, account: AccountId) -> Result<Vec<FileTask>, StoreError> {
        let imports = self.every::<ImportItem>(account, Collection::Imports).await?;
        let is_open = |state: ImportState| !state.is_finished() && state != ImportState::Created;
        let imports = imports.into_iter().filter(|item| is_open(item.state));
        let exports = self.every::<ExportItem>(account, Collection::Exports).await?;
        let exports = exports.into_iter().filter(|item| !item.state.is_finished());
        let imports = imports.map(|item| FileJob::Import(item.id));
        let jobs = imports.chain(exports.map(|item| FileJob::Export(item.id)));
        Ok(jobs.map(|job| FileTask { account, job }).collect())
    }
}

/// Refuses to set contacts marketing where there can be none, and to add them to a segment that is not a static list.
pub(super) fn check_terms(
    account: AccountId,
    terms: &ImportTerms,
    opened: &mut PeriodSnapshot,
) -> Result<(), StoreError> {
    if terms.set_marketing && !opened.period.marketing_contacts {
        return Err(Refused::MarketingContactsOff.into());
    }
    check_list(account, terms, &mut opened.items)
}

fn check_list(account: AccountId, terms: &ImportTerms, items: &mut Items) -> Result<(), StoreError> {
    let Some(segment) = terms.add_to_segment else { return Ok(()) };
    let item = items.take::<SegmentItem>(&Key::segment(account, segment))?;
    if item.is_some_and(|item| item.filter.is_none()) {
        return Ok(());
    }
    let message = "expected the id of a static list".to_owned();
    Err(Refused::Invalid { field: "options.add_to_segment", message }.into())
}
