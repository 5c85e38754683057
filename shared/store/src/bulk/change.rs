//! The changes of a job: transactions that each contain the next contacts and the job's counts and place.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;

use domain::Timestamp;
use domain::contact::Contact;
use domain::ids::ContactId;
use domain::limits::{BATCH_READ_MAX, BULK_CHECKPOINT, BULK_EXAMINED_MAX};
use domain::period::Period;
use domain::source::Source;
use futures_util::future::{Either, select};
use tokio::time::Instant;

use super::audience::{Audience, Memberships};
use super::pace::Pace;
use super::run::{JobWork, Worked};
use super::scan::{Candidate, Scan};
use super::transaction::{Decision, Decisions, Order};
use crate::StoreError;
use crate::contacts::queued_in;
use crate::items::{BulkJobItem, SummaryItem};
use crate::job_state::JobState;
use crate::keys::Key;
use crate::operation::Operation;
use crate::periods::PeriodSnapshot;
use crate::transaction::Transaction;

/// The contacts that follow, and the knowledge about other requests of the account.
struct Feed<'a, 's> {
    audience: &'a Audience,
    order: Order,
    scan: Scan<'s>,
    /// Contacts that were read and not decided yet. They precede those of the scan.
    pending: VecDeque<Candidate>,
    /// Contacts that must be read again before they are decided. They precede all others.
    again: Vec<(ContactId, Memberships)>,
    /// The number of contacts that the scan has returned, in this run and before.
    examined: u64,
    /// The time since which only this job has changed the usage and the terms.
    alone_since: Instant,
    /// The period after this job's last transaction.
    expected: Option<Period>,
    pace: Pace,
}

/// The state that the decisions of a transaction are based on.
struct Basis {
    period: Period,
    now: Timestamp,
    job: BulkJobItem,
    /// False if the state follows from a transaction that is not committed yet. Then no refusal is final.
    is_read: bool,
}

/// A transaction that is ready to be committed.
struct Prepared<'s> {
    op: Operation<'s>,
    /// `None` if no contact was decided.
    transaction: Option<Transaction>,
    /// The number of changed contacts.
    changes: usize,
    /// The selected contacts with a decision.
    decided: Vec<(ContactId, Memberships)>,
    filled: Filled,
    /// The state after the transaction.
    after: Basis,
}

/// The reason for which a transaction contains no further contact.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filled {
    /// The transaction is full, or it is time to store the progress.
    Enough,
    /// The period has closed since the contacts were read, or contacts must be read again.
    Stale,
    /// No contact remains.
    Exhausted,
}

