//! Forms and their settings.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::Timestamp;
use domain::budget::DayCount;
use domain::form::{AnswerMode, Overwrite, reports_an_end};
use domain::ids::{AccountId, AutomationId, FormId, PortalId};
use domain::limits::FORM_LISTS_BYTES_MAX;
use domain::patch::Patch;
use domain::provider::Provider;
use domain::secrets::{Secrets, SecretsError};

use crate::field_target::FieldTarget;
use crate::form_counts::FormCounts;
use crate::holdings::{Holding, Holdings};
use crate::items::{FormDayItem, FormEntryItem, FormItem, decode, unreadable};
use crate::keys::{Collection, Key, account_pk, form_counts_pk, rejected_pk};
use crate::operation::Step;
use crate::store::{Query, Store};
use crate::transaction::Transaction;
use crate::{Listing, Refused, Responder, StoreError, StoredResponse};

/// A form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The form's id.
    pub id: FormId,
    /// The account that it belongs to.
    pub account: AccountId,
    /// The portal number of that account.
    pub portal: PortalId,
    /// The display name.
    pub name: String,
    /// The provider that delivers its submissions.
    pub provider: Provider,
    /// The secrets with which the provider signs, or which it sends.
    pub secrets: Secrets,
    /// True if its submissions set contacts marketing. `None` for a form of another provider that uses the account's
    /// default at the time of the submission.
    pub set_marketing: Option<bool>,
    /// The maximum number of contacts that it sets marketing on one day. Further contacts are stored as non-marketing.
    pub max_new_marketing_per_day: Option<u64>,
    /// True if it may raise the tier limit. `None` uses the account's default at the time of the submission.
    pub may_raise_tier: Option<bool>,
    /// The effect of a submission on properties that an existing contact already has.
    pub overwrite: Overwrite,
    /// The amount of detail in the response to a public submission.
    pub answer: AnswerMode,
    /// The field names that it accepts. `None` accepts all. Other fields are left out and counted.
    pub fields: Option<BTreeSet<String>>,
    /// The event types of webhooks that it accepts. `None` accepts all that do not report an end.
    pub event_types: Option<BTreeSet<String>>,
    /// Its own field names, each with its target.
    pub field_map: BTreeMap<String, FieldTarget>,
    /// The web origins whose pages may post to it. An empty list allows any.
    pub allowed_origins: Vec<String>,
    /// The URL to which a browser is redirected after the submission.
    pub redirect_url: Option<String>,
    /// The appearance of the form, as the CRM API encodes it: its fields, labels and texts. It has no effect on
    /// submissions.
    pub appearance: Option<String>,
    /// The automations that enrol the contacts of its submissions.
    pub used_by: BTreeSet<AutomationId>,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

/// A form with the counts of its submissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormReport {
    /// The form.
    pub form: Form,
    /// The counts of its submissions.
    pub counts: FormCounts,
    /// The use of its budget, if it has one.
    pub budget: Option<FormBudget>,
}

/// The use of a form's daily budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormBudget {
    /// The maximum number of contacts that it sets marketing on one day.
    pub max_new_marketing_per_day: u64,
    /// The number of contacts that it has set today. They are counted only while it has a budget.
    pub used_today: u64,
    /// The day, by the calendar of the account's time zone.
    pub day: NaiveDate,
}

