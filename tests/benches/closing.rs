//! The end of a period: its closing, whose cost must be independent of the number of leaving contacts, and the sweep
//! after it, compared with the bare writes that it makes.

use std::collections::HashMap;
use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::ids::{AccountId, ContactId};
use domain::limits::SWEEP_PARALLEL;
use domain::marketing::EffectiveState;
use domain::period::PeriodNumber;
use futures_util::{StreamExt as _, stream};
use testkit::{TABLE, TestTable, Units, at};

use crate::report::{Row, row};
use crate::sample::Sample;

const START: &str = "2026-11-10T12:00:00.000Z";
const UPDATE: &str = "2026-12-01T00:00:00.000Z";

/// The number of closings of each of the two periods.
const CLOSINGS: usize = 41;
/// The maximum ratio of the closing's time to that of an account with one leaving contact. The expected ratio is 1. The
/// rest allows for other load on the machine.
const FLAT: f64 = 1.3;

type Item = HashMap<String, AttributeValue>;

/// Measures closings and a sweep. The sizes are numbers of leaving contacts, and the sweep uses the middle one. Each
/// table has a second account with a single leaving contact, because the engine gets slower as a table grows.
pub async fn measure(sizes: [u64; 3]) {
    for size in sizes {
        let table = TestTable::start().await;
        let (account, small) = (table.account(at(START)).await, table.account(at(START)).await);
        let ids = testkit::seed(&table, account, size, EffectiveState::Leaving, at(START)).await;
        testkit::seed(&table, small, 1, EffectiveState::Leaving, at(START)).await;
        let (mut closing, mut beside) =
            (Closing::new(&table, account).await, Closing::new(&table, small).await);
        for _ in 0..CLOSINGS {
            beside.close().await;
            closing.close().await;
        }
        let what = format!("Closing a period, {size} leaving");
        let (millis, least) = (closing.times.median(), beside.times.median());
        let one = format!("{what}: time, p50, against 1 leaving ({least:.2} ms)");
        let time = Row::new(one, format!("{millis:.2}"), "ms").ratio(millis / least);
        row(&time.at_most(millis / least, FLAT, " ×"));
        let ratio = closing.units.write / beside.units.write;
        let writes = Row::new(format!("{what}: write units"), closing.units.write, "units").ratio(ratio);
        row(&writes.at_most(ratio, 1.0, " ×"));
        if size == sizes[1] {
            sweep(&table, account, &ids).await;
        }
    }
}

/// A period that is closed repeatedly from the same items.
struct Closing<'a> {
    table: &'a TestTable,
    account: AccountId,
    period: Item,
    times: Sample,
    /// The capacity units of the last closing.
    units: Units,
}

impl<'a> Closing<'a> {
    async fn new(table: &'a TestTable, account: AccountId) -> Self {
        let period = get(table, &format!("ACCOUNT#{account}"), "PERIOD").await;
        Self { table, account, period, times: Sample::default(), units: Units::default() }
    }

    /// Restores the period's items and closes the period. It remains closed.
    async fn close(&mut self) {
        let Self { table, account, .. } = *self;
        put(table, &self.period).await;
        delete(table, &format!("ACCOUNT#{account}"), "STATEMENT#0000000001").await;
        table.recorder.reset();
        let begun = Instant::now();
        table.store.close_ended(account, at(UPDATE)).await.expect("the period closes");
        self.times.add(begun.elapsed());
        self.units = table.recorder.units();
    }
}

/// Sweeps all buckets, and then makes the same number of conditional puts of the same items with the same parallelism.
async fn sweep(table: &TestTable, account: AccountId, ids: &[ContactId]) {
    let tasks = table.store.unswept(account, PeriodNumber::FIRST).await.expect("the sweeps");
    table.recorder.reset();
    let begun = Instant::now();
    let mut contacts = 0;
    for task in tasks {
        let swept = table.store.sweep(task, at(UPDATE), || true).await.expect("a sweep");
        assert!(swept.finished);
        contacts += swept.contacts;
    }
    let time = begun.elapsed().as_secs_f64();
    let units = table.recorder.units();
    assert_eq!(contacts, ids.len() as u64, "every contact is swept");

    let mut items = Vec::new();
    for id in ids {
        items.push(get(table, &format!("CONTACT#{account}#{}", id.bucket()), &id.to_string()).await);
    }
    let begun = Instant::now();
    stream::iter(items.iter().map(|item| put(table, item)))
        .buffer_unordered(SWEEP_PARALLEL)
        .collect::<Vec<()>>()
        .await;
    let bare = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a count of contacts")]
    let count = contacts as f64;
    let what = format!("Conditional puts of {contacts} contacts, {SWEEP_PARALLEL} at a time");
    row(&Row::new(what, format!("{:.0}", count / bare), "contacts/s"));
    let what = format!("The sweep of {contacts} contacts, against those puts");
    row(&Row::new(what, format!("{:.0}", count / time), "contacts/s").ratio(bare / time));
    let measured = format!("{:.2} + {:.2}", units.read / count, units.write / count);
    let sweep = Row::new("The sweep: units a contact", measured, "read + write units");
    // A consistent read of an item costs 1. A put of an item of at most 1 KB and its index entry cost 1 each.
    row(&sweep.target("least 1 + 2"));
}

async fn get(table: &TestTable, pk: &str, sk: &str) -> Item {
    let get = table.client.get_item().table_name(TABLE).set_key(Some(key(pk, sk)));
    get.send().await.expect("a read").item.expect("an item")
}

/// Puts an item. If the item has a version, the put requires the stored item to have the same version.
async fn put(table: &TestTable, item: &Item) {
    let mut put = table.client.put_item().table_name(TABLE).set_item(Some(item.clone()));
    if let Some(version) = item.get("version") {
        put =
            put.condition_expression("#version = :version").expression_attribute_names("#version", "version");
        put = put.expression_attribute_values(":version", version.clone());
    }
    put.send().await.expect("a put");
}

async fn delete(table: &TestTable, pk: &str, sk: &str) {
    table.client.delete_item().table_name(TABLE).set_key(Some(key(pk, sk))).send().await.expect("a delete");
}

fn key(pk: &str, sk: &str) -> Item {
    [("pk", pk), ("sk", sk)]
        .map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())))
        .into()
}
