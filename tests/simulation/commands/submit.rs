//! The command that submits a form. Submissions are repeated, edited, sent for another contact under the same id, sent
//! in another spelling, and accepted into the inbox.

use store::{MarketingEffect, Submission, SubmissionOutcome};
use testkit::{SeededRng, property};

use super::save::arrive_late;
use super::{Applied, AtomicCommand, Context, Lookup, Sending, email};
use crate::model::rules::{Effect, Submitted};
use crate::simulation::raw::NOTE;
use crate::simulation::world::{DeliveryKey, State};

/// A submission of one of the account's forms.
#[derive(Clone, Debug)]
pub struct Submit {
    pub address: usize,
    /// True if the address contains capitals.
    pub capitals: bool,
    /// The index among the account's forms.
    pub form: usize,
    pub note: Option<u64>,
    /// The sender's id of the delivery.
    pub delivery: Option<String>,
    /// True if the submission enters the inbox without an attempt to apply it, as in a burst.
    pub queued_directly: bool,
    /// True if the queue fails, so that the schedule must find the submission.
    pub queue_fails: bool,
}

impl Submit {
    /// Returns another submission under the same id.
    pub fn varied(&self, rng: &mut SeededRng, addresses: usize) -> Self {
        let mut varied = Self { capitals: rng.coin(), queued_directly: rng.happens(200), ..self.clone() };
        if rng.happens(600) {
            varied.note = Some(rng.below(1_000));
        } else {
            varied.address = rng.index(addresses);
        }
        varied
    }

    fn sets(&self, state: &State, external_form: bool) -> bool {
        state.forms[self.form].sets.unwrap_or(external_form)
    }

    fn arrive(&self, state: &mut State, external_form: bool) -> Submitted {
        let sets = self.sets(state, external_form);
        state.model.submit_form(&mut state.forms[self.form], self.address, sets)
    }

    /// Applies the submission. `is_edit` is true if another version of its delivery was applied before.
    pub fn submit(&self, state: &mut State, external_form: bool, is_edit: bool) -> Applied {
        let holder = state.model.holder(self.address);
        let before = holder.and_then(|who| state.model.person(who).cloned());
        let submitted = match is_edit {
            true => state.model.edit(&state.forms[self.form], self.address),
            false => self.arrive(state, external_form),
        };
        if let Some(note) = self.note {
            state.model.note(submitted.who, note);
        }
        // A delivery with an id is always stored.
        let changed = self.delivery.is_some() || state.model.person(submitted.who) != before.as_ref();
        Applied { changed, ..self.applied(&submitted, holder.is_some()) }
    }

    /// Applies the submission, decided on the earlier state `then` (see [`AtomicCommand::apply_late`]).
    pub fn submit_late(
        &self,
        state: &mut State,
        then: &State,
        external_form: bool,
        is_edit: bool,
    ) -> Option<Applied> {
        let known = then.model.holder(self.address).is_some();
        let submit = |state: &mut State| match is_edit {
            true => state.model.edit(&state.forms[self.form], self.address),
            false => self.arrive(state, external_form),
        };
        let arrive = |state: &mut State| {
            let Submitted { who, effect, new, .. } = submit(state);
            (who, effect, new)
        };
        let through = then.forms[self.form].through;
        let (who, effect, new) = arrive_late(state, then, Some(self.address), through, arrive)?;
        let mut decided = then.clone();
        decided.model.now = state.model.now;
        let Submitted { reason, .. } = submit(&mut decided);
        if let Some(note) = self.note {
            state.model.note(who, note);
        }
        Some(self.applied(&Submitted { who, new, effect, reason }, known))
    }

    /// Returns the response, and the count that the form increments.
    fn applied(&self, submitted: &Submitted, known: bool) -> Applied {
        let contact = if submitted.new { "created" } else { "updated" };
        let (marketing, counted) = match (submitted.effect, submitted.reason) {
            (Effect::Set, _) => ("set", "set"),
            (Effect::Kept, _) => ("kept", "kept"),
            (Effect::Refused, Some("cap-reached")) => ("not_set cap-reached", "not_set_by_cap"),
            (Effect::Refused, Some("tier-limit")) => ("not_set tier-limit", "not_set_by_tier"),
            (Effect::Refused, Some("form-budget")) => ("not_set form-budget", "not_set_by_budget"),
            (Effect::Refused, _) => ("not_set marketing-contacts-off", "not_set"),
            // A form reports a known contact that keeps its state as unchanged. Only a new contact is "not set".
            (Effect::NotAsked, _) if !known => ("not_set", "not_set"),
            _ => ("unchanged", "unchanged"),
        };
        let counted = Some((self.form, counted));
        Applied { counted, ..Applied::changed(format!("{contact} {marketing}")) }
    }
}

impl AtomicCommand for Submit {
    fn delivery(&self) -> Option<DeliveryKey> {
        Some((self.delivery.clone()?, self.form, self.address))
    }

    fn submission(&self) -> Option<&Submit> {
        Some(self)
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let forms = context.forms.as_ref().expect("an account's forms");
            let properties: Vec<_> = self.note.iter().map(|note| property(NOTE, &note.to_string())).collect();
            let email = email(self.address, self.capitals);
            let submission = Submission {
                form: &forms[self.form],
                submission_id: self.delivery.as_deref(),
                email: &email,
                properties: &properties,
                left_out: 0,
            };
            let SubmissionOutcome { submitted, waiting } = match self.queued_directly {
                true => context.store.accept_into_inbox(&submission, context.wall_clock).await?,
                false => context.store.submit_or_accept(&submission, context.wall_clock).await?,
            };
            if !self.queue_fails {
                context.world.lock().unwrap().inbox.extend(waiting);
            }
            let marketing = match (submitted.marketing, submitted.reason) {
                (MarketingEffect::NotSet, Some(reason)) => format!("not_set {reason}"),
                (effect, _) => effect.to_string(),
            };
            let again = if submitted.duplicate { "again " } else { "" };
            Ok(format!("{again}{} {marketing}", submitted.contact))
        })
    }

    fn apply(&self, state: &mut State, lookup: &Lookup<'_>) -> Applied {
        let delivered = self.delivery().and_then(|key| lookup.deliveries.get(&key));
        let delivered = delivered.filter(|delivered| lookup.wall_clock < delivered.until);
        if let Some(first) = delivered.and_then(|delivered| delivered.repeats(self.note)) {
            return Applied::unchanged(format!("again {first}"));
        }
        self.submit(state, lookup.external_form, delivered.is_some())
    }

    fn apply_late(&self, state: &mut State, lookup: &Lookup<'_>, then: &State) -> Option<Applied> {
        let delivered = self.delivery().and_then(|key| lookup.deliveries.get(&key));
        let is_edit = delivered.is_some_and(|delivered| lookup.wall_clock < delivered.until);
        self.submit_late(state, then, lookup.external_form, is_edit)
    }
}
