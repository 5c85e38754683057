//! The members of static lists.
//!
//! A member has two items: one in the list's partitions, by which the list is read, and one in the contact's partition,
//! by which a deleted contact is removed from its lists.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use aws_sdk_dynamodb::types::Select;
use domain::Timestamp;
use domain::ids::{AccountId, Bucket, ContactId, SegmentId};
use domain::limits::{LIST_MEMBERS_MAX, MEMBERS_PER_TRANSACTION_MAX, PAGE_LIMIT_MAX};
use futures_util::future::try_join_all;

use crate::error::call_error;
use crate::expressions::{Expression, number};
use crate::items::{Items, MemberItem, MembershipItem, SegmentItem, decode};
use crate::keys::{Key, PK, member_pk, membership_pk};
use crate::operation::{Operation, Step};
use crate::store::{Query, Store};
use crate::transaction::Transaction;
use crate::{ContactRef, Refused, Responder, StoreError, StoredResponse};

/// A change of a static list's members.
#[derive(Clone, Debug, Default)]
pub struct ChangeMembers {
    /// The contacts to add.
    pub add: Vec<ContactRef>,
    /// The contacts to remove.
    pub remove: Vec<ContactRef>,
}

/// The result of a change of a static list's members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MembersReport {
    /// The contacts that became members.
    pub added: Vec<ContactId>,
    /// The number of contacts to add that were members before.
    pub already: u64,
    /// The contacts that are no longer members.
    pub removed: Vec<ContactId>,
    /// The number of contacts to remove that were no members.
    pub absent: u64,
    /// The positions of the references to add that match no contact.
    pub unknown_add: Vec<usize>,
    /// The positions of the references to remove that match no contact.
    pub unknown_remove: Vec<usize>,
}

impl Store {
    /// Adds contacts to a static list, and removes others from it. A contact in both lists is removed.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], [`Refused::Invalid`] if the segment is no static list, and [`Refused::LimitReached`].
    pub async fn change_members(
        &self,
        account: AccountId,
        segment: SegmentId,
        change: &ChangeMembers,
        wall_clock: Timestamp,
        responder: Responder<'_, MembersReport>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        if let Some(response) = op.replayed(&responder).await? {
            return Ok(response);
        }
        let report = op.change_members(segment, change).await?;
        op.renewed().mutate(&[], responder, async |_| Ok(Step::unchanged(report.clone()))).await
    }

    /// Returns the instants by the wall clock at which contacts became members of a list, in one batched read. Contacts
    /// that are no members, and members from before these instants were stored, are left out.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn member_times(
        &self,
        account: AccountId,
        segment: SegmentId,
        contacts: &[ContactId],
    ) -> Result<BTreeMap<ContactId, Timestamp>, StoreError> {
        let keys: Vec<Key> = contacts.iter().map(|contact| Key::member(account, segment, *contact)).collect();
        let mut items = self.batch_get(&keys, &self.retries()).await?;
        let mut times = BTreeMap::new();
        for (contact, key) in contacts.iter().zip(&keys) {
            let added_at = items.take::<MemberItem>(key)?.and_then(|member| member.added_at);
            times.extend(added_at.map(|at| (*contact, at)));
        }
        Ok(times)
    }

    /// Counts the members of a list, deleted contacts included.
    async fn count_members(&self, account: AccountId, segment: SegmentId) -> Result<u64, StoreError> {
        let counts = Bucket::all().map(|bucket| self.count_items(member_pk(account, segment, bucket)));
        Ok(try_join_all(counts).await?.into_iter().sum())
    }

    async fn count_items(&self, pk: String) -> Result<u64, StoreError> {
        let (mut count, mut start) = (0, None);
        loop {
            let request = self
                .client
                .query()
                .table_name(&*self.table)
                .consistent_read(true)
                .select(Select::Count)
                .key_condition_expression("#pk = :pk")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_values(":pk", aws_sdk_dynamodb::types::AttributeValue::S(pk.clone()))
                .set_exclusive_start_key(start.take());
            let output = request.send().await.map_err(|error| call_error("a count of members", error))?;
            count += u64::try_from(output.count).unwrap_or_default();
            start = output.last_evaluated_key;
            if start.is_none() {
                return Ok(count);
            }
        }
    }
}

/// A contact that becomes a member of a list.
pub(crate) struct NewMember {
    pub(crate) contact: ContactId,
    /// The contact's time of creation.
    pub(crate) created_at: Timestamp,
    /// The instant by the wall clock, by which automations follow the list. `None` if none must enrol the contact.
    pub(crate) added_at: Option<Timestamp>,
}

/// Returns the number of these contacts, which are those of one transaction.
fn number_of(contacts: &[ContactId]) -> i64 {
    i64::try_from(contacts.len()).unwrap_or(i64::MAX)
}