impl<'s, C, G> JobWork<'_, 's, C, G>
where
    C: Fn() -> Timestamp + Send + Sync,
    G: Fn() -> bool + Send + Sync,
{
    /// Changes the selected contacts from the job's place on, until all are done or the time is up.
    pub(super) async fn change(&mut self, audience: &Audience) -> Result<Worked, StoreError> {
        let order = Order {
            command: self.job.command,
            source: Source::bulk_job(self.job.name.clone(), self.job.id),
            actor: self.job.actor,
        };
        let mut feed = Feed {
            audience,
            order,
            scan: self.run.operation().scan(audience, self.job.place).await?,
            pending: VecDeque::new(),
            again: Vec::new(),
            examined: self.job.examined,
            alone_since: Instant::now(),
            expected: None,
            pace: Pace::new(),
        };
        let mut following = None;
        while (self.run.should_continue)() {
            let prepared = match following.take() {
                Some(prepared) => prepared,
                None => match Box::pin(self.read_and_prepare(&mut feed)).await? {
                    Some(prepared) => prepared,
                    None => return Ok(Worked::Superseded),
                },
            };
            let filled = prepared.filled;
            // The future is large, and would be a part of all that await this one.
            let committed = Box::pin(self.commit(prepared, &mut feed)).await?;
            match (committed, filled) {
                (None, _) => {}
                (Some(_), Filled::Exhausted) => return self.finish(JobState::Done).await,
                (Some(next), _) => following = next,
            }
        }
        Ok(Worked::OutOfTime)
    }

    /// Reads the period and the job, and prepares the next transaction. Returns `None` if the job has been changed.
    async fn read_and_prepare(&self, feed: &mut Feed<'_, 's>) -> Result<Option<Prepared<'s>>, StoreError> {
        let op = self.run.operation();
        let key = Key::bulk_job(self.run.account, self.job.id);
        let read = op.read_current_period(vec![key.clone()]);
        let mut opened = feed.scan.while_reading(read).await?;
        let stored: Option<BulkJobItem> = opened.items.take(&key)?;
        if stored.is_none_or(|stored| stored.version != self.job.version) {
            return Ok(None);
        }
        feed.observe(&opened.period);
        feed.read_again(&op).await?;
        let PeriodSnapshot { period, now, .. } = opened;
        let basis = Basis { period, now, job: self.job.clone(), is_read: true };
        feed.prepare(op, basis).await.map(Some)
    }

    /// Commits a transaction and prepares the one after it in the meantime, if it can be foreseen. Returns `None` if
    /// nothing was written. The contacts of both are then decided again.
    async fn commit(
        &mut self,
        prepared: Prepared<'s>,
        feed: &mut Feed<'_, 's>,
    ) -> Result<Option<Option<Prepared<'s>>>, StoreError> {
        let Prepared { op, transaction, changes, decided, filled, after } = prepared;
        let Some(transaction) = transaction else { return Ok(Some(None)) };
        let begun = Instant::now();
        let foreseen = self.foresee(&after, filled, feed);
        // The transaction may have waited for a pause, so its retries begin now.
        let retries = op.store.retries();
        let commit = op.store.commit(transaction, &retries);
        let (committed, following) = feed.prepare_while(commit, foreseen).await;
        if !committed? {
            // Contacts that wait for another read stay in the list.
            feed.again.extend(decided);
            feed.again.extend(following?.into_iter().flat_map(|following| following.decided));
            feed.pace.observe_others();
            return Ok(None);
        }
        self.job = after.job;
        self.run.progress.changed += u64::try_from(changes).unwrap_or(u64::MAX);
        feed.expected = Some(after.period);
        let following = following?;
        if let Some(pause) = feed.pace.pause(begun.elapsed()) {
            feed.scan.while_reading(tokio::time::sleep(pause)).await;
            if following.is_some() {
                // The following transaction needs no read, so this one shows the changes by others.
                let read = self.run.operation();
                let read = read.read_current_period(Vec::new());
                let period = feed.scan.while_reading(read).await?.period;
                feed.observe(&period);
            }
        }
        Ok(Some(following))
    }

    /// Returns the operation of the transaction that follows, and the state that it is based on. `None` if it must
    /// be read.
    fn foresee(&self, after: &Basis, filled: Filled, feed: &Feed<'_, 's>) -> Option<(Operation<'s>, Basis)> {
        let op = self.run.operation();
        let now = after.period.now(op.wall_clock);
        let is_foreseen = filled == Filled::Enough && feed.pace.is_alone() && !after.period.has_ended(now);
        let (period, job) = (after.period.clone(), after.job.clone());
        is_foreseen.then_some((op, Basis { period, now, job, is_read: false }))
    }
}

impl Basis {
    /// Returns the state after these decisions.
    fn after(self, decisions: &Decisions<'_>, place: ContactId, examined: u64) -> Self {
        let mut total = self.job.summary.summary();
        total.merge(&decisions.summary);
        let job = BulkJobItem {
            state: JobState::Running,
            summary: SummaryItem::from(&total),
            // Contacts that began to match since the count are also done.
            matched: Some(self.job.matched.unwrap_or_default().max(total.total())),
            place: Some(place),
            examined,
            next_update_at: Some(self.period.ends_at),
            started_at: self.job.started_at.or(Some(self.now)),
            version: self.job.version + 1,
            ..self.job
        };
        let change = decisions.count_change();
        let period = self.period.counted(change.delta, &change.sets, self.now);
        Self { period, job, ..self }
    }
}

