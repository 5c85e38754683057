//! A function's process: its environment, its events and responses, and its log lines.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_simulator::{InvocationBuilder, InvocationStatus, Simulator};
use metrics::{Metric, NAMESPACE};
use serde_json::Value;
use testkit::{TABLE, TestFiles, TestTable};
use tidemark::file_server::BUCKET;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::binaries::executable;
use super::events::{HttpEvent, HttpResponse};
use super::file_gate::FileGate;
use super::gate::Gate;
use super::queue::{AUTOMATIONS, BULK, FILES, INTAKE, Queues, SWEEPS};
use super::setting::OPERATOR_TOKEN;
use crate::template::document::logical_name;
use crate::template::functions::time_limit_of;
use crate::template::permissions::Permission;

/// The maximum wait of a test, far above the time that the slowest machine needs.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// Texts that no log line may contain. All contacts, properties and tokens of the tests contain one of them.
const SECRETS: [&str; 6] = ["@", "%40", "tmk_", "lovelace", "secret", "example.org"];

/// A running function.
pub struct Function {
    /// The gate between the function and the table.
    pub gate: Gate,
    /// The gate between the function and the files, if it was started with files.
    pub file_gate: Option<FileGate>,
    name: &'static str,
    simulator: Simulator,
    process: Process,
    ended: bool,
}

/// The outcome that a function reports to Lambda.
#[derive(Debug)]
pub enum Outcome {
    /// The handler's response.
    Done(Value),
    /// A failure, with the type and the message of the error.
    Failed(String, String),
}

impl Outcome {
    /// Returns the handler's response, and panics if the invocation failed.
    #[track_caller]
    pub fn done(self) -> Value {
        match self {
            Self::Done(answer) => answer,
            Self::Failed(kind, message) => panic!("{kind}: {message}"),
        }
    }
}

impl Function {
    /// Starts a function over this table, with its deployed environment.
    pub async fn start(name: &'static str, table: &TestTable) -> Self {
        Self::start_with(name, table, &[]).await
    }

    /// Starts a function that sends to these queues.
    pub async fn start_with_queues(name: &'static str, table: &TestTable, queues: &Queues) -> Self {
        Self::start_with(name, table, &queue_variables(queues)).await
    }

    /// Starts a function that sends to these queues and uses these files.
    pub async fn start_with_files(
        name: &'static str,
        table: &TestTable,
        queues: &Queues,
        files: &TestFiles,
    ) -> Self {
        let file_gate = FileGate::before(files, name).await;
        let mut own = queue_variables(queues);
        own.extend([
            ("AWS_ACCESS_KEY_ID", files.key().id.clone()),
            ("AWS_SECRET_ACCESS_KEY", files.key().secret.clone()),
            ("AWS_ENDPOINT_URL_S3", file_gate.endpoint().to_owned()),
        ]);
        let mut function = Self::start_with(name, table, &own).await;
        function.file_gate = Some(file_gate);
        function
    }

    /// Returns the gate between the function and the files, and panics if it was started without files.
    pub fn files(&self) -> &FileGate {
        self.file_gate.as_ref().expect("files")
    }

    /// Starts the rollover, which sends to these queues.
    pub async fn start_rollover(table: &TestTable, queues: &Queues) -> Self {
        Self::start_with_queues("monthly-rollover", table, queues).await
    }

