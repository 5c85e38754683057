//! The routes of forms.

use api::describe::Parameters;
use api::listing::{one_more, page};
use api::openapi::IdempotencyKey;
use api::paging::{Page, Paging};
use api::path::PathId;
use api::{AccountCaller, Context, MutationRequest, NoBody, Problem, ProblemType, Query, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::FormId;
use domain::permission::Principal;
use store::{Form, Responder, StoredResponse};

use super::body::{NewFormBody, UpdateFormBody};
use super::view::{FormReportView, FormView};

/// A form hands out marketing status under its own setting, so whoever switches that on, or leaves it to the account's
/// default, needs the permission that setting contacts as marketing needs.
fn may_set_marketing(principal: &Principal, asked: bool) -> Result<(), Problem> {
    if !asked || principal.modify_marketing_contacts {
        return Ok(());
    }
    let detail = "A form that sets people marketing needs the permission modify_marketing_contacts; without it, \
                  say set_marketing: false.";
    Err(Problem::new(ProblemType::PermissionDenied, detail))
}

/// Makes a form.
///
/// It sets those who submit it marketing unless told not to, or unless it is from elsewhere and the account's
/// `defaults.external_form` says otherwise. That needs the permission `modify_marketing_contacts`. An account has at most
/// 1,000 forms: 409 `limit-reached` beyond that.
#[utoipa::path(
    post, path = "/v1/forms", tag = "Forms", params(IdempotencyKey), request_body = NewFormBody,
    responses(
        (status = 201, description = "The form.", body = FormView,
         headers(("Location" = String, description = "Where the form is read."))),
        (status = 409, description = "limit-reached"),
    ),
)]
pub(crate) async fn create_form(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    request: MutationRequest<NewFormBody>,
) -> Result<Response, Problem> {
    let NewFormBody(new) = &request.body;
    may_set_marketing(&principal, new.set_marketing != Some(false))?;
    let render = |form: &Form| {
        let location = Some(format!("/v1/forms/{}", form.id));
        let view = FormView::new(form, context.public_url.as_deref());
        StoredResponse { location, ..respond::json(StatusCode::CREATED, &view) }
    };
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.create_form(principal.account, new, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

/// Lists the forms.
///
/// In the order in which they were made.
#[utoipa::path(
    get, path = "/v1/forms", tag = "Forms", params(Parameters<Paging<FormId>>),
    responses((status = 200, description = "A page of forms.", body = Page<FormView>)),
)]
pub(crate) async fn list_forms(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(paging): Query<Paging<FormId>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let listing = context.store.forms(principal.account, after, one_more(limit)).await?;
    let view = |form: &Form| FormView::new(form, context.public_url.as_deref());
    respond::ok(&page(&listing, limit, |form| form.id, view))
}

/// Reads a form, with what came of its submissions.
#[utoipa::path(
    get, path = "/v1/forms/{id}", tag = "Forms",
    params(("id" = String, Path, description = "The form's id.")),
    responses((status = 200, description = "The form.", body = FormReportView)),
)]
pub(crate) async fn get_form(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<FormId>,
    Query(_): Query,
) -> Result<Response, Problem> {
    let report = context.store.form_report(principal.account, id, context.clock.now()).await?;
    respond::ok(&FormReportView::new(&report, context.public_url.as_deref()))
}

/// Changes a form.
///
/// What is left out stays. A change with which a form sets more contacts marketing needs the permission
/// `modify_marketing_contacts`: `set_marketing` on, a higher budget or none, `may_raise_tier`, new `secrets`, further
/// `allowed_origins` or `event_types`, and any other `field_map`. Narrowing does not need it.
#[utoipa::path(
    patch, path = "/v1/forms/{id}", tag = "Forms",
    params(IdempotencyKey, ("id" = String, Path, description = "The form's id.")),
    request_body = UpdateFormBody,
    responses((status = 200, description = "The form.", body = FormView)),
)]
pub(crate) async fn update_form(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<FormId>,
    request: MutationRequest<UpdateFormBody>,
) -> Result<Response, Problem> {
    let UpdateFormBody(change) = &request.body;
    let render =
        |form: &Form| respond::json(StatusCode::OK, &FormView::new(form, context.public_url.as_deref()));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let (store, may_widen) = (&context.store, principal.modify_marketing_contacts);
    let result =
        store.update_form(principal.account, id, change, may_widen, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

/// Deletes a form.
///
/// Nothing can be submitted to it from then on. People who came through it stay as they are. Its counts go, and what it
/// has rejected.
#[utoipa::path(
    delete, path = "/v1/forms/{id}", tag = "Forms",
    params(IdempotencyKey, ("id" = String, Path, description = "The form's id.")),
    responses((status = 204, description = "It is gone.")),
)]
pub(crate) async fn delete_form(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<FormId>,
    request: MutationRequest<NoBody>,
) -> Result<Response, Problem> {
    let render = |(): &()| respond::no_content();
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.delete_form(principal.account, id, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::ids::{AccountId, IntegrationId};
    use domain::permission::PrincipalKind;

    use super::*;

    #[test]
    fn switching_the_setting_on_needs_the_permission() {
        let principal = |modify_marketing_contacts| Principal {
            account: AccountId::new(Timestamp::MIN, 1),
            caller: PrincipalKind::Integration {
                id: IntegrationId::new(Timestamp::MIN, 2),
                set_marketing: true,
            },
            name: "Site".into(),
            modify_marketing_contacts,
        };
        for (has, asked, may) in
            [(true, true, true), (true, false, true), (false, false, true), (false, true, false)]
        {
            assert_eq!(may_set_marketing(&principal(has), asked).is_ok(), may, "{has} {asked}");
        }
        let problem = may_set_marketing(&principal(false), true).unwrap_err();
        assert_eq!(problem.slug(), ProblemType::PermissionDenied);
        assert!(problem.to_answer().body.contains("set_marketing: false"));
    }
}
