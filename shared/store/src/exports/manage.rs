//! Creation, reads and cancellation of exports.

use domain::Timestamp;
use domain::filter::Filter;
use domain::ids::{AccountId, ContactId, ExportId};
use domain::limits::{FILE_JOB_KEPT, FILE_KEPT};
use domain::period::PeriodNumber;
use domain::property::PropertyName;
use domain::source::Actor;

use crate::bulk::{Audience, Part, Selected, Target};
use crate::items::{ExportItem, StatementExportItem, StatementItem, decode};
use crate::job_state::{ExportState, FileFormat, SelectionKind};
use crate::jobs::{FileJob, FileTask, Job};
use crate::keys::{Collection, Key, account_pk};
use crate::operation::Step;
use crate::periods::PeriodSnapshot;
use crate::store::{Query, Store};
use crate::transaction::Transaction;
use crate::{Listing, Refused, Responder, StoreError, StoredResponse};

/// The separator between the names of columns. No name of a property contains it.
pub(super) const SEPARATOR: char = ',';

/// A request to create an export.
#[derive(Clone, Debug)]
pub struct NewExport {
    /// The contacts.
    pub selection: ExportSelection,
    /// The format of the file.
    pub format: FileFormat,
    /// The properties that have columns. `None` for all properties that the contacts have.
    pub columns: Option<Vec<PropertyName>>,
    /// The author of the request.
    pub actor: Actor,
}

/// The contacts that an export contains.
#[derive(Clone, Debug)]
pub enum ExportSelection {
    /// Selected contacts.
    Contacts(Selected),
    /// The contacts that a statement counts, as they were in the last instant of its period.
    Statement(PeriodNumber),
}

/// An export with its progress.
#[derive(Clone, Debug)]
pub struct Export {
    /// The id.
    pub id: ExportId,
    /// The state.
    pub state: ExportState,
    /// The format of the file.
    pub format: FileFormat,
    /// The kind of the selection. `None` for the contacts that a statement counts.
    pub selection: Option<SelectionKind>,
    /// The description of the contacts for people.
    pub name: String,
    /// The instant as of which states are exported.
    pub as_of: Timestamp,
    /// The period in which that instant is.
    pub period: PeriodNumber,
    /// The update date that ends that period.
    pub ends_at: Timestamp,
    /// The usage that the statement counts.
    pub counted: Option<u64>,
    /// The number of selected contacts, once it is known.
    pub matched: Option<u64>,
    /// The number of rows in the file so far.
    pub rows: u64,
    /// The size of the complete file in bytes.
    pub bytes: Option<u64>,
    /// The slug and the description of the reason for which the export failed.
    pub problem: Option<(String, String)>,
    /// The instant of the request.
    pub created_at: Timestamp,
    /// The instant at which the export ended.
    pub finished_at: Option<Timestamp>,
    /// The instant until which the file is stored, by the wall clock.
    pub kept_until: Timestamp,
}

impl Export {
    /// Returns the part of the rows that is done, from 0 to 1. `None` while the number of contacts is not known.
    #[must_use]
    pub fn progress(&self) -> Option<f64> {
        /// The highest progress of an export that is not complete.
        const UNFINISHED_MAX: f64 = 0.99;
        if self.state == ExportState::Done {
            return Some(1.0);
        }
        let matched = self.matched.or(self.counted)?;
        #[expect(clippy::cast_precision_loss, reason = "a progress needs few digits")]
        let part = if matched == 0 { 0.0 } else { self.rows as f64 / matched as f64 };
        Some(part.min(UNFINISHED_MAX))
    }

    /// Returns the number of contacts that the statement counts and that have no row, because they were erased or removed
    /// since. `None` for other exports, and before the file is complete.
    #[must_use]
    pub fn without_row(&self) -> Option<u64> {
        let counted = self.counted.filter(|_| self.state == ExportState::Done)?;
        Some(counted.saturating_sub(self.rows))
    }
}

