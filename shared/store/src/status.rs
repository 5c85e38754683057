//! Status commands, which set contacts marketing or queue them to leave.

use std::collections::{HashMap, HashSet, VecDeque};

use domain::Timestamp;
use domain::contact::Contact;
use domain::decision::{Command, CountChange, Ledger, Outcome, Refusal};
use domain::ids::{AccountId, ContactId};
use domain::limits::{CONTACTS_PER_TRANSACTION_MAX, TRANSACTION_BYTES_MAX};
use domain::period::{Delta, Period};
use domain::source::{Actor, Source};

use crate::contacts::{ContactRef, Loaded, approximate_bytes};
use crate::items::PartResultItem;
use crate::operation::Operation;
use crate::periods::{PeriodSnapshot, RefusalCheck};
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{Refused, Responder, StoreError, StoredResponse};

/// One status command for many contacts.
#[derive(Clone, Debug)]
pub struct StatusRequest<'a> {
    /// The account.
    pub account: AccountId,
    /// The command.
    pub command: Command,
    /// The contacts, in the order in which the capacity under a cap is used.
    pub contacts: &'a [ContactRef],
    /// True if the command is only decided and no contact is written.
    pub dry_run: bool,
    /// The source that the history shows.
    pub source: Source,
    /// The actor that the history shows.
    pub actor: Actor,
}

/// The result of a status command.
#[derive(Clone, Debug)]
pub struct StatusReport {
    /// The results, one for each contact of the request, in its order.
    pub results: Vec<StatusResult>,
    /// The period, with its counts after the command.
    pub period: Period,
}

/// The result for one contact. `Debug` does not show the address.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusResult {
    /// The contact's id, if it was found or named by id.
    pub id: Option<ContactId>,
    /// The contact's address.
    pub email: Option<String>,
    /// The outcome.
    pub outcome: StatusOutcome,
}

impl std::fmt::Debug for StatusResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, outcome, .. } = self;
        f.debug_struct("StatusResult").field("id", id).field("outcome", outcome).finish_non_exhaustive()
    }
}

/// The outcome for one contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusOutcome {
    /// The command was applied, or the contact had the desired state already.
    Done(Outcome),
    /// The command was refused, and the contact did not change.
    Refused(Refusal),
    /// There is no such contact.
    NotFound,
}

/// The fixed part of a status command.
struct Plan<'a> {
    request: &'a StatusRequest<'a>,
    responder: Responder<'a, StatusReport>,
    /// The contact that each entry of the request names.
    ids: Vec<Option<ContactId>>,
    /// The entries that name each contact.
    named: HashMap<ContactId, Vec<&'a ContactRef>>,
}

/// The state of a status command between its transactions.
struct Progress {
    /// The contacts without a result, each once, in order.
    waiting: VecDeque<ContactId>,
    /// The results of the others.
    results: HashMap<ContactId, StatusResult>,
    /// The change that a dry run has decided so far.
    planned: Delta,
    /// True if the command needs, or may need, more than one transaction.
    split: bool,
}

/// The decisions for one transaction.
struct Decisions {
    results: Vec<StatusResult>,
    changed: Vec<Loaded>,
    change: CountChange,
    period_after: Period,
}

impl Store {
    /// Sets contacts marketing, or queues them to leave. The cap limits the number of contacts, in the order of the
    /// request.
    ///
    /// Up to [`CONTACTS_PER_TRANSACTION_MAX`] contacts need one batched read and one transaction. Contacts named by
    /// address need one more batched read, and so does the confirmation of refusals. More contacts need several
    /// transactions. With a claim, each of these stores its results. If the request is cut short and repeated, it
    /// completes the remaining contacts and returns the results of all.
    ///
    /// # Errors
    ///
    /// [`Refused::MarketingContactsOff`]. See also [`StoreError`].
    pub async fn set_status(
        &self,
        request: &StatusRequest<'_>,
        wall_clock: Timestamp,
        responder: Responder<'_, StatusReport>,
    ) -> Result<StoredResponse, StoreError> {
        let ids = self.operation(request.account, wall_clock).resolve(request.contacts).await?;
        let mut named: HashMap<ContactId, Vec<&ContactRef>> = HashMap::new();
        let mut waiting = VecDeque::new();
        for (id, asked) in ids.iter().zip(request.contacts) {
            let Some(id) = *id else { continue };
            let entries = named.entry(id).or_default();
            if entries.is_empty() {
                waiting.push_back(id);
            }
            entries.push(asked);
        }
        // The request decides, not the contacts found: a repeat may find fewer, and must still recall the results.
        let split = request.contacts.len() > CONTACTS_PER_TRANSACTION_MAX;
        let mut progress = Progress { waiting, results: HashMap::new(), planned: Delta::default(), split };
        let plan = Plan { request, responder, ids, named };
        loop {
            let op = self.operation(request.account, wall_clock);
            if let Some(response) = op.advance(&plan, &mut progress).await? {
                return Ok(response);
            }
        }
    }
}

