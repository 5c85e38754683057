//! Forms: how people come in through a website. Everybody of an account manages them.

use std::collections::BTreeMap;

use api::fields::{Fields, FromFields, Patch, Place};
use api::openapi::IdempotencyKey;
use api::paging::{Page, Paging, PagingParameters};
use api::parse::{boolean, checked, list, map, name, parsed, string};
use api::path::PathId;
use api::{Account, Context, NoBody, Problem, Query, Request, Slug, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::FormId;
use domain::limits::{ALLOWED_ORIGINS_MAX, FIELD_MAP_MAX, FORM_FIELD_NAME_CHARS_MAX};
use domain::permission::Principal;
use serde::Serialize;
use serde_json::Value;
use store::{Answer, ChangeForm, FieldTarget, Finish, Form, NewForm};
use utoipa::ToSchema;

use crate::page::{one_more, page};
use crate::web_address::{origin, redirect_url};

/// The provider of forms that post here themselves.
const NATIVE: &str = "native";

/// A form to be made.
pub(crate) struct NewFormBody(NewForm);

impl FromFields for NewFormBody {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.required("name", name());
        let provider = fields.optional("provider", checked(string(), |word| provider(&word)));
        let set_marketing = fields.optional("set_marketing", boolean());
        let field_map = fields.optional("field_map", field_map);
        let allowed_origins = fields.optional("allowed_origins", allowed_origins);
        let redirect_url = fields.optional("redirect_url", checked(string(), |text| redirect_url(&text)));
        Some(Self(NewForm {
            name: name?,
            provider: provider?.unwrap_or(NATIVE).to_owned(),
            set_marketing: set_marketing?.unwrap_or(true),
            field_map: field_map?.unwrap_or_default(),
            allowed_origins: allowed_origins?.unwrap_or_default(),
            redirect_url: redirect_url?,
        }))
    }
}

fn provider(word: &str) -> Result<&'static str, &'static str> {
    if word == NATIVE { Ok(NATIVE) } else { Err("expected native, a form that posts here itself") }
}

/// A form's own field names, each with what it fills. One of them at most is the address, for which of two were the
/// person's would be anybody's guess.
fn field_map(value: Value, place: &mut Place<'_>) -> Option<BTreeMap<String, FieldTarget>> {
    let field_map = map(FIELD_MAP_MAX, field_name, parsed::<FieldTarget>())(value, place)?;
    if field_map.values().filter(|target| **target == FieldTarget::Email).count() > 1 {
        return place.refuse("expected one field for email at most");
    }
    Some(field_map)
}

fn field_name(text: &str) -> Result<String, String> {
    if (1..=FORM_FIELD_NAME_CHARS_MAX).contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected a field's name of 1 to {FORM_FIELD_NAME_CHARS_MAX} characters"))
    }
}

/// Origins in the order given, each once.
fn allowed_origins(value: Value, place: &mut Place<'_>) -> Option<Vec<String>> {
    let entry = checked(string(), |text: String| origin(&text));
    let given = list(0..=ALLOWED_ORIGINS_MAX, entry)(value, place)?;
    let mut once = Vec::with_capacity(given.len());
    for origin in given {
        if !once.contains(&origin) {
            once.push(origin);
        }
    }
    Some(once)
}

/// A form to be made.
#[derive(ToSchema)]
#[schema(as = NewForm)]
#[expect(dead_code, reason = "it describes the body that NewFormBody reads")]
pub(crate) struct NewFormSchema {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Who delivers its submissions.
    #[schema(required = false, default = "native")]
    provider: ProviderSchema,
    /// Whether it sets those who submit it marketing, people who are there already included. `true` needs the
    /// permission `modify_marketing_contacts`.
    #[schema(required = false, default = true)]
    set_marketing: bool,
    /// The form's own field names, each with what it fills: a property, or `email` for the address. At most 200.
    #[schema(nullable = false, example = json!({"your_email": "email", "first-name": "firstname"}))]
    field_map: Option<BTreeMap<String, String>>,
    /// The web origins whose pages may post to it: any if left out or empty.
    #[schema(nullable = false, max_items = 50, example = json!(["https://www.example.org"]))]
    allowed_origins: Option<Vec<String>>,
    /// Where a browser goes after it has posted the form.
    #[schema(nullable = false, format = "uri", max_length = 2048)]
    redirect_url: Option<String>,
}

