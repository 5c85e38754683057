//! The enrolment of selected contacts in an automation: the job for the contacts that match when it is enabled.
//!
//! The job only appends contacts to the automation's queue. The automation's worker gives them their turns, within the
//! budget of the day.

use domain::Timestamp;
use domain::bulk::Summary;
use domain::ids::AutomationId;
use domain::limits::{BULK_CHECKPOINT, CONTACTS_PER_TRANSACTION_MAX};
use domain::source::Actor;
use tokio::time::Instant;

use super::audience::Audience;
use super::run::{JobWork, Worked};
use super::scan::Scan;
use crate::StoreError;
use crate::items::{AutomationItem, BulkJobItem, SummaryItem, WaitingItem, unreadable};
use crate::job_state::JobState;
use crate::jobs::AutomationTask;
use crate::keys::{Key, waiting_pk};
use crate::operation::Operation;
use crate::transaction::Transaction;

/// The contacts that one transaction enrols.
struct Enrolled {
    contacts: Vec<(Key, WaitingItem)>,
    /// True if no contact follows.
    is_last: bool,
}

impl<C, G> JobWork<'_, '_, C, G>
where
    C: Fn() -> Timestamp + Send + Sync,
    G: Fn() -> bool + Send + Sync,
{
    /// Enrols the selected contacts in the automation. If the automation was disabled since, the job is cancelled.
    pub(super) async fn enrol(&mut self, audience: &Audience) -> Result<Worked, StoreError> {
        let Actor::Automation(automation) = self.job.actor else {
            return Err(unreadable::<BulkJobItem>("actor"));
        };
        let op = self.run.operation();
        let mut scan = op.scan(audience, self.job.place).await?;
        loop {
            if !(self.run.should_continue)() {
                return Ok(Worked::OutOfTime);
            }
            let op = self.run.operation();
            let Some(definition) = self.followed(automation).await? else {
                return self.finish(JobState::Cancelled).await;
            };
            let Enrolled { contacts, is_last } =
                self.next_enrolled(&op, &mut scan, audience, &definition).await?;
            if !self.commit_enrolled(&op, automation, contacts).await? {
                return Ok(Worked::Superseded);
            }
            if is_last {
                return self.finish(JobState::Done).await;
            }
        }
    }

    /// Returns the automation, if it is still enabled since the request for this job.
    async fn followed(&self, automation: AutomationId) -> Result<Option<AutomationItem>, StoreError> {
        let key = Key::automation(self.run.account, automation);
        let item: Option<AutomationItem> = self.run.store.get(key).await?;
        let is_same = |item: &AutomationItem| {
            item.enabled_since.is_some() && Some(item.queue) == self.job.automation_queue
        };
        Ok(item.filter(is_same))
    }

    /// Reads the next selected contacts, as many as one transaction enrols.
    async fn next_enrolled(
        &mut self,
        op: &Operation<'_>,
        scan: &mut Scan<'_>,
        audience: &Audience,
        definition: &AutomationItem,
    ) -> Result<Enrolled, StoreError> {
        let opened = op.read_current_period(Vec::new()).await?;
        let pk = waiting_pk(self.run.account, definition.id, definition.queue);
        // All of them are enrolled as of the request that enabled the automation, so a repeat has the same keys.
        let since = definition.enabled_since.unwrap_or(op.wall_clock);
        let (begun, mut contacts) = (Instant::now(), Vec::new());
        while contacts.len() < CONTACTS_PER_TRANSACTION_MAX && begun.elapsed() < BULK_CHECKPOINT {
            let Some(mut candidate) = scan.next().await? else {
                return Ok(Enrolled { contacts, is_last: true });
            };
            op.settle_loaded(std::slice::from_mut(&mut candidate.loaded), &opened.period).await?;
            let contact = &candidate.loaded.contact;
            self.job.place = Some(contact.id);
            self.job.examined += 1;
            if !contact.is_visible() || !audience.selects(contact, &candidate.lists) {
                continue;
            }
            let trigger = self.job.id.to_string();
            let key = Key::waiting(pk.clone(), since, contact.id, &trigger);
            let entry = WaitingItem {
                contact: contact.id,
                created_at: Some(contact.created_at),
                at: opened.now,
                matched_version: Some(contact.version),
                trigger,
                existing: true,
            };
            contacts.push((key, entry));
        }
        Ok(Enrolled { contacts, is_last: false })
    }

    /// Stores the contacts with the job's place and count. Returns false if another worker or a caller has changed the
    /// job.
    async fn commit_enrolled(
        &mut self,
        op: &Operation<'_>,
        automation: AutomationId,
        contacts: Vec<(Key, WaitingItem)>,
    ) -> Result<bool, StoreError> {
        let summary = self.job.summary.summary();
        let enrolled = summary.enrolled.saturating_add(u64::try_from(contacts.len()).unwrap_or(u64::MAX));
        self.job.summary = SummaryItem::from(&Summary { enrolled, ..summary });
        self.job.state = JobState::Running;
        let stored = self.job.version;
        self.job.version += 1;
        let key = Key::bulk_job(self.run.account, self.job.id);
        let mut transaction = Transaction::default();
        for (key, entry) in &contacts {
            transaction.put(self.run.store.put_any(key.clone(), entry)?);
        }
        transaction.put(self.run.store.put_versioned(key, &self.job, stored)?);
        if !self.run.store.commit(transaction, &op.retries).await? {
            return Ok(false);
        }
        let task = AutomationTask { account: self.run.account, automation };
        self.run.store.wake_automation(task, op.wall_clock).await?;
        Ok(true)
    }
}
