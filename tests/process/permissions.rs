//! The permissions of each role compared with the calls of its function: none is missing and none is unused.
//!
//! Every test of this folder proves that none is missing, because the gate refuses other calls. Here each function
//! executes all of its operations, so that an unused permission is detected.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::decision::Command;
use domain::ids::ContactId;
use domain::limits::{CONTACTS_PER_TRANSACTION_MAX, DEADLINE_MARGIN, HISTORY_RECENT_MAX};
use domain::provider::Provider;
use serde_json::{Value, json};
use store::{NewForm, Rejection};
use testkit::TestTable;

use super::events::{authorization, batch, http, stream, tick};
use super::file_gate::FileGate;
use super::function::Function;
use super::gate::Gate;
use super::queue::{AUTOMATIONS, BULK, INTAKE, Queues, SWEEPS};
use super::setting::{ADMIN_TOKEN, Fixture, address, in_an_ended_period, now};
use crate::operations;
use crate::template::permissions::{KeyPermission, Permission, key_permissions_of, permissions_of};

/// Partitions that a function's role names and its test below does not touch: it reads and writes them on other paths,
/// which the tests of the routes take.
const ON_OTHER_PATHS: &[(&str, &[&str], &[&str])] = &[
    ("account", &["IDEMPOTENCY#*", "NOTICE#*", "TIMELINE#*"], &["IDEMPOTENCY#*"]),
    ("automation-worker", &["MEMBER#*"], &["ACCOUNT#*", "CONTACT#*", "HISTORY#*"]),
    ("automations", &["EMAIL#*", "FORM#*", "IDEMPOTENCY#*", "MEMBER#*"], &["FORM#*", "IDEMPOTENCY#*"]),
    ("bulk-jobs", &["IDEMPOTENCY#*", "MEMBER#*"], &["IDEMPOTENCY#*"]),
    ("bulk-worker", &["EMAIL#*", "MEMBER#*"], &["AUTOMATION#*", "MEMBER#*", "MEMBERSHIP#*", "WAITING#*"]),
    ("change-feed", &["PROPERTIES#*", "TIMELINE#*"], &["ACCOUNT#*", "RUN#*", "TIMELINE#*"]),
    (
        "console",
        &[
            "AUTOMATION#*",
            "EMAIL#*",
            "ENROLMENT#*",
            "FORM_DAY#*",
            "HISTORY#*",
            "IDEMPOTENCY#*",
            "JOB#*",
            "MEMBER#*",
            "MEMBERSHIP#*",
            "PROPERTIES#*",
            "RUN#*",
            "SEEN#*",
            "SIGN_IN#*",
            "TIMELINE#*",
            "WAITING#*",
        ],
        &[
            "AUTOMATION#*",
            "EMAIL#*",
            "EXPORT#*",
            "FORM_COUNTS#*",
            "IDEMPOTENCY#*",
            "MEMBER#*",
            "MEMBERSHIP#*",
            "PROPERTIES#*",
            "REJECTED#*",
            "SEEN#*",
            "TOKEN#*",
        ],
    ),
    ("contacts", &[], &["MEMBER#*", "MEMBERSHIP#*", "PROPERTIES#*"]),
    ("form-submission", &["FORM_DAY#*"], &["FORM_DAY#*", "REJECTED#*"]),
    ("hubspot-crm", &["IMPORT#*"], &["FORM_COUNTS#*", "PROPERTIES#*", "REJECTED#*"]),
    ("forms", &["IDEMPOTENCY#*", "SEEN#*"], &["IDEMPOTENCY#*", "SEEN#*"]),
    ("intake-worker", &["FORM_DAY#*"], &["FORM_DAY#*"]),
    ("set-marketing", &["EMAIL#*"], &[]),
    ("set-non-marketing-pending", &["EMAIL#*"], &[]),
];

