//! An independent count of an account's usage, from the raw attributes of every item in the table.
//!
//! It shares no code with the store or the domain, so that it can find their mistakes.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::ids::AccountId;

use crate::TABLE;

/// The counts of one account from a full scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Contacts that are marketing or leaving in the account's current period.
    pub billable: u64,
    /// The billable contacts that are leaving.
    pub leaving: u64,
    /// Contact items, including deleted contacts.
    pub contacts: u64,
    /// Address items.
    pub addresses: u64,
    /// The values of the period item: number, marketing contacts, leaving contacts.
    pub period: (u64, u64, u64),
}

type Item = HashMap<String, AttributeValue>;

/// Counts one account's items.
pub async fn scan(client: &Client, account: AccountId) -> Scan {
    let items = items(client).await;
    let of_kind = |prefix: String| items.iter().filter(move |item| text(item, "pk").starts_with(&prefix));
    let period = of_kind(format!("ACCOUNT#{account}"))
        .find(|item| text(item, "sk") == "PERIOD")
        .expect("the account's period item");
    let current = number(period, "number");
    let mut scan = Scan {
        period: (current, number(period, "marketing"), number(period, "leaving")),
        addresses: of_kind(format!("EMAIL#{account}#")).count() as u64,
        ..Scan::default()
    };
    for contact in of_kind(format!("CONTACT#{account}#")) {
        scan.contacts += 1;
        match text(contact, "state") {
            "marketing" => scan.billable += 1,
            "leaving" if number(contact, "queued_in") == current => {
                scan.billable += 1;
                scan.leaving += 1;
            }
            "leaving" => assert!(number(contact, "queued_in") < current, "queued in a future period"),
            state => assert_eq!(state, "non_marketing"),
        }
    }
    scan
}

/// Counts the items whose partition key ends with `#` and this id.
pub async fn items_of(client: &Client, id: &str) -> usize {
    let ending = format!("#{id}");
    items(client).await.iter().filter(|item| text(item, "pk").ends_with(&ending)).count()
}

async fn items(client: &Client) -> Vec<Item> {
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let page = client
            .scan()
            .table_name(TABLE)
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .send()
            .await
            .expect("a scan");
        items.extend(page.items.unwrap_or_default());
        start = page.last_evaluated_key;
        if start.is_none() {
            return items;
        }
    }
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

fn number(item: &Item, name: &str) -> u64 {
    item.get(name).and_then(|value| value.as_n().ok()).and_then(|text| text.parse().ok()).expect("a number")
}