/// A request to create a form.
#[derive(Clone, Debug)]
pub struct NewForm {
    /// The display name.
    pub name: String,
    /// The provider that delivers its submissions.
    pub provider: Provider,
    /// The secrets with which the provider signs, or which it sends.
    pub secrets: Secrets,
    /// True if its submissions set contacts marketing. `None` uses the account's default for a form of another
    /// provider, and means true for a native form.
    pub set_marketing: Option<bool>,
    /// The maximum number of contacts that it sets marketing on one day.
    pub max_new_marketing_per_day: Option<u64>,
    /// True if it may raise the tier limit. `None` uses the account's default at the time of the submission.
    pub may_raise_tier: Option<bool>,
    /// The effect of a submission on properties that an existing contact already has.
    pub overwrite: Overwrite,
    /// The amount of detail in the response to a public submission.
    pub answer: AnswerMode,
    /// The field names that it accepts. `None` accepts all. Other fields are left out and counted.
    pub fields: Option<BTreeSet<String>>,
    /// The event types of webhooks that it accepts. `None` accepts all that do not report an end.
    pub event_types: Option<BTreeSet<String>>,
    /// Its own field names, each with its target.
    pub field_map: BTreeMap<String, FieldTarget>,
    /// The web origins whose pages may post to it. An empty list allows any.
    pub allowed_origins: Vec<String>,
    /// The URL to which a browser is redirected after the submission.
    pub redirect_url: Option<String>,
    /// The appearance of the form, as the CRM API encodes it.
    pub appearance: Option<String>,
}

impl NewForm {
    /// Creates a request with default settings.
    #[must_use]
    pub fn new(provider: Provider, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            provider,
            secrets: Secrets::default(),
            set_marketing: None,
            max_new_marketing_per_day: None,
            may_raise_tier: None,
            overwrite: Overwrite::default(),
            answer: AnswerMode::default(),
            fields: None,
            event_types: None,
            field_map: BTreeMap::new(),
            allowed_origins: Vec::new(),
            redirect_url: None,
            appearance: None,
        }
    }
}

/// A change of a form. Fields that are `None` do not change. It is not `Debug`, because it contains secrets.
#[derive(Clone, Default)]
pub struct UpdateForm {
    /// The display name.
    pub name: Option<String>,
    /// The secrets with which the provider signs, or which it sends. The new list replaces the old one.
    pub secrets: Option<Vec<String>>,
    /// True if its submissions set contacts marketing. Removed, the account's default decides.
    pub set_marketing: Patch<bool>,
    /// The maximum number of contacts that it sets marketing on one day.
    pub max_new_marketing_per_day: Patch<u64>,
    /// True if it may raise the tier limit. Removed, the account's default decides.
    pub may_raise_tier: Patch<bool>,
    /// The effect of a submission on properties that an existing contact already has.
    pub overwrite: Option<Overwrite>,
    /// The amount of detail in the response to a public submission.
    pub answer: Option<AnswerMode>,
    /// The field names that it accepts. The new list replaces the old one. Removed, it accepts all.
    pub fields: Patch<BTreeSet<String>>,
    /// The event types of webhooks that it accepts. The new list replaces the old one. Removed, it accepts all that do not
    /// report an end.
    pub event_types: Patch<BTreeSet<String>>,
    /// Its own field names, each with its target. The new map replaces the old one.
    pub field_map: Option<BTreeMap<String, FieldTarget>>,
    /// The web origins whose pages may post to it. The new list replaces the old one.
    pub allowed_origins: Option<Vec<String>>,
    /// The URL to which a browser is redirected after the submission.
    pub redirect_url: Patch<String>,
    /// The appearance of the form, as the CRM API encodes it. The new one replaces the old one.
    pub appearance: Option<String>,
}

impl Form {
    /// Returns true if its submissions enrol contacts in an automation.
    pub(crate) fn enrols(&self) -> bool {
        !self.used_by.is_empty()
    }
}

