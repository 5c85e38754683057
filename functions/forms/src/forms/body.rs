//! The bodies of requests that create or change a form.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use api::describe::documented;
use api::fields::{Fields, FromFields, Reported};
use api::openapi::one_of;
use api::parse::{Parser, boolean, checked, list, map, name, or_null, parsed, string, text, variant, whole};
use domain::form::{AnswerMode, Overwrite};
use domain::limits::{
    ALLOWED_ORIGINS_MAX, EVENT_TYPE_CHARS_MAX, EVENT_TYPES_MAX, FIELD_MAP_MAX, FORM_FIELD_NAME_CHARS_MAX,
    FORM_SECRET_CHARS_MAX, FORM_SECRET_CHARS_MIN, FORM_SECRETS_MAX, REDIRECT_URL_CHARS_MAX,
    SUBMISSION_FIELDS_MAX, USAGE_MAX,
};
use domain::provider::Provider;
use domain::secrets::Secrets;
use form_mapping::web_address::{origin, redirect_url};
use serde_json::json;
use store::{FieldTarget, NewForm, UpdateForm};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// A request to create a form.
pub(crate) struct NewFormBody(pub(super) NewForm);

impl FromFields for NewFormBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.required("name", name().about("The form's name."));
        let provider = variant::<Provider>().schema_of::<ProviderSchema>();
        let provider = provider.about("The provider that delivers the submissions. It never changes.");
        let provider = fields.optional("provider", provider.default_value(Provider::Native.as_str()));
        let secrets = fields.optional("secrets", secrets());
        let set_marketing = boolean().about(
            "True if the form sets the contacts that submit it as marketing, existing contacts included. If it is \
             left out, a native form sets them. For any other form the account's `defaults.external_form` then decides \
             at each submission. Without the permission `modify_marketing_contacts` only `false` is allowed.",
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
            appearance: None,
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
        "All secrets with which the provider signs, or which it sends. A form has two while a new one replaces the old \
         one. A form without a secret refuses every delivery to its `webhook_url`. A native form has none. A secret \
         has 16 to 255 visible ASCII characters. A secret of `standard_webhooks` is `whsec_` and 24 to 64 bytes in \
         base64.",
    )
}

/// Parses a form's daily budget.
fn budget() -> impl Parser<Output = u64> {
    whole(0..=USAGE_MAX).about(
        "The maximum number of contacts that the form sets as marketing, or keeps from leaving, on one day of the \
         account's time zone. Further contacts are stored as non-marketing, with the reason `form-budget`. `null` for \
         no maximum.",
    )
}

/// Parses the setting with which a form may raise the tier limit.
fn may_raise_tier() -> impl Parser<Output = bool> {
    boolean().about(
        "True if the form may raise the tier limit, which requires the permission `modify_marketing_contacts`. With \
         `false`, contacts beyond the limit are stored as non-marketing, with the reason `tier-limit`. With `null` the \
         account's `defaults.forms_may_raise_tier` decides at each submission.",
    )
}

/// Parses the effect of submissions on existing properties.
fn overwrite() -> impl Parser<Output = Overwrite> {
    variant::<Overwrite>()
        .schema_of::<OverwriteSchema>()
        .about("The effect of a submission on properties that an existing contact already has.")
}

/// Parses the amount of detail in responses to public submissions.
fn answer_mode() -> impl Parser<Output = AnswerMode> {
    variant::<AnswerMode>().schema_of::<AnswerModeSchema>().about(
        "The response to a public submission: `minimal` is the same for every contact, `full` contains the effect.",
    )
}

/// Parses a form's own field names, each with its target. At most one field is the address, because only the form knows
/// which of two addresses is the contact's.
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
        "The form's own field names, each with its target: a property, `email` for the address, or `null` for nothing. \
         At most 200. A change replaces the whole map.",
    )
}

/// Parses the name of a form's field.
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
        "The names of all fields that the form accepts, at most 200. The form leaves other fields out and counts them. \
         The address is always accepted. `null` for all fields.",
    )
}

/// Parses the event types that a form accepts.
fn event_types() -> impl Parser<Output = BTreeSet<String>> {
    set(list(1..=EVENT_TYPES_MAX, text(1..=EVENT_TYPE_CHARS_MAX))).example(json!(["contact.created"])).about(
        "The event types of webhooks that the form accepts, for providers whose webhooks have one \
         (`standard_webhooks`). `null` for all types except those that report an end, such as `contact.deleted`.",
    )
}

/// Parses a list as a set, in which each entry is stored once.
fn set(list: impl Parser<Output = Vec<String>>) -> impl Parser<Output = BTreeSet<String>> {
    checked(list, |entries| Ok::<_, Infallible>(entries.into_iter().collect()))
}

/// Parses web origins. Repeated origins are removed, and the order remains.
fn allowed_origins() -> impl Parser<Output = Vec<String>> {
    let list = list(0..=ALLOWED_ORIGINS_MAX, checked(string(), |text: String| origin(&text)));
    let once = checked(list, |origins| {
        let mut known = BTreeSet::new();
        let once = origins.into_iter().filter(|origin| known.insert(origin.clone()));
        Ok::<_, Infallible>(once.collect())
    });
    once.example(json!(["https://www.example.org"]))
        .about("The web origins whose pages may post to the form. An empty list allows every origin.")
}

/// Parses the address of a redirect.
fn redirect() -> impl Parser<Output = String> {
    let url = checked(string(), |text| redirect_url(&text))
        .with(|object| object.format = Some(SchemaFormat::Custom("uri".to_owned())));
    url.with(|object| object.max_length = Some(REDIRECT_URL_CHARS_MAX))
        .about("The address to which a browser is redirected after it has posted the form.")
}

/// The provider that delivers a form's submissions.
pub(crate) enum ProviderSchema {}

impl PartialSchema for ProviderSchema {
    fn schema() -> RefOr<Schema> {
        let words = Provider::ALL.iter().map(|provider| provider.as_str());
        let about = "The provider that delivers a form's submissions. Pages post a `native` form directly to this API.";
        one_of(words, about).into()
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
                     them, `if_empty` fills only those without a visible value, `never` changes none of them.";
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

/// A change of a form.
pub(crate) struct UpdateFormBody(pub(super) UpdateForm);

impl FromFields for UpdateFormBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.optional("name", name().about("The form's name."));
        let secrets = fields.optional("secrets", secrets());
        let set_marketing = boolean().about(
            "True if the form sets the contacts that submit it as marketing, existing contacts included. With `null` \
             the account's `defaults.external_form` decides at each submission. A native form rejects `null`.",
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
            appearance: None,
        }))
    }
}

documented! {
    UpdateFormBody as "UpdateForm": "The settings of a form to change. Settings that are left out do not change."
}

#[cfg(test)]
mod tests;
