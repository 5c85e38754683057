//! The person behind a submission, and the effect that a submission had.

use domain::address::EmailAddress;
use domain::decision::Outcome;
use domain::property::PropertyName;
use domain::text::words;

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
    /// Returns the effect of a submission that waits in the inbox.
    pub(crate) fn accepted() -> Self {
        let (contact, marketing) = (ContactEffect::Accepted, MarketingEffect::Accepted);
        Self { contact, marketing, reason: None, duplicate: false }
    }

    /// Returns the effect of a submission that is kept among the rejected.
    pub(crate) fn rejected(reason: String) -> Self {
        let (contact, marketing) = (ContactEffect::Rejected, MarketingEffect::NotSet);
        Self { contact, marketing, reason: Some(reason), duplicate: false }
    }
}
