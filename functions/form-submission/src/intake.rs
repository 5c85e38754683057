//! What every way in has in common: a submission that was read is taken now or, when there is too much at once, a
//! little later.

use api::problem::chain;
use api::{Clock, Context, Problem, Queue};
use axum::extract::FromRef;
use domain::ids::{FormId, Id as _};
use store::{Form, InboxTask, Submission, Submitted};

use form_mapping::person::Person;

/// What the routes are given.
#[derive(Clone)]
pub(crate) struct Intake {
    context: Context,
    inbox: Queue<InboxTask>,
}

impl Intake {
    pub(crate) fn new(context: Context, inbox: Queue<InboxTask>) -> Self {
        Self { context, inbox }
    }

    /// A form, whosever it is.
    pub(crate) async fn form(&self, id: FormId) -> Result<Form, Problem> {
        Ok(self.context.store.public_form(id).await?)
    }

    /// A form that posts here itself. One of another provider is not found: it is fed by what that provider has signed,
    /// and by nothing else.
    pub(crate) async fn native_form(&self, id: FormId) -> Result<Form, Problem> {
        let form = self.form(id).await?;
        if form.provider.is_native() { Ok(form) } else { Err(Problem::not_found(FormId::NOUN)) }
    }

    /// Takes a person's submission. `submission_id` is what the sender calls it, if it has a name.
    ///
    /// When the table is too busy it is accepted into the inbox, which the queue's worker settles.
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
        let taken = self.context.store.submit_or_accept(&submission, self.context.clock.now()).await?;
        if let Some(task) = taken.waiting {
            self.ask_for(task).await;
        }
        Ok(taken.submitted)
    }

    /// Asks for a submission to be settled. Should that fail, the schedule finds it.
    async fn ask_for(&self, task: InboxTask) {
        if let Err(error) = self.inbox.send(vec![task]).await {
            tracing::warn!(form = %task.form, error = chain(&*error), "a submission in the inbox was not queued");
        }
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