/// Returns the partitions of [`ON_OTHER_PATHS`] of a function.
fn on_other_paths(function: &str) -> BTreeSet<KeyPermission> {
    let of_function = ON_OTHER_PATHS.iter().filter(|(name, ..)| *name == function);
    let permissions = of_function.flat_map(|(_, reads, writes)| {
        let all = |prefixes: &'static [&str], writes| {
            prefixes.iter().map(move |prefix| KeyPermission {
                writes,
                on: "Table".to_owned(),
                prefix: (*prefix).to_owned(),
            })
        };
        all(reads, false).chain(all(writes, true))
    });
    permissions.collect()
}

impl Function {
    /// Asserts that the function used every permission of its role, and ends it. `besides` contains the permissions
    /// for queues, which the gates do not see.
    pub(super) async fn assert_role_used_and_end(self, name: &str, besides: BTreeSet<Permission>) {
        let mut used = self.gate.used();
        used.extend(self.file_gate.iter().flat_map(FileGate::used));
        used.extend(besides);
        assert_eq!(used, permissions_of(name), "the permissions that {name} used, and those of its role");
        let (keys, others) = (self.gate.used_keys(), on_other_paths(name));
        assert_eq!(keys.intersection(&others).next(), None, "{name} used it, so it is on no other path");
        let keys: BTreeSet<KeyPermission> = keys.union(&others).cloned().collect();
        assert_eq!(keys, key_permissions_of(name), "the keys that {name} used, and those of its role");
        self.end().await;
    }
}

/// Returns the permissions that Lambda uses to read a queue on behalf of a function.
pub(super) fn polling(queue: &str) -> BTreeSet<Permission> {
    let actions = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
    actions.map(|action| Permission { action: action.to_owned(), on: queue.to_owned() }).into()
}

/// Returns the permissions that Lambda uses to read the table's stream, and to name changes in the dead letters, on
/// behalf of the change feed.
fn reading_the_stream() -> BTreeSet<Permission> {
    let actions = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"];
    let on_stream =
        |action| Permission { action: format!("dynamodb:{action}"), on: "Table.StreamArn".to_owned() };
    actions.into_iter().map(on_stream).chain([to_dead_letters("ChangeFeedDeadLetters")]).collect()
}

/// Returns the permission that Lambda uses to keep an event that failed, on behalf of a function.
fn to_dead_letters(queue: &str) -> Permission {
    Permission { action: "sqs:SendMessage".to_owned(), on: queue.to_owned() }
}

/// Creates a marketing contact whose history has more than one page.
pub(super) async fn with_long_history(fixture: &Fixture, name: &str, at: Timestamp) -> ContactId {
    let id = fixture.contact(name, true, at).await;
    for _ in 0..=HISTORY_RECENT_MAX / 2 {
        for command in [Command::SetNonMarketingPending, Command::SetMarketing] {
            operations::set(&fixture.table.store, fixture.account, command, &[id], at)
                .await
                .expect("a report");
        }
    }
    id
}

/// Creates a leaving or marketing contact whose next change moves the oldest changes to a page.
pub(super) async fn with_full_history(fixture: &Fixture, leaving: bool, at: Timestamp) -> ContactId {
    let id = fixture.contact("long", !leaving, at).await;
    let mut commands = [Command::SetNonMarketingPending, Command::SetMarketing];
    if leaving {
        commands.reverse();
    }
    for command in commands.into_iter().cycle().take(HISTORY_RECENT_MAX - 1) {
        let changed = operations::set(&fixture.table.store, fixture.account, command, &[id], at).await;
        changed.expect("a report");
    }
    id
}

pub(super) async fn delete(fixture: &Fixture, id: ContactId, at: Timestamp) {
    operations::delete(&fixture.table.store, fixture.account, id, false, at).await.expect("it is deleted");
}

#[tokio::test]
async fn authorizer_uses_every_permission_of_its_role() {
    let fixture = Fixture::start().await;
    let mut authorizer = Function::start("authorizer", &fixture.table).await;
    authorizer.invoke(authorization(Some(&format!("Bearer {ADMIN_TOKEN}")))).await.done();
    authorizer.assert_role_used_and_end("authorizer", BTreeSet::new()).await;
}

