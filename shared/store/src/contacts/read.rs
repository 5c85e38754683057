//! Reading contacts as of now: settled against the account's current period.

use std::collections::{BTreeSet, HashMap};

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::ids::{AccountId, ContactId};
use domain::limits::{BATCH_READ_MAX, HISTORY_SHOWN_MAX};
use domain::marketing::{Change, ClosedPeriodEnds, History, StoredState};
use domain::period::{Period, PeriodNumber};

use crate::items::{AddressItem, ContactItem, HistoryPageItem, Items, StatementItem, decode, decode_changes};
use crate::keys::{Key, history_pk};
use crate::periods::PeriodSnapshot;
use crate::retry::Retries;
use crate::store::{Query, Store};
use crate::{Refused, StoreError};

/// How a request names a contact.
#[derive(Clone, Debug)]
pub enum ContactRef {
    /// By its id.
    Id(ContactId),
    /// By its address.
    Email(EmailAddress),
    /// By something that is no id. Ids are opaque to callers, so this names a contact that is not there.
    Unknown,
}

/// A contact as of now, and the version in which it is stored, which a write is conditional on.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) contact: Contact,
    pub(crate) stored_version: u64,
}

impl Loaded {
    /// Whether it has left and is not yet written so.
    pub(crate) fn is_settled_now(&self) -> bool {
        self.contact.version != self.stored_version
    }
}

/// A contact with the period that its state follows from and the history that led to it.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The contact, as of now.
    pub contact: Contact,
    /// The account's current period.
    pub period: Period,
    /// Its changes, newest first.
    pub history: Vec<Change>,
}

impl Store {
    /// Contacts as of now, in the order asked for, with the period. What is not there, or deleted, is `None`.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] if there is no such account.
    pub async fn contacts(
        &self,
        account: AccountId,
        refs: &[ContactRef],
        wall_clock: Timestamp,
    ) -> Result<(Vec<Option<Contact>>, Period), StoreError> {
        let mut retries = self.retries();
        let ids = self.resolve(account, refs, &mut retries).await?;
        let wanted: Vec<ContactId> =
            ids.iter().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let (found, period) = self.load_all(account, wall_clock, &wanted, &mut retries).await?;
        let contacts = refs.iter().zip(ids).map(|(asked, id)| {
            let contact = found.get(&id?)?;
            (contact.is_visible() && asked.names(contact)).then(|| contact.clone())
        });
        Ok((contacts.collect(), period))
    }

    /// Contacts by their ids, deleted ones among them, all as of one period.
    async fn load_all(
        &self,
        account: AccountId,
        wall_clock: Timestamp,
        ids: &[ContactId],
        retries: &mut Retries<'_>,
    ) -> Result<(HashMap<ContactId, Contact>, Period), StoreError> {
        loop {
            // One place of a batched read is the period's.
            let mut chunks = ids.chunks(BATCH_READ_MAX - 1);
            let first = chunks.next().unwrap_or_default();
            let (mut loaded, mut opened) = self.load(account, wall_clock, first, Vec::new(), retries).await?;
            let begun = opened.period.number;
            for chunk in chunks {
                let (more, reopened) = self.load(account, wall_clock, chunk, Vec::new(), retries).await?;
                loaded.extend(more);
                opened = reopened;
            }
            if opened.period.number == begun {
                let found = loaded.into_iter().map(|loaded| (loaded.contact.id, loaded.contact));
                return Ok((found.collect(), opened.period));
            }
            retries.retry_now("the period closed during a read").await?;
        }
    }

