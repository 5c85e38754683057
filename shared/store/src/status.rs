//! Setting contacts marketing, or queueing them to leave.

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
use crate::periods::{PeriodSnapshot, RefusalCheck};
use crate::retry::Retries;
use crate::store::Store;
use crate::transaction::{Part, Transaction};
use crate::{Refused, Responder, StoreError, StoredResponse};

/// One status command for many contacts.
#[derive(Clone, Debug)]
pub struct StatusRequest<'a> {
    /// Whose.
    pub account: AccountId,
    /// What is asked.
    pub command: Command,
    /// For whom, in the order in which room under a cap is given.
    pub contacts: &'a [ContactRef],
    /// Whether to decide and not to do it.
    pub dry_run: bool,
    /// Through what.
    pub source: Source,
    /// By whom.
    pub actor: Actor,
}

/// What came of a status command.
#[derive(Clone, Debug)]
pub struct StatusReport {
    /// One for each contact of the request, in its order.
    pub results: Vec<StatusResult>,
    /// The period as it was read, moved by what was done.
    pub period: Period,
}

/// What came of it for one contact. `Debug` does not show its address.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusResult {
    /// Which one, if there is one.
    pub id: Option<ContactId>,
    /// Its address.
    pub email: Option<String>,
    /// What came of it.
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
    /// The command was carried out, or there was nothing to do.
    Done(Outcome),
    /// It was refused, and nothing changed.
    Refused(Refusal),
    /// There is no such contact.
    NotFound,
}

/// A status command on its way through its transactions.
struct Run<'a> {
    request: &'a StatusRequest<'a>,
    responder: Responder<'a, StatusReport>,
    wall_clock: Timestamp,
    /// What each entry of the request names.
    ids: Vec<Option<ContactId>>,
    /// The entries that name a contact.
    named: HashMap<ContactId, Vec<&'a ContactRef>>,
    /// Whose turn is still to come, each once, in order.
    waiting: VecDeque<ContactId>,
    /// What came of the others.
    results: HashMap<ContactId, StatusResult>,
    /// What a dry run has decided so far.
    planned: Delta,
    /// Whether it takes, or may take, more than one transaction.
    split: bool,
}

/// What one transaction does.
struct Step {
    /// What comes of those whose turn it is.
    results: Vec<StatusResult>,
    changed: Vec<Loaded>,
    change: CountChange,
    period_after: Period,
}

impl Store {
    /// Sets contacts marketing, or queues them to leave: as many as the cap lets, in the order given.
    ///
    /// Up to [`CONTACTS_PER_TRANSACTION_MAX`] contacts are one batched read and one transaction, and one batched read
    /// more if some are named by address, and one if any is refused, to make sure. More of them take several; with a
    /// claim, each keeps what it did, so that a request that was cut short and is sent again does the rest and answers
    /// for all of it.
    ///
    /// # Errors
    ///
    /// [`Refused::MarketingContactsOff`], and as every operation.
    pub async fn set_status(
        &self,
        request: &StatusRequest<'_>,
        wall_clock: Timestamp,
        responder: Responder<'_, StatusReport>,
    ) -> Result<StoredResponse, StoreError> {
        let ids = self.resolve(request.account, request.contacts, &mut self.retries()).await?;
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
        // By the request and not by who is found: a repeat may find fewer, and must still recall what was done.
        let split = request.contacts.len() > CONTACTS_PER_TRANSACTION_MAX;
        let (results, planned) = (HashMap::new(), Delta::default());
        let mut run = Run { request, responder, wall_clock, ids, named, waiting, results, planned, split };
        loop {
            if let Some(answer) = self.advance(&mut run).await? {
                return Ok(answer);
            }
        }
    }

    /// Takes the next contacts through one transaction. Gives the answer once all are through.
    async fn advance(&self, run: &mut Run<'_>) -> Result<Option<StoredResponse>, StoreError> {
        let mut retries = self.retries();
        let mut check = RefusalCheck::default();
        loop {
            let turn: Vec<ContactId> =
                run.waiting.iter().copied().take(CONTACTS_PER_TRANSACTION_MAX).collect();
            let others = run.responder.key().into_iter().collect();
            let (loaded, mut opened) =
                self.load(run.request.account, run.wall_clock, &turn, others, &mut retries).await?;
            if let Some(answer) = run.responder.replay(&mut opened.items, run.wall_clock)? {
                return Ok(Some(answer));
            }
            if !opened.period.marketing_contacts {
                return Err(Refused::MarketingContactsOff.into());
            }
            let bytes: usize = loaded.iter().map(|loaded| approximate_bytes(&loaded.contact)).sum();
            // Half, because the contacts may have grown or shrunk since an earlier try.
            run.split |= bytes > TRANSACTION_BYTES_MAX / 2;
            self.recall(run).await?;
            let step = run.decide(&turn, loaded, &opened);
            if step.refuses() && check.needs_reread(&opened.period, &mut retries).await? {
                continue;
            }
            if let Some(answer) = self.carry_out(run, step, &opened, &mut retries).await? {
                return Ok(answer);
            }
        }
    }

    /// Learns what an earlier try of the same request did. The parts are read after the contacts, so the part that
    /// made a contact what it is has been seen by then.
    async fn recall(&self, run: &mut Run<'_>) -> Result<(), StoreError> {
        if let (Some(claim), true) = (run.responder.claim, run.split) {
            for part in self.answer_parts(claim, run.wall_clock).await? {
                if let Some(result) = StatusResult::from_part(part) {
                    run.settle(result);
                }
            }
        }
        Ok(())
    }