#[tokio::test]
async fn status_functions_use_every_permission_of_their_roles() {
    for (name, route) in [
        ("set-marketing", "/v1/contacts/marketing"),
        ("set-non-marketing-pending", "/v1/contacts/non-marketing-pending"),
    ] {
        let fixture = Fixture::start().await;
        let admin = fixture.admin().await;
        let ids = fixture.marketing_contacts(CONTACTS_PER_TRANSACTION_MAX + 2, now()).await;
        if name == "set-marketing" {
            for some in ids.chunks(CONTACTS_PER_TRANSACTION_MAX) {
                fixture.queue(some, now()).await;
            }
        }
        let ids = [ids, vec![with_full_history(&fixture, name == "set-marketing", now()).await]].concat();
        let contacts: Vec<Value> = ids.iter().map(|id| json!({"id": id.to_string()})).collect();
        let mut function = Function::start(name, &fixture.table).await;
        // The list is longer than a transaction and has a key, so a retry must read what the first attempt did.
        let request = http("POST", route).by(&admin).json(&json!({"contacts": contacts}));
        let report = function.send(request.header("Idempotency-Key", "all"), 200).await;
        assert_eq!(report["summary"]["unchanged"], 0);
        fixture.assert_exact().await;
        function.assert_role_used_and_end(name, BTreeSet::new()).await;
    }
}

#[tokio::test]
async fn form_submission_uses_every_permission_of_its_role() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let admin = fixture.admin().await;
    let deleted = with_long_history(&fixture, "ada", past).await;
    delete(&fixture, deleted, past).await;
    let mut forms = Function::start("forms", &fixture.table).await;
    let form = json!({"name": "Newsletter", "answer": "full"});
    let form = forms.send(http("POST", "/v1/forms").by(&admin).json(&form), 201).await;
    forms.end().await;

    // The contact's unit of an earlier period is not yet swept, so its return deletes the unit with its history.
    let queues = Queues::start().await;
    let mut function = Function::start_with_queues("form-submission", &fixture.table, &queues).await;
    let path = format!("/v1/forms/{}/submissions", form["id"].as_str().expect("an id"));
    let submit =
        http("POST", &path).json(&json!({"fields": {"email": address("ada")}, "submission_id": "s-1"}));
    let created = function.send(submit, 200).await;
    assert_eq!((&created["contact"], &created["marketing"]), (&json!("created"), &json!("set")));

    // The table is too busy for transactions, so the submission goes into the inbox.
    function.gate.fail(|operation, _| operation == "TransactWriteItems");
    let submit =
        http("POST", &path).json(&json!({"fields": {"email": address("bo")}, "submission_id": "s-2"}));
    assert_eq!(function.send(submit, 200).await["contact"], "accepted");
    fixture.assert_exact().await;
    function.assert_role_used_and_end("form-submission", queues.used()).await;
}

#[tokio::test]
async fn intake_worker_uses_every_permission_of_its_role() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let form = fixture.form(&NewForm::new(Provider::Native, "Newsletter"), past).await;
    let deleted = with_long_history(&fixture, "ada", past).await;
    delete(&fixture, deleted, past).await;
    let messages = fixture.waiting(&form, &["ada", "bo"], now()).await;
    let mut worker = Function::start("intake-worker", &fixture.table).await;
    assert_eq!(worker.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
    fixture.assert_exact().await;
    worker.assert_role_used_and_end("intake-worker", polling(INTAKE)).await;
}

#[tokio::test]
async fn rollover_uses_every_permission_of_its_role() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let ids = fixture.marketing_contacts(1, past).await;
    fixture.queue(&ids, past).await;
    let form = fixture.form(&NewForm::new(Provider::Native, "Newsletter"), past).await;
    fixture.waiting(&form, &["bo"], past).await;
    fixture.bulk_job(1, past).await;
    fixture.automation(past).await;
    fixture.export(past).await;
    let queue = Queues::start().await;
    let mut rollover = Function::start_rollover(&fixture.table, &queue).await;
    assert_eq!(rollover.invoke(tick()).await.done()["finished"], true);
    let mut besides = queue.used();
    besides.insert(to_dead_letters("ScheduleDeadLetters"));
    rollover.assert_role_used_and_end("monthly-rollover", besides).await;
}

