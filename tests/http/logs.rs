//! Log lines: every fault is logged once, without addresses, names, property values or tokens.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::{Problem, ProblemType};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::decision::Command;
use domain::source::{Actor, Source};
use serde_json::{Value, json};
use store::{ContactRef, Responder, Search, StatusReport, StatusRequest, StoredResponse};
use testkit::{Api, Conflicts, Fault, TABLE, TestTable, at};
use tracing::Level;
use tracing::subscriber::DefaultGuard;

use super::START;
use super::walk::{Fixture, PRIVATE};
use crate::openapi::operations;

/// The log lines of this thread, with the deployed format at level `TRACE`.
struct Log {
    lines: Arc<Mutex<Vec<u8>>>,
    _guard: DefaultGuard,
}

#[derive(Clone)]
struct Writer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let writer = Writer(lines.clone());
        let subscriber = bootstrap::log_subscriber(Level::TRACE, move || writer.clone());
        Self { lines, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// Removes and returns the lines logged since the last call.
    fn take(&self) -> Vec<Value> {
        let bytes = std::mem::take(&mut *self.lines.lock().unwrap());
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Asserts that the lines contain no private data and no token of the fixture.
fn assert_silent(lines: &[Value], fixture: &Fixture) {
    for line in lines {
        let text = line.to_string();
        let lower = text.to_lowercase();
        for word in [PRIVATE, "private.example", "tmk_"] {
            assert!(!lower.contains(word), "{text}");
        }
        for token in fixture.tokens() {
            assert!(!text.contains(token.trim_start_matches("tmk_")), "{text}");
        }
    }
}

/// Returns true if the program logged the line as an error. The SDK's own lines are ignored, because the injected
/// faults close its connections.
fn is_our_error(line: &Value) -> bool {
    line["level"] == "ERROR" && !line["target"].as_str().unwrap().starts_with("aws_")
}

/// The fault that every request to the table returns.
#[derive(Clone, Default)]
struct InjectedFault(Arc<Mutex<Option<Fault>>>);

impl InjectedFault {
    fn set(&self, fault: Option<Fault>) {
        *self.0.lock().unwrap() = fault;
    }

    fn get(&self) -> Option<Fault> {
        *self.0.lock().unwrap()
    }
}

/// Creates a fixture over a table with injectable faults.
async fn fixture() -> (Fixture, InjectedFault) {
    let injected = InjectedFault::default();
    let injected_fault = injected.clone();
    let faults = Conflicts::with_plan(Duration::ZERO, move |_, _| injected_fault.get());
    let table = TestTable::with_stream_and_faults(&faults).await;
    (Fixture::start(Api::over(table, at(START))).await, injected)
}

#[tokio::test(start_paused = true)]
async fn successful_and_refused_requests_log_no_private_data() {
    let log = Log::start();
    let (fixture, _) = fixture().await;
    let (operations, _) = operations::every();
    for (operation, reply) in fixture.all(&operations).await {
        assert!(reply.status < 400, "{operation} {}", reply.text());
    }
    for operation in &operations {
        let spoilt = json!({"wanda": "wanda", "email": "wanda", "name": {"wanda": 1}, "properties": {"Wanda": "wanda"}});
        let request = || fixture.anonymous_request(operation, "wanda=wanda", Some(&spoilt));
        let token = fixture.token(operation).unwrap_or("tmk_wanda");
        for reply in [
            request().token(token).await,
            request().token("tmk_wanda").await,
            request().token(token).key("wanda wanda").if_match("wanda").await,
            fixture.request(operation).body("application/json", "{\"wanda\": wanda}").await,
            fixture.request(operation).body("text/wanda", "wanda").await,
        ] {
            assert!(reply.status < 500, "{operation} {}", reply.text());
        }
    }
    for path in [
        "/v1/wanda@private.example",
        "/v1/contacts/by-email/wanda",
        "/v1/contacts/by-email/nobody.wanda@private.example",
    ] {
        let reply = fixture.api.get(path).token(&fixture.account.token).await;
        assert!([400, 404].contains(&reply.status));
    }
    let lines = log.take();
    assert_silent(&lines, &fixture);
    assert!(
        lines.iter().all(|line| line["level"] != "ERROR"),
        "a refusal must not be logged as an error: {lines:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn unavailable_table_logs_one_error_per_request() {
    let log = Log::start();
    let (fixture, injected) = fixture().await;
    let (operations, _) = operations::every();
    for fault in [Fault::Unavailable, Fault::Throttled, Fault::AnswerLost] {
        injected.set(Some(fault));
        log.take();
        for operation in operations.iter().filter(|operation| operation.path != "/v1/openapi.json") {
            let body = fixture.body(operation);
            let reply = fixture.request_with(operation, "", body.as_ref()).await;
            // The authorizer answers with a problem document before HubSpot's endpoint is called.
            let instance = match reply.header("content-type") {
                Some("application/json") => reply.expect(503)["correlationId"].clone(),
                _ => reply.problem(ProblemType::Unavailable)["instance"].clone(),
            };
            let lines = log.take();
            assert_silent(&lines, &fixture);
            let errors: Vec<&Value> = lines.iter().filter(|line| is_our_error(line)).collect();
            let [error] = errors.as_slice() else { panic!("{operation} {fault:?}: {lines:?}") };
            assert_eq!((&error["message"], &error["request_id"]), (&json!("request failed"), &instance));
            assert!(
                error["error"].as_str().unwrap().contains(": "),
                "the chain of causes is missing: {error}"
            );
        }
        injected.set(None);
        fixture.api.assert_exact(&fixture.account).await;
    }
}

#[tokio::test(start_paused = true)]
async fn unreadable_item_is_logged_without_its_content() {
    let log = Log::start();
    let (fixture, _) = fixture().await;
    let contact =
        fixture.api.get("/v1/contacts").token(&fixture.account.token).await.expect(200)["results"][0].clone();
    let id: domain::ids::ContactId = contact["id"].as_str().unwrap().parse().unwrap();
    let text = |text: String| AttributeValue::S(text);
    let key = (text(format!("CONTACT#{}#{}", fixture.account.id, id.bucket())), text(id.sortable()));
    let path = format!("/v1/contacts/{id}");
    let spoilt = [
        ("version", text("wanda@private.example".into())),
        ("created_at", text("wanda@private.example".into())),
        ("state", text("wanda@private.example".into())),
        ("properties", AttributeValue::L(vec![text("wanda@private.example".into())])),
        ("unsubscribed", text("wanda@private.example".into())),
        ("history", text("wanda@private.example".into())),
    ];
    for (name, value) in spoilt {
        let whole = fixture
            .api
            .table
            .client
            .get_item()
            .table_name(TABLE)
            .key("pk", key.0.clone())
            .key("sk", key.1.clone());
        let whole = whole.send().await.unwrap().item.unwrap();
        // Flags that are off are not stored.
        assert!(
            whole.contains_key(name) || name == "unsubscribed",
            "{name} is not an attribute: {:?}",
            whole.keys()
        );
        let mut broken = whole.clone();
        broken.insert(name.to_owned(), value);
        let put = |item| fixture.api.table.client.put_item().table_name(TABLE).set_item(Some(item)).send();
        put(broken).await.unwrap();
        log.take();
        for reply in [
            fixture.api.get(&path).token(&fixture.account.token).await,
            fixture.api.get("/v1/contacts").token(&fixture.account.token).await,
            fixture.api.patch(&path).token(&fixture.account.token).json(&json!({"bounced": true})).await,
        ] {
            let problem = reply.problem(ProblemType::Internal);
            assert!(!problem.to_string().to_lowercase().contains(PRIVATE), "{problem}");
        }
        let lines = log.take();
        assert_eq!(lines.iter().filter(|line| is_our_error(line)).count(), 3, "{name}: {lines:?}");
        assert_silent(&lines, &fixture);
        put(whole).await.unwrap();
    }
    assert_eq!(fixture.api.get(&path).token(&fixture.account.token).await.expect(200), contact);
}

#[tokio::test(start_paused = true)]
async fn debug_output_hides_addresses_and_properties() {
    const ADDRESS: &str = "zoe@zoe.example";
    let (api, account) = super::one_account(json!({})).await;
    let body = json!({"email": ADDRESS, "properties": {"firstname": "Zoe"}, "marketing": true});
    let id = api.contact(&account.token, body).await;
    let (store, now) = (&api.table.store, at(START));
    let contact = || ContactRef::Email(testkit::email(ADDRESS));
    let command = StatusRequest {
        account: account.id,
        command: Command::SetNonMarketingPending,
        contacts: &[contact()],
        dry_run: true,
        source: Source::update_date(),
        actor: Actor::System,
    };
    let reports = Mutex::new(Vec::new());
    let render = |report: &StatusReport| {
        reports.lock().unwrap().push(format!("{report:?}"));
        StoredResponse { status: 200, body: ADDRESS.to_owned(), etag: None, location: None }
    };
    let answer = store.set_status(&command, now, Responder::new(None, &render)).await.unwrap();
    let all = Search { account: account.id, filter: None, after: None, limit: 10 };
    let mut shown = reports.into_inner().unwrap();
    shown.extend([
        format!("{command:?}"),
        format!("{answer:?}"),
        format!("{:?}", store.contact(account.id, contact(), now).await.unwrap()),
        format!("{:?}", store.explain(account.id, contact(), now).await.unwrap()),
        format!("{:?}", store.search(all, now).await.unwrap()),
        format!("{:?}", Problem::invalid_field("properties.Zoe", "Zoe")),
    ]);
    for text in &shown {
        assert!(!text.to_lowercase().contains("zoe"), "{text}");
    }
    assert!(shown.iter().any(|text| text.contains(&id)), "the output must include the contact's id");
}