/// Who delivers a form's submissions.
#[derive(ToSchema)]
#[schema(as = FormProvider, rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes the one word there is")]
pub(crate) enum ProviderSchema {
    /// The form posts here itself.
    Native,
}

/// What is to change of a form.
pub(crate) struct ChangeFormBody(ChangeForm);

impl FromFields for ChangeFormBody {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.optional("name", name());
        let set_marketing = fields.optional("set_marketing", boolean());
        let field_map = fields.optional("field_map", field_map);
        let allowed_origins = fields.optional("allowed_origins", allowed_origins);
        let redirect_url = fields.nullable("redirect_url", checked(string(), |text| redirect_url(&text)));
        Some(Self(ChangeForm {
            name: name?,
            set_marketing: set_marketing?,
            field_map: field_map?,
            allowed_origins: allowed_origins?,
            redirect_url: redirect_url.map(Patch::into_change)?,
        }))
    }
}

/// What is to change of a form.
#[derive(ToSchema)]
#[schema(as = ChangeForm)]
#[expect(dead_code, reason = "it describes the body that ChangeFormBody reads")]
pub(crate) struct ChangeFormSchema {
    /// Its name.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// Whether it sets those who submit it marketing. `true` needs the permission `modify_marketing_contacts`.
    #[schema(nullable = false)]
    set_marketing: Option<bool>,
    /// All of the form's own field names, each with what it fills: a property, or `email`. At most 200.
    #[schema(nullable = false)]
    field_map: Option<BTreeMap<String, String>>,
    /// All of the web origins whose pages may post to it: any if empty.
    #[schema(nullable = false, max_items = 50)]
    allowed_origins: Option<Vec<String>>,
    /// Where a browser goes after it has posted the form; `null` for nowhere.
    #[schema(format = "uri", max_length = 2048)]
    redirect_url: Option<String>,
}

/// A form.
#[derive(Serialize, ToSchema)]
#[schema(as = Form)]
pub(crate) struct FormView {
    /// Its id. It stands in public pages and is no secret.
    id: String,
    /// Its name.
    name: String,
    /// Who delivers its submissions.
    #[schema(value_type = ProviderSchema)]
    provider: String,
    /// Whether it sets those who submit it marketing.
    set_marketing: bool,
    /// Its own field names, each with what it fills.
    field_map: BTreeMap<String, String>,
    /// The web origins whose pages may post to it; empty for any.
    allowed_origins: Vec<String>,
    /// Where a browser goes after it has posted the form; left out for nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "uri")]
    redirect_url: Option<String>,
    /// Where it posts to; the path alone where the deployment does not know its own address.
    submit_url: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl FormView {
    fn new(form: &Form, public_url: Option<&str>) -> Self {
        let fills = |(field, target): (&String, &FieldTarget)| (field.clone(), target.to_string());
        Self {
            id: form.id.to_string(),
            name: form.name.clone(),
            provider: form.provider.clone(),
            set_marketing: form.set_marketing,
            field_map: form.field_map.iter().map(fills).collect(),
            allowed_origins: form.allowed_origins.clone(),
            redirect_url: form.redirect_url.clone(),
            submit_url: format!("{}/v1/forms/{}/submissions", public_url.unwrap_or_default(), form.id),
            created_at: form.created_at.to_string(),
            updated_at: form.updated_at.to_string(),
        }
    }
}

/// A form hands out marketing status under its own setting, so whoever switches that on needs the permission that
/// setting contacts as marketing needs.
fn may_set_marketing(principal: &Principal, asked: bool) -> Result<(), Problem> {
    if !asked || principal.modify_marketing_contacts {
        return Ok(());
    }
    let detail = "A form that sets people marketing needs the permission modify_marketing_contacts; without it, \
                  say set_marketing: false.";
    Err(Problem::new(Slug::PermissionDenied, detail))
}

/// Makes a form.
///
/// It sets those who submit it marketing unless told not to, which needs the permission `modify_marketing_contacts`.
#[utoipa::path(
    post, path = "/v1/forms", tag = "Forms", params(IdempotencyKey), request_body = NewFormSchema,
    responses((
        status = 201, description = "The form.", body = FormView,
        headers(("Location" = String, description = "Where the form is read.")),
    )),
)]
pub(crate) async fn create_form(
    State(context): State<Context>,
    Account(principal): Account,
    request: Request<NewFormBody>,
) -> Result<Response, Problem> {
    let NewFormBody(new) = &request.body;
    may_set_marketing(&principal, new.set_marketing)?;
    let render = |form: &Form| {
        let location = Some(format!("/v1/forms/{}", form.id));
        let view = FormView::new(form, context.public_url.as_deref());
        Answer { location, ..respond::json(StatusCode::CREATED, &view) }
    };
    let finish = Finish::new(request.claim.as_ref(), &render);
    let result = context.store.create_form(principal.account, new, context.clock.now(), finish).await;
    request.conclude(&context, result).await
}

