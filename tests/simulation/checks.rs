//! The seven promises, checked at every write, and completely whenever no request is in flight.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::AccountId;
use testkit::{RawItem, Write};

use super::raw::{
    Items, Kind, RawContact, RawMoved, RawPeriod, contact_id, form_counts, form_day, history, kind, number,
    statement, text, waits,
};
use super::world::{Names, State};
use crate::model::rules::{FormRules, Kept, Person, Place};

/// Returns the items whose partition key has this prefix, in order.
fn with_prefix<'a>(
    items: &'a Items,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a (String, String), &'a testkit::RawItem)> {
    let from = (prefix.to_owned(), String::new());
    items.range(from..).take_while(move |((pk, _), _)| pk.starts_with(prefix))
}

fn period_item<'a>(account: &AccountId, items: &'a Items) -> Result<&'a RawItem, String> {
    let key = (format!("ACCOUNT#{account}"), "PERIOD".to_owned());
    items.get(&key).ok_or_else(|| "the period item is missing".to_owned())
}

fn period(account: &AccountId, items: &Items) -> Result<RawPeriod, String> {
    period_item(account, items).map(RawPeriod::of)
}

/// Checks that the contact is in the index of changes at its place, and that it is there if the index must contain it.
fn is_indexed(sk: &str, item: &RawItem, contact: &RawContact, from: Option<u64>) -> Result<(), String> {
    let updated_at = contact.updated_at.millis();
    let place = match (contact.deleted, contact.queued_in) {
        (true, Some(period)) => format!("{period:010}#{sk}"),
        _ => format!("{updated_at:015}#{sk}"),
    };
    match text(item, "changed_sk") {
        Some(found) if found != place => Err(format!("its place is {found}, expected {place}")),
        None if from.is_some_and(|from| u64::try_from(updated_at).is_ok_and(|at| at >= from)) => {
            Err(format!("it changed at {updated_at} and is not in the index of changes"))
        }
        _ => Ok(()),
    }
}

/// Checks one write: the usage is exact, never falls inside a period and never exceeds the cap. At the update date it
/// falls by the number of leaving contacts.
///
/// # Errors
///
/// The violated promise.
pub fn write_keeps_the_promises(account: &AccountId, write: &Write, items: &Items) -> Result<(), String> {
    let now = period(account, items)?;
    let (mut billable, mut leaving) = (0, 0);
    for (_, item) in with_prefix(items, &format!("CONTACT#{account}#")) {
        match RawContact::of(item).state_in(now.number) {
            Kept::NonMarketing => {}
            Kept::Marketing => billable += 1,
            Kept::Leaving => (billable, leaving) = (billable + 1, leaving + 1),
        }
    }
    if (now.marketing, now.leaving) != (billable, leaving) {
        let counted = (billable, leaving);
        return Err(format!("the usage is {:?} and a scan counts {counted:?}", (now.marketing, now.leaving)));
    }
    let change = write.changes.iter().find(|change| kind(&change.key).1 == Kind::Period);
    let Some(before) = change.and_then(|change| change.before.as_ref()).map(RawPeriod::of) else {
        return Ok(());
    };
    if now.number == before.number {
        if now.marketing < before.marketing {
            return Err(format!(
                "the usage fell from {} to {} inside a period",
                before.marketing, now.marketing
            ));
        }
        if now.marketing > before.marketing && before.cap.is_some_and(|cap| now.marketing > cap) {
            return Err(format!("the usage {} passed the cap {:?}", now.marketing, before.cap));
        }
    } else if now.leaving != 0 || now.marketing != before.marketing - before.leaving {
        return Err(format!("an update date changed the period from {before:?} to {now:?}"));
    }
    Ok(())
}

