//! The list of defects that the simulation must catch.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::{Call, FaultInjector, RawKey};

use super::wire::{
    about, account_of, add, afterwards, batch, closing, count, delete_instead, is_address, is_contact,
    is_transaction, leave_out, members, period_of, raw_key, reads, sends, splits, terms, text,
    without_condition, writes,
};
use crate::simulation::raw::{Kind, kind, number};

/// A defect of a store that shows only under faults or concurrency.
pub struct Defect {
    pub name: &'static str,
    /// The description of the defect.
    pub is: &'static str,
    /// The first seed whose history catches the defect.
    pub seed: u64,
    /// Creates the injector that changes the store's requests or responses.
    pub tamper: fn() -> Box<dyn FaultInjector>,
}

pub const DEFECTS: [Defect; 36] = [
    Defect {
        name: "contact without its version",
        is: "a changed contact is written without the condition on its version",
        seed: 3,
        tamper: || {
            sends(|call| {
                if is_transaction(call) {
                    about(call, is_contact).for_each(|write| without_condition(write, "#version ="));
                }
            })
        },
    },
    Defect {
        name: "no request token",
        is: "a transaction whose response was lost is sent again as a new one",
        seed: 1,
        tamper: || sends(|call| drop(members(&mut call.body).remove("ClientRequestToken"))),
    },
    Defect {
        name: "count without the revision",
        is: "the usage changes without the condition on the period's revision",
        seed: 3,
        tamper: || {
            sends(|call| {
                if let Some(write) = count(call) {
                    without_condition(write, "#revision =");
                }
            })
        },
    },
    Defect {
        name: "count without the cap",
        is: "the cap is checked when deciding but not when writing",
        seed: 16,
        tamper: || {
            sends(|call| {
                if let Some(write) = count(call) {
                    without_condition(write, "#marketing <=");
                }
            })
        },
    },
    Defect {
        name: "contact before count",
        is: "a contact is written in one transaction and its count in the next",
        seed: 1,
        tamper: || splits(|call| afterwards(call, |kind| kind == Kind::Period)),
    },
    Defect {
        name: "count for another account",
        is: "the count is applied to the period of the account served before",
        seed: 2,
        tamper: || Box::new(CountForAnother::default()),
    },
    Defect {
        name: "kept and still leaving",
        is: "keeping a leaving contact does not lower the number of leaving contacts",
        seed: 2,
        tamper: || {
            sends(|call| {
                let values = count(call).map(|write| &mut write["ExpressionAttributeValues"]);
                if let Some(values) = values.filter(|values| added(values, ":leaving") < 0) {
                    values[":leaving"] = json!({"N": "0"});
                }
            })
        },
    },
    Defect {
        name: "closing without the counts",
        is: "a period is closed without the condition on the counts that were read",
        seed: 1,
        tamper: || {
            sends(|call| {
                if let Some(write) = closing(call) {
                    without_condition(write, "#marketing =");
                    without_condition(write, "#leaving =");
                    without_condition(write, "#counted =");
                    without_condition(write, "attribute_not_exists(#counted)");
                }
            })
        },
    },
    Defect {
        name: "closing without the revision",
        is: "a period is closed without the condition on the terms that were read",
        seed: 4,
        tamper: || {
            sends(|call| {
                if let Some(write) = closing(call) {
                    without_condition(write, "#revision =");
                }
            })
        },
    },
    Defect {
        name: "closing keeps the leaving",
        is: "the number of leaving contacts is carried over into the next period",
        seed: 1,
        tamper: || {
            sends(|call| {
                if let Some(write) = closing(call) {
                    write["Item"]["leaving"] = write["ExpressionAttributeValues"][":leaving"].clone();
                }
            })
        },
    },
    Defect {
        name: "closing without a statement",
        is: "a period is closed without writing its statement",
        seed: 1,
        tamper: || sends(|call| leave_out(call, |kind| kind == Kind::Statement)),
    },
    Defect {
        name: "terms keep the revision",
        is: "a changed cap, calendar, switch or clock does not raise the revision",
        seed: 1,
        tamper: || {
            sends(|call| {
                let values = terms(call).map(|write| &mut write["ExpressionAttributeValues"]);
                if let Some(values) = values {
                    values[":revision"] = values[":as_read"].clone();
                }
            })
        },
    },
    Defect {
        name: "response stored afterwards",
        is: "the response to an `Idempotency-Key` is stored after the change instead of with it",
        seed: 1,
        tamper: || splits(|call| afterwards(call, |kind| matches!(kind, Kind::Answer | Kind::Part))),
    },
    Defect {
        name: "delivery stored afterwards",
        is: "a form's delivery is stored after its submission instead of with it",
        seed: 1,
        tamper: || splits(|call| afterwards(call, |kind| kind == Kind::Delivery)),
    },
    Defect {
        name: "delivery expires early",
        is: "a form's delivery expires after a minute",
        seed: 6,
        tamper: || {
            sends(|call| {
                for write in about(call, |kind| kind == Kind::Delivery) {
                    let now = write["ExpressionAttributeValues"][":now"]["N"].as_str();
                    // An edit has a condition on the stored delivery instead of the time.
                    let Some(now) = now.and_then(|now| now.parse::<u64>().ok()) else { continue };
                    write["Item"]["expires_at"] = json!({"N": (now + 60).to_string()});
                }
            })
        },
    },
    Defect {
        name: "delivery identified by its id only",
        is: "another contact under the id of a delivery is treated as a duplicate or an edit",
        seed: 1,
        tamper: || Box::new(IdAlone::default()),
    },
    Defect {
        name: "address compared by its spelling",
        is: "an address in capitals is another address",
        seed: 1,
        tamper: || sends(key_by_spelling),
    },
    Defect {
        name: "kept contact outside the budget",
        is: "a contact that a form keeps does not count against its budget",
        seed: 23,
        tamper: || {
            sends(|call| {
                let values = count(call).map(|write| write["ExpressionAttributeValues"].clone());
                let keeps =
                    |values: &Value| added(values, ":marketing") == 0 && added(values, ":leaving") < 0;
                if values.is_some_and(|values| keeps(&values)) {
                    leave_out(call, |kind| kind == Kind::FormDay);
                }
            })
        },
    },
    Defect {
        name: "deleting lowers the usage",
        is: "a deleted contact lowers the usage at once instead of at the update date",
        seed: 1,
        tamper: || sends(delete_at_once),
    },
    Defect {
        name: "deleting frees the address",
        is: "a deleted contact that returns does not reuse its billable unit",
        seed: 1,
        tamper: || sends(free_addresses_of_deleted),
    },
    Defect {
        name: "address assigned unconditionally",
        is: "an address is assigned without the condition that no other contact has it",
        seed: 11,
        tamper: || {
            sends(|call| {
                for write in about(call, is_address).filter(|write| !write["Item"].is_null()) {
                    without_condition(write, "");
                }
            })
        },
    },
    Defect {
        name: "address not released",
        is: "an address stays stored after its contact has lost it",
        seed: 1,
        tamper: || {
            sends(|call| {
                let deletes = |write: &Value| write["Item"].is_null();
                if about(call, is_address).all(|write| deletes(write)) {
                    leave_out(call, is_address);
                }
            })
        },
    },
    Defect {
        name: "leaves a period late",
        is: "a leaving contact counts in the next period as well",
        seed: 1,
        tamper: || {
            reads(|call, _, body| {
                if call.operation == "BatchGetItem" {
                    read_leavers_late(body);
                }
            })
        },
    },
    Defect {
        name: "leaving but not in the index",
        is: "the sweep cannot find a leaving contact",
        seed: 1,
        tamper: || {
            sends(|call| {
                for write in about(call, is_contact).filter(|write| !write["Item"].is_null()) {
                    members(&mut write["Item"]).remove("leaving_pk");
                }
            })
        },
    },
    Defect {
        name: "sweep subtracts",
        is: "the sweep subtracts contacts that have left from the usage a second time",
        seed: 1,
        tamper: || splits(subtract_when_swept),
    },
    Defect {
        name: "sweep without the version",
        is: "the sweep writes a contact without the condition on its version",
        seed: 12,
        tamper: || {
            sends(|call| {
                if call.operation == "PutItem" {
                    about(call, is_contact).for_each(|write| without_condition(write, "#version ="));
                }
            })
        },
    },
    Defect {
        name: "decided on a stale read",
        is: "decisions use reads that are not consistent",
        seed: 1,
        tamper: || {
            sends(|call| {
                if call.operation == "BatchGetItem" {
                    for (_, table) in members(&mut call.body["RequestItems"]) {
                        table["ConsistentRead"] = json!(false);
                    }
                }
            })
        },
    },
    Defect {
        name: "listed from a stale read",
        is: "lists, histories and statements use reads that are not consistent",
        seed: 1,
        tamper: || {
            sends(|call| {
                if call.operation == "Query" {
                    members(&mut call.body).remove("ConsistentRead");
                }
            })
        },
    },
    Defect {
        name: "partial batch treated as complete",
        is: "the unprocessed keys of a batched read are not requested again",
        seed: 1,
        tamper: || reads(|_, _, body| drop(members(body).remove("UnprocessedKeys"))),
    },
    Defect {
        name: "first page treated as the whole",
        is: "a query stops after its first page",
        seed: 5,
        tamper: || reads(|_, _, body| drop(members(body).remove("LastEvaluatedKey"))),
    },
    Defect {
        name: "cancelled treated as applied",
        is: "a cancelled transaction is answered as if it were applied",
        seed: 1,
        tamper: || {
            reads(|call, status, body| {
                if is_transaction(call) && *status == 400 {
                    (*status, *body) = (200, json!({}));
                }
            })
        },
    },
    Defect {
        name: "change lost from a page",
        is: "the last of the changes that move to a page of history is missing",
        seed: 3,
        tamper: || {
            sends(|call| {
                for write in about(call, |kind| matches!(kind, Kind::History(_))) {
                    let changes =
                        write["Item"]["changes"]["S"].as_str().and_then(|text| text.rsplit_once(','));
                    if let Some((without_the_last, _)) = changes {
                        write["Item"]["changes"]["S"] = json!(without_the_last);
                    }
                }
            })
        },
    },
    Defect {
        name: "job counted afterwards",
        is: "a bulk job's counts and place are stored after the contacts instead of with them",
        seed: 2,
        tamper: || splits(|call| if changes_contacts(&call) { afterwards(call, is_job) } else { vec![call] }),
    },
    Defect {
        name: "import without its version",
        is: "the results of rows are stored without the condition on the import's version",
        seed: 10,
        tamper: || {
            sends(|call| {
                if call.written().iter().any(|key| kind(key).1 == Kind::ImportRows) {
                    about(call, |kind| kind == Kind::Import)
                        .for_each(|write| without_condition(write, "#version ="));
                }
            })
        },
    },
    Defect {
        name: "import's place stored afterwards",
        is: "the results and the place of an import are stored after the contacts instead of with them",
        seed: 5,
        tamper: || {
            splits(|call| if changes_contacts(&call) { afterwards(call, is_import) } else { vec![call] })
        },
    },
    Defect {
        name: "job's place stored before",
        is: "a bulk job's counts and place are stored before the contacts instead of with them",
        seed: 2,
        tamper: || {
            splits(
                |call| {
                    if changes_contacts(&call) { afterwards(call, |kind| !is_job(kind)) } else { vec![call] }
                },
            )
        },
    },
];

