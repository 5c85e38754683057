//! `GET /v1/contacts/{id}/marketing`: a contact's marketing state and its explanation.

use std::collections::BTreeMap;

use api::openapi::one_of;
use api::path::PathId;
use api::views::{ChangeView, MarketingView};
use api::{AccountCaller, Context, Problem, Query, respond};
use axum::extract::State;
use axum::response::Response;
use domain::explain::because;
use domain::ids::ContactId;
use domain::tools::{Reason, Tool};
use serde::Serialize;
use store::{ContactRef, Explained};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, Schema};

/// A contact's marketing state with its explanation.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
struct ExplanationView {
    #[serde(flatten)]
    marketing: MarketingView,
    /// True if the contact counts in the account's usage.
    billable: bool,
    /// The explanation of the state in one sentence.
    because: String,
    /// The changes of the state, newest first, at most 1000.
    history: Vec<ChangeView>,
    /// The tools, each with its permission to reach the contact.
    tools: BTreeMap<&'static str, ToolView>,
}

/// A tool's permission to reach a contact.
#[derive(Serialize, ToSchema)]
#[schema(as = ToolUse)]
struct ToolView {
    /// True if the tool may reach the contact.
    allowed: bool,
    /// All reasons for which the tool may not reach the contact.
    #[schema(schema_with = reasons)]
    reasons: Vec<&'static str>,
}

/// Returns the schema of a list of reasons.
pub(crate) fn reasons() -> Schema {
    let reason = one_of(
        Reason::ALL.iter().map(|reason| reason.as_str()),
        "A reason for which the tool may not reach the contact.",
    );
    ArrayBuilder::new()
        .items(RefOr::T(reason))
        .description(Some("All reasons for which the tool may not reach the contact."))
        .build()
        .into()
}

impl ExplanationView {
    fn new(Explained { contact, period, history }: &Explained) -> Self {
        let state = contact.state();
        let tools = Tool::ALL
            .iter()
            .map(|tool| (tool.as_str(), ToolView::new(&tool.reasons_against(contact, state))));
        Self {
            marketing: MarketingView::new(contact, period, None),
            billable: state.is_billable(),
            because: because(contact, period),
            history: history.iter().map(ChangeView::new).collect(),
            tools: tools.collect(),
        }
    }
}

impl ToolView {
    fn new(reasons: &[Reason]) -> Self {
        Self { allowed: reasons.is_empty(), reasons: reasons.iter().map(|reason| reason.as_str()).collect() }
    }
}

/// Explains a contact's marketing state.
///
/// Returns the contact's marketing state, when and why it entered that state, its history, and which tools may reach
/// the contact.
#[utoipa::path(
    get, path = "/v1/contacts/{id}/marketing", tag = "Marketing state",
    params(("id" = String, Path, description = "The contact's id.")),
    responses((status = 200, description = "The current state with its explanation.", body = ExplanationView)),
)]
pub(crate) async fn explain_marketing(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<ContactId>,
    Query(_): Query,
) -> Result<Response, Problem> {
    let explained = context.store.explain(principal.account, ContactRef::Id(id), context.clock.now()).await?;
    respond::ok(&ExplanationView::new(&explained))
}
