//! Reads of contacts as of now, which means settled against the account's current period.

use std::collections::{BTreeSet, HashMap};

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::ids::{AccountId, ContactId};
use domain::limits::{BATCH_READ_MAX, HISTORY_PAGE, HISTORY_SHOWN_MAX};
use domain::marketing::{Change, ClosedPeriodEnds, History, StoredState};
use domain::period::{Period, PeriodNumber};

use crate::items::{AddressItem, ContactItem, HistoryPageItem, Items, StatementItem, decode, decode_changes};
use crate::keys::{Key, history_pk};
use crate::operation::{Operation, Snapshot};
use crate::periods::PeriodSnapshot;
use crate::store::{Query, Store};
use crate::{Refused, StoreError};

/// A request's reference to a contact.
#[derive(Clone, Debug)]
pub enum ContactRef {
    /// The contact's id.
    Id(ContactId),
    /// The contact's address.
    Email(EmailAddress),
    /// A text that is not a valid id. Ids are opaque to callers, so it refers to a contact that does not exist.
    Unknown,
}

/// A contact as of now, and its stored version, which is the condition of a write.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) contact: Contact,
    pub(crate) stored_version: u64,
}

impl Loaded {
    /// Returns true if the contact has left and the table does not show it yet.
    pub(crate) fn is_settled_now(&self) -> bool {
        self.contact.version != self.stored_version
    }
}

/// A contact with its history, and the period that decides its state.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The contact, as of now.
    pub contact: Contact,
    /// The account's current period.
    pub period: Period,
    /// The contact's changes, newest first.
    pub history: Vec<Change>,
}

