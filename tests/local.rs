//! The local stack as a program: its data survives a restart, its errors name the cause, and it stops on request.

mod connections;
mod engine;
mod files;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use api::Clock;
use aws_sdk_dynamodb::types::AttributeValue;
use bootstrap::Environment;
use clap::Parser as _;
use serde_json::Value;
use store::Submission;
use testkit::{TestTable, at};
use tidemark::engine::Engine;
use tidemark::jobs::Jobs;
use tidemark::options::{OperatorTokenError, Options};
use tidemark::stack::{Stack, StackError};
use tidemark::template::Batches;

use crate::operations::{START, bulk, forms};

/// Returns options with an empty data directory that belongs to this test alone.
fn options(test: &str, more: &[&str]) -> Options {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("local-{test}"));
    let _ = std::fs::remove_dir_all(&directory);
    Options::parse_from(
        ["tidemark", "--listen", "127.0.0.1:0", "--data-dir", directory.to_str().unwrap()].iter().chain(more),
    )
}

async fn start(options: &Options) -> Stack {
    Stack::start(options, bootstrap::system_clock()).await.expect("a stack")
}

/// Sends one request as the demo account's admin and returns the JSON response.
fn request(stack: &Stack, method: &str, path: &str, body: &str) -> Value {
    let url = format!("http://{}{path}", stack.address);
    let token = format!("Authorization: Bearer {}", stack.demo_token.expose());
    let mut curl = Command::new("curl");
    curl.args(["-s", "-X", method, &url, "-H", &token, "-H", "Content-Type: application/json"]);
    if !body.is_empty() {
        curl.args(["-d", body]);
    }
    let output = tokio::task::block_in_place(|| curl.output()).expect("curl");
    serde_json::from_slice(&output.stdout).expect("a JSON response")
}

