//! The console's pages: their reads, read units, sizes and times, over few contacts and over many.

use std::time::Instant;

use domain::marketing::EffectiveState;
use serde_json::{Value, json};
use testkit::{Api, TestTable, at};

use crate::contention;
use crate::report::{Row, row};
use crate::sample::Sample;

/// The maximum time of a page over 100,000 contacts in milliseconds, by the median.
const TIME_MAX: f64 = 300.0;

/// A signed-in browser over an account with contacts.
struct Account {
    api: Api,
    cookie: String,
    /// The paths of the pages, with their names.
    pages: Vec<(&'static str, String)>,
}

/// Measures all pages over each of these numbers of contacts.
pub async fn measure(contacts: [u64; 2], rounds: usize) {
    for count in contacts {
        let account = Account::create(count).await;
        for (name, path) in &account.pages {
            account.measure(&format!("{name}, {count} contacts"), path, rounds).await;
        }
    }
}

impl Account {
    async fn create(contacts: u64) -> Self {
        let api = Api::over(TestTable::start().await, at(contention::NOW));
        let tenant = api.account(json!({})).await;
        let ids =
            testkit::seed(&api.table, tenant.id, contacts, EffectiveState::NonMarketing, at(contention::NOW))
                .await;
        let create = async |path: &str, body: Value| {
            let reply = api.post(path).token(&tenant.token).json(&body).await;
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let body = reply.json();
            text(&body["id"]).or_else(|| text(&body["job"]["id"])).expect("an id")
        };
        let parisians = json!([{"filters": [{"propertyName": "city", "operator": "EQ", "value": "Paris"}]}]);
        let segment = create("/v1/segments", json!({"name": "Parisians", "filterGroups": parisians})).await;
        let form = create("/v1/forms", json!({"name": "Newsletter"})).await;
        let few: Vec<Value> = ids.iter().take(20).map(|id| json!({"id": id.to_string()})).collect();
        let selection = json!({"contacts": few});
        let job = create("/v1/bulk/jobs", json!({"action": "set-marketing", "selection": selection})).await;
        api.work_on_bulk_jobs().await;
        let reply = api.post("/console/sign-in").header("sec-fetch-site", "same-origin");
        let body = format!("token={}", tenant.token);
        let reply = reply.body("application/x-www-form-urlencoded", body).await;
        let cookie = reply.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.expect("a session").to_owned();
        let pages = pages(&ids[0].to_string(), &segment, &form, &job);
        Self { api, cookie, pages }
    }

    async fn get(&self, path: &str) -> usize {
        let reply = self.api.get(path).header("cookie", &self.cookie).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.body.len()
    }

    async fn measure(&self, what: &str, path: &str, rounds: usize) {
        self.get(path).await;
        self.api.table.recorder.reset();
        let bytes = self.get(path).await;
        let calls: u32 = self.api.table.recorder.calls().values().sum();
        let units = self.api.table.recorder.units();
        assert!(units.write == 0.0, "a page writes nothing");
        let mut times = Sample::default();
        for _ in 0..rounds {
            let begun = Instant::now();
            self.get(path).await;
            times.add(begun.elapsed());
        }
        let (p50, p95) = (times.median(), times.millis(0.95));
        let measured = format!("{p50:.1}, {p95:.1}");
        let reads = format!("{calls} reads, {} units, {bytes} bytes", units.read);
        row(&Row::new(what, measured, "ms: p50, p95").ratios(reads).at_most(p50, TIME_MAX, " ms"));
    }
}

fn pages(contact: &str, segment: &str, form: &str, job: &str) -> Vec<(&'static str, String)> {
    vec![
        ("Overview", "/console".to_owned()),
        ("Contacts, all", "/console/contacts".to_owned()),
        ("Contacts, marketing", "/console/contacts?state=marketing".to_owned()),
        ("Contacts, a segment", format!("/console/contacts?segment={segment}")),
        ("Contacts, a search for a word that none has", "/console/contacts?q=nobody".to_owned()),
        ("Contact", format!("/console/contacts/{contact}")),
        ("Segments", "/console/segments".to_owned()),
        ("Segment", format!("/console/segments/{segment}")),
        ("Review, first step", "/console/review".to_owned()),
        ("Forms", "/console/forms".to_owned()),
        ("Form", format!("/console/forms/{form}")),
        ("Jobs", "/console/jobs".to_owned()),
        ("Job", format!("/console/jobs/{job}")),
        ("Progress of a job", format!("/console/jobs/{job}/progress")),
        ("Statements", "/console/statements".to_owned()),
        ("Settings", "/console/settings".to_owned()),
    ]
}