/// Compares an account's items with its state by the rules.
///
/// # Errors
///
/// The first difference.
pub fn compare(state: &State, names: &Names, account: &AccountId, items: &Items) -> Result<(), String> {
    let found = period(account, items)?;
    let model = &state.model;
    let (marketing, leaving) = model.usage();
    let expected = RawPeriod {
        number: model.number,
        starts_at: model.starts_at,
        ends_at: model.ends_at,
        marketing,
        leaving,
        cap: model.cap,
        tier_limit: model.tier.limit,
        forms_may_raise_tier: model.forms_may_raise_tier,
        marketing_contacts: model.marketing_contacts,
        clock: state.clock,
    };
    if found != expected {
        return Err(format!("the period's {}", found.differences(&expected)));
    }
    for form in &state.forms {
        same_form(form, items)?;
    }
    let mut people: BTreeMap<usize, &Person> = model.people().collect();
    for ((_, sk), item) in with_prefix(items, &format!("CONTACT#{account}#")) {
        let id = contact_id(sk);
        let contact = RawContact::of(item);
        let indexed_from = number(period_item(account, items)?, "indexed_from");
        is_indexed(sk, item, &contact, indexed_from).map_err(|why| format!("{id}: {why}"))?;
        if contact.deleted && contact.has_left(found.number) {
            // No read returns the contact any more. The sweep removes it.
            continue;
        }
        let person = id.parse().ok().and_then(|id| names.person(id)).and_then(|who| people.remove(&who));
        let person = person.ok_or_else(|| format!("{id} is stored, but not by the rules: {contact:?}"))?;
        same_person(&contact, person, found.number).map_err(|why| format!("{id}: {why}"))?;
        if let Some(address) = &contact.address {
            let key = (format!("EMAIL#{account}#{address}"), "EMAIL".to_owned());
            if items.get(&key).and_then(|item| text(item, "contact")) != Some(id) {
                return Err(format!("{id} has the address {address}, whose item does not name it"));
            }
        }
    }
    match people.pop_first() {
        Some((who, person)) => Err(format!("#{who} ({:?}) is not stored: {person:?}", names.id(who))),
        None => Ok(()),
    }
}

/// Compares a form's stored counts and day with the rules.
fn same_form(form: &FormRules, items: &Items) -> Result<(), String> {
    let parts = format!("FORM_COUNTS#{}", form.id);
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for (_, item) in with_prefix(items, &parts) {
        for (name, count) in form_counts(item) {
            *counts.entry(name).or_default() += count;
        }
    }
    let day = items.get(&(format!("FORM_DAY#{}", form.id), "DAY".to_owned())).map(form_day);
    if counts != form.counts || day != form.day {
        return Err(format!("a form has counted {counts:?} and {day:?}, expected {form:?}"));
    }
    Ok(())
}

fn same_person(contact: &RawContact, person: &Person, current: u64) -> Result<(), String> {
    let place = match contact.deleted {
        true => Place::Deleted,
        false => Place::There(contact.state_in(current)),
    };
    let address = person.address.map(|address| format!("p{address}@example.org"));
    let found = (place, &contact.address, contact.note, contact.moves_in(current));
    let expected = (person.place, &address, person.note, person.history.len() as u64);
    if found != expected {
        return Err(format!("is {found:?}, expected {expected:?}"));
    }
    let written = person.history.len() - usize::from(contact.has_left(current));
    match (contact.recent.last(), person.history[..written].last()) {
        (Some(found), Some(expected)) if !found.is_like(expected) => {
            Err(format!("the last change is {found:?}, expected {expected:?}"))
        }
        _ => Ok(()),
    }
}

/// Copies the instants of the history entries that a write has just added into the model. A change that was requested
/// first but written last has the instant of the contact's previous change, so that histories stay in order.
///
/// # Errors
///
/// An entry that has neither instant.
pub fn adopt_instants(state: &mut State, names: &Names, write: &Write) -> Result<(), String> {
    for change in &write.changes {
        let (Kind::Contact(id), Some(after)) = (kind(&change.key).1, &change.after) else { continue };
        let who = id.parse().ok().and_then(|id| names.person(id));
        let Some(last) = who.and_then(|who| state.model.last_move(who)) else { continue };
        let contact = RawContact::of(after);
        let Some(found) = contact.recent.last().filter(|found| found.is_like(last)) else { continue };
        let before = change.before.as_ref().map(|before| RawContact::of(before).updated_at);
        if found.at != last.at && Some(found.at) != before {
            return Err(format!("{id} changed at {}, expected {} or {before:?}", found.at, last.at));
        }
        last.at = found.at;
    }
    Ok(())
}