impl From<&ExportItem> for Export {
    fn from(item: &ExportItem) -> Self {
        let problem = item.problem.as_deref().and_then(|problem| problem.split_once(' '));
        Self {
            id: item.id,
            state: item.state,
            format: item.format,
            selection: item.selection,
            name: item.name.clone(),
            as_of: item.as_of,
            period: item.period,
            ends_at: item.ends_at,
            counted: item.counted,
            matched: item.matched,
            rows: item.rows,
            bytes: item.bytes,
            problem: problem.map(|(slug, text)| (slug.to_owned(), text.to_owned())),
            created_at: item.created_at,
            finished_at: item.finished_at,
            kept_until: item.kept_until,
        }
    }
}

impl ExportItem {
    /// Begins a lease at `wall_clock`: the export is due again when the lease ends.
    pub(super) fn lease(&mut self, account: AccountId, wall_clock: Timestamp) {
        let task = FileTask { account, job: FileJob::Export(self.id) };
        let (shard, until) = Job::File(task).due(wall_clock);
        self.due_shard = Some(shard);
        self.due_at = Some(until);
    }

    /// Ends the export in a state.
    pub(super) fn end(&mut self, state: ExportState, now: Timestamp) {
        self.state = state;
        self.finished_at = Some(now);
        self.due_shard = None;
        self.due_at = None;
    }
}

/// The contacts of an export and the instant as of which they are exported.
struct Scope {
    audience: Audience,
    selection: Option<SelectionKind>,
    name: String,
    as_of: Timestamp,
    period: PeriodNumber,
    ends_at: Timestamp,
    counted: Option<u64>,
}

