//! The permissions of the functions `files` and `file-worker`, as in [`super::permissions`].

use domain::limits::{DEADLINE_MARGIN, FILE_PART_BYTES, PROPERTY_VALUE_BYTES_MAX};
use domain::period::PeriodNumber;
use file_jobs::upload_key;
use http::Method;
use serde_json::{Value, json};
use store::{ExportSelection, FileJob, FileTask, ImportTerms, Selection};
use testkit::TestFiles;

use super::events::{HttpResponse, batch, http};
use super::files::{upload, with_file};
use super::function::Function;
use super::imports::{everything, selected, terms};
use super::permissions::{delete, polling, with_full_history, with_long_history};
use super::queue::{FILES, Queues};
use super::setting::{Fixture, address, in_an_ended_period, now};
use crate::files::send;

#[tokio::test]
async fn files_uses_every_permission_of_its_role() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let (admin, queues, files) = (fixture.admin().await, Queues::start().await, TestFiles::start());
    fixture.contact("ada", true, past).await;
    let list = fixture.list(&["ada"], past).await;
    let mut api = Function::start_with_files("files", &fixture.table, &queues, &files).await;
    let mut worker = Function::start_with_files("file-worker", &fixture.table, &queues, &files).await;
    let get = |path: &str| http("GET", path).by(&admin);
    let post = |path: &str, body: Value| http("POST", path).by(&admin).json(&body);
    let csv = format!("email,city\n{},Delft\n", address("ada"));

    let attached = with_file(http("POST", "/v1/imports").by(&admin), &csv).header("Idempotency-Key", "a");
    api.send(attached.clone(), 201).await;
    let attached = api.send(attached, 201).await;
    let import = json!({"name": "spring.csv", "options": {"add_to_segment": list.to_string()}});
    let created = api.send(post("/v1/imports", import), 201).await;
    let path = format!("/v1/imports/{}", created["id"].as_str().expect("an id"));
    let start = format!("{path}/start");
    api.send(post(&start, json!({})), 409).await;
    upload(&created["upload"], &csv).await;
    api.send(get(&format!("{path}/preview")), 200).await;
    api.send(post(&start, json!({})), 202).await;
    api.send(get("/v1/imports"), 200).await;
    api.send(post(&format!("{path}/cancel"), json!({})), 200).await;

    let contact = json!({"selection": {"contacts": [{"email": address("ada")}]}});
    let export = api.send(post("/v1/exports", contact), 202).await;
    let export = format!("/v1/exports/{}", export["id"].as_str().expect("an id"));
    api.send(get(&export), 200).await;
    api.send(get("/v1/exports"), 200).await;
    api.send(post(&format!("{export}/cancel"), json!({})), 200).await;
    api.send(get("/v1/usage/statements.csv"), 200).await;
    let counted = "/v1/usage/statements/1/contacts.csv";
    api.send(get(counted), 202).await;

    worker.invoke(batch(&queues.take(FILES))).await.done();
    worker.end().await;
    let results = format!("/v1/imports/{}/rows.csv", attached["id"].as_str().expect("an id"));
    for path in [&*results, counted] {
        let redirect = HttpResponse::of(&api.invoke(get(path).event()).await.done());
        assert_eq!(redirect.status, 303, "{path}: {}", redirect.body);
        let file = send(Method::GET, &redirect.headers["location"], &[], "").await;
        assert!(file.status == 200 && file.text().contains("lovelace"), "{path}: {}", file.text());
    }
    fixture.assert_exact().await;
    api.assert_role_used_and_end("files", queues.used()).await;
}

/// Returns a file with the contacts of these names and others, which is longer than a part. So are the files with its
/// results and with its contacts.
fn long_file(names: &[&str]) -> String {
    let text = "x".repeat(PROPERTY_VALUE_BYTES_MAX - 1_000);
    let others = (0..=FILE_PART_BYTES / (2 * text.len())).map(|n| format!("p{n}"));
    let names = names.iter().map(|name| (*name).to_owned()).chain(others);
    let rows = names.map(|name| format!("{},{text},{text}\n", address(&name)));
    format!("email,about,notes\n{}", rows.collect::<String>())
}

#[tokio::test]
async fn file_worker_uses_every_permission_of_its_role() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let (queues, files) = (Queues::start().await, TestFiles::start());
    let deleted = with_long_history(&fixture, "ada", past).await;
    delete(&fixture, deleted, past).await;
    with_full_history(&fixture, true, past).await;
    fixture.contact("bo", false, past).await;
    let list = fixture.list(&["bo"], past).await;
    let marketing = ImportTerms { set_marketing: true, add_to_segment: Some(list), ..terms() };
    let import = fixture.import(&files, marketing, &long_file(&["ada", "long", "bo"]), past).await;
    let mut worker = Function::start_with_files("file-worker", &fixture.table, &queues, &files).await;
    let done = json!({"batchItemFailures": []});

    // The remaining time is only enough for the message that continues.
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    assert_eq!(worker.invoke_within(batch(&[&import]), margin).await.done(), done);
    // The worker finds out by the size that the file is complete.
    worker.files().lose_next_join();
    assert_eq!(worker.invoke(batch(&queues.take(FILES))).await.done(), done);
    fixture.assert_exact().await;
    let all = fixture.export_of(everything(), now()).await;
    worker.files().lose_next_join();
    assert_eq!(worker.invoke(batch(&[&all])).await.done(), done);
    for selection in [
        selected(Selection::Segment(list)),
        selected(Selection::Contacts(vec![store::ContactRef::Email(testkit::email(&address("bo")))])),
        ExportSelection::Statement(PeriodNumber::FIRST),
    ] {
        let export = fixture.export_of(selection, now()).await;
        assert_eq!(worker.invoke(batch(&[&export])).await.done(), done);
    }
    // A file that was deleted before its import began.
    let import = fixture.import(&files, terms(), "email\n", now()).await;
    let task: FileTask = serde_json::from_str(&import).unwrap();
    let FileJob::Import(id) = task.job else { panic!("an import") };
    files.files.delete(&upload_key(fixture.account, id)).await.unwrap();
    assert_eq!(worker.invoke(batch(&[&import])).await.done(), done);

    let store = &fixture.table.store;
    let imports = store.imports(fixture.account, None, 10).await.unwrap().items;
    let states: Vec<_> = imports.iter().map(|import| import.state.as_str()).collect();
    assert_eq!(states, ["failed", "done"]);
    let exports = store.exports(fixture.account, None, 10).await.unwrap().items;
    assert!(exports.len() == 4 && exports.iter().all(|export| export.state.as_str() == "done"));
    fixture.assert_exact().await;
    let queue = polling(FILES).into_iter().chain(queues.used()).collect();
    worker.assert_role_used_and_end("file-worker", queue).await;
}
