//! Units of the store's bulk operations, which have too many contacts for the world of the other operations.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::Timestamp;
use domain::decision::Command;
use domain::filter::{Condition, Filter};
use domain::ids::{AccountId, ContactId, JobId, SegmentId, UserId};
use domain::limits::{CONTACTS_PER_TRANSACTION_MAX, MEMBERS_PER_REQUEST_MAX, MEMBERS_PER_TRANSACTION_MAX};
use domain::marketing::EffectiveState;
use domain::source::{Actor, Source, SourceType};
use store::{
    BulkJob, BulkRequest, ChangeMembers, ContactRef, DeleteContact, MembersReport, NewSegment, Preview,
    Responder, Segment, SegmentContent, Selected, Selection, StoredResponse, Target,
};
use testkit::{TestTable, Units, at};

use super::units_row;
use crate::report::row;
use crate::units::least::{Need, Snapshot};
use crate::units::operations::NOW;

/// The wall clock of the operations, after the contacts were created.
const LATER: &str = "2026-11-10T12:01:00.000Z";
/// The number of contacts of a preview.
const SELECTED: u64 = 1_000;
/// The calls of a worker's `should_continue` before its first transaction.
const CALLS_BEFORE: usize = 1;

/// Measures the operations, each in a new table.
pub(super) async fn measure() {
    let print = |what: String, (units, least)| row(&units_row(what, units, least));
    print(format!("A preview of {SELECTED} contacts"), preview().await);
    print(format!("Creation of a job for {SELECTED} contacts"), creation().await);
    for (command, state, name) in [
        (Command::SetMarketing, EffectiveState::NonMarketing, "set"),
        (Command::SetNonMarketingPending, EffectiveState::Marketing, "queued"),
    ] {
        let what = format!("A transaction of a job, {CONTACTS_PER_TRANSACTION_MAX} contacts {name}");
        print(what, transaction(command, state).await);
    }
    print("A poll of a job".to_owned(), poll().await);
    for count in [MEMBERS_PER_REQUEST_MAX, MEMBERS_PER_TRANSACTION_MAX] {
        print(format!("Adding {count} members to a list"), members(count).await);
    }
    print("Erasing a non-marketing contact in two lists".to_owned(), erasure().await);
}

/// An account with seeded contacts.
struct Many {
    table: TestTable,
    account: AccountId,
    ids: Vec<ContactId>,
}

impl Many {
    async fn create(contacts: u64, state: EffectiveState) -> Self {
        let table = TestTable::start().await;
        let account = table.account(at(NOW)).await;
        let ids = testkit::seed(&table, account, contacts, state, at(NOW)).await;
        Self { table, account, ids }
    }

    /// Returns the units of this work, and the minimum units.
    async fn cost(&self, needs: &[Need], work: impl Future) -> (Units, Units) {
        let before = Snapshot::take(&self.table).await;
        self.table.recorder.reset();
        work.await;
        let units = self.table.recorder.units();
        let after = Snapshot::take(&self.table).await;
        (units, Units { read: before.least_reads(needs), write: before.least_writes(&after) })
    }

    fn own(&self, sk: &str) -> Need {
        Need::item(format!("ACCOUNT#{}", self.account), sk)
    }

    fn contacts(&self) -> Need {
        Need::all(format!("CONTACT#{}#", self.account), "")
    }

    fn contact(&self, id: ContactId) -> Need {
        Need::item(format!("CONTACT#{}#{}", self.account, id.bucket()), id.to_string())
    }

    /// Returns a request for the contacts that match one condition, which all of them do.
    fn request(&self, command: Command, confirm_count: Option<u64>) -> BulkRequest {
        let all = Condition::new("city", "NOT_HAS_PROPERTY", None, None, None).expect("a condition");
        let by = Selection::Filter(Filter::new(vec![vec![all]]).expect("a filter"));
        let target = Target::Selected(Selected { by, except: BTreeSet::new() });
        BulkRequest { account: self.account, command, target, confirm_count, actor: actor() }
    }

    async fn preview(&self) {
        let request = self.request(Command::SetMarketing, None);
        let render = |_: &Preview| answer(String::new());
        let responder = Responder::new(None, &render);
        self.table.store.preview(&request, at(LATER), || true, responder).await.expect("a preview");
    }

    async fn begin(&self, command: Command) -> JobId {
        let request = self.request(command, Some(self.ids.len() as u64));
        let render = |job: &BulkJob| answer(job.id.to_string());
        let responder = Responder::new(None, &render);
        let job = self.table.store.create_bulk_job(&request, at(LATER), || true, responder).await;
        job.expect("a job").body.parse().expect("an id")
    }

