//! Bulk jobs: one command for many selected contacts, counted before, and worked through by a worker behind a queue.
//!
//! A request describes contacts by a [`Selection`]. It is resolved to an `Audience`, which decides for each contact
//! whether it is selected. A `Scan` reads the contacts that can be selected, from all buckets in parallel and in the
//! order of their ids. The count, the preview and the job use the same audience and the same scan.
//!
//! The job's counts and its place are written in the transaction that changes the contacts. So a worker may stop at
//! any point, run twice, or run in parallel with another one, and the numbers are still exact.

mod audience;
mod change;
mod count;
mod create;
mod enrol;
mod finish;
mod job;
pub(crate) mod pace;
mod run;
mod scan;
mod transaction;
mod work;

pub(crate) use audience::{Audience, Part};
pub use create::{BulkRequest, Preview};
pub(crate) use create::{Planned, filter_too_long};
pub use job::BulkJob;
pub use run::BulkProgress;
pub(crate) use scan::{Candidate, Scan};

use std::collections::BTreeSet;

use domain::filter::Filter;
use domain::ids::{ContactId, JobId, SegmentId};

use crate::ContactRef;

/// Contacts that a request selects.
#[derive(Clone, Debug)]
pub struct Selected {
    /// The selection.
    pub by: Selection,
    /// Contacts that are not selected.
    pub except: BTreeSet<ContactId>,
}

/// A way to select contacts.
#[derive(Clone, Debug)]
pub enum Selection {
    /// The contacts that the request names.
    Contacts(Vec<ContactRef>),
    /// The contacts that match a filter.
    Filter(Filter),
    /// The contacts of a segment.
    Segment(SegmentId),
    /// The contacts that a bulk job changed and that no other command has changed since.
    Job(JobId),
}

/// The contacts that a review of marketing contacts proposes to queue. Only marketing contacts that are not leaving are
/// selected.
#[derive(Clone, Debug)]
pub struct Review {
    /// True if unsubscribed contacts are proposed.
    pub unsubscribed: bool,
    /// True if bounced contacts are proposed.
    pub bounced: bool,
    /// Further contacts.
    pub selected: Option<Selected>,
}

/// The contacts that a bulk job acts on.
#[derive(Clone, Debug)]
pub enum Target {
    /// Selected contacts.
    Selected(Selected),
    /// The contacts of a review.
    Review(Review),
}
