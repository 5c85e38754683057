//! An account with automations: its stream, a clock that moves with every step, and the requests of the tests.

use chrono::TimeDelta;
use domain::Timestamp;
use domain::automation::{RunCounts, Trigger};
use domain::contact::Contact;
use domain::decision::Command;
use domain::filter::{Condition, Filter};
use domain::ids::{AccountId, AutomationId, ContactId, FormId, SegmentId};
use domain::marketing::EffectiveState;
use domain::property::PropertyName;
use store::{
    Automation, AutomationReport, AutomationTask, ChangeMembers, ContactRef, MembersReport, NewAutomation,
    NewForm, NewSegment, Responder, Segment, SegmentContent, StoreError, StreamRecord, Submission, Submitted,
    UpdateAutomation, Waiting,
};
use testkit::TestTable;

use crate::operations::{START, Told, forms, read, saving};

/// An account, its stream, and a clock that moves with every step.
pub struct Setting {
    pub table: TestTable,
    pub account: AccountId,
    now: std::sync::Mutex<Timestamp>,
}

/// Returns a filter for a property with this value.
pub fn property(name: &str, value: &str) -> Filter {
    Filter::new(vec![vec![Condition::new(name, "EQ", Some(value), None, None).unwrap()]]).unwrap()
}

/// Returns an enabled automation that sets the contacts in Rome.
pub fn romans() -> NewAutomation {
    NewAutomation {
        name: "Romans".to_owned(),
        trigger: Trigger::Filter(property("city", "Rome")),
        action: Command::SetMarketing,
        re_enrol: false,
        max_per_day: None,
        pause_above: None,
        enabled: true,
        enrol_existing: None,
    }
}

impl Setting {
    pub async fn start() -> Self {
        let table = TestTable::with_stream().await;
        let now: Timestamp = START.parse().unwrap();
        let account = table.account(now).await;
        Self::over(table, account, now)
    }

    /// Returns an account of this table, whose clock begins at `now`.
    pub fn over(table: TestTable, account: AccountId, now: Timestamp) -> Self {
        Self { table, account, now: std::sync::Mutex::new(now) }
    }

    /// Returns the present instant, a millisecond after the last one.
    pub fn now(&self) -> Timestamp {
        self.pass(TimeDelta::milliseconds(1))
    }

    /// Moves the clock and returns the present instant.
    pub fn pass(&self, time: TimeDelta) -> Timestamp {
        let mut now = self.now.lock().unwrap();
        *now = now.plus(time);
        *now
    }

    pub async fn create(&self, new: &NewAutomation) -> Automation {
        self.try_create(new).await.unwrap().automation
    }

    pub async fn try_create(&self, new: &NewAutomation) -> Result<AutomationReport, StoreError> {
        let told = Told::new();
        let render = told.render();
        let responder = Responder::new(None, &render);
        let (store, now) = (&self.table.store, self.now());
        store.create_automation(self.account, new, now, || true, responder).await?;
        Ok(told.take())
    }

    pub async fn update(
        &self,
        automation: AutomationId,
        change: &UpdateAutomation,
    ) -> Result<AutomationReport, StoreError> {
        let told = Told::new();
        let render = told.render();
        let responder = Responder::new(None, &render);
        let (store, now) = (&self.table.store, self.now());
        store.update_automation(self.account, automation, change, now, || true, responder).await?;
        Ok(told.take())
    }

    pub async fn switch(&self, automation: AutomationId, enabled: bool) -> AutomationReport {
        let change = UpdateAutomation { enabled: Some(enabled), ..UpdateAutomation::default() };
        self.update(automation, &change).await.unwrap()
    }

    pub async fn resume(
        &self,
        automation: AutomationId,
        waiting: Waiting,
    ) -> Result<AutomationReport, StoreError> {
        let told = Told::new();
        let render = told.render();
        let responder = Responder::new(None, &render);
        self.table.store.resume_automation(self.account, automation, waiting, self.now(), responder).await?;
        Ok(told.take())
    }

