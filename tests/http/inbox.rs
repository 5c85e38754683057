//! Bursts: submissions beyond the rate at which one account's period accepts single writes go into the inbox and are
//! applied later.

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

/// The number of submissions in a burst.
const SUBMISSIONS: usize = 100;
/// The number of concurrent submissions.
const CONCURRENCY: usize = 32;
/// The time that a transaction is in flight, as the design models it.
const IN_FLIGHT: Duration = Duration::from_millis(5);

/// The route of a burst: a form's own route, `HubSpot`'s, or a provider's hook.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Route {
    Native,
    HubSpot,
    Hook,
}

/// An account with a native form and a provider's form.
struct BurstFixture {
    api: Api,
    account: Tenant,
    native: String,
    provided: String,
}

impl BurstFixture {
    async fn start(table: TestTable, terms: Value) -> Self {
        let api = Api::over(table, at(START));
        let account = api.account(terms).await;
        let body = json!({"name": "Newsletter", "answer": "full"});
        let native = api.post("/v1/forms").token(&account.token).json(&body).await.expect(201);
        let native = native["id"].as_str().unwrap().to_owned();
        let provided = sender("generic").form(&api, &account, &[1], json!({})).await;
        Self { api, account, native, provided }
    }

    /// Submits the form for one contact and returns the response's status and body.
    async fn submit(&self, route: Route, person: usize) -> (u16, Value) {
        let email = format!("person{person}@example.org");
        let id = format!("delivery-{person}");
        let reply = match route {
            Route::Native => {
                let path = format!("/v1/forms/{}/submissions", self.native);
                let body = json!({"fields": {"email": email}, "submission_id": id});
                self.api.post(&path).json(&body).await
            }
            Route::Hook => {
                let path = format!("/v1/hooks/{}?secret={}", self.provided, sender("generic").secret(1));
                self.api.post(&path).json(&json!({"email": email, "submission_id": id})).await
            }
            Route::HubSpot => {
                let path = format!("/submissions/v3/integration/submit/{}/{}", self.account.id, self.native);
                self.api.post(&path).json(&json!({"fields": [{"name": "email", "value": email}]})).await
            }
        };
        (reply.status, reply.json())
    }

    /// Sends a burst and returns how often each value of `marketing` occurred in the responses.
    async fn burst(&self, route: Route, submissions: usize) -> BTreeMap<String, usize> {
        let all = stream::iter(0..submissions).map(|person| self.submit(route, person));
        let answers: Vec<(u16, Value)> = all.buffer_unordered(CONCURRENCY).collect().await;
        let mut seen = BTreeMap::new();
        for (status, answer) in answers {
            assert_eq!(status, 200, "{answer}");
            *seen.entry(answer["marketing"].as_str().unwrap_or("not reported").to_owned()).or_default() += 1;
        }
        seen
    }

    /// Asserts the number of contacts and of marketing contacts, once the inbox is empty.
    async fn assert_contacts(&self, submissions: u64, marketing: u64) {
        let scan = testkit::scan(&self.api.table.client, self.account.id).await;
        assert_eq!((scan.contacts, scan.addresses), (submissions, submissions), "a submission was lost");
        assert_eq!(self.api.assert_exact(&self.account).await["marketing"], marketing);
    }

    async fn counts(&self, form: &str) -> Value {
        let path = format!("/v1/forms/{form}");
        let report = self.api.get(&path).token(&self.account.token).await.expect(200);
        let counts = report["counts"].as_object().unwrap().clone();
        counts.into_iter().filter(|(_, count)| *count != json!(0)).collect()
    }
}