    /// Writes one step: `None` to try it again, `Some(None)` to go on with the next contacts.
    async fn carry_out(
        &self,
        run: &mut Run<'_>,
        step: Step,
        opened: &PeriodSnapshot,
        retries: &mut Retries<'_>,
    ) -> Result<Option<Option<StoredResponse>>, StoreError> {
        let Step { results, mut changed, change, period_after } = step;
        let account = run.request.account;
        let mut transaction = Transaction::new(self.rng());
        if !run.request.dry_run && !changed.is_empty() {
            for loaded in &mut changed {
                let stored = Some(loaded.stored_version);
                self.put_contact(&mut transaction, account, &mut loaded.contact, stored)?;
            }
            transaction.update(Part::Period, self.count(account, &opened.period, change)?);
        }
        let settled: HashSet<ContactId> = results.iter().filter_map(|result| result.id).collect();
        let last = run.waiting.iter().all(|id| settled.contains(id) || run.results.contains_key(id));
        let mut answer = None;
        if last {
            let report = run.report(&results, period_after);
            answer = Some(run.responder.attach(self, &mut transaction, &report, run.wall_clock)?);
        } else if let (Some(claim), false) = (run.responder.claim, run.request.dry_run) {
            let parts: Vec<_> = results.iter().filter_map(StatusResult::to_part).collect();
            self.attach_part(&mut transaction, claim, &parts)?;
        }
        if !self.commit(transaction, retries).await? {
            return Ok(None);
        }
        results.into_iter().for_each(|result| run.settle(result));
        run.planned = if run.request.dry_run { change.delta } else { Delta::default() };
        Ok(Some(answer))
    }
}

impl Step {
    fn refuses(&self) -> bool {
        self.results.iter().any(|result| matches!(result.outcome, StatusOutcome::Refused(_)))
    }
}

impl Run<'_> {
    /// Decides for those whose turn it is, as many as one transaction takes.
    fn decide(&self, turn: &[ContactId], loaded: Vec<Loaded>, opened: &PeriodSnapshot) -> Step {
        let mut found: HashMap<ContactId, Loaded> =
            loaded.into_iter().map(|loaded| (loaded.contact.id, loaded)).collect();
        let mut ledger = Ledger::after(&opened.period, self.planned);
        let (mut results, mut changed, mut bytes) = (Vec::new(), Vec::new(), 0);
        for id in turn.iter().filter(|id| !self.results.contains_key(id)) {
            let Some(mut loaded) = found.remove(id).filter(|loaded| self.is_named(&loaded.contact)) else {
                results.push(StatusResult { id: Some(*id), email: None, outcome: StatusOutcome::NotFound });
                continue;
            };
            bytes += approximate_bytes(&loaded.contact);
            if bytes > TRANSACTION_BYTES_MAX && !changed.is_empty() {
                break;
            }
            let email = loaded.contact.email.as_ref().map(|email| email.given().to_owned());
            let outcome = match ledger.decide(loaded.contact.marketing.stored_state, self.request.command) {
                Ok(transition) => {
                    let Self { request: StatusRequest { source, actor, .. }, .. } = self;
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
        Step { results, changed, change: ledger.count_change(), period_after: ledger.period_after() }
    }

    /// Whether reads may show the contact and an entry of the request still names it.
    fn is_named(&self, contact: &Contact) -> bool {
        let entries = self.named.get(&contact.id).map(Vec::as_slice).unwrap_or_default();
        contact.is_visible() && entries.iter().any(|asked| asked.names(contact))
    }

    fn settle(&mut self, result: StatusResult) {
        if let Some(id) = result.id {
            self.results.entry(id).or_insert(result);
            while self.waiting.front().is_some_and(|id| self.results.contains_key(id)) {
                self.waiting.pop_front();
            }
        }
    }

    /// The results in the order of the request. A contact that is named twice is unchanged the second time.
    fn report(&self, latest: &[StatusResult], period: Period) -> StatusReport {
        let latest: HashMap<ContactId, &StatusResult> =
            latest.iter().filter_map(|result| Some((result.id?, result))).collect();
        let mut reported = HashSet::new();
        let results = self.ids.iter().zip(self.request.contacts).map(|(id, asked)| {
            let result = id.and_then(|id| self.results.get(&id).or_else(|| latest.get(&id).copied()));
            match result {
                Some(result) if result.outcome != StatusOutcome::NotFound => {
                    let again = !reported.insert(result.id);
                    match result.outcome {
                        StatusOutcome::Done(_) if again => StatusResult {
                            outcome: StatusOutcome::Done(Outcome::Unchanged),
                            ..result.clone()
                        },
                        _ => result.clone(),
                    }
                }
                _ => StatusResult::not_found(asked),
            }
        });
        StatusReport { results: results.collect(), period }
    }
}

impl StatusResult {
    /// Says no more than the caller said.
    fn not_found(asked: &ContactRef) -> Self {
        let (id, email) = match asked {
            ContactRef::Id(id) => (Some(*id), None),
            ContactRef::Email(email) => (None, Some(email.given().to_owned())),
            ContactRef::Unknown => (None, None),
        };
        Self { id, email, outcome: StatusOutcome::NotFound }
    }

    /// As it is kept for when the request comes again. Who was not found is looked for again then.
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
    fn what_is_shown_of_a_result_is_no_address() {
        let id = Some("7777".parse().unwrap());
        let email = Some("ada@example.org".to_owned());
        let shown = format!("{:?}", StatusResult { id, email, outcome: StatusOutcome::Done(Outcome::Kept) });
        assert!(shown.contains("7777") && shown.contains("Kept") && !shown.contains("ada"), "{shown}");
    }
}
