//! Changes of items, read from the images of a stream record.

use domain::Timestamp;
use domain::contact::Contact;
use domain::ids::{AccountId, ContactId, FormId, SegmentId};
use domain::period::Period;

use crate::delivery::DeliveryId;
use crate::items::{
    AutomationStateItem, BulkJobItem, ContactItem, DeliveryItem, ENTITY, Entity, MemberItem, PeriodItem,
    RejectedItem, StatementItem, decode,
};
use crate::jobs::AutomationTask;
use crate::keys::{self, Item, Key};
use crate::{StoreError, items};

/// An item before and after a write, of which at least one exists.
#[derive(Clone, Debug)]
pub(crate) struct Images<T> {
    pub(crate) old: Option<T>,
    pub(crate) new: Option<T>,
}

/// A change of a contact. Its images are as they were written, and not settled.
pub(crate) struct ContactChange {
    pub(crate) account: AccountId,
    pub(crate) id: ContactId,
    /// The instant of the write by the wall clock. `None` if the contact was removed.
    pub(crate) written_at: Option<Timestamp>,
    pub(crate) images: Images<Contact>,
}

/// A change of an account's period.
pub(crate) struct PeriodChange {
    pub(crate) account: AccountId,
    pub(crate) images: Images<Period>,
}

/// A change of an item that has effects.
pub(crate) enum Change {
    Contact(Box<ContactChange>),
    Period(Box<PeriodChange>),
    Statement(AccountId, Images<StatementItem>),
    Member(AccountId, SegmentId, ContactId, Images<MemberItem>),
    Delivery(AccountId, FormId, DeliveryId, Box<Images<DeliveryItem>>),
    Rejected(AccountId, FormId, Box<Images<RejectedItem>>),
    Job(AccountId, Box<Images<BulkJobItem>>),
    AutomationState(AutomationTask, Box<Images<AutomationStateItem>>),
}

impl<T> Images<T> {
    fn read<E: Entity>(
        old: Option<Item>,
        new: Option<Item>,
        convert: impl Fn(E) -> Result<T, StoreError>,
    ) -> Result<Self, StoreError> {
        let read = |item: Option<Item>| item.map(|item| convert(decode::<E>(item)?)).transpose();
        Ok(Self { old: read(old)?, new: read(new)? })
    }
}

impl Change {
    /// Returns the account of the item.
    pub(crate) fn account(&self) -> AccountId {
        match self {
            Self::Contact(change) => change.account,
            Self::Period(change) => change.account,
            Self::AutomationState(task, _) => task.account,
            Self::Statement(account, _)
            | Self::Member(account, ..)
            | Self::Delivery(account, ..)
            | Self::Rejected(account, ..)
            | Self::Job(account, _) => *account,
        }
    }

    /// Reads the images of a record. Returns `None` if a change of such an item has no effect.
    ///
    /// # Errors
    ///
    /// A fault if an image can't be decoded.
    pub(crate) fn read(old: Option<Item>, new: Option<Item>) -> Result<Option<Self>, StoreError> {
        let Some(image) = new.as_ref().or(old.as_ref()) else { return Ok(None) };
        let (Some(key), Some(kind)) = (Key::of(image), image.get(ENTITY).and_then(|kind| kind.as_s().ok()))
        else {
            return Ok(None);
        };
        let account = || keys::parse_account_pk(&key.pk).ok_or_else(|| unknown(kind));
        Ok(Some(match kind.as_str() {
            ContactItem::TAG => {
                let (account, id) = keys::parse_contact_key(&key).ok_or_else(|| unknown(kind))?;
                let read = |item: Option<Item>| item.map(decode::<ContactItem>).transpose();
                let (old, new) = (read(old)?, read(new)?);
                let written_at = new.as_ref().map(ContactItem::written_at);
                let contact = |item: Option<ContactItem>| item.map(ContactItem::into_contact).transpose();
                let images = Images { old: contact(old)?, new: contact(new)? };
                Self::Contact(Box::new(ContactChange { account, id, written_at, images }))
            }
            PeriodItem::TAG => {
                let account = account()?;
                let images = Images::read(old, new, PeriodItem::into_period)?;
                Self::Period(Box::new(PeriodChange { account, images }))
            }
            StatementItem::TAG => Self::Statement(account()?, Images::read(old, new, Ok)?),
            MemberItem::TAG => {
                let (account, segment, contact) =
                    keys::parse_member_key(&key).ok_or_else(|| unknown(kind))?;
                Self::Member(account, segment, contact, Images::read(old, new, Ok)?)
            }
            DeliveryItem::TAG => {
                let (account, form, delivery) =
                    keys::parse_delivery_key(&key).ok_or_else(|| unknown(kind))?;
                Self::Delivery(account, form, delivery, Box::new(Images::read(old, new, Ok)?))
            }
            AutomationStateItem::TAG => {
                let (account, automation) = keys::parse_automation_key(&key).ok_or_else(|| unknown(kind))?;
                let task = AutomationTask { account, automation };
                Self::AutomationState(task, Box::new(Images::read(old, new, Ok)?))
            }
            RejectedItem::TAG => {
                let (account, form) = keys::parse_rejected_key(&key).ok_or_else(|| unknown(kind))?;
                Self::Rejected(account, form, Box::new(Images::read(old, new, Ok)?))
            }
            BulkJobItem::TAG => Self::Job(account()?, Box::new(Images::read(old, new, Ok)?)),
            _ => return Ok(None),
        }))
    }
}

fn unknown(kind: &str) -> StoreError {
    items::unreadable_key(kind)
}