#[tokio::test]
async fn sweep_uses_every_permission_of_its_role() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let leaving = fixture.contact("ada", true, past).await;
    fixture.queue(&[leaving], past).await;
    let deleted = with_long_history(&fixture, "bo", past).await;
    delete(&fixture, deleted, past).await;
    let messages = fixture.sweeps().await;
    let mut sweep = Function::start("sweep-period", &fixture.table).await;
    assert_eq!(sweep.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
    let scan = testkit::scan(&fixture.table.client, fixture.account).await;
    assert_eq!((scan.contacts, scan.addresses), (1, 1));
    sweep.assert_role_used_and_end("sweep-period", polling(SWEEPS)).await;
}

#[tokio::test]
async fn contacts_uses_every_permission_of_its_role() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let admin = fixture.admin().await;
    let returning = with_long_history(&fixture, "ada", past).await;
    delete(&fixture, returning, past).await;
    let erased = with_long_history(&fixture, "bo", now()).await;
    let mut contacts = Function::start("contacts", &fixture.table).await;

    let body = |name: &str| json!({"email": address(name), "marketing": true});
    let create = |name: &str| {
        http("POST", "/v1/contacts").by(&admin).json(&body(name)).header("Idempotency-Key", name)
    };
    contacts.send(create("ada"), 201).await;
    contacts.send(create("ada"), 201).await;
    let created = contacts.send(create("cy"), 201).await;
    let path = format!("/v1/contacts/{}", created["id"].as_str().expect("an id"));
    let by_email = format!("/v1/contacts/by-email/{}", address("di"));
    contacts.send(http("PUT", &by_email).by(&admin).json(&json!({"marketing": true})), 201).await;
    contacts.send(http("PATCH", &path).by(&admin).json(&json!({"email": address("ed")})), 200).await;
    contacts.send(http("GET", &path).by(&admin), 200).await;
    contacts.send(http("GET", "/v1/contacts").by(&admin), 200).await;
    contacts.send(http("GET", &format!("/v1/contacts/{erased}/marketing")).by(&admin), 200).await;
    contacts
        .send(http("POST", "/v1/contacts/search").by(&admin).json(&json!({"filterGroups": []})), 200)
        .await;
    let question = json!({"tool": "marketing_email", "contacts": [{"email": address("di")}]});
    contacts.send(http("POST", "/v1/eligibility").by(&admin).json(&question), 200).await;
    contacts.send(http("DELETE", &path).by(&admin), 204).await;
    // The address returns in the same period, so the function restores the contact's unit.
    contacts.send(create("ed"), 201).await;
    contacts
        .send(http("DELETE", &format!("/v1/contacts/{erased}")).by(&admin).query("erase=true"), 204)
        .await;
    fixture.assert_exact().await;
    contacts.assert_role_used_and_end("contacts", BTreeSet::new()).await;
}

#[tokio::test]
async fn account_uses_every_permission_of_its_role() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let admin = fixture.admin().await;
    let operator = [("kind".to_owned(), "operator".into())].into_iter().collect();
    let mut account = Function::start("account", &fixture.table).await;
    let bearer = format!("Bearer {ADMIN_TOKEN}");
    let send = |method: &str, path: &str, body: Value| {
        http(method, path).by(&admin).header("Authorization", &bearer).json(&body)
    };
    account.send(http("GET", "/v1/usage/statements").by(&admin), 200).await;
    account.send(send("PATCH", "/v1/account", json!({"name": "Lovelace", "cap": 100})), 200).await;
    let sandbox = json!({"name": "Lovelace", "term": "monthly", "renewal_date": "2026-01-31", "test_clock": "2026-01-01T00:00:00Z"});
    let create = http("POST", "/v1/accounts").by(&operator).header("Authorization", &bearer).json(&sandbox);
    let created = account.send(create, 201).await;
    let path = format!("/v1/accounts/{}", created["account"]["id"].as_str().expect("an id"));
    account.send(http("GET", "/v1/accounts").by(&operator), 200).await;
    account.send(http("GET", &path).by(&operator), 200).await;
    let change = http("PATCH", &path).by(&operator).json(&json!({"tier": {"included": 10, "block": 10}}));
    account.send(change, 200).await;
    let token = http("POST", &format!("{path}/tokens")).by(&operator).header("Authorization", &bearer);
    account.send(token, 201).await;
    let mut other = admin.clone();
    other.insert("account".to_owned(), created["account"]["id"].clone());
    let move_clock =
        http("POST", "/v1/account/test-clock").by(&other).json(&json!({"now": "2026-04-15T00:00:00Z"}));
    account.send(move_clock, 200).await;

    let user =
        account.send(send("POST", "/v1/users", json!({"name": "Bo", "email": address("bo")})), 201).await;
    let user = user["id"].as_str().expect("an id");
    account.send(send("PATCH", &format!("/v1/users/{user}"), json!({"role": "admin"})), 200).await;
    account.send(http("GET", "/v1/users").by(&admin), 200).await;
    let token = account.send(send("POST", "/v1/tokens", json!({"user_id": user})), 201).await;
    account.send(http("GET", "/v1/tokens").by(&admin), 200).await;
    let token = format!("/v1/tokens/{}", token["id"].as_str().expect("an id"));
    account.send(http("DELETE", &token).by(&admin), 204).await;
    account.assert_role_used_and_end("account", BTreeSet::new()).await;
}

