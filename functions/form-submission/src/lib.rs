//! Form submissions: public routes for web pages, the webhooks of form providers, and `HubSpot`'s form endpoint.
//!
//! A submission creates or updates a contact, and the form decides whether the contact is set marketing. A webhook with
//! an unusable submission is stored as rejected, so that the account can review it.

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

/// Returns the routes with their OpenAPI descriptions.
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

/// Returns the router that `main` runs and the local stack merges. `inbox` receives a task for every submission that is
/// accepted into the inbox during a burst.
pub fn router(context: Context, inbox: Queue<InboxTask>) -> Router {
    api::router::routes(api(), Intake::new(context, inbox))
}

/// Returns the OpenAPI document of these routes alone.
#[must_use]
pub fn openapi() -> OpenApi {
    openapi::describe(api())
}
