//! Form submissions: the contact, the count and the delivery's id in one transaction.

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::decision::Outcome;
use domain::ids::ContactId;
use domain::limits::DELIVERY_KEPT;
use domain::property::PropertyName;
use domain::source::{Actor, Intake, Source, SourceType};
use domain::text::words;

use crate::StoreError;
use crate::contacts::{Decided, Wish};
use crate::forms::Form;
use crate::items::DeliveryItem;
use crate::keys::Key;
use crate::store::Store;
use crate::transaction::{Part, Transaction};

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

words! {
    /// What a submission did to the person's record.
    pub enum ContactEffect {
        /// It was made.
        Created = "created",
        /// It was there.
        Updated = "updated",
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
    }
}

/// What came of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// To the person's record.
    pub contact: ContactEffect,
    /// To the person's marketing state.
    pub marketing: MarketingEffect,
    /// Why the form could not set the person marketing, though it would.
    pub reason: Option<String>,
    /// Whether the delivery had been accepted before; the rest is then what came of it the first time.
    pub duplicate: bool,
}

impl Submission<'_> {
    /// What the form wishes of the person.
    fn wish<'w>(&'w self, source: &'w Source) -> Wish<'w> {
        Wish {
            email: Some(self.email),
            properties: self.properties,
            unsubscribed: None,
            bounced: None,
            status: Intake::Form { set_marketing: self.form.set_marketing.unwrap_or(true) }.default_status(),
            source,
            actor: Actor::Form(self.form.id),
        }
    }

    fn delivery(&self) -> Option<Key> {
        self.submission_id.map(|id| Key::delivery(self.form.account, self.form.id, id))
    }
}

impl Store {
    /// Takes a form's submission. A delivery that was accepted before changes nothing.
    ///
    /// Over the cap the person is kept as a non-marketing contact.
    ///
    /// # Errors
    ///
    /// [`crate::Refused::Invalid`] when the properties would be too many or too long.
    pub async fn submit(
        &self,
        submission: &Submission<'_>,
        wall: Timestamp,
    ) -> Result<Submitted, StoreError> {
        let mut retries = self.retries();
        let account = submission.form.account;
        let source = Source {
            kind: SourceType::Form,
            name: submission.form.name.clone(),
            id: Some(submission.form.id.to_string()),
        };
        loop {
            let keys = submission.delivery().into_iter().chain([Key::address(account, submission.email)]);
            let mut opened = self.open(account, wall, keys.collect(), &mut retries).await?;
            if let Some(key) = submission.delivery()
                && let Some(seen) =
                    opened.items.take::<DeliveryItem>(&key)?.and_then(|seen| seen.replay(wall))
            {
                return Ok(seen);
            }
            let found = self.find(account, Some(submission.email), &mut opened, wall, &mut retries).await?;
            let Some(found) = found else {
                retries.again("the address moved during a read").await?;
                continue;
            };
            let new_id = ContactId::new(opened.now, self.entropy().bits());
            let decided = submission.wish(&source).decide(found, &opened.period, opened.now, new_id)?;
            let submitted = Submitted::of(&decided);
            let mut transaction = Transaction::new(self.entropy());
            let gone = decided.replaced();
            self.write(&mut transaction, account, &opened.period, decided, &mut retries).await?;
            if let Some(key) = submission.delivery() {
                let item = submitted.remembered(wall);
                transaction.put(Part::Delivery, self.put_new_or_expired(key, &item, wall)?);
            }
            if self.commit(transaction, &mut retries).await? {
                self.forget_history(account, gone, &mut retries).await?;
                return Ok(submitted);
            }
        }
    }
}

impl Submitted {
    fn of(decided: &Decided) -> Self {
        let contact = if decided.created { ContactEffect::Created } else { ContactEffect::Updated };
        let (marketing, reason) = match decided.status {
            Some(Ok(Outcome::Set)) => (MarketingEffect::Set, None),
            Some(Ok(Outcome::Kept)) => (MarketingEffect::Kept, None),
            Some(Ok(Outcome::Unchanged | Outcome::Queued)) => (MarketingEffect::Unchanged, None),
            Some(Err(refusal)) => (MarketingEffect::NotSet, Some(refusal.as_str().to_owned())),
            None if decided.created && !decided.contact.state().is_billable() => {
                (MarketingEffect::NotSet, None)
            }
            None => (MarketingEffect::Unchanged, None),
        };
        Self { contact, marketing, reason, duplicate: false }
    }

    fn remembered(&self, wall: Timestamp) -> DeliveryItem {
        DeliveryItem {
            contact: self.contact.to_string(),
            marketing: self.marketing.to_string(),
            reason: self.reason.clone(),
            expires_at: wall.plus(DELIVERY_KEPT).seconds(),
        }
    }
}

impl DeliveryItem {
    /// What came of the delivery, if it is still remembered.
    fn replay(self, wall: Timestamp) -> Option<Submitted> {
        if self.expires_at <= wall.seconds() {
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
