//! Status commands for lists of contacts. They are the only commands that may take several transactions.

use std::collections::{BTreeMap, BTreeSet};

use domain::decision;
use domain::ids::ContactId;
use store::{ContactRef, StatusOutcome, StatusReport, StatusRequest};

use super::save::{by_hand, user};
use super::{Command, Context, Expectation, Sending, Turn, email, finish, outcome, text_response};
use crate::model::rules::{BY_HAND, Effect, Kept};
use crate::simulation::checks;
use crate::simulation::raw::{Kind, kind};
use crate::simulation::world::{ExpectedAccount, Flight, State};

/// An entry of the list, by the way in which it names a contact.
#[derive(Clone, Copy, Debug)]
pub enum Entry {
    Picked(u64),
    Address(usize),
    Unknown,
}

/// A command that sets contacts marketing, or queues them to leave.
#[derive(Debug)]
pub struct Status {
    pub set_marketing: bool,
    pub entries: Vec<Entry>,
    pub dry_run: bool,
}

/// Returns the command that sets a contact marketing, or queues it to leave.
pub fn command(set_marketing: bool) -> decision::Command {
    match set_marketing {
        true => decision::Command::SetMarketing,
        false => decision::Command::SetNonMarketingPending,
    }
}

impl Status {
    /// Returns the person that an entry names while the account is in `state`.
    fn person(&self, entry: Entry, state: &State, book: &ExpectedAccount, flight: &Flight) -> Option<usize> {
        match entry {
            Entry::Picked(pick) => book.names.person(flight.picked.get(&pick).copied().flatten()?),
            Entry::Address(address) => state.model.holder(address),
            Entry::Unknown => None,
        }
    }
}

impl Command for Status {
    fn picks(&self) -> Vec<u64> {
        let pick = |entry: &Entry| match entry {
            Entry::Picked(pick) => Some(*pick),
            Entry::Address(_) | Entry::Unknown => None,
        };
        self.entries.iter().filter_map(pick).collect()
    }