    /// Starts a function over this table, with these values in place of those of its deployed environment.
    pub async fn start_with(name: &'static str, table: &TestTable, own: &[(&str, String)]) -> Self {
        let simulator =
            Simulator::builder().function_name(logical_name(name)).build().await.expect("a simulator");
        let gate = Gate::before(table.endpoint(), name).await;
        let mut variables = environment(&simulator, gate.endpoint());
        variables.extend(own.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let process = Process::spawn(name, &variables);
        Self { gate, file_gate: None, name, simulator, process, ended: false }
    }

    /// Sends an event with the function's full time limit and waits for the outcome.
    pub async fn invoke(&mut self, event: Value) -> Outcome {
        self.invoke_within(event, time_limit_of(self.name)).await
    }

    /// Sends an event with this time until the deadline that Lambda announces, and waits for the outcome.
    pub async fn invoke_within(&mut self, event: Value, time: Duration) -> Outcome {
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
        let state = tokio::time::timeout(MAX_WAIT, answered).await.expect("an outcome in time");
        match (state.response, state.error) {
            (Some(response), None) => Outcome::Done(response.payload),
            (None, Some(error)) => Outcome::Failed(error.error_type, error.error_message),
            (response, error) => panic!("{response:?} {error:?}"),
        }
    }

    /// Sends a request, asserts the status of the response and returns its body.
    pub async fn send(&mut self, request: HttpEvent, status: u16) -> Value {
        let response = HttpResponse::of(&self.invoke(request.event()).await.done());
        assert_eq!(response.status, status, "{}", response.body);
        assert_eq!(response.cookies, [] as [&str; 0], "the API sets no cookies");
        serde_json::from_str(&response.body).unwrap_or_default()
    }

    /// Ends the process and returns its log lines.
    ///
    /// Asserts that each line is a JSON object, that none contains personal data or a token, and that the process made
    /// no call that its role does not allow.
    pub async fn end(mut self) -> Vec<Value> {
        self.stop().await;
        let lines = self.process.lines();
        lines.iter().map(|line| checked(line)).filter(|line| !is_metric(line)).collect()
    }

    /// Ends the process as [`Self::end`] does. Returns the values of the metrics that it has recorded, by the metric's
    /// name, with the reason behind it if there is one.
    pub async fn end_with_metrics(mut self) -> BTreeMap<String, Vec<u64>> {
        self.stop().await;
        let mut values = BTreeMap::<String, Vec<u64>>::new();
        for line in self.process.lines().iter().map(|line| checked(line)).filter(is_metric) {
            assert_eq!(line["Stack"], "tidemark");
            let definition = &line["_aws"]["CloudWatchMetrics"][0];
            assert_eq!(definition["Namespace"], NAMESPACE);
            let name = definition["Metrics"][0]["Name"].as_str().expect("a name");
            let metric: Metric = name.parse().expect("a metric of the program");
            assert_eq!(definition["Metrics"][0]["Unit"], metric.unit().as_str());
            let reason = line["Reason"].as_str().map(|reason| format!(" {reason}")).unwrap_or_default();
            values.entry(format!("{name}{reason}")).or_default().push(line[name].as_u64().expect("a value"));
        }
        values
    }

    async fn stop(&mut self) {
        self.ended = true;
        self.process.kill().await;
        assert_eq!(self.refused(), [].into(), "{} lacks permissions", self.name);
    }

    /// Returns the permissions that the function lacked.
    fn refused(&self) -> BTreeSet<Permission> {
        let for_files = self.file_gate.iter().flat_map(FileGate::refused);
        self.gate.refused().into_iter().chain(for_files).collect()
    }
}

/// Returns the variables with the URLs of these queues.
fn queue_variables(queues: &Queues) -> Vec<(&'static str, String)> {
    vec![
        ("SWEEP_QUEUE_URL", queues.url(SWEEPS)),
        ("INTAKE_QUEUE_URL", queues.url(INTAKE)),
        ("BULK_QUEUE_URL", queues.url(BULK)),
        ("AUTOMATION_QUEUE_URL", queues.url(AUTOMATIONS)),
        ("FILE_QUEUE_URL", queues.url(FILES)),
        ("AWS_ENDPOINT_URL_SQS", queues.endpoint().to_owned()),
    ]
}

/// Returns true for a line of CloudWatch's embedded metric format.
fn is_metric(line: &Value) -> bool {
    line["_aws"].is_object()
}

impl Drop for Function {
    /// Prints the output of the process if its test has failed.
    #[expect(clippy::print_stdout, reason = "the test's own output, shown when it fails")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{} wrote:\n{}", self.name, self.process.lines().join("\n"));
            println!("and was refused: {:?}", self.refused());
        } else {
            assert!(self.ended, "the log of {} was not checked", self.name);
        }
    }
}

/// Parses a log line and asserts that it follows the rules for log lines.
#[track_caller]
fn checked(line: &str) -> Value {
    let lower = line.to_lowercase();
    for secret in SECRETS {
        assert!(!lower.contains(secret), "a line contains {secret}: {line}");
    }
    let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    if is_metric(&line) {
        return line;
    }
    for field in ["timestamp", "level", "message"] {
        assert!(line[field].is_string(), "no {field}: {line}");
    }
    line
}

/// Returns the lines of one level.
pub fn at_level<'a>(lines: &'a [Value], level: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["level"] == level).collect()
}

/// Returns a function's complete environment: the variables of Lambda, of the template and of the AWS endpoints.
pub fn environment(simulator: &Simulator, dynamodb: &str) -> HashMap<String, String> {
    let mut variables = simulator.lambda_env_vars();
    let own = [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9"),
        ("AUTOMATION_QUEUE_URL", "http://127.0.0.1:9/123456789012/AutomationQueue"),
        ("BULK_QUEUE_URL", "http://127.0.0.1:9/123456789012/BulkQueue"),
        ("FILES_BUCKET", BUCKET),
        ("FILE_QUEUE_URL", "http://127.0.0.1:9/123456789012/FileQueue"),
        ("INTAKE_QUEUE_URL", "http://127.0.0.1:9/123456789012/IntakeQueue"),
        ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
        ("OPERATOR_TOKEN_SHA256", &api::token::sha256_hex(OPERATOR_TOKEN.as_bytes())),
        ("PUBLIC_URL", "https://api.example.org"),
        ("STACK_NAME", "tidemark"),
        ("TABLE_NAME", TABLE),
    ];
    variables.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    variables
}

/// A function's process, which is killed when this value is dropped.
pub struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    /// Starts a function with exactly this environment.
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

    /// Returns the lines written so far to standard output and standard error.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits until the process exits and returns its exit code.
    pub async fn end(&mut self) -> Option<i32> {
        let ended = tokio::time::timeout(MAX_WAIT, self.child.wait()).await.expect("an end in time");
        self.read_to_the_end().await;
        ended.expect("its status").code()
    }

    fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("its status").is_none()
    }

    async fn kill(&mut self) {
        assert!(self.is_alive(), "the process ended before the test did");
        self.child.kill().await.expect("it ends");
        self.read_to_the_end().await;
    }

    async fn read_to_the_end(&mut self) {
        for reader in std::mem::take(&mut self.readers) {
            tokio::time::timeout(MAX_WAIT, reader).await.expect("the end of its output").expect("its output");
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