/// The contacts of a request, and the references that match none.
struct Named {
    contacts: BTreeSet<ContactId>,
    unknown: Vec<usize>,
}

impl Operation<'_> {
    /// Returns the stored response of an earlier try of the same request.
    pub(crate) async fn replayed<T>(
        &self,
        responder: &Responder<'_, T>,
    ) -> Result<Option<StoredResponse>, StoreError> {
        let mut items = self.read(responder.key().into_iter().collect()).await?;
        responder.replay(&mut items, self.wall_clock)
    }

    /// Adds and removes members in as many transactions as needed. A repeat adds and removes the rest.
    pub(crate) async fn change_members(
        &self,
        segment: SegmentId,
        change: &ChangeMembers,
    ) -> Result<MembersReport, StoreError> {
        let list: Option<SegmentItem> = self.store.get(Key::segment(self.account, segment)).await?;
        let list = list.ok_or(Refused::NotFound("segment"))?;
        if list.filter.is_some() {
            let message = "is not allowed for a segment with a filter".to_owned();
            let field = if change.add.is_empty() { "remove" } else { "add" };
            return Err(Refused::Invalid { field, message }.into());
        }
        let remove = self.named(&change.remove).await?;
        let mut add = self.named(&change.add).await?;
        add.contacts.retain(|contact| !remove.contacts.contains(contact));
        let existing = self.existing(&add.contacts).await?;
        let missing: HashSet<ContactId> =
            add.contacts.iter().filter(|id| !existing.contains_key(id)).copied().collect();
        add.unknown.extend(self.positions(&change.add, &missing).await?);
        add.unknown.sort_unstable();
        self.check_limit(&list, existing.len()).await?;
        let mut report = MembersReport {
            unknown_add: add.unknown,
            unknown_remove: remove.unknown,
            ..MembersReport::default()
        };
        let existing: Vec<(ContactId, Timestamp)> = existing.into_iter().collect();
        for chunk in existing.chunks(MEMBERS_PER_TRANSACTION_MAX) {
            let added = self.renewed().add_members(segment, chunk).await?;
            report.already += (chunk.len() - added.len()) as u64;
            report.added.extend(added);
        }
        let remove: Vec<ContactId> = remove.contacts.into_iter().collect();
        for chunk in remove.chunks(MEMBERS_PER_TRANSACTION_MAX) {
            let removed = self.renewed().remove_members(segment, chunk).await?;
            report.absent += (chunk.len() - removed.len()) as u64;
            report.removed.extend(removed);
        }
        Ok(report)
    }

    async fn named(&self, refs: &[ContactRef]) -> Result<Named, StoreError> {
        let ids = self.resolve(refs).await?;
        let unknown = ids.iter().enumerate().filter(|(_, id)| id.is_none()).map(|(n, _)| n).collect();
        Ok(Named { contacts: ids.into_iter().flatten().collect(), unknown })
    }

    /// Returns the contacts that exist, each with its time of creation.
    async fn existing(
        &self,
        ids: &BTreeSet<ContactId>,
    ) -> Result<BTreeMap<ContactId, Timestamp>, StoreError> {
        let found = self.store.candidates(self.account, ids.iter().copied()).await?;
        let visible = found.into_iter().map(|candidate| candidate.loaded.contact);
        let visible = visible.filter(domain::contact::Contact::is_visible);
        Ok(visible.map(|contact| (contact.id, contact.created_at)).collect())
    }

    /// Returns the positions of the references to these contacts.
    async fn positions(
        &self,
        refs: &[ContactRef],
        contacts: &HashSet<ContactId>,
    ) -> Result<Vec<usize>, StoreError> {
        if contacts.is_empty() {
            return Ok(Vec::new());
        }
        let ids = self.resolve(refs).await?;
        let named = ids.iter().enumerate();
        Ok(named.filter(|(_, id)| id.is_some_and(|id| contacts.contains(&id))).map(|(n, _)| n).collect())
    }

    /// Refuses members beyond the limit. The stored number also counts contacts that were deleted since, so the members
    /// are counted if it is too large.
    pub(crate) async fn check_limit(&self, list: &SegmentItem, adds: usize) -> Result<(), StoreError> {
        let adds = u64::try_from(adds).unwrap_or(u64::MAX);
        if list.members.saturating_add(adds) <= LIST_MEMBERS_MAX {
            return Ok(());
        }
        let members = self.store.count_members(self.account, list.id).await?;
        let expression = Expression::default().name("members").name(PK).value("members", number(members));
        let (key, update) = (Key::segment(self.account, list.id), "SET #members = :members");
        self.store.update_alone(key, update, "attribute_exists(#pk)", &expression).await?;
        if members.saturating_add(adds) <= LIST_MEMBERS_MAX {
            return Ok(());
        }
        let max = usize::try_from(LIST_MEMBERS_MAX).unwrap_or(usize::MAX);
        Err(Refused::LimitReached { what: "members in a list", max }.into())
    }

    /// Adds members in one transaction. Returns those that were no members before.
    async fn add_members(
        &self,
        segment: SegmentId,
        contacts: &[(ContactId, Timestamp)],
    ) -> Result<Vec<ContactId>, StoreError> {
        self.transact(async || {
            let mut members = self.members(segment, contacts.iter().map(|(id, _)| *id)).await?;
            let (mut transaction, mut added) = (Transaction::default(), Vec::new());
            for (contact, created_at) in contacts {
                let key = Key::member(self.account, segment, *contact);
                let stored = members.take::<MemberItem>(&key)?.map(|member| member.created_at);
                let member =
                    NewMember { contact: *contact, created_at: *created_at, added_at: Some(self.wall_clock) };
                if self.add_member(&mut transaction, segment, &member, stored)? {
                    added.push(*contact);
                }
            }
            self.count_member_change(&mut transaction, segment, number_of(&added))?;
            Ok(Step::Commit(transaction, added))
        })
        .await
    }

    /// Adds the writes of a member. `stored` is the time of creation in the stored member, if there is one. Returns false
    /// if the contact is a member already.
    pub(crate) fn add_member(
        &self,
        transaction: &mut Transaction,
        segment: SegmentId,
        member: &NewMember,
        stored: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let NewMember { contact, created_at, added_at } = *member;
        let key = Key::member(self.account, segment, contact);
        let item = MemberItem { created_at, added_at };
        let put = match stored {
            Some(stored) if stored == created_at => return Ok(false),
            // The contact was deleted and has returned since.
            Some(stored) => {
                let expression =
                    Expression::default().name("created_at").value("created_at", number(stored.millis()));
                self.store.put_if(key, &item, "#created_at = :created_at", &expression)?
            }
            None => self.store.put_new(key, &item)?,
        };
        transaction.put(put);
        let key = Key::membership(self.account, contact, segment);
        transaction.put(self.store.put_any(key, &MembershipItem { contact, segment })?);
        Ok(true)
    }

    /// Removes members in one transaction. Returns those that were members before.
    async fn remove_members(
        &self,
        segment: SegmentId,
        contacts: &[ContactId],
    ) -> Result<Vec<ContactId>, StoreError> {
        self.transact(async || {
            let members = self.members(segment, contacts.iter().copied()).await?;
            let (mut transaction, mut removed) = (Transaction::default(), Vec::new());
            for contact in contacts {
                let key = Key::member(self.account, segment, *contact);
                if members.0.contains_key(&key) {
                    transaction.delete(self.store.delete_existing(key)?);
                    let membership = Key::membership(self.account, *contact, segment);
                    transaction.delete(self.store.delete_any(membership)?);
                    removed.push(*contact);
                }
            }
            self.count_member_change(&mut transaction, segment, -number_of(&removed))?;
            Ok(Step::Commit(transaction, removed))
        })
        .await
    }

    async fn members(
        &self,
        segment: SegmentId,
        contacts: impl Iterator<Item = ContactId>,
    ) -> Result<Items, StoreError> {
        self.read(contacts.map(|contact| Key::member(self.account, segment, contact)).collect()).await
    }

    /// Adds the change of the list's number of members, on the condition that the list is not deleted.
    pub(crate) fn count_member_change(
        &self,
        transaction: &mut Transaction,
        segment: SegmentId,
        change: i64,
    ) -> Result<(), StoreError> {
        if change == 0 {
            return Ok(());
        }
        let expression = Expression::default().name("members").name(PK).value("change", number(change));
        let key = Key::segment(self.account, segment);
        let update = "ADD #members :change";
        transaction.update(self.store.update_if(key, update, "attribute_exists(#pk)", &expression)?);
        Ok(())
    }

    /// Removes a deleted contact from all lists, after the commit. A member that remains after a crash is not valid any
    /// more, because its contact does not exist.
    pub(crate) async fn leave_lists(
        &self,
        transaction: &mut Transaction,
        contact: ContactId,
    ) -> Result<(), StoreError> {
        let mut query = Query {
            pk: membership_pk(self.account, contact),
            prefix: "",
            after: None,
            limit: usize::try_from(PAGE_LIMIT_MAX).unwrap_or(usize::MAX),
            newest_first: false,
        };
        loop {
            let page = self.store.query(&query).await?;
            for item in page.items {
                let key = Key::of(&item);
                let membership: MembershipItem = decode(item)?;
                transaction.then_delete(Key::member(self.account, membership.segment, contact));
                key.into_iter().for_each(|key| transaction.then_delete(key));
            }
            query.after = page.next;
            if query.after.is_none() {
                return Ok(());
            }
        }
    }
}
