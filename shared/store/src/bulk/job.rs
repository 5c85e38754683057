//! Bulk jobs as callers see them.

use domain::Timestamp;
use domain::bulk::{Forecast, Summary, Tally};
use domain::decision::Command;
use domain::ids::JobId;

use crate::items::BulkJobItem;
use crate::job_state::{JobKind, JobState, SelectionKind};

/// A bulk job with its progress.
#[derive(Clone, Debug)]
pub struct BulkJob {
    /// The job's id.
    pub id: JobId,
    /// The job's work.
    pub kind: JobKind,
    /// The command for each contact, or the command that a preview is about.
    pub command: Command,
    /// The state.
    pub state: JobState,
    /// The kind of the selection.
    pub selection: SelectionKind,
    /// The id of the selected segment or job.
    pub selected: Option<String>,
    /// The description of the selection, which histories show as the source's name.
    pub name: String,
    /// The number of contacts that the caller confirmed.
    pub confirm_count: Option<u64>,
    /// The number of selected contacts. `None` until they are counted.
    pub matched: Option<u64>,
    /// The outcomes so far.
    pub summary: Summary,
    /// The part of the work that is done, from 0 to 1. It is 1 only if the job is complete.
    pub progress: f64,
    /// The consequence of the command and the counts behind it, for a finished preview or review.
    pub forecast: Option<(Forecast, Tally)>,
    /// The next update date, as the job last read it.
    pub next_update_at: Option<Timestamp>,
    /// The time of the request.
    pub created_at: Timestamp,
    /// The time at which the work began.
    pub started_at: Option<Timestamp>,
    /// The time at which the job finished.
    pub finished_at: Option<Timestamp>,
}

/// The highest progress of a job that is not complete.
const PROGRESS_UNFINISHED_MAX: f64 = 0.99;

impl BulkJob {
    /// Returns the job of this item.
    pub(crate) fn of(item: &BulkJobItem) -> Self {
        let tally = item.count.tally();
        let forecast = item.forecast.as_ref();
        Self {
            id: item.id,
            kind: item.kind,
            command: item.command,
            state: item.state,
            selection: item.selection,
            selected: item.selected.clone(),
            name: item.name.clone(),
            confirm_count: item.confirm_count,
            matched: item.matched,
            summary: item.summary.summary(),
            progress: item.progress(),
            forecast: forecast.map(|stored| (stored.forecast(&tally, item.command), tally)),
            next_update_at: item.next_update_at,
            created_at: item.created_at,
            started_at: item.started_at,
            finished_at: item.finished_at,
        }
    }

    /// Returns the number of contacts with an outcome.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.summary.total()
    }
}

impl BulkJobItem {
    /// Returns the part of the changes that is done. The contacts were counted before, so their number is known.
    fn progress(&self) -> f64 {
        if self.state == JobState::Done {
            return 1.0;
        }
        let (examined, whole) = (self.examined, self.count.tally().examined);
        #[expect(clippy::cast_precision_loss, reason = "a progress needs few digits")]
        let part = if whole == 0 { 0.0 } else { examined as f64 / whole as f64 };
        if self.state == JobState::Running || self.state.is_finished() {
            part.min(PROGRESS_UNFINISHED_MAX)
        } else {
            0.0
        }
    }
}
