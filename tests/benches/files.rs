//! Imports and exports: the rows a second of the worker, compared with bare transactions of the same items, and the memory
//! of a local stack on disk.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use chrono::TimeDelta;
use domain::Timestamp;
use domain::ids::{AccountId, Bucket, ImportId};
use domain::import::ImportMode;
use domain::limits::BULK_PAGE_MAX;
use domain::source::Actor;
use serde_json::{Value, json};
use store::{
    Export, ExportSelection, FileFormat, FileJob, FileTask, Import, ImportFile, ImportTerms, NewExport,
    NewImport, Responder, Rng, Selected, Selection, Store, StoredResponse,
};
use testkit::{TABLE, TestFiles, TestTable, at};

use crate::report::{Row, row};
use crate::throughput;

/// The instant at which the measurements begin.
const NOW: &str = "2026-11-10T12:00:00.000Z";
/// The number of contacts in one transaction of an import: each is two items, beside the import and its results.
const PER_TRANSACTION: usize = 48;

/// The number of rows of one import and one export.
const ROWS_OF_ONE: usize = 25_000;

type Item = HashMap<String, AttributeValue>;

/// Measures imports and exports of this number of rows together. Each import alternates with its bare transactions, because
/// the speed of a machine changes within minutes.
pub async fn measure(rows: usize) {
    let table = TestTable::start().await;
    // The bare calls have the same client, without the recorder of the table's own store.
    let store = Store::new(table.client.clone(), TABLE, Rng::seeded(9));
    let begun = Instant::now();
    let file = csv(rows.min(ROWS_OF_ONE));
    let (mut bare, mut created, mut again, mut exported) = (0.0, 0.0, 0.0, 0.0);
    for _ in 0..rows.div_ceil(ROWS_OF_ONE) {
        let (client, store, bucket) = (table.client.clone(), store.clone(), TestFiles::start());
        let account = table.account(at(NOW)).await;
        let bench = Bench { client, store, bucket, account, begun };
        let (import, seconds) = bench.import(&file).await;
        created += seconds;
        bare += bench.bare(import, table.account(at(NOW)).await).await;
        again += bench.import(&file).await.1;
        exported += bench.export().await;
    }
    let print =
        |what: &str, seconds: f64| Row::new(format!("{what}, {rows} rows"), rate(rows, seconds), "rows/s");
    row(&print("Bare transactions of the SDK with the items of an import", bare));
    let row_of = print("Imports of new contacts, with the files of their results", created);
    row(&row_of.ratio(bare / created).at_least(bare / created, 0.6));
    row(&print("The same files again", again));
    row(&print("Exports of these contacts", exported));
    drop(table);
    memory(rows, &csv(rows)).await;
}

/// Returns a file with this number of contacts.
fn csv(rows: usize) -> String {
    let mut file = "Email,First name,City\r\n".to_owned();
    for n in 0..rows {
        // Writing to a text never fails.
        let _ = write!(file, "person{n}@example.org,Person {n},London\r\n");
    }
    file
}

struct Bench {
    client: Client,
    store: Store,
    bucket: TestFiles,
    account: AccountId,
    begun: Instant,
}

impl Bench {
    /// Returns the time by the worker's clock. It moves as a real one does. If it stood still, all contacts would be
    /// created in one millisecond, which has only 4,096 ids, and most transactions would be repeated because an id is
    /// taken.
    fn now(&self) -> Timestamp {
        at(NOW).plus(TimeDelta::from_std(self.begun.elapsed()).expect("a short time"))
    }

    /// Imports a file, and returns the seconds of the worker.
    async fn import(&self, file: &str) -> (ImportId, f64) {
        let id = self.store.new_import_id(self.now());
        let key = file_jobs::upload_key(self.account, id);
        self.bucket.files.put(&key, "text/csv", file.as_bytes().to_vec()).await.expect("an upload");
        let info = self.bucket.files.info(&key).await.expect("an answer").expect("a file");
        let terms = ImportTerms {
            mode: ImportMode::Both,
            set_marketing: false,
            add_to_segment: None,
            automations: true,
            dry_run: false,
        };
        let new = NewImport {
            name: "people.csv".to_owned(),
            terms,
            reading: "{}".to_owned(),
            actor: Actor::System,
            file: Some(ImportFile { bytes: info.bytes, version: info.version }),
        };
        let render = |_: &Import| response(String::new());
        let responder = Responder::new(None, &render);
        self.store.create_import(self.account, &new, id, self.now(), responder).await.expect("an import");
        let seconds = self.work(FileJob::Import(id)).await;
        let done = self.store.import(self.account, id).await.expect("the import");
        assert_eq!((done.state.as_str(), done.summary.total()), ("done", done.rows.expect("a number")));
        (id, seconds)
    }

