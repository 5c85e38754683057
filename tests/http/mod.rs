//! The API over HTTP, from outside: requests into the router that the local stack serves, over the embedded engine.
//! The modules are those of the paths, and some that hold what is true of all of them.

mod account;
mod accounts;
mod bodies;
mod contacts;
mod deletions;
mod eligibility;
mod forms;
pub mod garbage;
mod hubspot;
mod idempotency;
mod intakes;
mod isolation;
mod logs;
mod marketing;
mod methods;
mod pages;
mod permissions;
mod preconditions;
mod search;
mod submissions;
mod tokens;
mod update_dates;
mod usage;
mod users;
pub mod walk;

use serde_json::Value;
use testkit::{Api, Tenant, at};

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