#[tokio::test]
async fn forms_uses_every_permission_of_its_role() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let admin = fixture.admin().await;
    let deleted = with_long_history(&fixture, "ada", past).await;
    delete(&fixture, deleted, past).await;
    let mut forms = Function::start("forms", &fixture.table).await;
    let send = |method: &str, path: &str, body: Value| http(method, path).by(&admin).json(&body);
    let created = forms.send(send("POST", "/v1/forms", json!({"name": "Newsletter"})), 201).await;
    let id = created["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/forms/{id}");
    forms.send(http("GET", &path).by(&admin), 200).await;
    forms.send(http("GET", "/v1/forms").by(&admin), 200).await;
    forms.send(send("PATCH", &path, json!({"name": "News"})), 200).await;
    // Of two rejected submissions, one is retried and one is deleted.
    let form = fixture.table.store.form(fixture.account, id.parse().expect("an id")).await.expect("the form");
    let answers = json!([{"names": ["email"], "kind": "text", "values": [address("ada")]}]).to_string();
    for _ in 0..2 {
        let rejection = Rejection {
            form: &form,
            submission_id: None,
            answers: &answers,
            reason: "no-address",
            errors: &[],
        };
        fixture.table.store.reject(&rejection, now()).await.expect("it is stored");
    }
    let rejected = forms.send(http("GET", &format!("{path}/rejected")).by(&admin), 200).await;
    let rejected =
        |n: usize| format!("{path}/rejected/{}", rejected["results"][n]["id"].as_str().expect("an id"));
    let retry = format!("{}/retry", rejected(0));
    assert_eq!(forms.send(http("POST", &retry).by(&admin), 200).await["marketing"], "set");
    forms.send(http("DELETE", &rejected(1)).by(&admin), 204).await;
    forms.send(http("DELETE", &path).by(&admin), 204).await;
    fixture.assert_exact().await;
    forms.assert_role_used_and_end("forms", BTreeSet::new()).await;
}

#[tokio::test]
async fn segments_uses_every_permission_of_its_role() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let (admin, queues) = (fixture.admin().await, Queues::start().await);
    let member = json!({"email": address("ada")});
    fixture.contact("ada", true, past).await;
    let mut segments = Function::start_with_queues("segments", &fixture.table, &queues).await;
    let send = |method: &str, path: &str, body: Value| http(method, path).by(&admin).json(&body);
    let list = json!({"name": "Guests", "contacts": [member]});
    let created = segments.send(send("POST", "/v1/segments", list).header("Idempotency-Key", "a"), 201).await;
    let path = format!("/v1/segments/{}", created["id"].as_str().expect("an id"));
    segments.send(http("GET", "/v1/segments").by(&admin), 200).await;
    segments.send(http("GET", &path).by(&admin), 200).await;
    segments.send(send("PATCH", &path, json!({"name": "Visitors"})), 200).await;
    let members = format!("{path}/members");
    for change in ["remove", "add"] {
        segments.send(send("POST", &members, json!({change: [member]})), 200).await;
    }
    let listed = segments.send(http("GET", &format!("{path}/contacts")).by(&admin), 200).await;
    assert_eq!(listed["results"][0]["email"], address("ada"));
    segments.send(http("DELETE", &path).by(&admin), 204).await;
    fixture.assert_exact().await;
    segments.assert_role_used_and_end("segments", queues.used()).await;
}

