//! One function's process: its environment, its events and answers, and what it writes.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_simulator::{InvocationBuilder, InvocationStatus, Simulator};
use serde_json::Value;
use testkit::{TABLE, TestTable};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::binaries::executable;
use super::gate::Gate;
use super::queue::{INTAKE, Queues, SWEEPS};
use super::setting::OPERATOR_TOKEN;
use crate::template::document::logical_name;
use crate::template::functions::time_limit_of;

/// How long a test waits for anything before it fails: far above what the slowest machine takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// What no line may hold. The tests make all their people, properties and tokens of these.
const SECRETS: [&str; 6] = ["@", "%40", "tmk_", "lovelace", "secret", "example.org"];

/// A function that runs.
pub struct Function {
    /// What stands between it and the table.
    pub gate: Gate,
    name: &'static str,
    simulator: Simulator,
    process: Process,
    ended: bool,
}

/// What Lambda is answered.
#[derive(Debug)]
pub enum Answer {
    /// The handler's answer.
    Done(Value),
    /// A fault: its type and its message.
    Failed(String, String),
}

impl Answer {
    /// The handler's answer.
    #[track_caller]
    pub fn done(self) -> Value {
        match self {
            Self::Done(answer) => answer,
            Self::Failed(kind, message) => panic!("{kind}: {message}"),
        }
    }
}

impl Function {
    /// Starts a function over this table, as it is deployed.
    pub async fn start(name: &'static str, table: &TestTable) -> Self {
        Self::start_with(name, table, &[]).await
    }

    /// Starts a function with these queues.
    pub async fn start_with_queues(name: &'static str, table: &TestTable, queues: &Queues) -> Self {
        let own = [
            ("SWEEP_QUEUE_URL", queues.url(SWEEPS)),
            ("INTAKE_QUEUE_URL", queues.url(INTAKE)),
            ("AWS_ENDPOINT_URL_SQS", queues.endpoint().to_owned()),
        ];
        Self::start_with(name, table, &own).await
    }

    /// Starts the rollover with these queues.
    pub async fn start_rollover(table: &TestTable, queues: &Queues) -> Self {
        Self::start_with_queues("monthly-rollover", table, queues).await
    }

    async fn start_with(name: &'static str, table: &TestTable, own: &[(&str, String)]) -> Self {
        let simulator =
            Simulator::builder().function_name(logical_name(name)).build().await.expect("a simulator");
        let gate = Gate::before(table.endpoint(), name).await;
        let mut variables = environment(&simulator, gate.endpoint());
        variables.extend(own.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let process = Process::spawn(name, &variables);
        Self { gate, name, simulator, process, ended: false }
    }

    /// Sends an event with all of the function's time and waits for the answer.
    pub async fn invoke(&mut self, event: Value) -> Answer {
        self.invoke_within(event, time_limit_of(self.name)).await
    }

    /// Sends an event that must be answered within this time, as far as the function is told, and waits for the answer.
    pub async fn invoke_within(&mut self, event: Value, time: Duration) -> Answer {
        let millis = time.as_millis().try_into().expect("a time");
        let invocation =
            InvocationBuilder::new().payload(event).timeout_ms(millis).build().expect("an event");
        let id = self.simulator.enqueue(invocation).await;
        let answered = async {
            loop {
                let state = self.simulator.get_invocation_state(&id).await.expect("the invocation");
                match state.status {
                    InvocationStatus::Pending | InvocationStatus::InProgress => {}
                    _ => return state,
                }
                assert!(self.process.is_alive(), "{} ended", self.name);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let state = tokio::time::timeout(PATIENCE, answered).await.expect("an answer in time");
        match (state.response, state.error) {
            (Some(response), None) => Answer::Done(response.payload),
            (None, Some(error)) => Answer::Failed(error.error_type, error.error_message),
            (response, error) => panic!("{response:?} {error:?}"),
        }
    }

    /// Ends the process and gives what it logged, after holding it against the rules: each line is a JSON object,
    /// none holds anything of a person or a token, and nothing was called that the role does not allow.
    pub async fn end(mut self) -> Vec<Value> {
        self.ended = true;
        self.process.kill().await;
        assert_eq!(self.gate.refused(), [].into(), "{} lacks permissions", self.name);
        self.process.lines().iter().map(|line| checked(line)).collect()
    }
}

impl Drop for Function {
    /// Shows what the process wrote when its test has failed.
    #[expect(clippy::print_stdout, reason = "the test's own output, shown when it fails")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{} wrote:\n{}", self.name, self.process.lines().join("\n"));
            println!("and was refused: {:?}", self.gate.refused());
        } else {
            assert!(self.ended, "{}'s log was not looked at", self.name);
        }
    }
}

/// A line of a log that keeps to the rules.
#[track_caller]
fn checked(line: &str) -> Value {
    let lower = line.to_lowercase();
    for secret in SECRETS {
        assert!(!lower.contains(secret), "a line holds {secret}: {line}");
    }
    let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    for field in ["timestamp", "level", "message"] {
        assert!(line[field].is_string(), "no {field}: {line}");
    }
    line
}

/// The lines of one level.
pub fn at_level<'a>(lines: &'a [Value], level: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["level"] == level).collect()
}

/// A function's whole environment: what Lambda sets, what the template sets, and where AWS is found.
pub fn environment(simulator: &Simulator, dynamodb: &str) -> HashMap<String, String> {
    let mut variables = simulator.lambda_env_vars();
    let own = [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
        ("INTAKE_QUEUE_URL", "http://127.0.0.1:9/123456789012/IntakeQueue"),
        ("LOG_LEVEL", "TRACE"),
        ("OPERATOR_TOKEN_SHA256", &api::token::sha256_hex(OPERATOR_TOKEN.as_bytes())),
        ("PUBLIC_URL", "https://api.example.org"),
        ("TABLE_NAME", TABLE),
    ];
    variables.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    variables
}

/// A function's process. It ends with its handle.
pub struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    /// Starts a function with this environment and nothing else of ours.
    pub fn spawn(function: &str, variables: &HashMap<String, String>) -> Self {
        let mut command = Command::new(executable(function));
        command.env_clear().envs(variables).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the function starts");
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let output = read(child.stdout.take().expect("its output"), Arc::clone(&lines));
        let errors = read(child.stderr.take().expect("its errors"), Arc::clone(&lines));
        Self { child, lines, readers: vec![output, errors] }
    }

    /// What it wrote until now, to either of its outputs.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits until it ends by itself, and gives its exit code.
    pub async fn end(&mut self) -> Option<i32> {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("an end in time");
        self.read_to_the_end().await;
        ended.expect("its status").code()
    }

    fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("its status").is_none()
    }

    async fn kill(&mut self) {
        assert!(self.is_alive(), "it was still alive");
        self.child.kill().await.expect("it ends");
        self.read_to_the_end().await;
    }

    async fn read_to_the_end(&mut self) {
        for reader in std::mem::take(&mut self.readers) {
            tokio::time::timeout(PATIENCE, reader).await.expect("the end of its output").expect("its output");
        }
    }
}

fn read(output: impl AsyncRead + Send + Unpin + 'static, lines: Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut output = BufReader::new(output).lines();
        while let Some(line) = output.next_line().await.expect("text") {
            lines.lock().unwrap().push(line);
        }
    })
}
