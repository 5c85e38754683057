//! Forms: how people come in through a website. Everybody of an account manages them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use api::describe::{Parameters, documented};
use api::fields::{Fields, FromFields, Reported};
use api::openapi::{IdempotencyKey, one_of};
use api::paging::{Page, Paging};
use api::parse::{Parser, boolean, checked, list, map, name, or_null, parsed, string, text, variant, whole};
use api::path::PathId;
use api::{AccountCaller, Context, MutationRequest, NoBody, Problem, ProblemType, Query, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::form::{AnswerMode, Overwrite};
use domain::ids::FormId;
use domain::limits::{
    ALLOWED_ORIGINS_MAX, EVENT_TYPE_CHARS_MAX, EVENT_TYPES_MAX, FIELD_MAP_MAX, FORM_FIELD_NAME_CHARS_MAX,
    FORM_SECRET_CHARS_MAX, FORM_SECRET_CHARS_MIN, FORM_SECRETS_MAX, REDIRECT_URL_CHARS_MAX,
    SUBMISSION_FIELDS_MAX, USAGE_MAX,
};
use domain::permission::Principal;
use domain::provider::Provider;
use domain::secrets::Secrets;
use serde::Serialize;
use serde_json::json;
use store::{FieldTarget, Form, FormReport, NewForm, Responder, StoredResponse, UpdateForm};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use crate::web_address::{origin, redirect_url};
use api::listing::{one_more, page};

/// A form to be made.
pub(crate) struct NewFormBody(NewForm);

impl FromFields for NewFormBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.required("name", name().about("The form's name."));
        let provider = variant::<Provider>().schema_of::<ProviderSchema>();
        let provider = provider.about("The provider that delivers the submissions. It never changes.");
        let provider = fields.optional("provider", provider.default_value(Provider::Native.as_str()));
        let secrets = fields.optional("secrets", secrets());
        let set_marketing = boolean().about(
            "True if the form sets the contacts that submit it as marketing, existing ones included. Left out it is \
             `true` for a native form; for others the account's `defaults.external_form` decides at each submission. \
             All but `false` needs the permission `modify_marketing_contacts`.",
        );
        let set_marketing = fields.optional("set_marketing", set_marketing);
        let budget = fields.nullable("max_new_marketing_per_day", budget());
        let may_raise_tier = fields.nullable("may_raise_tier", may_raise_tier());
        let overwrite = overwrite().default_value(Overwrite::default().as_str());
        let overwrite = fields.optional("overwrite", overwrite);
        let answer = fields.optional("answer", answer_mode().default_value(AnswerMode::default().as_str()));
        let accepted = fields.nullable("fields", accepted_fields());
        let event_types = fields.nullable("event_types", event_types());
        let field_map = fields.optional("field_map", field_map());
        let allowed_origins = fields.optional("allowed_origins", allowed_origins());
        let redirect_url = fields.optional("redirect_url", redirect());
        let provider = provider?.unwrap_or(Provider::Native);
        let secrets = match Secrets::new(provider, secrets?.unwrap_or_default()) {
            Ok(secrets) => secrets,
            Err(error) => return fields.reject("secrets", error.to_string()),
        };
        Ok(Self(NewForm {
            name: name?,
            provider,
            secrets,
            set_marketing: set_marketing?,
            max_new_marketing_per_day: budget?.initial(),
            may_raise_tier: may_raise_tier?.initial(),
            overwrite: overwrite?.unwrap_or_default(),
            answer: answer?.unwrap_or_default(),
            fields: accepted?.initial(),
            event_types: event_types?.initial(),
            field_map: field_map?.unwrap_or_default(),
            allowed_origins: allowed_origins?.unwrap_or_default(),
            redirect_url: redirect_url?,
        }))
    }
}

documented! { NewFormBody as "NewForm": "A form to create." }

/// Parses the texts of a form's secrets. The provider decides which ones are valid.
fn secrets() -> impl Parser<Output = Vec<String>> {
    let secret = string().with(|object| {
        object.min_length = Some(FORM_SECRET_CHARS_MIN);
        object.max_length = Some(FORM_SECRET_CHARS_MAX);
        object.pattern = Some("^[!-~]+$".to_owned());
        object.write_only = Some(true);
    });
    list(0..=FORM_SECRETS_MAX, secret).about(
        "All secrets with which the provider signs or that it sends along; two while one replaces the other. A form \
         without a secret refuses every delivery to its `webhook_url`. A native form has none. Each has 16 to 255 visible \
         ASCII characters; those of `standard_webhooks` are `whsec_` and 24 to 64 bytes in base64.",
    )
}