impl Store {
    /// Creates an export.
    ///
    /// The caller sends it to the queue. A lost message does no harm, because unfinished exports are due.
    ///
    /// # Errors
    ///
    /// [`Refused::Invalid`] if the selected segment or job does not exist, and [`Refused::NotFound`] if there is no such
    /// statement.
    pub async fn create_export(
        &self,
        account: AccountId,
        new: &NewExport,
        wall_clock: Timestamp,
        responder: Responder<'_, Export>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        op.mutate_in_period(&new.keys(account), responder, async |mut opened| {
            let scope = self.scope(account, new, &mut opened, wall_clock).await?;
            let named = new.columns.as_deref();
            // Lines of JSON need no header, so their properties need not be known.
            let is_known = named.is_some() || new.format == FileFormat::Ndjson;
            let mut item = ExportItem {
                id: ExportId::new(wall_clock, self.rng().bits()),
                actor: new.actor,
                state: if is_known { ExportState::Running } else { ExportState::Reading },
                format: new.format,
                selection: scope.selection,
                name: scope.name,
                as_of: scope.as_of,
                period: scope.period,
                ends_at: scope.ends_at,
                counted: scope.counted,
                columns: named.map(columns_text),
                matched: None,
                rows: 0,
                place: None,
                file: None,
                bytes: None,
                problem: None,
                created_at: opened.now,
                finished_at: None,
                kept_until: wall_clock.plus(FILE_KEPT),
                version: 1,
                due_shard: None,
                due_at: None,
                expires_at: Some(wall_clock.plus(FILE_JOB_KEPT).seconds()),
            };
            item.lease(account, wall_clock);
            let mut transaction = Transaction::default();
            transaction.put(self.put_new(Key::export(account, item.id), &item)?);
            let mut definition = scope.audience.to_item()?;
            definition.expires_at = item.expires_at;
            transaction.put(self.put_new(Key::export_definition(account, item.id), &definition)?);
            if let ExportSelection::Statement(number) = new.selection {
                let latest = StatementExportItem { export: item.id, expires_at: item.kept_until.seconds() };
                transaction.put(self.put_any(Key::statement_export(account, number), &latest)?);
            }
            Ok(Step::Commit(transaction, Export::from(&item)))
        })
        .await
    }

    async fn scope(
        &self,
        account: AccountId,
        new: &NewExport,
        opened: &mut PeriodSnapshot,
        wall_clock: Timestamp,
    ) -> Result<Scope, StoreError> {
        let op = self.operation(account, wall_clock);
        match &new.selection {
            ExportSelection::Contacts(selected) => {
                let target = Target::Selected(selected.clone());
                let resolved = op.resolve_target(&target, &mut opened.items).await?;
                Ok(Scope {
                    audience: resolved.audience,
                    selection: Some(resolved.kind),
                    name: resolved.name,
                    as_of: opened.now,
                    period: opened.period.number,
                    ends_at: opened.period.ends_at,
                    counted: None,
                })
            }
            ExportSelection::Statement(number) => {
                let item = opened.items.take::<StatementItem>(&Key::statement(account, *number))?;
                let statement = item.ok_or(Refused::NotFound("statement"))?.into_statement()?;
                let audience = Audience {
                    any_of: vec![Part::Filter(Filter::default())],
                    state: None,
                    counts_all: false,
                    except: std::collections::BTreeSet::new(),
                    until: ContactId::new(wall_clock, u128::MAX),
                };
                Ok(Scope {
                    audience,
                    selection: None,
                    name: format!("Statement of period {number}"),
                    as_of: statement.ends_at.plus(-chrono::TimeDelta::milliseconds(1)),
                    period: *number,
                    ends_at: statement.ends_at,
                    counted: Some(statement.marketing),
                })
            }
        }
    }

    /// Returns the latest export of the contacts that a statement counts, while its file is stored.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn statement_export(
        &self,
        account: AccountId,
        number: PeriodNumber,
        wall_clock: Timestamp,
    ) -> Result<Option<Export>, StoreError> {
        let latest: Option<StatementExportItem> = self.get(Key::statement_export(account, number)).await?;
        let Some(latest) = latest else { return Ok(None) };
        let export = match self.export(account, latest.export).await {
            Ok(export) => export,
            Err(StoreError::Refused(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_usable = !matches!(export.state, ExportState::Failed | ExportState::Cancelled);
        Ok((is_usable && export.kept_until > wall_clock).then_some(export))
    }

    /// Returns an export of the account. One read.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn export(&self, account: AccountId, id: ExportId) -> Result<Export, StoreError> {
        let item: Option<ExportItem> = self.get(Key::export(account, id)).await?;
        Ok(Export::from(&item.ok_or(Refused::NotFound("export"))?))
    }

    /// Returns the account's exports, newest first. The list begins before the export `after`.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn exports(
        &self,
        account: AccountId,
        after: Option<ExportId>,
        limit: usize,
    ) -> Result<Listing<Export>, StoreError> {
        let query = Query {
            pk: account_pk(account),
            prefix: Collection::Exports.prefix(),
            after: after.map(|export| Key::export(account, export).sk),
            limit,
            newest_first: true,
        };
        let page = self.query(&query).await?;
        let more = page.next.is_some();
        let items = page.items.into_iter().map(|item| Ok(Export::from(&decode::<ExportItem>(item)?)));
        Ok(Listing { items: items.collect::<Result<_, StoreError>>()?, more })
    }

    /// Cancels an export. A finished export stays as it is.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn cancel_export(
        &self,
        account: AccountId,
        id: ExportId,
        wall_clock: Timestamp,
        responder: Responder<'_, Export>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let key = Key::export(account, id);
        op.mutate_in_period(std::slice::from_ref(&key), responder, async |mut opened| {
            let item: Option<ExportItem> = opened.items.take(&key)?;
            let mut item = item.ok_or(Refused::NotFound("export"))?;
            if item.state.is_finished() {
                return Ok(Step::unchanged(Export::from(&item)));
            }
            let stored = item.version;
            item.version += 1;
            item.end(ExportState::Cancelled, opened.now);
            let mut transaction = Transaction::default();
            transaction.put(self.put_versioned(key.clone(), &item, stored)?);
            Ok(Step::Commit(transaction, Export::from(&item)))
        })
        .await
    }
}

impl NewExport {
    /// Returns the keys of the items that the request refers to.
    fn keys(&self, account: AccountId) -> Vec<Key> {
        match &self.selection {
            ExportSelection::Contacts(selected) => Target::Selected(selected.clone()).keys(account),
            ExportSelection::Statement(number) => vec![Key::statement(account, *number)],
        }
    }
}

/// Returns the text of the names of columns.
pub(super) fn columns_text(columns: &[PropertyName]) -> String {
    let names: Vec<&str> = columns.iter().map(PropertyName::as_str).collect();
    names.join(&SEPARATOR.to_string())
}
