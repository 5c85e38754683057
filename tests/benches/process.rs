//! A program under measurement: its start, processor time and memory, as the kernel reports them.

use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use testkit::{OPERATOR_TOKEN, TABLE};

/// A running program. Dropping the handle kills it.
pub struct Process(Child);

impl Process {
    /// Starts a program with the address of DynamoDB, and of the Runtime API if it is a function.
    pub fn start(program: &Path, dynamodb: &str, runtime_api: Option<&str>) -> Self {
        let own = [
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
            // Nothing is due, so the program never calls the queue.
            ("AWS_ENDPOINT_URL_SQS", dynamodb),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_NAME", "measured"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_RUNTIME_API", runtime_api.unwrap_or_default()),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("OPERATOR_TOKEN_SHA256", &api::token::sha256_hex(OPERATOR_TOKEN.as_bytes())),
            ("PUBLIC_URL", testkit::PUBLIC_URL),
            ("AUTOMATION_QUEUE_URL", dynamodb),
            ("BULK_QUEUE_URL", dynamodb),
            ("FILES_BUCKET", "tidemark-files"),
            ("FILE_QUEUE_URL", dynamodb),
            ("INTAKE_QUEUE_URL", dynamodb),
            ("SWEEP_QUEUE_URL", dynamodb),
            ("STACK_NAME", "tidemark"),
            ("TABLE_NAME", TABLE),
        ];
        let mut command = Command::new(program);
        command.env_clear().envs(own).stdin(Stdio::piped());
        // A function's log lines are discarded, which costs least. The baseline's output is read.
        command.stdout(if runtime_api.is_some() { Stdio::null() } else { Stdio::piped() });
        Self(command.stderr(Stdio::inherit()).spawn().expect("the program starts"))
    }

    /// Takes the program's standard input and output. The output is available only without a Runtime API.
    pub fn pipes(&mut self) -> (ChildStdin, ChildStdout) {
        (
            self.0.stdin.take().expect("the program's input"),
            self.0.stdout.take().expect("the program's output"),
        )
    }

    /// Returns the processor time of all threads together.
    pub fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.0.id())).expect("a running program");
        let nanos = tasks.map(|task| {
            let path = task.expect("a thread").path().join("schedstat");
            // A thread may have ended in the meantime.
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.split_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or_default()
        });
        Duration::from_nanos(nanos.sum())
    }

    /// Returns the program's peak memory, in MB.
    pub fn peak_megabytes(&self) -> f64 {
        peak_megabytes(&self.0.id().to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that the program has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the peak memory of a process in MB, since its start or the last reset.
pub fn peak_megabytes(process: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a running program");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes * 1024.0 / 1e6
}

/// Returns the peak memory of the benchmarks since the last reset, in MB.
pub fn own_peak_megabytes() -> f64 {
    peak_megabytes("self")
}

/// Resets the peak memory of the benchmarks to their present memory, and returns that in MB.
pub fn reset_own_peak() -> f64 {
    reset_peak("self")
}

/// Resets the peak memory of a process to its present memory, and returns that in MB.
pub fn reset_peak(process: &str) -> f64 {
    // 5 means the peak (the kernel's documentation of `/proc/PID/clear_refs`).
    std::fs::write(format!("/proc/{process}/clear_refs"), "5").expect("the peak is reset");
    peak_megabytes(process)
}