    /// Exports all contacts, and returns the seconds of the worker.
    async fn export(&self) -> f64 {
        let by = Selection::Filter(domain::filter::Filter::default());
        let selection = ExportSelection::Contacts(Selected { by, except: std::collections::BTreeSet::new() });
        let new = NewExport { selection, format: FileFormat::Csv, columns: None, actor: Actor::System };
        let render = |export: &Export| response(export.id.to_string());
        let responder = Responder::new(None, &render);
        let created =
            self.store.create_export(self.account, &new, self.now(), responder).await.expect("an export");
        self.work(FileJob::Export(created.body.parse().expect("an id"))).await
    }

    async fn work(&self, job: FileJob) -> f64 {
        let begun = Instant::now();
        let mut message = SqsMessage::default();
        message.body = serde_json::to_string(&FileTask { account: self.account, job }).ok();
        let mut event = SqsEvent::default();
        event.records = vec![message];
        let queue = api::Queue::new(|_| std::future::ready(Ok(())));
        let (store, files) = (&self.store, &self.bucket.files);
        let worked = file_worker::handle(store, files, &queue, event, || self.now(), || true).await;
        assert!(worked.batch_item_failures.is_empty(), "the work is done");
        begun.elapsed().as_secs_f64()
    }

    /// Writes the contacts and addresses of the account to another account, and returns the seconds. Each transaction is
    /// as one of the import: as many contacts, a part of the results, and the import in its next version. The import has
    /// the attributes of the index `due`, which an import loses at its end.
    async fn bare(&self, import: ImportId, other: AccountId) -> f64 {
        let (from, to) = (self.account.to_string(), other.to_string());
        let mut transactions = Vec::new();
        let mut items: Vec<TransactWriteItem> = Vec::new();
        for bucket in Bucket::all() {
            for contact in self.contacts(bucket).await {
                let email = contact["email"].as_s().expect("an address");
                let id = contact["sk"].as_s().expect("an id").trim_start_matches('0').to_owned();
                let pk = contact["pk"].as_s().expect("a key").replace(&from, &to);
                let address = HashMap::from([
                    ("pk".to_owned(), text(format!("EMAIL#{to}#{email}"))),
                    ("sk".to_owned(), text("EMAIL")),
                    ("contact".to_owned(), text(id)),
                    ("entity".to_owned(), text("address")),
                    ("v".to_owned(), AttributeValue::N("2".to_owned())),
                ]);
                items.push(put_new(address));
                let mut contact = contact;
                contact.insert("pk".to_owned(), text(pk));
                items.push(put_new(contact));
                if items.len() >= 2 * PER_TRANSACTION {
                    transactions.push(std::mem::take(&mut items));
                }
            }
        }
        transactions.push(items);
        let import = self.running(import, other).await;
        let first = self.client.put_item().table_name(TABLE).set_item(Some(import.clone()));
        first.send().await.expect("a put");
        let begun = Instant::now();
        for (number, mut items) in transactions.into_iter().enumerate() {
            let mut progress = import.clone();
            let due = at(NOW).plus(TimeDelta::milliseconds(i64::try_from(number).expect("a number")));
            progress.insert("due_at".to_owned(), text(due.to_string()));
            progress.insert("version".to_owned(), AttributeValue::N((number + 1).to_string()));
            items.push(put_next(progress, number));
            let results = HashMap::from([
                ("pk".to_owned(), text(format!("IMPORT#{to}#BENCHMARK"))),
                ("sk".to_owned(), text(format!("ROWS#{number:012}"))),
                ("results".to_owned(), text("x".repeat(100))),
            ]);
            items.push(write(put(results)));
            let token = format!("{:032x}", self.begun.elapsed().as_nanos());
            let write = self.client.transact_write_items().client_request_token(token);
            write.set_transact_items(Some(items)).send().await.expect("a transaction");
        }
        begun.elapsed().as_secs_f64()
    }

