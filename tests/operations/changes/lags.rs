//! Indexes that follow a write later than the table, and not at the same moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use store::{NewAccount, Rng};
use testkit::{Call, FaultInjector, FaultRates, Network, SeededRng, TABLE, terms};
use tokio::time::{Instant, sleep};

use super::*;

const LAG: u64 = 1_500;
const SECOND: &str = "2027-01-01T00:00:00.000Z";

/// Starts a store over a network whose indexes have this lag, with an account whose index is on.
async fn lagging(seed: u64, lag_most: u64) -> (Network, Store, AccountId) {
    let network = Network::start(seed, FaultRates { lag_most, ..FaultRates::calm() }).await;
    let store = Store::new(network.client(), TABLE, Rng::seeded(seed));
    let told = Told::<Account>::new();
    let new = NewAccount { name: "Test", terms: terms(), token_sha256: &"0".repeat(64) };
    store.create_account(&new, at(START), Responder::new(None, &told.render())).await.unwrap();
    let account = told.take().id;
    index_changes(&store, account, true, at(START)).await;
    (network, store, account)
}

/// Asserts that a page has only present values in order, and each of these contacts.
fn assert_present(page: &ChangedPage, all: &[Contact], needed: &BTreeSet<ContactId>) {
    let present: BTreeMap<ContactId, &Contact> = all.iter().map(|contact| (contact.id, contact)).collect();
    let places: Vec<_> = page.contacts.iter().map(|contact| (contact.updated_at, contact.id)).collect();
    assert!(places.is_sorted_by(|one, other| one < other), "{places:?}");
    assert!(page.contacts.iter().all(|contact| present[&contact.id] == contact));
    let found: BTreeSet<ContactId> = ids(page).into_iter().collect();
    let missing: Vec<_> = needed.difference(&found).collect();
    assert!(missing.is_empty(), "{missing:?} are missing");
}

#[tokio::test(start_paused = true)]
async fn lagging_index_misses_only_the_latest_changes() {
    for seed in 0..2 {
        let (network, store, account) = lagging(seed, LAG).await;
        let (begun, mut rng) = (Instant::now(), SeededRng::new(seed));
        let clock = || at(LATER).plus(TimeDelta::from_std(begun.elapsed()).unwrap());
        let mut written: BTreeMap<ContactId, Instant> = BTreeMap::new();
        for n in 0..60 {
            let all = everything(&store, account, clock()).await;
            if all.len() < 6 || rng.happens(300) {
                let marketing = rng.coin();
                let new = create(&store, account, &format!("p{n}@example.org"), marketing, clock()).await;
                written.insert(new.id, Instant::now());
            } else {
                let id = rng.one_of(&all).id;
                match rng.below(4) {
                    0 => delete(&store, account, id, rng.coin(), clock()).await.unwrap(),
                    1 => drop(set(&store, account, Command::SetMarketing, &[id], clock()).await.unwrap()),
                    _ => edit(&store, account, id, &n.to_string(), clock()).await,
                }
                written.insert(id, Instant::now());
            }
            sleep(Duration::from_millis(rng.below(700))).await;
            let all = everything(&store, account, clock()).await;
            let settled = |contact: &&Contact| written[&contact.id].elapsed() > Duration::from_millis(LAG);
            let needed = all.iter().filter(settled).map(|contact| contact.id).collect();
            let request = changed(account, at(LATER)..=Timestamp::MAX, BY_INSTANT);
            assert_present(&page(&store, &request, clock()).await, &all, &needed);
        }
        sleep(Duration::from_millis(LAG)).await;
        let (all, request) = (
            everything(&store, account, clock()).await,
            changed(account, at(LATER)..=Timestamp::MAX, BY_INSTANT),
        );
        let page = page(&store, &request, clock()).await;
        assert_eq!((page.total, page.contacts.len()), (all.len() as u64, all.len()));
        drop(network);
    }
}

/// Returns the responses of one index as they were when a query was first seen, from the moment it is frozen.
#[derive(Clone)]
struct FrozenIndex {
    name: &'static str,
    seen: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl FaultInjector for FrozenIndex {
    fn read(&mut self, call: &Call, _: &mut u16, answer: &mut Value) {
        if call.body["IndexName"] == self.name {
            let mut seen = self.seen.lock().unwrap();
            *answer = seen.entry(call.body.to_string()).or_insert_with(|| answer.clone()).clone();
        }
    }
}

/// Each of the two indexes may be the one that follows later.
#[tokio::test(start_paused = true)]
async fn sweep_that_one_index_follows_later_hides_no_contact() {
    for name in ["changed", "leaving"] {
        let (network, store, account) = lagging(1, 0).await;
        let start = at("2026-12-02T00:00:00.000Z");
        let mut left = marketing_contacts(&store, account, 30, start).await;
        left.sort_unstable();
        set(&store, account, Command::SetNonMarketingPending, &left, start).await.unwrap();
        let (second, now) = (at(SECOND), at(SECOND).plus(TimeDelta::minutes(6)));
        store.close_ended(account, now).await.unwrap();
        let request = changed(account, second..=Timestamp::MAX, BY_INSTANT);
        network.tamper(Box::new(FrozenIndex { name, seen: Arc::default() }));
        assert_eq!(ids(&page(&store, &request, now).await), left);
        for task in store.unswept(account, PeriodNumber::FIRST.next()).await.unwrap() {
            store.sweep(task, now, || true).await.unwrap();
            assert_eq!(ids(&page(&store, &request, now).await), left, "{name} follows later");
        }
    }
}