fn budget() -> impl Parser<Output = u64> {
    whole(0..=USAGE_MAX).about(
        "The largest number of contacts that the form sets as marketing, or keeps from leaving, on one day of the \
         account's time zone. Beyond it contacts are kept as non-marketing, with the reason `form-budget`. `null` for any \
         number.",
    )
}

fn may_raise_tier() -> impl Parser<Output = bool> {
    boolean().about(
        "`true` lets the form raise the tier limit, and needs the permission `modify_marketing_contacts`. Beyond the \
         limit, another form keeps contacts as non-marketing, with the reason `tier-limit`. With `null` the account's \
         `defaults.forms_may_raise_tier` decides at each submission.",
    )
}

fn overwrite() -> impl Parser<Output = Overwrite> {
    variant::<Overwrite>()
        .schema_of::<OverwriteSchema>()
        .about("The effect of a submission on properties that an existing contact already has.")
}

fn answer_mode() -> impl Parser<Output = AnswerMode> {
    variant::<AnswerMode>().schema_of::<AnswerModeSchema>().about(
        "The response to a public submission: `minimal` is the same for every contact, `full` tells the effect.",
    )
}

/// Parses a form's own field names, each with its target. At most one of them is the address, because the form alone
/// knows which of two addresses is the contact's.
fn field_map() -> impl Parser<Output = BTreeMap<String, FieldTarget>> {
    let map = map(FIELD_MAP_MAX, field_name(), or_null(parsed::<FieldTarget>()));
    let map = checked(map, |targets| {
        let targets: BTreeMap<_, _> = targets
            .into_iter()
            .map(|(name, target)| (name, target.unwrap_or(FieldTarget::Nothing)))
            .collect();
        let addresses = targets.values().filter(|target| **target == FieldTarget::Email).count();
        if addresses > 1 { Err("expected one field for email at most") } else { Ok(targets) }
    });
    map.example(json!({"your_email": "email", "first-name": "firstname", "captcha": null})).about(
        "All of the form's own field names, each with its target: a property, `email` for the address, or `null` for \
         nothing. At most 200.",
    )
}

fn field_name() -> impl Parser<Output = String> {
    let name = checked(string(), |text: String| {
        if (1..=FORM_FIELD_NAME_CHARS_MAX).contains(&text.chars().count()) {
            Ok(text)
        } else {
            Err(format!("expected a field's name of 1 to {FORM_FIELD_NAME_CHARS_MAX} characters"))
        }
    });
    name.with(|object| {
        object.min_length = Some(1);
        object.max_length = Some(FORM_FIELD_NAME_CHARS_MAX);
    })
}

/// Parses the names of the fields that a form accepts.
fn accepted_fields() -> impl Parser<Output = BTreeSet<String>> {
    set(list(1..=SUBMISSION_FIELDS_MAX, field_name())).example(json!(["email", "first-name"])).about(
        "The names of all fields that the form accepts, at most 200. It leaves other fields out and counts them; the \
         address is always accepted. `null` for all fields.",
    )
}

/// Parses the event types that a form accepts.
fn event_types() -> impl Parser<Output = BTreeSet<String>> {
    set(list(1..=EVENT_TYPES_MAX, text(1..=EVENT_TYPE_CHARS_MAX))).example(json!(["contact.created"])).about(
        "The event types of webhooks that the form accepts, for providers whose webhooks have one \
         (`standard_webhooks`). `null` for all but those that report an end, such as `contact.deleted`.",
    )
}

fn set(list: impl Parser<Output = Vec<String>>) -> impl Parser<Output = BTreeSet<String>> {
    checked(list, |entries| Ok::<_, Infallible>(entries.into_iter().collect()))
}

/// Parses origins, each once, in the order given.
fn allowed_origins() -> impl Parser<Output = Vec<String>> {
    let list = list(0..=ALLOWED_ORIGINS_MAX, checked(string(), |text: String| origin(&text)));
    let once = checked(list, |given| {
        let mut known = BTreeSet::new();
        let once = given.into_iter().filter(|origin| known.insert(origin.clone()));
        Ok::<_, Infallible>(once.collect())
    });
    once.example(json!(["https://www.example.org"]))
        .about("The web origins whose pages may post to the form. An empty list allows all.")
}

fn redirect() -> impl Parser<Output = String> {
    let url = checked(string(), |text| redirect_url(&text))
        .with(|object| object.format = Some(SchemaFormat::Custom("uri".to_owned())));
    url.with(|object| object.max_length = Some(REDIRECT_URL_CHARS_MAX))
        .about("The address to which a browser is redirected after it has posted the form.")
}

/// Who delivers a form's submissions.
pub(crate) enum ProviderSchema {}

