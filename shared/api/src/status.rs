//! The shared handler of `POST /v1/contacts/marketing` and `POST /v1/contacts/non-marketing-pending`.

use axum::response::Response;
use domain::decision::{Command, Outcome};
use domain::permission::Principal;
use http::StatusCode;
use serde::Serialize;
use store::{Responder, StatusOutcome, StatusReport, StatusRequest, StatusResult};
use utoipa::ToSchema;

use crate::contacts::{NamedContact, named_contacts, references};
use crate::context::Context;
use crate::describe::documented;
use crate::fields::{Fields, FromFields, Reported};
use crate::parse::{Parser, boolean};
use crate::problem::Problem;
use crate::request::MutationRequest;
use crate::respond;
use crate::views::UsageView;

/// The contacts whose marketing state changes.
pub struct StatusChange {
    contacts: Vec<NamedContact>,
    dry_run: bool,
}

impl FromFields for StatusChange {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let contacts =
            named_contacts().about("The contacts, in the order in which capacity under a cap is used.");
        let contacts = fields.required("contacts", contacts);
        let dry_run = boolean().about("Returns the same results and changes nothing.").default_value(false);
        let dry_run = fields.optional("dry_run", dry_run);
        Ok(Self { contacts: contacts?, dry_run: dry_run?.unwrap_or(false) })
    }
}

documented! { StatusChange as "StatusChange": "The contacts whose marketing state changes." }

/// The results of a status change.
#[derive(Serialize, ToSchema)]
pub struct StatusAnswer {
    /// The results in the order of the contacts in the request, one for each.
    results: Vec<StatusResultView>,
    /// The number of results with each outcome.
    summary: Summary,
    /// The account's usage as the request read it, with the changes of this request.
    usage: UsageView,
}

/// The result of a status change for one contact.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusResult)]
struct StatusResultView {
    /// The contact's id; for a contact that was not found, the id in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// The contact's address; for a contact that was not found, the address in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
    /// `set`, `kept`, `queued`, `unchanged`, `refused` or `not_found`.
    outcome: &'static str,
    /// The reason for which the change was refused, such as `cap-reached`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<&'static str>,
}

/// The number of results with each outcome.
#[derive(Serialize, ToSchema, Default, Clone, Copy, PartialEq, Eq, Debug)]
#[schema(as = StatusSummary)]
struct Summary {
    /// Contacts that became marketing contacts.
    set: u64,
    /// Contacts that were leaving and stay.
    kept: u64,
    /// Contacts that were queued to leave.
    queued: u64,
    /// Contacts that already had the requested state.
    unchanged: u64,
    /// Contacts whose change was refused, for the reason in the result.
    refused: u64,
    /// References that match no contact of the account.
    not_found: u64,
}

/// Applies `command` to the contacts of the request. The route checks the permission before
/// (see [`MarketingEditor`](crate::MarketingEditor)).
///
/// # Errors
///
/// The problem to respond with.
pub async fn change(
    context: &Context,
    principal: &Principal,
    command: Command,
    request: MutationRequest<StatusChange>,
) -> Result<Response, Problem> {
    let StatusChange { contacts, dry_run } = &request.body;
    let status_request = StatusRequest {
        account: principal.account,
        command,
        contacts: &references(contacts),
        dry_run: *dry_run,
        source: principal.source(),
        actor: principal.actor(),
    };
    let render = |report: &StatusReport| respond::json(StatusCode::OK, &StatusAnswer::new(contacts, report));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.set_status(&status_request, context.clock.now(), responder).await;
    request.conclude(context, result).await
}

impl StatusAnswer {
    fn new(contacts: &[NamedContact], report: &StatusReport) -> Self {
        let results: Vec<_> = contacts
            .iter()
            .zip(&report.results)
            .map(|(named, result)| StatusResultView::new(named, result))
            .collect();
        let mut summary = Summary::default();
        for result in &report.results {
            *summary.count_of(result.outcome) += 1;
        }
        Self { results, summary, usage: UsageView::new(&report.period) }
    }
}