impl Operation<'_> {
    /// Applies the command to the next contacts in one transaction. Returns the response after the last contacts.
    ///
    /// This is not `Operation::mutate`, because an attempt recalls results that the next ones need, and because only
    /// the last transaction has the response.
    async fn advance(
        &self,
        plan: &Plan<'_>,
        progress: &mut Progress,
    ) -> Result<Option<StoredResponse>, StoreError> {
        let check = RefusalCheck::default();
        loop {
            let turn: Vec<ContactId> =
                progress.waiting.iter().copied().take(CONTACTS_PER_TRANSACTION_MAX).collect();
            let keys = plan.responder.key().into_iter().collect();
            let (loaded, mut opened) = self.load(&turn, keys).await?;
            if let Some(response) = plan.responder.replay(&mut opened.items, self.wall_clock)? {
                return Ok(Some(response));
            }
            if !opened.period.marketing_contacts {
                return Err(Refused::MarketingContactsOff.into());
            }
            let bytes: usize = loaded.iter().map(|loaded| approximate_bytes(&loaded.contact)).sum();
            // Half of the limit, because the contacts may have changed their size since an earlier request.
            progress.split |= bytes > TRANSACTION_BYTES_MAX / 2;
            self.recall(plan, progress).await?;
            let decisions = plan.decide(progress, &turn, loaded, &opened);
            if decisions.refuse_any() && check.needs_reread(&opened.period, &self.retries).await? {
                continue;
            }
            let Decisions { results, changed, change, period_after } = decisions;
            let mut transaction = Transaction::default();
            if !plan.request.dry_run && !changed.is_empty() {
                for mut loaded in changed {
                    let stored = Some(loaded.stored_version);
                    self.put_contact(&mut transaction, &mut loaded.contact, stored, &opened.period)?;
                }
                transaction.update(self.count(&opened.period, change)?);
            }
            let mut response = None;
            if progress.is_last(&results) {
                let report = plan.report(progress, &results, period_after);
                let responder = &plan.responder;
                response = Some(responder.attach(self.store, &mut transaction, &report, self.wall_clock)?);
            } else if let (Some(claim), false) = (plan.responder.claim, plan.request.dry_run) {
                let parts: Vec<_> = results.iter().filter_map(StatusResult::to_part).collect();
                self.store.attach_part(&mut transaction, claim, &parts)?;
            }
            if self.store.commit(transaction, &self.retries).await? {
                results.into_iter().for_each(|result| progress.settle(result));
                progress.planned = if plan.request.dry_run { change.delta } else { Delta::default() };
                return Ok(response);
            }
        }
    }

    /// Reads the results of an earlier try of the same request. They are read after the contacts, so they include the
    /// transaction that changed a contact to its present state.
    async fn recall(&self, plan: &Plan<'_>, progress: &mut Progress) -> Result<(), StoreError> {
        if let (Some(claim), true) = (plan.responder.claim, progress.split) {
            let parts = self.store.answer_parts(claim, self.wall_clock).await?;
            parts.into_iter().filter_map(StatusResult::from_part).for_each(|result| progress.settle(result));
        }
        Ok(())
    }
}

impl Decisions {
    fn refuse_any(&self) -> bool {
        self.results.iter().any(|result| matches!(result.outcome, StatusOutcome::Refused(_)))
    }
}

impl Progress {
    /// Returns true if no contact waits after these results.
    fn is_last(&self, results: &[StatusResult]) -> bool {
        let settled: HashSet<ContactId> = results.iter().filter_map(|result| result.id).collect();
        self.waiting.iter().all(|id| settled.contains(id) || self.results.contains_key(id))
    }

    /// Adds a result, and removes the contacts with a result from the front of the queue.
    fn settle(&mut self, result: StatusResult) {
        let Some(id) = result.id else { return };
        self.results.entry(id).or_insert(result);
        while self.waiting.front().is_some_and(|id| self.results.contains_key(id)) {
            self.waiting.pop_front();
        }
    }
}

