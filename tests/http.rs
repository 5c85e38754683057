//! The API over HTTP: requests to the router that the local stack serves, over the embedded engine.
//!
//! Most modules cover one path. The others cover rules that apply to every path.

mod account;
mod accounts;
mod automations;
mod bodies;
mod bulk;
mod channels;
mod console;
mod contacts;
mod crm;
mod deletions;
mod eligibility;
mod events;
mod exports;
mod forms;
pub mod fuzz;
mod hooks;
mod hubspot;
mod idempotency;
mod import_options;
mod imports;
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
mod properties;
mod rejected;
mod search;
mod segments;
mod sender_deliveries;
mod sender_fields;
mod sender_texts;
pub mod senders;
mod strangers;
mod submissions;
mod timeline;
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
/// The last instant before [`UPDATE`].
pub const JUST_BEFORE: &str = "2026-11-30T23:59:59.999Z";
/// The update date that follows [`START`].
pub const UPDATE: &str = "2026-12-01T00:00:00.000Z";

/// Starts the API and creates one account with these terms.
async fn one_account(terms: Value) -> (Api, Tenant) {
    let api = Api::start(at(START)).await;
    let account = api.account(terms).await;
    (api, account)
}

/// Returns the text of one field of each object in a list.
fn column<'v>(list: &'v Value, name: &str) -> Vec<&'v str> {
    let entries = list.as_array().unwrap_or_else(|| panic!("{list} is not a list"));
    entries
        .iter()
        .map(|entry| entry[name].as_str().unwrap_or_else(|| panic!("{entry} has no {name}")))
        .collect()
}

/// Returns all items of the table, sorted by key.
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
