//! `HubSpot`'s CRM API over the contacts of an account, so that programs that were written for it only change the host.
//!
//! A request is brought to one spelling of its path ([`path`]), authenticated here ([`session`]), and refused in
//! `HubSpot`'s envelope ([`envelope`]).

mod access_tokens;
mod account_info;
mod associations;
mod batch;
mod body;
mod contacts;
mod definitions;
mod envelope;
mod field;
mod forms;
mod history;
mod imports;
mod input;
mod kept;
mod lists;
mod number;
mod object;
mod owners;
mod paging;
mod path;
mod properties;
mod query;
mod search;
mod session;

use api::{Context, Queue};
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request};
use axum::middleware::from_fn;
use axum::routing::{get, post, put};
use domain::limits::BODY_BYTES_MAX;
use file_store::Files;
use store::{BulkTask, FileTask};

use crate::envelope::{Category, Failure};
use crate::path::{Canonical, ROOTS};
use crate::properties::{groups, schemas};
use crate::session::Session;

/// The state of the routes.
#[derive(Clone)]
pub struct Parts {
    /// The context of the handlers.
    pub context: Context,
    /// The files of imports.
    pub files: Files,
    /// The queue that receives each import that starts.
    pub file_queue: Queue<FileTask>,
    /// The queue that receives the accounts of deleted lists, whose members a job removes.
    pub bulk_queue: Queue<BulkTask>,
}

impl FromRef<Parts> for Context {
    fn from_ref(parts: &Parts) -> Self {
        parts.context.clone()
    }
}

/// The router that `main` runs and the local stack merges. It takes all paths below some roots, also with double slashes.
pub fn router(parts: Parts) -> Router {
    let canonical = Canonical(routes(parts));
    ROOTS.iter().fold(Router::new(), |router, root| {
        router
            .route_service(&format!("/{root}/{{*rest}}"), canonical.clone())
            .route_service(&format!("//{root}/{{*rest}}"), canonical.clone())
    })
}

/// Returns the routes by their canonical paths.
fn routes(parts: Parts) -> Router {
    let router = Router::new()
        .route("/crm/v3/objects/contacts", get(contacts::list).post(contacts::create))
        .route(
            "/crm/v3/objects/contacts/{id}",
            get(contacts::read).patch(contacts::update).delete(contacts::archive),
        )
        .route("/crm/v3/objects/contacts/batch/create", post(batch::create))
        .route("/crm/v3/objects/contacts/batch/read", post(batch::read))
        .route("/crm/v3/objects/contacts/batch/update", post(batch::update))
        .route("/crm/v3/objects/contacts/batch/upsert", post(batch::upsert))
        .route("/crm/v3/objects/contacts/batch/archive", post(batch::archive))
        .route("/crm/v3/objects/contacts/search", post(search::search))
        .route("/crm/v3/objects/contacts/merge", post(contacts::merge))
        .route("/crm/v3/objects/contacts/gdpr-delete", post(contacts::gdpr_delete))
        .merge(property_routes())
        .merge(list_routes())
        .merge(import_routes())
        .merge(form_routes())
        .merge(account_routes())
        .merge(association_routes())
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_path)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(envelope::finish))
        .with_state(parts);
    api::router::finished(router)
}

/// Returns the routes of definitions.
fn property_routes() -> Router<Parts> {
    Router::new()
        .route("/crm/v3/properties/contacts", get(properties::list).post(properties::create))
        .route(
            "/crm/v3/properties/contacts/{name}",
            get(properties::read).patch(properties::update).delete(properties::archive),
        )
        .route("/crm/v3/properties/contacts/batch/create", post(properties::batch_create))
        .route("/crm/v3/properties/contacts/batch/read", post(properties::batch_read))
        .route("/crm/v3/properties/contacts/batch/archive", post(properties::batch_archive))
        .route("/crm/v3/properties/contacts/groups", get(groups::list).post(groups::create))
        .route(
            "/crm/v3/properties/contacts/groups/{name}",
            get(groups::read).patch(groups::update).delete(groups::archive),
        )
        .route("/crm/v3/schemas", get(schemas::list))
        .route("/crm/v3/schemas/contacts", get(schemas::contacts))
        .route("/properties/v2/contact/properties", get(properties::legacy_list))
}

