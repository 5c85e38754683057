//! Reads and writes of submissions of one account: the snapshot on which they are decided, and their transaction.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::Put;
use domain::contact::Contact;
use domain::ids::{ContactId, FormId};
use domain::source::AccountDefaults;

use super::plan::{Entry, OriginWrite, Plan, Snapshot};
use crate::contacts::ContactRef;
use crate::delivery::{ContentDigest, Versions};
use crate::expressions::Expression;
use crate::items::{AccountItem, AddressItem, DeliveryItem, FormDayItem};
use crate::keys::{EXPIRES_AT, Key};
use crate::operation::{Operation, Step};
use crate::periods::{PeriodSnapshot, RefusalCheck};
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{Refused, StoreError};

impl Operation<'_> {
    /// Reads the period, `others` and the items that decide on the submissions, in one batched read. The contacts that
    /// have the addresses are read by [`Self::apply`].
    pub(super) async fn open_for(
        &self,
        entries: &[Entry<'_>],
        mut others: Vec<Key>,
    ) -> Result<PeriodSnapshot, StoreError> {
        let mut known = BTreeSet::new();
        let addresses = entries.iter().filter(|entry| known.insert(entry.email.key()));
        others.extend(addresses.map(|entry| Key::address(self.account, entry.email)));
        let with_budget = entries.iter().filter(|entry| entry.form.max_new_marketing_per_day.is_some());
        let forms: BTreeSet<FormId> = with_budget.map(|entry| entry.form.id).collect();
        others.extend(forms.into_iter().map(Key::form_day));
        if entries.iter().any(|entry| entry.form.follows_the_account()) {
            others.push(Key::account(self.account));
        }
        self.read_current_period(others).await
    }

    /// Decides submissions with `decide` and adds their writes to a transaction. `opened` is the result of
    /// [`Self::open_for`] for the same entries. One more batched read, if any of the addresses is known.
    pub(super) async fn apply<T>(
        &self,
        entries: &[Entry<'_>],
        opened: PeriodSnapshot,
        check: &RefusalCheck,
        decide: impl FnOnce(&mut Plan<'_>) -> Result<T, Refused>,
    ) -> Result<Step<T>, StoreError> {
        check.observe(&opened.period);
        let Some(snapshot) = self.snapshot(entries, opened).await? else {
            self.retries.retry_now("the address moved during a read").await?;
            return Ok(Step::Retry);
        };
        let period = &snapshot.opened.period;
        let mut plan = Plan::new(self.account, &snapshot, self.new_contact_ids());
        let result = decide(&mut plan)?;
        if plan.needs_confirmation() && check.needs_reread(period, &self.retries).await? {
            return Ok(Step::Retry);
        }
        let Plan { ledger, people, forms, origins, .. } = plan;
        let mut transaction = Transaction::default();
        for decided in people.into_values() {
            self.write(&mut transaction, decided, period)?;
        }
        self.write_count(&mut transaction, period, ledger.count_change())?;
        for (form, sum) in forms {
            transaction.update(self.store.count_form(form, &sum.tally)?);
            if let Some(day) = sum.day {
                transaction.update(self.store.count_form_day(form, &day)?);
            }
        }
        for write in origins {
            self.write_origin(&mut transaction, write)?;
        }
        Ok(Step::Commit(transaction, result))
    }

    /// Reads the contacts that have the addresses. Returns `None` if an address moved between the two reads.
    async fn snapshot(
        &self,
        entries: &[Entry<'_>],
        mut opened: PeriodSnapshot,
    ) -> Result<Option<Snapshot>, StoreError> {
        let mut days = BTreeMap::new();
        let mut holders: BTreeMap<String, (ContactRef, ContactId)> = BTreeMap::new();
        for Entry { form, email, .. } in entries {
            if let Some(day) = opened.items.take::<FormDayItem>(&Key::form_day(form.id))? {
                days.insert(form.id, day.count());
            }
            if let Some(address) = opened.items.take::<AddressItem>(&Key::address(self.account, email))? {
                let asked = ContactRef::Email((*email).clone());
                holders.insert(email.key().to_owned(), (asked, address.contact));
            }
        }
        let defaults = match opened.items.take::<AccountItem>(&Key::account(self.account))? {
            Some(item) => item.defaults(),
            None => AccountDefaults::default(),
        };
        let mut people = BTreeMap::new();
        if !holders.is_empty() {
            let ids: BTreeSet<ContactId> = holders.values().map(|(_, id)| *id).collect();
            let ids: Vec<ContactId> = ids.into_iter().collect();
            let (loaded, reopened) = self.load(&ids, Vec::new()).await?;
            opened.refresh(reopened);
            for (key, (asked, id)) in holders {
                let has_address = |contact: &Contact| contact.id == id && asked.names(contact);
                let Some(holder) = loaded.iter().find(|loaded| has_address(&loaded.contact)) else {
                    return Ok(None);
                };
                people.insert(key, holder.clone());
            }
        }
        Ok(Some(Snapshot { opened, people, days, defaults }))
    }

    fn write_origin(&self, transaction: &mut Transaction, write: OriginWrite) -> Result<(), StoreError> {
        let store = self.store;
        match write {
            OriginWrite::Create(key, item) => {
                transaction.put(store.put_new_or_expired(key, &*item, self.wall_clock)?);
            }
            OriginWrite::Edit(key, item, before) => transaction.put(store.put_edited(key, &item, &before)?),
            OriginWrite::Settle(key, item, token) => {
                transaction.put(store.replace_waiting(key, &item, token)?);
            }
            OriginWrite::Delete(key) => transaction.delete(store.delete_existing(key)?),
        }
        Ok(())
    }
}

impl Store {
    /// Builds the put of a delivery that replaces the versions `before`, and does not wait in the inbox.
    pub(super) fn put_edited(
        &self,
        key: Key,
        item: &DeliveryItem,
        before: &Versions,
    ) -> Result<Put, StoreError> {
        let latest = before.latest.as_ref().map_or("", ContentDigest::as_str);
        // A delivery that waits in the inbox has no expiry.
        let expression = Expression::default().name("content").text("content", latest).name(EXPIRES_AT);
        let condition = "#content = :content AND attribute_exists(#expires_at)";
        self.put_if(key, item, condition, &expression)
    }

    /// Builds the put of a delivery that replaces the one that waits in the inbox with this token.
    pub(super) fn replace_waiting(
        &self,
        key: Key,
        item: &DeliveryItem,
        token: String,
    ) -> Result<Put, StoreError> {
        let same = Expression::default().name("token").text("token", token);
        self.put_if(key, item, "#token = :token", &same)
    }
}