    fn takes_key(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let named = |entry: &Entry| match entry {
                Entry::Picked(pick) => ContactRef::Id(context.contact(*pick)),
                Entry::Address(address) => ContactRef::Email(email(*address, true)),
                Entry::Unknown => ContactRef::Unknown,
            };
            let contacts: Vec<ContactRef> = self.entries.iter().map(named).collect();
            let request = StatusRequest {
                account: context.account(),
                command: command(self.set_marketing),
                contacts: &contacts,
                dry_run: self.dry_run,
                source: by_hand(),
                actor: user(),
            };
            let render = text_response(|report: &StatusReport| {
                let text = |outcome_of: &StatusOutcome| match outcome_of {
                    StatusOutcome::Done(done) => outcome(Ok(*done)),
                    StatusOutcome::Refused(refusal) => outcome(Err(*refusal)),
                    StatusOutcome::NotFound => NOT_FOUND,
                };
                let results: Vec<_> = report.results.iter().map(|result| text(&result.outcome)).collect();
                let period = &report.period;
                format!(
                    "{};{}",
                    results.join(","),
                    usage(period.number.number(), period.marketing, period.leaving)
                )
            });
            let answer =
                context.store.set_status(&request, context.wall_clock, finish(context, &render)).await?;
            Ok(answer.body)
        })
    }

    fn happened(&self, turn: Turn<'_>) -> Result<(), String> {
        let Turn { book, flight, write, items } = turn;
        flight.last = (0, 0);
        if self.dry_run {
            return Err("a dry run changed something".to_owned());
        }
        if book.state.has_ended(flight.wall_clock) {
            return Err("the decision used a period that has ended".to_owned());
        }
        let changed = write.changes.iter().filter_map(|change| match kind(&change.key).1 {
            Kind::Contact(id) => id.parse::<ContactId>().ok(),
            _ => None,
        });
        let mut changed: BTreeSet<ContactId> = changed.collect();
        let mut state = book.state.clone();
        state.model.now = state.now(flight.wall_clock);
        for entry in &self.entries {
            let who = self.person(*entry, &book.state, book, flight);
            let Some((who, id)) = who.and_then(|who| Some((who, book.names.id(who)?))) else { continue };
            if !changed.remove(&id) {
                continue;
            }
            if flight.outcomes.contains_key(&id) {
                return Err(format!("#{who} was changed twice"));
            }
            let effect = state.model.command(self.set_marketing, Some(who), BY_HAND);
            if !matches!(effect, Effect::Set | Effect::Kept | Effect::Queued) {
                return Err(format!("#{who} was written, but by the rules the effect is {effect:?}"));
            }
            flight.outcomes.insert(id, effect);
            let (marketing, leaving) = moves(effect);
            flight.last = (flight.last.0 + marketing, flight.last.1 + leaving);
        }
        if let Some(other) = changed.first() {
            return Err(format!("{other} was changed, but the request does not name it"));
        }
        checks::compare(&state, &book.names, &book.id, items)?;
        book.state = state;
        Ok(())
    }

    fn expectation(&self, book: &ExpectedAccount, flight: &Flight) -> Expectation {
        let past = &book.past[flight.since..];
        let open: Vec<&State> = past.iter().filter(|then| !then.has_ended(flight.wall_clock)).collect();
        let may_be_off = open.iter().any(|then| !then.model.marketing_contacts);
        let mut entries = match self.dry_run {
            true => self.planned(&open, book, flight),
            false => self.decided(&open, book, flight),
        };
        self.tolerate_moves(past, book, flight, &mut entries);
        let last = (!self.dry_run).then(|| usages(past, flight));
        let listed = Expectation::Each(entries, last);
        let off = Expectation::one("marketing contacts are off");
        match (may_be_off, open.iter().any(|then| then.model.marketing_contacts)) {
            (false, _) => listed,
            (true, true) => Expectation::Either(Box::new(listed), Box::new(off)),
            (true, false) => off,
        }
    }
}

impl Status {
    /// Returns the allowed texts of each entry of a dry run: its effect by the rules at one of the instants, for the
    /// whole list.
    fn planned(&self, open: &[&State], book: &ExpectedAccount, flight: &Flight) -> Vec<BTreeSet<String>> {
        let mut allowed = vec![BTreeSet::new(); self.entries.len()];
        for then in open {
            let mut state = (*then).clone();
            state.model.now = state.now(flight.wall_clock);
            let mut seen: BTreeMap<usize, Effect> = BTreeMap::new();
            for (entry, allowed) in self.entries.iter().zip(&mut allowed) {
                let who = self.person(*entry, then, book, flight);
                let first = who.and_then(|who| seen.get(&who).copied());
                let effect =
                    first.map(again).unwrap_or_else(|| state.model.command(self.set_marketing, who, BY_HAND));
                if let Some(who) = who {
                    seen.entry(who).or_insert(effect);
                }
                allowed.insert(text(effect).to_owned());
            }
        }
        allowed
    }

