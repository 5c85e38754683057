//! The program's own metrics: what an operator watches, beside the metrics of AWS's services.
//!
//! Recording a metric is a tracing event with the target [`TARGET`]. In Lambda, `bootstrap` writes it as a line of
//! CloudWatch's embedded metric format. The local stack ignores it. A metric is a number with at most one reason, and
//! contains nothing personal.

use domain::string_enum::string_enum;

/// The target of the tracing events that record metrics.
pub const TARGET: &str = "metrics";

/// The CloudWatch namespace of all metrics.
pub const NAMESPACE: &str = "Tidemark";

string_enum! {
    /// A metric. Its text is its name in CloudWatch.
    pub enum Metric {
        /// A request that was refused or failed, by the slug of its problem type.
        Refusals = "Refusals",
        /// The retries of one operation of the store, which conflicts and throttled or lost calls cause.
        Retries = "Retries",
        /// A submission of a form that was applied or put into the inbox.
        Submissions = "Submissions",
        /// A delivery that had arrived before, and changed nothing.
        RepeatedDeliveries = "RepeatedDeliveries",
        /// A submission that could not be applied and is stored as rejected, by its reason.
        RejectedSubmissions = "RejectedSubmissions",
        /// A submission that was put into the inbox, because the account was busy.
        InboxAccepted = "InboxAccepted",
        /// The submissions that wait in the inbox.
        InboxDepth = "InboxDepth",
        /// A run of the schedule, also one in which an item failed.
        ScheduleRuns = "ScheduleRuns",
        /// A period that was closed.
        PeriodsClosed = "PeriodsClosed",
        /// The time from the end of a period to its closing.
        ClosingLateness = "ClosingLateness",
        /// The time since the end of the oldest period that could not be closed, 0 if there is none.
        OpenPeriodLateness = "OpenPeriodLateness",
        /// The contacts that a sweep has updated.
        ContactsSwept = "ContactsSwept",
        /// The usage of an account as a share of its tier limit.
        TierUsed = "TierUsed",
        /// The usage of an account as a share of its cap.
        CapUsed = "CapUsed",
    }
}

/// The unit of a metric, in CloudWatch's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// A number of things.
    Count,
    /// A time.
    Seconds,
    /// A share in per cent.
    Percent,
}

impl Unit {
    /// Returns CloudWatch's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Seconds => "Seconds",
            Self::Percent => "Percent",
        }
    }
}

impl Metric {
    /// Returns the unit.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::ClosingLateness | Self::OpenPeriodLateness => Unit::Seconds,
            Self::TierUsed | Self::CapUsed => Unit::Percent,
            Self::Refusals
            | Self::Retries
            | Self::Submissions
            | Self::RepeatedDeliveries
            | Self::RejectedSubmissions
            | Self::InboxAccepted
            | Self::InboxDepth
            | Self::ScheduleRuns
            | Self::PeriodsClosed
            | Self::ContactsSwept => Unit::Count,
        }
    }

    /// Records a value.
    pub fn record(self, value: u64) {
        tracing::info!(target: TARGET, metric = self.as_str(), value);
    }

    /// Records a value with its reason: a word of the program, such as the slug of a problem type.
    pub fn record_for(self, reason: &str, value: u64) {
        tracing::info!(target: TARGET, metric = self.as_str(), value, reason);
    }
}
