//! The decisions on the rows of one transaction, in their order.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use domain::Timestamp;
use domain::contact::{Contact, Imported};
use domain::decision::{CountChange, Ledger};
use domain::ids::{ContactId, ImportId, NewContactIds};
use domain::import::{ImportMode, RowOutcome, RowResult};
use domain::limits::{
    DRY_RUN_ADDRESSES_MAX, IMPORT_ROWS_PER_TRANSACTION_MAX, TRANSACTION_BYTES_MAX, TRANSACTION_ITEMS_MAX,
};
use domain::property::PropertyName;
use domain::source::{Actor, Intake, Source};

use super::manage::ImportTerms;
use super::rows::{ImportContact, ImportRow, RowContent};
use crate::contacts::{Capacity, ContactUpsert, Loaded, PlannedContact, approximate_bytes};

/// The problem of a row for a contact that exists, in an import that only creates contacts.
pub(crate) const CONTACT_EXISTS: &str = "contact-exists";
/// The problem of a row for an unknown address, in an import that only updates contacts.
pub(crate) const NO_SUCH_CONTACT: &str = "no-such-contact";
/// The problem of a row whose values do not fit into the contact.
pub(crate) const TOO_MUCH: &str = "too-much";

/// The number of items of a transaction beside those of its contacts: the period, the import, the results and the list.
const OTHER_ITEMS: usize = 4;

/// The maximum number of items that one contact writes: the contact, its address, the deleted contact that had the
/// address, and the two of a list's member.
const ITEMS_OF_ONE: usize = 5;

/// The fixed part of an import's decisions.
pub(super) struct Order {
    pub(super) import: ImportId,
    pub(super) terms: ImportTerms,
    pub(super) source: Source,
    pub(super) actor: Actor,
}

/// The first rows of the contacts that a dry run would have written. Only digests of addresses are in memory, because there
/// may be very many. Two addresses have the same digest by chance once in 2^64.
#[derive(Default)]
pub(super) struct FirstRows(HashMap<u64, u64>);

impl FirstRows {
    fn digest(key: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        hasher.finish()
    }

    /// Returns the first row of the contact with this address.
    fn of(&self, key: &str) -> Option<u64> {
        if self.0.is_empty() { None } else { self.0.get(&Self::digest(key)).copied() }
    }

    /// Records the first row of a contact, up to [`DRY_RUN_ADDRESSES_MAX`] of them.
    fn record(&mut self, key: &str, first: u64) {
        if self.0.len() < DRY_RUN_ADDRESSES_MAX {
            self.0.entry(Self::digest(key)).or_insert(first);
        }
    }

    /// Records the first rows of the contacts that a transaction would have written.
    pub(super) fn record_all(&mut self, people: &BTreeMap<String, Person>) {
        for (key, person) in people.iter().filter(|(_, person)| person.planned.is_changed()) {
            self.record(key, person.first);
        }
    }
}

/// A contact that rows of this transaction name.
pub(super) struct Person {
    pub(super) planned: PlannedContact,
    /// The contact before this transaction.
    before: Option<Contact>,
    /// The first row of the import that wrote the contact or, if none did, the first of this transaction.
    first: u64,
    /// The positions of the results of the contact's rows.
    results: Vec<usize>,
}

/// The result of deciding one row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Decided {
    /// The row has a result.
    Yes,
    /// The transaction is full. The row belongs to the next one.
    Full,
}

/// The decisions of one transaction.
pub(super) struct Decisions<'a> {
    order: &'a Order,
    now: Timestamp,
    ledger: Ledger<'a>,
    new_ids: NewContactIds,
    /// The contacts that earlier transactions of a dry run would have written.
    earlier: &'a FirstRows,
    people: BTreeMap<String, Person>,
    /// The contacts that the transaction writes.
    ids: HashSet<ContactId>,
    results: Vec<RowResult>,
    items: usize,
    bytes: usize,
    /// False if the decisions are not for a transaction, so that its limits do not apply.
    is_bounded: bool,
}