/// Lists the forms.
///
/// In the order in which they were made.
#[utoipa::path(
    get, path = "/v1/forms", tag = "Forms", params(PagingParameters),
    responses((status = 200, description = "A page of forms.", body = Page<FormView>)),
)]
pub(crate) async fn list_forms(
    State(context): State<Context>,
    Account(principal): Account,
    Query(paging): Query<Paging<FormId>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let listing = context.store.forms(principal.account, after, one_more(limit)).await?;
    let view = |form: &Form| FormView::new(form, context.public_url.as_deref());
    respond::ok(&page(&listing, limit, |form| form.id, view))
}

/// Reads a form.
#[utoipa::path(
    get, path = "/v1/forms/{id}", tag = "Forms",
    params(("id" = String, Path, description = "The form's id.")),
    responses((status = 200, description = "The form.", body = FormView)),
)]
pub(crate) async fn get_form(
    State(context): State<Context>,
    Account(principal): Account,
    PathId(id): PathId<FormId>,
    Query(_): Query,
) -> Result<Response, Problem> {
    let form = context.store.form(principal.account, id).await?;
    respond::ok(&FormView::new(&form, context.public_url.as_deref()))
}

/// Changes a form.
///
/// What is left out stays. Saying `set_marketing: true` needs the permission `modify_marketing_contacts`.
#[utoipa::path(
    patch, path = "/v1/forms/{id}", tag = "Forms",
    params(IdempotencyKey, ("id" = String, Path, description = "The form's id.")),
    request_body = ChangeFormSchema,
    responses((status = 200, description = "The form.", body = FormView)),
)]
pub(crate) async fn update_form(
    State(context): State<Context>,
    Account(principal): Account,
    PathId(id): PathId<FormId>,
    request: Request<ChangeFormBody>,
) -> Result<Response, Problem> {
    let ChangeFormBody(change) = &request.body;
    may_set_marketing(&principal, change.set_marketing == Some(true))?;
    let render =
        |form: &Form| respond::json(StatusCode::OK, &FormView::new(form, context.public_url.as_deref()));
    let finish = Finish::new(request.claim.as_ref(), &render);
    let result = context.store.change_form(principal.account, id, change, context.clock.now(), finish).await;
    request.conclude(&context, result).await
}

/// Deletes a form.
///
/// Nothing can be submitted to it from then on. People who came through it stay as they are.
#[utoipa::path(
    delete, path = "/v1/forms/{id}", tag = "Forms",
    params(IdempotencyKey, ("id" = String, Path, description = "The form's id.")),
    responses((status = 204, description = "It is gone.")),
)]
pub(crate) async fn delete_form(
    State(context): State<Context>,
    Account(principal): Account,
    PathId(id): PathId<FormId>,
    request: Request<NoBody>,
) -> Result<Response, Problem> {
    let render = |(): &()| respond::no_content();
    let finish = Finish::new(request.claim.as_ref(), &render);
    let result = context.store.delete_form(principal.account, id, context.clock.now(), finish).await;
    request.conclude(&context, result).await
}

#[cfg(test)]
mod tests;