    /// Creates or updates a contact with properties.
    pub async fn save(&self, email: &str, properties: &[(&str, &str)]) -> ContactId {
        let properties: Vec<(PropertyName, Option<String>)> = properties
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), Some((*value).to_owned())))
            .collect();
        let email = testkit::email(email);
        let request = saving(self.account, Some(&email), &properties);
        let told = Told::new();
        let render = told.render();
        self.table.store.upsert_contact(&request, self.now(), Responder::new(None, &render)).await.unwrap();
        told.take().contact.id
    }

    /// Follows the records of the stream and works on automations and jobs until nothing follows any more.
    pub async fn settle(&self) {
        self.settle_with(|records| records).await;
    }

    /// The same as [`Self::settle`], with records that are repeated, late or in another order.
    pub async fn settle_with(&self, change: impl Fn(Vec<StreamRecord>) -> Vec<StreamRecord>) {
        loop {
            let records = self.table.records().await;
            if records.is_empty() {
                return;
            }
            let followed = self.table.store.follow(change(records), self.now()).await;
            assert!(followed.failed.is_empty(), "{:?}", followed.failed);
            for task in followed.tasks {
                self.work(task).await;
            }
        }
    }

    pub async fn work(&self, task: AutomationTask) {
        let clock = || self.now();
        let worked = self.table.store.work_on_automation(task, clock, || true).await.unwrap();
        assert!(worked.finished);
    }

    pub async fn work_on_jobs(&self) {
        let store = &self.table.store;
        assert!(store.work_on_bulk_jobs(self.account, || self.now(), || true).await.unwrap().finished);
    }

    /// Sends the messages of what is due, as the schedule does.
    pub async fn tick(&self) {
        let now = self.now();
        for shard in store::Store::due_shards() {
            for due in self.table.store.due(shard, now, None).await.unwrap().due {
                if let store::Due::Job(store::Job::Automation(task)) = due {
                    self.work(task).await;
                }
            }
        }
    }

    pub async fn contact(&self, id: ContactId) -> Contact {
        read(&self.table.store, self.account, id, self.now()).await.unwrap().0
    }

    pub async fn state(&self, id: ContactId) -> EffectiveState {
        self.contact(id).await.state()
    }

    pub async fn counts(&self, automation: AutomationId) -> RunCounts {
        let runs = self.table.store.automation_runs(self.account, automation, None, 100).await.unwrap();
        runs.items.first().map(|run| run.counts.clone()).unwrap_or_default()
    }

    pub async fn waiting(&self, automation: AutomationId) -> u64 {
        self.table.store.waiting_of(self.account, automation).await.unwrap()
    }

    pub async fn list(&self) -> SegmentId {
        let content = SegmentContent::List(Vec::new());
        self.segment(content).await
    }

    pub async fn segment(&self, content: SegmentContent) -> SegmentId {
        let told = Told::<(Segment, MembersReport)>::new();
        let render = told.render();
        let new = NewSegment { name: "Segment".to_owned(), content };
        let store = &self.table.store;
        store.create_segment(self.account, &new, self.now(), Responder::new(None, &render)).await.unwrap();
        told.take().0.id
    }

    pub async fn change_members(&self, list: SegmentId, add: &[ContactId], remove: &[ContactId]) {
        let refs = |ids: &[ContactId]| ids.iter().copied().map(ContactRef::Id).collect();
        let change = ChangeMembers { add: refs(add), remove: refs(remove) };
        let told = Told::new();
        let render = told.render();
        let (store, now) = (&self.table.store, self.now());
        store.change_members(self.account, list, &change, now, Responder::new(None, &render)).await.unwrap();
    }

    pub async fn form(&self, set_marketing: bool) -> FormId {
        let new = NewForm { set_marketing: Some(set_marketing), ..forms::native() };
        forms::form(&self.table.store, self.account, &new).await.id
    }

    pub async fn submit(&self, form: FormId, email: &str, id: Option<&str>, city: &str) -> Submitted {
        let form = self.table.store.public_form(form).await.unwrap();
        let email = testkit::email(email);
        let properties = [("city".parse().unwrap(), Some(city.to_owned()))];
        let submission = Submission {
            form: &form,
            submission_id: id,
            email: &email,
            properties: &properties,
            left_out: 0,
        };
        self.table.store.submit(&submission, self.now()).await.unwrap()
    }
}
