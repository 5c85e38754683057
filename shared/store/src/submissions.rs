//! Form submissions. One transaction writes the contact, the counts and the delivery.

mod apply;
mod inbox;
mod plan;
mod rejected;

use std::slice;

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::form::Overwrite;
use domain::property::{Properties, PropertyName};

pub use inbox::{InboxReport, SubmissionOutcome};
use plan::{Entry, Origin, Plan};
pub use rejected::{FieldProblem, Mapped, Rejected, RejectedPage, Rejection};

use crate::delivery::{ContentDigest, DeliveryId, Versions};
use crate::forms::Form;
use crate::items::DeliveryItem;
use crate::keys::Key;
use crate::operation::{Operation, Step};
use crate::periods::{PeriodSnapshot, RefusalCheck};
use crate::store::Store;
use crate::{ContactEffect, MarketingEffect, Rng, StoreError, Submitted};

/// A submission of a form, parsed and mapped.
#[derive(Clone)]
pub struct Submission<'a> {
    /// The form.
    pub form: &'a Form,
    /// The sender's id of this delivery, which identifies a repeat.
    pub submission_id: Option<&'a str>,
    /// The contact's address.
    pub email: &'a EmailAddress,
    /// The submitted properties.
    pub properties: &'a [(PropertyName, Option<String>)],
    /// The number of the submission's fields that the form does not accept, for the form's counts.
    pub left_out: u64,
}

/// A delivery: its identity, and the digest of its content.
#[derive(Clone)]
struct Delivery {
    id: DeliveryId,
    content: ContentDigest,
}

/// The result of comparing a delivery with the stored one.
enum Recognized {
    /// It was never accepted, or has expired.
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

impl Delivery {
    /// Creates a delivery without an id of its sender. It is stored for what follows from the submission, and never
    /// recognized again.
    fn unnamed(rng: &Rng, properties: &[(PropertyName, Option<String>)]) -> Self {
        Self { id: DeliveryId::random(rng), content: ContentDigest::of_properties(properties) }
    }
}

/// Returns the submitted properties that a form may set on a contact without properties, and the number of the others.
/// So a submission always fits into an item.
fn fitting(properties: &[(PropertyName, Option<String>)]) -> (Vec<(PropertyName, Option<String>)>, u64) {
    let mut fitting = Properties::new();
    let values = properties.iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let left_out = fitting.merge_submitted(values, Overwrite::Always);
    (fitting.iter().map(|(name, value)| (name.clone(), Some(value.to_owned()))).collect(), left_out)
}

impl Store {
    /// Applies a form's submission. A delivery that was accepted before changes nothing. A delivery with other content
    /// is an edit, which changes the contact's properties and not its marketing state.
    ///
    /// Over the cap, over the tier limit unless the form may raise it, and beyond the form's budget for the day, the
    /// contact is stored as non-marketing. One batched read, one more if the address is known, and one transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the retries run out.
    pub async fn submit(
        &self,
        submission: &Submission<'_>,
        wall_clock: Timestamp,
    ) -> Result<Submitted, StoreError> {
        let op = self.operation(submission.form.account, wall_clock);
        Ok(op.submit(submission).await?.submitted)
    }
}

impl Operation<'_> {
    async fn submit(&self, submission: &Submission<'_>) -> Result<SubmissionOutcome, StoreError> {
        let Submission { form, email, .. } = *submission;
        let unnamed = || form.enrols().then(|| Delivery::unnamed(self.store.rng(), submission.properties));
        let delivery = submission.delivery().or_else(unnamed);
        let key = delivery.as_ref().map(|delivery| Key::delivery(self.account, form.id, delivery.id));
        let (properties, too_many) = fitting(submission.properties);
        let check = RefusalCheck::default();
        self.transact(async || {
            let mut entry = Entry {
                form: form.into(),
                email,
                properties: &properties,
                left_out: submission.left_out + too_many,
                origin: Origin::Sent(delivery.clone()),
            };
            let others = key.iter().cloned().collect();
            let mut opened = self.open_for(slice::from_ref(&entry), others).await?;
            match self.recognize(&mut opened, key.as_ref(), delivery.as_ref())? {
                Recognized::New => {}
                Recognized::Repeat(submitted) => {
                    self.store.count_duplicate(form.id).await;
                    return Ok(Step::unchanged(SubmissionOutcome { submitted, waiting: None }));
                }
                Recognized::Edit(before) => {
                    if let Some(delivery) = &delivery {
                        entry.origin = Origin::Edit(delivery.clone(), before);
                    }
                }
                Recognized::Waiting(_) => {
                    let taken = self.store.accept_into_inbox(submission, self.wall_clock).await?;
                    return Ok(Step::unchanged(taken));
                }
            }
            let decide = |plan: &mut Plan<'_>| plan.decide(&entry, self.wall_clock);
            let step = self.apply(slice::from_ref(&entry), opened, &check, decide).await?;
            Ok(step.map(|submitted| SubmissionOutcome { submitted, waiting: None }))
        })
        .await
    }

    /// Compares a delivery with the stored one, which was read under `key`.
    fn recognize(
        &self,
        opened: &mut PeriodSnapshot,
        key: Option<&Key>,
        delivery: Option<&Delivery>,
    ) -> Result<Recognized, StoreError> {
        let stored = key.map(|key| opened.items.take(key)).transpose()?.flatten();
        Ok(recognize(stored, delivery, self.wall_clock))
    }
}

/// Compares a delivery with the item that is stored under its key.
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
    /// Returns true until the delivery expires. A delivery that waits in the inbox does not expire.
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
