//! The contact of a submission, and the submission's effect.

use domain::address::EmailAddress;
use domain::decision::Outcome;
use domain::property::PropertyName;
use domain::string_enum::string_enum;

/// The contact of a submission, as its sender describes it. It is not `Debug`, because it contains personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The address.
    pub email: EmailAddress,
    /// The submitted properties: those to set, and those to remove, which have no value.
    pub properties: Vec<(PropertyName, Option<String>)>,
}

string_enum! {
    /// The effect of a submission on the contact's record.
    pub enum ContactEffect {
        /// It was created.
        Created = "created",
        /// It existed, and was updated.
        Updated = "updated",
        /// None yet: the submission waits in the inbox.
        Accepted = "accepted",
        /// None: the submission is rejected, and stored so that the account can check it.
        Rejected = "rejected",
    }
}

string_enum! {
    /// The effect of a submission on the contact's marketing state.
    pub enum MarketingEffect {
        /// Non-marketing became marketing.
        Set = "set",
        /// A leaving contact stays a marketing contact.
        Kept = "kept",
        /// It did not change.
        Unchanged = "unchanged",
        /// The contact is stored as non-marketing.
        NotSet = "not_set",
        /// None yet: the submission waits in the inbox.
        Accepted = "accepted",
    }
}

/// The effect of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The effect on the contact's record.
    pub contact: ContactEffect,
    /// The effect on the contact's marketing state.
    pub marketing: MarketingEffect,
    /// The reason for which the form could not set the contact marketing, or for which the submission was rejected.
    pub reason: Option<String>,
    /// True if the delivery had been accepted before; the rest is then its effect the first time.
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

    /// Returns the effect of a rejected submission.
    pub(crate) fn rejected(reason: String) -> Self {
        let (contact, marketing) = (ContactEffect::Rejected, MarketingEffect::NotSet);
        Self { contact, marketing, reason: Some(reason), duplicate: false }
    }
}