impl<'s> Feed<'_, 's> {
    /// Compares the period with the one that this job has written last.
    fn observe(&mut self, period: &Period) {
        let capacity = |period: &Period| (period.revision, period.marketing);
        let expected = self.expected.replace(period.clone());
        // Every write of the counts is counted, also if two of them leave the counts as they were.
        let is_same = |expected: &Period| {
            (expected.revision, expected.totals.counted) == (period.revision, period.totals.counted)
        };
        if expected.as_ref().is_some_and(|expected| !is_same(expected)) {
            self.pace.observe_others();
        }
        // The number of leaving contacts refuses nothing.
        if expected.is_none_or(|expected| capacity(&expected) != capacity(period)) {
            self.alone_since = Instant::now();
        }
    }

    /// Reads the contacts again that need it.
    async fn read_again(&mut self, op: &Operation<'_>) -> Result<(), StoreError> {
        let mut lists: BTreeMap<ContactId, Memberships> =
            std::mem::take(&mut self.again).into_iter().collect();
        if lists.is_empty() {
            return Ok(());
        }
        let ids: Vec<ContactId> = lists.keys().copied().collect();
        let fresh = op.store.candidates(op.account, ids.into_iter());
        let fresh = self.scan.while_reading(fresh).await?;
        for mut candidate in fresh.into_iter().rev() {
            candidate.lists = lists.remove(&candidate.id()).unwrap_or_default();
            self.pending.push_front(candidate);
        }
        Ok(())
    }

    /// Decides the next contacts, and builds their transaction with the job's counts and place. It is empty if no
    /// contact was decided.
    async fn prepare(&mut self, op: Operation<'s>, basis: Basis) -> Result<Prepared<'s>, StoreError> {
        let period = basis.period.clone();
        let mut decisions = Decisions::new(&period);
        let filled = self.fill(&op, &basis, &mut decisions).await?;
        let (stored, Some(place)) = (basis.job.version, decisions.place) else {
            let (transaction, decided) = (None, Vec::new());
            return Ok(Prepared { op, transaction, changes: 0, decided, filled, after: basis });
        };
        let after = basis.after(&decisions, place, self.examined);
        let change = decisions.count_change();
        let Decisions { changed, decided, .. } = decisions;
        let (changes, mut transaction) = (changed.len(), Transaction::default());
        for mut loaded in changed {
            op.put_contact(&mut transaction, &mut loaded.contact, Some(loaded.stored_version), &period)?;
        }
        op.write_count(&mut transaction, &period, change)?;
        let key = Key::bulk_job(op.account, after.job.id);
        transaction.put(op.store.put_versioned(key, &after.job, stored)?);
        Ok(Prepared { op, transaction: Some(transaction), changes, decided, filled, after })
    }

    /// Awaits `work` and prepares the transaction for the foreseen state in the meantime.
    async fn prepare_while<T>(
        &mut self,
        work: impl Future<Output = T>,
        foreseen: Option<(Operation<'s>, Basis)>,
    ) -> (T, Result<Option<Prepared<'s>>, StoreError>) {
        let Some((op, basis)) = foreseen else { return (self.scan.while_reading(work).await, Ok(None)) };
        let mut work = pin!(work);
        // A preparation that began is completed, because it has taken contacts from the scan.
        let (result, prepared) = match select(work.as_mut(), Box::pin(self.prepare(op, basis))).await {
            Either::Left((result, preparation)) => (Some(result), preparation.await),
            Either::Right((prepared, _)) => (None, prepared),
        };
        let result = match result {
            Some(result) => result,
            None => self.scan.while_reading(work).await,
        };
        (result, prepared.map(Some))
    }

    /// Decides the next contacts, as many as one transaction accepts.
    async fn fill(
        &mut self,
        op: &Operation<'_>,
        basis: &Basis,
        decisions: &mut Decisions<'_>,
    ) -> Result<Filled, StoreError> {
        let (begun, first) = (Instant::now(), self.examined);
        while !decisions.is_full() {
            if self.examined - first >= BULK_EXAMINED_MAX || begun.elapsed() >= BULK_CHECKPOINT {
                break;
            }
            let Some(mut candidate) = self.next().await? else { return Ok(Filled::Exhausted) };
            if queued_in(&candidate.loaded.contact) > Some(basis.period.number) {
                self.pending.push_front(candidate);
                return Ok(Filled::Stale);
            }
            op.settle_loaded(std::slice::from_mut(&mut candidate.loaded), &basis.period).await?;
            let contact: &Contact = &candidate.loaded.contact;
            if !contact.is_visible() || !self.audience.selects(contact, &candidate.lists) {
                decisions.skip(candidate.id());
                continue;
            }
            let is_confirmed = basis.is_read && candidate.asked >= self.alone_since;
            match decisions.decide(candidate, &self.order, basis.now, is_confirmed) {
                Decision::Decided => {}
                Decision::Full(candidate) => {
                    self.pending.push_front(candidate);
                    break;
                }
                Decision::Doubtful(candidate) if basis.is_read => {
                    self.doubt(candidate).await?;
                    return Ok(Filled::Stale);
                }
                Decision::Doubtful(candidate) => {
                    self.pending.push_front(candidate);
                    return Ok(Filled::Stale);
                }
            }
        }
        Ok(Filled::Enough)
    }

    /// Returns the next contact.
    async fn next(&mut self) -> Result<Option<Candidate>, StoreError> {
        if let Some(candidate) = self.pending.pop_front() {
            return Ok(Some(candidate));
        }
        let candidate = self.scan.next().await?;
        self.examined += u64::from(candidate.is_some());
        Ok(candidate)
    }

    /// Reads this contact and the following ones again, because they were read before the latest change by another
    /// request.
    async fn doubt(&mut self, candidate: Candidate) -> Result<(), StoreError> {
        self.again.push((candidate.id(), candidate.lists));
        while self.again.len() < BATCH_READ_MAX
            && let Some(candidate) = self.next().await?
        {
            self.again.push((candidate.id(), candidate.lists));
        }
        Ok(())
    }
}
