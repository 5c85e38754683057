//! Observation of a run: interprets each write and checks each response.

use std::collections::BTreeSet;

use domain::limits::IDEMPOTENCY_KEPT;
use store::StoreError;
use testkit::{RawItem, Write};

use super::checks;
use super::commands::bulk::check_job;
use super::commands::imports::check_import;
use super::commands::{Turn, refused};
use super::raw::{Items, Kind, RawPeriod, kind, waits};
use super::world::{ExpectedAccount, Flight, World};

impl World {
    /// Interprets and checks a write.
    pub fn saw(&mut self, write: &Write, items: &Items) {
        if self.violation.is_some() || write.sender == 0 {
            return;
        }
        self.counts.writes += 1;
        self.counts.late += u64::from(write.late);
        let Some(mut flight) = self.flights.remove(&write.sender) else {
            let why = format!("{write:?}");
            return self.violated("a write by a request that is not in flight", why);
        };
        let seen = self.check(&mut flight, write, items);
        if let Err(why) = seen {
            let keys: Vec<_> = write.changes.iter().map(|change| &change.key).collect();
            let command = &flight.command;
            self.violated(format!("request {} ({command:?}) wrote {keys:?}", write.sender), why);
        }
        self.flights.insert(write.sender, flight);
    }

    fn check(&mut self, flight: &mut Flight, write: &Write, items: &Items) -> Result<(), String> {
        let account = self.account_of(flight, write)?;
        let key = flight.key.clone().map(|key| (account, key));
        if let Some(record) = key.as_ref().and_then(|key| self.keys.get(key)) {
            // The effects of other requests with the same key count as effects of this request.
            flight.done = flight.done.take().or_else(|| record.done.clone());
            flight.outcomes.extend(&record.outcomes);
        }
        let book = &mut self.books[account];
        checks::write_keeps_the_promises(&book.id, write, items)?;
        let closed = book.state.model.statements.len();
        let (waits, settled) = (flight.waits.is_some(), book.settled.len());
        interpret(book, flight, write, items)?;
        check_job(book, flight, write, items)?;
        check_import(write)?;
        self.counts.accepted += u64::from(flight.waits.is_some() && !waits);
        self.counts.settled_together += u64::from(book.settled.len() > settled + 1);
        let closed = &book.state.model.statements[closed..];
        self.counts.update_dates += closed.len() as u64;
        self.counts.left += closed.iter().map(|(_, _, left)| left).sum::<u64>();
        if let Some(key) = key {
            let kinds: BTreeSet<bool> =
                write.changes.iter().map(|change| kind(&change.key).1 == Kind::Answer).collect();
            let record = self.keys.entry(key).or_default();
            record.done.clone_from(&flight.done);
            record.outcomes.clone_from(&flight.outcomes);
            record.expires_at = Some(flight.expiry(IDEMPOTENCY_KEPT));
            if kinds.contains(&true) {
                record.kept = Some(flight.command.expectation(&self.books[account], flight));
            }
        }
        Ok(())
    }

    /// Returns the account that a write changes. It must be the only one, and the sender's.
    fn account_of(&self, flight: &Flight, write: &Write) -> Result<usize, String> {
        let mut accounts = BTreeSet::new();
        for change in &write.changes {
            let account = kind(&change.key).0.and_then(|account| self.accounts.get(account));
            accounts.insert(
                *account.ok_or_else(|| format!("wrote {:?}, which belongs to no account", change.key))?,
            );
        }
        match (accounts.pop_first(), accounts.is_empty(), flight.account) {
            (Some(found), true, None) => Ok(found),
            (Some(found), true, Some(own)) if found == own => Ok(found),
            (found, _, own) => {
                Err(format!("a request of account {own:?} wrote to account {found:?} and {accounts:?}"))
            }
        }
    }

    /// Checks the response or the error of a request.
    pub fn answered(&mut self, sender: u32, answer: Result<String, StoreError>) {
        if self.violation.is_some() {
            return;
        }
        let Some(mut flight) = self.flights.remove(&sender) else { return };
        if let Err(why) = self.check_answer(&mut flight, answer) {
            self.violated(format!("request {sender} ({:?}) was answered", flight.command), why);
        }
        self.flights.insert(sender, flight);
    }

