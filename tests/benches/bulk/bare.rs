//! Bare reads and writes of an account's contacts: by the SDK without the store, and by the engine without the SDK.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use domain::ids::{AccountId, Bucket};
use domain::limits::{BULK_PAGE_MAX, CONTACTS_PER_TRANSACTION_MAX};
use dynoxide::Database;
use dynoxide::actions::query::QueryRequest;
use dynoxide::actions::transact_write_items as typed;
use futures_util::future::join_all;
use testkit::{TABLE, TestTable};

type Item = HashMap<String, AttributeValue>;
type TypedValue = dynoxide::AttributeValue;
type TypedItem = HashMap<String, TypedValue>;

/// The update of a period by a change of contacts, as the store writes it.
const COUNT: &str = "ADD #marketing :marketing, #leaving :leaving";
/// The text of the small item in each transaction, which is as long as a job's progress.
const PROGRESS: &str = "A text of about three hundred bytes. The item of a job contains its state, its place, its \
                        counts and outcomes, and the times of its request, its begin and its end. Each transaction \
                        replaces this item. The engine and DynamoDB write it as a whole, so its length counts, and \
                        its structure does not.";

/// The contacts of an account, as they were before the first change.
pub struct Bare {
    client: Client,
    database: Database,
    account: AccountId,
    /// The engine's items, in the order of the contacts' ids.
    originals: Vec<TypedItem>,
}

impl Bare {
    /// Reads the contacts of an account.
    pub async fn new(table: &TestTable, account: AccountId) -> Self {
        let (client, database) = (table.client.clone(), table.database().clone());
        let bare = Self { client, database, account, originals: Vec::new() };
        let originals = tokio::task::spawn_blocking(move || bare.with_originals());
        originals.await.expect("the contacts")
    }

    fn with_originals(mut self) -> Self {
        for bucket in Bucket::all() {
            let mut start = None;
            loop {
                let pk = TypedValue::S(self.bucket(bucket));
                let page = self.database.query(QueryRequest {
                    table_name: TABLE.to_owned(),
                    key_condition_expression: Some("pk = :pk".to_owned()),
                    expression_attribute_values: Some(HashMap::from([(":pk".to_owned(), pk)])),
                    scan_index_forward: true,
                    exclusive_start_key: start,
                    ..QueryRequest::default()
                });
                let page = page.expect("a page");
                self.originals.extend(page.items.into_iter().flatten());
                start = page.last_evaluated_key;
                if start.is_none() {
                    break;
                }
            }
        }
        self.originals.sort_by_key(|item| match &item["sk"] {
            TypedValue::S(sk) => sk.clone(),
            _ => panic!("the key is a text"),
        });
        self
    }

    fn bucket(&self, bucket: Bucket) -> String {
        format!("CONTACT#{}#{bucket}", self.account)
    }

    /// Reads one bucket page by page, and returns the number of its items. `see` receives them.
    async fn query(&self, bucket: Bucket, mut see: impl FnMut(Vec<Item>)) -> usize {
        let (mut count, mut start) = (0, None);
        loop {
            let page = self
                .client
                .query()
                .table_name(TABLE)
                .consistent_read(true)
                .key_condition_expression("#pk = :pk")
                .expression_attribute_names("#pk", "pk")
                .expression_attribute_values(":pk", AttributeValue::S(self.bucket(bucket)))
                .limit(i32::try_from(BULK_PAGE_MAX).expect("a limit"))
                .set_exclusive_start_key(start)
                .send()
                .await
                .expect("a page");
            let items = page.items.unwrap_or_default();
            count += items.len();
            see(items);
            start = page.last_evaluated_key;
            if start.is_none() {
                return count;
            }
        }
    }

    /// Reads all buckets at once in the caller's task, as a scan does, and counts their items.
    pub async fn query_all(&self) {
        let counts = join_all(Bucket::all().map(|bucket| self.query(bucket, drop))).await;
        assert_eq!(counts.into_iter().sum::<usize>(), self.originals.len());
    }

    /// Reads all buckets at once, each in a task of its own, and counts their items.
    pub async fn query_all_spread(self: &Arc<Self>) {
        let tasks = Bucket::all().map(|bucket| {
            let own = Arc::clone(self);
            tokio::spawn(async move { own.query(bucket, drop).await })
        });
        let counts = join_all(tasks).await.into_iter().map(|count| count.expect("a count"));
        assert_eq!(counts.sum::<usize>(), self.originals.len());
    }

    /// Reads all contacts, in the order of their ids.
    async fn contacts(&self) -> Vec<Item> {
        let mut contacts = Vec::new();
        for bucket in Bucket::all() {
            self.query(bucket, |items| contacts.extend(items)).await;
        }
        contacts.sort_by_key(|item| item["sk"].as_s().expect("a text").clone());
        contacts
    }

    /// Returns full transactions that write the contacts as they are, each in its next version.
    pub async fn transactions(&self) -> Vec<Vec<TransactWriteItem>> {
        let contacts = self.contacts().await;
        let chunks = contacts.chunks(CONTACTS_PER_TRANSACTION_MAX).enumerate();
        let transaction = |(number, contacts): (usize, &[Item])| {
            let puts = contacts.iter().cloned().map(put);
            puts.chain([self.count(), self.progress(number)]).collect()
        };
        chunks.map(transaction).collect()
    }

    /// Sends transactions one after another.
    pub async fn send_all(&self, transactions: Vec<Vec<TransactWriteItem>>) {
        for items in transactions {
            let write = self.client.transact_write_items().client_request_token(token());
            write.set_transact_items(Some(items)).send().await.expect("a transaction");
        }
    }

