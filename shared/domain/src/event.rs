//! Domain events: what happened, as the change feed derives it from written items.
//!
//! An event contains ids and numbers only. An address or the value of a property is never part of one. A reader who may
//! know it asks for it by the id.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::Timestamp;
use crate::bulk::Summary;
use crate::digest::hex;
use crate::ids::{AccountId, AutomationId, ContactId, FormId, JobId, SegmentId};
use crate::marketing::EffectiveState;
use crate::period::{PeriodNumber, Statement};
use crate::source::{Actor, SourceType};
use crate::string_enum::string_enum;

string_enum! {
    /// The type of an event.
    pub enum EventType {
        /// A contact exists, or a deleted one is back.
        ContactCreated = "contact.created",
        /// A contact's properties, address or flags changed.
        ContactUpdated = "contact.updated",
        /// A contact is deleted: reads do not find it any more.
        ContactDeleted = "contact.deleted",
        /// No data of a deleted contact remains, because it was erased or because its deletion is complete.
        ContactErased = "contact.erased",
        /// A contact was set as marketing.
        MarketingSet = "contact.marketing.set",
        /// A contact was queued to leave.
        MarketingQueued = "contact.marketing.queued",
        /// A leaving contact was kept.
        MarketingKept = "contact.marketing.kept",
        /// A contact left at an update date.
        MarketingLeft = "contact.marketing.left",
        /// A period closed.
        PeriodClosed = "period.closed",
        /// The usage reached a share of the tier limit.
        ThresholdCrossed = "usage.threshold-crossed",
        /// The usage raised the tier limit.
        LimitRaised = "usage.limit-raised",
        /// The usage reached the cap.
        CapReached = "usage.cap-reached",
        /// A form's submission was applied.
        FormSubmitted = "form.submitted",
        /// A form's submission was rejected.
        FormRejected = "form.rejected",
        /// A contact became a member of a static list.
        MemberAdded = "segment.member-added",
        /// A contact is no longer a member of a static list.
        MemberRemoved = "segment.member-removed",
        /// A bulk job does no further work.
        JobFinished = "job.finished",
        /// An automation's brake paused it.
        AutomationPaused = "automation.paused",
    }
}

impl EventType {
    /// Returns true if events of the type are stored as notices. They are rare. The others are as frequent as changes,
    /// so storing them would cost as much again as the changes.
    #[must_use]
    pub fn is_notice(self) -> bool {
        match self {
            Self::PeriodClosed
            | Self::ThresholdCrossed
            | Self::LimitRaised
            | Self::CapReached
            | Self::JobFinished
            | Self::AutomationPaused => true,
            Self::ContactCreated
            | Self::ContactUpdated
            | Self::ContactDeleted
            | Self::ContactErased
            | Self::MarketingSet
            | Self::MarketingQueued
            | Self::MarketingKept
            | Self::MarketingLeft
            | Self::FormSubmitted
            | Self::FormRejected
            | Self::MemberAdded
            | Self::MemberRemoved => false,
        }
    }
}

/// The number of bytes of an event's id: enough that two events never share one.
const ID_BYTES: usize = 16;

/// The id of an event. It follows from what happened, so a record that is read twice gives the same event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId([u8; ID_BYTES]);

/// The error for a text that is not the id of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an event's id: 32 hexadecimal digits in lower case")]
pub struct EventIdError;

impl EventId {
    /// Returns the id of the event that these texts identify.
    #[must_use]
    pub fn of(texts: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for text in texts {
            // The length separates a text from the next one.
            digest.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(text);
        }
        let mut id = [0; ID_BYTES];
        id.iter_mut().zip(digest.finalize()).for_each(|(byte, digest)| *byte = digest);
        Self(id)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut id = [0; ID_BYTES];
        for (byte, at) in id.iter_mut().zip((0..).step_by(2)) {
            let digits = text.get(at..at + 2).ok_or(EventIdError)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| EventIdError)?;
        }
        let id = Self(id);
        // An id has one spelling only.
        if id.to_string() == text { Ok(id) } else { Err(EventIdError) }
    }
}

/// A change of a contact's state by a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateChange {
    /// The contact.
    pub contact: ContactId,
    /// The state before. `None` if the contact did not exist.
    pub from: Option<EffectiveState>,
    /// The state after.
    pub to: EffectiveState,
    /// The type of the source.
    pub source: SourceType,
    /// The id of the source.
    pub source_id: Option<String>,
    /// The actor.
    pub actor: Actor,
    /// The period in which it happened, if the contact's item names it: it does for leaving contacts.
    pub period: Option<PeriodNumber>,
}