    fn check_answer(
        &mut self,
        flight: &mut Flight,
        answer: Result<String, StoreError>,
    ) -> Result<(), String> {
        let (given, refusal) = match answer {
            Ok(text) => (text, false),
            Err(StoreError::Refused(refusal)) => (refused(&refusal), true),
            Err(StoreError::Unavailable(..)) => {
                self.counts.unanswered += 1;
                return Ok(());
            }
            Err(StoreError::Fault(text, source)) => return Err(format!("a fault: {text}: {source:?}")),
        };
        flight.answered = true;
        let Some(account) = flight.account else { return Ok(()) };
        let book = &self.books[account];
        let translated = book.names.translate(&given);
        let Some(key) = flight.key.clone() else {
            return flight.command.expectation(book, flight).check(&translated);
        };
        let record = self.keys.entry((account, key)).or_default();
        if refusal && record.kept.is_none() {
            return flight.command.expectation(book, flight).check(&translated);
        }
        let kept = record.kept.as_ref().ok_or_else(|| format!("answered {given:?}, which is not stored"))?;
        kept.check(&translated)?;
        let first = record.answer.get_or_insert_with(|| given.clone());
        match *first == given {
            true => Ok(()),
            false => Err(format!("answered {first:?} first and {given:?} later")),
        }
    }
}

/// Applies the meaning of a write to the expected account.
fn interpret(
    book: &mut ExpectedAccount,
    flight: &mut Flight,
    write: &Write,
    items: &Items,
) -> Result<(), String> {
    let periods = write.changes.iter().find(|change| kind(&change.key).1 == Kind::Period);
    let periods = periods.map(|change| {
        [&change.before, &change.after].map(|item| item.as_ref().map_or(0, |item| RawPeriod::of(item).number))
    });
    if let Some([before, after]) = periods
        && before < after
    {
        return close(book, flight, after, items);
    }
    if let (false, Some(pk)) = (write.transaction, put_into_inbox(write)) {
        flight.command.clone().accepted(book, flight, pk)?;
        return checks::compare(&book.state, &book.names, &book.id, items);
    }
    let changes_state = write.changes.iter().any(|change| {
        matches!(
            kind(&change.key).1,
            Kind::Account
                | Kind::Period
                | Kind::Contact(_)
                | Kind::Address(_)
                | Kind::Delivery
                | Kind::FormCounts
                | Kind::FormDay
        )
    });
    if !changes_state || !write.transaction {
        return checks::compare(&book.state, &book.names, &book.id, items);
    }
    // A write that another one has overtaken is refused by its conditions, unless they hold again. Those of a new address
    // do, if another contact has taken it and given it up since. The command must not have had its effect before.
    let has_effect = flight.done.as_ref().is_some_and(|done| done.changed);
    if flight.answered && (has_effect || !(write.late && takes_address(write))) {
        return Err("the command was applied after its response".to_owned());
    }
    flight.late |= write.late;
    let command = flight.command.clone();
    command.happened(Turn { book: &mut *book, flight, write, items })?;
    checks::adopt_instants(&mut book.state, &book.names, write)?;
    book.moved();
    Ok(())
}

/// Returns true if a write gives a contact an address that no contact had.
fn takes_address(write: &Write) -> bool {
    let mut created = write.changes.iter().filter(|change| change.before.is_none());
    created.any(|change| matches!(kind(&change.key).1, Kind::Address(_)))
}

/// Returns the partition key of a submission that this write puts into the inbox.
fn put_into_inbox(write: &Write) -> Option<&str> {
    let token =
        |item: &Option<RawItem>| item.as_ref().filter(|item| waits(item)).map(|item| item["token"].clone());
    // An edit replaces the queued submission and has its own token. A lease does not change the token.
    let mut begun = write.changes.iter().filter(|change| {
        let after = token(&change.after);
        after.is_some() && after != token(&change.before)
    });
    begun.next().map(|change| change.key.0.as_str())
}

/// Closes the expected account's periods until the current one is number `after`.
fn close(book: &mut ExpectedAccount, flight: &Flight, after: u64, items: &Items) -> Result<(), String> {
    while book.state.model.number < after {
        if !book.state.has_ended(flight.wall_clock) {
            let ends_at = book.state.model.ends_at;
            return Err(format!("period {} was closed before {ends_at}", book.state.model.number));
        }
        book.state.model.close();
    }
    checks::compare(&book.state, &book.names, &book.id, items)?;
    book.moved();
    Ok(())
}
