//! The API over HTTP, from outside: requests into the router that the local stack serves, over the embedded engine.
//! The modules are those of the paths, and some that hold what is true of all of them.

mod account;
mod accounts;
mod bodies;
mod contacts;
mod deletions;
mod eligibility;
mod forms;
pub mod fuzz;
mod hooks;
mod hubspot;
mod idempotency;
mod inbox;
mod intakes;
mod isolation;
mod limits;
mod logs;
mod marketing;
mod methods;
mod pages;
mod permissions;
mod preconditions;
mod rejected;
mod roads;
mod search;
mod sender_deliveries;
mod sender_fields;
mod sender_texts;
pub mod senders;
mod strangers;
mod submissions;
mod tokens;
mod update_dates;
mod usage;
mod users;
pub mod walk;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use testkit::{Api, TABLE, Tenant, at};

/// The instant at which most tests begin.
pub const START: &str = "2026-11-10T12:00:00.000Z";
/// The last instant before the update date that follows.
pub const JUST_BEFORE: &str = "2026-11-30T23:59:59.999Z";
/// That update date.
pub const UPDATE: &str = "2026-12-01T00:00:00.000Z";

/// The API with one account on these terms.
async fn one_account(terms: Value) -> (Api, Tenant) {
    let api = Api::start(at(START)).await;
    let account = api.account(terms).await;
    (api, account)
}

/// The texts that stand under one name in a list of objects.
fn column<'v>(list: &'v Value, name: &str) -> Vec<&'v str> {
    let entries = list.as_array().unwrap_or_else(|| panic!("{list} is no list"));
    entries
        .iter()
        .map(|entry| entry[name].as_str().unwrap_or_else(|| panic!("{entry} has no {name}")))
        .collect()
}

/// Everything that stands in the table, in the order of its keys.
async fn dump(api: &Api) -> Vec<HashMap<String, AttributeValue>> {
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let scan = api.table.client.scan().table_name(TABLE).consistent_read(true);
        let page = scan.set_exclusive_start_key(start).send().await.expect("a scan");
        items.extend(page.items.unwrap_or_default());
        start = page.last_evaluated_key;
        if start.is_none() {
            break;
        }
    }
    let key = |item: &HashMap<String, AttributeValue>| {
        ["pk", "sk"].map(|name| item[name].as_s().expect("a key").clone())
    };
    items.sort_by_key(key);
    items
}