impl StatusResultView {
    fn new(named: &NamedContact, result: &StatusResult) -> Self {
        let (outcome, reason) = match result.outcome {
            StatusOutcome::Done(outcome) => (outcome.as_str(), None),
            StatusOutcome::Refused(refusal) => ("refused", Some(refusal.as_str())),
            StatusOutcome::NotFound => ("not_found", None),
        };
        let id = result.id.map(|id| id.to_string()).or_else(|| named.given_id().map(str::to_owned));
        let email = result.email.clone().or_else(|| named.given_email().map(str::to_owned));
        Self { id, email, outcome, reason }
    }
}

impl Summary {
    fn count_of(&mut self, outcome: StatusOutcome) -> &mut u64 {
        match outcome {
            StatusOutcome::Done(Outcome::Set) => &mut self.set,
            StatusOutcome::Done(Outcome::Kept) => &mut self.kept,
            StatusOutcome::Done(Outcome::Queued) => &mut self.queued,
            StatusOutcome::Done(Outcome::Unchanged) => &mut self.unchanged,
            StatusOutcome::Refused(_) => &mut self.refused,
            StatusOutcome::NotFound => &mut self.not_found,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::decision::Refusal;
    use domain::ids::ContactId;
    use serde_json::{Value, json};

    use super::*;
    use crate::fields::{Errors, read_object};
    use crate::views::tests::period;

    fn read(body: Value) -> StatusChange {
        read_object(body, &mut Errors::default()).unwrap()
    }

    #[test]
    fn results_are_in_order_and_counted() {
        let ada = ContactId::new(Timestamp::MIN, 1);
        let bob = ContactId::new(Timestamp::MIN, 2);
        let body = json!({"contacts": [
            {"id": ada.to_string()}, {"email": "no@one.example"}, {"email": "BOB@example.org"}, {"id": "42"},
            {"id": ada.to_string()}, {"id": bob.to_string()},
        ]});
        let result = |id: Option<ContactId>, email: Option<&str>, outcome| StatusResult {
            id,
            email: email.map(str::to_owned),
            outcome,
        };
        let report = StatusReport {
            results: vec![
                result(Some(ada), Some("ada@example.org"), StatusOutcome::Done(Outcome::Set)),
                result(None, None, StatusOutcome::NotFound),
                result(Some(bob), Some("bob@example.org"), StatusOutcome::Refused(Refusal::CapReached)),
                result(None, None, StatusOutcome::NotFound),
                result(Some(ada), Some("ada@example.org"), StatusOutcome::Done(Outcome::Unchanged)),
                result(Some(bob), None, StatusOutcome::Refused(Refusal::CapReached)),
            ],
            period: period(1, 0, Some(1)),
        };
        let answer = serde_json::to_value(StatusAnswer::new(&read(body).contacts, &report)).unwrap();
        assert_eq!(
            answer["results"],
            json!([
                {"id": ada.to_string(), "email": "ada@example.org", "outcome": "set"},
                {"email": "no@one.example", "outcome": "not_found"},
                {"id": bob.to_string(), "email": "bob@example.org", "outcome": "refused", "reason": "cap-reached"},
                {"id": "42", "outcome": "not_found"},
                {"id": ada.to_string(), "email": "ada@example.org", "outcome": "unchanged"},
                {"id": bob.to_string(), "outcome": "refused", "reason": "cap-reached"},
            ])
        );
        assert_eq!(
            answer["summary"],
            json!({"set": 1, "kept": 0, "queued": 0, "unchanged": 1, "refused": 2, "not_found": 2})
        );
        assert_eq!(answer["usage"]["marketing"], 1);
    }

    #[test]
    fn dry_run_is_off_by_default() {
        assert!(!read(json!({"contacts": [{"id": "a"}]})).dry_run);
        assert!(read(json!({"contacts": [{"id": "a"}], "dry_run": true})).dry_run);
    }
}
