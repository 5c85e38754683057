//! Contacts: the record of one person in one account.

use crate::Timestamp;
use crate::address::EmailAddress;
use crate::decision::{Outcome, Transition};
use crate::filter::{FieldName, Fields, Value};
use crate::ids::{AutomationId, ContactId, ImportId};
use crate::marketing::{ClosedPeriodEnds, EffectiveState, Marketing};
use crate::period::Period;
use crate::property::Properties;
use crate::source::{Actor, Cause, Source};

/// A contact, as settled in the account's current period.
#[derive(Clone, PartialEq, Debug)]
pub struct Contact {
    /// The contact's id.
    pub id: ContactId,
    /// The e-mail address, if the contact has one.
    pub email: Option<EmailAddress>,
    /// The contact's properties.
    pub properties: Properties,
    /// True if the address is unsubscribed from marketing.
    pub unsubscribed: bool,
    /// True if the address has bounced.
    pub bounced: bool,
    /// The marketing state and its history.
    pub marketing: Marketing,
    /// The instant of the contact's creation.
    pub created_at: Timestamp,
    /// The instant of the contact's latest change.
    pub updated_at: Timestamp,
    /// A number that increases with every change.
    pub version: u64,
    /// The instant of the deletion, for a contact that reads do not find but that is still billable.
    pub deleted_at: Option<Timestamp>,
    /// The automations that have acted on the contact since its latest other change, in order. None of them acts again
    /// before another change.
    pub chain: Vec<AutomationId>,
    /// True if no automation enrols the contact by its latest write. An import may ask for that.
    pub unenrolled: bool,
    /// The import that has written the contact last, with its first row for the contact.
    pub imported: Option<Imported>,
    /// The cause of the latest change of properties, address or flags. `None` if it is that of the change of state that
    /// was the latest then (see [`Contact::editor`]).
    pub edited: Option<Cause>,
}

/// The trace of an import on a contact. By it, a later row of the same file recognizes the contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Imported {
    /// The import.
    pub import: ImportId,
    /// The number of its first row that wrote the contact.
    pub row: u64,
}

impl Contact {
    /// Returns true if reads may return the contact.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// Settles the contact if it left at an update date that has passed (see [`Marketing::settle`]). Returns true if
    /// anything changed.
    pub fn settle(&mut self, current: &Period, past: &ClosedPeriodEnds) -> bool {
        let settled = self.marketing.settle(current, past);
        if settled {
            self.touch(self.marketing.since.max(self.updated_at));
        }
        settled
    }

    /// Applies a decided transition. The outcome [`Outcome::Unchanged`] leaves the contact unchanged.
    pub fn apply(&mut self, transition: &Transition, now: Timestamp, source: &Source, actor: Actor) {
        if transition.outcome == Outcome::Unchanged {
            return;
        }
        let Transition { from, to, stored_state, .. } = *transition;
        // A request that arrived earlier but is applied later must not reverse the order of the history.
        let at = now.max(self.updated_at);
        self.marketing.change(stored_state, from, to, at, source.clone(), actor);
        self.touch(at);
    }

    /// Applies a transition that an automation decided.
    pub fn apply_automation(
        &mut self,
        transition: &Transition,
        now: Timestamp,
        source: &Source,
        automation: AutomationId,
    ) {
        if transition.outcome == Outcome::Unchanged {
            return;
        }
        let mut chain = std::mem::take(&mut self.chain);
        chain.retain(|earlier| *earlier != automation);
        chain.push(automation);
        self.apply(transition, now, source, Actor::Automation(automation));
        self.chain = chain;
    }

    /// Records a change at `now`: sets `updated_at`, increases the version and ends the chain of automations.
    pub fn touch(&mut self, now: Timestamp) {
        self.chain.clear();
        self.unenrolled = false;
        self.updated_at = now.max(self.updated_at);
        self.version = self.version.saturating_add(1);
    }

    /// Records the cause of a change of properties, address or flags, which this write contains.
    pub fn edit(&mut self, source: &Source, actor: Actor) {
        self.edited = Some(Cause { source: source.clone(), actor });
    }

    /// Returns the cause of the change of properties, address or flags that the contact's latest write contains, if it
    /// contains one.
    #[must_use]
    pub fn editor(&self) -> Option<Cause> {
        self.edited.clone().or_else(|| {
            let last = self.marketing.history.recent.last()?;
            Some(Cause { source: last.source.clone(), actor: last.actor })
        })
    }

    /// Returns the first row of this import that wrote the contact. `None` if another import has written it since, or
    /// this one never has.
    #[must_use]
    pub fn row_of(&self, import: ImportId) -> Option<u64> {
        self.imported.filter(|imported| imported.import == import).map(|imported| imported.row)
    }

    /// Returns true if two images of a contact show the same to callers. The versions may differ.
    #[must_use]
    pub fn shows_the_same_as(&self, other: &Self) -> bool {
        let data = |contact: &Self| {
            (contact.id, contact.unsubscribed, contact.bounced, contact.created_at, contact.deleted_at)
        };
        data(self) == data(other)
            && self.email == other.email
            && self.properties == other.properties
            && self.marketing == other.marketing
    }

