//! `POST /v1/contacts/non-marketing-pending`.

use api::status::{self, StatusAnswer, StatusChange};
use api::{Context, MarketingEditor, MutationRequest, Problem, Routes, openapi, router, routes};
use axum::extract::State;
use axum::response::Response;
use domain::decision::Command;

/// Queues contacts to become non-marketing at the next update date.
///
/// Until then they stay marketing contacts and count in the usage. Setting them as marketing again cancels that.
#[utoipa::path(
    post,
    path = "/v1/contacts/non-marketing-pending",
    tag = "Marketing state",
    params(openapi::IdempotencyKey),
    request_body = StatusChange,
    responses(
        (status = 200, description = "The outcome for each contact.", body = StatusAnswer),
        (status = 403, description = "marketing-contacts-off"),
    ),
)]
async fn set_non_marketing_pending(
    State(context): State<Context>,
    MarketingEditor(principal): MarketingEditor,
    request: MutationRequest<StatusChange>,
) -> Result<Response, Problem> {
    status::change(&context, &principal, Command::SetNonMarketingPending, request).await
}

/// Returns the route with its OpenAPI description.
pub fn api() -> impl Routes<Context> {
    routes!(set_non_marketing_pending)
}

/// Returns the router that Lambda runs and the local stack merges.
pub fn router(context: Context) -> axum::Router {
    router::routes(api(), context)
}

/// Returns the OpenAPI document of the route.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    openapi::describe(api())
}
