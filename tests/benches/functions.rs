//! Benchmarks of each function alone: the size of its binary, its start time, and its peak memory.

use api::token::sha256_hex;
use domain::marketing::EffectiveState;
use domain::period::PeriodNumber;
use domain::provider::Provider;
use serde_json::json;

use crate::binaries::{Binaries, FUNCTIONS};
use crate::events;
use crate::report::{Row, row};
use crate::runtime_api::Function;
use crate::sample::Sample;
use crate::setting::{ADMIN_TOKEN, Fixture, in_an_ended_period, now};

/// The maximum size of a binary, in MB.
const SIZE_MOST: f64 = 8.0;
/// The maximum ratio of a function's start time to the empty function's.
const START_MOST: f64 = 1.3;
/// The function that is the baseline for all others.
const EMPTY: &str = "empty-function";
/// The secret of the session in the console's event.
const SESSION: &str = "session-of-the-benchmark";
/// The number of contacts in the events.
const CONTACTS: u64 = 98;

/// Measures all functions, with this number of starts each.
pub async fn measure(binaries: &Binaries, starts: usize) {
    for name in FUNCTIONS.iter().chain(&[EMPTY]) {
        let size = binaries.megabytes(name);
        let row_of = Row::new(format!("`{name}`: binary"), format!("{size:.2}"), "MB");
        row(&row_of.ratio(size / binaries.megabytes(EMPTY)).at_most(size, SIZE_MOST, " MB"));
    }
    let setting = Fixture::begun(now()).await;
    let mut times: Vec<Sample> = (0..=FUNCTIONS.len()).map(|_| Sample::default()).collect();
    // The functions start in turns, so that a busy moment of the machine affects all of them.
    for _ in 0..starts {
        for (name, times) in FUNCTIONS.iter().chain(&[EMPTY]).zip(&mut times) {
            times.add(Function::start(binaries.path(name), setting.table.endpoint()).await.start);
        }
    }
    let empty = times.last_mut().map_or(f64::NAN, Sample::median);
    for (name, times) in FUNCTIONS.iter().chain(&[EMPTY]).zip(&mut times) {
        let (median, worst) = (times.median(), times.millis(0.9));
        let measured = format!("{median:.1} (p90 {worst:.1})");
        let start = Row::new(format!("`{name}`: start to first poll"), measured, "ms").ratio(median / empty);
        row(&start.at_most(median / empty, START_MOST, " ×"));
    }
    for name in FUNCTIONS.iter().chain(&[EMPTY]) {
        let peak = peak(binaries, name).await;
        row(&Row::new(format!("`{name}`: peak memory after an event"), format!("{peak:.1}"), "MB"));
    }
}

/// Returns the peak memory of a function after its start and a typical event, in MB.
async fn peak(binaries: &Binaries, name: &str) -> f64 {
    let (setting, event) = typical(name).await;
    let mut function = Function::start(binaries.path(name), setting.table.endpoint()).await;
    let (answer, _) = function.invoke(event).await;
    let answer: serde_json::Value = serde_json::from_slice(&answer).expect("an answer in JSON");
    assert!(answer["statusCode"].is_null() || answer["statusCode"] == 200, "{name}: {answer}");
    function.process.peak_megabytes()
}