    /// Returns the effective state of a settled contact. The store returns settled contacts only.
    #[must_use]
    pub fn state(&self) -> EffectiveState {
        match self.marketing.stored_state {
            crate::marketing::StoredState::NonMarketing => EffectiveState::NonMarketing,
            crate::marketing::StoredState::Marketing => EffectiveState::Marketing,
            crate::marketing::StoredState::Leaving { .. } => EffectiveState::Leaving,
        }
    }
}

impl Fields for Contact {
    fn field(&self, name: &FieldName) -> Option<Value<'_>> {
        let flag = |set: bool| Some(Value::Text(if set { "true" } else { "false" }));
        match name {
            FieldName::Email => self.email.as_ref().map(|email| Value::Text(email.given())),
            FieldName::Unsubscribed => flag(self.unsubscribed),
            FieldName::Bounced => flag(self.bounced),
            FieldName::CreatedAt => Some(Value::Instant(self.created_at)),
            FieldName::UpdatedAt => Some(Value::Instant(self.updated_at)),
            FieldName::HsMarketableStatus => flag(self.state().is_billable()),
            FieldName::HsMarketableUntilRenewal => flag(self.state() == EffectiveState::Leaving),
            FieldName::HsMarketableReasonType => Some(Value::Text(self.marketing.source.kind.as_str())),
            FieldName::HsMarketableReasonId => self.marketing.source.id.as_deref().map(Value::Text),
            FieldName::HsObjectId => Some(Value::Id(self.id)),
            FieldName::Property(name) => self.properties.get(name.as_str()).map(Value::Text),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::decision::{Command, Ledger};
    use crate::marketing::StoredState;
    use crate::period::tests::period;
    use crate::source::SourceType;

    /// Returns a contact with an address and this stored state.
    pub(crate) fn contact(stored_state: StoredState, state: EffectiveState) -> Contact {
        let source =
            Source { kind: SourceType::Form, name: "Newsletter".to_owned(), id: Some("frm".to_owned()) };
        let created_at = Timestamp::from_millis(1_000);
        Contact {
            id: ContactId::new(created_at, 1),
            email: EmailAddress::parse("Ada@example.org").ok(),
            properties: Properties::new(),
            unsubscribed: false,
            bounced: true,
            marketing: Marketing::new(stored_state, state, created_at, source, Actor::System),
            created_at,
            updated_at: created_at,
            version: 1,
            deleted_at: None,
            chain: Vec::new(),
            unenrolled: false,
            imported: None,
            edited: None,
        }
    }

    #[test]
    fn change_adds_one_version_and_one_history_entry() {
        let period = period();
        let mut person = contact(StoredState::Marketing, EffectiveState::Marketing);
        let now = Timestamp::from_millis(9_000);
        let source = Source { kind: SourceType::Manual, name: "Ada".to_owned(), id: None };
        let mut ledger = Ledger::new(&period);
        for (command, version) in [(Command::SetMarketing, 1), (Command::SetNonMarketingPending, 2)] {
            let transition = ledger.decide(person.marketing.stored_state, command, source.kind).unwrap();
            person.apply(&transition, now, &source, Actor::System);
            assert_eq!((person.version, person.marketing.history.recent.len() as u64), (version, version));
        }
        assert_eq!(
            (person.state(), person.marketing.since, person.updated_at),
            (EffectiveState::Leaving, now, now)
        );
        assert_eq!(person.marketing.source, source);
    }

    #[test]
    fn deleted_contact_is_not_visible() {
        let mut person = contact(StoredState::Marketing, EffectiveState::Marketing);
        assert!(person.is_visible());
        person.deleted_at = Some(Timestamp::from_millis(9_000));
        assert!(!person.is_visible());
    }

    #[test]
    fn filter_fields_read_the_documented_values() {
        let person = contact(StoredState::Leaving { queued_in: period().number }, EffectiveState::Leaving);
        for (name, value) in [
            ("email", Some("Ada@example.org")),
            ("unsubscribed", Some("false")),
            ("bounced", Some("true")),
            ("created_at", Some("1970-01-01T00:00:01.000Z")),
            ("updated_at", Some("1970-01-01T00:00:01.000Z")),
            ("hs_marketable_status", Some("true")),
            ("hs_marketable_until_renewal", Some("true")),
            ("hs_marketable_reason_type", Some("form")),
            ("hs_marketable_reason_id", Some("frm")),
            ("hs_object_id", None),
            ("firstname", None),
        ] {
            let field: FieldName = name.parse().unwrap();
            let expected = match field {
                FieldName::CreatedAt | FieldName::UpdatedAt => {
                    value.map(|at| Value::Instant(at.parse().unwrap()))
                }
                FieldName::HsObjectId => Some(Value::Id(person.id)),
                _ => value.map(Value::Text),
            };
            assert_eq!(person.field(&field), expected, "{name}");
        }
    }
}
