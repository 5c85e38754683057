//! Metrics as log lines: CloudWatch's embedded metric format (the specification of August 2018).
//!
//! CloudWatch Logs extracts the metrics from these lines, so the functions need no permission and make no call for them.
//! Each metric has the dimension `Stack`, because several stacks may share an AWS account. A metric with a reason also
//! has one value for each reason.

use std::fmt;
use std::io::Write as _;

use metrics::{Metric, NAMESPACE, TARGET};
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

/// A layer that writes metrics, and ignores all other events.
pub(crate) struct EmbeddedMetrics<W> {
    stack: String,
    writer: W,
    /// Returns the time in milliseconds since 1970.
    now: fn() -> i64,
}

impl<W> EmbeddedMetrics<W> {
    /// Creates the layer for the stack of this name.
    pub(crate) fn new(stack: String, writer: W, now: fn() -> i64) -> Self {
        Self { stack, writer, now }
    }

    /// Returns the line of a metric.
    fn line(&self, recorded: &Recorded) -> Option<Value> {
        let metric: Metric = recorded.metric.as_deref()?.parse().ok()?;
        let mut dimensions = vec![json!(["Stack"])];
        let mut line = Map::new();
        line.insert("Stack".to_owned(), json!(self.stack));
        if let Some(reason) = &recorded.reason {
            dimensions.push(json!(["Stack", "Reason"]));
            line.insert("Reason".to_owned(), json!(reason));
        }
        line.insert(metric.as_str().to_owned(), json!(recorded.value));
        let definition = json!({"Name": metric.as_str(), "Unit": metric.unit().as_str()});
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": (self.now)(),
                "CloudWatchMetrics": [
                    {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": [definition]}
                ],
            }),
        );
        Some(Value::Object(line))
    }
}

impl<S: Subscriber, W: for<'w> MakeWriter<'w> + 'static> Layer<S> for EmbeddedMetrics<W> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != TARGET {
            return;
        }
        let mut recorded = Recorded::default();
        event.record(&mut recorded);
        if let Some(line) = self.line(&recorded) {
            // A metric that cannot be written must not stop its request.
            let _ = writeln!(self.writer.make_writer(), "{line}");
        }
    }
}

/// The fields of a recorded metric.
#[derive(Default)]
struct Recorded {
    metric: Option<String>,
    reason: Option<String>,
    value: u64,
}

impl Visit for Recorded {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "value" {
            self.value = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "metric" => self.metric = Some(value.to_owned()),
            "reason" => self.reason = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