    /// Returns the item of an import in version 0, as an import of another account that is running.
    async fn running(&self, import: ImportId, other: AccountId) -> Item {
        let get = self.client.get_item().table_name(TABLE);
        let get = get.key("pk", text(format!("ACCOUNT#{}", self.account)));
        let got = get.key("sk", text(format!("IMPORT#{import}"))).send().await.expect("an answer");
        let mut item = got.item.expect("the import");
        item.insert("pk".to_owned(), text(format!("ACCOUNT#{other}")));
        item.insert("version".to_owned(), AttributeValue::N("0".to_owned()));
        item.insert("due_shard".to_owned(), text("DUE#0"));
        item.insert("due_at".to_owned(), text(NOW));
        item
    }

    async fn contacts(&self, bucket: Bucket) -> Vec<Item> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let query = self.client.query().table_name(TABLE).key_condition_expression("pk = :pk");
            let pk = text(format!("CONTACT#{}#{bucket}", self.account));
            let page = query
                .expression_attribute_values(":pk", pk)
                .limit(i32::try_from(BULK_PAGE_MAX).expect("a limit"))
                .set_exclusive_start_key(start)
                .send()
                .await
                .expect("a page");
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return items;
            }
        }
    }
}

/// Measures the peak memory of a local stack on disk that imports and exports this many rows, above its memory before.
async fn memory(rows: usize, file: &str) {
    let folder: PathBuf = std::env::temp_dir().join(format!("tidemark-bench-{}", std::process::id()));
    let data = folder.to_str().expect("a path").to_owned();
    let (process, caller) = throughput::start_with(&throughput::build(), &["--data-dir", &data]);
    let import = caller.send("POST", "/v1/imports", &json!({"name": "people.csv"})).await;
    caller.upload(import["upload"]["url"].as_str().expect("a link"), file).await;
    let idle = process.reset_peak();
    let id = import["id"].as_str().expect("an id").to_owned();
    caller.send("POST", &format!("/v1/imports/{id}/start"), &Value::Null).await;
    finished(&caller, &format!("/v1/imports/{id}")).await;
    let export = caller.send("POST", "/v1/exports", &json!({"selection": {"filterGroups": []}})).await;
    let id = export["id"].as_str().expect("an id").to_owned();
    let export = finished(&caller, &format!("/v1/exports/{id}")).await;
    assert_eq!(export["rows"], json!(rows));
    let above = process.peak_megabytes() - idle;
    drop(process);
    // A folder that can't be removed is left to the system.
    let _ = std::fs::remove_dir_all(folder);
    let what =
        format!("Local stack on disk, {rows} rows in and out: peak memory above that before ({idle:.0} MB)");
    row(&Row::new(what, format!("{above:.0}"), "MB").at_most(above, 64.0, " MB"));
}

async fn finished(caller: &crate::caller::Caller, path: &str) -> Value {
    loop {
        let found = caller.send("GET", path, &Value::Null).await;
        match found["state"].as_str() {
            Some("done") => return found,
            Some("failed" | "cancelled") => panic!("{found}"),
            _ => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

fn put(item: Item) -> PutBuilder {
    Put::builder().table_name(TABLE).set_item(Some(item))
}

fn write(put: PutBuilder) -> TransactWriteItem {
    TransactWriteItem::builder().put(put.build().expect("a put")).build()
}

/// Puts an item whose key is free, as the store does.
fn put_new(item: Item) -> TransactWriteItem {
    let put = put(item).condition_expression("attribute_not_exists(#pk)");
    write(put.expression_attribute_names("#pk", "pk"))
}

/// Puts the next version of an item, as the store does.
fn put_next(item: Item, stored: usize) -> TransactWriteItem {
    let put = put(item).condition_expression("#version = :version");
    let put = put.expression_attribute_names("#version", "version");
    write(put.expression_attribute_values(":version", AttributeValue::N(stored.to_string())))
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn response(body: String) -> StoredResponse {
    StoredResponse { status: 200, body, etag: None, location: None }
}

fn rate(rows: usize, seconds: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
    let rows = rows as f64;
    format!("{:.0}", rows / seconds)
}
