//! Floods: more submissions than an account's period takes one by one are accepted into the inbox, and settled.

use std::collections::BTreeMap;
use std::future::ready;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::{ProblemType, Queue};
use futures_util::StreamExt as _;
use futures_util::stream;
use monthly_rollover::{Queues, roll_over};
use serde_json::{Value, json};
use store::InboxTask;
use testkit::{Api, Conflicts, Fault, Tenant, TestTable, at};

use super::START;
use super::senders::sender;

/// How many people submit.
const PEOPLE: usize = 1_000;
/// How many of them at a time.
const SENDERS: usize = 32;
/// How long a transaction is in flight, as the design models it.
const IN_FLIGHT: Duration = Duration::from_millis(5);

/// Where a flood goes: a form's own route, `HubSpot`'s, and a provider's hook.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Way {
    Native,
    HubSpot,
    Hook,
}

/// An account with a form of its own and one that a provider feeds.
struct Flooded {
    api: Api,
    account: Tenant,
    native: String,
    provided: String,
}

impl Flooded {
    async fn start(table: TestTable, terms: Value) -> Self {
        let api = Api::over(table, at(START));
        let account = api.account(terms).await;
        let body = json!({"name": "Newsletter", "answer": "full"});
        let native = api.post("/v1/forms").token(&account.token).json(&body).await.expect(201);
        let native = native["id"].as_str().unwrap().to_owned();
        let provided = sender("generic").form(&api, &account, &[1], json!({})).await;
        Self { api, account, native, provided }
    }

    /// Somebody's submission: its status, and what it did.
    async fn submit(&self, way: Way, person: usize) -> (u16, Value) {
        let email = format!("person{person}@example.org");
        let id = format!("delivery-{person}");
        let reply = match way {
            Way::Native => {
                let path = format!("/v1/forms/{}/submissions", self.native);
                let body = json!({"fields": {"email": email}, "submission_id": id});
                self.api.post(&path).json(&body).await
            }
            Way::Hook => {
                let path = format!("/v1/hooks/{}?secret={}", self.provided, sender("generic").secret(1));
                self.api.post(&path).json(&json!({"email": email, "submission_id": id})).await
            }
            Way::HubSpot => {
                let path = format!("/submissions/v3/integration/submit/{}/{}", self.account.id, self.native);
                self.api.post(&path).json(&json!({"fields": [{"name": "email", "value": email}]})).await
            }
        };
        (reply.status, reply.json())
    }

    /// Everybody submits, so many at a time. How often each answer's `marketing` came.
    async fn flood(&self, way: Way, people: usize) -> BTreeMap<String, usize> {
        let all = stream::iter(0..people).map(|person| self.submit(way, person));
        let answers: Vec<(u16, Value)> = all.buffer_unordered(SENDERS).collect().await;
        let mut seen = BTreeMap::new();
        for (status, answer) in answers {
            assert_eq!(status, 200, "{answer}");
            *seen.entry(answer["marketing"].as_str().unwrap_or("taken").to_owned()).or_default() += 1;
        }
        seen
    }

    /// Asserts that everybody is there, and how many of them are marketing contacts, once the inbox is empty.
    async fn assert_everybody(&self, people: u64, marketing: u64) {
        let scan = testkit::scan(&self.api.table.client, self.account.id).await;
        assert_eq!((scan.contacts, scan.addresses), (people, people), "everybody is there");
        assert_eq!(self.api.assert_exact(&self.account).await["marketing"], marketing);
    }

    async fn counts(&self, form: &str) -> Value {
        let path = format!("/v1/forms/{form}");
        let report = self.api.get(&path).token(&self.account.token).await.expect(200);
        let counts = report["counts"].as_object().unwrap().clone();
        counts.into_iter().filter(|(_, count)| *count != json!(0)).collect()
    }
}

/// What a flood came to, for whoever looks at the tests' output.
fn tell(what: &str, people: usize, waited: usize, conflicts: u32) {
    let text = format!("{what}: {people} submissions, {waited} through the inbox, {conflicts} conflicts\n");
    std::io::stdout().write_all(text.as_bytes()).unwrap();
}

