//! `POST /v1/eligibility`: which contacts a tool may reach.

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

/// A tool, and the contacts that it would reach.
pub(crate) struct Asked {
    tool: Tool,
    contacts: Vec<NamedContact>,
}

impl FromFields for Asked {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let tool = fields.required("tool", variant::<Tool>().about("A tool that reaches contacts."));
        let contacts = fields.required("contacts", named_contacts().about("The contacts."));
        Ok(Self { tool: tool?, contacts: contacts? })
    }
}

documented! { Asked as "EligibilityQuestion": "A tool, and the contacts that it would reach." }

/// Which contacts a tool may reach.
#[derive(Serialize, ToSchema)]
#[schema(as = Eligibility)]
struct EligibilityView {
    /// One for each contact of the request, in its order.
    results: Vec<ResultView>,
    /// The results in numbers.
    summary: SummaryView,
}

/// Whether a tool may reach one contact.
#[derive(Serialize, ToSchema)]
#[schema(as = EligibilityResult)]
struct ResultView {
    /// The contact's id; for one that was not found, the id that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// Its address; for one that was not found, the address that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
    /// Whether the tool may reach it.
    allowed: bool,
    /// Every reason why not.
    #[schema(schema_with = reasons)]
    reasons: Vec<&'static str>,
}

/// The results in numbers.
#[derive(Serialize, ToSchema, Default)]
#[schema(as = EligibilitySummary)]
struct SummaryView {
    /// How many the tool may reach.
    allowed: u64,
    /// How many it may not.
    not_allowed: u64,
    /// How often each reason occurs. A contact can have several.
    reasons: BTreeMap<&'static str, u64>,
}

impl EligibilityView {
    fn new(asked: &Asked, found: &[Option<Contact>]) -> Self {
        let entries = asked.contacts.iter().zip(found);
        let results: Vec<_> =
            entries.map(|(named, contact)| ResultView::new(asked.tool, named, contact.as_ref())).collect();
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

/// Tells which contacts a tool may reach.
///
/// As of now, with every reason where it may not.
#[utoipa::path(
    post, path = "/v1/eligibility", tag = "Marketing state", request_body = Asked,
    responses((status = 200, description = "Whether the tool may reach each contact.", body = EligibilityView)),
)]
pub(crate) async fn check_eligibility(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    lookup: ReadRequest<Asked>,
) -> Result<Response, Problem> {
    let asked = &lookup.body;
    let references = references(&asked.contacts);
    let (found, _) = context.store.contacts(principal.account, &references, context.clock.now()).await?;
    respond::ok(&EligibilityView::new(asked, &found))
}