/// Returns the number that an update adds to a count.
fn added(values: &Value, name: &str) -> i64 {
    values[name]["N"].as_str().and_then(|by| by.parse().ok()).expect("a number")
}

/// Applies a count to the period of the account that was served before.
#[derive(Default)]
struct CountForAnother {
    before: Option<String>,
}

impl FaultInjector for CountForAnother {
    fn send(&mut self, mut call: Call) -> Vec<Call> {
        let account = call.written().first().and_then(account_of);
        if let (Some(write), Some(before)) = (count(&mut call), &self.before) {
            write["Key"] = raw_key(&period_of(before));
        }
        self.before = account.or(self.before.take());
        vec![call]
    }
}

/// Returns the normalized form of a contact's address.
fn email_key(item: &Value) -> Option<&str> {
    text(item, "email_key").or_else(|| text(item, "email"))
}

/// Stores the address of a new contact under its spelling instead of its key.
fn key_by_spelling(call: &mut Call) {
    let puts = writes(call).filter(|(key, write)| is_contact(kind(key).1) && !write["Item"].is_null());
    let spelled: Vec<(String, String)> = puts
        .filter_map(|(_, write)| {
            let item = &write["Item"];
            Some((email_key(item)?.to_owned(), text(item, "email")?.to_owned()))
        })
        .collect();
    for write in about(call, is_address).filter(|write| !write["Item"].is_null()) {
        let pk = text(&write["Item"], "pk").unwrap_or_default().to_owned();
        if let Some((key, given)) = spelled.iter().find(|(key, _)| pk.ends_with(&format!("#{key}"))) {
            write["Item"]["pk"] = json!({"S": pk.replace(key, given)});
        }
    }
}