/// The complete decisions of one transaction.
pub(super) struct Complete {
    /// The contacts by the keys of their addresses.
    pub(super) people: BTreeMap<String, Person>,
    /// The results, one for each row.
    pub(super) results: Vec<RowResult>,
    /// The change of the period's counts.
    pub(super) change: CountChange,
}

impl<'a> Decisions<'a> {
    /// Creates decisions that continue after `ledger`.
    pub(super) fn new(
        order: &'a Order,
        ledger: Ledger<'a>,
        now: Timestamp,
        new_ids: NewContactIds,
        earlier: &'a FirstRows,
    ) -> Self {
        Self {
            order,
            now,
            ledger,
            new_ids,
            earlier,
            people: BTreeMap::new(),
            ids: HashSet::new(),
            results: Vec::new(),
            items: OTHER_ITEMS,
            bytes: 0,
            is_bounded: true,
        }
    }

    /// Returns the decisions without the limits of a transaction.
    pub(super) fn unbounded(self) -> Self {
        Self { is_bounded: false, ..self }
    }

    /// Decides one row. `found` is the contact that has the row's address, deleted ones included.
    pub(super) fn decide(&mut self, row: &ImportRow, found: Option<&Loaded>) -> Decided {
        if self.is_bounded && self.is_full_for(row, found) {
            return Decided::Full;
        }
        let result = match &row.content {
            RowContent::Empty => RowResult::new(RowOutcome::Empty),
            RowContent::Invalid(problem) => RowResult::invalid(problem.clone()),
            RowContent::Contact(contact) => self.decide_contact(row.number, contact, found),
        };
        self.results.push(result);
        Decided::Yes
    }

    /// Returns true if the row belongs to the next transaction.
    fn is_full_for(&self, row: &ImportRow, found: Option<&Loaded>) -> bool {
        if self.results.len() >= IMPORT_ROWS_PER_TRANSACTION_MAX {
            return true;
        }
        let RowContent::Contact(contact) = &row.content else { return false };
        let is_new = !self.people.contains_key(contact.email.key());
        // A new contact may have received the id of one that was created in the same millisecond.
        let is_taken = is_new && found.is_some_and(|found| self.ids.contains(&found.contact.id));
        let is_full = is_new && self.items + ITEMS_OF_ONE > TRANSACTION_ITEMS_MAX;
        is_full || is_taken || self.bytes >= TRANSACTION_BYTES_MAX
    }

    fn decide_contact(&mut self, number: u64, row: &ImportContact, found: Option<&Loaded>) -> RowResult {
        if let Some(first) = self.earlier.of(row.email.key()) {
            return RowResult { duplicate_of: Some(first), ..RowResult::new(RowOutcome::DuplicateOf) };
        }
        let person = self.people.get(row.email.key());
        let earlier = person.map(|person| &person.planned);
        let current = match earlier {
            Some(earlier) => Some(&earlier.contact),
            None => found.map(|loaded| &loaded.contact).filter(|contact| contact.is_visible()),
        };
        let written_by = current.and_then(|contact| contact.row_of(self.order.import));
        let is_own = person.is_some() || written_by.is_some();
        match (self.order.terms.mode, current.is_some()) {
            (ImportMode::Create, true) if !is_own => return RowResult::invalid(CONTACT_EXISTS),
            (ImportMode::Update, false) => return RowResult::invalid(NO_SUCH_CONTACT),
            _ => {}
        }
        let (properties, kept_value) = without_worse_values(row, current);
        let upsert = ContactUpsert {
            email: Some(&row.email),
            properties: &properties,
            submitted: None,
            unsubscribed: row.unsubscribed,
            bounced: row.bounced,
            status: Intake::Import { set_marketing: self.order.terms.set_marketing }.default_status(),
            source: &self.order.source,
            actor: self.order.actor,
        };
        let mut capacity = Capacity { ledger: &mut self.ledger, form: None };
        let decided = match earlier {
            Some(earlier) => upsert.decide_further(earlier, &mut capacity, self.now),
            None => {
                let new_id = draw(&mut self.new_ids, &self.ids);
                upsert.decide(found.cloned(), &mut capacity, self.now, new_id)
            }
        };
        // The only refusal is that of values beyond a contact's limits.
        let Ok(planned) = decided else { return RowResult::invalid(TOO_MUCH) };
        let outcome = match (written_by, planned.created, earlier) {
            (Some(_), ..) | (_, _, Some(_)) => RowOutcome::DuplicateOf,
            (None, true, None) => RowOutcome::Created,
            (None, false, None) if planned.is_changed() => RowOutcome::Updated,
            (None, false, None) => RowOutcome::Unchanged,
        };
        let first = person.map_or(written_by.unwrap_or(number), |person| person.first);
        let result = RowResult {
            duplicate_of: (outcome == RowOutcome::DuplicateOf).then_some(first),
            marketing: planned.status,
            kept_value,
            ..RowResult::new(outcome)
        };
        self.record(row, planned, found, first);
        result
    }

