//! Native forms as `HubSpot` describes them. The form's guid is its id here, as it is for submissions.

mod definition;
mod fields;

use axum::extract::Request;
use axum::response::Response;
use domain::ids::FormId;
use domain::limits::CRM_PAGE_MAX;
use domain::patch::Patch;
use domain::provider::Provider;
use http::StatusCode;
use store::{Form, NewForm, Refused, Responder, StoreError, UpdateForm};

use crate::body::{json_of, no_content, respond};
use crate::envelope::{Category, Failure};
use crate::kept::{Kept, empty};
use crate::paging::{Page, PageView};
use crate::path::PathId;
use crate::query::Query;
use crate::session::Session;

use self::definition::{Given, view};

/// The number of forms on a page if the request names none.
const PAGE_DEFAULT: usize = 20;

/// Returns the refusal for a form that does not exist. `id` is the text in the request.
fn no_form(id: &str) -> Failure {
    Failure::new(Category::ObjectNotFound, format!("Form does not exist with ID {id}."))
}

/// Returns the native form with a guid. Forms of other providers are webhooks, of which `HubSpot` has none.
async fn find(session: &Session, id: &str) -> Result<Form, Failure> {
    let form = FormId::from_guid(id).map_err(|_| no_form(id))?;
    let found = session.context.store.form(session.account(), form).await;
    let form = found.map_err(|error| missing(error, id))?;
    if form.provider.is_native() { Ok(form) } else { Err(no_form(id)) }
}

/// Returns the refusal of an operation on a form. `id` is the text in the request.
fn missing(error: StoreError, id: &str) -> Failure {
    match error {
        StoreError::Refused(Refused::NotFound(_)) => no_form(id),
        error => error.into(),
    }
}

pub(crate) async fn list(session: Session, query: Query, page: Page) -> Result<Response, Failure> {
    let limit = query.limit(PAGE_DEFAULT, CRM_PAGE_MAX)?;
    let mut after = page.after(|text| FormId::from_guid(text).ok())?;
    let types = query.list("formTypes");
    let is_empty = query.flag("archived")
        || !(types.is_empty() || types.iter().any(|kind| matches!(kind.as_str(), "all" | "hubspot")));
    let mut forms: Vec<Form> = Vec::new();
    while !is_empty && forms.len() <= limit {
        let found = session.context.store.forms(session.account(), after, limit + 1).await?;
        after = found.items.last().map(|form| form.id);
        forms.extend(found.items.into_iter().filter(|form| form.provider.is_native()));
        if !found.more || after.is_none() {
            break;
        }
    }
    let paging = page.cut(&mut forms, limit, |form| form.id.guid());
    respond(StatusCode::OK, &PageView::new(forms.iter().map(view).collect(), paging))
}

pub(crate) async fn read(session: Session, PathId(id): PathId, query: Query) -> Result<Response, Failure> {
    if query.flag("archived") {
        // Archived forms cannot be restored here, so they are not found.
        return Err(no_form(&id));
    }
    respond(StatusCode::OK, &view(&find(&session, &id).await?))
}

pub(crate) async fn create(session: Session, request: Request) -> Result<Response, Failure> {
    let given = Given::read(&json_of(request).await?, None)?;
    let name = given.name.ok_or_else(|| Failure::invalid("name: is required"))?;
    let new = NewForm {
        // Without the permission to set contacts marketing, the form is created all the same and sets none.
        set_marketing: Some(session.principal.modify_marketing_contacts),
        fields: given.fields,
        redirect_url: given.redirect_url,
        appearance: Some(given.appearance),
        ..NewForm::new(Provider::Native, name)
    };
    let kept = Kept::new();
    let render = |form: &Form| kept.keep(form);
    let responder = Responder::new(None, &render);
    session.context.store.create_form(session.account(), &new, session.now(), responder).await?;
    respond(StatusCode::CREATED, &view(&kept.take()?))
}

pub(crate) async fn replace(session: Session, path: PathId, request: Request) -> Result<Response, Failure> {
    let input = json_of(request).await?;
    if input.get("name").is_none() {
        return Err(Failure::invalid("name: is required"));
    }
    let form = find(&session, &path.0).await?;
    update(&session, &form, Given::read(&input, None)?, path).await
}

pub(crate) async fn change(session: Session, path: PathId, request: Request) -> Result<Response, Failure> {
    let input = json_of(request).await?;
    let form = find(&session, &path.0).await?;
    let given = Given::read(&input, Some(&form))?;
    update(&session, &form, given, path).await
}

async fn update(
    session: &Session,
    form: &Form,
    given: Given,
    PathId(id): PathId,
) -> Result<Response, Failure> {
    let change = UpdateForm {
        name: given.name,
        fields: given.fields.map_or(Patch::Remove, Patch::Set),
        redirect_url: given.redirect_url.map_or(Patch::Remove, Patch::Set),
        appearance: Some(given.appearance),
        ..UpdateForm::default()
    };
    let kept = Kept::new();
    let render = |form: &Form| kept.keep(form);
    let responder = Responder::new(None, &render);
    let (store, account) = (&session.context.store, session.account());
    let may_widen = session.principal.modify_marketing_contacts;
    let updated = store.update_form(account, form.id, &change, may_widen, session.now(), responder).await;
    updated.map_err(|error| missing(error, &id))?;
    respond(StatusCode::OK, &view(&kept.take()?))
}

pub(crate) async fn delete(session: Session, PathId(id): PathId) -> Result<Response, Failure> {
    let form = find(&session, &id).await?;
    let render = |(): &()| empty();
    let responder = Responder::new(None, &render);
    let (store, account) = (&session.context.store, session.account());
    let deleted = store.delete_form(account, form.id, session.now(), responder).await;
    deleted.map_err(|error| missing(error, &id))?;
    no_content()
}
