//! Views of automations, of their runs and of tests.

use std::collections::BTreeMap;

use api::filter::FilterGroupView;
use domain::automation::Trigger;
use domain::filter::{FieldName, Filter};
use domain::ids::FormId;
use serde::Serialize;
use store::{Automation, AutomationReport, AutomationRun, Trial, TrialResult};
use utoipa::ToSchema;

/// The changes that enrol a contact.
#[derive(Serialize, ToSchema)]
#[schema(as = Enrolment)]
pub(crate) struct EnrolView {
    /// The filter, with the instants that its dates mean.
    #[serde(rename = "filterGroups", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    filter_groups: Option<Vec<FilterGroupView>>,
    /// The forms whose submissions enrol.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    form_ids: Option<Vec<String>>,
    /// The segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    segment_id: Option<String>,
}

impl EnrolView {
    fn new(trigger: &Trigger) -> Self {
        let none = Self { filter_groups: None, form_ids: None, segment_id: None };
        match trigger {
            Trigger::Filter(filter) => Self { filter_groups: Some(FilterGroupView::all(filter)), ..none },
            Trigger::Forms(forms) => {
                Self { form_ids: Some(forms.iter().map(FormId::to_string).collect()), ..none }
            }
            Trigger::Segment(segment) => Self { segment_id: Some(segment.to_string()), ..none },
        }
    }
}

/// The pause of an automation.
#[derive(Serialize, ToSchema)]
#[schema(as = AutomationPause)]
pub(crate) struct PauseView {
    /// The instant at which the brake stopped it.
    #[schema(format = DateTime)]
    at: String,
    /// The number of contacts that were enrolled in the hour before, as far as they were counted.
    enrolled: u64,
}

/// An automation.
#[derive(Serialize, ToSchema)]
#[schema(as = Automation)]
pub(crate) struct AutomationView {
    /// The automation's id.
    id: String,
    /// The display name.
    name: String,
    /// `enabled`, `disabled` or `paused`. A paused automation enrols contacts, which wait until it is resumed.
    state: &'static str,
    /// The changes that enrol a contact.
    enrol: EnrolView,
    /// True if a contact is enrolled again each time that it comes back.
    re_enrol: bool,
    /// The command for each enrolled contact.
    action: &'static str,
    /// The maximum number of contacts that are set, kept or queued on one day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    max_per_day: Option<u64>,
    /// The number of contacts within an hour above which it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pause_above: Option<u64>,
    /// The pause, in the state `paused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    paused: Option<PauseView>,
    /// The number of contacts that wait for their turn, at most 100,000. Lists leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    waiting: Option<u64>,
    /// Sentences about the trigger that its author should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<&'static str>,
    /// The time of creation.
    #[schema(format = DateTime)]
    created_at: String,
    /// The time of the last change of the definition.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// The note about filters that the passing of time makes true.
const TIME_ENROLS_NONE: &str = "A contact that comes to match because time passes is not enrolled: only a change of the \
                                contact enrols it.";

impl AutomationView {
    pub(crate) fn new(automation: &Automation) -> Self {
        Self {
            id: automation.id.to_string(),
            name: automation.name.clone(),
            state: automation.state.as_str(),
            enrol: EnrolView::new(&automation.trigger),
            re_enrol: automation.re_enrol,
            action: automation.action.as_str(),
            max_per_day: automation.max_per_day,
            pause_above: automation.pause_above,
            paused: automation
                .paused
                .map(|pause| PauseView { at: pause.at.to_string(), enrolled: pause.enrolled }),
            waiting: None,
            notes: match &automation.trigger {
                Trigger::Filter(filter) if compares_instants(filter) => vec![TIME_ENROLS_NONE],
                _ => Vec::new(),
            },
            created_at: automation.created_at.to_string(),
            updated_at: automation.updated_at.to_string(),
        }
    }

