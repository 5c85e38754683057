//! Views of previews, reviews and jobs.

use std::collections::BTreeMap;

use api::filter::FilterGroupView;
use domain::bulk::{Forecast, Summary, Tally};
use domain::decision::Command;
use domain::filter::Filter;
use serde::Serialize;
use store::{BulkJob, JobKind};
use utoipa::ToSchema;

/// The number of contacts with each outcome.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkSummary)]
pub(crate) struct SummaryView {
    /// Contacts that become marketing contacts.
    set: u64,
    /// Contacts that are leaving and stay.
    kept: u64,
    /// Contacts that are queued to leave.
    queued: u64,
    /// Contacts that already have the requested state.
    unchanged: u64,
    /// Contacts that a job has enrolled in an automation, where they wait for their turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    enrolled: Option<u64>,
    /// Contacts whose change is refused.
    refused: u64,
}

impl SummaryView {
    fn new(summary: &Summary) -> Self {
        let Summary { set, kept, queued, unchanged, enrolled, .. } = *summary;
        let enrolled = Some(enrolled).filter(|enrolled| *enrolled > 0);
        Self { set, kept, queued, unchanged, enrolled, refused: summary.refused() }
    }
}

fn reasons(summary: &Summary) -> BTreeMap<&'static str, u64> {
    summary.refused.iter().map(|(refusal, contacts)| (refusal.as_str(), *contacts)).collect()
}

/// The consequence of a command, if nothing else changes.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkPreview)]
pub(crate) struct PreviewView {
    /// The command.
    action: &'static str,
    /// The number of contacts that match. It is the number to confirm.
    matched: u64,
    /// The outcomes.
    would: SummaryView,
    /// The number of refused contacts, by reason.
    refused_by: BTreeMap<&'static str, u64>,
    /// For `set-marketing`: the number of contacts that would be set, but that marketing email would not reach, because
    /// they are unsubscribed or bounced, or have no address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    unengaged: Option<u64>,
    /// The usage before the command.
    usage_before: u64,
    /// The usage after the command.
    usage_after: u64,
    /// The usage right after the next update date.
    after_next_update: u64,
    /// The next update date. Contacts that are queued leave then, and contacts that are set count at least until then.
    #[schema(format = DateTime)]
    next_update_at: String,
    /// The tier limit before the command.
    tier_limit_before: u64,
    /// The tier limit after the command. If it is higher, the command raises the tier.
    tier_limit_after: u64,
    /// The filter that was applied, with the instants that its dates mean. Left out without a filter.
    #[serde(rename = "filterGroups", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    filter_groups: Option<Vec<FilterGroupView>>,
}

impl PreviewView {
    pub(crate) fn new(command: Command, forecast: &Forecast, filter: Option<&Filter>) -> Self {
        Self {
            action: command.as_str(),
            matched: forecast.matched,
            would: SummaryView::new(&forecast.would),
            refused_by: reasons(&forecast.would),
            unengaged: forecast.unengaged,
            usage_before: forecast.usage_before,
            usage_after: forecast.usage_after,
            after_next_update: forecast.after_next_update,
            next_update_at: forecast.next_update_at.to_string(),
            tier_limit_before: forecast.tier_limit_before,
            tier_limit_after: forecast.tier_limit_after,
            filter_groups: filter.map(FilterGroupView::all),
        }
    }
}

/// A number of contacts now, after the review's job, and after the next update date.
#[derive(Serialize, ToSchema)]
#[schema(as = ReviewedContacts)]
pub(crate) struct ReviewedView {
    /// The number now.
    before: u64,
    /// The number after the job.
    after: u64,
    /// The number right after the next update date.
    after_next_update: u64,
}

/// The unengaged marketing contacts that are not leaving, proposed or not.
#[derive(Serialize, ToSchema)]
#[schema(as = UnengagedContacts)]
pub(crate) struct UnengagedView {
    /// Unsubscribed contacts.
    unsubscribed: u64,
    /// Contacts that have bounced.
    bounced: u64,
}

/// The numbers of a review of marketing contacts.
#[derive(Serialize, ToSchema)]
#[schema(as = ReviewNumbers)]
pub(crate) struct ReviewView {
    /// The next update date, at which the queued contacts leave.
    #[schema(format = DateTime)]
    next_update_at: String,
    /// The unengaged marketing contacts.
    unengaged: UnengagedView,
    /// The number of contacts that the job would queue. It is the number to confirm.
    confirm_count: u64,
    /// Marketing contacts, leaving ones included: the usage.
    marketing: ReviewedView,
    /// Non-marketing contacts.
    non_marketing: ReviewedView,
}