impl PartialSchema for ProviderSchema {
    fn schema() -> RefOr<Schema> {
        let words = Provider::ALL.iter().map(|provider| provider.as_str());
        one_of(words, "Who delivers a form's submissions: `native` for a form that posts here itself.").into()
    }
}

impl ToSchema for ProviderSchema {
    fn name() -> Cow<'static, str> {
        "FormProvider".into()
    }
}

/// The effect of a submission on properties that an existing contact already has.
pub(crate) enum OverwriteSchema {}

impl PartialSchema for OverwriteSchema {
    fn schema() -> RefOr<Schema> {
        let words = Overwrite::ALL.iter().map(|overwrite| overwrite.as_str());
        let about = "The effect of a submission on properties that an existing contact already has: `always` replaces \
                     them, `if_empty` fills only those without a visible value, `never` leaves all of them as they are.";
        one_of(words, about).into()
    }
}

impl ToSchema for OverwriteSchema {
    fn name() -> Cow<'static, str> {
        "FormOverwrite".into()
    }
}

/// The amount of detail in the response to a public submission.
pub(crate) enum AnswerModeSchema {}

impl PartialSchema for AnswerModeSchema {
    fn schema() -> RefOr<Schema> {
        let words = AnswerMode::ALL.iter().map(|answer| answer.as_str());
        one_of(words, "The amount of detail in the response to a public submission.").into()
    }
}

impl ToSchema for AnswerModeSchema {
    fn name() -> Cow<'static, str> {
        "FormAnswer".into()
    }
}

/// The settings of a form to change.
pub(crate) struct UpdateFormBody(UpdateForm);

impl FromFields for UpdateFormBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.optional("name", name().about("The form's name."));
        let secrets = fields.optional("secrets", secrets());
        let set_marketing = boolean().about(
            "True if the form sets the contacts that submit it as marketing. With `null` the account's \
             `defaults.external_form` decides, which a native form does not follow.",
        );
        let set_marketing = fields.nullable("set_marketing", set_marketing);
        let budget = fields.nullable("max_new_marketing_per_day", budget());
        let may_raise_tier = fields.nullable("may_raise_tier", may_raise_tier());
        let overwrite = fields.optional("overwrite", overwrite());
        let answer = fields.optional("answer", answer_mode());
        let accepted = fields.nullable("fields", accepted_fields());
        let event_types = fields.nullable("event_types", event_types());
        let field_map = fields.optional("field_map", field_map());
        let allowed_origins = fields.optional("allowed_origins", allowed_origins());
        let redirect_url = fields.nullable("redirect_url", redirect());
        Ok(Self(UpdateForm {
            name: name?,
            secrets: secrets?,
            set_marketing: set_marketing?,
            max_new_marketing_per_day: budget?,
            may_raise_tier: may_raise_tier?,
            overwrite: overwrite?,
            answer: answer?,
            fields: accepted?,
            event_types: event_types?,
            field_map: field_map?,
            allowed_origins: allowed_origins?,
            redirect_url: redirect_url?,
        }))
    }
}

documented! { UpdateFormBody as "UpdateForm": "The settings of a form to change. Settings that are left out stay." }

/// A form.
#[derive(Serialize, ToSchema)]
#[schema(as = Form)]
pub(crate) struct FormView {
    /// Its id. It stands in public pages and is no secret.
    id: String,
    /// The UUID of the same 128 bits as its id, by which `HubSpot`'s clients name it.
    #[schema(format = "uuid")]
    guid: String,
    /// Its name.
    name: String,
    /// Who delivers its submissions.
    #[schema(value_type = ProviderSchema)]
    provider: &'static str,
    /// How many live secrets it has. They are never shown. Left out for a native form, which has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, maximum = 2)]
    secrets_set: Option<usize>,
    /// Whether it sets those who submit it marketing; `null` where the account's `defaults.external_form` decides.
    set_marketing: Option<bool>,
    /// How many contacts it sets marketing, or keeps from leaving, on one day at most; left out for any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    max_new_marketing_per_day: Option<u64>,
    /// `true` if the form may raise the tier limit; `null` where the account's `defaults.forms_may_raise_tier` decides.
    may_raise_tier: Option<bool>,
    /// The effect of a submission on properties that an existing contact already has.
    #[schema(value_type = OverwriteSchema)]
    overwrite: &'static str,
    /// The response to a public submission.
    #[schema(value_type = AnswerModeSchema)]
    answer: &'static str,
    /// The names of the fields that it takes; left out for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    fields: Option<BTreeSet<String>>,
    /// The event types of webhooks that it takes; left out for all that do not tell of an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    event_types: Option<BTreeSet<String>>,
    /// Its own field names, each with what it fills; `null` for nothing.
    field_map: BTreeMap<String, Option<String>>,
    /// The web origins whose pages may post to it; empty for any.
    allowed_origins: Vec<String>,
    /// Where a browser goes after it has posted the form; left out for nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "uri")]
    redirect_url: Option<String>,
    /// Where a native form posts to; the path alone where the deployment does not know its own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    submit_url: Option<String>,
    /// Where the provider of any other form delivers to; the path alone where the deployment does not know its own
    /// address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    webhook_url: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl FormView {
    fn new(form: &Form, public_url: Option<&str>) -> Self {
        let fills =
            |(field, target): (&String, &FieldTarget)| (field.clone(), target.name().map(str::to_owned));
        let base = public_url.unwrap_or_default();
        let is_native = form.provider.is_native();
        Self {
            id: form.id.to_string(),
            guid: form.id.guid(),
            name: form.name.clone(),
            provider: form.provider.as_str(),
            secrets_set: (!is_native).then_some(form.secrets.len()),
            set_marketing: form.set_marketing,
            max_new_marketing_per_day: form.max_new_marketing_per_day,
            may_raise_tier: form.may_raise_tier,
            overwrite: form.overwrite.as_str(),
            answer: form.answer.as_str(),
            fields: form.fields.clone(),
            event_types: form.event_types.clone(),
            field_map: form.field_map.iter().map(fills).collect(),
            allowed_origins: form.allowed_origins.clone(),
            redirect_url: form.redirect_url.clone(),
            submit_url: is_native.then(|| format!("{base}/v1/forms/{}/submissions", form.id)),
            webhook_url: (!is_native).then(|| format!("{base}/v1/hooks/{}", form.id)),
            created_at: form.created_at.to_string(),
            updated_at: form.updated_at.to_string(),
        }
    }
}

