//! Log lines: one JSON object each, on standard output.
//!
//! A line may contain an event, the program's own ids, counts, durations with their unit, and errors with their
//! chain. It never contains an address, a property, a token, a path or a body. Other crates log from `warn` on only,
//! whatever the level, because at `debug` some of them log whole requests.

use std::io::{self, Write as _};
use std::panic::PanicHookInfo;

use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::embedded_metrics::EmbeddedMetrics;

/// The crates to which the level applies.
const OUR_CRATES: &[&str] = &[
    "account",
    "api",
    "authorizer",
    "automation_worker",
    "bootstrap",
    "bulk_jobs",
    "bulk_worker",
    "change_feed",
    "console",
    "contact_files",
    "contacts",
    "domain",
    "file_jobs",
    "file_store",
    "file_worker",
    "files",
    "form_submission",
    "forms",
    "intake_worker",
    "monthly_rollover",
    "segments",
    "set_marketing",
    "set_non_marketing_pending",
    "store",
    "sweep_period",
    "tidemark",
];

/// Starts logging to standard output. Later calls have no effect.
pub fn init(level: Level) {
    begin(subscriber(level, io::stdout));
}

/// Starts logging to standard output, with the metrics of the stack of this name.
pub(crate) fn init_with_metrics(level: Level, stack: String) {
    let now = || chrono::Utc::now().timestamp_millis();
    begin(subscriber(level, io::stdout).with(EmbeddedMetrics::new(stack, io::stdout, now)));
}

fn begin(subscriber: impl tracing::Subscriber + Send + Sync) {
    if subscriber.try_init().is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// Creates the subscriber that writes events as lines to this writer, at this level. [`init`] also installs it.
pub fn subscriber<W>(
    level: Level,
    writer: W,
) -> impl tracing::Subscriber + Send + Sync + for<'s> LookupSpan<'s>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(writer);
    tracing_subscriber::registry().with(lines.with_filter(filter(level)))
}

fn filter(level: Level) -> Targets {
    let quiet = LevelFilter::from_level(level).min(LevelFilter::WARN);
    Targets::new()
        .with_default(quiet)
        // It repeats an error that a handler returned, which is already logged, and a panic, which the hook logs.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF)
        // The local stack's engine warns of every failed condition, and its warnings may contain data.
        .with_target("dynoxide", LevelFilter::OFF)
        // The local stack's server of files logs every refusal as an error, and the request with it.
        .with_target("s3s", LevelFilter::OFF)
        // Metrics have lines of their own.
        .with_target(metrics::TARGET, LevelFilter::OFF)
        .with_targets(OUR_CRATES.iter().map(|name| (*name, level)))
}

/// Logs the location of a panic, without its message, which may contain data.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panicked");
    // The process may end immediately.
    let _ = io::stdout().flush();
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing::subscriber::with_default;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Returns the lines that `log` writes.
    pub(crate) fn logged(level: Level, log: impl FnOnce()) -> Vec<Value> {
        let lines = Lines::default();
        let writer = lines.clone();
        with_default(subscriber(level, move || writer.clone()), log);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn log_line_is_one_flat_object() {
        let lines = logged(Level::INFO, || {
            let span = tracing::info_span!("request", address = "ada@example.org");
            let _in_span = span.enter();
            tracing::info!(target: "api", status = 200, "request answered");
        });
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(
            (&line["message"], &line["status"], &line["level"]),
            (&"request answered".into(), &200.into(), &"INFO".into())
        );
        assert!(line["timestamp"].is_string());
        assert!(!line.to_string().contains("ada"), "the fields of a span are not repeated");
    }

    #[test]
    fn metric_is_a_line_of_the_embedded_format_and_no_other() {
        use metrics::Metric;
        let (lines, metric_lines) = (Lines::default(), Lines::default());
        let (writer, metric_writer) = (lines.clone(), metric_lines.clone());
        let layer = EmbeddedMetrics::new("tidemark".to_owned(), move || metric_writer.clone(), || 7);
        with_default(subscriber(Level::TRACE, move || writer.clone()).with(layer), || {
            Metric::ContactsSwept.record(98);
            Metric::Refusals.record_for("not-found", 1);
            tracing::info!(target: "store", "ours");
        });
        let read = |lines: &Lines| -> Vec<Value> {
            let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        assert_eq!(read(&lines).len(), 1, "only the event that is no metric");
        let definition = |name: &str, dimensions: Value| {
            serde_json::json!({"Timestamp": 7, "CloudWatchMetrics": [{
                "Namespace": "Tidemark", "Dimensions": dimensions, "Metrics": [{"Name": name, "Unit": "Count"}],
            }]})
        };
        let [swept, refused] = &read(&metric_lines)[..] else { panic!("two lines") };
        assert_eq!(
            *swept,
            serde_json::json!({
                "_aws": definition("ContactsSwept", serde_json::json!([["Stack"]])),
                "Stack": "tidemark", "ContactsSwept": 98,
            })
        );
        assert_eq!(
            *refused,
            serde_json::json!({
                "_aws": definition("Refusals", serde_json::json!([["Stack"], ["Stack", "Reason"]])),
                "Stack": "tidemark", "Reason": "not-found", "Refusals": 1,
            })
        );
    }

    #[test]
    fn other_crates_log_from_warn_on_only() {
        let lines = logged(Level::DEBUG, || {
            tracing::debug!(target: "store::status", "ours");
            tracing::trace!(target: "store::status", "too fine");
            tracing::info!(target: "aws_smithy_runtime", "theirs");
            tracing::warn!(target: "aws_smithy_runtime", "theirs, and serious");
            tracing::error!(target: "lambda_runtime::layers::panic", "a repetition");
        });
        let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
        assert_eq!(messages, ["ours", "theirs, and serious"]);
        assert!(logged(Level::ERROR, || tracing::warn!(target: "aws_smithy_runtime", "theirs")).is_empty());
    }
}