    /// Returns the allowed texts of each entry: the effect on its contact, or the reason why there was none.
    fn decided(&self, open: &[&State], book: &ExpectedAccount, flight: &Flight) -> Vec<BTreeSet<String>> {
        let mut allowed = vec![BTreeSet::new(); self.entries.len()];
        // People that an earlier entry reported, or may have reported because an address moved in the meantime.
        let (mut reported, mut maybe_reported) = (BTreeSet::new(), BTreeSet::new());
        let past = &book.past[flight.since..];
        let sets = flight.outcomes.values().filter(|effect| **effect == Effect::Set).count() as u64;
        for (entry, allowed) in self.entries.iter().zip(&mut allowed) {
            let people: BTreeSet<_> =
                past.iter().map(|then| self.person(*entry, then, book, flight)).collect();
            for who in &people {
                let id = who.and_then(|who| book.names.id(who));
                let done = id.and_then(|id| flight.outcomes.get(&id));
                match (done, who) {
                    (Some(effect), Some(who)) => {
                        let certain = people.len() == 1;
                        if !reported.contains(who) {
                            allowed.insert(text(*effect).to_owned());
                        }
                        if reported.contains(who) || maybe_reported.contains(who) || !certain {
                            allowed.insert(text(Effect::Unchanged).to_owned());
                        }
                        if certain {
                            reported.insert(*who)
                        } else {
                            maybe_reported.insert(*who)
                        };
                        if flight.late {
                            // The client retried and found its own effect, as if it were another request's.
                            let effects =
                                open.iter().filter_map(|then| self.without_change(then, Some(*who), sets));
                            allowed.extend(effects.map(|effect| text(effect).to_owned()));
                        }
                    }
                    _ => {
                        let effects = open.iter().filter_map(|then| self.without_change(then, *who, sets));
                        allowed.extend(effects.map(|effect| text(effect).to_owned()));
                    }
                }
            }
        }
        allowed
    }

    /// Returns the effect by the rules on a person that was not changed, or `None` if the rules require a change.
    fn without_change(&self, then: &State, who: Option<usize>, sets: u64) -> Option<Effect> {
        let model = &then.model;
        let Some(state) = who.and_then(|who| model.state_of(who)) else { return Some(Effect::NotFound) };
        match (state, self.set_marketing) {
            (Kept::Marketing, true) | (Kept::NonMarketing | Kept::Leaving, false) => Some(Effect::Unchanged),
            (Kept::NonMarketing, true) => {
                let full = model.cap.is_some_and(|cap| model.usage().0 + sets >= cap);
                full.then_some(Effect::Refused)
            }
            (Kept::Leaving, true) | (Kept::Marketing, false) => None,
        }
    }

    /// Allows "not found" for an address that moved during the request, because a lookup may miss it for a moment.
    fn tolerate_moves(
        &self,
        past: &[State],
        book: &ExpectedAccount,
        flight: &Flight,
        allowed: &mut [BTreeSet<String>],
    ) {
        for (entry, allowed) in self.entries.iter().zip(allowed) {
            let mut people = past.iter().map(|then| self.person(*entry, then, book, flight));
            let first = people.next().flatten();
            if matches!(entry, Entry::Address(_)) && people.any(|who| who != first) {
                allowed.insert(NOT_FOUND.to_owned());
            }
        }
    }
}

/// Returns the effect that a second entry for the same contact reports.
fn again(first: Effect) -> Effect {
    if matches!(first, Effect::Refused | Effect::NotFound) { first } else { Effect::Unchanged }
}

/// Returns how an effect changes the usage and the number of leaving contacts in it.
pub fn moves(effect: Effect) -> (i64, i64) {
    match effect {
        Effect::Set => (1, 0),
        Effect::Kept => (0, -1),
        Effect::Queued => (0, 1),
        _ => (0, 0),
    }
}

/// Returns the allowed texts of the usage: a usage that was read, with or without the last transaction's change.
fn usages(past: &[State], flight: &Flight) -> BTreeSet<String> {
    let mut usages = BTreeSet::new();
    for model in past.iter().map(|then| &then.model) {
        let (marketing, leaving) = model.usage();
        for (by, leaving_by) in [flight.last, (0, 0)] {
            let marketing = marketing.saturating_add_signed(by);
            usages.insert(usage(model.number, marketing, leaving.saturating_add_signed(leaving_by)));
        }
    }
    usages
}

fn usage(number: u64, marketing: u64, leaving: u64) -> String {
    format!("{number}/{marketing}/{leaving}")
}

const NOT_FOUND: &str = "not_found";

fn text(effect: Effect) -> &'static str {
    match effect {
        Effect::Set => "set",
        Effect::Kept => "kept",
        Effect::Queued => "queued",
        Effect::Unchanged | Effect::NotAsked => "unchanged",
        Effect::Refused => "refused",
        Effect::NotFound => NOT_FOUND,
    }
}
