//! The work on an import: transactions that each contain the contacts of the next rows, the rows' results, and the
//! import's counts and place.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use domain::Timestamp;
use domain::contact::Contact;
use domain::decision::Ledger;
use domain::ids::{AccountId, ContactId, ImportId, SegmentId};
use domain::import::{ImportSummary, RowOutcome};
use domain::limits::{BATCH_READ_MAX, FILE_KEPT, IMPORT_BYTES_AHEAD_MAX, IMPORT_ROWS_AHEAD_MAX};
use domain::period::{Delta, Period};
use domain::source::Source;
use futures_util::future::join;
use tokio::time::Instant;

use super::decide::{Complete, Decided, Decisions, FirstRows, Order};
use super::manage::Import;
use super::rows::{ImportRow, RowContent};
use crate::bulk::pace::Pace;
use crate::contacts::{Loaded, queued_in};
use crate::items::{
    AddressItem, ContactItem, ImportItem, ImportLayoutItem, ImportRowsItem, ImportSummaryItem, MemberItem,
    SegmentItem, encode_results,
};
use crate::job_state::ImportState;
use crate::keys::Key;
use crate::members::NewMember;
use crate::operation::Operation;
use crate::periods::PeriodSnapshot;
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{ContactRef, StoreError};

/// The number of addresses that are looked up at once. The period, the import and the list are read with them.
const LOOKED_UP_AT_ONCE: usize = BATCH_READ_MAX - 3;

/// The work on one import by one worker.
pub struct ImportRun<'s> {
    store: &'s Store,
    account: AccountId,
    /// The import as it is stored.
    item: ImportItem,
    layout: Option<String>,
    order: Order,
    /// The rows that are read and have no result.
    ahead: VecDeque<ImportRow>,
    ahead_bytes: usize,
    /// The contacts of looked-up addresses, by the addresses' keys. `None` for an address that no contact has.
    known: HashMap<String, Option<Loaded>>,
    /// The memberships of known contacts in the import's list, with the contacts' times of creation.
    members: HashMap<ContactId, Timestamp>,
    /// The period after the latest transaction that counted.
    expected: Option<Period>,
    pace: Pace,
    dry: Dry,
}

/// The memory of a dry run, which writes no contact.
#[derive(Default)]
struct Dry {
    /// The change of the counts that would have been made.
    delta: Delta,
    /// The first rows of the contacts that would have been written.
    first: FirstRows,
}

/// The state on which the rows of one transaction are decided.
struct Basis {
    opened: PeriodSnapshot,
    list: Option<SegmentItem>,
    /// True if all contacts were read after the period.
    is_fresh: bool,
}

/// The addresses of the rows of one transaction.
struct Applied {
    /// Those that no later row names.
    gone: HashSet<String>,
    /// Those that a row names that waits for its result.
    waiting: HashSet<String>,
}

/// The end of one attempt at a transaction.
enum Attempt {
    /// Rows have results.
    Applied,
    /// The items have changed since they were read.
    Again,
    /// A caller or another worker has changed the import.
    Superseded,
}

impl Store {
    /// Opens an import for work, and begins a lease. Returns `None` if the import is finished, was not started, or does not
    /// exist.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn open_import(
        &self,
        account: AccountId,
        import: ImportId,
        wall_clock: Timestamp,
    ) -> Result<Option<ImportRun<'_>>, StoreError> {
        let op = self.operation(account, wall_clock);
        let (key, layout_key) = (Key::import(account, import), Key::import_layout(account, import));
        let mut items = op.read(vec![key.clone(), layout_key.clone()]).await?;
        let item: Option<ImportItem> = items.take(&key)?;
        let open = |item: &ImportItem| !item.state.is_finished() && item.state != ImportState::Created;
        let Some(item) = item.filter(open) else { return Ok(None) };
        let layout: Option<ImportLayoutItem> = items.take(&layout_key)?;
        let mut run = ImportRun::new(self, account, item, layout.map(|layout| layout.layout));
        if run.item.dry_run && run.item.state == ImportState::Running {
            run.begin_again();
        }
        run.item.lease(account, wall_clock);
        Ok(run.save(wall_clock).await?.then_some(run))
    }
}

impl<'s> ImportRun<'s> {
    fn new(store: &'s Store, account: AccountId, item: ImportItem, layout: Option<String>) -> Self {
        let import = Import::from(item.clone());
        let order = Order {
            import: item.id,
            terms: import.terms,
            source: Source::import(item.name.clone(), item.id),
            actor: item.actor,
        };
        Self {
            store,
            account,
            item,
            layout,
            order,
            ahead: VecDeque::new(),
            ahead_bytes: 0,
            known: HashMap::new(),
            members: HashMap::new(),
            expected: None,
            pace: Pace::new(),
            dry: Dry::default(),
        }
    }