impl FormItem {
    fn into_form(self) -> Result<Form, StoreError> {
        let field_map = self.field_map.into_iter().map(|(field, target)| {
            let fault = |_| StoreError::Fault("a stored form has an unreadable field map".to_owned(), None);
            let target = target.map(|name| name.parse().map_err(fault)).transpose()?;
            Ok((field, target.unwrap_or(FieldTarget::Nothing)))
        });
        let portal = PortalId::from_number(self.portal);
        Ok(Form {
            id: self.id,
            account: self.account,
            portal: portal.ok_or_else(|| unreadable::<FormItem>("portal number"))?,
            name: self.name,
            provider: self.provider,
            secrets: Secrets::from_trusted(self.secrets),
            set_marketing: self.set_marketing,
            max_new_marketing_per_day: self.max_new_marketing_per_day,
            may_raise_tier: self.may_raise_tier,
            overwrite: self.overwrite,
            answer: self.answer,
            fields: self.fields,
            event_types: self.event_types,
            field_map: field_map.collect::<Result<_, StoreError>>()?,
            allowed_origins: self.allowed_origins,
            redirect_url: self.redirect_url,
            appearance: self.appearance,
            used_by: self.used_by.iter().filter_map(|id| id.parse().ok()).collect(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl UpdateForm {
    /// Returns the fields with which the form could set more contacts marketing than now: a larger number, or contacts
    /// from senders and fields that it does not accept now. A form that sets no contacts marketing widens nothing.
    fn widened_fields(&self, item: &FormItem) -> Vec<&'static str> {
        // Without a setting of its own, the account's default decides, which may be on.
        if self.set_marketing.change().unwrap_or(item.set_marketing) == Some(false) {
            return Vec::new();
        }
        let starts = self.set_marketing.change().is_some_and(|after| {
            item.set_marketing == Some(false) || (item.set_marketing.is_none() && after.is_some())
        });
        let budget = self.max_new_marketing_per_day.change().is_some_and(|after| {
            item.max_new_marketing_per_day.is_some_and(|before| after.is_none_or(|after| after > before))
        });
        // Off, the account's default and on, in this order.
        let rank = |may: Option<bool>| may.map_or(1, |may| if may { 2 } else { 0 });
        let tier = self.may_raise_tier.change().is_some_and(|after| rank(after) > rank(item.may_raise_tier));
        let adds = |before: &[String], after: &[String]| after.iter().any(|entry| !before.contains(entry));
        let secrets = self.secrets.as_ref().is_some_and(|after| adds(&item.secrets, after));
        let origins = self.allowed_origins.as_ref().is_some_and(|after| {
            !item.allowed_origins.is_empty() && (after.is_empty() || adds(&item.allowed_origins, after))
        });
        // The map decides which field is the address, so every change of it may widen the form.
        let field_map = self.field_map.as_ref().is_some_and(|after| stored(after) != item.field_map);
        let event_types =
            self.event_types.as_ref().change().is_some_and(|after| match (&item.event_types, after) {
                (Some(before), Some(after)) => !after.is_subset(before),
                (Some(_), None) => true,
                // Without a list the form accepts all types except those that report an end.
                (None, Some(after)) => after.iter().any(|event_type| reports_an_end(event_type)),
                (None, None) => false,
            });
        [
            ("set_marketing", starts),
            ("max_new_marketing_per_day", budget),
            ("may_raise_tier", tier),
            ("secrets", secrets),
            ("allowed_origins", origins),
            ("field_map", field_map),
            ("event_types", event_types),
        ]
        .into_iter()
        .filter_map(|(field, widens)| widens.then_some(field))
        .collect()
    }

    /// Changes the form as it is stored.
    ///
    /// # Errors
    ///
    /// [`Refused::Invalid`] for a setting that a form of its provider can't have. The item must not be written then.
    fn apply(&self, item: &mut FormItem, now: Timestamp) -> Result<(), Refused> {
        if let Some(name) = &self.name {
            item.name.clone_from(name);
        }
        if let Some(secrets) = &self.secrets {
            let checked = Secrets::new(item.provider, secrets.clone());
            let invalid =
                |error: SecretsError| Refused::Invalid { field: "secrets", message: error.to_string() };
            item.secrets = stored_secrets(&checked.map_err(invalid)?);
        }
        if self.set_marketing == Patch::Remove && item.provider.is_native() {
            let message =
                "expected true or false: the account's default is for forms from elsewhere".to_owned();
            return Err(Refused::Invalid { field: "set_marketing", message });
        }
        self.set_marketing.apply(&mut item.set_marketing);
        self.max_new_marketing_per_day.apply(&mut item.max_new_marketing_per_day);
        self.may_raise_tier.apply(&mut item.may_raise_tier);
        item.overwrite = self.overwrite.unwrap_or(item.overwrite);
        item.answer = self.answer.unwrap_or(item.answer);
        self.fields.clone().apply(&mut item.fields);
        self.event_types.clone().apply(&mut item.event_types);
        if let Some(field_map) = &self.field_map {
            item.field_map = stored(field_map);
        }
        if let Some(origins) = &self.allowed_origins {
            item.allowed_origins.clone_from(origins);
        }
        self.redirect_url.clone().apply(&mut item.redirect_url);
        if let Some(appearance) = &self.appearance {
            item.appearance = Some(appearance.clone());
        }
        item.updated_at = now;
        item.version += 1;
        Ok(())
    }
}

fn stored(field_map: &BTreeMap<String, FieldTarget>) -> BTreeMap<String, Option<String>> {
    let name = |target: &FieldTarget| target.name().map(str::to_owned);
    field_map.iter().map(|(field, target)| (field.clone(), name(target))).collect()
}

/// Refuses a form whose lists together are too long for one item.
///
/// # Errors
///
/// [`Refused::Invalid`], with the name of the longest list.
fn check_size(item: &FormItem) -> Result<(), Refused> {
    fn bytes<'t>(texts: impl IntoIterator<Item = &'t String>) -> usize {
        texts.into_iter().map(String::len).sum()
    }
    let lists = [
        ("field_map", bytes(item.field_map.keys()) + bytes(item.field_map.values().flatten())),
        ("fields", bytes(item.fields.iter().flatten())),
        ("event_types", bytes(item.event_types.iter().flatten())),
        ("allowed_origins", bytes(&item.allowed_origins)),
        ("appearance", bytes(&item.appearance)),
    ];
    let total: usize = lists.iter().map(|(_, bytes)| bytes).sum();
    match lists.into_iter().max_by_key(|(_, bytes)| *bytes) {
        Some((field, _)) if total > FORM_LISTS_BYTES_MAX => {
            let message =
                format!("expected at most {FORM_LISTS_BYTES_MAX} bytes in all lists of the form together");
            Err(Refused::Invalid { field, message })
        }
        _ => Ok(()),
    }
}

fn stored_secrets(secrets: &Secrets) -> Vec<String> {
    secrets.iter().map(str::to_owned).collect()
}

impl Store {
    /// Creates a form.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] if there is no such account, and [`Refused::LimitReached`].
    pub async fn create_form(
        &self,
        account: AccountId,
        new: &NewForm,
        wall_clock: Timestamp,
        responder: Responder<'_, Form>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let keys = [Key::account(account)];
        op.mutate_in_period(&keys, responder, async |mut opened| {
            let mut holdings = Holdings::read(account, &mut opened.items)?;
            holdings.add(Holding::Form)?;
            let portal = holdings.portal()?;
            let id = FormId::new(opened.now, self.rng().bits());
            let item = FormItem {
                id,
                account,
                portal: portal.number(),
                name: new.name.clone(),
                provider: new.provider,
                secrets: stored_secrets(&new.secrets),
                set_marketing: new.set_marketing.or(new.provider.is_native().then_some(true)),
                max_new_marketing_per_day: new.max_new_marketing_per_day,
                may_raise_tier: new.may_raise_tier,
                overwrite: new.overwrite,
                answer: new.answer,
                fields: new.fields.clone(),
                event_types: new.event_types.clone(),
                field_map: stored(&new.field_map),
                allowed_origins: new.allowed_origins.clone(),
                redirect_url: new.redirect_url.clone(),
                appearance: new.appearance.clone(),
                used_by: BTreeSet::new(),
                created_at: opened.now,
                updated_at: opened.now,
                version: 1,
            };
            check_size(&item)?;
            let mut transaction = Transaction::default();
            transaction.put(self.put_new(Key::form(id), &item)?);
            transaction.put(self.put_new(Key::form_entry(account, id), &FormEntryItem { id })?);
            transaction.put(self.put_holdings(holdings)?);
            Ok(Step::Commit(transaction, item.into_form()?))
        })
        .await
    }

    /// Returns a form by its id, without an account, for public submissions.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn public_form(&self, id: FormId) -> Result<Form, StoreError> {
        let item: Option<FormItem> = self.get(Key::form(id)).await?;
        item.ok_or(Refused::NotFound("form"))?.into_form()
    }

    /// Returns a form of this account.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], also if the form is another account's.
    pub async fn form(&self, account: AccountId, id: FormId) -> Result<Form, StoreError> {
        let form = self.public_form(id).await?;
        if form.account == account { Ok(form) } else { Err(Refused::NotFound("form").into()) }
    }

    /// Returns a form of this account with the counts of its submissions. One batched read and one query.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], also if the form is another account's.
    pub async fn form_report(
        &self,
        account: AccountId,
        id: FormId,
        wall_clock: Timestamp,
    ) -> Result<FormReport, StoreError> {
        let keys = vec![Key::form(id), Key::form_day(id)];
        let mut opened = self.operation(account, wall_clock).read_current_period(keys).await?;
        let form = own(opened.items.take(&Key::form(id))?, account)?.into_form()?;
        let stored: Option<FormDayItem> = opened.items.take(&Key::form_day(id))?;
        let today = opened.period.calendar.time_zone.date(opened.now);
        let day = DayCount::on(today, stored.map(|item| item.count()));
        let budget = form.max_new_marketing_per_day.map(|max| FormBudget {
            max_new_marketing_per_day: max,
            used_today: day.new_marketing,
            day: day.day,
        });
        let counts = self.form_counts(id).await?;
        Ok(FormReport { form, counts, budget })
    }

    /// Returns the account's forms after `after`, in the order of creation.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn forms(
        &self,
        account: AccountId,
        after: Option<FormId>,
        limit: usize,
    ) -> Result<Listing<Form>, StoreError> {
        let query = Query {
            pk: account_pk(account),
            prefix: Collection::Forms.prefix(),
            after: after.map(|form| Key::form_entry(account, form).sk),
            limit,
            newest_first: false,
        };
        let page = self.query(&query).await?;
        let more = page.next.is_some();
        let entries = page.items.into_iter().map(decode::<FormEntryItem>).collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<Key> = entries.iter().map(|entry| Key::form(entry.id)).collect();
        let mut found = self.batch_get(&keys, &self.retries()).await?;
        let forms = keys.iter().filter_map(|key| found.take::<FormItem>(key).transpose());
        Ok(Listing { items: forms.map(|item| item?.into_form()).collect::<Result<_, _>>()?, more })
    }

    /// Changes a form. Its provider never changes. `may_widen` is true if the caller may modify marketing contacts.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], [`Refused::Invalid`] for a setting that a form of its provider can't have, and
    /// [`Refused::Widening`].
    pub async fn update_form(
        &self,
        account: AccountId,
        id: FormId,
        change: &UpdateForm,
        may_widen: bool,
        wall_clock: Timestamp,
        responder: Responder<'_, Form>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let keys = [Key::form(id)];
        op.mutate_in_period(&keys, responder, async |mut opened| {
            let mut item = own(opened.items.take(&Key::form(id))?, account)?;
            let version = item.version;
            let fields = change.widened_fields(&item);
            if !may_widen && !fields.is_empty() {
                return Err(Refused::Widening { fields }.into());
            }
            change.apply(&mut item, opened.now)?;
            check_size(&item)?;
            let mut transaction = Transaction::default();
            transaction.put(self.put_versioned(Key::form(id), &item, version)?);
            Ok(Step::Commit(transaction, item.into_form()?))
        })
        .await
    }

    /// Deletes a form, and after that its counts, its day and its rejected submissions. Contacts that came through it
    /// do not change.
    ///
    /// After a crash, or a submission at the same time, some of these may remain. Counts contain no personal data.
    /// Rejected submissions can still be listed and deleted, and expire.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn delete_form(
        &self,
        account: AccountId,
        id: FormId,
        wall_clock: Timestamp,
        responder: Responder<'_, ()>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let keys = [Key::form(id), Key::account(account)];
        op.mutate(&keys, responder, async |mut items| {
            let item = own(items.take(&Key::form(id))?, account)?;
            if let Some(automation) = item.used_by.first() {
                return Err(Refused::InUse { what: "form", automation: automation.clone() }.into());
            }
            let mut holdings = Holdings::read(account, &mut items)?;
            holdings.remove(Holding::Form);
            let mut transaction = Transaction::default();
            transaction.delete(self.delete_versioned(Key::form(id), item.version)?);
            transaction.delete(self.delete_existing(Key::form_entry(account, id))?);
            transaction.put(self.put_holdings(holdings)?);
            transaction.then_delete(Key::form_day(id));
            transaction.then_delete_partition(form_counts_pk(id));
            transaction.then_delete_partition(rejected_pk(account, id));
            Ok(Step::Commit(transaction, ()))
        })
        .await
    }
}