/// Prints a summary of a burst to the test output.
fn print_summary(what: &str, submissions: usize, waited: usize, conflicts: u32) {
    let text =
        format!("{what}: {submissions} submissions, {waited} through the inbox, {conflicts} conflicts\n");
    std::io::stdout().write_all(text.as_bytes()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn burst_without_conflicts_loses_no_submission() {
    let fixture = BurstFixture::start(TestTable::start().await, json!({})).await;
    let seen = fixture.burst(Route::Native, SUBMISSIONS).await;
    let waited = fixture.api.settle_inbox().await;
    assert_eq!(seen.get("accepted").copied().unwrap_or_default(), waited);
    print_summary("without conflicts", SUBMISSIONS, waited, 0);
    fixture.assert_contacts(SUBMISSIONS as u64, SUBMISSIONS as u64).await;
    assert_eq!(fixture.counts(&fixture.native).await, json!({"received": SUBMISSIONS, "set": SUBMISSIONS}));
}

#[tokio::test(start_paused = true)]
async fn burst_with_conflicts_loses_no_submission() {
    for (route, submissions) in
        [(Route::Native, SUBMISSIONS), (Route::Hook, SUBMISSIONS / 4), (Route::HubSpot, SUBMISSIONS / 4)]
    {
        let conflicts = Conflicts::new(IN_FLIGHT);
        let fixture = BurstFixture::start(TestTable::with_faults(&conflicts).await, json!({})).await;
        let seen = fixture.burst(route, submissions).await;
        let conflicts_in_burst = conflicts.conflicts();
        assert!(conflicts_in_burst > 0, "the burst must cause conflicts");
        let waited = fixture.api.settle_inbox().await;
        if route != Route::HubSpot {
            assert_eq!(seen.get("accepted").copied().unwrap_or_default(), waited, "{seen:?}");
        }
        print_summary(&format!("{route:?}, with conflicts"), submissions, waited, conflicts_in_burst);
        fixture.assert_contacts(submissions as u64, submissions as u64).await;
        let form = if route == Route::Hook { &fixture.provided } else { &fixture.native };
        assert_eq!(fixture.counts(form).await, json!({"received": submissions, "set": submissions}));
    }
}

#[tokio::test(start_paused = true)]
async fn burst_over_the_cap_stays_within_the_cap() {
    const CAP: u64 = 30;
    let conflicts = Conflicts::new(IN_FLIGHT);
    let fixture = BurstFixture::start(TestTable::with_faults(&conflicts).await, json!({"cap": CAP})).await;
    let burst = fixture.burst(Route::Native, SUBMISSIONS);
    let watch = async {
        loop {
            let usage = fixture.api.get("/v1/usage").token(&fixture.account.token).await.expect(200);
            assert!(usage["marketing"].as_u64().unwrap() <= CAP, "{usage}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let seen = tokio::select! {
        seen = burst => seen,
        () = watch => unreachable!("the watch never ends"),
    };
    let waited = fixture.api.settle_inbox().await;
    assert_eq!(seen.get("accepted").copied().unwrap_or_default(), waited, "{seen:?}");
    print_summary("over the cap, with conflicts", SUBMISSIONS, waited, conflicts.conflicts());
    fixture.assert_contacts(SUBMISSIONS as u64, CAP).await;
    let expected = json!({"received": SUBMISSIONS, "set": CAP, "not_set_by_cap": SUBMISSIONS as u64 - CAP});
    assert_eq!(fixture.counts(&fixture.native).await, expected);
}

/// Creates a fixture and a switch that throttles all transactions, so that every submission goes into the inbox.
async fn throttled(terms: Value) -> (BurstFixture, Arc<AtomicBool>) {
    let is_throttled = Arc::new(AtomicBool::new(false));
    let throttle = is_throttled.clone();
    let faults = Conflicts::with_plan(Duration::ZERO, move |operation, _| {
        let throttles = operation == "TransactWriteItems" && throttle.load(Ordering::SeqCst);
        throttles.then_some(Fault::Throttled)
    });
    let fixture = BurstFixture::start(TestTable::with_faults(&faults).await, terms).await;
    (fixture, is_throttled)
}

#[tokio::test(start_paused = true)]
async fn repeated_delivery_in_the_inbox_is_a_duplicate() {
    let (fixture, is_throttled) = throttled(json!({})).await;
    is_throttled.store(true, Ordering::SeqCst);
    for route in [Route::Native, Route::Hook] {
        let accepted = json!({"contact": "accepted", "marketing": "accepted", "duplicate": false});
        assert_eq!(fixture.submit(route, 1).await, (200, accepted.clone()), "{route:?}");
        let mut again = accepted;
        again["duplicate"] = json!(true);
        assert_eq!(fixture.submit(route, 1).await, (200, again), "{route:?}");
    }
    // A submission without an id cannot be recognized as a duplicate, so its sender must retry it.
    assert_eq!(fixture.submit(Route::HubSpot, 2).await.0, 503);
    assert_eq!(testkit::scan(&fixture.api.table.client, fixture.account.id).await.contacts, 0);
    is_throttled.store(false, Ordering::SeqCst);
    assert_eq!(fixture.api.settle_inbox().await, 2);
    let settled = json!({"contact": "created", "marketing": "set", "duplicate": true});
    let other = json!({"contact": "updated", "marketing": "unchanged", "duplicate": true});
    let answers = [fixture.submit(Route::Native, 1).await.1, fixture.submit(Route::Hook, 1).await.1];
    assert!(answers == [settled.clone(), other.clone()] || answers == [other, settled], "{answers:?}");
    fixture.assert_contacts(1, 1).await;
}

#[tokio::test(start_paused = true)]
async fn inbox_entry_lost_by_the_queue_is_found_by_the_schedule() {
    let (fixture, is_throttled) = throttled(json!({})).await;
    is_throttled.store(true, Ordering::SeqCst);
    for person in 0..3 {
        assert_eq!(fixture.submit(Route::Native, person).await.1["contact"], "accepted");
    }
    is_throttled.store(false, Ordering::SeqCst);
    assert_eq!(fixture.api.take_inbox().len(), 3, "the queue drops its tasks");
    let tick = async || {
        let found = Arc::<Mutex<Vec<InboxTask>>>::default();
        let into = found.clone();
        let inbox = Queue::new(move |tasks| {
            into.lock().unwrap().extend(tasks);
            ready(Ok(()))
        });
        let queues = Queues {
            sweeps: Queue::new(|_| ready(Ok(()))),
            inbox,
            bulk: Queue::new(|_| ready(Ok(()))),
            automations: Queue::new(|_| ready(Ok(()))),
            files: Queue::new(|_| ready(Ok(()))),
        };
        let now = fixture.api.clock.now();
        let done = roll_over(&fixture.api.table.store, &queues, now, || true).await;
        let found = std::mem::take(&mut *found.lock().unwrap());
        assert_eq!(done.expect("a tick").inbox, found.len() as u64);
        found
    };
    assert_eq!(tick().await, [], "the schedule leaves time for the queue");
    fixture.api.clock.set(at("2026-11-10T12:15:00.000Z"));
    let found = tick().await;
    assert_eq!(found.len(), 3);
    assert_eq!(tick().await, [], "each entry is queued again once");
    let report = fixture.api.table.store.settle_inbox(&found, fixture.api.clock.now(), || true).await;
    assert_eq!((report.settled, report.unsettled.len()), (3, 0));
    fixture.api.clock.set(at("2026-11-10T13:00:00.000Z"));
    assert_eq!(tick().await, [], "a settled entry is not due");
    fixture.assert_contacts(3, 3).await;
}

#[tokio::test(start_paused = true)]
async fn submission_is_refused_while_the_table_is_down() {
    let is_down = Arc::new(AtomicBool::new(false));
    let down = is_down.clone();
    let faults = Conflicts::with_plan(Duration::ZERO, move |operation, _| {
        let writes = ["PutItem", "TransactWriteItems"].contains(&operation);
        (writes && down.load(Ordering::SeqCst)).then_some(Fault::Unavailable)
    });
    let fixture = BurstFixture::start(TestTable::with_faults(&faults).await, json!({})).await;
    is_down.store(true, Ordering::SeqCst);
    let path = format!("/v1/forms/{}/submissions", fixture.native);
    let body = json!({"fields": {"email": "ada@example.org"}, "submission_id": "1"});
    fixture.api.post(&path).json(&body).await.problem(ProblemType::Unavailable);
    assert_eq!(fixture.api.take_inbox(), []);
    is_down.store(false, Ordering::SeqCst);
    let reply = fixture.api.post(&path).json(&body).await.expect(200);
    assert_eq!(reply["duplicate"], false, "the refused submission was not stored");
    fixture.assert_contacts(1, 1).await;
}