/// The content of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Happening {
    /// See [`EventType::ContactCreated`].
    ContactCreated {
        /// The contact.
        contact: ContactId,
        /// The version of its item.
        version: u64,
    },
    /// See [`EventType::ContactUpdated`].
    ContactUpdated {
        /// The contact.
        contact: ContactId,
        /// The version of its item.
        version: u64,
        /// The names of the properties that changed, and `email`, `unsubscribed` or `bounced`.
        properties: Vec<String>,
    },
    /// See [`EventType::ContactDeleted`].
    ContactDeleted {
        /// The contact.
        contact: ContactId,
    },
    /// See [`EventType::ContactErased`].
    ContactErased {
        /// The contact.
        contact: ContactId,
    },
    /// See [`EventType::MarketingSet`].
    MarketingSet(StateChange),
    /// See [`EventType::MarketingQueued`].
    MarketingQueued(StateChange),
    /// See [`EventType::MarketingKept`].
    MarketingKept(StateChange),
    /// See [`EventType::MarketingLeft`].
    MarketingLeft {
        /// The contact.
        contact: ContactId,
        /// The period at whose end it left.
        period: Option<PeriodNumber>,
    },
    /// See [`EventType::PeriodClosed`].
    PeriodClosed(Statement),
    /// See [`EventType::ThresholdCrossed`].
    ThresholdCrossed {
        /// The period.
        period: PeriodNumber,
        /// The share in percent.
        threshold: u8,
        /// The usage.
        usage: u64,
        /// The limit at the beginning of the period, of which it is a share.
        limit: u64,
    },
    /// See [`EventType::LimitRaised`].
    LimitRaised {
        /// The period.
        period: PeriodNumber,
        /// The usage.
        usage: u64,
        /// The raised limit.
        limit: u64,
    },
    /// See [`EventType::CapReached`].
    CapReached {
        /// The period.
        period: PeriodNumber,
        /// The usage.
        usage: u64,
        /// The cap.
        cap: u64,
    },
    /// See [`EventType::FormSubmitted`].
    FormSubmitted {
        /// The form.
        form: FormId,
        /// The contact. `None` for deliveries that were applied before their items named it.
        contact: Option<ContactId>,
        /// True for another version of a delivery that was applied before.
        is_edit: bool,
        /// The reason for which the form did not set the contact as marketing.
        reason: Option<String>,
    },
    /// See [`EventType::FormRejected`].
    FormRejected {
        /// The form.
        form: FormId,
        /// The reason.
        reason: String,
    },
    /// See [`EventType::MemberAdded`].
    MemberAdded {
        /// The list.
        segment: SegmentId,
        /// The contact.
        contact: ContactId,
    },
    /// See [`EventType::MemberRemoved`].
    MemberRemoved {
        /// The list.
        segment: SegmentId,
        /// The contact.
        contact: ContactId,
    },
    /// See [`EventType::JobFinished`].
    JobFinished {
        /// The job.
        job: JobId,
        /// Its state, as responses name it.
        state: &'static str,
        /// The number of contacts that matched.
        matched: Option<u64>,
        /// The outcomes.
        summary: Summary,
    },
    /// See [`EventType::AutomationPaused`].
    AutomationPaused {
        /// The automation.
        automation: AutomationId,
        /// The number of contacts that were enrolled within the hour.
        enrolled: u64,
    },
}

/// An event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// The id, the same for every reading of the same record.
    pub id: EventId,
    /// The account.
    pub account: AccountId,
    /// The account's instant at which it happened. `None` if the written item does not contain it.
    pub at: Option<Timestamp>,
    /// The content.
    pub what: Happening,
}

/// A fact that a notice shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// A number.
    Number(u64),
    /// An id, an instant, or the text of an enum.
    Text(String),
}