    /// Forgets all results. A dry run remembers its decisions in memory only, so a new run begins again.
    fn begin_again(&mut self) {
        self.item.done = 0;
        self.item.place = None;
        self.item.summary = ImportSummaryItem::default();
    }

    /// Returns the import as it is stored.
    #[must_use]
    pub fn import(&self) -> Import {
        Import::from(self.item.clone())
    }

    /// Returns the layout of the file, once it is known.
    #[must_use]
    pub fn layout(&self) -> Option<&str> {
        self.layout.as_deref()
    }

    /// Returns the place in the file after the rows that have results. `None` before the first row.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        self.item.place.as_deref()
    }

    /// Returns the state in which the import ends, once only its results remain to be written.
    #[must_use]
    pub fn ends_as(&self) -> Option<ImportState> {
        self.item.ends_as.filter(|_| self.item.state == ImportState::Finishing)
    }

    /// Stores the layout and the number of rows, if it is known, and begins to apply the rows. Returns false if a caller or another worker
    /// has changed the import.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn record_layout(
        &mut self,
        layout: String,
        rows: Option<u64>,
        wall_clock: Timestamp,
    ) -> Result<bool, StoreError> {
        let op = self.store.operation(self.account, wall_clock);
        let opened = op.read_current_period(Vec::new()).await?;
        self.item.state = ImportState::Running;
        self.item.rows = rows;
        self.item.started_at.get_or_insert(opened.now);
        self.item.lease(self.account, wall_clock);
        let expires_at = wall_clock.plus(FILE_KEPT).seconds();
        let item = ImportLayoutItem { layout: layout.clone(), expires_at };
        let key = Key::import_layout(self.account, self.item.id);
        self.item.version += 1;
        let import_key = Key::import(self.account, self.item.id);
        let with_layout = |transaction: &mut Transaction| {
            transaction.put(op.store.put_any(key.clone(), &item)?);
            Ok(())
        };
        let stored = op.store_next(import_key, &self.item, with_layout).await?;
        self.layout = Some(layout);
        Ok(stored)
    }

    /// Returns true if more rows should be handed over before the next transaction.
    #[must_use]
    pub fn wants_rows(&self) -> bool {
        self.ahead.len() < IMPORT_ROWS_AHEAD_MAX && self.ahead_bytes < IMPORT_BYTES_AHEAD_MAX
    }

    /// Hands over the next row.
    pub fn push(&mut self, row: ImportRow) {
        self.ahead_bytes += row.bytes();
        self.ahead.push_back(row);
    }

    /// Returns true if no row waits for its result.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.ahead.is_empty()
    }

    /// Applies as many of the waiting rows as one transaction accepts. Returns false if a caller or another worker has
    /// changed the import. Rows are applied in order, so the results do not depend on where a run has stopped.
    ///
    /// # Errors
    ///
    /// See [`StoreError`]. Everything that was committed before stays.
    pub async fn apply(&mut self, wall_clock: Timestamp) -> Result<bool, StoreError> {
        let begun = Instant::now();
        let op = self.store.operation(self.account, wall_clock);
        loop {
            match Box::pin(self.attempt(&op)).await? {
                Attempt::Applied => break,
                Attempt::Again => {
                    self.known.clear();
                    self.members.clear();
                }
                Attempt::Superseded => return Ok(false),
            }
        }
        if self.order.terms.set_marketing
            && let Some(pause) = self.pace.pause(begun.elapsed())
        {
            tokio::time::sleep(pause).await;
        }
        Ok(true)
    }

    async fn attempt(&mut self, op: &Operation<'_>) -> Result<Attempt, StoreError> {
        let is_fresh = self.known.is_empty();
        let Some(mut basis) = self.open(op).await? else { return Ok(Attempt::Superseded) };
        basis.is_fresh = is_fresh;
        if self.order.terms.add_to_segment.is_some() && basis.list.is_none() {
            return self.fail(op, "segment-deleted", "The list was deleted.").await;
        }
        let Some(complete) = self.decide(op, &basis).await? else { return Ok(Attempt::Again) };
        self.commit(op, basis, complete).await
    }

    /// Reads the period, the import and the list. Returns `None` if the import has been changed.
    async fn open(&mut self, op: &Operation<'_>) -> Result<Option<Basis>, StoreError> {
        let key = Key::import(self.account, self.item.id);
        let list_key = self.order.terms.add_to_segment.map(|segment| Key::segment(self.account, segment));
        let mut opened =
            op.read_current_period(list_key.iter().cloned().chain([key.clone()]).collect()).await?;
        let stored: Option<ImportItem> = opened.items.take(&key)?;
        if stored.is_none_or(|stored| stored.version != self.item.version) {
            return Ok(None);
        }
        let list = match &list_key {
            Some(key) => opened.items.take::<SegmentItem>(key)?,
            None => None,
        };
        self.observe(&opened.period);
        Ok(Some(Basis { opened, list, is_fresh: true }))
    }

    /// Compares the period with the one that this run has written last.
    fn observe(&mut self, period: &Period) {
        let seen = |period: &Period| (period.revision, period.totals.counted);
        let expected = self.expected.replace(period.clone());
        if expected.is_some_and(|expected| seen(&expected) != seen(period)) {
            self.pace.observe_others();
        }
    }

    /// Decides the next rows, as many as one transaction accepts. Returns `None` if everything must be read again.
    async fn decide(&mut self, op: &Operation<'_>, basis: &Basis) -> Result<Option<Complete>, StoreError> {
        let (period, now) = (&basis.opened.period, basis.opened.now);
        let ledger = Ledger::after(period, self.dry.delta);
        let mut decisions = Decisions::new(&self.order, ledger, now, op.new_contact_ids(), &self.dry.first);
        let mut position = 0;
        while let Some(row) = self.ahead.get(position) {
            if let RowContent::Contact(contact) = &row.content
                && !self.known.contains_key(contact.email.key())
            {
                let looked_up = self.ahead.iter().skip(position);
                if !look_up(op, looked_up, period, &self.order, &mut self.known, &mut self.members).await? {
                    op.retries.retry_now("the address moved during a read").await?;
                    return Ok(None);
                }
            }
            let found = match &row.content {
                RowContent::Contact(contact) => self.known.get(contact.email.key()).and_then(Option::as_ref),
                RowContent::Empty | RowContent::Invalid(_) => None,
            };
            if found.is_some_and(|found| queued_in(&found.contact) > Some(period.number)) {
                op.retries.retry_now("the period closed during a read").await?;
                return Ok(None);
            }
            let mut settled = found.cloned();
            op.settle_loaded(settled.as_mut_slice(), period).await?;
            if decisions.decide(row, settled.as_ref()) == Decided::Full {
                break;
            }
            position += 1;
        }
        if !self.order.terms.dry_run && decisions.needs_confirmation() && !self.confirm(op, basis).await? {
            return Ok(None);
        }
        Ok(Some(decisions.complete()))
    }

    /// Returns true if the period had no capacity before the contacts were read, so that refusals are final.
    async fn confirm(&self, op: &Operation<'_>, basis: &Basis) -> Result<bool, StoreError> {
        let capacity = |period: &Period| (period.revision, period.marketing);
        let reopened = op.read_current_period(Vec::new()).await?;
        if basis.is_fresh && capacity(&reopened.period) == capacity(&basis.opened.period) {
            return Ok(true);
        }
        op.retries.retry_now("a refusal was not confirmed").await?;
        Ok(false)
    }

    /// Commits the decisions with the results, the counts and the place.
    async fn commit(
        &mut self,
        op: &Operation<'_>,
        basis: Basis,
        complete: Complete,
    ) -> Result<Attempt, StoreError> {
        let Complete { mut people, results, change } = complete;
        let rows = results.len();
        let Applied { gone, waiting } = self.addresses(rows);
        let Some(last) = rows.checked_sub(1).and_then(|last| self.ahead.get(last)) else {
            return Ok(Attempt::Applied);
        };
        let mut after = self.item.clone();
        after.place = Some(last.place.clone());
        after.done = last.number;
        let mut summary: ImportSummary = after.summary.summary();
        results.iter().for_each(|result| summary.add(result));
        after.summary = ImportSummaryItem::from(&summary);
        after.version += 1;
        after.lease(self.account, op.wall_clock);
        let mut transaction = Transaction::default();
        let mut written = Vec::new();
        if !self.order.terms.dry_run {
            let mut added = 0;
            for (key, person) in std::mem::take(&mut people) {
                added += self.write_person(op, &mut transaction, &person.planned.contact)?;
                if person.planned.is_changed() {
                    if waiting.contains(&key) {
                        let contact = person.planned.contact.clone();
                        written.push((key, Loaded { stored_version: contact.version, contact }));
                    }
                    op.write(&mut transaction, person.planned, &basis.opened.period)?;
                }
            }
            if let Some(segment) = self.order.terms.add_to_segment {
                op.count_member_change(&mut transaction, segment, added)?;
            }
            op.write_count(&mut transaction, &basis.opened.period, change)?;
        }
        let first = last.number + 1 - u64::try_from(rows).unwrap_or_default();
        let part = ImportRowsItem {
            first,
            results: encode_results(&results),
            expires_at: op.wall_clock.plus(FILE_KEPT).seconds(),
        };
        transaction.put(op.store.put_any(Key::import_rows(self.account, self.item.id, first), &part)?);
        let key = Key::import(self.account, self.item.id);
        transaction.put(op.store.put_versioned(key, &after, self.item.version)?);
        let commit = op.store.commit(transaction, &op.retries);
        let (is_committed, ()) =
            join(commit, self.look_ahead(op.wall_clock, rows, &basis.opened.period)).await;
        if !is_committed? {
            self.pace.observe_others();
            return Ok(Attempt::Again);
        }
        self.item = after;
        if self.order.terms.dry_run {
            self.dry.delta = change.delta;
            self.dry.first.record_all(&people);
        }
        self.expected = Some(basis.opened.period.counted(change.delta, &change.sets, basis.opened.now));
        self.remove_applied(rows, &gone, written);
        Ok(Attempt::Applied)
    }

    /// Returns the addresses of the first `rows` rows.
    fn addresses(&self, rows: usize) -> Applied {
        let after: HashSet<&str> = self.ahead.iter().skip(rows).filter_map(ImportRow::address_key).collect();
        let applied = self.ahead.iter().take(rows).filter_map(ImportRow::address_key);
        let (waiting, gone) = applied.map(str::to_owned).partition(|key| after.contains(key.as_str()));
        Applied { gone, waiting }
    }

    /// Looks up the addresses of the transaction after that of the first `rows` rows, which probably has as many rows. An
    /// error has no effect: what is not known then is looked up when its row is decided.
    async fn look_ahead(&mut self, wall_clock: Timestamp, rows: usize, period: &Period) {
        let next = self.ahead.iter().skip(rows);
        let mut addresses = next.clone().take(rows).filter_map(ImportRow::address_key);
        if addresses.all(|key| self.known.contains_key(key)) {
            return;
        }
        // The retries of the transaction are its own.
        let op = self.store.operation(self.account, wall_clock);
        let _ = look_up(&op, next, period, &self.order, &mut self.known, &mut self.members).await;
    }

    /// Adds the member of the import's list, if there is a list. Returns the number of new members.
    fn write_person(
        &self,
        op: &Operation<'_>,
        transaction: &mut Transaction,
        contact: &Contact,
    ) -> Result<i64, StoreError> {
        let Some(segment) = self.order.terms.add_to_segment else { return Ok(0) };
        let added_at = self.order.terms.automations.then_some(op.wall_clock);
        let member = NewMember { contact: contact.id, created_at: contact.created_at, added_at };
        let stored = self.members.get(&contact.id).copied();
        op.add_member(transaction, segment, &member, stored).map(i64::from)
    }

    /// Removes rows that have results, and what is known only for them.
    fn remove_applied(&mut self, rows: usize, gone: &HashSet<String>, written: Vec<(String, Loaded)>) {
        self.ahead_bytes -= self.ahead.drain(..rows).map(|row| row.bytes()).sum::<usize>();
        for key in gone {
            if let Some(loaded) = self.known.remove(key).flatten() {
                self.members.remove(&loaded.contact.id);
            }
        }
        for (key, loaded) in written {
            if self.order.terms.add_to_segment.is_some() {
                self.members.insert(loaded.contact.id, loaded.contact.created_at);
            }
            self.known.insert(key, Some(loaded));
        }
    }

    /// Ends the work on the rows. What remains is to write the results. Returns false if a caller or another worker has
    /// changed the import.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn finish_rows(&mut self, wall_clock: Timestamp) -> Result<bool, StoreError> {
        self.item.state = ImportState::Finishing;
        self.item.ends_as = Some(ImportState::Done);
        self.item.lease(self.account, wall_clock);
        self.save(wall_clock).await
    }

    /// Finishes the import in the state [`Self::ends_as`]. `not_run` is the number of rows without a result. Returns false
    /// if a caller or another worker has changed the import.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn finish(&mut self, not_run: u64, wall_clock: Timestamp) -> Result<bool, StoreError> {
        let op = self.store.operation(self.account, wall_clock);
        let now = op.read_current_period(Vec::new()).await?.now;
        let state = self.item.ends_as.unwrap_or(ImportState::Done);
        if not_run > 0 {
            let mut summary = self.item.summary.summary();
            summary.add_rows(RowOutcome::NotRun, not_run);
            self.item.summary = ImportSummaryItem::from(&summary);
        }
        self.item.has_results = true;
        self.item.end(state, now, wall_clock);
        self.save(wall_clock).await
    }

    /// Ends the import as failed before any row. `slug` and `text` describe the reason. Returns false if a caller or another
    /// worker has changed the import.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn refuse(
        &mut self,
        slug: &str,
        text: &str,
        wall_clock: Timestamp,
    ) -> Result<bool, StoreError> {
        let op = self.store.operation(self.account, wall_clock);
        let now = op.read_current_period(Vec::new()).await?.now;
        self.item.problem = Some(format!("{slug} {text}"));
        self.item.end(ImportState::Failed, now, wall_clock);
        self.save(wall_clock).await
    }

    /// Ends the work on the rows, because the import can't continue.
    async fn fail(&mut self, op: &Operation<'_>, slug: &str, text: &str) -> Result<Attempt, StoreError> {
        self.item.problem = Some(format!("{slug} {text}"));
        self.item.state = ImportState::Finishing;
        self.item.ends_as = Some(ImportState::Failed);
        self.item.lease(self.account, op.wall_clock);
        self.save(op.wall_clock).await?;
        Ok(Attempt::Superseded)
    }

    /// Stores the import. Returns false if a caller or another worker has changed it.
    async fn save(&mut self, wall_clock: Timestamp) -> Result<bool, StoreError> {
        let op = self.store.operation(self.account, wall_clock);
        self.item.version += 1;
        op.store_next(Key::import(self.account, self.item.id), &self.item, |_| Ok(())).await
    }
}

