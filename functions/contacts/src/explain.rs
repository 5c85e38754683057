//! `GET /v1/contacts/{id}/marketing`: what a contact's marketing state is, and why.

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

/// A contact's marketing state, and why it is what it is.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
struct ExplanationView {
    #[serde(flatten)]
    marketing: MarketingView,
    /// Whether it counts in the account's usage.
    billable: bool,
    /// Why, in one sentence for people.
    because: String,
    /// Its changes, newest first, at most 1000 of them.
    history: Vec<ChangeView>,
    /// For each tool, whether it may reach the contact.
    tools: BTreeMap<&'static str, ToolView>,
}

/// Whether a tool may reach a contact.
#[derive(Serialize, ToSchema)]
#[schema(as = ToolUse)]
struct ToolView {
    /// Whether it may.
    allowed: bool,
    /// Every reason why not.
    #[schema(schema_with = reasons)]
    reasons: Vec<&'static str>,
}

/// The schema of a list of reasons.
pub(crate) fn reasons() -> Schema {
    let reason =
        one_of(Reason::ALL.iter().map(|reason| reason.as_str()), "Why the tool may not reach the contact.");
    ArrayBuilder::new().items(RefOr::T(reason)).description(Some("Every reason why not.")).build().into()
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
/// Since when and through what it is what it is, every change that led to it, and which tools may reach the contact.
#[utoipa::path(
    get, path = "/v1/contacts/{id}/marketing", tag = "Marketing state",
    params(("id" = String, Path, description = "The contact's id.")),
    responses((status = 200, description = "The state as of now, and why.", body = ExplanationView)),
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
