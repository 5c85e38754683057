//! The inbox: submissions that are accepted in a burst and settled, which means applied, soon after.
//!
//! An account's period accepts about a hundred transactions a second. When a submission's retries are used up in a
//! burst, it is stored under its delivery's own key, so that no other write conflicts with it. A worker settles many of
//! them in one transaction. It may stop, repeat, run in parallel and in any order. Each submission is applied once,
//! because its transaction has the condition that it still waits.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::Put;
use domain::Timestamp;
use domain::ids::AccountId;
use domain::limits::SUBMISSIONS_PER_TRANSACTION_MAX;
use domain::property::PropertyName;

use super::plan::{Entry, FormTerms, InboxOrigin, Origin, Plan};
use super::{Delivery, Recognized, Submission, fitting, recognize};
use crate::delivery::Versions;
use crate::items::{DeliveryItem, PendingItem, PersonItem};
use crate::jobs::InboxTask;
use crate::keys::Key;
use crate::operation::{Operation, Step};
use crate::periods::RefusalCheck;
use crate::store::Store;
use crate::{Person, StoreError, Submitted};

/// The result of a submission that was applied, or else accepted into the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmissionOutcome {
    /// The effect, for the response.
    pub submitted: Submitted,
    /// The task for the worker, if the inbox has accepted the submission now.
    pub waiting: Option<InboxTask>,
}

/// The result of settling tasks.
#[derive(Debug, Default)]
pub struct InboxReport {
    /// The number of submissions that were settled now.
    pub settled: u64,
    /// The number of submissions that a repeated message or another worker had settled before.
    pub already: u64,
    /// The tasks that are not settled and must be retried.
    pub unsettled: Vec<InboxTask>,
    /// The errors. There are none if only the time was too short.
    pub errors: Vec<StoreError>,
}

/// A waiting submission, as it was read.
struct Waiting {
    task: InboxTask,
    token: String,
    versions: Versions,
    pending: PendingItem,
    person: Person,
}

impl Store {
    /// Applies a form's submission, or accepts it into the inbox after [`SUBMISSION_RETRIES_MAX`] retries. So a burst
    /// of submissions does not occupy many executions for long.
    ///
    /// A submission without an id is not accepted if one of its transactions may have been applied, because the worker
    /// could not recognize it as a repeat.
    ///
    /// # Errors
    ///
    /// The same as [`Self::submit`].
    pub async fn submit_or_accept(
        &self,
        submission: &Submission<'_>,
        wall_clock: Timestamp,
    ) -> Result<SubmissionOutcome, StoreError> {
        let account = submission.form.account;
        let op = Operation { retries: self.submission_retries(), ..self.operation(account, wall_clock) };
        match op.submit(submission).await {
            Err(StoreError::Unavailable(..))
                if submission.submission_id.is_some() || !op.retries.may_be_committed() =>
            {
                self.accept_into_inbox(submission, wall_clock).await
            }
            result => result,
        }
    }

    /// Accepts a submission into the inbox with one write of its own item. A delivery that was accepted before, applied
    /// or not, changes nothing. An edit of a waiting delivery replaces it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the retries run out.
    pub async fn accept_into_inbox(
        &self,
        submission: &Submission<'_>,
        wall_clock: Timestamp,
    ) -> Result<SubmissionOutcome, StoreError> {
        let unnamed = || Delivery::unnamed(self.rng(), submission.properties);
        let delivery = submission.delivery().unwrap_or_else(unnamed);
        let form = submission.form;
        let task = InboxTask { account: form.account, form: form.id, delivery: delivery.id };
        let token = self.rng().hex();
        let accepted = || Ok(SubmissionOutcome { submitted: Submitted::accepted(), waiting: Some(task) });
        let retries = self.retries();
        let mut stored: Option<DeliveryItem> = None;
        loop {
            if stored.as_ref().is_some_and(|stored| stored.token.as_ref() == Some(&token)) {
                // The response to the write was lost.
                return accepted();
            }
            let arrival = Arrival { submission, delivery: &delivery, token: &token, wall_clock };
            let put = match recognize(stored.take(), Some(&delivery), wall_clock) {
                Recognized::Repeat(submitted) => return Ok(SubmissionOutcome { submitted, waiting: None }),
                known => self.put_waiting(&arrival, known)?,
            };
            let written = match self.put_item(&put).await {
                Err(StoreError::Unavailable(why, _)) => {
                    retries.back_off(&why).await?;
                    continue;
                }
                result => result?,
            };
            if written {
                return accepted();
            }
            stored = self.get::<DeliveryItem>(task.job().key()).await?;
            retries.retry_now("a delivery changed during a write").await?;
        }
    }