#[tokio::test]
async fn bulk_jobs_uses_every_permission_of_its_role() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let (admin, queues) = (fixture.admin().await, Queues::start().await);
    fixture.contact("ada", true, past).await;
    let mut jobs = Function::start_with_queues("bulk-jobs", &fixture.table, &queues).await;
    let send = |path: &str, body: Value| http("POST", path).by(&admin).json(&body);
    let change =
        |selection: Value| json!({"action": "set-marketing", "selection": selection, "confirm_count": 1});
    let preview = json!({"action": "set-marketing", "selection": {"filterGroups": []}});
    assert_eq!(jobs.send(send("/v1/bulk/preview", preview), 200).await["matched"], 1);
    assert_eq!(jobs.send(send("/v1/review", json!({"unengaged": {}})), 200).await["confirm_count"], 0);
    let by_address = json!({"contacts": [{"email": address("ada")}]});
    let created = jobs.send(send("/v1/bulk/jobs", change(by_address)), 202).await;
    let path = format!("/v1/bulk/jobs/{}", created["job"]["id"].as_str().expect("an id"));
    jobs.send(http("GET", &path).by(&admin), 200).await;
    jobs.send(http("GET", "/v1/bulk/jobs").by(&admin), 200).await;
    jobs.send(send(&format!("{path}/cancel"), json!({})), 200).await;
    fixture.assert_exact().await;
    jobs.assert_role_used_and_end("bulk-jobs", queues.used()).await;
}

#[tokio::test]
async fn bulk_worker_uses_every_permission_of_its_role() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let queues = Queues::start().await;
    let ids = fixture.marketing_contacts(1, past).await;
    fixture.queue(&ids, past).await;
    with_full_history(&fixture, true, now()).await;
    let message = fixture.bulk_job(2, now()).await;
    let mut worker = Function::start_with_queues("bulk-worker", &fixture.table, &queues).await;
    let done = json!({"batchItemFailures": []});
    // The remaining time is only enough for the message that continues.
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    assert_eq!(worker.invoke_within(batch(&[&message]), margin).await.done(), done);
    assert_eq!(worker.invoke(batch(&queues.take(BULK))).await.done(), done);
    let scan = testkit::scan(&fixture.table.client, fixture.account).await;
    assert_eq!((scan.billable, scan.leaving), (2, 0));
    fixture.assert_exact().await;
    let queue = polling(BULK).into_iter().chain(queues.used()).collect();
    worker.assert_role_used_and_end("bulk-worker", queue).await;
}

#[tokio::test]
async fn change_feed_uses_every_permission_of_its_role() {
    let fixture = Fixture::with_stream_begun(in_an_ended_period()).await;
    let queues = Queues::start().await;
    // The automation closes the period, which is then an ended one again for the feed.
    fixture.romans(now()).await;
    fixture.roman("ada").await;
    let mut feed = Function::start_with_queues("change-feed", &fixture.table, &queues).await;
    for _ in 0..2 {
        let changes = fixture.table.changes().await;
        assert_eq!(feed.invoke(stream(&changes)).await.done(), json!({"batchItemFailures": []}));
    }
    let besides = reading_the_stream().into_iter().chain(queues.used()).collect();
    feed.assert_role_used_and_end("change-feed", besides).await;
}

