//! Shared parts of all HTTP functions: identities, requests, responses and problems.
//!
//! A route is one function. Its extractors check the request before the function runs. The store applies the change and
//! stores the response in one transaction. [`MutationRequest::conclude`] sends the response. A complete function crate:
//!
//! ```
//! use api::describe::documented;
//! use api::fields::{Fields, FromFields, Reported};
//! use api::parse::Parser as _;
//! use api::{
//!     AccountCaller, Context, MutationRequest, Problem, Routes, openapi, respond, router, routes, views,
//! };
//! use axum::extract::State;
//! use axum::response::Response;
//! use domain::source::Intake;
//! use http::StatusCode;
//! use store::{Responder, SaveContact, SaveMode, Saved};
//!
//! /// The body, parsed into domain types.
//! struct NewContact {
//!     email: domain::address::EmailAddress,
//! }
//!
//! impl FromFields for NewContact {
//!     fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
//!         let email = fields.required("email", api::contacts::email().about("The address."));
//!         Ok(Self { email: email? })
//!     }
//! }
//!
//! /// The same declaration describes the body in the OpenAPI document.
//! documented! { NewContact as "NewContact": "A contact to create." }
//!
//! /// Creates a contact.
//! ///
//! /// The first paragraph is the operation's summary, the others its description.
//! #[utoipa::path(
//!     post, path = "/v1/contacts", tag = "Contacts",
//!     params(openapi::IdempotencyKey), request_body = NewContact,
//!     responses((status = 201, description = "The contact.", body = views::ContactView)),
//! )]
//! async fn create_contact(
//!     State(context): State<Context>,
//!     AccountCaller(principal): AccountCaller,
//!     request: MutationRequest<NewContact>,
//! ) -> Result<Response, Problem> {
//!     // The store renders the response within its transaction and stores it under the request's claim.
//!     let render = |saved: &Saved| store::StoredResponse {
//!         etag: Some(views::etag(&saved.contact)),
//!         location: Some(format!("/v1/contacts/{}", saved.contact.id)),
//!         ..respond::json(StatusCode::CREATED, &views::ContactView::new(&saved.contact, &saved.period))
//!     };
//!     let responder = Responder::new(request.claim.as_ref(), &render);
//!     let save = SaveContact {
//!         account: principal.account,
//!         mode: SaveMode::Create,
//!         email: Some(&request.body.email),
//!         properties: &[],
//!         unsubscribed: None,
//!         bounced: None,
//!         intake: Intake::Manual { marketing: None },
//!         source: principal.source(),
//!         actor: principal.actor(),
//!         if_match: request.if_match,
//!     };
//!     let result = context.store.upsert_contact(&save, context.clock.now(), responder).await;
//!     request.conclude(&context, result).await
//! }
//!
//! /// The routes and their description, declared once.
//! fn api() -> impl Routes<Context> {
//!     routes!(create_contact)
//! }
//!
//! /// The router that `main` runs and the local stack merges.
//! pub fn router(context: Context) -> axum::Router {
//!     router::routes(api(), context)
//! }
//!
//! /// The OpenAPI document of these routes alone.
//! pub fn openapi() -> utoipa::openapi::OpenApi {
//!     openapi::describe(api())
//! }
//! ```
//!
//! A route that only reads has the extractor [`Query`], or [`ReadRequest`] if it has a body, and returns
//! [`respond::ok`]. A route that creates a bearer token writes [`token::NewToken::sealed`] into its response and ends
//! with [`MutationRequest::conclude_with_token`].

pub mod body;
pub mod contacts;
pub mod context;
pub mod describe;
pub mod fields;
pub mod filter;
pub mod identity;
pub mod json;
pub mod listing;
pub mod openapi;
pub mod paging;
pub mod parse;
pub mod path;
pub mod problem;
pub mod public_url;
pub mod queue;
#[cfg(feature = "testing")]
pub mod reading;
pub mod request;
pub mod respond;
pub mod router;
pub mod routes;
pub mod selection;
pub mod status;
pub mod token;
mod view_text;
pub mod views;

pub use context::{Clock, Context, WithQueue};
pub use identity::{AccountCaller, AdminCaller, Identity, MarketingEditor, Operator};
pub use problem::{Problem, ProblemType};
pub use queue::Queue;
pub use request::{MutationRequest, NoBody, Query, ReadRequest};
pub use routes::Routes;
