//! The defects.

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

/// Something that a store could do wrong and that happens to work as long as nothing comes between.
pub struct Defect {
    pub name: &'static str,
    /// What would be missing or different in the program.
    pub is: &'static str,
    /// The store's requests as they would be with it.
    pub tamper: fn() -> Box<dyn FaultInjector>,
}

pub const DEFECTS: [Defect; 32] = [
    Defect {
        name: "contact without its version",
        is: "a changed contact is put whatever has become of it since it was read",
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
        is: "a transaction whose answer was lost is sent again as a new one",
        tamper: || sends(|call| drop(members(&mut call.body).remove("ClientRequestToken"))),
    },
    Defect {
        name: "count without the revision",
        is: "the usage moves whatever has become of the period and its terms",
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
        is: "room under the cap is looked at when deciding and not when writing",
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
        tamper: || splits(|call| afterwards(call, |kind| kind == Kind::Period)),
    },
    Defect {
        name: "count for another account",
        is: "the period that moves is that of the account served before",
        tamper: || Box::new(CountForAnother::default()),
    },
    Defect {
        name: "kept and still leaving",
        is: "a leaving contact that is kept does not lower the leaving",
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
        is: "a period is closed with the counts as they were read",
        tamper: || {
            sends(|call| {
                if let Some(write) = closing(call) {
                    without_condition(write, "#marketing =");
                    without_condition(write, "#leaving =");
                }
            })
        },
    },
    Defect {
        name: "closing without the revision",
        is: "a period is closed with the terms as they were read",
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
        is: "the number of leaving contacts is taken into the next period",
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
        is: "a period is closed and nothing is written of it",
        tamper: || sends(|call| leave_out(call, |kind| kind == Kind::Statement)),
    },
    Defect {
        name: "terms keep the revision",
        is: "a changed cap, calendar, switch or clock does not raise the revision",
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
        name: "answer kept afterwards",
        is: "the answer to an `Idempotency-Key` is kept once the change has happened",
        tamper: || splits(|call| afterwards(call, |kind| matches!(kind, Kind::Answer | Kind::Part))),
    },
    Defect {
        name: "delivery noted afterwards",
        is: "a form's delivery is remembered once its submission has been taken",
        tamper: || splits(|call| afterwards(call, |kind| kind == Kind::Delivery)),
    },
    Defect {
        name: "delivery soon forgotten",
        is: "a form's delivery is remembered for a minute",
        tamper: || {
            sends(|call| {
                for write in about(call, |kind| kind == Kind::Delivery) {
                    let now = write["ExpressionAttributeValues"][":now"]["N"].as_str();
                    // An edit is on the condition of what is remembered, and not of the time.
                    let Some(now) = now.and_then(|now| now.parse::<u64>().ok()) else { continue };
                    write["Item"]["expires_at"] = json!({"N": (now + 60).to_string()});
                }
            })
        },
    },
    Defect {
        name: "delivery known by its id alone",
        is: "another contact under the id of a delivery is taken for a repeat, or an edit",
        tamper: || Box::new(IdAlone::default()),
    },
    Defect {
        name: "address known by its spelling",
        is: "an address in capitals is another one",
        tamper: || sends(key_by_spelling),
    },
    Defect {
        name: "kept past a budget",
        is: "a contact that a form keeps does not draw on its budget",
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
        is: "a deleted contact is gone at once and not at the update date",
        tamper: || sends(delete_at_once),
    },
    Defect {
        name: "deleting frees the address",
        is: "a deleted contact's address can't take its place again",
        tamper: || sends(free_addresses_of_deleted),
    },
    Defect {
        name: "address taken unasked",
        is: "an address is given to a contact whoever has it",
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
        is: "an address that a contact loses stays with it",
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
        is: "a leaving contact counts in the period after its own as well",
        tamper: || {
            reads(|call, _, body| {
                if call.operation == "BatchGetItem" {
                    read_leavers_late(body);
                }
            })
        },
    },
    Defect {
        name: "leaving and in no index",
        is: "a leaving contact can't be found by the sweep",
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
        is: "the sweep takes those who have left from the usage once more",
        tamper: || splits(subtract_when_swept),
    },
    Defect {
        name: "sweep without the version",
        is: "the sweep writes a contact as it read it, whatever has become of it",
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
        is: "what decides is read without asking for consistency",
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
        is: "lists, histories and statements are read without asking for consistency",
        tamper: || {
            sends(|call| {
                if call.operation == "Query" {
                    members(&mut call.body).remove("ConsistentRead");
                }
            })
        },
    },
    Defect {
        name: "part of a batch for all of it",
        is: "what a batched read leaves over is not asked for again",
        tamper: || reads(|_, _, body| drop(members(body).remove("UnprocessedKeys"))),
    },
    Defect {
        name: "one page for all of them",
        is: "a query's first page is taken for everything",
        tamper: || reads(|_, _, body| drop(members(body).remove("LastEvaluatedKey"))),
    },
    Defect {
        name: "cancelled taken for done",
        is: "a transaction that was cancelled is answered as if it had happened",
        tamper: || {
            reads(|call, status, body| {
                if is_transaction(call) && *status == 400 {
                    (*status, *body) = (200, json!({}));
                }
            })
        },
    },
    Defect {
        name: "a change lost from a page",
        is: "the last of the changes that move to a page of history is left out",
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
];

/// What an update adds to a count.
fn added(values: &Value, name: &str) -> i64 {
    values[name]["N"].as_str().and_then(|by| by.parse().ok()).expect("a number")
}

/// Counts a change in the period of the account that was served before.
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

/// The form in which a contact's address compares.
fn email_key(item: &Value) -> Option<&str> {
    text(item, "email_key").or_else(|| text(item, "email"))
}

/// The address of a new contact under its spelling instead of its key.
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

/// Knows deliveries by their ids alone: whatever contact they are about, they stand where those of the first one stand.
#[derive(Default)]
struct IdAlone {
    /// The key of each delivery that the simulation draws, and the one in its place.
    places: BTreeMap<String, String>,
}

impl IdAlone {
    /// How many ids are drawn at the most, and how many addresses most histories have.
    const IDS: u32 = 2_000;
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

/// The digests of deliveries in the keys of a request or its answer.
fn delivery_digests(body: &Value) -> Vec<String> {
    let body = body.to_string();
    let keys = body.match_indices("\"SEEN#").filter_map(|(at, _)| body[at + 1..].split('"').next());
    keys.filter_map(|key| Some(key.rsplit_once('#')?.1.to_owned())).collect()
}

fn replaced(body: &Value, what: &str, by: &str) -> Value {
    serde_json::from_str(&body.to_string().replace(what, by)).expect("JSON")
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
        // The engine passes over what it does not know.
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

/// The contacts that a transaction puts as deleted, each with the item that it puts.
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

/// Shows those who left at the last update date as if they were leaving now.
fn read_leavers_late(body: &mut Value) {
    let is_period = |item: &&mut Value| text(item, "sk") == Some("PERIOD");
    let current = batch(body).find(is_period).and_then(|period| number(period, "number"));
    let Some(current) = current else { return };
    for item in batch(body).filter(|item| number(item, "queued_in") == Some(current - 1)) {
        item["queued_in"] = json!({"N": current.to_string()});
    }
}

/// The only single contacts that are put are those that the sweep settles.
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
