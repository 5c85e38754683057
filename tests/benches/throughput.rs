//! Throughput of the local stack as a separate process, in contacts a second, compared with bare calls of the engine.
//!
//! A stack of an earlier version can be measured in the same run, so that both versions run on the same machine.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use domain::marketing::EffectiveState;
use dynoxide::actions::batch_get_item::{BatchGetItemRequest, KeysAndAttributes};
use dynoxide::actions::query::QueryRequest;
use dynoxide::actions::transact_write_items::{
    TransactPut, TransactUpdate, TransactWriteItem, TransactWriteItemsRequest,
};
use dynoxide::{AttributeValue, Database};
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::TABLE;

use crate::caller::{BATCH, Caller};
use crate::report::{Row, row};
use crate::setting::{Fixture, now};

/// The number of contacts in the account.
const CONTACTS: usize = 60 * BATCH;
/// The number of changes of each contact before the second measurement.
const CHANGES: usize = 6;
/// The number of rounds that are measured after these changes. One of four rounds writes a page of history.
const ROUNDS: usize = 4;
/// The number of concurrent requests for a single contact.
const CALLERS: usize = 8;
/// The number of contacts that the bare engine reads in one query, as in the store.
const PAGE: usize = 250;

/// The throughput of one stack, in contacts a second.
struct Throughput {
    /// Status changes by 98, of contacts without earlier changes.
    set_fresh: f64,
    /// Status changes by 98, of contacts with [`CHANGES`] earlier changes.
    set_changed: f64,
    /// Contacts that a search examines, without earlier changes.
    searched_fresh: f64,
    /// Contacts that a search examines, with [`CHANGES`] earlier changes.
    searched_changed: f64,
    /// Status changes of one contact at a time.
    single: f64,
}

/// Measures the stack of this version, optionally the stack of an earlier version, and the bare engine.
pub async fn measure(stretch: Duration, before: Option<&Path>) {
    let before = match before {
        Some(binary) => Some(measure_stack(binary, stretch).await),
        None => None,
    };
    let stack = measure_stack(&build(), stretch).await;
    let bare = measure_engine(stretch).await;
    let print = |label: &str, is: f64, was: Option<f64>, bare: f64| {
        let measured = match was {
            Some(was) => format!("{is:.0}/s, {was:.0}/s before"),
            None => format!("{is:.0}/s"),
        };
        let mut ratios = format!("{:.2} of the engine", is / bare);
        if let Some(was) = was {
            ratios.push_str(&format!(", {:.2} of before", is / was));
        }
        row(&Row::new(label, measured, "contacts")
            .ratios(ratios)
            .target("≥ 0.5 of the engine, ≥ 1.5 of before"));
    };
    let was = |of: fn(&Throughput) -> f64| before.as_ref().map(of);
    print("Status change by 98, fresh", stack.set_fresh, was(|t| t.set_fresh), bare.set_fresh);
    print("Status change by 98, after 6 changes", stack.set_changed, was(|t| t.set_changed), bare.set_fresh);
    print("Search, fresh", stack.searched_fresh, was(|t| t.searched_fresh), bare.searched_fresh);
    print(
        "Search, after 6 changes",
        stack.searched_changed,
        was(|t| t.searched_changed),
        bare.searched_fresh,
    );
    print("Status change of 1, 8 callers", stack.single, was(|t| t.single), bare.single);
    let shares = [
        ("Status change by 98", stack.set_changed / stack.set_fresh),
        ("Search", stack.searched_changed / stack.searched_fresh),
    ];
    for (what, share) in shares {
        let row_of = Row::new(format!("{what}: after 6 changes, of fresh"), format!("{share:.2}"), "");
        row(&row_of.target("≥ 0.9"));
    }
}