/// Identifies deliveries by their ids only: deliveries of all contacts are stored under the key of the first contact.
#[derive(Default)]
struct IdAlone {
    /// The key of each delivery that the simulation draws, with the key that replaces it.
    places: BTreeMap<String, String>,
}

impl IdAlone {
    /// The maximum number of ids that a history draws.
    const IDS: u32 = 2_000;
    /// The number of addresses in most histories.
    const ADDRESSES: usize = 7;

    fn places(&mut self) -> &BTreeMap<String, String> {
        let key = |id: u32, address: usize| {
            let (id, address) = (format!("delivery {id}"), format!("p{address}@example.org"));
            let length = u64::try_from(id.len()).expect("a length").to_be_bytes();
            let digest = Sha256::new().chain_update("contact").chain_update(length).chain_update(id);
            let digest = digest.chain_update(address).finalize();
            digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        if self.places.is_empty() {
            let drawn = (0..Self::IDS).flat_map(|id| (1..Self::ADDRESSES).map(move |address| (id, address)));
            self.places = drawn.map(|(id, address)| (key(id, address), key(id, 0))).collect();
        }
        &self.places
    }
}

/// Returns true if a request changes contacts.
fn changes_contacts(call: &Call) -> bool {
    call.written().iter().any(|key| is_contact(kind(key).1))
}

fn is_job(kind: Kind<'_>) -> bool {
    kind == Kind::BulkJob
}

fn is_import(kind: Kind<'_>) -> bool {
    matches!(kind, Kind::Import | Kind::ImportRows)
}

/// Returns the digests of deliveries in the keys of a request or its response.
fn delivery_digests(body: &Value) -> Vec<String> {
    let body = body.to_string();
    let keys = body.match_indices("\"SEEN#").filter_map(|(at, _)| body[at + 1..].split('"').next());
    keys.filter_map(|key| Some(key.rsplit_once('#')?.1.to_owned())).collect()
}

fn replaced(body: &Value, old: &str, new: &str) -> Value {
    serde_json::from_str(&body.to_string().replace(old, new)).expect("JSON")
}

impl FaultInjector for IdAlone {
    fn send(&mut self, mut call: Call) -> Vec<Call> {
        let mut moved = Vec::new();
        for digest in delivery_digests(&call.body) {
            if let Some(place) = self.places().get(&digest) {
                call.body = replaced(&call.body, &digest, place);
                moved.push(json!([digest, place]));
            }
        }
        // The engine ignores unknown members.
        call.body["Moved"] = json!(moved);
        vec![call]
    }