impl Store {
    /// Returns contacts as of now, in the order of `refs`, with the period. Missing and deleted contacts are `None`.
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
        let op = self.operation(account, wall_clock);
        let ids = op.resolve(refs).await?;
        let wanted: BTreeSet<ContactId> = ids.iter().flatten().copied().collect();
        let (found, period) = op.load_all(&wanted.into_iter().collect::<Vec<_>>()).await?;
        let contacts = refs.iter().zip(ids).map(|(asked, id)| {
            let contact = found.get(&id?)?;
            (contact.is_visible() && asked.names(contact)).then(|| contact.clone())
        });
        Ok((contacts.collect(), period))
    }

    /// Returns one contact as of now, with the period.
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

    /// Returns one contact with its history, newest first, at most [`HISTORY_SHOWN_MAX`] changes.
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
        self.explain_latest(account, asked, wall_clock, HISTORY_SHOWN_MAX).await
    }

    /// Returns one contact with its latest changes, newest first, at most `changes`. It reads no more pages of the
    /// history than these changes need, and one.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn explain_latest(
        &self,
        account: AccountId,
        asked: ContactRef,
        wall_clock: Timestamp,
        changes: usize,
    ) -> Result<Explained, StoreError> {
        let retries = self.retries();
        loop {
            let (contact, period) = self.contact(account, asked.clone(), wall_clock).await?;
            let History { earlier, recent } = &contact.marketing.history;
            let mut history: Vec<Change> = recent.iter().rev().cloned().collect();
            let whole = history.len() + usize::try_from(*earlier).unwrap_or(usize::MAX);
            self.read_earlier(account, &contact, changes, &mut history).await?;
            if history.len() >= whole.min(changes) {
                history.truncate(changes);
                return Ok(Explained { contact, period, history });
            }
            // Pages are deleted only with an erased contact. The next read does not find the contact any more.
            retries.retry_now("the contact was erased during a read").await?;
        }
    }

    /// Adds a contact's changes that are stored in pages, newest first, until the history has at least `changes`.
    pub(crate) async fn read_earlier(
        &self,
        account: AccountId,
        contact: &Contact,
        changes: usize,
        history: &mut Vec<Change>,
    ) -> Result<(), StoreError> {
        let earlier = contact.marketing.history.earlier;
        let mut after = None;
        while earlier > 0 && history.len() < changes {
            let pk = history_pk(account, contact.id);
            // One page more than needed, because the changes of the newest may still be with the contact.
            let limit =
                (changes - history.len()).div_ceil(HISTORY_PAGE).saturating_add(1).min(BATCH_READ_MAX);
            let query = Query { pk, prefix: "", after, limit, newest_first: true };
            let page = self.query(&query).await?;
            for item in page.items {
                let page: HistoryPageItem = decode(item)?;
                // A page is written before the transaction that removes its changes from the contact. If that
                // transaction was not applied, the contact still has these changes.
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
}

impl Operation<'_> {
    /// Returns contacts by their ids, deleted ones included, all as of one period.
    pub(crate) async fn load_all(
        &self,
        ids: &[ContactId],
    ) -> Result<(HashMap<ContactId, Contact>, Period), StoreError> {
        loop {
            // The period uses one of the keys of a batched read.
            let mut chunks = ids.chunks(BATCH_READ_MAX - 1);
            let first = chunks.next().unwrap_or_default();
            let (mut loaded, mut opened) = self.load(first, Vec::new()).await?;
            let begun = opened.period.number;
            for chunk in chunks {
                let (more, reopened) = self.load(chunk, Vec::new()).await?;
                loaded.extend(more);
                opened = reopened;
            }
            if opened.period.number == begun {
                let found = loaded.into_iter().map(|loaded| (loaded.contact.id, loaded.contact));
                return Ok((found.collect(), opened.period));
            }
            self.retries.retry_now("the period closed during a read").await?;
        }
    }

    /// Returns the ids that `refs` name, in order. Addresses are looked up in batched reads.
    pub(crate) async fn resolve(&self, refs: &[ContactRef]) -> Result<Vec<Option<ContactId>>, StoreError> {
        let keys: BTreeSet<(String, String)> = refs
            .iter()
            .filter_map(|asked| match asked {
                ContactRef::Email(email) => Some(Key::address(self.account, email)),
                ContactRef::Id(_) | ContactRef::Unknown => None,
            })
            .map(|key| (key.pk, key.sk))
            .collect();
        let keys = keys.into_iter().map(|(pk, sk)| Key { pk, sk }).collect();
        let mut addresses = HashMap::new();
        for (key, item) in self.read(keys).await?.0 {
            addresses.insert(key, decode::<AddressItem>(item)?.contact);
        }
        let id = |asked: &ContactRef| match asked {
            ContactRef::Id(id) => Some(*id),
            ContactRef::Email(email) => addresses.get(&Key::address(self.account, email)).copied(),
            ContactRef::Unknown => None,
        };
        Ok(refs.iter().map(id).collect())
    }

    /// Reads contacts, the period and `others` in one batched read, and settles the contacts. Deleted contacts are
    /// included.
    ///
    /// A batched read is not atomic. A contact that seems to have left may have been kept after it was read, and before
    /// the period closed. Once the period is known to be closed, a second read returns the contact's final state.
    pub(crate) async fn load(
        &self,
        ids: &[ContactId],
        others: Vec<Key>,
    ) -> Result<(Vec<Loaded>, PeriodSnapshot), StoreError> {
        let (loaded, opened) = self.load_once(ids, others.clone()).await?;
        if !loaded.iter().any(Loaded::is_settled_now) {
            return Ok((loaded, opened));
        }
        self.load_once(ids, others).await
    }

    /// The same as [`Self::load`], without the second read. For callers that write the contacts: the write's condition
    /// fails if a contact has changed.
    pub(crate) async fn load_once(
        &self,
        ids: &[ContactId],
        others: Vec<Key>,
    ) -> Result<(Vec<Loaded>, PeriodSnapshot), StoreError> {
        let contact_keys = ids.iter().map(|id| Key::contact(self.account, *id));
        let keys: Vec<Key> = contact_keys.chain(others).collect();
        loop {
            let mut opened = self.read_current_period(keys.clone()).await?;
            let contacts = take_contacts(self.account, ids, &mut opened.items)?;
            // A batched read is not atomic: it may return a contact from after a closing, and the period from before.
            if contacts.iter().any(|contact| queued_in(contact) > Some(opened.period.number)) {
                self.retries.retry_now("the period closed during a read").await?;
                continue;
            }
            return Ok((self.settle(contacts, &opened.period).await?, opened));
        }
    }

    /// Settles stored contacts against the current period.
    pub(crate) async fn settle(
        &self,
        contacts: Vec<Contact>,
        period: &Period,
    ) -> Result<Vec<Loaded>, StoreError> {
        let loaded = contacts.into_iter().map(|contact| Loaded { stored_version: contact.version, contact });
        let mut loaded: Vec<Loaded> = loaded.collect();
        self.settle_loaded(&mut loaded, period).await?;
        Ok(loaded)
    }

    /// Settles contacts in place. Contacts that are settled already stay settled.
    pub(crate) async fn settle_loaded(
        &self,
        loaded: &mut [Loaded],
        period: &Period,
    ) -> Result<(), StoreError> {
        let past = self.past_ends(loaded, period).await?;
        for Loaded { contact, .. } in loaded {
            contact.settle(period, &past);
        }
        Ok(())
    }

    /// Returns the ends of the earlier periods at whose end these contacts left. It reads statements only for contacts
    /// that left before the latest update date and are not settled in the table.
    async fn past_ends(&self, contacts: &[Loaded], period: &Period) -> Result<ClosedPeriodEnds, StoreError> {
        let numbers: BTreeSet<PeriodNumber> = contacts
            .iter()
            .filter_map(|loaded| loaded.contact.marketing.stored_state.left_after(period.number))
            .filter(|number| number.next() < period.number)
            .collect();
        let keys: Vec<Key> = numbers.iter().map(|number| Key::statement(self.account, *number)).collect();
        let mut statements = self.read(keys.clone()).await?;
        let mut past = ClosedPeriodEnds::default();
        for (number, key) in numbers.into_iter().zip(&keys) {
            if let Some(statement) = statements.take::<StatementItem>(key)? {
                past.0.insert(number, statement.ends_at);
            }
        }
        Ok(past)
    }
}

impl Snapshot for (Vec<Loaded>, PeriodSnapshot) {
    fn items(&mut self) -> &mut Items {
        &mut self.1.items
    }
}

impl ContactRef {
    /// Returns true if the reference names this contact. An address may have moved since it was looked up.
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

pub(crate) fn queued_in(contact: &Contact) -> Option<PeriodNumber> {
    match contact.marketing.stored_state {
        StoredState::Leaving { queued_in } => Some(queued_in),
        StoredState::NonMarketing | StoredState::Marketing => None,
    }
}
