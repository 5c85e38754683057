//! `/v1/contacts/{id}/properties`: the history of a contact's properties, and the undoing of a change.

use api::describe::{Parameters, documented};
use api::fields::{Fields, FromFields, Reported};
use api::listing::{one_more, page};
use api::openapi::IdempotencyKey;
use api::paging::{Page, Paging, Position};
use api::parse::{Parser, opaque_id};
use api::path::PathId;
use api::views::{ActorView, ContactView, SourceView, etag};
use api::{AccountCaller, Context, MutationRequest, Problem, Query, respond};
use axum::extract::State;
use axum::response::Response;
use domain::ids::ContactId;
use http::StatusCode;
use serde::Serialize;
use store::{ChangeId, PropertyChange, Refused, Responder, StoredResponse, UndoProperties, Undone};
use utoipa::ToSchema;

/// The position of a change in the history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ChangePosition(ChangeId, String);

impl Position for ChangePosition {
    const KIND: &'static str = "property-change";

    fn to_text(&self) -> String {
        format!("{}:{}", self.0, self.1)
    }

    fn from_text(text: &str) -> Option<Self> {
        let (change, property) = text.split_once(':')?;
        Some(Self(change.parse().ok()?, property.to_owned()))
    }
}

/// A change of one property.
#[derive(Serialize, ToSchema)]
#[schema(as = PropertyChange)]
struct PropertyChangeView {
    /// The id of the change. All properties that one request or submission changed have the same.
    change_id: String,
    /// The instant of the change.
    #[schema(format = DateTime)]
    at: String,
    /// The name of the property, or `email`, `unsubscribed` or `bounced`.
    property: String,
    /// The value before. `null` if there was none.
    from: Option<String>,
    /// The value after. `null` if it was removed.
    to: Option<String>,
    /// The source of the change. `null` if it is not known.
    source: Option<SourceView>,
    /// The actor that made the change. `null` if it is not known.
    actor: Option<ActorView>,
}

impl PropertyChangeView {
    fn new(change: &PropertyChange) -> Self {
        Self {
            change_id: change.change_id.to_string(),
            at: change.at.to_string(),
            property: change.property.clone(),
            from: change.from.clone(),
            to: change.to.clone(),
            source: change.cause.as_ref().map(|cause| SourceView::new(&cause.source)),
            actor: change.cause.as_ref().map(|cause| ActorView::new(cause.actor)),
        }
    }
}

/// Lists the changes of a contact's properties.
///
/// The newest is first. At least the last 20 values of each property are kept. The address and the flags are included,
/// except those with which the contact was created. A change may appear some seconds late. Deleting a contact deletes
/// its history.
#[utoipa::path(
    get, path = "/v1/contacts/{id}/properties/history", tag = "Contacts",
    params(("id" = String, Path, description = "The contact's id."), Parameters<Paging<ChangePosition>>),
    responses((status = 200, description = "A page of changes, newest first.", body = Page<PropertyChangeView>)),
)]
pub(crate) async fn list_property_changes(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(contact): PathId<ContactId>,
    Query(paging): Query<Paging<ChangePosition>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let after = after.map(|ChangePosition(change, property)| (change, property));
    let now = context.clock.now();
    let history =
        context.store.property_history(principal.account, contact, after, one_more(limit), now).await?;
    let position = |change: &PropertyChange| ChangePosition(change.change_id, change.property.clone());
    respond::ok(&page(&history, limit, position, PropertyChangeView::new))
}

/// A request to undo a change.
pub(crate) struct Undo {
    change_id: String,
}

impl FromFields for Undo {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let change = opaque_id().about("The `change_id` of the change in the contact's history.");
        Ok(Self { change_id: fields.required("change_id", change)? })
    }
}

documented! { Undo as "UndoProperties": "The change of a contact's properties to undo." }

/// A contact after a change of its properties was undone.
#[derive(Serialize, ToSchema)]
#[schema(as = UndoneContact)]
struct UndoneView {
    #[serde(flatten)]
    contact: ContactView,
    /// The names of those that were left as they are: properties that have changed since, and the address and the flags,
    /// which this never changes.
    left: Vec<String>,
}

/// Undoes a change of a contact's properties.
///
/// Sets each property that still has the value of the change back to the value before it. The undoing is itself a change
/// in the history. It never changes the address, the flags or the marketing state.
#[utoipa::path(
    post, path = "/v1/contacts/{id}/properties/undo", tag = "Contacts",
    params(("id" = String, Path, description = "The contact's id."), IdempotencyKey),
    request_body = Undo,
    responses((status = 200, description = "The contact.", body = UndoneView,
               headers(("ETag" = String, description = "The contact's version.")))),
)]
pub(crate) async fn undo_property_change(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(contact): PathId<ContactId>,
    request: MutationRequest<Undo>,
) -> Result<Response, Problem> {
    // An id of another form names no change.
    let Ok(change) = request.body.change_id.parse() else {
        return request.conclude(&context, Err(Refused::NotFound("change").into())).await;
    };
    let undo = UndoProperties {
        account: principal.account,
        contact,
        change,
        source: principal.source(),
        actor: principal.actor(),
    };
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.undo_properties(&undo, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

fn render(Undone { contact, period, left }: &Undone) -> StoredResponse {
    let view = UndoneView { contact: ContactView::new(contact, period), left: left.clone() };
    StoredResponse { etag: Some(etag(contact)), ..respond::json(StatusCode::OK, &view) }
}