    async fn list(&self) -> SegmentId {
        let new = NewSegment { name: "List".to_owned(), content: SegmentContent::List(Vec::new()) };
        let render = |(segment, _): &(Segment, MembersReport)| answer(segment.id.to_string());
        let responder = Responder::new(None, &render);
        let list = self.table.store.create_segment(self.account, &new, at(LATER), responder).await;
        list.expect("a list").body.parse().expect("an id")
    }

    async fn add(&self, list: SegmentId, ids: &[ContactId]) {
        let change =
            ChangeMembers { add: ids.iter().copied().map(ContactRef::Id).collect(), remove: Vec::new() };
        let render = |report: &MembersReport| answer(report.added.len().to_string());
        let responder = Responder::new(None, &render);
        let added = self.table.store.change_members(self.account, list, &change, at(LATER), responder).await;
        assert_eq!(added.expect("members").body, ids.len().to_string());
    }
}

async fn preview() -> (Units, Units) {
    let many = Many::create(SELECTED, EffectiveState::NonMarketing).await;
    many.cost(&[many.own("PERIOD"), many.contacts()], many.preview()).await
}

async fn creation() -> (Units, Units) {
    let many = Many::create(SELECTED, EffectiveState::NonMarketing).await;
    many.cost(&[many.own("PERIOD"), many.contacts()], many.begin(Command::SetMarketing)).await
}

/// Returns the units of a job's second transaction: the difference of a run with two and a run with one. The scan has
/// read the contacts by then.
async fn transaction(command: Command, state: EffectiveState) -> (Units, Units) {
    let (mut snapshots, mut units, mut needs) = (Vec::new(), Vec::new(), Vec::new());
    for transactions in [1, 2] {
        let many = Many::create(3 * CONTACTS_PER_TRANSACTION_MAX as u64, state).await;
        let job = many.begin(command).await;
        needs = vec![many.own("PERIOD"), many.own(&format!("JOB#{job}"))];
        many.table.recorder.reset();
        let calls = AtomicUsize::new(0);
        let should_continue = || calls.fetch_add(1, Ordering::Relaxed) < CALLS_BEFORE + transactions;
        let work = many.table.store.work_on_bulk_jobs(many.account, || at(LATER), should_continue);
        let progress = work.await.expect("a run");
        assert_eq!(progress.changed, (transactions * CONTACTS_PER_TRANSACTION_MAX) as u64);
        units.push(many.table.recorder.units());
        snapshots.push(Snapshot::take(&many.table).await);
    }
    let least =
        Units { read: snapshots[0].least_reads(&needs), write: snapshots[0].least_writes(&snapshots[1]) };
    (Units { read: units[1].read - units[0].read, write: units[1].write - units[0].write }, least)
}

async fn poll() -> (Units, Units) {
    let many = Many::create(1, EffectiveState::NonMarketing).await;
    let job = many.begin(Command::SetMarketing).await;
    let needs = [many.own(&format!("JOB#{job}"))];
    many.cost(&needs, many.table.store.bulk_job(many.account, job)).await
}

async fn members(count: usize) -> (Units, Units) {
    let many = Many::create(count as u64, EffectiveState::NonMarketing).await;
    let list = many.list().await;
    let contacts = many.ids.iter().map(|id| many.contact(*id));
    let needs: Vec<Need> = contacts.chain([many.own(&format!("SEGMENT#{list}"))]).collect();
    many.cost(&needs, many.add(list, &many.ids)).await
}

async fn erasure() -> (Units, Units) {
    let many = Many::create(1, EffectiveState::NonMarketing).await;
    let contact = many.ids[0];
    for _ in 0..2 {
        many.add(many.list().await, &many.ids).await;
    }
    let memberships = Need::all(format!("MEMBERSHIP#{}#{contact}", many.account), "");
    let needs = [many.own("PERIOD"), many.contact(contact), memberships];
    let request = DeleteContact {
        account: many.account,
        contact,
        erase: true,
        if_match: None,
        source: Source { kind: SourceType::Manual, name: "Ada".to_owned(), id: None },
        actor: actor(),
        modify_marketing_contacts: true,
    };
    let render = |(): &()| answer(String::new());
    let erase = async {
        let erased = many.table.store.delete_contact(&request, at(LATER), Responder::new(None, &render));
        erased.await.expect("the contact is erased")
    };
    many.cost(&needs, erase).await
}

fn actor() -> Actor {
    Actor::User(UserId::new(Timestamp::MIN, 1))
}

fn answer(body: String) -> StoredResponse {
    StoredResponse { status: 200, body, etag: None, location: None }
}