/// Builds the local stack in the profile of the benchmarks.
pub fn build() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    // With the features of the whole workspace, cargo reuses what the benchmarks are built from.
    let options = ["build", "--locked", "--workspace", "--bin", "tidemark"];
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(options);
    if crate::RELEASE {
        cargo.arg("--release");
    }
    assert!(cargo.status().expect("cargo starts").success(), "the local stack does not build");
    // The benchmarks' own executable is in the folder `deps` beside the local stack's.
    let benchmarks = std::env::current_exe().expect("the benchmarks' own path");
    let folder = benchmarks.parent().and_then(Path::parent).expect("a profile's folder");
    folder.join("tidemark")
}

/// A local stack as a process. Dropping the handle kills it.
pub struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Resets the peak memory to the present memory, and returns that in MB.
    pub fn reset_peak(&self) -> f64 {
        crate::process::reset_peak(&self.0.id().to_string())
    }

    /// Returns the peak memory in MB.
    pub fn peak_megabytes(&self) -> f64 {
        crate::process::peak_megabytes(&self.0.id().to_string())
    }
}

/// Starts a stack in memory and returns it with a client.
pub fn start(binary: &Path) -> (Process, Caller) {
    start_with(binary, &["--in-memory"])
}

/// Starts a stack with these options and returns it with a client.
pub fn start_with(binary: &Path, options: &[&str]) -> (Process, Caller) {
    let mut command = Command::new(binary);
    command.args(options).args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the local stack starts");
    let (mut url, mut token) = (None, None);
    let lines = BufReader::new(child.stdout.take().expect("an output")).lines();
    for line in lines.map_while(Result::ok) {
        if let Some(value) = line.trim().strip_prefix("export TIDEMARK=") {
            url = Some(value.to_owned());
        }
        if let Some(value) = line.trim().strip_prefix("export TOKEN=") {
            token = value.split_whitespace().next().map(str::to_owned);
        }
        // This is the last line. The stack would fail if it printed to a closed pipe, so every line must be read.
        if line.contains("Ctrl-C") {
            break;
        }
    }
    (Process(child), Caller::new(url.expect("an address"), &token.expect("a token")))
}

async fn measure_stack(binary: &Path, stretch: Duration) -> Throughput {
    let (process, caller) = start(binary);
    let ids = caller.contacts(CONTACTS).await;
    let searched_fresh = search(&caller, stretch).await;
    let mut turns = 0;
    let set_fresh = toggle_all(&caller, &ids, &mut turns, 1).await;
    toggle_all(&caller, &ids, &mut turns, CHANGES - 1).await;
    let searched_changed = search(&caller, stretch).await;
    let set_changed = toggle_all(&caller, &ids, &mut turns, ROUNDS).await;
    let single = toggle_single(&caller, &ids, stretch, turns).await;
    drop(process);
    Throughput { set_fresh, set_changed, searched_fresh, searched_changed, single }
}

/// Changes every contact `rounds` times, with full transactions one after another.
async fn toggle_all(caller: &Caller, ids: &[String], turns: &mut usize, rounds: usize) -> f64 {
    let begun = Instant::now();
    for _ in 0..rounds {
        for batch in ids.chunks(BATCH) {
            caller.toggle(batch, *turns).await;
        }
        *turns += 1;
    }
    each_second(rounds * ids.len(), begun)
}

/// Searches with a filter that matches no contact, so that each search examines all of them.
async fn search(caller: &Caller, stretch: Duration) -> f64 {
    let filter = json!({"filters": [{"propertyName": "city", "operator": "EQ", "value": "Paris"}]});
    let body = json!({"filterGroups": [filter]});
    let (begun, mut examined) = (Instant::now(), 0);
    while begun.elapsed() < stretch {
        let mut page = body.clone();
        loop {
            let answer = caller.send("POST", "/v1/contacts/search", &page).await;
            assert_eq!(answer["results"], json!([]), "no contact is in Paris");
            match &answer["paging"]["next"]["after"] {
                Value::Null => break,
                after => page["after"] = after.clone(),
            }
        }
        examined += CONTACTS;
    }
    each_second(examined, begun)
}

