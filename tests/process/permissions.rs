//! What each role allows against what its function calls: nothing is missing, and nothing is there for nobody.
//!
//! That nothing is missing is held by every test of this folder, because the gate lets nothing else through. Here each
//! function is taken through all that it can do, so that what it never needs stands out.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::decision::Command;
use domain::ids::ContactId;
use domain::limits::{CONTACTS_PER_TRANSACTION_MAX, HISTORY_RECENT_MAX};
use domain::provider::Provider;
use serde_json::{Value, json};
use store::{NewForm, Rejection};
use testkit::TestTable;

use super::events::{HttpEvent, HttpResponse, authorization, batch, http, tick};
use super::function::Function;
use super::gate::Gate;
use super::queue::{INTAKE, Queues, SWEEPS};
use super::setting::{ADMIN_TOKEN, Fixture, address, in_an_ended_period, now};
use crate::operations;
use crate::template::permissions::{Permission, permissions_of};

impl Function {
    /// Sends a request and gives the body of its answer, which has this status.
    async fn ask(&mut self, request: HttpEvent, status: u16) -> Value {
        let answer = HttpResponse::of(&self.invoke(request.event()).await.done());
        assert_eq!(answer.status, status, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    /// Ends the function, after holding what it used against what its role allows. `besides` is what it used of queues,
    /// or Lambda did in its name.
    async fn end_having_used_everything(self, name: &str, besides: BTreeSet<Permission>) {
        let mut used = self.gate.used();
        used.extend(besides);
        assert_eq!(used, permissions_of(name), "what {name} used, and what it may do");
        self.end().await;
    }
}

/// What Lambda does with a queue in the name of the function that works through it.
fn polling(queue: &str) -> BTreeSet<Permission> {
    let actions = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
    actions.map(|action| Permission { action: action.to_owned(), on: queue.to_owned() }).into()
}

/// A marketing contact whose history has grown over more than one page.
async fn with_long_history(setting: &Fixture, name: &str, at: Timestamp) -> ContactId {
    let id = setting.contact(name, true, at).await;
    for _ in 0..=HISTORY_RECENT_MAX / 2 {
        for command in [Command::SetNonMarketingPending, Command::SetMarketing] {
            operations::set(&setting.table.store, setting.account, command, &[id], at)
                .await
                .expect("a report");
        }
    }
    id
}

/// A contact whose next change moves the oldest ones to a page. It is leaving, or else marketing.
async fn with_full_history(setting: &Fixture, leaving: bool) -> ContactId {
    let id = setting.contact("long", !leaving, now()).await;
    let mut commands = [Command::SetNonMarketingPending, Command::SetMarketing];
    if leaving {
        commands.reverse();
    }
    for command in commands.into_iter().cycle().take(HISTORY_RECENT_MAX - 1) {
        let changed = operations::set(&setting.table.store, setting.account, command, &[id], now()).await;
        changed.expect("a report");
    }
    id
}

async fn delete(setting: &Fixture, id: ContactId, at: Timestamp) {
    operations::delete(&setting.table.store, setting.account, id, false, at).await.expect("it is deleted");
}

#[tokio::test]
async fn the_authorizer_uses_all_that_it_may() {
    let setting = Fixture::start().await;
    let mut authorizer = Function::start("authorizer", &setting.table).await;
    authorizer.invoke(authorization(Some(&format!("Bearer {ADMIN_TOKEN}")))).await.done();
    authorizer.end_having_used_everything("authorizer", BTreeSet::new()).await;
}

#[tokio::test]
async fn the_status_functions_use_all_that_they_may() {
    for (name, route) in [
        ("set-marketing", "/v1/contacts/marketing"),
        ("set-non-marketing-pending", "/v1/contacts/non-marketing-pending"),
    ] {
        let setting = Fixture::start().await;
        let admin = setting.admin().await;
        let ids = setting.marketing_contacts(CONTACTS_PER_TRANSACTION_MAX + 2, now()).await;
        if name == "set-marketing" {
            for some in ids.chunks(CONTACTS_PER_TRANSACTION_MAX) {
                setting.queue(some, now()).await;
            }
        }
        let ids = [ids, vec![with_full_history(&setting, name == "set-marketing").await]].concat();
        let contacts: Vec<Value> = ids.iter().map(|id| json!({"id": id.to_string()})).collect();
        let mut function = Function::start(name, &setting.table).await;
        // More than one transaction takes, under a key: a repeat would ask what the first try did.
        let request = http("POST", route).by(&admin).json(&json!({"contacts": contacts}));
        let report = function.ask(request.header("Idempotency-Key", "all"), 200).await;
        assert_eq!(report["summary"]["unchanged"], 0);
        setting.assert_exact().await;
        function.end_having_used_everything(name, BTreeSet::new()).await;
    }
}

#[tokio::test]
async fn form_submission_uses_all_that_it_may() {
    let then = in_an_ended_period();
    let setting = Fixture::begun(then).await;
    let admin = setting.admin().await;
    let gone = with_long_history(&setting, "ada", then).await;
    delete(&setting, gone, then).await;
    let mut forms = Function::start("forms", &setting.table).await;
    let form = json!({"name": "Newsletter", "answer": "full"});
    let form = forms.ask(http("POST", "/v1/forms").by(&admin).json(&form), 201).await;
    forms.end().await;

    // Somebody comes back whose unit of an earlier period is not swept yet: it goes, with its history.
    let queues = Queues::start().await;
    let mut function = Function::start_with_queues("form-submission", &setting.table, &queues).await;
    let path = format!("/v1/forms/{}/submissions", form["id"].as_str().expect("an id"));
    let submit =
        http("POST", &path).json(&json!({"fields": {"email": address("ada")}, "submission_id": "s-1"}));
    let made = function.ask(submit, 200).await;
    assert_eq!((&made["contact"], &made["marketing"]), (&json!("created"), &json!("set")));

    // The table is too busy for anything but the inbox.
    function.gate.fail(|operation, _| operation == "TransactWriteItems");
    let submit =
        http("POST", &path).json(&json!({"fields": {"email": address("bo")}, "submission_id": "s-2"}));
    assert_eq!(function.ask(submit, 200).await["contact"], "accepted");
    setting.assert_exact().await;
    function.end_having_used_everything("form-submission", queues.used()).await;
}

#[tokio::test]
async fn the_inboxs_worker_uses_all_that_it_may() {
    let then = in_an_ended_period();
    let setting = Fixture::begun(then).await;
    let form = setting.form(&NewForm::new(Provider::Native, "Newsletter"), then).await;
    let gone = with_long_history(&setting, "ada", then).await;
    delete(&setting, gone, then).await;
    let messages = setting.waiting(&form, &["ada", "bo"], now()).await;
    let mut worker = Function::start("intake-worker", &setting.table).await;
    assert_eq!(worker.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
    setting.assert_exact().await;
    worker.end_having_used_everything("intake-worker", polling(INTAKE)).await;
}

#[tokio::test]
async fn the_rollover_uses_all_that_it_may() {
    let then = in_an_ended_period();
    let setting = Fixture::begun(then).await;
    let ids = setting.marketing_contacts(1, then).await;
    setting.queue(&ids, then).await;
    let form = setting.form(&NewForm::new(Provider::Native, "Newsletter"), then).await;
    setting.waiting(&form, &["bo"], then).await;
    let queue = Queues::start().await;
    let mut rollover = Function::start_rollover(&setting.table, &queue).await;
    assert_eq!(rollover.invoke(tick()).await.done()["finished"], true);
    rollover.end_having_used_everything("monthly-rollover", queue.used()).await;
}

#[tokio::test]
async fn the_sweep_uses_all_that_it_may() {
    let then = in_an_ended_period();
    let setting = Fixture::begun(then).await;
    let leaving = setting.contact("ada", true, then).await;
    setting.queue(&[leaving], then).await;
    let deleted = with_long_history(&setting, "bo", then).await;
    delete(&setting, deleted, then).await;
    let messages = setting.sweeps().await;
    let mut sweep = Function::start("sweep-period", &setting.table).await;
    assert_eq!(sweep.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
    let scan = testkit::scan(&setting.table.client, setting.account).await;
    assert_eq!((scan.contacts, scan.addresses), (1, 1));
    sweep.end_having_used_everything("sweep-period", polling(SWEEPS)).await;
}

#[tokio::test]
async fn contacts_uses_all_that_it_may() {
    let then = in_an_ended_period();
    let setting = Fixture::begun(then).await;
    let admin = setting.admin().await;
    let returning = with_long_history(&setting, "ada", then).await;
    delete(&setting, returning, then).await;
    let erased = with_long_history(&setting, "bo", now()).await;
    let mut contacts = Function::start("contacts", &setting.table).await;

    let body = |name: &str| json!({"email": address(name), "marketing": true});
    let create = |name: &str| {
        http("POST", "/v1/contacts").by(&admin).json(&body(name)).header("Idempotency-Key", name)
    };
    contacts.ask(create("ada"), 201).await;
    contacts.ask(create("ada"), 201).await;
    let made = contacts.ask(create("cy"), 201).await;
    let path = format!("/v1/contacts/{}", made["id"].as_str().expect("an id"));
    let by_email = format!("/v1/contacts/by-email/{}", address("di"));
    contacts.ask(http("PUT", &by_email).by(&admin).json(&json!({"marketing": true})), 201).await;
    contacts.ask(http("PATCH", &path).by(&admin).json(&json!({"email": address("ed")})), 200).await;
    contacts.ask(http("GET", &path).by(&admin), 200).await;
    contacts.ask(http("GET", "/v1/contacts").by(&admin), 200).await;
    contacts.ask(http("GET", &format!("/v1/contacts/{erased}/marketing")).by(&admin), 200).await;
    contacts
        .ask(http("POST", "/v1/contacts/search").by(&admin).json(&json!({"filterGroups": []})), 200)
        .await;
    let asked = json!({"tool": "marketing_email", "contacts": [{"email": address("di")}]});
    contacts.ask(http("POST", "/v1/eligibility").by(&admin).json(&asked), 200).await;
    contacts.ask(http("DELETE", &path).by(&admin), 204).await;
    // Back in the same period: it takes its place again.
    contacts.ask(create("ed"), 201).await;
    contacts.ask(http("DELETE", &format!("/v1/contacts/{erased}")).by(&admin).query("erase=true"), 204).await;
    setting.assert_exact().await;
    contacts.end_having_used_everything("contacts", BTreeSet::new()).await;
}

#[tokio::test]
async fn account_uses_all_that_it_may() {
    let then = in_an_ended_period();
    let setting = Fixture::begun(then).await;
    let admin = setting.admin().await;
    let operator = [("kind".to_owned(), "operator".into())].into_iter().collect();
    let mut account = Function::start("account", &setting.table).await;
    let bearer = format!("Bearer {ADMIN_TOKEN}");
    let send = |method: &str, path: &str, body: Value| {
        http(method, path).by(&admin).header("Authorization", &bearer).json(&body)
    };
    account.ask(http("GET", "/v1/usage/statements").by(&admin), 200).await;
    account.ask(send("PATCH", "/v1/account", json!({"name": "Lovelace", "cap": 100})), 200).await;
    let sandbox = json!({"name": "Lovelace", "term": "monthly", "renewal_date": "2026-01-31", "test_clock": "2026-01-01T00:00:00Z"});
    let create = http("POST", "/v1/accounts").by(&operator).header("Authorization", &bearer).json(&sandbox);
    let made = account.ask(create, 201).await;
    let path = format!("/v1/accounts/{}", made["account"]["id"].as_str().expect("an id"));
    account.ask(http("GET", "/v1/accounts").by(&operator), 200).await;
    account.ask(http("GET", &path).by(&operator), 200).await;
    let change = http("PATCH", &path).by(&operator).json(&json!({"tier": {"included": 10, "block": 10}}));
    account.ask(change, 200).await;
    let token = http("POST", &format!("{path}/tokens")).by(&operator).header("Authorization", &bearer);
    account.ask(token, 201).await;
    let mut other = admin.clone();
    other.insert("account".to_owned(), made["account"]["id"].clone());
    let move_clock =
        http("POST", "/v1/account/test-clock").by(&other).json(&json!({"now": "2026-04-15T00:00:00Z"}));
    account.ask(move_clock, 200).await;

    let user =
        account.ask(send("POST", "/v1/users", json!({"name": "Bo", "email": address("bo")})), 201).await;
    let user = user["id"].as_str().expect("an id");
    account.ask(send("PATCH", &format!("/v1/users/{user}"), json!({"role": "admin"})), 200).await;
    account.ask(http("GET", "/v1/users").by(&admin), 200).await;
    let token = account.ask(send("POST", "/v1/tokens", json!({"user_id": user})), 201).await;
    account.ask(http("GET", "/v1/tokens").by(&admin), 200).await;
    let token = format!("/v1/tokens/{}", token["id"].as_str().expect("an id"));
    account.ask(http("DELETE", &token).by(&admin), 204).await;
    account.end_having_used_everything("account", BTreeSet::new()).await;
}

#[tokio::test]
async fn forms_uses_all_that_it_may() {
    let then = in_an_ended_period();
    let setting = Fixture::begun(then).await;
    let admin = setting.admin().await;
    let gone = with_long_history(&setting, "ada", then).await;
    delete(&setting, gone, then).await;
    let mut forms = Function::start("forms", &setting.table).await;
    let send = |method: &str, path: &str, body: Value| http(method, path).by(&admin).json(&body);
    let made = forms.ask(send("POST", "/v1/forms", json!({"name": "Newsletter"})), 201).await;
    let id = made["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/forms/{id}");
    forms.ask(http("GET", &path).by(&admin), 200).await;
    forms.ask(http("GET", "/v1/forms").by(&admin), 200).await;
    forms.ask(send("PATCH", &path, json!({"name": "News"})), 200).await;
    // Two that could not be taken: one is taken after all, and one removed.
    let form = setting.table.store.form(setting.account, id.parse().expect("an id")).await.expect("the form");
    let answers = json!([{"names": ["email"], "kind": "text", "values": [address("ada")]}]).to_string();
    for _ in 0..2 {
        let rejection = Rejection {
            form: &form,
            submission_id: None,
            answers: &answers,
            reason: "no-address",
            errors: &[],
        };
        setting.table.store.reject(&rejection, now()).await.expect("it is kept");
    }
    let rejected = forms.ask(http("GET", &format!("{path}/rejected")).by(&admin), 200).await;
    let rejected =
        |n: usize| format!("{path}/rejected/{}", rejected["results"][n]["id"].as_str().expect("an id"));
    let retry = format!("{}/retry", rejected(0));
    assert_eq!(forms.ask(http("POST", &retry).by(&admin), 200).await["marketing"], "set");
    forms.ask(http("DELETE", &rejected(1)).by(&admin), 204).await;
    forms.ask(http("DELETE", &path).by(&admin), 204).await;
    setting.assert_exact().await;
    forms.end_having_used_everything("forms", BTreeSet::new()).await;
}

#[tokio::test]
async fn the_gate_lets_through_what_is_allowed_and_nothing_else() {
    let table = TestTable::start().await;
    let gate = Gate::before(table.endpoint(), "authorizer").await;
    // The table's own client is the engine in this process: this one is to go through the gate.
    let mut config = table.client.config().to_builder().endpoint_url(gate.endpoint());
    let config = config.set_http_client(None).clone().build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    let key = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let get = client.get_item().table_name(testkit::TABLE).key("pk", key("a")).key("sk", key("b"));
    get.send().await.expect("it is allowed");
    let delete = client.delete_item().table_name(testkit::TABLE).key("pk", key("a")).key("sk", key("b"));
    let refused = delete.send().await.expect_err("it is not allowed").into_service_error();
    assert_eq!(refused.meta().code(), Some("AccessDeniedException"));
    let names = |found: BTreeSet<Permission>| found.into_iter().map(|one| one.action).collect::<Vec<_>>();
    assert_eq!(names(gate.used()), ["dynamodb:GetItem"]);
    assert_eq!(names(gate.refused()), ["dynamodb:DeleteItem"]);
}