/// Looks up the contacts of the first rows' addresses, and their memberships in the import's list. Returns false if an
/// address moved between two reads.
pub(super) async fn look_up(
    op: &Operation<'_>,
    rows: impl Iterator<Item = &ImportRow>,
    period: &Period,
    order: &Order,
    known: &mut HashMap<String, Option<Loaded>>,
    members: &mut HashMap<ContactId, Timestamp>,
) -> Result<bool, StoreError> {
    let account = op.account;
    let mut wanted = BTreeMap::new();
    for row in rows {
        if let RowContent::Contact(contact) = &row.content
            && !known.contains_key(contact.email.key())
        {
            wanted.insert(contact.email.key(), &contact.email);
            if wanted.len() >= LOOKED_UP_AT_ONCE {
                break;
            }
        }
    }
    let keys = wanted.values().map(|email| Key::address(account, email)).collect();
    let mut addresses = op.read(keys).await?;
    let mut holders = BTreeMap::new();
    for (key, email) in &wanted {
        match addresses.take::<AddressItem>(&Key::address(account, email))? {
            Some(address) => {
                holders.insert(address.contact, (*key, ContactRef::Email((*email).clone())));
            }
            None => {
                known.insert((*key).to_owned(), None);
            }
        }
    }
    let ids: BTreeSet<ContactId> = holders.keys().copied().collect();
    let mut keys: Vec<Key> = ids.iter().map(|id| Key::contact(account, *id)).collect();
    keys.extend(order.terms.add_to_segment.iter().flat_map(|segment| member_keys(op, *segment, &ids)));
    let mut items = op.read(keys).await?;
    let mut found = Vec::new();
    for id in &ids {
        if let Some(item) = items.take::<ContactItem>(&Key::contact(account, *id))? {
            found.push(item.into_contact()?);
        }
    }
    for loaded in op.settle(found, period).await? {
        let Some((key, asked)) = holders.remove(&loaded.contact.id) else { continue };
        if !asked.names(&loaded.contact) {
            return Ok(false);
        }
        known.insert(key.to_owned(), Some(loaded));
    }
    if let Some(segment) = order.terms.add_to_segment {
        for id in ids {
            if let Some(member) = items.take::<MemberItem>(&Key::member(account, segment, id))? {
                members.insert(id, member.created_at);
            }
        }
    }
    Ok(holders.is_empty())
}

fn member_keys(op: &Operation<'_>, segment: SegmentId, ids: &BTreeSet<ContactId>) -> Vec<Key> {
    ids.iter().map(|id| Key::member(op.account, segment, *id)).collect()
}