#[tokio::test]
async fn a_flood_without_conflicts_loses_nobody() {
    let flooded = Flooded::start(TestTable::start().await, json!({})).await;
    let seen = flooded.flood(Way::Native, PEOPLE).await;
    let waited = flooded.api.settle_inbox().await;
    assert_eq!(seen.get("accepted").copied().unwrap_or_default(), waited);
    tell("without conflicts", PEOPLE, waited, 0);
    flooded.assert_everybody(PEOPLE as u64, PEOPLE as u64).await;
    assert_eq!(flooded.counts(&flooded.native).await, json!({"received": PEOPLE, "set": PEOPLE}));
}

#[tokio::test]
async fn a_flood_that_meets_conflicts_loses_nobody_whichever_way_it_comes() {
    for (way, people) in [(Way::Native, PEOPLE), (Way::Hook, PEOPLE / 4), (Way::HubSpot, PEOPLE / 4)] {
        let conflicts = Conflicts::new(IN_FLIGHT);
        let flooded = Flooded::start(TestTable::with_faults(&conflicts).await, json!({})).await;
        let seen = flooded.flood(way, people).await;
        let in_flood = conflicts.conflicts();
        assert!(in_flood > 0, "the flood meets itself");
        let waited = flooded.api.settle_inbox().await;
        if way != Way::HubSpot {
            assert_eq!(seen.get("accepted").copied().unwrap_or_default(), waited, "{seen:?}");
        }
        tell(&format!("{way:?}, with conflicts"), people, waited, in_flood);
        flooded.assert_everybody(people as u64, people as u64).await;
        let form = if way == Way::Hook { &flooded.provided } else { &flooded.native };
        assert_eq!(flooded.counts(form).await, json!({"received": people, "set": people}));
    }
}