    fn read(&mut self, call: &Call, _: &mut u16, body: &mut Value) {
        for moved in call.body["Moved"].as_array().into_iter().flatten() {
            if let (Some(digest), Some(place)) = (moved[0].as_str(), moved[1].as_str()) {
                *body = replaced(body, place, digest);
            }
        }
    }
}

/// Returns the contacts that a transaction marks as deleted, with their new items.
fn deleted(call: &mut Call) -> Vec<(RawKey, Value)> {
    let puts = writes(call).filter(|(key, write)| is_contact(kind(key).1) && !write["Item"].is_null());
    let items = puts.map(|(key, write)| (key, write["Item"].clone()));
    items.filter(|(_, item)| !item["deleted_at"].is_null()).collect()
}

fn key_of_address(contact: &RawKey, item: &Value) -> Option<RawKey> {
    let (account, address) = (account_of(contact)?, email_key(item)?);
    Some((format!("EMAIL#{account}#{address}"), "EMAIL".to_owned()))
}

fn delete_at_once(call: &mut Call) {
    let leaves = count(call).is_some_and(|write| added(&write["ExpressionAttributeValues"], ":leaving") == 1);
    let Some((key, item)) = deleted(call).pop().filter(|_| leaves) else { return };
    delete_instead(call, &key);
    if let Some(address) = key_of_address(&key, &item) {
        add(call, "Delete", json!({"TableName": testkit::TABLE, "Key": raw_key(&address)}));
    }
    if let Some(write) = count(call) {
        write["ExpressionAttributeValues"][":marketing"] = json!({"N": "-1"});
        write["ExpressionAttributeValues"][":leaving"] = json!({"N": "0"});
    }
}

fn free_addresses_of_deleted(call: &mut Call) {
    for (key, item) in deleted(call) {
        let Some(address) = key_of_address(&key, &item) else { continue };
        for (_, write) in writes(call).filter(|(written, _)| *written == key) {
            members(&mut write["Item"]).retain(|name, _| !matches!(name.as_str(), "email" | "email_key"));
        }
        add(call, "Delete", json!({"TableName": testkit::TABLE, "Key": raw_key(&address)}));
    }
}

/// Changes contacts that left at the last update date so that they appear to be leaving now.
fn read_leavers_late(body: &mut Value) {
    let is_period = |item: &&mut Value| text(item, "sk") == Some("PERIOD");
    let current = batch(body).find(is_period).and_then(|period| number(period, "number"));
    let Some(current) = current else { return };
    for item in batch(body).filter(|item| number(item, "queued_in") == Some(current - 1)) {
        item["queued_in"] = json!({"N": current.to_string()});
    }
}

/// Subtracts each swept contact from the usage. Only the sweep puts single contacts outside a transaction.
fn subtract_when_swept(mut call: Call) -> Vec<Call> {
    let account = call.written().first().filter(|key| is_contact(kind(key).1)).and_then(account_of);
    let (Some(account), "PutItem") = (account, call.operation.as_str()) else { return vec![call] };
    let table = call.body["TableName"].take();
    call.body["TableName"] = table.clone();
    let body = json!({
        "TableName": table,
        "Key": raw_key(&period_of(&account)),
        "UpdateExpression": "ADD #marketing :by",
        "ExpressionAttributeNames": {"#marketing": "marketing"},
        "ExpressionAttributeValues": {":by": {"N": "-1"}},
    });
    vec![call, Call { operation: "UpdateItem".to_owned(), body }]
}
