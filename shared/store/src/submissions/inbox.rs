//! The inbox: submissions that were accepted when there was too much at once, and are settled a little later.
//!
//! An account's period takes about a hundred transactions a second. When a submission's retries run out in a flood, it
//! is written down alone, under its delivery's own key, so that no other write is in its way. Settling takes many to a
//! transaction. It may stop, repeat, run twice at once and in any order: each submission counts once, because its
//! transaction is conditional on its still waiting.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::ids::AccountId;
use domain::limits::SUBMISSIONS_PER_TRANSACTION_MAX;
use domain::property::PropertyName;

use aws_sdk_dynamodb::types::Put;

use super::plan::{Entry, FormTerms, InboxOrigin, Origin, Plan};
use super::{Delivery, MOVED, Recognized, Submission, fitting, recognize};
use crate::delivery::{ContentDigest, DeliveryId, Versions};
use crate::expressions::Expression;
use crate::items::{DeliveryItem, PendingItem, PersonItem};
use crate::jobs::InboxTask;
use crate::keys::Key;
use crate::periods::RefusalCheck;
use crate::retry::Retries;
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{Person, StoreError, Submitted};

/// What became of a submission that was settled, or else accepted into the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What is to be answered.
    pub submitted: Submitted,
    /// What is to be settled soon, if it was accepted into the inbox now.
    pub waiting: Option<InboxTask>,
}

/// What came of settling.
#[derive(Debug, Default)]
pub struct InboxReport {
    /// Submissions that were settled now.
    pub settled: u64,
    /// Those that had been before: a repeated message, or another worker.
    pub already: u64,
    /// Those that are not settled, and are to be asked for again.
    pub unsettled: Vec<InboxTask>,
    /// Why not, if it was not for want of time.
    pub errors: Vec<StoreError>,
}

/// A submission that waits, as it was read.
struct Waiting {
    task: InboxTask,
    token: String,
    versions: Versions,
    pending: PendingItem,
    person: Person,
}

impl Store {
    /// Applies a form's submission, or accepts it into the inbox after [`SUBMISSION_RETRIES_MAX`] retries. So a flood of
    /// submissions holds few executions for long.
    ///
    /// A submission without an id whose transaction had no answer to its last try is not accepted: it may have happened,
    /// and nothing could tell.
    ///
    /// # Errors
    ///
    /// As [`Self::submit`].
    pub async fn submit_or_accept(
        &self,
        submission: &Submission<'_>,
        wall_clock: Timestamp,
    ) -> Result<Taken, StoreError> {
        let mut retries = self.submission_retries();
        match self.submit_within(submission, wall_clock, &mut retries).await {
            Ok(taken) => Ok(taken),
            Err(StoreError::Unavailable(..))
                if submission.submission_id.is_some() || !retries.may_have_happened =>
            {
                self.accept_into_inbox(submission, wall_clock).await
            }
            Err(error) => Err(error),
        }
    }