/// Returns the form, if it belongs to this account.
fn own(item: Option<FormItem>, account: AccountId) -> Result<FormItem, Refused> {
    item.filter(|item| item.account == account).ok_or(Refused::NotFound("form"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(set_marketing: Option<bool>) -> FormItem {
        FormItem {
            id: FormId::new(Timestamp::MIN, 1),
            account: AccountId::new(Timestamp::MIN, 2),
            portal: 10_000_000,
            name: "Newsletter".to_owned(),
            provider: Provider::Generic,
            secrets: vec!["one".to_owned(), "two".to_owned()],
            set_marketing,
            max_new_marketing_per_day: Some(10),
            may_raise_tier: None,
            overwrite: Overwrite::default(),
            answer: AnswerMode::default(),
            fields: None,
            event_types: Some(BTreeSet::from(["a".to_owned(), "b".to_owned()])),
            field_map: BTreeMap::from([("mail".to_owned(), Some("email".to_owned()))]),
            allowed_origins: vec!["https://a.example".to_owned(), "https://b.example".to_owned()],
            redirect_url: None,
            appearance: None,
            used_by: BTreeSet::new(),
            created_at: Timestamp::MIN,
            updated_at: Timestamp::MIN,
            version: 1,
        }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn types(types: &[&str]) -> Patch<BTreeSet<String>> {
        Patch::Set(texts(types).into_iter().collect())
    }

    #[test]
    fn lists_of_a_form_are_bounded_together() {
        let names = |prefix: &str, count: usize| -> BTreeSet<String> {
            (0..count).map(|number| format!("{prefix}{number:03}{}", "\u{1f600}".repeat(196))).collect()
        };
        let full = |event_types: usize| FormItem {
            field_map: names("m", 200).into_iter().map(|name| (name, None)).collect(),
            fields: Some(names("f", 100)),
            event_types: Some(names("e", event_types)),
            allowed_origins: Vec::new(),
            ..item(Some(true))
        };
        assert!(check_size(&full(20)).is_ok());
        let refused = check_size(&full(100)).unwrap_err();
        assert!(matches!(refused, Refused::Invalid { field: "field_map", .. }), "{refused}");
    }

    #[test]
    fn each_widened_field_is_returned() {
        let other_map = BTreeMap::from([("friend".to_owned(), FieldTarget::Email)]);
        let none = UpdateForm::default;
        for (field, change) in [
            ("max_new_marketing_per_day", UpdateForm { max_new_marketing_per_day: Patch::Set(11), ..none() }),
            ("max_new_marketing_per_day", UpdateForm { max_new_marketing_per_day: Patch::Remove, ..none() }),
            ("may_raise_tier", UpdateForm { may_raise_tier: Patch::Set(true), ..none() }),
            ("secrets", UpdateForm { secrets: Some(texts(&["two", "three"])), ..none() }),
            ("allowed_origins", UpdateForm { allowed_origins: Some(Vec::new()), ..none() }),
            (
                "allowed_origins",
                UpdateForm { allowed_origins: Some(texts(&["https://c.example"])), ..none() },
            ),
            ("field_map", UpdateForm { field_map: Some(other_map.clone()), ..none() }),
            ("field_map", UpdateForm { field_map: Some(BTreeMap::new()), ..none() }),
            ("event_types", UpdateForm { event_types: Patch::Remove, ..none() }),
            ("event_types", UpdateForm { event_types: types(&["a", "c"]), ..none() }),
        ] {
            for set_marketing in [None, Some(true)] {
                assert_eq!(change.widened_fields(&item(set_marketing)), [field]);
            }
            assert!(
                change.widened_fields(&item(Some(false))).is_empty(),
                "the form sets no contacts marketing: {field}"
            );
            let on = UpdateForm { set_marketing: Patch::Set(true), ..change };
            assert_eq!(on.widened_fields(&item(Some(false))), ["set_marketing", field]);
        }
    }

    #[test]
    fn narrower_form_widens_nothing() {
        let same_map = BTreeMap::from([("mail".to_owned(), FieldTarget::Email)]);
        let narrower = UpdateForm {
            name: Some("Other".to_owned()),
            secrets: Some(texts(&["two"])),
            max_new_marketing_per_day: Patch::Set(9),
            may_raise_tier: Patch::Set(false),
            overwrite: Some(Overwrite::Never),
            answer: Some(AnswerMode::Full),
            fields: Patch::Remove,
            event_types: types(&["b"]),
            field_map: Some(same_map),
            allowed_origins: Some(texts(&["https://b.example"])),
            ..UpdateForm::default()
        };
        for set_marketing in [None, Some(true), Some(false)] {
            assert!(narrower.widened_fields(&item(set_marketing)).is_empty());
        }
        let off = UpdateForm { set_marketing: Patch::Set(false), secrets: Some(texts(&["new"])), ..narrower };
        assert!(
            off.widened_fields(&item(Some(true))).is_empty(),
            "a form that is switched off sets no contacts marketing"
        );
    }

    #[test]
    fn list_of_event_types_widens_only_by_those_that_report_an_end() {
        let any = || FormItem { event_types: None, ..item(Some(true)) };
        let to = |event_types| UpdateForm { event_types, ..UpdateForm::default() };
        assert!(to(types(&["contact.created"])).widened_fields(&any()).is_empty());
        assert!(to(Patch::Remove).widened_fields(&any()).is_empty());
        let deleted = to(types(&["contact.created", "contact.deleted"]));
        assert_eq!(deleted.widened_fields(&any()), ["event_types"]);
    }

    #[test]
    fn form_that_is_switched_on_is_widened() {
        let to = |after: Option<bool>| UpdateForm { set_marketing: after.into(), ..UpdateForm::default() };
        for (before, after, widens) in [
            (Some(false), Some(true), true),
            (Some(false), None, true),
            (None, Some(true), true),
            (None, None, false),
            (Some(true), Some(true), false),
            (Some(true), None, false),
            (Some(true), Some(false), false),
        ] {
            assert_eq!(!to(after).widened_fields(&item(before)).is_empty(), widens, "{before:?} {after:?}");
        }
    }
}
