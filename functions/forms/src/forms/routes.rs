//! The handlers of `/v1/forms`.

use api::describe::Parameters;
use api::listing::{one_more, page};
use api::openapi::IdempotencyKey;
use api::paging::{Page, Paging};
use api::path::PathId;
use api::public_url::PublicUrl;
use api::{AccountCaller, Context, MutationRequest, NoBody, Problem, ProblemType, Query, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::FormId;
use domain::permission::Principal;
use store::{Form, Responder, StoredResponse};

use super::body::{NewFormBody, UpdateFormBody};
use super::view::{FormReportView, FormView};

/// Checks the permission of a caller that creates a form. `sets` is true if the form sets contacts as marketing, or
/// leaves that to the account's default. It then requires the same permission as setting contacts directly, because a
/// form sets them under its own setting.
///
/// # Errors
///
/// `permission-denied`.
fn may_set_marketing(principal: &Principal, sets: bool) -> Result<(), Problem> {
    if !sets || principal.modify_marketing_contacts {
        return Ok(());
    }
    let detail = "A form that sets contacts as marketing requires the permission modify_marketing_contacts. Without \
                  it, send set_marketing: false.";
    Err(Problem::new(ProblemType::PermissionDenied, detail))
}

/// Creates a form.
///
/// A native form sets the contacts that submit it as marketing, unless `set_marketing` is `false`. For a form of
/// another provider without `set_marketing`, the account's `defaults.external_form` decides. Creating a form without
/// `set_marketing: false` requires the permission `modify_marketing_contacts`.
///
/// An account has at most 1,000 forms. Beyond that, the request is refused with 409 `limit-reached`.
#[utoipa::path(
    post, path = "/v1/forms", tag = "Forms", params(IdempotencyKey), request_body = NewFormBody,
    responses(
        (status = 201, description = "The created form.", body = FormView,
         headers(("Location" = String, description = "The form's path."))),
        (status = 409, description = "limit-reached"),
    ),
)]
pub(crate) async fn create_form(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PublicUrl(url): PublicUrl,
    request: MutationRequest<NewFormBody>,
) -> Result<Response, Problem> {
    let NewFormBody(new) = &request.body;
    may_set_marketing(&principal, new.set_marketing != Some(false))?;
    let render = |form: &Form| {
        let location = Some(format!("/v1/forms/{}", form.id));
        let view = FormView::new(form, &url);
        StoredResponse { location, ..respond::json(StatusCode::CREATED, &view) }
    };
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.create_form(principal.account, new, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

/// Lists the forms.
///
/// The forms are in the order of their creation.
#[utoipa::path(
    get, path = "/v1/forms", tag = "Forms", params(Parameters<Paging<FormId>>),
    responses((status = 200, description = "A page of forms.", body = Page<FormView>)),
)]
pub(crate) async fn list_forms(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PublicUrl(url): PublicUrl,
    Query(paging): Query<Paging<FormId>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let listing = context.store.forms(principal.account, after, one_more(limit)).await?;
    let view = |form: &Form| FormView::new(form, &url);
    respond::ok(&page(&listing, limit, |form| form.id, view))
}

/// Returns a form with the counts of its submissions.
///
/// The counts are by effect. The response also has the use of the form's daily budget, if it has one.
#[utoipa::path(
    get, path = "/v1/forms/{id}", tag = "Forms",
    params(("id" = String, Path, description = "The form's id.")),
    responses((status = 200, description = "The form with its counts.", body = FormReportView)),
)]
pub(crate) async fn get_form(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PublicUrl(url): PublicUrl,
    PathId(id): PathId<FormId>,
    Query(_): Query,
) -> Result<Response, Problem> {
    let report = context.store.form_report(principal.account, id, context.clock.now()).await?;
    respond::ok(&FormReportView::new(&report, &url))
}

/// Updates a form.
///
/// Settings that are left out do not change. A change with which the form could set more contacts as marketing requires
/// the permission `modify_marketing_contacts`. Such changes are:
///
/// - `set_marketing` or `may_raise_tier` switched on, or changed from `false` to `null`
/// - a higher `max_new_marketing_per_day`, or `null`
/// - new `secrets`
/// - further `allowed_origins` or `event_types`, or no restriction to a list
/// - another `field_map`
///
/// Changes in the other direction do not require it.
#[utoipa::path(
    patch, path = "/v1/forms/{id}", tag = "Forms",
    params(IdempotencyKey, ("id" = String, Path, description = "The form's id.")),
    request_body = UpdateFormBody,
    responses((status = 200, description = "The changed form.", body = FormView)),
)]
pub(crate) async fn update_form(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PublicUrl(url): PublicUrl,
    PathId(id): PathId<FormId>,
    request: MutationRequest<UpdateFormBody>,
) -> Result<Response, Problem> {
    let UpdateFormBody(change) = &request.body;
    let render = |form: &Form| respond::json(StatusCode::OK, &FormView::new(form, &url));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let (store, may_widen) = (&context.store, principal.modify_marketing_contacts);
    let result =
        store.update_form(principal.account, id, change, may_widen, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

/// Deletes a form.
///
/// The form no longer accepts submissions. Its counts and rejected submissions are deleted too. The contacts that
/// submitted it do not change.
#[utoipa::path(
    delete, path = "/v1/forms/{id}", tag = "Forms",
    params(IdempotencyKey, ("id" = String, Path, description = "The form's id.")),
    responses(
        (status = 204, description = "The form is deleted."),
        (status = 409, description = "in-use"),
    ),
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
    fn form_that_sets_marketing_requires_the_permission() {
        let principal = |modify_marketing_contacts| Principal {
            account: AccountId::new(Timestamp::MIN, 1),
            caller: PrincipalKind::Integration {
                id: IntegrationId::new(Timestamp::MIN, 2),
                set_marketing: true,
            },
            name: "Site".into(),
            modify_marketing_contacts,
        };
        for (has, sets, may) in
            [(true, true, true), (true, false, true), (false, false, true), (false, true, false)]
        {
            assert_eq!(may_set_marketing(&principal(has), sets).is_ok(), may, "{has} {sets}");
        }
        let problem = may_set_marketing(&principal(false), true).unwrap_err();
        assert_eq!(problem.problem_type(), ProblemType::PermissionDenied);
        assert!(problem.to_answer().body.contains("set_marketing: false"));
    }
}