    /// Adds the number of contacts that wait.
    pub(crate) fn with_waiting(self, waiting: u64) -> Self {
        Self { waiting: Some(waiting), ..self }
    }
}

/// Returns true if a filter compares an instant of the contact.
fn compares_instants(filter: &Filter) -> bool {
    let instants = [FieldName::CreatedAt, FieldName::UpdatedAt].map(|field| field.as_str().to_owned());
    filter.groups().iter().flatten().any(|condition| instants.contains(&condition.parts().name))
}

/// A created or changed automation.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedAutomation)]
pub(crate) struct ReportView {
    #[serde(flatten)]
    automation: AutomationView,
    /// The number of contacts that match now, if the request enabled the automation and could count them in time. They
    /// are not enrolled, unless the request asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    matching: Option<u64>,
    /// The number of waiting contacts that were dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    dropped: Option<u64>,
    /// The bulk job that enrols the contacts that match now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    job_id: Option<String>,
}

impl ReportView {
    pub(crate) fn new(report: &AutomationReport) -> Self {
        Self {
            automation: AutomationView::new(&report.automation),
            matching: report.matching,
            dropped: report.dropped,
            job_id: report.job.as_ref().map(|job| job.id.to_string()),
        }
    }
}

/// The numbers of an automation on one day.
#[derive(Serialize, ToSchema)]
#[schema(as = AutomationRun)]
pub(crate) struct RunView {
    /// The day of the account's calendar.
    #[schema(format = Date)]
    date: String,
    /// Contacts that became marketing contacts.
    set: u64,
    /// Leaving contacts that stay.
    kept: u64,
    /// Contacts that were queued to leave.
    queued: u64,
    /// Contacts that had the desired state already.
    unchanged: u64,
    /// Contacts whose change was refused.
    refused: u64,
    /// The number of refused contacts, by reason.
    refused_by: BTreeMap<&'static str, u64>,
    /// Contacts that were deleted while they waited.
    gone: u64,
    /// Contacts that did not match any more when their turn came.
    no_longer_matches: u64,
    /// Automations that changed a contact after this one, so that it would have come back. The chain ended there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ended_by: Vec<String>,
}

impl RunView {
    pub(crate) fn new(run: &AutomationRun) -> Self {
        let counts = &run.counts;
        Self {
            date: run.day.to_string(),
            set: counts.set,
            kept: counts.kept,
            queued: counts.queued,
            unchanged: counts.unchanged,
            refused: counts.refused(),
            refused_by: counts.refused_by.iter().map(|(reason, number)| (reason.as_str(), *number)).collect(),
            gone: counts.gone,
            no_longer_matches: counts.no_longer_matches,
            ended_by: run.ended_by.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The result of a test for one contact.
#[derive(Serialize, ToSchema)]
#[schema(as = AutomationTestResult)]
pub(crate) struct TestResultView {
    /// The contact's id. Absent if there is no such contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// True if there is such a contact.
    found: bool,
    /// True if the contact matches now. Absent if submissions are the trigger.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    matches: Option<bool>,
    /// True if the contact had its turn before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    had_turn: Option<bool>,
    /// True if the contact would be enrolled the next time that it comes to match, or that it submits a form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    would_enrol: Option<bool>,
    /// The outcome that its turn would have now: `set`, `kept`, `queued`, `unchanged`, or the reason of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    outcome: Option<&'static str>,
}

impl TestResultView {
    fn new(result: Option<&TrialResult>) -> Self {
        let outcome = result.map(|result| match result.outcome {
            Ok(outcome) => outcome.as_str(),
            Err(refusal) => refusal.as_str(),
        });
        Self {
            id: result.map(|result| result.contact.to_string()),
            found: result.is_some(),
            matches: result.and_then(|result| result.matches),
            had_turn: result.map(|result| result.had_turn),
            would_enrol: result.map(|result| result.would_enrol),
            outcome,
        }
    }
}

/// The result of a test.
#[derive(Serialize, ToSchema)]
#[schema(as = AutomationTest)]
pub(crate) struct TestView {
    /// The results of the contacts, in the order of the request.
    results: Vec<TestResultView>,
    /// The number of contacts that match now. Absent if submissions are the trigger, or if the count would take too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    matching: Option<u64>,
    /// The number of matching contacts that would be set, kept or queued now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    would_change: Option<u64>,
    /// The usage after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    usage_after: Option<u64>,
}

impl TestView {
    pub(crate) fn new(trial: &Trial) -> Self {
        let forecast = trial.forecast.as_ref();
        Self {
            results: trial.results.iter().map(|result| TestResultView::new(result.as_ref())).collect(),
            matching: forecast.map(|forecast| forecast.matched),
            would_change: forecast.map(|forecast| forecast.would.changed()),
            usage_after: forecast.map(|forecast| forecast.usage_after),
        }
    }
}