/// Returns the routes of lists and their members.
fn list_routes() -> Router<Parts> {
    Router::new()
        .route("/crm/v3/lists", get(lists::read_many).post(lists::create))
        .route("/crm/v3/lists/search", post(lists::search))
        .route("/crm/v3/lists/object-type-id/{object}/name/{name}", get(lists::read_by_name))
        .route("/crm/v3/lists/{id}", get(lists::read).delete(lists::delete))
        .route("/crm/v3/lists/{id}/update-list-name", put(lists::update_name))
        .route("/crm/v3/lists/{id}/update-list-filters", put(lists::update_filters))
        .route("/crm/v3/lists/{id}/memberships", get(lists::memberships))
        .route("/crm/v3/lists/{id}/memberships/join-order", get(lists::memberships))
        .route("/crm/v3/lists/{id}/memberships/add", put(lists::add))
        .route("/crm/v3/lists/{id}/memberships/remove", put(lists::remove))
        .route("/crm/v3/lists/{id}/memberships/add-and-remove", put(lists::add_and_remove))
}

/// Returns the routes of imports.
fn import_routes() -> Router<Parts> {
    Router::new()
        .route("/crm/v3/imports", get(imports::list).post(imports::create))
        .route("/crm/v3/imports/{id}", get(imports::read))
        .route("/crm/v3/imports/{id}/errors", get(imports::errors))
        .route("/crm/v3/imports/{id}/cancel", post(imports::cancel))
}

/// Returns the routes of forms.
fn form_routes() -> Router<Parts> {
    Router::new().route("/marketing/v3/forms", get(forms::list).post(forms::create)).route(
        "/marketing/v3/forms/{id}",
        get(forms::read).put(forms::replace).patch(forms::change).delete(forms::delete),
    )
}

/// Returns the routes of the account, its users and its tokens.
fn account_routes() -> Router<Parts> {
    Router::new()
        .route("/crm/v3/owners", get(owners::list))
        .route("/crm/v3/owners/{id}", get(owners::read))
        .route("/account-info/v3/details", get(account_info::details))
        .route("/account-info/v3/api-usage/daily", get(account_info::usage))
        .route("/account-info/v3/api-usage/daily/private-apps", get(account_info::usage))
        .route("/oauth/v1/access-tokens/{token}", get(access_tokens::read))
        .route("/oauth/v2/private-apps/get/access-token-info", post(access_tokens::read_private_app))
        .route("/oauth/v1/token", post(access_tokens::refuse_grant))
        .route("/oauth/v3/token", post(access_tokens::refuse_grant))
}

/// Returns the routes of the associations that connectors read of contacts.
fn association_routes() -> Router<Parts> {
    Router::new()
        .route("/crm/v3/associations/contacts/{other}/batch/read", post(associations::read_batch))
        .route("/crm/v4/associations/contacts/{other}/batch/read", post(associations::read_batch))
        .route("/crm/v3/objects/contacts/{id}/associations/{other}", get(associations::list))
        .route("/crm/v4/objects/contacts/{id}/associations/{other}", get(associations::list))
}

/// Refuses a path that does not exist. Connectors skip what they may not read, and end at a path that is unknown. So other
/// objects are refused as not permitted.
async fn unknown_path(_: Session, request: Request) -> Failure {
    let path = request.uri().path();
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    match (segments.next(), segments.next(), segments.next(), segments.next()) {
        (Some("crm"), Some(_), Some("associations"), Some("contacts")) => {
            other_object(segments.next().unwrap_or("associations"))
        }
        (
            Some("crm"),
            Some(_),
            Some("objects" | "properties" | "pipelines" | "schemas" | "associations"),
            Some(object),
        ) if object != "contacts" => other_object(object),
        // The older paths that connectors read before they list what they can sync.
        (Some("companies"), ..) => other_object("companies"),
        (Some("properties"), Some("v1" | "v2"), Some(object), _)
            if !matches!(object, "contact" | "contacts") =>
        {
            other_object(object)
        }
        // A path with a token is not repeated.
        (Some("oauth"), ..) => Failure::new(Category::ObjectNotFound, "No API operation matched the path"),
        _ => Failure::new(Category::ObjectNotFound, format!("No API operation matched {path}")),
    }
}

/// Returns the refusal of another object than contacts.
fn other_object(object: &str) -> Failure {
    let scopes = [format!("crm.objects.{object}.read"), format!("crm.schemas.{object}.read")];
    Failure::missing_scopes(&scopes.each_ref().map(String::as_str))
}
