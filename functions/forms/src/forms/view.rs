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
    pub(super) fn new(form: &Form, public_url: Option<&str>) -> Self {
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
    pub(super) fn new(report: &FormReport, public_url: Option<&str>) -> Self {
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
    fn a_form_says_where_it_posts_to_or_is_delivered_to_and_never_its_secrets() {
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
            created_at: Timestamp::MIN,
            updated_at: Timestamp::MIN,
        };
        let path = format!("/v1/forms/{}/submissions", native.id);
        assert_eq!(
            serde_json::to_value(FormView::new(&native, Some("https://api.example.org"))).unwrap(),
            json!({
                "id": native.id.to_string(), "guid": "00000000-0000-0000-0000-000000000001", "name": "Newsletter", "provider": "native", "set_marketing": true,
                "may_raise_tier": null, "overwrite": "always", "answer": "minimal",
                "field_map": {"your_email": "email"}, "allowed_origins": ["https://example.org"],
                "submit_url": format!("https://api.example.org{path}"),
                "created_at": "1970-01-01T00:00:00.000Z", "updated_at": "1970-01-01T00:00:00.000Z",
            })
        );
        assert_eq!(FormView::new(&native, None).submit_url, Some(path));

        let secret = "0123456789abcdef".to_owned();
        let elsewhere = Form {
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
            serde_json::to_value(FormView::new(&elsewhere, Some("https://api.example.org"))).unwrap(),
            json!({
                "id": elsewhere.id.to_string(), "guid": elsewhere.id.guid(), "name": "Newsletter", "provider": "tally", "secrets_set": 1,
                "set_marketing": null, "max_new_marketing_per_day": 50, "may_raise_tier": true,
                "overwrite": "if_empty", "answer": "full", "fields": ["email"], "event_types": ["contact.created"],
                "field_map": {"captcha": null},
                "allowed_origins": ["https://example.org"],
                "webhook_url": format!("https://api.example.org/v1/hooks/{}", elsewhere.id),
                "created_at": "1970-01-01T00:00:00.000Z", "updated_at": "1970-01-01T00:00:00.000Z",
            })
        );
    }
}
