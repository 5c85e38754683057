//! `POST /v1/eligibility`: the contacts that a tool may reach.

use std::collections::BTreeMap;

use api::contacts::{NamedContact, named_contacts, references};
use api::describe::documented;
use api::fields::{Fields, FromFields, Reported};
use api::parse::{Parser, variant};
use api::{AccountCaller, Context, Problem, ReadRequest, respond};
use axum::extract::State;
use axum::response::Response;
use domain::contact::Contact;
use domain::tools::{Reason, Tool};
use serde::Serialize;
use utoipa::ToSchema;

use crate::explain::reasons;

/// A tool and the contacts to check.
pub(crate) struct EligibilityQuestion {
    tool: Tool,
    contacts: Vec<NamedContact>,
}

impl FromFields for EligibilityQuestion {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let tool = fields.required("tool", variant::<Tool>().about("A tool that reaches contacts."));
        let contacts = fields.required("contacts", named_contacts().about("The contacts."));
        Ok(Self { tool: tool?, contacts: contacts? })
    }
}

documented! { EligibilityQuestion as "EligibilityQuestion": "A tool and the contacts to check." }

/// The contacts that a tool may reach and may not reach.
#[derive(Serialize, ToSchema)]
#[schema(as = Eligibility)]
struct EligibilityView {
    /// The results in the order of the contacts in the request, one for each.
    results: Vec<ResultView>,
    /// The number of results of each kind.
    summary: SummaryView,
}

/// The result for one contact.
#[derive(Serialize, ToSchema)]
#[schema(as = EligibilityResult)]
struct ResultView {
    /// The contact's id; for a contact that was not found, the id in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// The contact's address; for a contact that was not found, the address in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
    /// True if the tool may reach the contact.
    allowed: bool,
    /// All reasons for which the tool may not reach the contact.
    #[schema(schema_with = reasons)]
    reasons: Vec<&'static str>,
}

/// The number of results of each kind.
#[derive(Serialize, ToSchema, Default)]
#[schema(as = EligibilitySummary)]
struct SummaryView {
    /// The number of contacts that the tool may reach.
    allowed: u64,
    /// The number of contacts that the tool may not reach.
    not_allowed: u64,
    /// The number of contacts with each reason. A contact can have several reasons.
    reasons: BTreeMap<&'static str, u64>,
}

impl EligibilityView {
    fn new(question: &EligibilityQuestion, found: &[Option<Contact>]) -> Self {
        let entries = question.contacts.iter().zip(found);
        let results: Vec<_> =
            entries.map(|(named, contact)| ResultView::new(question.tool, named, contact.as_ref())).collect();
        Self { summary: SummaryView::new(&results), results }
    }
}

impl ResultView {
    fn new(tool: Tool, named: &NamedContact, contact: Option<&Contact>) -> Self {
        let (id, email, reasons) = match contact {
            Some(contact) => (
                Some(contact.id.to_string()),
                contact.email.as_ref().map(|email| email.given().to_owned()),
                tool.reasons_against(contact, contact.state()),
            ),
            None => (
                named.given_id().map(str::to_owned),
                named.given_email().map(str::to_owned),
                vec![Reason::NotFound],
            ),
        };
        Self {
            id,
            email,
            allowed: reasons.is_empty(),
            reasons: reasons.into_iter().map(Reason::as_str).collect(),
        }
    }
}

impl SummaryView {
    fn new(results: &[ResultView]) -> Self {
        let mut summary = Self::default();
        for result in results {
            *if result.allowed { &mut summary.allowed } else { &mut summary.not_allowed } += 1;
            for reason in &result.reasons {
                *summary.reasons.entry(reason).or_default() += 1;
            }
        }
        summary
    }
}

/// Checks which contacts a tool may reach.
///
/// The results follow from the contacts' current states. Each has all reasons for which the tool may not reach the
/// contact.
#[utoipa::path(
    post, path = "/v1/eligibility", tag = "Marketing state", request_body = EligibilityQuestion,
    responses((status = 200, description = "The result for each contact.", body = EligibilityView)),
)]
pub(crate) async fn check_eligibility(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    request: ReadRequest<EligibilityQuestion>,
) -> Result<Response, Problem> {
    let question = &request.body;
    let references = references(&question.contacts);
    let (found, _) = context.store.contacts(principal.account, &references, context.clock.now()).await?;
    respond::ok(&EligibilityView::new(question, &found))
}
