//! Many contacts at once: copies of one that the store wrote, put straight into the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use domain::Timestamp;
use domain::decision::Command;
use domain::ids::{AccountId, ContactId};
use futures_util::{StreamExt as _, stream};
use testkit::{TABLE, TestTable};

use super::{create, set};

type Item = HashMap<String, AttributeValue>;

/// So many contacts, all of them leaving, in an account that had none.
pub async fn leaving(table: &TestTable, account: AccountId, count: u64, now: Timestamp) {
    let first = create(&table.store, account, "first@example.org", true, now).await;
    set(&table.store, account, Command::SetNonMarketingPending, &[first.id], now).await.unwrap();
    let original = raw(table, account, first.id).await;
    let copies: Vec<Item> = (1..count).map(|n| copy(&original, account, now, n)).collect();
    let batches = copies.chunks(25).map(|chunk| put(table, chunk));
    stream::iter(batches).buffer_unordered(4).collect::<Vec<()>>().await;
    let by = AttributeValue::N((count - 1).to_string());
    let update =
        table.client.update_item().table_name(TABLE).update_expression("ADD marketing :by, leaving :by");
    let update = update.key("pk", text(&format!("ACCOUNT#{account}"))).key("sk", text("PERIOD"));
    update.expression_attribute_values(":by", by).send().await.unwrap();
}

async fn raw(table: &TestTable, account: AccountId, id: ContactId) -> Item {
    let pk = format!("CONTACT#{account}#{}", id.bucket());
    let get = table.client.get_item().table_name(TABLE).key("pk", text(&pk)).key("sk", text(&id.to_string()));
    get.send().await.unwrap().item.expect("the contact")
}

fn copy(original: &Item, account: AccountId, now: Timestamp, n: u64) -> Item {
    let id = ContactId::new(now, u128::from(n));
    let mut item = original.clone();
    let mut say = |name: &str, value: String| item.insert(name.to_owned(), text(&value));
    say("pk", format!("CONTACT#{account}#{}", id.bucket()));
    say("sk", id.to_string());
    say("id", id.to_string());
    say("email", format!("p{n}@example.org"));
    say("email_key", format!("p{n}@example.org"));
    say("leaving_pk", format!("LEAVING#{account}#1#{}", id.bucket()));
    item
}

async fn put(table: &TestTable, items: &[Item]) {
    let request = |item: &Item| {
        let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let requests = items.iter().map(request).collect();
    let sent = table.client.batch_write_item().request_items(TABLE, requests).send().await.unwrap();
    assert!(sent.unprocessed_items.is_none_or(|rest| rest.is_empty()));
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
