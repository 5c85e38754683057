//! The values of a column in the beginning of a file.

use domain::unseen::is_visible;
use encoding_rs::WINDOWS_1252;

use crate::address;
use crate::flags::{is_leaving, is_status};
use crate::records::Record;
use crate::values::cell_value;

/// The numbers of values of a column, by kind.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sample {
    /// The cells with a visible character.
    pub(crate) filled: usize,
    /// The values that are one address.
    pub(crate) addresses: usize,
    /// The values that are a status of an address.
    pub(crate) statuses: usize,
    /// The statuses of addresses that have left or bounced.
    pub(crate) leaving: usize,
}

/// Returns the sample of each of `width` columns.
pub(crate) fn of(records: &[Record], width: usize) -> Vec<Sample> {
    let mut samples = vec![Sample::default(); width];
    for record in records.iter().filter(|record| record.fault.is_none()) {
        for (cell, sample) in record.cells.iter().zip(&mut samples) {
            sample.add(cell);
        }
    }
    samples
}

impl Sample {
    fn add(&mut self, cell: &str) {
        if !is_visible(cell) {
            return;
        }
        let value = cell_value(cell);
        self.filled += 1;
        self.addresses += usize::from(address::is_one(&value));
        self.statuses += usize::from(is_status(&value));
        self.leaving += usize::from(is_leaving(&value));
    }
}

/// Returns true if a text is UTF-8 that was decoded as windows-1252, such as `JosÃ©`.
pub(crate) fn is_decoded_twice(text: &str) -> bool {
    if text.is_ascii() {
        return false;
    }
    let (bytes, _, has_errors) = WINDOWS_1252.encode(text);
    !has_errors && std::str::from_utf8(&bytes).is_ok_and(|text| !text.is_ascii())
}