    /// One contact as of now, with the period.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn contact(
        &self,
        account: AccountId,
        asked: ContactRef,
        wall_clock: Timestamp,
    ) -> Result<(Contact, Period), StoreError> {
        let (contacts, period) = self.contacts(account, &[asked], wall_clock).await?;
        let contact = contacts.into_iter().flatten().next().ok_or(Refused::NotFound("contact"))?;
        Ok((contact, period))
    }

    /// One contact with its history, newest first, at most [`HISTORY_SHOWN_MAX`] changes of it.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn explain(
        &self,
        account: AccountId,
        asked: ContactRef,
        wall_clock: Timestamp,
    ) -> Result<Explained, StoreError> {
        let mut retries = self.retries();
        loop {
            let (contact, period) = self.contact(account, asked.clone(), wall_clock).await?;
            let History { earlier, recent } = &contact.marketing.history;
            let mut history: Vec<Change> = recent.iter().rev().cloned().collect();
            let whole = history.len() + usize::try_from(*earlier).unwrap_or(usize::MAX);
            self.read_earlier(account, &contact, &mut history).await?;
            if history.len() >= whole.min(HISTORY_SHOWN_MAX) {
                history.truncate(HISTORY_SHOWN_MAX);
                return Ok(Explained { contact, period, history });
            }
            // Its pages go only when it is erased: the next read finds that it is gone.
            retries.retry_now("the contact was erased during a read").await?;
        }
    }

    /// Adds a contact's changes that stand in pages, newest first, until there are as many as are shown.
    async fn read_earlier(
        &self,
        account: AccountId,
        contact: &Contact,
        history: &mut Vec<Change>,
    ) -> Result<(), StoreError> {
        let earlier = contact.marketing.history.earlier;
        let mut after = None;
        while earlier > 0 && history.len() < HISTORY_SHOWN_MAX {
            let page = self.history_pages(account, contact.id, after).await?;
            for item in page.items {
                let page: HistoryPageItem = decode(item)?;
                // A page is written just before the change that makes room; one whose change did not happen
                // holds changes that still stand with the contact.
                if page.first < earlier {
                    history.extend(decode_changes::<HistoryPageItem>(&page.changes)?.into_iter().rev());
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    pub(super) async fn history_pages(
        &self,
        account: AccountId,
        contact: ContactId,
        after: Option<String>,
    ) -> Result<crate::store::QueryPage, StoreError> {
        let pk = history_pk(account, contact);
        self.query(&Query { pk, prefix: "", after, limit: BATCH_READ_MAX, newest_first: true }).await
    }

    /// The ids that `refs` name, in order; addresses are looked up in batched reads.
    pub(crate) async fn resolve(
        &self,
        account: AccountId,
        refs: &[ContactRef],
        retries: &mut Retries<'_>,
    ) -> Result<Vec<Option<ContactId>>, StoreError> {
        let keys: BTreeSet<(String, String)> = refs
            .iter()
            .filter_map(|asked| match asked {
                ContactRef::Email(email) => Some(Key::address(account, email)),
                ContactRef::Id(_) | ContactRef::Unknown => None,
            })
            .map(|key| (key.pk, key.sk))
            .collect();
        let keys: Vec<Key> = keys.into_iter().map(|(pk, sk)| Key { pk, sk }).collect();
        let mut addresses = HashMap::new();
        for (key, item) in self.batch_get(&keys, retries).await?.0 {
            addresses.insert(key, decode::<AddressItem>(item)?.contact);
        }
        Ok(refs
            .iter()
            .map(|asked| match asked {
                ContactRef::Id(id) => Some(*id),
                ContactRef::Email(email) => addresses.get(&Key::address(account, email)).copied(),
                ContactRef::Unknown => None,
            })
            .collect())
    }

    /// Reads contacts, the period and `others` in one batched read and settles the contacts. Deleted ones are
    /// among them.
    ///
    /// A batched read is not one instant, so somebody who is seen to have left may have been kept after that and
    /// before the closing that the period comes from. Once the closing is known, reading again tells.
    pub(crate) async fn load(
        &self,
        account: AccountId,
        wall_clock: Timestamp,
        ids: &[ContactId],
        others: Vec<Key>,
        retries: &mut Retries<'_>,
    ) -> Result<(Vec<Loaded>, PeriodSnapshot), StoreError> {
        let (loaded, opened) = self.load_once(account, wall_clock, ids, others.clone(), retries).await?;
        if !loaded.iter().any(Loaded::is_settled_now) {
            return Ok((loaded, opened));
        }
        self.load_once(account, wall_clock, ids, others, retries).await
    }

    /// The same without a second check, for who writes what was read and so learns whether it still held.
    pub(crate) async fn load_once(
        &self,
        account: AccountId,
        wall_clock: Timestamp,
        ids: &[ContactId],
        others: Vec<Key>,
        retries: &mut Retries<'_>,
    ) -> Result<(Vec<Loaded>, PeriodSnapshot), StoreError> {
        let keys: Vec<Key> =
            ids.iter().map(|id| Key::contact(account, *id)).chain(others.iter().cloned()).collect();
        loop {
            let mut opened = self.read_current_period(account, wall_clock, keys.clone(), retries).await?;
            let contacts = take_contacts(account, ids, &mut opened.items)?;
            // A batched read is not one instant: a contact may come from after a closing that the period in the
            // same answer comes from before.
            if contacts.iter().any(|contact| queued_in(contact) > Some(opened.period.number)) {
                retries.retry_now("the period closed during a read").await?;
                continue;
            }
            return Ok((self.settle(account, contacts, &opened.period, retries).await?, opened));
        }
    }

    /// Settles contacts as they were written.
    pub(super) async fn settle(
        &self,
        account: AccountId,
        contacts: Vec<Contact>,
        period: &Period,
        retries: &mut Retries<'_>,
    ) -> Result<Vec<Loaded>, StoreError> {
        let past = self.past_ends(account, &contacts, period, retries).await?;
        Ok(contacts
            .into_iter()
            .map(|mut contact| {
                let stored_version = contact.version;
                contact.settle(period, &past);
                Loaded { contact, stored_version }
            })
            .collect())
    }

    /// When the periods ended that these contacts left at the end of. Only for contacts that left more than one
    /// update date ago and were not settled since does this read anything: their periods' statements.
    async fn past_ends(
        &self,
        account: AccountId,
        contacts: &[Contact],
        period: &Period,
        retries: &mut Retries<'_>,
    ) -> Result<ClosedPeriodEnds, StoreError> {
        let numbers: BTreeSet<PeriodNumber> = contacts
            .iter()
            .filter_map(|contact| contact.marketing.stored_state.left_after(period.number))
            .filter(|number| number.next() < period.number)
            .collect();
        let keys: Vec<Key> = numbers.iter().map(|number| Key::statement(account, *number)).collect();
        let mut statements = self.batch_get(&keys, retries).await?;
        let mut past = ClosedPeriodEnds::default();
        for (number, key) in numbers.into_iter().zip(&keys) {
            if let Some(statement) = statements.take::<StatementItem>(key)? {
                past.0.insert(number, statement.ends_at);
            }
        }
        Ok(past)
    }
}

impl ContactRef {
    /// Whether the reference still names this contact: an address may have moved on since it was looked up.
    pub(crate) fn names(&self, contact: &Contact) -> bool {
        match self {
            Self::Id(id) => *id == contact.id,
            Self::Email(email) => contact.email.as_ref().is_some_and(|own| own.key() == email.key()),
            Self::Unknown => false,
        }
    }
}

fn take_contacts(
    account: AccountId,
    ids: &[ContactId],
    items: &mut Items,
) -> Result<Vec<Contact>, StoreError> {
    ids.iter()
        .filter_map(|id| items.take::<ContactItem>(&Key::contact(account, *id)).transpose())
        .map(|item| item?.into_contact())
        .collect()
}

fn queued_in(contact: &Contact) -> Option<PeriodNumber> {
    match contact.marketing.stored_state {
        StoredState::Leaving { queued_in } => Some(queued_in),
        StoredState::NonMarketing | StoredState::Marketing => None,
    }
}
