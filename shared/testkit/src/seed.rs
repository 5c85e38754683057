//! Creation of many contacts at once, as copies of one contact that the store wrote. The copies bypass the store.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use chrono::TimeDelta;
use domain::Timestamp;
use domain::decision::Command;
use domain::ids::{AccountId, ContactId, UserId};
use domain::limits::BATCH_WRITE_MAX;
use domain::marketing::EffectiveState;
use domain::source::{Actor, Intake, Source, SourceType};
use futures_util::{StreamExt as _, stream};
use store::{
    ContactRef, Responder, SaveContact, SaveMode, Saved, StatusReport, StatusRequest, StoredResponse,
};

use crate::{TABLE, TestTable, email};

type Item = HashMap<String, AttributeValue>;

/// The number of concurrent batched writes.
const PARALLEL: usize = 4;

/// Creates `count` contacts in this state, in an account without contacts, and sets the account's counts to match.
/// Returns the sorted ids. Only the first contact has an address item, so the others are found only by their ids.
pub async fn seed(
    table: &TestTable,
    account: AccountId,
    count: u64,
    state: EffectiveState,
    now: Timestamp,
) -> Vec<ContactId> {
    let first = first(table, account, state, now).await;
    let original = raw(table, account, first).await;
    let copies: Vec<(ContactId, Item)> = (1..count).map(|n| copy(&original, account, now, n)).collect();
    let batches = copies.chunks(BATCH_WRITE_MAX).map(|chunk| put(table, chunk));
    stream::iter(batches).buffer_unordered(PARALLEL).collect::<Vec<()>>().await;
    let by = |counted: bool| AttributeValue::N(if counted { count - 1 } else { 0 }.to_string());
    let update = table.client.update_item().table_name(TABLE);
    let update = update.update_expression("ADD marketing :marketing, leaving :leaving");
    let update = update.key("pk", text(&format!("ACCOUNT#{account}"))).key("sk", text("PERIOD"));
    let update = update.expression_attribute_values(":marketing", by(state.is_billable()));
    update
        .expression_attribute_values(":leaving", by(state == EffectiveState::Leaving))
        .send()
        .await
        .unwrap();
    let mut ids: Vec<ContactId> =
        std::iter::once(first).chain(copies.into_iter().map(|(id, _)| id)).collect();
    ids.sort_unstable();
    ids
}

/// Creates the first contact with the store itself.
async fn first(table: &TestTable, account: AccountId, state: EffectiveState, now: Timestamp) -> ContactId {
    let address = email("first@example.org");
    let source = Source { kind: SourceType::Manual, name: "Ada".to_owned(), id: None };
    let actor = Actor::User(UserId::new(Timestamp::MIN, 1));
    let save = SaveContact {
        account,
        mode: SaveMode::Create,
        email: Some(&address),
        properties: &[],
        unsubscribed: None,
        bounced: None,
        intake: Intake::Manual { marketing: Some(state.is_billable()) },
        source: source.clone(),
        actor,
        if_match: None,
    };
    let render = |saved: &Saved| answer(saved.contact.id.to_string());
    let created = table.store.upsert_contact(&save, now, Responder::new(None, &render)).await.unwrap();
    let id: ContactId = created.body.parse().expect("a contact's id");
    if state == EffectiveState::Leaving {
        let contacts = [ContactRef::Id(id)];
        let command = Command::SetNonMarketingPending;
        let queue = StatusRequest { account, command, contacts: &contacts, dry_run: false, source, actor };
        let render = |_: &StatusReport| answer(String::new());
        table.store.set_status(&queue, now, Responder::new(None, &render)).await.unwrap();
    }
    id
}

fn answer(body: String) -> StoredResponse {
    StoredResponse { status: 200, body, etag: None, location: None }
}

async fn raw(table: &TestTable, account: AccountId, id: ContactId) -> Item {
    let pk = format!("CONTACT#{account}#{}", id.bucket());
    let get = table.client.get_item().table_name(TABLE).key("pk", text(&pk)).key("sk", text(&id.sortable()));
    get.send().await.unwrap().item.expect("the contact")
}

fn copy(original: &Item, account: AccountId, now: Timestamp, n: u64) -> (ContactId, Item) {
    // 4,096 ids in each millisecond, and none in the millisecond of the first contact.
    let later = TimeDelta::milliseconds(1 + i64::try_from(n >> 12).expect("a small number"));
    let id = ContactId::new(now.plus(later), u128::from(n));
    let mut item = original.clone();
    let mut set = |name: &str, value: String| item.insert(name.to_owned(), text(&value));
    set("pk", format!("CONTACT#{account}#{}", id.bucket()));
    set("sk", id.sortable());
    set("email", format!("p{n}@example.org"));
    if original.contains_key("leaving_pk") {
        item.insert("leaving_pk".to_owned(), text(&format!("LEAVING#{account}#1#{}", id.bucket())));
    }
    if let Some(Ok(place)) = original.get("changed_sk").map(AttributeValue::as_s) {
        let (at, _) = place.split_once('#').expect("an instant and an id");
        item.insert("changed_pk".to_owned(), text(&format!("CHANGED#{account}#{}", id.bucket())));
        item.insert("changed_sk".to_owned(), text(&format!("{at}#{}", id.sortable())));
    }
    (id, item)
}

async fn put(table: &TestTable, copies: &[(ContactId, Item)]) {
    let request = |(_, item): &(ContactId, Item)| {
        let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let requests = copies.iter().map(request).collect();
    let sent = table.client.batch_write_item().request_items(TABLE, requests).send().await.unwrap();
    assert!(sent.unprocessed_items.is_none_or(|rest| rest.is_empty()));
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
