//! The functions `files` and `file-worker`: an import over HTTP events, a link and a message, and its export.

use std::time::Duration;

use domain::limits::{DEADLINE_MARGIN, PREVIEW_ROWS};
use http::Method;
use serde_json::{Map, Value, json};
use testkit::TestFiles;

use super::events::{HttpEvent, HttpResponse, batch, failed, failures, http};
use super::function::{Function, at_level};
use super::imports::terms;
use super::queue::{FILES, Queues};
use super::setting::{Fixture, address, now};
use crate::files::send;

/// The number of rows of a file. Their contacts need more than four transactions.
const ROWS: usize = 200;

/// The cells of a row: the address, the first name and the city.
type Person = [String; 3];

fn people() -> Vec<Person> {
    (0..ROWS).map(|n| [address(&format!("p{n:03}")), format!("Zoë {n}"), "Köln".to_owned()]).collect()
}

/// Returns a file with these rows, with the names of columns that a person would choose.
fn csv(people: &[Person]) -> String {
    let rows = people.iter().map(|person| person.join(";") + "\n");
    format!("E-Mail;First Name;City\n{}", rows.collect::<String>())
}

/// Returns these columns of a file that the worker wrote. The cells of the tests have no quotes.
fn columns(file: &str, names: &[&str]) -> Vec<Vec<String>> {
    let file = file.strip_prefix('\u{feff}').expect("the mark of UTF-8");
    let mut records = file.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = records.next().expect("a header");
    let place = |name| header.iter().position(|column| *column == name).expect("a column of this name");
    let places: Vec<usize> = names.iter().map(|name| place(*name)).collect();
    records.map(|record| places.iter().map(|place| record[*place].to_owned()).collect()).collect()
}

/// The functions over one account, and the queue between them.
struct Setting {
    fixture: Fixture,
    admin: Map<String, Value>,
    queues: Queues,
    files: TestFiles,
    api: Function,
    worker: Function,
}

impl Setting {
    async fn start() -> Self {
        let fixture = Fixture::start().await;
        let (queues, files) = (Queues::start().await, TestFiles::start());
        let start = |name| Function::start_with_files(name, &fixture.table, &queues, &files);
        let (api, worker) = (start("files").await, start("file-worker").await);
        Self { admin: fixture.admin().await, fixture, queues, files, api, worker }
    }

    fn request(&self, method: &str, path: &str) -> HttpEvent {
        http(method, path).by(&self.admin)
    }

    async fn post(&mut self, path: &str, body: &Value, status: u16) -> Value {
        let request = self.request("POST", path).json(body);
        self.api.send(request, status).await
    }

    async fn get(&mut self, path: &str) -> Value {
        let request = self.request("GET", path);
        self.api.send(request, 200).await
    }

    /// Follows a redirect to a file and returns the file.
    async fn download(&mut self, path: &str) -> String {
        let request = self.request("GET", path);
        let response = HttpResponse::of(&self.api.invoke(request.event()).await.done());
        assert_eq!(response.status, 303, "{}", response.body);
        let file = send(Method::GET, &response.headers["location"], &[], "").await;
        assert_eq!(file.status, 200);
        file.text()
    }

    /// Passes the messages of the queue to the worker, and returns them.
    async fn work(&mut self) -> Vec<String> {
        let messages = self.queues.take(FILES);
        assert_eq!(messages.len(), 1, "{messages:?}");
        let done = self.worker.invoke(batch(&messages)).await.done();
        assert_eq!(done, json!({"batchItemFailures": []}));
        messages
    }

    async fn end(self) {
        self.fixture.assert_exact().await;
        for lines in [self.api.end().await, self.worker.end().await] {
            assert_eq!(at_level(&lines, "ERROR").len(), 0, "{lines:?}");
        }
    }
}

/// Returns a request for an import with its file.
pub(super) fn with_file(request: HttpEvent, file: &str) -> HttpEvent {
    let disposition = "Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"";
    let parts = format!("--edge\r\n{disposition}\r\n\r\n{file}\r\n--edge--\r\n");
    request.base64("multipart/form-data; boundary=edge", parts.as_bytes())
}

/// Sends a file with the request that an import names.
pub(super) async fn upload(request: &Value, file: &str) {
    let headers = request["headers"].as_object().expect("headers").iter();
    let headers: Vec<_> =
        headers.map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned())).collect();
    assert_eq!(request["method"], "PUT");
    let sent = send(Method::PUT, request["url"].as_str().expect("a URL"), &headers, file.to_owned()).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
}