/// A form with what came of its submissions.
#[derive(Serialize, ToSchema)]
#[schema(as = FormReport)]
pub(crate) struct FormReportView {
    #[serde(flatten)]
    form: FormView,
    /// What came of its submissions.
    counts: FormCountsView,
    /// How it stands with its `max_new_marketing_per_day`; left out if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    budget: Option<FormBudgetView>,
}

/// The effects of a form's submissions. `received` is the sum of the others but `fields_left_out`. What was accepted in a flood is counted once it
/// is settled.
#[derive(Serialize, ToSchema)]
#[schema(as = FormCounts)]
pub(crate) struct FormCountsView {
    /// Everything that came.
    received: u64,
    /// Deliveries that came again, and changed nothing.
    duplicates: u64,
    /// Submissions that could not be taken, and have not been by a retry since.
    rejected: u64,
    /// People who became marketing contacts.
    set: u64,
    /// Leaving contacts who stay marketing contacts.
    kept: u64,
    /// People whose marketing state is as it was.
    unchanged: u64,
    /// People kept as non-marketing contacts: the form, or the account, sets nobody marketing.
    not_set: u64,
    /// People kept as non-marketing contacts because of the account's cap.
    not_set_by_cap: u64,
    /// Contacts kept as non-marketing because of the tier limit, which the form may not raise.
    not_set_by_tier: u64,
    /// People kept as non-marketing contacts because of the form's budget.
    not_set_by_budget: u64,
    /// Webhooks that tell of something else than a submission.
    ignored: u64,
    /// Submitted values that the form does not take, or for which a contact has no room. They are no part of `received`.
    fields_left_out: u64,
}

/// How a form stands with its budget.
#[derive(Serialize, ToSchema)]
#[schema(as = FormBudget)]
pub(crate) struct FormBudgetView {
    /// How many contacts it sets marketing, or keeps from leaving, on one day at most.
    max_new_marketing_per_day: u64,
    /// How many it has set today. They are counted while the form has a budget.
    used_today: u64,
    /// The day in the account's time zone.
    #[schema(format = Date)]
    day: String,
}

impl FormReportView {
    fn new(report: &FormReport, public_url: Option<&str>) -> Self {
        let FormReport { form, counts, budget } = report;
        let budget = budget.map(|budget| FormBudgetView {
            max_new_marketing_per_day: budget.max_new_marketing_per_day,
            used_today: budget.used_today,
            day: budget.day.to_string(),
        });
        let counts = FormCountsView {
            received: counts.received(),
            duplicates: counts.duplicates,
            rejected: counts.rejected,
            set: counts.set,
            kept: counts.kept,
            unchanged: counts.unchanged,
            not_set: counts.not_set,
            not_set_by_cap: counts.not_set_by_cap,
            not_set_by_tier: counts.not_set_by_tier,
            not_set_by_budget: counts.not_set_by_budget,
            ignored: counts.ignored,
            fields_left_out: counts.fields_left_out,
        };
        Self { form: FormView::new(form, public_url), counts, budget }
    }
}

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
mod tests;