#[tokio::test]
async fn automation_worker_uses_every_permission_of_its_role() {
    let fixture = Fixture::with_stream().await;
    let queues = Queues::start().await;
    let task = fixture.romans(now()).await;
    with_full_history(&fixture, false, now()).await;
    fixture.roman("long").await;
    fixture.table.follow(now()).await;
    let deleted = fixture.romans(now()).await;
    let render =
        |(): &()| store::StoredResponse { status: 204, body: String::new(), etag: None, location: None };
    let responder = store::Responder::new(None, &render);
    let removal =
        fixture.table.store.delete_automation(fixture.account, deleted.automation, now(), responder);
    removal.await.expect("it is deleted");
    let mut worker = Function::start_with_queues("automation-worker", &fixture.table, &queues).await;
    let done = json!({"batchItemFailures": []});
    let [message, other] = [task, deleted].map(|task| serde_json::to_string(&task).expect("a message"));
    // The remaining time is only enough for the message that continues.
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    assert_eq!(worker.invoke_within(batch(&[&message]), margin).await.done(), done);
    assert_eq!(worker.invoke(batch(&queues.take(AUTOMATIONS))).await.done(), done);
    assert_eq!(worker.invoke(batch(&[&other])).await.done(), done);
    fixture.assert_exact().await;
    let queue = polling(AUTOMATIONS).into_iter().chain(queues.used()).collect();
    worker.assert_role_used_and_end("automation-worker", queue).await;
}

#[tokio::test]
async fn automations_uses_every_permission_of_its_role() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let (admin, queues) = (fixture.admin().await, Queues::start().await);
    let id = fixture.contact("ada", false, past).await;
    let mut automations = Function::start_with_queues("automations", &fixture.table, &queues).await;
    let send = |method: &str, path: &str, body: Value| http(method, path).by(&admin).json(&body);
    let body = json!({"name": "All", "enabled": true, "enrol": {"filterGroups": []}, "action": "set-marketing",
                      "enrol_existing": true, "confirm_count": 1});
    let created = automations.send(send("POST", "/v1/automations", body), 201).await;
    let path = format!("/v1/automations/{}", created["id"].as_str().expect("an id"));
    automations.send(http("GET", "/v1/automations").by(&admin), 200).await;
    automations.send(http("GET", &path).by(&admin), 200).await;
    automations.send(http("GET", &format!("{path}/runs")).by(&admin), 200).await;
    let test = json!({"contacts": [{"id": id.to_string()}]});
    automations.send(send("POST", &format!("{path}/test"), test), 200).await;
    automations.send(send("POST", &format!("{path}/resume"), json!({"waiting": "keep"})), 409).await;
    automations.send(send("PATCH", &path, json!({"enabled": false})), 200).await;
    automations.send(http("DELETE", &path).by(&admin), 204).await;
    fixture.assert_exact().await;
    automations.assert_role_used_and_end("automations", queues.used()).await;
}

#[tokio::test]
async fn gate_allows_only_the_permissions_of_the_role() {
    let table = TestTable::start().await;
    let gate = Gate::before(table.endpoint(), "authorizer").await;
    // The table's own client calls the in-process engine and signs nothing. This client sends its calls through the gate.
    let credentials = aws_sdk_dynamodb::config::Credentials::new("local", "local", None, None, "local");
    let mut config = table.client.config().to_builder().endpoint_url(gate.endpoint());
    config.set_http_client(None).set_auth_scheme_preference(None);
    let config = config.credentials_provider(credentials).build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    let key = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let get = |pk: &str| client.get_item().table_name(testkit::TABLE).key("pk", key(pk)).key("sk", key("b"));
    get("TOKEN#a").send().await.expect("it is allowed");
    let refused = get("CONTACT#a").send().await.expect_err("the role names no contacts").into_service_error();
    assert_eq!(refused.meta().code(), Some("AccessDeniedException"));
    let delete = client.delete_item().table_name(testkit::TABLE);
    let delete = delete.key("pk", key("TOKEN#a")).key("sk", key("b"));
    let refused = delete.send().await.expect_err("it is not allowed").into_service_error();
    assert_eq!(refused.meta().code(), Some("AccessDeniedException"));
    let names = |found: BTreeSet<Permission>| found.into_iter().map(|one| one.action).collect::<Vec<_>>();
    assert_eq!(names(gate.used()), ["dynamodb:GetItem"]);
    assert_eq!(names(gate.refused()), ["dynamodb:DeleteItem", "dynamodb:GetItem"]);
}
