//! The search for the header among the first records of a file.

use std::collections::BTreeMap;

use domain::limits::IMPORT_HEADER_RECORDS_MAX;
use domain::property::field_key;
use domain::unseen::is_visible;
use domain::usual_names::{AddressName, address_name};

use crate::address;
use crate::names::Name;
use crate::records::Record;
use crate::target::Target;

/// The header of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Header {
    /// The record at this position.
    At(usize),
    /// The first record is a person.
    Missing,
}

/// Returns the header: the first record with a column that is mapped to the address, or with a name for an address.
/// Without such a name, it is the record before the first one that has an address.
pub(crate) fn find(records: &[Record], mapping: &BTreeMap<String, Target>) -> Header {
    let beginning = records.iter().take(IMPORT_HEADER_RECORDS_MAX);
    let above: Vec<&Record> = beginning.take_while(|record| !has_address(record)).collect();
    if above.is_empty() && !records.is_empty() {
        return Header::Missing;
    }
    let usual = above.iter().position(|record| has_usual_name(record));
    let by_mapping = above.iter().position(|record| has_mapped_address(record, mapping));
    let found = by_mapping.or(usual).or_else(|| fullest(&above)).or_else(|| {
        // Without any address in sight, the header is the first line.
        let is_above_an_address = above.len() < records.len().min(IMPORT_HEADER_RECORDS_MAX);
        above.iter().rposition(|record| is_above_an_address && filled(record) > 0)
    });
    Header::At(found.unwrap_or(0))
}

/// Returns the position of the record with a word for e-mail that has the most filled cells. A title may have that word
/// too, but stands alone in its line.
fn fullest(records: &[&Record]) -> Option<usize> {
    let named = records.iter().enumerate().filter(|(_, record)| best_name(record).is_some());
    // Of equals, `max_by_key` returns the last.
    named.rev().max_by_key(|(_, record)| filled(record)).map(|(position, _)| position)
}

fn has_address(record: &Record) -> bool {
    record.cells.iter().any(|cell| address::is_one(cell))
}

/// Returns true if the record has a usual name for an address.
pub(crate) fn has_usual_name(record: &Record) -> bool {
    matches!(best_name(record), Some(AddressName::Usual(_)))
}

fn best_name(record: &Record) -> Option<AddressName> {
    record.cells.iter().filter_map(|cell| address_name(&Name::of(cell).bare)).min()
}

fn has_mapped_address(record: &Record, mapping: &BTreeMap<String, Target>) -> bool {
    let mut keys =
        mapping.iter().filter(|(_, target)| **target == Target::Email).map(|(key, _)| field_key(key));
    keys.any(|key| record.cells.iter().any(|cell| Name::of(cell).key == key))
}

fn filled(record: &Record) -> usize {
    record.cells.iter().filter(|cell| is_visible(cell)).count()
}
