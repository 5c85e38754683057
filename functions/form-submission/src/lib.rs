//! Submissions of forms: public routes that pages post to, the webhooks of those who provide forms, and the endpoint
//! that site code for `HubSpot` posts to. A submission becomes a contact, or updates one, with the marketing status that
//! the form gives; one that can't be taken is kept for the account to look at.

mod answer;
mod cors;
mod flatten;
mod hooks;
mod hubspot;
mod intake;
mod providers;
mod sent;
mod submit;

use api::{Context, Queue, Routes, openapi, routes};
use axum::Router;
use store::InboxTask;
use utoipa::openapi::OpenApi;

use crate::intake::Intake;

/// The routes and their description, declared once.
fn api() -> impl Routes<Intake> {
    routes!(
        submit::submit_form,
        submit::preflight_form,
        hooks::receive_webhook,
        hubspot::submit_hubspot_form,
        hubspot::preflight_hubspot_form,
        hubspot::submit_hubspot_form_authenticated
    )
}

/// The router that `main` runs and the local stack merges. What is accepted in a flood is asked for through `inbox`.
pub fn router(context: Context, inbox: Queue<InboxTask>) -> Router {
    api::router::routes(api(), Intake::new(context, inbox))
}

/// The OpenAPI document of these routes alone.
#[must_use]
pub fn openapi() -> OpenApi {
    openapi::describe(api())
}