    /// Returns an update of the period that changes no count.
    fn count(&self) -> TransactWriteItem {
        let number = |number: &str| AttributeValue::N(number.to_owned());
        let update = Update::builder()
            .table_name(TABLE)
            .key("pk", AttributeValue::S(format!("ACCOUNT#{}", self.account)))
            .key("sk", AttributeValue::S("PERIOD".to_owned()))
            .update_expression(COUNT)
            .condition_expression("#revision = :revision")
            .expression_attribute_names("#marketing", "marketing")
            .expression_attribute_names("#leaving", "leaving")
            .expression_attribute_names("#revision", "revision")
            .expression_attribute_values(":marketing", number("0"))
            .expression_attribute_values(":leaving", number("0"))
            .expression_attribute_values(":revision", number("1"));
        TransactWriteItem::builder().update(update.build().expect("an update")).build()
    }

    fn progress(&self, number: usize) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(TABLE)
            .item("pk", AttributeValue::S(format!("ACCOUNT#{}", self.account)))
            .item("sk", AttributeValue::S("BENCHMARK".to_owned()))
            .item("number", AttributeValue::N(number.to_string()))
            .item("text", AttributeValue::S(PROGRESS.to_owned()));
        TransactWriteItem::builder().put(put.build().expect("a put")).build()
    }

    /// Returns the engine's full transactions that restore the contacts as they were, each in its next version.
    pub async fn restoring(&self) -> Vec<Vec<typed::TransactWriteItem>> {
        let versions: Vec<u64> = self.contacts().await.iter().map(version).collect();
        let contacts: Vec<(&TypedItem, u64)> = self.originals.iter().zip(versions).collect();
        let chunks = contacts.chunks(CONTACTS_PER_TRANSACTION_MAX);
        let transaction = |contacts: &[(&TypedItem, u64)]| {
            let puts = contacts.iter().map(|(item, version)| typed_put((*item).clone(), *version));
            puts.chain([self.typed_count(contacts.len()), self.typed_progress()]).collect()
        };
        chunks.map(transaction).collect()
    }

    /// Makes transactions one after another, on the calling thread.
    pub fn restore(&self, transactions: Vec<Vec<typed::TransactWriteItem>>) {
        for transact_items in transactions {
            let client_request_token = Some(token());
            let write = typed::TransactWriteItemsRequest {
                transact_items,
                client_request_token,
                ..typed::TransactWriteItemsRequest::default()
            };
            self.database.transact_write_items(write).expect("a transaction");
        }
    }

    fn typed_key(&self, sk: &str) -> TypedItem {
        let pk = format!("ACCOUNT#{}", self.account);
        HashMap::from([("pk".to_owned(), TypedValue::S(pk)), ("sk".to_owned(), TypedValue::S(sk.to_owned()))])
    }

    fn typed_count(&self, leaving: usize) -> typed::TransactWriteItem {
        let values =
            [(":marketing", format!("-{leaving}")), (":leaving", "0".into()), (":revision", "1".into())];
        let values = values.map(|(name, number)| (name.to_owned(), TypedValue::N(number)));
        let names = ["marketing", "leaving", "revision"].map(|name| (format!("#{name}"), name.to_owned()));
        let update = typed::TransactUpdate {
            table_name: TABLE.to_owned(),
            key: self.typed_key("PERIOD"),
            update_expression: COUNT.to_owned(),
            condition_expression: Some("#revision = :revision".to_owned()),
            expression_attribute_names: Some(names.into()),
            expression_attribute_values: Some(values.into()),
            ..typed::TransactUpdate::default()
        };
        typed::TransactWriteItem { update: Some(update), ..typed::TransactWriteItem::default() }
    }

    fn typed_progress(&self) -> typed::TransactWriteItem {
        let mut item = self.typed_key("BENCHMARK");
        item.insert("text".to_owned(), TypedValue::S(PROGRESS.to_owned()));
        let put = typed::TransactPut { table_name: TABLE.to_owned(), item, ..typed::TransactPut::default() };
        typed::TransactWriteItem { put: Some(put), ..typed::TransactWriteItem::default() }
    }
}

fn version(item: &Item) -> u64 {
    item["version"].as_n().expect("a number").parse().expect("a number")
}

/// Returns the put of a contact's next version, on condition that this version is stored.
fn put(mut item: Item) -> TransactWriteItem {
    let version = version(&item);
    item.insert("version".to_owned(), AttributeValue::N((version + 1).to_string()));
    let put = Put::builder()
        .table_name(TABLE)
        .set_item(Some(item))
        .condition_expression("#version = :version")
        .expression_attribute_names("#version", "version")
        .expression_attribute_values(":version", AttributeValue::N(version.to_string()));
    TransactWriteItem::builder().put(put.build().expect("a put")).build()
}

/// Returns the engine's put of a contact in the version after this one, on condition that this version is stored.
fn typed_put(mut item: TypedItem, version: u64) -> typed::TransactWriteItem {
    item.insert("version".to_owned(), TypedValue::N((version + 1).to_string()));
    let values = HashMap::from([(":version".to_owned(), TypedValue::N(version.to_string()))]);
    let put = typed::TransactPut {
        table_name: TABLE.to_owned(),
        item,
        condition_expression: Some("#version = :version".to_owned()),
        expression_attribute_names: Some([("#version".to_owned(), "version".to_owned())].into()),
        expression_attribute_values: Some(values),
        ..typed::TransactPut::default()
    };
    typed::TransactWriteItem { put: Some(put), ..typed::TransactWriteItem::default() }
}

/// Returns a token that no other transaction of this run has.
fn token() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{:032x}", NEXT.fetch_add(1, Ordering::Relaxed))
}
