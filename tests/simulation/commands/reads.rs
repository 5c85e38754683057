//! Reads: each response must match a state of the account while the request was in flight.

use std::collections::{BTreeMap, BTreeSet};

use domain::filter::{Condition, Filter};
use domain::marketing::EffectiveState as Stored;
use store::{ContactRef, Search};

use super::{
    Applied, AtomicCommand, Command, Context, Expectation, Lookup, NO_CONTACT, Sending, Turn, email,
};
use crate::model::rules::{Kept, Moved, Person};
use crate::simulation::world::{ExpectedAccount, Flight, State};

/// The page size of statements.
const STATEMENTS: usize = 10;

/// A read of a single resource.
#[derive(Debug)]
pub enum Read {
    Usage,
    Contact(u64),
    Address(usize),
    History(u64),
    Statements,
}

impl AtomicCommand for Read {
    fn picks(&self) -> Vec<u64> {
        match self {
            Self::Contact(pick) | Self::History(pick) => vec![*pick],
            Self::Usage | Self::Address(_) | Self::Statements => Vec::new(),
        }
    }

    fn is_lookup(&self) -> bool {
        match self {
            Self::Contact(_) | Self::Address(_) | Self::History(_) => true,
            Self::Usage | Self::Statements => false,
        }
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let (store, account, wall_clock) = (&context.store, context.account(), context.wall_clock);
            let contact = match self {
                Self::Contact(pick) | Self::History(pick) => ContactRef::Id(context.contact(*pick)),
                Self::Address(address) => ContactRef::Email(email(*address, true)),
                Self::Usage | Self::Statements => ContactRef::Unknown,
            };
            match self {
                Self::Usage => {
                    let period = store.usage(account, wall_clock).await?;
                    let (number, ends_at) = (period.number.number(), period.ends_at);
                    Ok(format!("{number} until {ends_at}: {} {}", period.marketing, period.leaving))
                }
                Self::Contact(_) | Self::Address(_) => {
                    let (contact, _) = store.contact(account, contact, wall_clock).await?;
                    let note = contact.properties.get(crate::simulation::raw::NOTE);
                    Ok(format!("{} {:?} {}", contact.id, kept(contact.state()), note.unwrap_or("-")))
                }
                Self::History(_) => {
                    let explained = store.explain(account, contact, wall_clock).await?;
                    let moves = explained.history.iter().map(|change| {
                        let from = change.from.map(kept);
                        moved(change.at, from, kept(change.to), change.source.kind.as_str())
                    });
                    Ok(moves.collect::<Vec<_>>().join(" | "))
                }
                Self::Statements => {
                    let (mut lines, mut after) = (Vec::new(), None);
                    loop {
                        let page = store.statements(account, wall_clock, after, STATEMENTS).await?;
                        after = page.items.last().map(|statement| statement.number).filter(|_| page.more);
                        lines.extend(page.items.iter().map(|statement| {
                            format!("{} {} {}", statement.ends_at, statement.marketing, statement.left)
                        }));
                        if after.is_none() {
                            lines.reverse();
                            return Ok(lines.join(" | "));
                        }
                    }
                }
            }
        })
    }

    fn apply(&self, state: &mut State, lookup: &Lookup<'_>) -> Applied {
        let model = &state.model;
        let present =
            |who: Option<usize>| who.and_then(|who| Some((who, model.person(who)?, model.state_of(who)?)));
        let found = match self {
            Self::Contact(pick) | Self::History(pick) => present(lookup.person(*pick)),
            Self::Address(address) => present(model.holder(*address)),
            Self::Usage => {
                let (usage, leaving) = model.usage();
                let text = format!("{} until {}: {usage} {leaving}", model.number, model.ends_at);
                return Applied::unchanged(text);
            }
            Self::Statements => {
                let lines = model.statements.iter().map(|(at, usage, left)| format!("{at} {usage} {left}"));
                return Applied::unchanged(lines.collect::<Vec<_>>().join(" | "));
            }
        };
        match (found, self) {
            (None, _) => Applied::unchanged(NO_CONTACT),
            (Some((_, person, _)), Self::History(_)) => Applied::unchanged(history(person)),
            (Some((who, person, state)), _) => {
                let note = person.note.map_or("-".to_owned(), |note| note.to_string());
                Applied::unchanged(format!("#{who} {state:?} {note}"))
            }
        }
    }
}

fn history(person: &Person) -> String {
    let moves = person.history.iter().rev();
    let moves = moves.map(|Moved { at, from, to, through }| moved(*at, *from, *to, through));
    moves.collect::<Vec<_>>().join(" | ")
}

fn moved(at: domain::Timestamp, from: Option<Kept>, to: Kept, through: &str) -> String {
    format!("{at} {from:?} {to:?} {through}")
}

fn kept(state: Stored) -> Kept {
    match state {
        Stored::NonMarketing => Kept::NonMarketing,
        Stored::Marketing => Kept::Marketing,
        Stored::Leaving => Kept::Leaving,
    }
}

/// A list of all contacts, or a search for billable ones, page by page to the end.
#[derive(Debug)]
pub struct List {
    pub billable: bool,
    pub limit: usize,
}

impl Command for List {
    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let filter = self.billable.then(billable);
            let (mut after, mut lines) = (None, Vec::new());
            loop {
                let account = context.account();
                let search = Search { account, filter: filter.as_ref(), after, limit: self.limit };
                let page = context.store.search(search, context.wall_clock).await?;
                lines.extend(
                    page.contacts.iter().map(|contact| format!("{} {:?}", contact.id, kept(contact.state()))),
                );
                after = page.next;
                if after.is_none() {
                    return Ok(lines.join(","));
                }
            }
        })
    }

    fn happened(&self, _: Turn<'_>) -> Result<(), String> {
        Err("a list changed something".to_owned())
    }

    /// The list must contain every contact that was present all the time. Each listed contact must have been present at
    /// some instant, in the listed state.
    fn expectation(&self, book: &ExpectedAccount, flight: &Flight) -> Expectation {
        // Contacts may be read before the period is closed. The response shows them in the next period.
        let past: Vec<State> =
            book.past[flight.since..].iter().map(|then| then.at(flight.wall_clock)).collect();
        let mut present: BTreeMap<usize, usize> = BTreeMap::new();
        let mut may = BTreeSet::new();
        for then in &past {
            for (who, _) in then.model.people() {
                let state = then.model.state_of(who);
                let shown = state.filter(|state| !self.billable || *state != Kept::NonMarketing);
                let Some(state) = shown else { continue };
                *present.entry(who).or_default() += 1;
                may.insert(format!("#{who} {state:?}"));
            }
        }
        let always = present.into_iter().filter(|(_, instants)| *instants == past.len());
        Expectation::Among { must: always.map(|(who, _)| format!("#{who}")).collect(), may }
    }
}

fn billable() -> Filter {
    let condition = Condition::new("hs_marketable_status", "EQ", Some("true"), None, None);
    Filter::new(vec![vec![condition.expect("a condition")]]).expect("a filter")
}
