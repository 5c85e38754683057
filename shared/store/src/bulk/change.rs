//! The changes of a job: transactions that each contain the next contacts and the job's counts and place.

use std::collections::{HashMap, VecDeque};

use domain::Timestamp;
use domain::bulk::Summary;
use domain::contact::Contact;
use domain::ids::ContactId;
use domain::limits::{BATCH_READ_MAX, BULK_CHECKPOINT, BULK_EXAMINED_MAX};
use domain::period::Period;
use domain::source::Source;
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
struct Feed<'s> {
    scan: Scan<'s>,
    /// Contacts that were read and not decided yet. They precede those of the scan.
    pending: VecDeque<Candidate>,
    /// Contacts that must be read again before they are decided. They precede all others.
    again: Vec<(ContactId, Memberships)>,
    /// The time since which only this job has changed the usage and the terms.
    alone_since: Instant,
    /// The period after this job's last transaction.
    expected: Option<Period>,
    pace: Pace,
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

impl<C, G> JobWork<'_, '_, C, G>
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
            scan: self.run.operation().scan(audience, self.job.place).await?,
            pending: VecDeque::new(),
            again: Vec::new(),
            alone_since: Instant::now(),
            expected: None,
            pace: Pace::new(),
        };
        while (self.run.should_continue)() {
            let op = self.run.operation();
            let key = Key::bulk_job(self.run.account, self.job.id);
            let read = op.read_current_period(vec![key.clone()]);
            let mut opened = feed.scan.while_reading(read).await?;
            let stored: Option<BulkJobItem> = opened.items.take(&key)?;
            if stored.is_none_or(|stored| stored.version != self.job.version) {
                return Ok(Worked::Superseded);
            }
            feed.observe(&opened.period);
            feed.read_again(&op).await?;
            let mut decisions = Decisions::new(&opened.period);
            let filled = feed.fill(&op, audience, &order, &opened, &mut decisions, &mut self.job).await?;
            if !self.commit(&op, &opened, decisions, &mut feed).await? {
                continue;
            }
            match filled {
                Filled::Exhausted => return self.finish(JobState::Done).await,
                Filled::Stale => op.retries.retry_now("contacts have changed since they were read").await?,
                Filled::Enough => {}
            }
        }
        Ok(Worked::OutOfTime)
    }

    /// Commits the decisions with the job's counts and place. Returns false if nothing was written. The contacts are then
    /// decided again.
    async fn commit(
        &mut self,
        op: &Operation<'_>,
        opened: &PeriodSnapshot,
        decisions: Decisions<'_>,
        feed: &mut Feed<'_>,
    ) -> Result<bool, StoreError> {
        let change = decisions.count_change();
        let Decisions { changed, decided, summary, place, .. } = decisions;
        let Some(place) = place else { return Ok(true) };
        let begun = Instant::now();
        let next = self.job_after(&summary, place, opened);
        let (changes, mut transaction) = (changed.len(), Transaction::default());
        for mut loaded in changed {
            op.put_contact(&mut transaction, &mut loaded.contact, Some(loaded.stored_version))?;
        }
        op.write_count(&mut transaction, &opened.period, change)?;
        let key = Key::bulk_job(self.run.account, self.job.id);
        transaction.put(op.store.put_versioned(key, &next, self.job.version)?);
        let committed = feed.scan.while_reading(op.store.commit(transaction, &op.retries)).await?;
        if !committed {
            // Contacts that wait for another read stay in the list.
            feed.again.extend(decided);
            feed.pace.observe_others();
            return Ok(false);
        }
        self.job = next;
        self.run.progress.changed += u64::try_from(changes).unwrap_or(u64::MAX);
        feed.expected = Some(opened.period.with(change.delta));
        if let Some(pause) = feed.pace.pause(begun.elapsed()) {
            feed.scan.while_reading(tokio::time::sleep(pause)).await;
        }
        Ok(true)
    }

    /// Returns the job with further outcomes.
    fn job_after(&self, summary: &Summary, place: ContactId, opened: &PeriodSnapshot) -> BulkJobItem {
        let mut total = self.job.summary.summary();
        total.merge(summary);
        BulkJobItem {
            state: JobState::Running,
            summary: SummaryItem::from(&total),
            // Contacts that began to match since the count are also done.
            matched: Some(self.job.matched.unwrap_or_default().max(total.total())),
            place: Some(place),
            next_update_at: Some(opened.period.ends_at),
            started_at: self.job.started_at.or(Some(opened.now)),
            version: self.job.version + 1,
            ..self.job.clone()
        }
    }
}

impl Feed<'_> {
    /// Compares the period with the one that this job has written last.
    fn observe(&mut self, period: &Period) {
        let capacity = |period: &Period| (period.revision, period.marketing);
        let expected = self.expected.replace(period.clone());
        let is_same =
            |expected: &Period| capacity(expected) == capacity(period) && expected.leaving == period.leaving;
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
        let mut lists: HashMap<ContactId, Memberships> =
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

    /// Decides the next contacts, as many as one transaction accepts.
    async fn fill(
        &mut self,
        op: &Operation<'_>,
        audience: &Audience,
        order: &Order,
        opened: &PeriodSnapshot,
        decisions: &mut Decisions<'_>,
        job: &mut BulkJobItem,
    ) -> Result<Filled, StoreError> {
        let (begun, first) = (Instant::now(), job.examined);
        while !decisions.is_full() {
            if job.examined - first >= BULK_EXAMINED_MAX || begun.elapsed() >= BULK_CHECKPOINT {
                break;
            }
            let Some(mut candidate) = self.next(job).await? else { return Ok(Filled::Exhausted) };
            if queued_in(&candidate.loaded.contact) > Some(opened.period.number) {
                self.pending.push_front(candidate);
                return Ok(Filled::Stale);
            }
            op.settle_loaded(std::slice::from_mut(&mut candidate.loaded), &opened.period).await?;
            let contact: &Contact = &candidate.loaded.contact;
            if !contact.is_visible() || !audience.selects(contact, &candidate.lists) {
                decisions.skip(candidate.id());
                continue;
            }
            let is_confirmed = candidate.asked >= self.alone_since;
            match decisions.decide(candidate, order, opened.now, is_confirmed) {
                Decision::Decided => {}
                Decision::Full(candidate) => {
                    self.pending.push_front(candidate);
                    break;
                }
                Decision::Doubtful(candidate) => {
                    self.doubt(candidate, job).await?;
                    return Ok(Filled::Stale);
                }
            }
        }
        Ok(Filled::Enough)
    }

    /// Returns the next contact. `job` counts those that the scan returns.
    async fn next(&mut self, job: &mut BulkJobItem) -> Result<Option<Candidate>, StoreError> {
        if let Some(candidate) = self.pending.pop_front() {
            return Ok(Some(candidate));
        }
        let candidate = self.scan.next().await?;
        job.examined += u64::from(candidate.is_some());
        Ok(candidate)
    }

    /// Reads this contact and the following ones again, because they were read before the latest change by another
    /// request.
    async fn doubt(&mut self, candidate: Candidate, job: &mut BulkJobItem) -> Result<(), StoreError> {
        self.again.push((candidate.id(), candidate.lists));
        while self.again.len() < BATCH_READ_MAX
            && let Some(candidate) = self.next(job).await?
        {
            self.again.push((candidate.id(), candidate.lists));
        }
        Ok(())
    }
}