/// Returns a typical event of a function, and the table that the event refers to.
async fn typical(name: &str) -> (Fixture, String) {
    let (begun, state) = match name {
        "sweep-period" => (in_an_ended_period(), EffectiveState::Leaving),
        "set-non-marketing-pending" => (now(), EffectiveState::Marketing),
        _ => (now(), EffectiveState::NonMarketing),
    };
    let setting = Fixture::begun(begun).await;
    let ids = testkit::seed(&setting.table, setting.account, CONTACTS, state, begun).await;
    let admin = setting.context().await;
    let contacts: Vec<_> = ids.iter().map(|id| json!({"id": id.to_string()})).collect();
    let contacts = json!({"contacts": contacts}).to_string();
    let event = match name {
        "account" => events::http("GET", "/v1/usage", &admin, ""),
        "authorizer" => events::authorization(ADMIN_TOKEN),
        "bulk-jobs" => {
            let change = json!({"action": "set-marketing", "selection": {"filterGroups": []}});
            events::http("POST", "/v1/bulk/preview", &admin, &change.to_string())
        }
        "automation-worker" => {
            let automation = domain::ids::AutomationId::new(now(), 1);
            let task = store::AutomationTask { account: setting.account, automation };
            events::message(&serde_json::to_string(&task).expect("a message"))
        }
        "bulk-worker" => events::message(&bulk_job(&setting).await),
        "change-feed" => events::changes(),
        "console" => {
            let (session, token) = (sha256_hex(SESSION.as_bytes()), sha256_hex(ADMIN_TOKEN.as_bytes()));
            let begun = setting.table.store.begin_session(&session, &token, now()).await;
            begun.expect("a session");
            let mut page: serde_json::Value =
                serde_json::from_str(&events::http("GET", "/console", &admin, "")).expect("an event");
            page["cookies"] = json!([format!("__Host-tidemark={SESSION}")]);
            page.to_string()
        }
        "contacts" => {
            events::http("POST", "/v1/contacts/search", &admin, &json!({"filterGroups": []}).to_string())
        }
        // No such import exists, because the benchmark has no files.
        "file-worker" => {
            let job = store::FileJob::Import(domain::ids::ImportId::new(now(), 1));
            let task = store::FileTask { account: setting.account, job };
            events::message(&serde_json::to_string(&task).expect("a message"))
        }
        "files" => events::http("GET", "/v1/imports", &admin, ""),
        "form-submission" => {
            let form = form(&setting).await;
            let body = json!({"fields": {"email": "ada@example.org"}}).to_string();
            events::http("POST", &format!("/v1/forms/{form}/submissions"), &admin, &body)
        }
        "forms" => events::http("GET", "/v1/forms", &admin, ""),
        "hubspot-crm" => {
            let mut list: serde_json::Value =
                serde_json::from_str(&events::http("GET", "/crm/v3/objects/contacts", &admin, ""))
                    .expect("an event");
            list["headers"]["authorization"] = format!("Bearer {ADMIN_TOKEN}").into();
            list.to_string()
        }
        "monthly-rollover" => events::tick(),
        "automations" => events::http("GET", "/v1/automations", &admin, ""),
        "segments" => events::http("GET", "/v1/segments", &admin, ""),
        "set-marketing" => events::http("POST", "/v1/contacts/marketing", &admin, &contacts),
        "set-non-marketing-pending" => {
            events::http("POST", "/v1/contacts/non-marketing-pending", &admin, &contacts)
        }
        "intake-worker" => {
            let form = form(&setting).await;
            let form = setting.table.store.public_form(form).await.expect("the form");
            let email = testkit::email("ada@example.org");
            let submission = store::Submission {
                form: &form,
                submission_id: None,
                email: &email,
                properties: &[],
                left_out: 0,
            };
            let accepted = setting.table.store.accept_into_inbox(&submission, now()).await;
            let task = accepted.expect("the submission is accepted").waiting.expect("a task of the inbox");
            events::message(&serde_json::to_string(&task).expect("a message"))
        }
        "sweep-period" => {
            setting.table.store.close_ended(setting.account, now()).await.expect("the period closes");
            let sweeps = setting.table.store.unswept(setting.account, PeriodNumber::FIRST).await;
            let sweep = sweeps.expect("the sweeps")[0];
            events::message(&serde_json::to_string(&sweep).expect("a message"))
        }
        _ => events::http("GET", "/", &admin, ""),
    };
    (setting, event)
}

/// Creates a job that sets all contacts marketing, and returns its message.
async fn bulk_job(setting: &Fixture) -> String {
    let account = setting.account;
    let selected = store::Selected {
        by: store::Selection::Filter(domain::filter::Filter::default()),
        except: std::collections::BTreeSet::new(),
    };
    let request = store::BulkRequest {
        account,
        command: domain::decision::Command::SetMarketing,
        target: store::Target::Selected(selected),
        confirm_count: Some(CONTACTS),
        actor: domain::source::Actor::User(domain::ids::UserId::new(domain::Timestamp::MIN, 1)),
    };
    let render = |job: &store::BulkJob| store::StoredResponse {
        status: 202,
        body: job.id.to_string(),
        etag: None,
        location: None,
    };
    let responder = store::Responder::new(None, &render);
    setting.table.store.create_bulk_job(&request, now(), || true, responder).await.expect("a job");
    serde_json::to_string(&store::BulkTask { account }).expect("a message")
}

/// Creates a form of the account and returns its id.
async fn form(setting: &Fixture) -> domain::ids::FormId {
    let new = store::NewForm::new(Provider::Native, "Newsletter");
    let render = |form: &store::Form| store::StoredResponse {
        status: 201,
        body: form.id.to_string(),
        etag: None,
        location: None,
    };
    let responder = store::Responder::new(None, &render);
    let made =
        setting.table.store.create_form(setting.account, &new, now(), responder).await.expect("a form");
    made.body.parse().expect("an id")
}