/// Changes single contacts with [`CALLERS`] concurrent clients.
async fn toggle_single(caller: &Caller, ids: &[String], stretch: Duration, turns: usize) -> f64 {
    let begun = Instant::now();
    let share = ids.len() / CALLERS;
    let done = join_all(ids.chunks(share).take(CALLERS).map(async |own| {
        let mut done = 0;
        while begun.elapsed() < stretch {
            let id = std::slice::from_ref(&own[done % own.len()]);
            caller.toggle(id, turns + done / own.len()).await;
            done += 1;
        }
        done
    }));
    let done: usize = done.await.into_iter().sum();
    each_second(done, begun)
}

fn each_second(count: usize, begun: Instant) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count of contacts")]
    let count = count as f64;
    count / begun.elapsed().as_secs_f64()
}

type Item = HashMap<String, AttributeValue>;

/// A table of the engine with the same contacts, and the account's period.
struct Bare {
    database: Database,
    period: Item,
    buckets: Vec<AttributeValue>,
    keys: Vec<Item>,
}

async fn measure_engine(stretch: Duration) -> Throughput {
    let setting = Fixture::begun(now()).await;
    testkit::seed(&setting.table, setting.account, CONTACTS as u64, EffectiveState::Marketing, now()).await;
    let account = setting.account;
    let bare = tokio::task::spawn_blocking(move || {
        let bare = Bare::new(setting.table.database().clone(), account);
        let rounds = |size: usize, stretch: Duration| {
            let (begun, mut done) = (Instant::now(), 0);
            // A measurement consists of whole rounds over all contacts, so that each round reverts the one before.
            for turn in 0_usize.. {
                for batch in bare.keys.chunks(size) {
                    bare.change(batch, turn);
                    done += batch.len();
                }
                if begun.elapsed() >= stretch && turn % 2 == 1 {
                    break;
                }
            }
            each_second(done, begun)
        };
        let (set, single) = (rounds(BATCH, stretch), rounds(1, stretch));
        let (begun, mut examined) = (Instant::now(), 0);
        while begun.elapsed() < stretch {
            examined += bare.examine();
        }
        let searched = each_second(examined, begun);
        Throughput {
            set_fresh: set,
            set_changed: set,
            searched_fresh: searched,
            searched_changed: searched,
            single,
        }
    });
    bare.await.expect("a measurement")
}

fn text(text: String) -> AttributeValue {
    AttributeValue::S(text)
}

fn key(pk: AttributeValue, sk: AttributeValue) -> Item {
    HashMap::from([("pk".to_owned(), pk), ("sk".to_owned(), sk)])
}

impl Bare {
    fn new(database: Database, account: domain::ids::AccountId) -> Self {
        let buckets = domain::ids::Bucket::all().map(|bucket| text(format!("CONTACT#{account}#{bucket}")));
        let period = key(text(format!("ACCOUNT#{account}")), text("PERIOD".to_owned()));
        let mut bare = Self { database, period, buckets: buckets.collect(), keys: Vec::new() };
        let mut keys = Vec::new();
        for bucket in &bare.buckets {
            bare.walk(bucket, |item| keys.push(key(item["pk"].clone(), item["sk"].clone())));
        }
        assert_eq!(keys.len(), CONTACTS);
        bare.keys = keys;
        bare
    }

    /// Reads a bucket page by page, as the store does.
    fn walk(&self, bucket: &AttributeValue, mut see: impl FnMut(&Item)) {
        let mut start = None;
        loop {
            let page = self.database.query(QueryRequest {
                table_name: TABLE.to_owned(),
                key_condition_expression: Some("pk = :pk".to_owned()),
                expression_attribute_values: Some(HashMap::from([(":pk".to_owned(), bucket.clone())])),
                scan_index_forward: true,
                limit: Some(PAGE),
                consistent_read: Some(true),
                exclusive_start_key: start,
                ..QueryRequest::default()
            });
            let page = page.expect("a page");
            page.items.iter().flatten().for_each(&mut see);
            start = page.last_evaluated_key;
            if start.is_none() {
                return;
            }
        }
    }

