//! A person's record in one account.

use std::borrow::Cow;

use crate::Timestamp;
use crate::address::EmailAddress;
use crate::decision::{Outcome, Transition};
use crate::filter::{FieldName, Fields};
use crate::ids::ContactId;
use crate::marketing::{Marketing, PastEnds, State};
use crate::period::Period;
use crate::property::Properties;
use crate::source::{Actor, Source};

/// A contact as the account's current period shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct Contact {
    /// Which one.
    pub id: ContactId,
    /// Its address, if it has one.
    pub email: Option<EmailAddress>,
    /// What is known of the person.
    pub properties: Properties,
    /// The address is unsubscribed from marketing.
    pub unsubscribed: bool,
    /// The address has bounced.
    pub bounced: bool,
    /// Its marketing side.
    pub marketing: Marketing,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Grows with every change.
    pub version: u64,
    /// When it was deleted, for a contact that is gone from reads but still billable.
    pub deleted_at: Option<Timestamp>,
}

impl Contact {
    /// Whether reads may show it.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// Makes explicit that it left at an update date that has passed (see [`Marketing::settle`]).
    pub fn settle(&mut self, current: &Period, past: &PastEnds) -> bool {
        let settled = self.marketing.settle(current, past);
        if settled {
            self.touch(self.marketing.since.max(self.updated_at));
        }
        settled
    }

    /// Makes a decided change. A transition that changes nothing leaves the contact as it is.
    pub fn apply(&mut self, transition: &Transition, now: Timestamp, source: &Source, actor: Actor) {
        if transition.outcome == Outcome::Unchanged {
            return;
        }
        let Transition { from, to, standing, .. } = *transition;
        self.marketing.change(standing, from, to, now, source.clone(), actor);
        self.touch(now);
    }

    /// Notes that it changed at `now`.
    pub fn touch(&mut self, now: Timestamp) {
        self.updated_at = now;
        self.version = self.version.saturating_add(1);
    }

    /// The state that its standing shows. Meaningful on a settled contact, as the store returns them.
    #[must_use]
    pub fn state(&self) -> State {
        match self.marketing.standing {
            crate::marketing::Standing::NonMarketing => State::NonMarketing,
            crate::marketing::Standing::Marketing => State::Marketing,
            crate::marketing::Standing::Leaving { .. } => State::Leaving,
        }
    }
}

impl Fields for Contact {
    fn field(&self, name: &FieldName) -> Option<Cow<'_, str>> {
        let flag = |set: bool| Some(Cow::Borrowed(if set { "true" } else { "false" }));
        match name {
            FieldName::Email => self.email.as_ref().map(|email| Cow::Borrowed(email.given())),
            FieldName::Unsubscribed => flag(self.unsubscribed),
            FieldName::Bounced => flag(self.bounced),
            FieldName::CreatedAt => Some(Cow::Owned(self.created_at.to_string())),
            FieldName::UpdatedAt => Some(Cow::Owned(self.updated_at.to_string())),
            FieldName::HsMarketableStatus => flag(self.state().is_billable()),
            FieldName::HsMarketableUntilRenewal => flag(self.state() == State::Leaving),
            FieldName::HsMarketableReasonType => Some(Cow::Borrowed(self.marketing.source.kind.as_str())),
            FieldName::HsMarketableReasonId => self.marketing.source.id.as_deref().map(Cow::Borrowed),
            FieldName::Property(name) => self.properties.get(name.as_str()).map(Cow::Borrowed),
        }
    }
}