#[tokio::test]
async fn the_cap_holds_while_a_form_is_flooded_and_people_are_kept() {
    const CAP: u64 = 300;
    let conflicts = Conflicts::new(IN_FLIGHT);
    let flooded = Flooded::start(TestTable::with_faults(&conflicts).await, json!({"cap": CAP})).await;
    let flood = flooded.flood(Way::Native, PEOPLE);
    let watch = async {
        loop {
            let usage = flooded.api.get("/v1/usage").token(&flooded.account.token).await.expect(200);
            assert!(usage["marketing"].as_u64().unwrap() <= CAP, "{usage}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let seen = tokio::select! {
        seen = flood => seen,
        () = watch => unreachable!("it watches for ever"),
    };
    let waited = flooded.api.settle_inbox().await;
    assert_eq!(seen.get("accepted").copied().unwrap_or_default(), waited, "{seen:?}");
    tell("over the cap, with conflicts", PEOPLE, waited, conflicts.conflicts());
    flooded.assert_everybody(PEOPLE as u64, CAP).await;
    let expected = json!({"received": PEOPLE, "set": CAP, "not_set_by_cap": PEOPLE as u64 - CAP});
    assert_eq!(flooded.counts(&flooded.native).await, expected);
}

/// A table whose transactions are all throttled once the forms are made, so that every submission has to wait.
async fn throttled(terms: Value) -> (Flooded, Arc<AtomicBool>) {
    let is_throttled = Arc::new(AtomicBool::new(false));
    let asked = is_throttled.clone();
    let faults = Conflicts::with_plan(Duration::ZERO, move |operation, _| {
        let meets = operation == "TransactWriteItems" && asked.load(Ordering::SeqCst);
        meets.then_some(Fault::Throttled)
    });
    let flooded = Flooded::start(TestTable::with_faults(&faults).await, terms).await;
    (flooded, is_throttled)
}

#[tokio::test]
async fn a_delivery_that_waits_is_a_duplicate_when_it_comes_again() {
    let (flooded, is_throttled) = throttled(json!({})).await;
    is_throttled.store(true, Ordering::SeqCst);
    for way in [Way::Native, Way::Hook] {
        let accepted = json!({"contact": "accepted", "marketing": "accepted", "duplicate": false});
        assert_eq!(flooded.submit(way, 1).await, (200, accepted.clone()), "{way:?}");
        let mut again = accepted;
        again["duplicate"] = json!(true);
        assert_eq!(flooded.submit(way, 1).await, (200, again), "{way:?}");
    }
    // A submission without an id may have happened, and nothing could tell: its sender is asked to repeat it.
    assert_eq!(flooded.submit(Way::HubSpot, 2).await.0, 503);
    assert_eq!(testkit::scan(&flooded.api.table.client, flooded.account.id).await.contacts, 0);
    is_throttled.store(false, Ordering::SeqCst);
    assert_eq!(flooded.api.settle_inbox().await, 2);
    let settled = json!({"contact": "created", "marketing": "set", "duplicate": true});
    let other = json!({"contact": "updated", "marketing": "unchanged", "duplicate": true});
    let answers = [flooded.submit(Way::Native, 1).await.1, flooded.submit(Way::Hook, 1).await.1];
    assert!(answers == [settled.clone(), other.clone()] || answers == [other, settled], "{answers:?}");
    flooded.assert_everybody(1, 1).await;
}

#[tokio::test]
async fn what_the_queue_forgets_the_schedule_finds() {
    let (flooded, is_throttled) = throttled(json!({})).await;
    is_throttled.store(true, Ordering::SeqCst);
    for person in 0..3 {
        assert_eq!(flooded.submit(Way::Native, person).await.1["contact"], "accepted");
    }
    is_throttled.store(false, Ordering::SeqCst);
    assert_eq!(flooded.api.take_inbox().len(), 3, "and nobody works on them");
    let tick = async || {
        let found = Arc::<Mutex<Vec<InboxTask>>>::default();
        let into = found.clone();
        let inbox = Queue::new(move |tasks| {
            into.lock().unwrap().extend(tasks);
            ready(Ok(()))
        });
        let queues = Queues { sweeps: Queue::new(|_| ready(Ok(()))), inbox };
        let now = flooded.api.clock.now();
        let done = roll_over(&flooded.api.table.store, &queues, now, || true).await;
        let found = std::mem::take(&mut *found.lock().unwrap());
        assert_eq!(done.expect("a tick").inbox, found.len() as u64);
        found
    };
    assert_eq!(tick().await, [], "the queue is given its time");
    flooded.api.clock.set(at("2026-11-10T12:15:00.000Z"));
    let found = tick().await;
    assert_eq!(found.len(), 3);
    assert_eq!(tick().await, [], "they were asked for");
    let report = flooded.api.table.store.settle_inbox(&found, flooded.api.clock.now(), || true).await;
    assert_eq!((report.settled, report.unsettled.len()), (3, 0));
    flooded.api.clock.set(at("2026-11-10T13:00:00.000Z"));
    assert_eq!(tick().await, [], "what is settled is not due");
    flooded.assert_everybody(3, 3).await;
}

#[tokio::test]
async fn without_the_table_nothing_is_accepted() {
    let is_down = Arc::new(AtomicBool::new(false));
    let asked = is_down.clone();
    let faults = Conflicts::with_plan(Duration::ZERO, move |operation, _| {
        let writes = ["PutItem", "TransactWriteItems"].contains(&operation);
        (writes && asked.load(Ordering::SeqCst)).then_some(Fault::Unavailable)
    });
    let flooded = Flooded::start(TestTable::with_faults(&faults).await, json!({})).await;
    is_down.store(true, Ordering::SeqCst);
    let path = format!("/v1/forms/{}/submissions", flooded.native);
    let body = json!({"fields": {"email": "ada@example.org"}, "submission_id": "1"});
    flooded.api.post(&path).json(&body).await.problem(ProblemType::Unavailable);
    assert_eq!(flooded.api.take_inbox(), []);
    is_down.store(false, Ordering::SeqCst);
    let reply = flooded.api.post(&path).json(&body).await.expect(200);
    assert_eq!(reply["duplicate"], false, "what was refused was not taken");
    flooded.assert_everybody(1, 1).await;
}