    fn examine(&self) -> usize {
        let mut examined = 0;
        for bucket in &self.buckets {
            self.walk(bucket, |_| examined += 1);
        }
        examined
    }

    /// Makes the engine calls of a status change: one batched read, and one transaction of the contacts and the period.
    /// Even turns add the contacts to the index of leaving contacts, and odd turns remove them.
    fn change(&self, batch: &[Item], turn: usize) {
        let keys = batch.iter().chain(std::iter::once(&self.period)).cloned().collect();
        let keys = KeysAndAttributes { keys, consistent_read: Some(true), ..KeysAndAttributes::default() };
        let request_items = HashMap::from([(TABLE.to_owned(), keys)]);
        let read = BatchGetItemRequest { request_items, ..BatchGetItemRequest::default() };
        let mut read = self.database.batch_get_item(read).expect("a read");
        let found = read.responses.remove(TABLE).expect("items");
        let contacts = found.into_iter().filter(|item| item["sk"] != text("PERIOD".to_owned()));
        let mut transact_items: Vec<TransactWriteItem> = contacts.map(|contact| put(contact, turn)).collect();
        assert_eq!(transact_items.len(), batch.len());
        transact_items.push(self.count());
        let client_request_token = Some(format!("{:032x}", rand_token()));
        let write = TransactWriteItemsRequest {
            transact_items,
            client_request_token,
            ..TransactWriteItemsRequest::default()
        };
        self.database.transact_write_items(write).expect("a transaction");
    }

    fn count(&self) -> TransactWriteItem {
        let values = [(":marketing", "0"), (":leaving", "1"), (":revision", "1")];
        let values = values.map(|(name, number)| (name.to_owned(), AttributeValue::N(number.to_owned())));
        let update = TransactUpdate {
            table_name: TABLE.to_owned(),
            key: self.period.clone(),
            update_expression: "ADD marketing :marketing, leaving :leaving".to_owned(),
            condition_expression: Some("revision = :revision".to_owned()),
            expression_attribute_values: Some(values.into()),
            ..TransactUpdate::default()
        };
        TransactWriteItem { update: Some(update), ..TransactWriteItem::default() }
    }
}

/// Returns the put of a contact's next version, on condition that this version is stored.
fn put(mut item: Item, turn: usize) -> TransactWriteItem {
    if turn.is_multiple_of(2) {
        let AttributeValue::S(pk) = item["pk"].clone() else { panic!("the key is a text") };
        item.insert("state".to_owned(), text("leaving".to_owned()));
        item.insert("queued_in".to_owned(), AttributeValue::N("1".to_owned()));
        item.insert("leaving_pk".to_owned(), text(format!("LEAVING#{pk}")));
    } else {
        item.insert("state".to_owned(), text("marketing".to_owned()));
        item.remove("queued_in");
        item.remove("leaving_pk");
    }
    let AttributeValue::N(version) = item["version"].clone() else { panic!("the version is a number") };
    let next = version.parse::<u64>().expect("a number") + 1;
    item.insert("version".to_owned(), AttributeValue::N(next.to_string()));
    let values = HashMap::from([(":version".to_owned(), AttributeValue::N(version))]);
    let put = TransactPut {
        table_name: TABLE.to_owned(),
        item,
        condition_expression: Some("#version = :version".to_owned()),
        expression_attribute_names: Some([("#version".to_owned(), "version".to_owned())].into()),
        expression_attribute_values: Some(values),
        ..TransactPut::default()
    };
    TransactWriteItem { put: Some(put), ..TransactWriteItem::default() }
}

fn rand_token() -> u128 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed).into()
}
