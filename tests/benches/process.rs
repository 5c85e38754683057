//! A program under measurement: its start, and what the kernel says of it.

use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use testkit::{OPERATOR_TOKEN, TABLE};

/// A program that runs. It ends with its handle.
pub struct Process(Child);

impl Process {
    /// Starts a program that finds DynamoDB, and the Runtime API if it is a function, at these addresses.
    pub fn start(program: &Path, dynamodb: &str, runtime_api: Option<&str>) -> Self {
        let own = [
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
            // Nothing is due, so the queue is never asked.
            ("AWS_ENDPOINT_URL_SQS", dynamodb),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_NAME", "measured"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_RUNTIME_API", runtime_api.unwrap_or_default()),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("OPERATOR_TOKEN_SHA256", &api::token::sha256_hex(OPERATOR_TOKEN.as_bytes())),
            ("PUBLIC_URL", testkit::PUBLIC_URL),
            ("INTAKE_QUEUE_URL", dynamodb),
            ("SWEEP_QUEUE_URL", dynamodb),
            ("TABLE_NAME", TABLE),
        ];
        let mut command = Command::new(program);
        command.env_clear().envs(own).stdin(Stdio::piped());
        // A function's log lines go where they cost least; the baseline's answers are read.
        command.stdout(if runtime_api.is_some() { Stdio::null() } else { Stdio::piped() });
        Self(command.stderr(Stdio::inherit()).spawn().expect("the program starts"))
    }

    /// Its input and output, for one that is talked to this way.
    pub fn pipes(&mut self) -> (ChildStdin, ChildStdout) {
        (self.0.stdin.take().expect("its input"), self.0.stdout.take().expect("its output"))
    }

    /// How long it has had a processor, all of its threads together.
    pub fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.0.id())).expect("a running program");
        let nanos = tasks.map(|task| {
            let path = task.expect("a thread").path().join("schedstat");
            // A thread may have ended meanwhile.
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.split_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or_default()
        });
        Duration::from_nanos(nanos.sum())
    }

    /// The most memory that it has had at any time, in MB.
    pub fn peak_megabytes(&self) -> f64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("a running program");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kibibytes * 1024.0 / 1e6
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