impl Happening {
    /// Returns the type.
    #[must_use]
    pub fn kind(&self) -> EventType {
        match self {
            Self::ContactCreated { .. } => EventType::ContactCreated,
            Self::ContactUpdated { .. } => EventType::ContactUpdated,
            Self::ContactDeleted { .. } => EventType::ContactDeleted,
            Self::ContactErased { .. } => EventType::ContactErased,
            Self::MarketingSet(_) => EventType::MarketingSet,
            Self::MarketingQueued(_) => EventType::MarketingQueued,
            Self::MarketingKept(_) => EventType::MarketingKept,
            Self::MarketingLeft { .. } => EventType::MarketingLeft,
            Self::PeriodClosed(_) => EventType::PeriodClosed,
            Self::ThresholdCrossed { .. } => EventType::ThresholdCrossed,
            Self::LimitRaised { .. } => EventType::LimitRaised,
            Self::CapReached { .. } => EventType::CapReached,
            Self::FormSubmitted { .. } => EventType::FormSubmitted,
            Self::FormRejected { .. } => EventType::FormRejected,
            Self::MemberAdded { .. } => EventType::MemberAdded,
            Self::MemberRemoved { .. } => EventType::MemberRemoved,
            Self::JobFinished { .. } => EventType::JobFinished,
            Self::AutomationPaused { .. } => EventType::AutomationPaused,
        }
    }

    /// Returns the facts that a notice of this shows. Events that are no notices have none.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, Fact)> {
        let number = |name, number: u64| (name, Fact::Number(number));
        let text = |name, text: &dyn ToString| (name, Fact::Text(text.to_string()));
        match self {
            Self::PeriodClosed(closed) => vec![
                number("period", closed.number.number()),
                text("starts_at", &closed.starts_at),
                text("ends_at", &closed.ends_at),
                number("marketing", closed.marketing),
                number("left", closed.left),
                number("tier_limit", closed.tier_limit),
            ],
            Self::ThresholdCrossed { period, threshold, usage, limit } => vec![
                number("period", period.number()),
                number("threshold", (*threshold).into()),
                number("marketing", *usage),
                number("tier_limit", *limit),
            ],
            Self::LimitRaised { period, usage, limit } => vec![
                number("period", period.number()),
                number("marketing", *usage),
                number("tier_limit", *limit),
            ],
            Self::CapReached { period, usage, cap } => {
                vec![number("period", period.number()), number("marketing", *usage), number("cap", *cap)]
            }
            Self::JobFinished { job, state, matched, summary } => {
                let outcomes = [("set", summary.set), ("kept", summary.kept), ("queued", summary.queued)];
                let matched = matched.map(|matched| number("matched", matched));
                let facts = [text("job_id", job), text("state", state)].into_iter().chain(matched);
                facts.chain(outcomes.map(|(name, contacts)| number(name, contacts))).collect()
            }
            Self::AutomationPaused { automation, enrolled } => {
                vec![text("automation_id", automation), number("enrolled", *enrolled)]
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_follows_from_its_texts_and_their_bounds() {
        let id = EventId::of(&["ACCOUNT#1", "PERIOD", "7"]);
        assert_eq!(id, EventId::of(&["ACCOUNT#1", "PERIOD", "7"]));
        for other in [&["ACCOUNT#1", "PERIOD7"][..], &["ACCOUNT#1PERIOD", "", "7"], &["ACCOUNT#1", "PERIOD"]]
        {
            assert_ne!(id, EventId::of(other));
        }
        assert_eq!(id.to_string().parse(), Ok(id));
        let upper = id.to_string().to_uppercase();
        for text in ["", "0", "zz", &upper, &format!("{id}0"), "é234567890123456789012345678901"] {
            assert_eq!(text.parse::<EventId>(), Err(EventIdError), "{text}");
        }
    }

    #[test]
    fn every_notice_shows_facts_and_no_other_event_does() {
        let number = PeriodNumber::FIRST;
        let crossed = Happening::ThresholdCrossed { period: number, threshold: 75, usage: 76, limit: 100 };
        assert!(crossed.kind().is_notice());
        assert_eq!(
            crossed.facts(),
            [
                ("period", Fact::Number(1)),
                ("threshold", Fact::Number(75)),
                ("marketing", Fact::Number(76)),
                ("tier_limit", Fact::Number(100)),
            ]
        );
        let contact: ContactId = "7777".parse().unwrap();
        let left = Happening::MarketingLeft { contact, period: Some(number) };
        assert!(!left.kind().is_notice() && left.facts().is_empty());
        let notices = EventType::ALL.iter().filter(|kind| kind.is_notice()).count();
        assert_eq!(notices, 6);
    }
}
