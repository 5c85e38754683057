//! JSON views of a form and of the counts of its submissions.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use store::{FieldTarget, Form, FormReport};
use utoipa::ToSchema;

use super::body::{AnswerModeSchema, OverwriteSchema, ProviderSchema};

/// A form.
#[derive(Serialize, ToSchema)]
#[schema(as = Form)]
pub(crate) struct FormView {
    /// The form's id. It is not a secret, because public pages contain it.
    id: String,
    /// The UUID of the same 128 bits as the id, by which `HubSpot`'s clients identify the form.
    #[schema(format = "uuid")]
    guid: String,
    /// The display name.
    name: String,
    /// The provider that delivers the submissions.
    #[schema(value_type = ProviderSchema)]
    provider: &'static str,
    /// The number of the form's secrets, which no response contains. Left out for a native form, which has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, maximum = 2)]
    secrets_set: Option<usize>,
    /// True if the form sets the contacts that submit it as marketing. `null` if the account's `defaults.external_form`
    /// decides.
    set_marketing: Option<bool>,
    /// The maximum number of contacts that the form sets as marketing, or keeps from leaving, on one day. Left out if
    /// there is no maximum.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    max_new_marketing_per_day: Option<u64>,
    /// True if the form may raise the tier limit. `null` if the account's `defaults.forms_may_raise_tier` decides.
    may_raise_tier: Option<bool>,
    /// The effect of a submission on properties that an existing contact already has.
    #[schema(value_type = OverwriteSchema)]
    overwrite: &'static str,
    /// The amount of detail in the response to a public submission.
    #[schema(value_type = AnswerModeSchema)]
    answer: &'static str,
    /// The names of the fields that the form accepts. Left out if it accepts all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    fields: Option<BTreeSet<String>>,
    /// The event types of webhooks that the form accepts. Left out if it accepts all that do not report an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    event_types: Option<BTreeSet<String>>,
    /// The form's own field names, each with its target. `null` for nothing.
    field_map: BTreeMap<String, Option<String>>,
    /// The web origins whose pages may post to the form. An empty list allows every origin.
    allowed_origins: Vec<String>,
    /// The address to which a browser is redirected after it has posted the form. Left out if there is no redirect.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "uri")]
    redirect_url: Option<String>,
    /// The address to which pages post a native form. It is only a path if the deployment does not know its own
    /// address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    submit_url: Option<String>,
    /// The address to which the provider of any other form delivers submissions. It is only a path if the deployment
    /// does not know its own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    webhook_url: Option<String>,
    /// The instant at which the form was created.
    #[schema(format = DateTime)]
    created_at: String,
    /// The instant of the form's last change.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl FormView {
    pub(super) fn new(form: &Form, public_url: &str) -> Self {
        let target_name =
            |(field, target): (&String, &FieldTarget)| (field.clone(), target.name().map(str::to_owned));
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
            field_map: form.field_map.iter().map(target_name).collect(),
            allowed_origins: form.allowed_origins.clone(),
            redirect_url: form.redirect_url.clone(),
            submit_url: is_native.then(|| format!("{public_url}/v1/forms/{}/submissions", form.id)),
            webhook_url: (!is_native).then(|| format!("{public_url}/v1/hooks/{}", form.id)),
            created_at: form.created_at.to_string(),
            updated_at: form.updated_at.to_string(),
        }
    }
}

/// A form with the counts of its submissions.
#[derive(Serialize, ToSchema)]
#[schema(as = FormReport)]
pub(crate) struct FormReportView {
    #[serde(flatten)]
    form: FormView,
    /// The counts of its submissions, by effect.
    counts: FormCountsView,
    /// The use of its `max_new_marketing_per_day`. Left out if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    budget: Option<FormBudgetView>,
}

/// The counts of a form's submissions, by effect. `received` is the sum of the other counts without `fields_left_out`.
/// A submission that was accepted into the inbox during a burst is counted when it is applied.
#[derive(Serialize, ToSchema)]
#[schema(as = FormCounts)]
pub(crate) struct FormCountsView {
    /// All submissions and webhooks.
    received: u64,
    /// Repeated deliveries, which changed nothing.
    duplicates: u64,
    /// Rejected submissions, except those that a retry has applied since or that were deleted.
    rejected: u64,
    /// Contacts that became marketing contacts.
    set: u64,
    /// Leaving contacts that stay marketing contacts.
    kept: u64,
    /// Contacts whose marketing state did not change.
    unchanged: u64,
    /// Contacts stored as non-marketing, because the form or the account sets no contacts as marketing.
    not_set: u64,
    /// Contacts stored as non-marketing because of the account's cap.
    not_set_by_cap: u64,
    /// Contacts stored as non-marketing because of the tier limit, which the form may not raise.
    not_set_by_tier: u64,
    /// Contacts stored as non-marketing because of the form's budget.
    not_set_by_budget: u64,
    /// Webhooks that do not report a submission.
    ignored: u64,
    /// Submitted values that the form does not accept, or that exceed a contact's limits. They are not part of
    /// `received`, which counts submissions.
    fields_left_out: u64,
}

