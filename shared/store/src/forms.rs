//! Forms.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::ids::{AccountId, FormId};

use crate::field_target::FieldTarget;
use crate::items::{FormEntryItem, FormItem, decode};
use crate::keys::{Collection, Key, PK, account_pk};
use crate::store::{Query, Store};
use crate::transaction::{Part, Transaction};
use crate::writes::Expression;
use crate::{Answer, Finish, Listing, Refused, StoreError};

/// A form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Which one.
    pub id: FormId,
    /// Whose.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// Who delivers its submissions: `native` for a form that posts here itself.
    pub provider: String,
    /// Whether it sets those who submit it marketing.
    pub set_marketing: bool,
    /// Its own field names, each with what it fills.
    pub field_map: BTreeMap<String, FieldTarget>,
    /// The web origins whose pages may post to it; none for any.
    pub allowed_origins: Vec<String>,
    /// Where a browser goes after it has posted it.
    pub redirect_url: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A form to be made.
#[derive(Clone, Debug)]
pub struct NewForm {
    /// Its name.
    pub name: String,
    /// Who delivers its submissions.
    pub provider: String,
    /// Whether it sets those who submit it marketing.
    pub set_marketing: bool,
    /// Its own field names, each with what it fills.
    pub field_map: BTreeMap<String, FieldTarget>,
    /// The web origins whose pages may post to it.
    pub allowed_origins: Vec<String>,
    /// Where a browser goes after it has posted it.
    pub redirect_url: Option<String>,
}

/// A change of a form. What is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ChangeForm {
    /// Its name.
    pub name: Option<String>,
    /// Whether it sets those who submit it marketing.
    pub set_marketing: Option<bool>,
    /// Its own field names, each with what it fills: all of them.
    pub field_map: Option<BTreeMap<String, FieldTarget>>,
    /// The web origins whose pages may post to it: all of them.
    pub allowed_origins: Option<Vec<String>>,
    /// Where a browser goes after it has posted it; `Some(None)` for nowhere.
    pub redirect_url: Option<Option<String>>,
}