    /// Builds the put of a waiting submission. Its condition is that the delivery is still as it was recognized.
    fn put_waiting(&self, arrival: &Arrival<'_>, known: Recognized) -> Result<Put, StoreError> {
        let key =
            Key::delivery(arrival.submission.form.account, arrival.submission.form.id, arrival.delivery.id);
        let content = arrival.delivery.content.clone();
        match known {
            Recognized::Waiting(there) => {
                let token = there.token.clone().unwrap_or_default();
                self.replace_waiting(key, &arrival.replacing(*there), token)
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

    /// Settles submissions that wait in the inbox, those of an account together, while `should_continue` returns true.
    ///
    /// Tasks may arrive in any order, repeatedly and at several workers. A task that fails does not delay the others.
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

    /// Settles some of an account's submissions and adds the results to the report. Returns the tasks that need no
    /// further turn, whether they are settled or not.
    async fn settle_turn(
        &self,
        account: AccountId,
        turn: &[InboxTask],
        wall_clock: Timestamp,
        report: &mut InboxReport,
    ) -> BTreeSet<InboxTask> {
        let error = match self.operation(account, wall_clock).settle_together(turn).await {
            Ok(settled) => return report.add(settled),
            Err(error) => error,
        };
        let unavailable = matches!(error, StoreError::Unavailable(..));
        report.errors.push(error);
        if turn.len() == 1 || unavailable {
            report.unsettled.extend(turn);
            return turn.iter().copied().collect();
        }
        // One of the submissions is faulty. The others must not wait for it.
        for task in turn {
            match self.operation(account, wall_clock).settle_together(&[*task]).await {
                Ok(settled) => drop(report.add(settled)),
                Err(error) => {
                    report.unsettled.push(*task);
                    report.errors.push(error);
                }
            }
        }
        turn.iter().copied().collect()
    }
}

impl Operation<'_> {
    /// Settles submissions in one transaction: as many as its limits allow, in the order of acceptance.
    async fn settle_together(&self, tasks: &[InboxTask]) -> Result<Settled, StoreError> {
        let check = RefusalCheck::default();
        self.transact(async || {
            let waiting = self.read_waiting(tasks).await?;
            let still: BTreeSet<InboxTask> = waiting.iter().map(|waiting| waiting.task).collect();
            let already = tasks.iter().copied().filter(|task| !still.contains(task)).collect();
            let entries: Vec<Entry<'_>> = waiting.iter().map(Waiting::entry).collect();
            if entries.is_empty() {
                return Ok(Step::unchanged(Settled { settled: Vec::new(), already }));
            }
            let opened = self.open_for(&entries, Vec::new()).await?;
            let decide = |plan: &mut Plan<'_>| {
                let mut settled = Vec::new();
                for (waiting, entry) in waiting.iter().zip(&entries) {
                    if !settled.is_empty() && plan.is_full() {
                        break;
                    }
                    plan.decide(entry, self.wall_clock)?;
                    settled.push(waiting.task);
                }
                Ok(settled)
            };
            let step = self.apply(&entries, opened, &check, decide).await?;
            Ok(step.map(|settled| Settled { settled, already }))
        })
        .await
    }

    /// Reads the submissions that still wait, in the order of acceptance, so that the later of two submissions with the
    /// same address is applied last.
    async fn read_waiting(&self, tasks: &[InboxTask]) -> Result<Vec<Waiting>, StoreError> {
        let keys: Vec<Key> = tasks.iter().map(|task| task.job().key()).collect();
        let mut items = self.read(keys).await?;
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

/// The result of one transaction.
struct Settled {
    settled: Vec<InboxTask>,
    already: Vec<InboxTask>,
}

impl InboxReport {
    /// Adds the result of a transaction, and returns its tasks, which need no further turn.
    fn add(&mut self, step: Settled) -> BTreeSet<InboxTask> {
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

/// A submission that the inbox is accepting.
struct Arrival<'a> {
    submission: &'a Submission<'a>,
    delivery: &'a Delivery,
    token: &'a str,
    wall_clock: Timestamp,
}

impl Arrival<'_> {
    /// Returns the item of the waiting submission. `earlier` is a version that waits already. Properties that this
    /// version does not contain remain from it.
    fn item(&self, versions: Versions, is_edit: bool, earlier: Option<Person>) -> DeliveryItem {
        let Submission { form, email, properties, left_out, .. } = *self.submission;
        let earlier = earlier.map(|person| person.properties).unwrap_or_default();
        let is_new = |name: &PropertyName| properties.iter().any(|(new, _)| new == name);
        let remaining = earlier.into_iter().filter(|(name, _)| !is_new(name));
        let all: Vec<_> = properties.iter().cloned().chain(remaining).collect();
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

    /// Returns the item that replaces another version of the delivery in the inbox.
    fn replacing(&self, there: DeliveryItem) -> DeliveryItem {
        let versions = there.versions.edited(self.delivery.content.clone());
        let is_edit = there.pending.as_ref().is_some_and(|pending| pending.is_edit);
        // An earlier version that can't be decoded adds no properties.
        let earlier = there.pending.and_then(|pending| pending.person.into_person().ok());
        self.item(versions, is_edit, earlier)
    }
}
