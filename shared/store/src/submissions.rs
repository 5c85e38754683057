//! Form submissions: the contact, the count and the delivery's id in one transaction.

mod inbox;
mod plan;
mod rejected;

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::decision::Outcome;
use domain::ids::{AccountId, ContactId};
use domain::property::PropertyName;
use domain::text::words;

pub use inbox::{InboxReport, InboxTask, Taken};
use plan::{Entry, Origin, Plan};
pub use rejected::{FieldProblem, Rejected, RejectedContent, RejectedPage, Rejection};

use crate::StoreError;
use crate::delivery::DeliveryId;
use crate::forms::Form;
use crate::items::{DeliveryItem, Items};
use crate::keys::Key;
use crate::periods::SecondLook;
use crate::retry::Retries;
use crate::store::Store;
use crate::transaction::Transaction;

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
}

/// Who submits, and what they say of themselves. (Not `Debug`, for it is a person's data.)
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// Their address.
    pub email: EmailAddress,
    /// What they say of themselves: properties to set, or to remove where there is no value.
    pub properties: Vec<(PropertyName, Option<String>)>,
}

words! {
    /// What a submission did to the person's record.
    pub enum ContactEffect {
        /// It was made.
        Created = "created",
        /// It was there.
        Updated = "updated",
        /// Nothing yet: the submission waits in the inbox.
        Accepted = "accepted",
        /// Nothing: the submission could not be taken, and is kept for the account to look at.
        Rejected = "rejected",
    }
}

words! {
    /// What a submission did to the person's marketing state.
    pub enum MarketingEffect {
        /// Non-marketing became marketing.
        Set = "set",
        /// A leaving contact stays a marketing contact.
        Kept = "kept",
        /// It is as it was.
        Unchanged = "unchanged",
        /// The person is kept as a non-marketing contact.
        NotSet = "not_set",
        /// Nothing yet: the submission waits in the inbox.
        Accepted = "accepted",
    }
}

/// What came of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// To the person's record.
    pub contact: ContactEffect,
    /// To the person's marketing state.
    pub marketing: MarketingEffect,
    /// Why the form could not set the person marketing, though it would, or why it could not be taken.
    pub reason: Option<String>,
    /// Whether the delivery had been accepted before; the rest is then what came of it the first time.
    pub duplicate: bool,
}

impl Submission<'_> {
    fn delivery(&self) -> Option<DeliveryId> {
        self.submission_id.map(DeliveryId::of)
    }
}

impl Store {
    /// Takes a form's submission. A delivery that was accepted before changes nothing.
    ///
    /// Over the cap, and beyond the form's budget for the day, the person is kept as a non-marketing contact. One batched
    /// read, one more if the person is known, and one transaction.
    ///
    /// # Errors
    ///
    /// [`crate::Refused::Invalid`] when the properties would be too many or too long.
    pub async fn submit(
        &self,
        submission: &Submission<'_>,
        wall: Timestamp,
    ) -> Result<Submitted, StoreError> {
        self.submit_within(submission, wall, &mut self.retries()).await
    }

    async fn submit_within(
        &self,
        submission: &Submission<'_>,
        wall: Timestamp,
        retries: &mut Retries<'_>,
    ) -> Result<Submitted, StoreError> {
        let Submission { form, email, properties, .. } = *submission;
        let account = form.account;
        let delivery = submission.delivery();
        let entry = Entry { form: form.into(), email, properties, origin: Origin::Sent(delivery) };
        let entries = std::slice::from_ref(&entry);
        let mut look = SecondLook::default();
        loop {
            let key = delivery.map(|id| Key::delivery(account, form.id, id));
            let others = key.iter().cloned().collect();
            let mut opened = self.open_for(account, entries, others, wall, retries).await?;
            if let Some(seen) = seen(&mut opened.items, key.as_ref(), wall)? {
                self.count_duplicate(form.id).await;
                return Ok(seen);
            }
            look.saw(&opened.period);
            let Some(snapshot) = self.snapshot(account, entries, opened, wall, retries).await? else {
                retries.again(MOVED).await?;
                continue;
            };
            let mut plan = Plan::new(account, &snapshot, self.entropy());
            let submitted = plan.take(&entry, wall)?;
            if plan.is_in_doubt() && look.again(snapshot.period(), retries).await? {
                continue;
            }
            let mut transaction = Transaction::new(self.entropy());
            let gone = self.write_plan(&mut transaction, plan, wall, retries).await?;
            if self.commit(transaction, retries).await? {
                self.forget_histories(account, gone, retries).await?;
                return Ok(submitted);
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

/// What came of the delivery, if it was accepted before.
fn seen(items: &mut Items, key: Option<&Key>, wall: Timestamp) -> Result<Option<Submitted>, StoreError> {
    let Some(key) = key else { return Ok(None) };
    Ok(items.take::<DeliveryItem>(key)?.and_then(|seen| seen.replay(wall)))
}

impl From<Outcome> for MarketingEffect {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Set => Self::Set,
            Outcome::Kept => Self::Kept,
            Outcome::Unchanged | Outcome::Queued => Self::Unchanged,
        }
    }
}

impl Submitted {
    fn accepted() -> Self {
        let (contact, marketing) = (ContactEffect::Accepted, MarketingEffect::Accepted);
        Self { contact, marketing, reason: None, duplicate: false }
    }

    fn rejected(reason: String) -> Self {
        let (contact, marketing) = (ContactEffect::Rejected, MarketingEffect::NotSet);
        Self { contact, marketing, reason: Some(reason), duplicate: false }
    }
}

impl DeliveryItem {
    /// What came of the delivery, if it is still remembered. One that waits is remembered until it is settled.
    fn replay(self, wall: Timestamp) -> Option<Submitted> {
        if self.expires_at.is_some_and(|expires_at| expires_at <= wall.seconds()) {
            return None;
        }
        Some(Submitted {
            contact: self.contact.parse().unwrap_or(ContactEffect::Updated),
            marketing: self.marketing.parse().unwrap_or(MarketingEffect::Unchanged),
            reason: self.reason,
            duplicate: true,
        })
    }
}