/// Checks the whole account while no request is in flight: histories, statements, and that every address item names a
/// stored contact.
///
/// # Errors
///
/// The first difference.
pub fn whole(state: &State, names: &Names, account: &AccountId, items: &Items) -> Result<(), String> {
    compare(state, names, account, items)?;
    let current = state.model.number;
    for ((_, sk), item) in with_prefix(items, &format!("CONTACT#{account}#")) {
        let id = contact_id(sk);
        let who = id.parse().ok().and_then(|id| names.person(id));
        let Some(person) = who.and_then(|who| state.model.person(who)) else { continue };
        let contact = RawContact::of(item);
        let written = written_history(account, id, &contact, items)?;
        let expected = &person.history[..person.history.len() - usize::from(contact.has_left(current))];
        let same = written.len() == expected.len()
            && written.iter().zip(expected).all(|(written, expected)| written.is(expected));
        if !same {
            return Err(format!("{id} has the history {written:?}, expected {expected:?}"));
        }
    }
    let contacts = format!("CONTACT#{account}#");
    let ids: BTreeSet<&str> = with_prefix(items, &contacts).map(|((_, sk), _)| contact_id(sk)).collect();
    for (_, item) in with_prefix(items, &format!("EMAIL#{account}#")) {
        let id = text(item, "contact").unwrap_or_default();
        if !ids.contains(id) {
            return Err(format!("an address item names {id}, which is not stored"));
        }
    }
    let prefix = format!("ACCOUNT#{account}");
    let statements = with_prefix(items, &prefix).filter(|(key, _)| kind(key).1 == Kind::Statement);
    let found: Vec<_> = statements.map(|(_, item)| statement(item)).collect();
    let expected: Vec<_> =
        (1..).zip(&state.model.statements).map(|(n, (at, usage, left))| (n, *at, *usage, *left)).collect();
    if found != expected {
        return Err(format!("the statements are {found:?}, expected {expected:?}"));
    }
    Ok(())
}

/// Returns a contact's stored history, from its pages and its item.
fn written_history(
    account: &AccountId,
    id: &str,
    contact: &RawContact,
    items: &Items,
) -> Result<Vec<RawMoved>, String> {
    let mut written = Vec::new();
    for (_, page) in with_prefix(items, &format!("HISTORY#{account}#{id}")) {
        let first = number(page, "first").unwrap_or_default();
        if first < contact.earlier {
            if first != written.len() as u64 {
                return Err(format!("{id} lacks a page of its history before change {first}"));
            }
            written.extend(history(page, "changes"));
        }
    }
    if written.len() as u64 != contact.earlier {
        return Err(format!("{id} has {} earlier changes of {}", written.len(), contact.earlier));
    }
    written.extend(contact.recent.iter().cloned());
    Ok(written)
}

/// Checks that the jobs have finished all their work once they had unlimited time. Orphaned pages of history are an
/// error only in a `tidy` run, in which no request was aborted.
///
/// # Errors
///
/// The first unfinished work.
pub fn swept(state: &State, account: &AccountId, items: &Items, tidy: bool) -> Result<(), String> {
    let current = state.model.number;
    let mut contacts = BTreeMap::new();
    let prefix = format!("CONTACT#{account}#");
    for ((_, sk), item) in with_prefix(items, &prefix) {
        let id = contact_id(sk);
        let contact = RawContact::of(item);
        if contact.has_left(current) {
            return Err(format!("{id} has left and was not swept: {contact:?}"));
        }
        contacts.insert(id, contact);
    }
    for ((pk, _), item) in with_prefix(items, &format!("EMAIL#{account}#")) {
        let id = text(item, "contact").unwrap_or_default();
        let address = contacts.get(id).and_then(|contact| contact.address.as_deref());
        if address.is_none_or(|address| *pk != format!("EMAIL#{account}#{address}")) {
            return Err(format!("an address item names {id}, which does not have the address"));
        }
    }
    for (key, page) in with_prefix(items, &format!("HISTORY#{account}#")) {
        let Kind::History(id) = kind(key).1 else { continue };
        let first = number(page, "first").unwrap_or_default();
        // A page whose change was not applied is overwritten by the next change.
        let may_stay = contacts.get(id).is_some_and(|contact| first <= contact.earlier);
        if tidy && !may_stay {
            return Err(format!("a page of the history of {id} is left behind"));
        }
    }
    for ((pk, _), item) in with_prefix(items, &format!("SEEN#{account}#")) {
        if waits(item) {
            return Err(format!("{pk} still waits in the inbox"));
        }
    }
    for (key, item) in with_prefix(items, &format!("ACCOUNT#{account}")) {
        if kind(key).1 == Kind::Statement && text(item, "due_at").is_some() {
            return Err(format!("a statement is still due: {item}"));
        }
    }
    Ok(())
}