#[tokio::test]
async fn imported_rows_come_back_in_an_export() {
    let mut setting = Setting::start().await;
    let people = people();
    let import = json!({"name": "spring.csv", "options": {"set_marketing": true}});
    let created = setting.post("/v1/imports", &import, 201).await;
    let path = format!("/v1/imports/{}", created["id"].as_str().expect("an id"));
    upload(&created["upload"], &csv(&people)).await;
    let preview = setting.get(&format!("{path}/preview")).await;
    assert_eq!((&preview["rows_in_file"], &preview["delimiter"]), (&json!(ROWS), &json!(";")));
    assert_eq!(preview["summary"]["created"], PREVIEW_ROWS);
    assert_eq!(setting.post(&format!("{path}/start"), &json!({}), 202).await["state"], "reading");

    let messages = setting.work().await;
    // The queue delivers the message twice.
    setting.worker.invoke(batch(&messages)).await.done();
    assert_eq!(setting.queues.take(FILES), [""; 0], "nothing remains, so no message continues");
    let done = setting.get(&path).await;
    assert_eq!((&done["state"], &done["progress"]), (&json!("done"), &json!(1.0)));
    assert_eq!((&done["summary"]["created"], &done["summary"]["set"]), (&json!(ROWS), &json!(ROWS)));
    let results =
        columns(&setting.download(&format!("{path}/rows.csv")).await, &["tidemark:outcome", "E-Mail"]);
    let expected = people.iter().map(|person| vec!["created".to_owned(), person[0].clone()]);
    assert_eq!(results, expected.collect::<Vec<_>>(), "in the order of the file");

    let all = json!({"selection": {"filterGroups": []}});
    let export = setting.post("/v1/exports", &all, 202).await;
    setting.work().await;
    let export = setting.get(&format!("/v1/exports/{}", export["id"].as_str().expect("an id"))).await;
    assert_eq!((&export["state"], &export["rows"]), (&json!("done"), &json!(ROWS)));
    let file = send(Method::GET, export["download_url"].as_str().expect("a link"), &[], "").await.text();
    let mut exported = columns(&file, &["email", "firstname", "city"]);
    exported.sort();
    assert_eq!(exported, people);

    // The export changes nothing if it is imported again.
    let request = with_file(setting.request("POST", "/v1/imports"), &file);
    let again = setting.api.send(request, 201).await;
    setting.work().await;
    let again = setting.get(&format!("/v1/imports/{}", again["id"].as_str().expect("an id"))).await;
    assert_eq!((&again["name"], &again["summary"]["unchanged"]), (&json!("a.csv"), &json!(ROWS)));
    setting.end().await;
}

#[tokio::test]
async fn file_worker_out_of_time_sends_the_message_that_continues() {
    let mut setting = Setting::start().await;
    let message = setting.fixture.import(&setting.files, terms(), &csv(&people()), now()).await;
    let id = setting.get("/v1/imports").await["results"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/imports/{id}");
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    let done = json!({"batchItemFailures": []});

    // The remaining time is only enough for an orderly end.
    assert_eq!(setting.worker.invoke_within(batch(&[&message]), margin).await.done(), done);
    assert_eq!(setting.queues.take(FILES), [message.as_str()]);
    assert_eq!(setting.get(&path).await["state"], "reading");

    // The rows need at least five transactions, each after reads. So the import can't be done in this time.
    let call = Duration::from_millis(200);
    setting.worker.gate.slow_down(call);
    assert_eq!(setting.worker.invoke_within(batch(&[&message]), margin + 8 * call).await.done(), done);
    assert_eq!(setting.queues.take(FILES), [message.as_str()]);
    let some = setting.get(&path).await;
    assert_eq!(some["state"], "running");
    assert!(some["summary"]["created"].as_u64().is_some_and(|rows| rows < ROWS as u64), "{some}");
    setting.worker.gate.slow_down(Duration::ZERO);

    assert_eq!(setting.worker.invoke(batch(&[&message])).await.done(), done);
    let rest = setting.get(&path).await;
    assert_eq!((&rest["state"], &rest["summary"]["created"]), (&json!("done"), &json!(ROWS)));
    let file = setting.download(&format!("{path}/rows.csv")).await;
    let outcomes = columns(&file, &["tidemark:outcome"]);
    assert!(outcomes.len() == ROWS && outcomes.iter().all(|row| row[0] == "created"), "each row once");
    setting.end().await;
}

#[tokio::test]
async fn only_failed_messages_of_files_are_retried() {
    let mut setting = Setting::start().await;
    let message = setting.fixture.import(&setting.files, terms(), &csv(&people()), now()).await;
    let unknown = message.replace('{', "{\"tmk_secret\":1,");
    for body in ["", "lovelace@example.org", &unknown, "{}"] {
        assert_eq!(failures(&setting.worker.invoke(batch(&[body])).await.done()), failed(&[0]));
    }
    setting.worker.files().set_busy(true);
    assert_eq!(failures(&setting.worker.invoke(batch(&[&message])).await.done()), failed(&[0]));
    setting.worker.files().set_busy(false);

    // The time is up, and the queue does not accept the message that continues. So the first one must come again.
    setting.queues.set_full(true);
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    let answer = setting.worker.invoke_within(batch(&[&message]), margin).await.done();
    assert_eq!(failures(&answer), failed(&[0]));
    setting.queues.set_full(false);

    let answer = setting.worker.invoke(batch(&[&message])).await.done();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    let imports = setting.get("/v1/imports").await;
    assert_eq!(imports["results"][0]["summary"]["created"], ROWS);
    let lines = setting.worker.end().await;
    let errors = at_level(&lines, "ERROR");
    assert_eq!(errors.len(), 6, "one for each message that failed: {errors:?}");
    let chains: Vec<&str> = errors.iter().filter_map(|line| line["error"].as_str()).collect();
    assert!(chains[chains.len() - 2].starts_with("could not use a file: "), "{chains:?}");
    assert!(
        chains[chains.len() - 1].starts_with("could not send the message that continues: "),
        "{chains:?}"
    );
    setting.api.end().await;
    setting.fixture.assert_exact().await;
}
