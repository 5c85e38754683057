//! `POST /v1/contacts/marketing`.

use api::status::{self, StatusAnswer, StatusChange};
use api::{Context, MarketingEditor, MutationRequest, Problem, Routes, openapi, router, routes};
use axum::extract::State;
use axum::response::Response;
use domain::decision::Command;

/// Sets contacts as marketing, with immediate effect.
///
/// Non-marketing contacts become marketing contacts and count in the usage from now on. Leaving contacts become
/// marketing contacts again (`kept`). With a cap, contacts are set in the order of the request until the usage
/// reaches the cap. The others are refused with `cap-reached`.
#[utoipa::path(
    post,
    path = "/v1/contacts/marketing",
    tag = "Marketing state",
    params(openapi::IdempotencyKey),
    request_body = StatusChange,
    responses(
        (status = 200, description = "The outcome for each contact.", body = StatusAnswer),
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

/// Returns the route with its OpenAPI description.
pub fn api() -> impl Routes<Context> {
    routes!(set_marketing)
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