impl FormItem {
    fn into_form(self) -> Result<Form, StoreError> {
        let field_map = self.field_map.into_iter().map(|(field, target)| {
            let fault = |_| StoreError::Fault("a stored form has an unreadable field map".to_owned(), None);
            Ok((field, target.parse::<FieldTarget>().map_err(fault)?))
        });
        Ok(Form {
            id: self.id,
            account: self.account,
            name: self.name,
            provider: self.provider,
            set_marketing: self.set_marketing,
            field_map: field_map.collect::<Result<_, StoreError>>()?,
            allowed_origins: self.allowed_origins,
            redirect_url: self.redirect_url,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl ChangeForm {
    fn apply(&self, item: &mut FormItem, now: Timestamp) {
        if let Some(name) = &self.name {
            item.name.clone_from(name);
        }
        item.set_marketing = self.set_marketing.unwrap_or(item.set_marketing);
        if let Some(field_map) = &self.field_map {
            item.field_map = stored(field_map);
        }
        if let Some(origins) = &self.allowed_origins {
            item.allowed_origins.clone_from(origins);
        }
        if let Some(redirect_url) = &self.redirect_url {
            item.redirect_url.clone_from(redirect_url);
        }
        item.updated_at = now;
        item.version += 1;
    }
}

fn stored(field_map: &BTreeMap<String, FieldTarget>) -> BTreeMap<String, String> {
    field_map.iter().map(|(field, target)| (field.clone(), target.to_string())).collect()
}

impl Store {
    /// Makes a form.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] if there is no such account.
    pub async fn create_form(
        &self,
        account: AccountId,
        new: &NewForm,
        wall: Timestamp,
        finish: Finish<'_, Form>,
    ) -> Result<Answer, StoreError> {
        let mut retries = self.retries();
        loop {
            let keys = finish.key().into_iter().collect();
            let mut opened = self.open(account, wall, keys, &mut retries).await?;
            if let Some(answer) = finish.replay(&mut opened.items, wall)? {
                return Ok(answer);
            }
            let id = FormId::new(opened.now, self.entropy().bits());
            let item = FormItem {
                id,
                account,
                name: new.name.clone(),
                provider: new.provider.clone(),
                set_marketing: new.set_marketing,
                field_map: stored(&new.field_map),
                allowed_origins: new.allowed_origins.clone(),
                redirect_url: new.redirect_url.clone(),
                created_at: opened.now,
                updated_at: opened.now,
                version: 1,
            };
            let mut transaction = Transaction::new(self.entropy());
            transaction.put(Part::Form, self.put_new(Key::form(id), &item)?);
            transaction.put(Part::Form, self.put_new(Key::form_entry(account, id), &FormEntryItem { id })?);
            let answer = finish.attach(self, &mut transaction, &item.into_form()?, wall)?;
            if self.commit(transaction, &mut retries).await? {
                return Ok(answer);
            }
        }
    }

    /// A form by its id alone, as the public submits to it.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn public_form(&self, id: FormId) -> Result<Form, StoreError> {
        let item: Option<FormItem> = self.get(Key::form(id)).await?;
        item.ok_or(Refused::NotFound("form"))?.into_form()
    }

    /// A form of this account.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], also if the form is another account's.
    pub async fn form(&self, account: AccountId, id: FormId) -> Result<Form, StoreError> {
        let form = self.public_form(id).await?;
        if form.account == account { Ok(form) } else { Err(Refused::NotFound("form").into()) }
    }

    /// The account's forms, in the order in which they were made, those after `after`.
    ///
    /// # Errors
    ///
    /// As every operation.
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
        let mut found = self.batch_get(&keys, &mut self.retries()).await?;
        let forms = keys.iter().filter_map(|key| found.take::<FormItem>(key).transpose());
        Ok(Listing { items: forms.map(|item| item?.into_form()).collect::<Result<_, _>>()?, more })
    }

    /// Changes a form.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn change_form(
        &self,
        account: AccountId,
        id: FormId,
        change: &ChangeForm,
        wall: Timestamp,
        finish: Finish<'_, Form>,
    ) -> Result<Answer, StoreError> {
        let mut retries = self.retries();
        loop {
            let keys = std::iter::once(Key::form(id)).chain(finish.key()).collect();
            let mut opened = self.open(account, wall, keys, &mut retries).await?;
            if let Some(answer) = finish.replay(&mut opened.items, wall)? {
                return Ok(answer);
            }
            let mut item = own(opened.items.take(&Key::form(id))?, account)?;
            let version = item.version;
            change.apply(&mut item, opened.now);
            let mut transaction = Transaction::new(self.entropy());
            transaction.put(Part::Form, self.put_versioned(Key::form(id), &item, version)?);
            let answer = finish.attach(self, &mut transaction, &item.into_form()?, wall)?;
            if self.commit(transaction, &mut retries).await? {
                return Ok(answer);
            }
        }
    }

    /// Deletes a form. People who came through it stay as they are.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn delete_form(
        &self,
        account: AccountId,
        id: FormId,
        wall: Timestamp,
        finish: Finish<'_, ()>,
    ) -> Result<Answer, StoreError> {
        let mut retries = self.retries();
        loop {
            let keys: Vec<Key> = std::iter::once(Key::form(id)).chain(finish.key()).collect();
            let mut items = self.batch_get(&keys, &mut retries).await?;
            if let Some(answer) = finish.replay(&mut items, wall)? {
                return Ok(answer);
            }
            let item = own(items.take(&Key::form(id))?, account)?;
            let there = Expression::default().name(PK);
            let mut transaction = Transaction::new(self.entropy());
            transaction.delete(Part::Form, self.delete_versioned(Key::form(id), item.version)?);
            let entry = Key::form_entry(account, id);
            transaction.delete(Part::Form, self.delete_if(entry, "attribute_exists(#pk)", &there)?);
            let answer = finish.attach(self, &mut transaction, &(), wall)?;
            if self.commit(transaction, &mut retries).await? {
                return Ok(answer);
            }
        }
    }
}

/// The form, if it is this account's.
fn own(item: Option<FormItem>, account: AccountId) -> Result<FormItem, Refused> {
    item.filter(|item| item.account == account).ok_or(Refused::NotFound("form"))
}