#[tokio::test(flavor = "multi_thread")]
async fn data_and_tokens_survive_a_restart() {
    let options = options("restart", &[]);
    let first = start(&options).await;
    let created =
        request(&first, "POST", "/v1/contacts", r#"{"email": "ada@example.org", "marketing": true}"#);
    assert_eq!(created["marketing"]["state"], "marketing");
    let (demo, operator) = (first.demo_token.clone(), first.operator_token.clone());
    first.stop().await;

    let second = start(&options).await;
    assert!(second.demo_token == demo && second.operator_token == operator);
    let read = request(&second, "GET", "/v1/contacts/by-email/ada@example.org", "");
    assert_eq!(read["id"], created["id"]);
    assert_eq!(request(&second, "GET", "/v1/usage", "")["marketing"], 1);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_leave_the_stream_while_the_stack_runs() {
    let options = options("stream", &[]);
    let stack = start(&options).await;
    // A second engine on the same file sees the same stream.
    let engine = Engine::on_disk(&options.data_dir.join("table.db")).unwrap();
    let stream = engine.stream("tidemark");
    let drained = async || {
        let begun = Instant::now();
        while !stream.read(1).await.unwrap().is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "changes remain in the stream");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    drained().await;
    request(&stack, "POST", "/v1/contacts", r#"{"email": "ada@example.org", "marketing": true}"#);
    drained().await;
    stack.stop().await;
    // Without a stack, changes stay for the next one.
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = engine.client().put_item().table_name("tidemark").item("pk", text("a")).item("sk", text("a"));
    put.send().await.unwrap();
    assert_eq!(stream.read(2).await.unwrap().len(), 1);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_another_version_is_refused_and_kept() {
    for format in [None, Some("1"), Some("2"), Some("4")] {
        let options = options("another-version", &[]);
        std::fs::create_dir_all(&options.data_dir).unwrap();
        std::fs::write(options.data_dir.join("table.db"), "the data of an older version").unwrap();
        if let Some(format) = format {
            std::fs::write(options.data_dir.join("format"), format).unwrap();
        }
        let refused = Stack::start(&options, bootstrap::system_clock()).await.expect_err("other data");
        assert!(matches!(refused, StackError::DataFormat(_)), "{refused}");
        let message = refused.to_string();
        assert!(message.contains("another version") && message.contains("--data-dir"), "{message}");
        let kept = std::fs::read_to_string(options.data_dir.join("table.db")).unwrap();
        assert_eq!(kept, "the data of an older version");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listen_address_in_use_fails_before_touching_the_data() {
    let running = start(&options("in-use", &[])).await;
    let address = running.address.to_string();
    let mut options = options("in-use-too", &[]);
    options.listen = running.address;
    let refused = Stack::start(&options, bootstrap::system_clock()).await.expect_err("the address is in use");
    assert!(matches!(refused, StackError::Listen(..)));
    assert!(refused.to_string().contains(&address) && refused.to_string().contains("--listen"));
    assert!(!options.data_dir.exists());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn given_operator_token_is_not_stored() {
    let options = options("operator", &["--operator-token", "given"]);
    let stack = start(&options).await;
    assert_eq!(stack.operator_token.expose(), "given");
    assert!(!options.data_dir.join("operator-token").exists());
    stack.stop().await;
}

#[test]
fn operator_token_comes_from_option_file_or_environment() {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("operator-token-file");
    std::fs::write(&file, "from-a-file\n").unwrap();
    let file = file.to_str().unwrap();
    let environment = |value: &'static str| {
        Environment::new(move |name| (name == "TIDEMARK_OPERATOR_TOKEN").then(|| value.to_owned()))
    };
    let given = |more: &[&str], value: &'static str| {
        let options = options("operator-token", more).with_environment(&environment(value));
        options.given_operator_token().map(|token| token.map(|token| token.expose().to_owned()))
    };
    for (more, variable, token) in [
        (vec![], "", None),
        (vec![], "from-the-environment", Some("from-the-environment")),
        (vec!["--operator-token-file", file], "from-the-environment", Some("from-a-file")),
        (vec!["--operator-token", "given"], "from-the-environment", Some("given")),
    ] {
        assert_eq!(given(&more, variable).unwrap().as_deref(), token, "{more:?}");
    }
    for (more, variable) in [(vec!["--operator-token", ""], ""), (vec![], "two words"), (vec![], "tokén")] {
        let error = given(&more, variable).unwrap_err();
        assert!(matches!(error, OperatorTokenError::Malformed) && !error.to_string().contains("two words"));
    }
    let error = given(&["--operator-token-file", "no-such-file"], "").unwrap_err();
    assert!(matches!(&error, OperatorTokenError::File(..)) && error.to_string().contains("no-such-file"));
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_url_of_a_form_accepts_submissions() {
    let stack = start(&options("webhook", &[])).await;
    let secret = "the-secret-of-the-form";
    let body = format!(r#"{{"name": "Shop", "provider": "generic", "secrets": ["{secret}"]}}"#);
    let form = request(&stack, "POST", "/v1/forms", &body);
    let base = format!("http://{}", stack.address);
    let path = form["webhook_url"].as_str().unwrap().strip_prefix(&base).expect("the stack's own address");
    let hook = format!("{path}?secret={secret}");
    let answer = request(&stack, "POST", &hook, r#"{"email": "ada@example.org"}"#);
    assert_eq!((&answer["contact"], &answer["marketing"]), (&"created".into(), &"set".into()));
    let refused = request(&stack, "POST", path, r#"{"email": "ada@example.org"}"#);
    assert_eq!(refused["status"], 401);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inbox_is_settled_in_the_background() {
    let now = at(START);
    let table = TestTable::start().await;
    let account = table.account(now).await;
    let form = forms::form(&table.store, account, &forms::native()).await;
    let mut tasks = Vec::new();
    for number in 0..40 {
        let (email, id) = (testkit::email(&format!("p{number}@example.org")), number.to_string());
        let submission =
            Submission { form: &form, submission_id: Some(&id), email: &email, properties: &[], left_out: 0 };
        let accepted = table.store.accept_into_inbox(&submission, now).await.expect("it is accepted");
        tasks.extend(accepted.waiting);
    }
    let batches = Batches { size: 30, window: Duration::ZERO };
    let clock = Clock::new(move || now);
    let jobs = Jobs::start(
        table.store.clone(),
        testkit::TestFiles::start().files,
        clock,
        Duration::from_secs(3600),
        batches,
    );
    jobs.queues.inbox.send(tasks).await.expect("a queue");
    let settled = async {
        while testkit::scan(&table.client, account).await.billable < 40 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), settled)
        .await
        .expect("every contact is created within a minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_jobs_of_a_stopped_stack_are_resumed() {
    let (now, later) = (at(START), at("2026-11-10T12:01:00.000Z"));
    let table = TestTable::start().await;
    let mut accounts = Vec::new();
    for _ in 0..2 {
        let account = table.account(now).await;
        let state = domain::marketing::EffectiveState::NonMarketing;
        testkit::seed(&table, account, 300, state, now).await;
        let command = domain::decision::Command::SetMarketing;
        let request = bulk::request(account, command, bulk::all(), Some(300));
        bulk::begin(&table.store, &request, later).await.expect("a job");
        accounts.push(account);
    }
    let batches = Batches { size: 30, window: Duration::ZERO };
    let clock = Clock::new(move || later);
    let _jobs = Jobs::start(
        table.store.clone(),
        testkit::TestFiles::start().files,
        clock,
        Duration::from_secs(3600),
        batches,
    );
    let done = async {
        for account in accounts {
            while testkit::scan(&table.client, account).await.billable < 300 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), done).await.expect("every contact is set within a minute");
}

/// Returns the permission bits that group and others have on each file of a directory.
#[cfg(unix)]
fn rights_of_others(directory: &Path) -> Vec<(String, u32)> {
    use std::os::unix::fs::PermissionsExt as _;
    let files = std::fs::read_dir(directory).expect("a directory").map(Result::unwrap);
    let rights = files.map(|file| {
        let mode = file.metadata().expect("a file").permissions().mode();
        (file.file_name().into_string().unwrap(), mode & 0o077)
    });
    let mut rights: Vec<_> = rights.collect();
    rights.sort();
    rights
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn stored_files_are_accessible_to_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let options = options("owner", &[]);
    std::fs::create_dir_all(&options.data_dir).unwrap();
    let open = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    // The directory is open to every user, and so are its files when the stack starts again.
    open(&options.data_dir, 0o777);
    for start_number in 1..=2 {
        let stack = start(&options).await;
        let created = request(&stack, "POST", "/v1/contacts", r#"{"properties": {"firstname": "Ada"}}"#);
        assert!(created["id"].is_string(), "{created}");
        let rights = rights_of_others(&options.data_dir);
        for name in ["demo-token", "operator-token", "table.db"] {
            assert!(rights.contains(&(name.to_owned(), 0)), "{name} {rights:?}");
        }
        assert!(rights.iter().all(|(_, rights)| *rights == 0), "{start_number} {rights:?}");
        stack.stop().await;
        for (name, _) in rights_of_others(&options.data_dir) {
            open(&options.data_dir.join(name), 0o666);
        }
    }
}

#[test]
fn conflicting_or_malformed_options_are_rejected() {
    assert!(Options::try_parse_from(["tidemark", "--in-memory", "--data-dir", "here"]).is_err());
    assert!(Options::try_parse_from(["tidemark", "--listen", "nowhere"]).is_err());
    let both = ["tidemark", "--operator-token", "given", "--operator-token-file", "file"];
    assert!(Options::try_parse_from(both).is_err());
}
