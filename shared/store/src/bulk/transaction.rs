//! One transaction of a bulk job: the decisions for the next contacts.

use domain::Timestamp;
use domain::bulk::Summary;
use domain::decision::{Command, CountChange, Ledger, Outcome};
use domain::ids::ContactId;
use domain::limits::{BULK_DECIDED_MAX, CONTACTS_PER_TRANSACTION_MAX, TRANSACTION_BYTES_MAX};
use domain::period::Period;
use domain::source::{Actor, Source};

use super::audience::Memberships;
use super::scan::Candidate;
use crate::contacts::{Loaded, approximate_bytes};

/// The command of a job, with the origin that histories show.
pub(super) struct Order {
    pub(super) command: Command,
    pub(super) source: Source,
    pub(super) actor: Actor,
}

/// The decisions of one transaction.
pub(super) struct Decisions<'p> {
    ledger: Ledger<'p>,
    pub(super) changed: Vec<Loaded>,
    /// The selected contacts with a decision, which are decided again if the transaction is not applied.
    pub(super) decided: Vec<(ContactId, Memberships)>,
    pub(super) summary: Summary,
    /// The contact up to which all contacts are decided or not selected.
    pub(super) place: Option<ContactId>,
    bytes: usize,
}

/// The result for one candidate.
pub(super) enum Decision {
    /// The candidate is decided.
    Decided,
    /// The transaction is full. The candidate belongs to the next one.
    Full(Candidate),
    /// The candidate is refused, and its read may be older than the period's. It must be read again.
    Doubtful(Candidate),
}

impl<'p> Decisions<'p> {
    pub(super) fn new(period: &'p Period) -> Self {
        Self {
            ledger: Ledger::new(period),
            changed: Vec::new(),
            decided: Vec::new(),
            summary: Summary::default(),
            place: None,
            bytes: 0,
        }
    }

    /// Returns true if no further contact can be added.
    pub(super) fn is_full(&self) -> bool {
        self.changed.len() >= CONTACTS_PER_TRANSACTION_MAX || self.decided.len() >= BULK_DECIDED_MAX
    }

    /// Records a contact that is not selected.
    pub(super) fn skip(&mut self, contact: ContactId) {
        self.place = Some(contact);
    }

    /// Decides the command for a selected, settled candidate. `is_confirmed` is true if a refusal is final.
    ///
    /// A refusal is final only if the period had no capacity before this transaction. If the transaction is not
    /// applied, its contacts may need fewer places.
    pub(super) fn decide(
        &mut self,
        candidate: Candidate,
        order: &Order,
        now: Timestamp,
        is_confirmed: bool,
    ) -> Decision {
        let contact = &candidate.loaded.contact;
        let bytes = approximate_bytes(contact);
        if self.bytes + bytes > TRANSACTION_BYTES_MAX && !self.changed.is_empty() {
            return Decision::Full(candidate);
        }
        let is_first = self.ledger.delta().is_zero();
        let decision = self.ledger.decide(contact.marketing.stored_state, order.command, order.source.kind);
        match &decision {
            // A refusal leaves the ledger unchanged.
            Err(_) if !is_first => return Decision::Full(candidate),
            Err(_) if !is_confirmed => return Decision::Doubtful(candidate),
            _ => {}
        }
        self.summary.add(&decision);
        let Candidate { mut loaded, lists, .. } = candidate;
        self.place = Some(loaded.contact.id);
        self.decided.push((loaded.contact.id, lists));
        if let Ok(transition) = decision.as_ref()
            && transition.outcome != Outcome::Unchanged
        {
            loaded.contact.apply(transition, now, &order.source, order.actor);
            self.bytes += bytes;
            self.changed.push(loaded);
        }
        Decision::Decided
    }

    /// Returns the change of the period's counts.
    pub(super) fn count_change(&self) -> CountChange {
        self.ledger.count_change()
    }
}
