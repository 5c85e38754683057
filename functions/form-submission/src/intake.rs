//! The step that all routes share: a parsed submission is applied at once. If the table is too busy, it is accepted
//! into the inbox and applied seconds later.

use api::problem::chain;
use api::{Clock, Context, Problem, Queue};
use axum::extract::FromRef;
use domain::ids::{FormId, Id as _};
use metrics::Metric;
use store::{Form, InboxTask, Submission, SubmissionOutcome, Submitted};

use form_mapping::person::Person;

/// The state of the routes.
#[derive(Clone)]
pub(crate) struct Intake {
    context: Context,
    inbox: Queue<InboxTask>,
}

impl Intake {
    pub(crate) fn new(context: Context, inbox: Queue<InboxTask>) -> Self {
        Self { context, inbox }
    }

    /// Returns a form of any account and any provider.
    pub(crate) async fn form(&self, id: FormId) -> Result<Form, Problem> {
        Ok(self.context.store.public_form(id).await?)
    }

    /// Returns a native form. A form of another provider is not found, because it accepts only the verified webhooks of
    /// that provider.
    pub(crate) async fn native_form(&self, id: FormId) -> Result<Form, Problem> {
        let form = self.form(id).await?;
        if form.provider.is_native() { Ok(form) } else { Err(Problem::not_found(FormId::NOUN)) }
    }

    /// Applies a submission. `submission_id` is the sender's id for it, if the sender has one.
    ///
    /// If the table is too busy, the submission is accepted into the inbox, and the queue's worker applies it.
    pub(crate) async fn take(
        &self,
        form: &Form,
        submission_id: Option<&str>,
        person: &Person,
    ) -> Result<Submitted, Problem> {
        let submission = Submission {
            form,
            submission_id,
            email: &person.email,
            properties: &person.properties,
            left_out: person.left_out,
        };
        let accepted = self.context.store.submit_or_accept(&submission, self.context.clock.now()).await?;
        record(&accepted);
        if let Some(task) = accepted.waiting {
            self.enqueue(task).await;
        }
        Ok(accepted.submitted)
    }

    /// Sends the task of a submission in the inbox to the queue. If that fails, `monthly-rollover` finds the submission
    /// on its schedule.
    async fn enqueue(&self, task: InboxTask) {
        if let Err(error) = self.inbox.send(vec![task]).await {
            tracing::warn!(form = %task.form, error = chain(&*error), "a submission in the inbox was not queued");
        }
    }
}

/// Records the effect of a submission as metrics.
fn record(SubmissionOutcome { submitted, waiting }: &SubmissionOutcome) {
    if submitted.duplicate {
        return Metric::RepeatedDeliveries.record(1);
    }
    Metric::Submissions.record(1);
    if waiting.is_some() {
        Metric::InboxAccepted.record(1);
    }
}

impl FromRef<Intake> for Context {
    fn from_ref(intake: &Intake) -> Self {
        intake.context.clone()
    }
}

impl FromRef<Intake> for Clock {
    fn from_ref(intake: &Intake) -> Self {
        intake.context.clock.clone()
    }
}
