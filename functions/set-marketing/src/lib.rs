//! `POST /v1/contacts/marketing`.

use api::status::{self, StatusAnswer, StatusChange};
use api::{Context, MarketingEditor, MutationRequest, Problem, Routes, openapi, router, routes};
use axum::extract::State;
use axum::response::Response;
use domain::decision::Command;

/// Sets contacts as marketing, at once.
///
/// Non-marketing contacts become marketing contacts and count in the usage from now on; leaving ones stay (`kept`).
/// Under a cap as many are set as fit, in the order given; the others are refused with `cap-reached`.
#[utoipa::path(
    post,
    path = "/v1/contacts/marketing",
    tag = "Marketing state",
    params(openapi::IdempotencyKey),
    request_body = StatusChange,
    responses(
        (status = 200, description = "What came of it for each contact.", body = StatusAnswer),
        (status = 403, description = "marketing-contacts-off"),
    ),
)]
async fn set_marketing(
    State(context): State<Context>,
    MarketingEditor(principal): MarketingEditor,
    request: MutationRequest<StatusChange>,
) -> Result<Response, Problem> {
    status::change(&context, &principal, Command::SetMarketing, request).await
}

/// The route and its description.
pub fn api() -> impl Routes<Context> {
    routes!(set_marketing)
}

/// The router that Lambda runs and the local stack merges.
pub fn router(context: Context) -> axum::Router {
    router::routes(api(), context)
}

/// The OpenAPI document of the route.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    openapi::describe(api())
}