/// The use of a form's daily budget.
#[derive(Serialize, ToSchema)]
#[schema(as = FormBudget)]
pub(crate) struct FormBudgetView {
    /// The maximum number of contacts that the form sets as marketing, or keeps from leaving, on one day.
    max_new_marketing_per_day: u64,
    /// The number of contacts that the form has set today. They are counted only while the form has a budget.
    used_today: u64,
    /// The present day in the account's time zone.
    #[schema(format = Date)]
    day: String,
}

impl FormReportView {
    pub(super) fn new(report: &FormReport, public_url: &str) -> Self {
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

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::form::{AnswerMode, Overwrite};
    use domain::ids::{AccountId, FormId, PortalId};
    use domain::provider::Provider;
    use domain::secrets::Secrets;
    use serde_json::json;

    use super::*;

    #[test]
    fn form_view_has_its_address_and_no_secrets() {
        let native = Form {
            id: FormId::new(Timestamp::MIN, 1),
            account: AccountId::new(Timestamp::MIN, 2),
            portal: PortalId::new(0),
            name: "Newsletter".into(),
            provider: Provider::Native,
            secrets: Secrets::default(),
            set_marketing: Some(true),
            max_new_marketing_per_day: None,
            may_raise_tier: None,
            overwrite: Overwrite::Always,
            answer: AnswerMode::Minimal,
            fields: None,
            event_types: None,
            field_map: BTreeMap::from([("your_email".into(), FieldTarget::Email)]),
            allowed_origins: vec!["https://example.org".into()],
            redirect_url: None,
            appearance: None,
            used_by: std::collections::BTreeSet::new(),
            created_at: Timestamp::MIN,
            updated_at: Timestamp::MIN,
        };
        let path = format!("/v1/forms/{}/submissions", native.id);
        assert_eq!(
            serde_json::to_value(FormView::new(&native, "https://api.example.org")).unwrap(),
            json!({
                "id": native.id.to_string(), "guid": "00000000-0000-0000-0000-000000000001",
                "name": "Newsletter", "provider": "native", "set_marketing": true,
                "may_raise_tier": null, "overwrite": "always", "answer": "minimal",
                "field_map": {"your_email": "email"}, "allowed_origins": ["https://example.org"],
                "submit_url": format!("https://api.example.org{path}"),
                "created_at": "1970-01-01T00:00:00.000Z", "updated_at": "1970-01-01T00:00:00.000Z",
            })
        );
        assert_eq!(FormView::new(&native, "").submit_url, Some(path));

        let secret = "0123456789abcdef".to_owned();
        let external = Form {
            provider: Provider::Tally,
            secrets: Secrets::new(Provider::Tally, vec![secret]).unwrap(),
            set_marketing: None,
            max_new_marketing_per_day: Some(50),
            may_raise_tier: Some(true),
            overwrite: Overwrite::IfEmpty,
            answer: AnswerMode::Full,
            fields: Some(BTreeSet::from(["email".to_owned()])),
            event_types: Some(BTreeSet::from(["contact.created".to_owned()])),
            field_map: BTreeMap::from([("captcha".into(), FieldTarget::Nothing)]),
            ..native
        };
        assert_eq!(
            serde_json::to_value(FormView::new(&external, "https://api.example.org")).unwrap(),
            json!({
                "id": external.id.to_string(), "guid": external.id.guid(), "name": "Newsletter",
                "provider": "tally", "secrets_set": 1,
                "set_marketing": null, "max_new_marketing_per_day": 50, "may_raise_tier": true,
                "overwrite": "if_empty", "answer": "full", "fields": ["email"], "event_types": ["contact.created"],
                "field_map": {"captcha": null},
                "allowed_origins": ["https://example.org"],
                "webhook_url": format!("https://api.example.org/v1/hooks/{}", external.id),
                "created_at": "1970-01-01T00:00:00.000Z", "updated_at": "1970-01-01T00:00:00.000Z",
            })
        );
    }
}
