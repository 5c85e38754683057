//! A form as the API shows it, with its addresses and its counts.

use api::Problem;
use domain::Timestamp;
use domain::ids::FormId;
use domain::provider::Provider;
use serde_json::Value;

use crate::request::{Call, Failure};
use crate::signed::Signed;

/// A form with the counts of its submissions.
pub(super) struct View {
    pub(super) id: FormId,
    /// The API's answer.
    body: Value,
}

/// Parses the id in a path.
///
/// # Errors
///
/// `not-found`, as for an id of another form.
pub(super) fn form_id(text: &str) -> Result<FormId, Problem> {
    text.parse().map_err(|_| Problem::not_found("form"))
}

/// Returns the path of a form's page.
pub(super) fn page_of(id: FormId) -> String {
    format!("/console/forms/{id}")
}

impl View {
    /// Reads a form. One batched read and one query.
    ///
    /// # Errors
    ///
    /// `not-found`, and faults.
    pub(super) async fn read(signed: &Signed, id: FormId) -> Result<Self, Failure> {
        let body = signed.call(Call::get(format!("/v1/forms/{id}"))).await?.body;
        Ok(Self { id, body })
    }

    /// Returns a text. An absent one is empty.
    pub(super) fn text(&self, name: &str) -> &str {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns a setting that is on, off, or left to the account.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.body.get(name)?.as_bool()
    }

    /// Returns a number, if the form has one.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.body.get(name)?.as_u64()
    }

    /// Returns the texts of a list.
    pub(super) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.body.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Returns the form's own field names, each with its target. `None` is for a field that is left out.
    pub(super) fn field_map(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let entries = self.body.get("field_map").and_then(Value::as_object).into_iter().flatten();
        entries.map(|(field, target)| (field.as_str(), target.as_str()))
    }

    /// Returns one of the counts.
    pub(super) fn count(&self, name: &str) -> u64 {
        self.body.get("counts").and_then(|counts| counts.get(name)?.as_u64()).unwrap_or_default()
    }

    /// Returns the number of contacts that were set today, of those that the budget allows.
    pub(super) fn budget(&self) -> Option<(u64, u64)> {
        let budget = self.body.get("budget")?;
        Some((budget.get("used_today")?.as_u64()?, budget.get("max_new_marketing_per_day")?.as_u64()?))
    }

    pub(super) fn provider(&self) -> Provider {
        self.text("provider").parse().unwrap_or(Provider::Generic)
    }

    /// Returns the number of the form's secrets.
    pub(super) fn secrets(&self) -> usize {
        self.number("secrets_set").and_then(|count| usize::try_from(count).ok()).unwrap_or_default()
    }

    /// Returns the address that receives the submissions.
    pub(super) fn address(&self) -> &str {
        self.text(if self.provider().is_native() { "submit_url" } else { "webhook_url" })
    }

    /// Returns the time of creation.
    pub(super) fn created_at(&self) -> Option<Timestamp> {
        self.text("created_at").parse().ok()
    }

    /// Returns true if submissions set contacts as marketing, by the form's own setting or by the account's.
    pub(super) fn sets(&self, signed: &Signed) -> bool {
        signed.account.defaults.for_form(self.provider(), self.flag("set_marketing"))
    }

    /// Returns true if the person may let the form set more contacts than now. A form that sets none can be changed by
    /// every user.
    pub(super) fn may_widen(&self, signed: &Signed) -> bool {
        // Left to the account, the form may set contacts again at any time.
        signed.may_edit() || self.flag("set_marketing") == Some(false)
    }
}