impl ReviewView {
    pub(crate) fn new(forecast: &Forecast, tally: &Tally) -> Self {
        let non_marketing = tally.existing.non_marketing;
        Self {
            next_update_at: forecast.next_update_at.to_string(),
            unengaged: UnengagedView { unsubscribed: tally.unsubscribed, bounced: tally.bounced },
            confirm_count: forecast.matched,
            marketing: ReviewedView {
                before: forecast.usage_before,
                after: forecast.usage_after,
                after_next_update: forecast.after_next_update,
            },
            non_marketing: ReviewedView {
                before: non_marketing,
                after: non_marketing,
                after_next_update: non_marketing + tally.existing.leaving + forecast.would.queued,
            },
        }
    }
}

/// The contacts that a job was asked to change.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkJobSelection)]
pub(crate) struct SelectionView {
    /// `contacts`, `filter`, `segment`, `job` or `review`.
    r#type: &'static str,
    /// The id of the selected segment or job.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// The description that the histories of the contacts contain.
    name: String,
}

/// A bulk job.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkJob)]
pub(crate) struct JobView {
    /// The job's id.
    id: String,
    /// `change`, `preview`, `review` or `enrol`. A `change` changes contacts, and `enrol` enrols them in an automation. The
    /// others count.
    r#type: &'static str,
    /// The command for each contact.
    action: &'static str,
    /// `waiting`, `counting`, `running`, `done`, `cancelled`, `count-changed` or `failed`. The last four are final.
    state: &'static str,
    /// The contacts.
    selection: SelectionView,
    /// The confirmed number of contacts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    confirm_count: Option<u64>,
    /// The number of contacts that match, once they are counted. It rises if further contacts match while the job runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    matched: Option<u64>,
    /// The number of contacts with an outcome.
    done: u64,
    /// The part of the work that is done, from 0 to 1. It is 1 only in the state `done`.
    #[schema(minimum = 0, maximum = 1)]
    progress: f64,
    /// The outcomes so far.
    summary: SummaryView,
    /// The number of refused contacts, by reason.
    refused_by: BTreeMap<&'static str, u64>,
    /// The result of a finished preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    preview: Option<PreviewView>,
    /// The result of a finished review.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    review: Option<ReviewView>,
    /// The next update date, as the job last read it. Contacts that it queued leave then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    next_update_at: Option<String>,
    /// The time of the request.
    #[schema(format = DateTime)]
    created_at: String,
    /// The time at which the work began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    started_at: Option<String>,
    /// The time at which the job finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    finished_at: Option<String>,
}

impl JobView {
    pub(crate) fn new(job: &BulkJob) -> Self {
        let forecast = job.forecast.as_ref();
        let of_kind = |kind| forecast.filter(|_| job.kind == kind);
        Self {
            id: job.id.to_string(),
            r#type: job.kind.as_str(),
            action: job.command.as_str(),
            state: job.state.as_str(),
            selection: SelectionView {
                r#type: job.selection.as_str(),
                id: job.selected.clone(),
                name: job.name.clone(),
            },
            confirm_count: job.confirm_count,
            matched: job.matched,
            done: job.done(),
            progress: job.progress,
            summary: SummaryView::new(&job.summary),
            refused_by: reasons(&job.summary),
            preview: of_kind(JobKind::Preview)
                .map(|(forecast, _)| PreviewView::new(job.command, forecast, None)),
            review: of_kind(JobKind::Review).map(|(forecast, tally)| ReviewView::new(forecast, tally)),
            next_update_at: job.next_update_at.map(|at| at.to_string()),
            created_at: job.created_at.to_string(),
            started_at: job.started_at.map(|at| at.to_string()),
            finished_at: job.finished_at.map(|at| at.to_string()),
        }
    }
}

/// A response that names a job.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkJobAnswer)]
pub(crate) struct JobAnswer {
    /// The job.
    job: JobView,
}

impl JobAnswer {
    pub(crate) fn new(job: &BulkJob) -> Self {
        Self { job: JobView::new(job) }
    }
}