    /// Accepts a submission into the inbox: one write, with no other item than its own. A delivery that was accepted
    /// before, applied or not, changes nothing. An edit of one that waits takes its place there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the retries run out.
    pub async fn accept_into_inbox(
        &self,
        submission: &Submission<'_>,
        wall_clock: Timestamp,
    ) -> Result<Taken, StoreError> {
        let delivery = submission.delivery().unwrap_or_else(|| Delivery {
            id: DeliveryId::random(self.rng()),
            content: ContentDigest::of_properties(submission.properties),
        });
        let form = submission.form;
        let task = InboxTask { account: form.account, form: form.id, delivery: delivery.id };
        let token = format!("{:032x}", self.rng().bits());
        let accepted = || Ok(Taken { submitted: Submitted::accepted(), waiting: Some(task) });
        let mut retries = self.retries();
        let mut stored: Option<DeliveryItem> = None;
        loop {
            if stored.as_ref().is_some_and(|stored| stored.token.as_ref() == Some(&token)) {
                // The response to the write was lost.
                return accepted();
            }
            let arrival = Arrival { submission, delivery: &delivery, token: &token, wall_clock };
            let put = match recognize(stored.take(), Some(&delivery), wall_clock) {
                Recognized::Repeat(submitted) => return Ok(Taken { submitted, waiting: None }),
                known => self.put_waiting(&arrival, known)?,
            };
            match self.put_item(&put).await {
                Ok(true) => return accepted(),
                Ok(false) => {
                    stored = self.get::<DeliveryItem>(task.job().key()).await?;
                    retries.retry_now("a delivery changed during a write").await?;
                }
                Err(StoreError::Unavailable(why, _)) => retries.back_off(&why).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Builds the write that lets a submission wait, on the condition that its delivery is still as it was recognized.
    fn put_waiting(&self, arrival: &Arrival<'_>, known: Recognized) -> Result<Put, StoreError> {
        let key =
            Key::delivery(arrival.submission.form.account, arrival.submission.form.id, arrival.delivery.id);
        let content = arrival.delivery.content.clone();
        match known {
            Recognized::Waiting(there) => {
                let token = there.token.clone().unwrap_or_default();
                let same = Expression::default().name("token").text("token", token);
                self.put_if(key, &arrival.replacing(*there), "#token = :token", &same)
            }
            Recognized::Edit(before) => {
                let versions = before.clone().edited(content);
                self.put_edited(key, &arrival.item(versions, true, None), &before)
            }
            Recognized::New | Recognized::Repeat(_) => {
                let item = arrival.item(Versions::first(content), false, None);
                self.put_new_or_expired(key, &item, arrival.wall_clock)
            }
        }
    }

    /// Settles submissions that wait in the inbox, those of an account together, for as long as `should_continue` says so.
    ///
    /// They may be named in any order, repeatedly, and by several at once. One that can't be settled does not keep the
    /// others waiting.
    pub async fn settle_inbox(
        &self,
        tasks: &[InboxTask],
        wall_clock: Timestamp,
        should_continue: impl Fn() -> bool,
    ) -> InboxReport {
        let mut by_account: BTreeMap<AccountId, BTreeSet<InboxTask>> = BTreeMap::new();
        for task in tasks {
            by_account.entry(task.account).or_default().insert(*task);
        }
        let mut report = InboxReport::default();
        for (account, tasks) in by_account {
            let mut waiting: Vec<InboxTask> = tasks.into_iter().collect();
            while !waiting.is_empty() && should_continue() {
                let turn: Vec<InboxTask> =
                    waiting.iter().copied().take(SUBMISSIONS_PER_TRANSACTION_MAX).collect();
                let through = self.settle_turn(account, &turn, wall_clock, &mut report).await;
                waiting.retain(|task| !through.contains(task));
            }
            report.unsettled.extend(waiting);
        }
        report
    }

    /// Settles some of an account's submissions, or says why not. Gives those that are through, settled or not.
    async fn settle_turn(
        &self,
        account: AccountId,
        turn: &[InboxTask],
        wall_clock: Timestamp,
        report: &mut InboxReport,
    ) -> BTreeSet<InboxTask> {
        match self.settle_together(account, turn, wall_clock).await {
            Ok(step) => report.note(step),
            Err(error) => {
                let alone = turn.len() > 1 && !matches!(error, StoreError::Unavailable(..));
                report.errors.push(error);
                for task in turn {
                    // One of them is broken: the others must not wait for it.
                    match self.settle_alone(account, *task, wall_clock, alone).await {
                        Ok(Some(step)) => drop(report.note(step)),
                        Ok(None) => report.unsettled.push(*task),
                        Err(error) => {
                            report.unsettled.push(*task);
                            report.errors.push(error);
                        }
                    }
                }
                turn.iter().copied().collect()
            }
        }
    }

    async fn settle_alone(
        &self,
        account: AccountId,
        task: InboxTask,
        wall_clock: Timestamp,
        may: bool,
    ) -> Result<Option<Settled>, StoreError> {
        if may { self.settle_together(account, &[task], wall_clock).await.map(Some) } else { Ok(None) }
    }

    /// Settles submissions in one transaction: as many of them as it holds, from the first on.
    async fn settle_together(
        &self,
        account: AccountId,
        tasks: &[InboxTask],
        wall_clock: Timestamp,
    ) -> Result<Settled, StoreError> {
        let mut retries = self.retries();
        let mut check = RefusalCheck::default();
        loop {
            let waiting = self.read_waiting(tasks, &mut retries).await?;
            let still: BTreeSet<InboxTask> = waiting.iter().map(|waiting| waiting.task).collect();
            let already = tasks.iter().copied().filter(|task| !still.contains(task)).collect();
            let entries: Vec<Entry<'_>> = waiting.iter().map(Waiting::entry).collect();
            if entries.is_empty() {
                return Ok(Settled { settled: Vec::new(), already });
            }
            let opened = self.open_for(account, &entries, Vec::new(), wall_clock, &mut retries).await?;
            check.observe(&opened.period);
            let Some(snapshot) = self.snapshot(account, &entries, opened, wall_clock, &mut retries).await?
            else {
                retries.retry_now(MOVED).await?;
                continue;
            };
            let mut plan = Plan::new(account, &snapshot, self.new_contact_ids(wall_clock, &retries));
            let mut settled = Vec::new();
            for (waiting, entry) in waiting.iter().zip(&entries) {
                if !settled.is_empty() && plan.is_full() {
                    break;
                }
                plan.take(entry, wall_clock)?;
                settled.push(waiting.task);
            }
            if plan.is_in_doubt() && check.needs_reread(snapshot.period(), &mut retries).await? {
                continue;
            }
            let mut transaction = Transaction::new(self.rng());
            let gone = self.write_plan(&mut transaction, plan, wall_clock)?;
            if self.commit(transaction, &mut retries).await? {
                self.forget_histories(account, gone, &mut retries).await?;
                return Ok(Settled { settled, already });
            }
        }
    }

    /// Those of the submissions that still wait, in the order in which they were accepted: of what somebody sent twice the
    /// later holds.
    async fn read_waiting(
        &self,
        tasks: &[InboxTask],
        retries: &mut Retries<'_>,
    ) -> Result<Vec<Waiting>, StoreError> {
        let keys: Vec<Key> = tasks.iter().map(|task| task.job().key()).collect();
        let mut items = self.batch_get(&keys, retries).await?;
        let mut waiting = Vec::new();
        for task in tasks {
            let item: Option<DeliveryItem> = items.take(&task.job().key())?;
            if let Some(DeliveryItem { token: Some(token), pending: Some(pending), versions, .. }) = item {
                let person = pending.person.clone().into_person()?;
                waiting.push(Waiting { task: *task, token, versions, pending, person });
            }
        }
        waiting.sort_by_key(|waiting| waiting.pending.accepted_at);
        Ok(waiting)
    }
}

/// What one transaction has settled.
struct Settled {
    settled: Vec<InboxTask>,
    already: Vec<InboxTask>,
}

impl InboxReport {
    /// Counts a step, and gives those that are through.
    fn note(&mut self, step: Settled) -> BTreeSet<InboxTask> {
        self.settled += step.settled.len() as u64;
        self.already += step.already.len() as u64;
        step.settled.into_iter().chain(step.already).collect()
    }
}

impl Waiting {
    fn entry(&self) -> Entry<'_> {
        Entry {
            form: FormTerms::accepted(self.task.form, &self.pending),
            email: &self.person.email,
            properties: &self.person.properties,
            left_out: self.pending.left_out,
            origin: Origin::Inbox(InboxOrigin {
                delivery: self.task.delivery,
                token: self.token.clone(),
                versions: self.versions.clone(),
                is_edit: self.pending.is_edit,
            }),
        }
    }
}

/// A submission on its way into the inbox.
struct Arrival<'a> {
    submission: &'a Submission<'a>,
    delivery: &'a Delivery,
    token: &'a str,
    wall_clock: Timestamp,
}

impl Arrival<'_> {
    /// Returns the item of the waiting submission. `earlier` is a version that waits already: what this version does
    /// not say stays as that version said it.
    fn item(&self, versions: Versions, is_edit: bool, earlier: Option<Person>) -> DeliveryItem {
        let Submission { form, email, properties, left_out, .. } = *self.submission;
        let earlier = earlier.map(|person| person.properties).unwrap_or_default();
        let said = |name: &PropertyName| properties.iter().any(|(said, _)| said == name);
        let unsaid = earlier.into_iter().filter(|(name, _)| !said(name));
        let all: Vec<_> = properties.iter().cloned().chain(unsaid).collect();
        let (properties, too_many) = fitting(&all);
        let task = InboxTask { account: form.account, form: form.id, delivery: self.delivery.id };
        let (due_shard, due_at) = task.job().due(self.wall_clock);
        let pending = PendingItem {
            form_name: form.name.clone(),
            provider: form.provider,
            set_marketing: form.set_marketing,
            max_new_marketing_per_day: form.max_new_marketing_per_day,
            may_raise_tier: form.may_raise_tier,
            overwrite: form.overwrite,
            is_edit,
            left_out: left_out + too_many,
            accepted_at: self.wall_clock,
            person: PersonItem::of(email, &properties),
        };
        DeliveryItem {
            expires_at: None,
            pending: Some(pending),
            token: Some(self.token.to_owned()),
            due_shard: Some(due_shard),
            due_at: Some(due_at),
            ..Submitted::accepted().remembered(versions, self.wall_clock)
        }
    }

    /// Returns the item that takes the place of another version of the delivery in the inbox.
    fn replacing(&self, there: DeliveryItem) -> DeliveryItem {
        let versions = there.versions.edited(self.delivery.content.clone());
        let is_edit = there.pending.as_ref().is_some_and(|pending| pending.is_edit);
        // A person that can't be read has nothing to add.
        let earlier = there.pending.and_then(|pending| pending.person.into_person().ok());
        self.item(versions, is_edit, earlier)
    }
}
