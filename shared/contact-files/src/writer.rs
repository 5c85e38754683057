//! The CSV files that this program writes.

use csv_core::{Terminator, WriterBuilder};
use domain::property::PropertyName;

use crate::columns::always_fills;
use crate::names::PROPERTY_PREFIX;
use crate::values::protected;

/// The columns with the outcome of each row of an import, before the row's own columns. An import reads none of them.
pub const OUTCOME_COLUMNS: [&str; 6] = [
    "tidemark:row",
    "tidemark:line",
    "tidemark:outcome",
    "tidemark:field",
    "tidemark:reason",
    "tidemark:marketing",
];

/// The mark of UTF-8, without which spreadsheets read another encoding.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The number of bytes that are written around a cell at most: two quotes and a line end.
const AROUND_CELL: usize = 4;

/// A writer of CSV for spreadsheets: UTF-8 with a mark, and lines that end with CR LF.
///
/// A value that a spreadsheet would run as a formula is written with an apostrophe before it, which an import removes.
/// The caller takes the bytes away as often as it likes.
pub struct CsvWriter {
    buffer: Vec<u8>,
    writer: csv_core::Writer,
}

impl CsvWriter {
    /// Creates a writer of a file from its beginning.
    #[must_use]
    pub fn new() -> Self {
        Self { buffer: MARK.to_vec(), ..Self::resumed() }
    }

    /// Creates a writer that adds records to a file that has a beginning.
    #[must_use]
    pub fn resumed() -> Self {
        let writer = WriterBuilder::new().terminator(Terminator::CRLF).build();
        Self { buffer: Vec::new(), writer }
    }

    /// Writes one record.
    pub fn record<'c>(&mut self, cells: impl IntoIterator<Item = &'c str>) {
        for (position, cell) in cells.into_iter().enumerate() {
            let cell = protected(cell);
            // Each quote within the cell is doubled.
            let room = 2 * cell.len() + AROUND_CELL;
            if position > 0 {
                self.write(room, |writer, output| writer.delimiter(output).1);
            }
            self.write(room, |writer, output| writer.field(cell.as_bytes(), output).2);
        }
        self.write(AROUND_CELL, |writer, output| writer.terminator(output).1);
    }

    /// Returns the bytes that were written since the last call.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Returns the number of bytes that [`Self::take`] would return.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Returns true if [`Self::take`] would return no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Writes to the buffer, in which there is room for so many bytes.
    fn write(&mut self, room: usize, write: impl FnOnce(&mut csv_core::Writer, &mut [u8]) -> usize) {
        let before = self.buffer.len();
        self.buffer.resize(before + room, 0);
        let output = self.buffer.get_mut(before..).unwrap_or_default();
        let written = write(&mut self.writer, output);
        self.buffer.truncate(before + written);
    }
}

impl Default for CsvWriter {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the name of the column of a property: the property's own name, if an import reads it as this property in any
/// file, and otherwise the name after `property:`.
#[must_use]
pub fn header_of(property: &PropertyName) -> String {
    let name = property.as_str();
    if always_fills(name, property) { name.to_owned() } else { format!("{PROPERTY_PREFIX}{name}") }
}
