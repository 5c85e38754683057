//! Form submissions: the contact, the count and the delivery's id in one transaction.

mod inbox;
mod plan;
mod rejected;

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::form::Overwrite;
use domain::ids::{AccountId, ContactId};
use domain::property::{Properties, PropertyName};

pub use inbox::{InboxReport, Taken};
use plan::{Entry, Origin, Plan};
pub use rejected::{FieldProblem, Mapped, Rejected, RejectedPage, Rejection};

use crate::delivery::{ContentDigest, DeliveryId, Versions};
use crate::forms::Form;
use crate::items::DeliveryItem;
use crate::keys::Key;
use crate::periods::RefusalCheck;
use crate::retry::Retries;
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{ContactEffect, MarketingEffect, StoreError, Submitted};

/// A submission of a form, read and mapped.
#[derive(Clone)]
pub struct Submission<'a> {
    /// The form.
    pub form: &'a Form,
    /// The id that its sender gave this delivery, to tell a repeated one.
    pub submission_id: Option<&'a str>,
    /// Who submits.
    pub email: &'a EmailAddress,
    /// What they say of themselves.
    pub properties: &'a [(PropertyName, Option<String>)],
    /// The number of the submission's fields that the form does not take, to be counted.
    pub left_out: u64,
}

/// A delivery: its identity, and what it says.
#[derive(Clone)]
struct Delivery {
    id: DeliveryId,
    content: ContentDigest,
}

/// A delivery compared with what is remembered of it.
enum Recognized {
    /// It was never accepted, or is forgotten.
    New,
    /// This version was accepted before, with this effect.
    Repeat(Submitted),
    /// Another version was applied before.
    Edit(Versions),
    /// Another version waits in the inbox.
    Waiting(Box<DeliveryItem>),
}

impl Submission<'_> {
    fn delivery(&self) -> Option<Delivery> {
        self.submission_id.map(|id| Delivery {
            id: DeliveryId::of(id, self.email),
            content: ContentDigest::of_properties(self.properties),
        })
    }
}

/// Returns the part of submitted properties that a form may give a contact without any, and the number of the others.
/// What a stranger sends then always fits into an item.
fn fitting(properties: &[(PropertyName, Option<String>)]) -> (Vec<(PropertyName, Option<String>)>, u64) {
    let mut fitting = Properties::new();
    let values = properties.iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let left_out = fitting.merge_submitted(values, Overwrite::Always);
    (fitting.iter().map(|(name, value)| (name.clone(), Some(value.to_owned()))).collect(), left_out)
}

impl Store {
    /// Applies a form's submission. A delivery that was accepted before changes nothing, and one with other content is an
    /// edit, which changes the contact's properties and leaves its marketing state alone.
    ///
    /// Over the cap, over the tier limit unless the form may raise it, and beyond the form's budget for the day, the
    /// contact is kept as non-marketing. One batched read, one more if the contact is known, and one transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the retries run out.
    pub async fn submit(
        &self,
        submission: &Submission<'_>,
        wall_clock: Timestamp,
    ) -> Result<Submitted, StoreError> {
        Ok(self.submit_within(submission, wall_clock, &mut self.retries()).await?.submitted)
    }

    async fn submit_within(
        &self,
        submission: &Submission<'_>,
        wall_clock: Timestamp,
        retries: &mut Retries<'_>,
    ) -> Result<Taken, StoreError> {
        let Submission { form, email, .. } = *submission;
        let account = form.account;
        let delivery = submission.delivery();
        let key = delivery.as_ref().map(|delivery| Key::delivery(account, form.id, delivery.id));
        let (properties, too_many) = fitting(submission.properties);
        let mut entry = Entry {
            form: form.into(),
            email,
            properties: &properties,
            left_out: submission.left_out + too_many,
            origin: Origin::Sent(delivery.clone()),
        };
        let mut check = RefusalCheck::default();
        loop {
            let others = key.iter().cloned().collect();
            let entries = std::slice::from_ref(&entry);
            let mut opened = self.open_for(account, entries, others, wall_clock, retries).await?;
            let stored =
                key.as_ref().map(|key| opened.items.take::<DeliveryItem>(key)).transpose()?.flatten();
            match recognize(stored, delivery.as_ref(), wall_clock) {
                Recognized::New => entry.origin = Origin::Sent(delivery.clone()),
                Recognized::Repeat(submitted) => {
                    self.count_duplicate(form.id).await;
                    return Ok(Taken { submitted, waiting: None });
                }
                Recognized::Edit(before) => {
                    entry.origin = delivery
                        .clone()
                        .map_or(Origin::Sent(None), |delivery| Origin::Edit(delivery, before));
                }
                Recognized::Waiting(_) => return self.accept_into_inbox(submission, wall_clock).await,
            }
            let entries = std::slice::from_ref(&entry);
            check.observe(&opened.period);
            let Some(snapshot) = self.snapshot(account, entries, opened, wall_clock, retries).await? else {
                retries.retry_now(MOVED).await?;
                continue;
            };
            let mut plan = Plan::new(account, &snapshot, self.new_contact_ids(wall_clock, retries));
            let submitted = plan.take(&entry, wall_clock)?;
            if plan.is_in_doubt() && check.needs_reread(snapshot.period(), retries).await? {
                continue;
            }
            let mut transaction = Transaction::new(self.rng());
            let gone = self.write_plan(&mut transaction, plan, wall_clock)?;
            if self.commit(transaction, retries).await? {
                self.forget_histories(account, gone, retries).await?;
                return Ok(Taken { submitted, waiting: None });
            }
        }
    }

    async fn forget_histories(
        &self,
        account: AccountId,
        gone: Vec<ContactId>,
        retries: &mut Retries<'_>,
    ) -> Result<(), StoreError> {
        for contact in gone {
            self.forget_history(account, Some(contact), retries).await?;
        }
        Ok(())
    }
}

/// Why a decision is made once more.
const MOVED: &str = "the address moved during a read";

/// Compares a delivery with what is stored under its key.
fn recognize(stored: Option<DeliveryItem>, delivery: Option<&Delivery>, wall_clock: Timestamp) -> Recognized {
    let (Some(stored), Some(delivery)) = (stored.filter(|stored| stored.is_remembered(wall_clock)), delivery)
    else {
        return Recognized::New;
    };
    if stored.versions.include(&delivery.content) {
        return Recognized::Repeat(stored.replay());
    }
    if stored.pending.is_some() {
        return Recognized::Waiting(Box::new(stored));
    }
    Recognized::Edit(stored.versions)
}

impl DeliveryItem {
    /// Returns true while the delivery is remembered. One that waits in the inbox is remembered until it is settled.
    fn is_remembered(&self, wall_clock: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| expires_at > wall_clock.seconds())
    }

    /// Returns the effect that the delivery had, for a repeat of it.
    fn replay(self) -> Submitted {
        Submitted {
            contact: self.contact.parse().unwrap_or(ContactEffect::Updated),
            marketing: self.marketing.parse().unwrap_or(MarketingEffect::Unchanged),
            reason: self.reason,
            duplicate: true,
        }
    }
}
