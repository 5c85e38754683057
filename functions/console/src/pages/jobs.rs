//! Bulk jobs: the list, and one job with its progress and its result.

use axum::Router;
use domain::decision::Command;
use store::{BulkJob, JobKind};

use crate::Console;
use crate::parts::number;
use crate::signed::Signed;
use crate::text::{self, jobs as words};

/// Returns the title of a job, such as `Set 812 contacts as marketing`.
pub(crate) fn title(signed: &Signed, job: &BulkJob) -> String {
    let count = job.matched.or(job.confirm_count);
    let contacts = count.map(|count| text::counted(count, &number(signed, count), "contact"));
    match job.kind {
        JobKind::Change => words::change(job.command == Command::SetMarketing, contacts.as_deref()),
        JobKind::Preview => words::PREVIEW.to_owned(),
        JobKind::Review => words::REVIEW.to_owned(),
        JobKind::DeleteMembers => words::DELETE_MEMBERS.to_owned(),
    }
}

pub(crate) fn routes() -> Router<Console> {
    Router::new()
}