impl Plan<'_> {
    /// Decides the command for the contacts of a turn, as many as one transaction accepts.
    fn decide(
        &self,
        progress: &Progress,
        turn: &[ContactId],
        loaded: Vec<Loaded>,
        opened: &PeriodSnapshot,
    ) -> Decisions {
        let mut found: HashMap<ContactId, Loaded> =
            loaded.into_iter().map(|loaded| (loaded.contact.id, loaded)).collect();
        let StatusRequest { source, actor, command, .. } = self.request;
        let mut ledger = Ledger::after(&opened.period, progress.planned);
        let (mut results, mut changed, mut bytes) = (Vec::new(), Vec::new(), 0);
        for id in turn.iter().filter(|id| !progress.results.contains_key(id)) {
            let Some(mut loaded) = found.remove(id).filter(|loaded| self.is_named(&loaded.contact)) else {
                results.push(StatusResult { id: Some(*id), email: None, outcome: StatusOutcome::NotFound });
                continue;
            };
            bytes += approximate_bytes(&loaded.contact);
            if bytes > TRANSACTION_BYTES_MAX && !changed.is_empty() {
                break;
            }
            let email = loaded.contact.email.as_ref().map(|email| email.given().to_owned());
            let outcome = match ledger.decide(loaded.contact.marketing.stored_state, *command, source.kind) {
                Ok(transition) => {
                    loaded.contact.apply(&transition, opened.now, source, *actor);
                    if transition.outcome != Outcome::Unchanged {
                        changed.push(loaded);
                    }
                    StatusOutcome::Done(transition.outcome)
                }
                Err(refusal) => StatusOutcome::Refused(refusal),
            };
            results.push(StatusResult { id: Some(*id), email, outcome });
        }
        Decisions { results, changed, change: ledger.count_change(), period_after: ledger.period_after() }
    }

    /// Returns true if the contact is not deleted and an entry of the request still names it.
    fn is_named(&self, contact: &Contact) -> bool {
        let entries = self.named.get(&contact.id).map(Vec::as_slice).unwrap_or_default();
        contact.is_visible() && entries.iter().any(|asked| asked.names(contact))
    }

    /// Returns the results in the order of the request. A contact that is named twice is unchanged the second time.
    fn report(&self, progress: &Progress, latest: &[StatusResult], period: Period) -> StatusReport {
        let latest: HashMap<ContactId, &StatusResult> =
            latest.iter().filter_map(|result| Some((result.id?, result))).collect();
        let mut reported = HashSet::new();
        let results = self.ids.iter().zip(self.request.contacts).map(|(id, asked)| {
            let result = id.and_then(|id| progress.results.get(&id).or_else(|| latest.get(&id).copied()));
            let Some(result) = result.filter(|result| result.outcome != StatusOutcome::NotFound) else {
                return StatusResult::not_found(asked);
            };
            let is_first = reported.insert(result.id);
            match result.outcome {
                StatusOutcome::Done(_) if !is_first => {
                    StatusResult { outcome: StatusOutcome::Done(Outcome::Unchanged), ..result.clone() }
                }
                _ => result.clone(),
            }
        });
        StatusReport { results: results.collect(), period }
    }
}

impl StatusResult {
    /// Returns a result that contains only the data of the request.
    fn not_found(asked: &ContactRef) -> Self {
        let (id, email) = match asked {
            ContactRef::Id(id) => (Some(*id), None),
            ContactRef::Email(email) => (None, Some(email.given().to_owned())),
            ContactRef::Unknown => (None, None),
        };
        Self { id, email, outcome: StatusOutcome::NotFound }
    }

    /// Converts the result to its stored form, for a repeat of the request. Returns `None` for `NotFound`, because a
    /// repeat looks these contacts up again.
    fn to_part(&self) -> Option<PartResultItem> {
        let outcome = match self.outcome {
            StatusOutcome::Done(outcome) => outcome.as_str(),
            StatusOutcome::Refused(refusal) => refusal.as_str(),
            StatusOutcome::NotFound => return None,
        };
        let contact = self.id?.to_string();
        Some(PartResultItem { contact, email: self.email.clone(), outcome: outcome.to_owned() })
    }

    fn from_part(part: PartResultItem) -> Option<Self> {
        let outcome = match (part.outcome.parse(), part.outcome.parse()) {
            (Ok(outcome), _) => StatusOutcome::Done(outcome),
            (_, Ok(refusal)) => StatusOutcome::Refused(refusal),
            _ => return None,
        };
        Some(Self { id: Some(part.contact.parse().ok()?), email: part.email, outcome })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_of_a_result_contains_no_address() {
        let id = Some("7777".parse().unwrap());
        let email = Some("ada@example.org".to_owned());
        let shown = format!("{:?}", StatusResult { id, email, outcome: StatusOutcome::Done(Outcome::Kept) });
        assert!(shown.contains("7777") && shown.contains("Kept") && !shown.contains("ada"), "{shown}");
    }
}