    /// Records the plan of a row's contact, and counts its items.
    fn record(&mut self, row: &ImportContact, planned: PlannedContact, found: Option<&Loaded>, first: u64) {
        self.ids.insert(planned.contact.id);
        self.ids.extend(found.map(|loaded| loaded.contact.id));
        self.bytes += approximate_bytes(&planned.contact);
        let position = self.results.len();
        let key = row.email.key();
        if let Some(person) = self.people.get_mut(key) {
            person.planned = planned;
            person.results.push(position);
            return;
        }
        let new_address = usize::from(planned.stored.is_none());
        let member = if self.order.terms.add_to_segment.is_some() { 2 } else { 0 };
        self.items += 1 + new_address + usize::from(planned.replaces()) + member;
        let before = found.map(|loaded| loaded.contact.clone());
        let person = Person { planned, before, first, results: vec![position] };
        self.people.insert(key.to_owned(), person);
    }

    /// Completes the decisions. A contact that shows the same as before is not written, although rows may have changed
    /// it back and forth.
    pub(super) fn complete(mut self) -> Complete {
        let import = self.order.import;
        for person in self.people.values_mut() {
            let contact = &person.planned.contact;
            let is_same = person.before.as_ref().is_some_and(|before| contact.shows_the_same_as(before));
            if is_same || !person.planned.is_changed() {
                person.planned.discard();
                let is_own = person.before.as_ref().is_some_and(|before| before.row_of(import).is_some());
                for position in person.results.iter().filter(|_| !is_own) {
                    if let Some(result) = self.results.get_mut(*position) {
                        result.outcome = RowOutcome::Unchanged;
                        result.duplicate_of = None;
                    }
                }
                continue;
            }
            let contact = &mut person.planned.contact;
            contact.imported = Some(Imported { import, row: person.first });
            contact.unenrolled = !self.order.terms.automations;
        }
        Complete { people: self.people, results: self.results, change: self.ledger.count_change() }
    }

    /// Returns true if a contact was refused for lack of capacity and is not written. Then a read must confirm that there
    /// was none.
    pub(super) fn needs_confirmation(&self) -> bool {
        self.people.values().any(|person| person.planned.is_refused_as_read())
    }
}

/// Returns an id that no contact of the transaction has.
fn draw(new_ids: &mut NewContactIds, taken: &HashSet<ContactId>) -> ContactId {
    loop {
        let id = new_ids.draw();
        if !taken.contains(&id) {
            return id;
        }
    }
}

/// Returns the values of a row without those that would replace better ones, and true if there were any.
fn without_worse_values(
    row: &ImportContact,
    current: Option<&Contact>,
) -> (Vec<(PropertyName, Option<String>)>, bool) {
    let is_worse = |name: &PropertyName, value: &String| {
        let known = current.and_then(|contact| contact.properties.get(name.as_str()));
        row.cautious.contains(name) && known.is_some_and(|known| known != value)
    };
    let kept_value = row.properties.iter().any(|(name, value)| is_worse(name, value));
    let values = row.properties.iter().filter(|(name, value)| !is_worse(name, value));
    (values.map(|(name, value)| (name.clone(), Some(value.clone()))).collect(), kept_value)
}
