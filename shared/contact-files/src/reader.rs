//! The reader of a file's rows.

use std::collections::BTreeSet;

use domain::unseen::is_visible;

use crate::contact::Reader;
use crate::layout::Layout;
use crate::place::Place;
use crate::records::{Record, Records};
use crate::row::{Content, Reason, Row, RowNote, RowProblem};
use crate::writer::OUTCOME_COLUMNS;

/// A reader of rows, into which the bytes of a file are fed.
///
/// Beside the bytes that were fed last, it has at most one row in memory
/// ([`domain::limits::IMPORT_RECORD_BYTES_MAX`]).
pub struct RowReader {
    records: Records,
    reader: Reader,
    /// The positions of columns with the outcomes of an earlier import, which do not fill a row.
    outcomes: BTreeSet<usize>,
}

impl RowReader {
    /// Creates a reader of the rows from one place of a file on: the layout's start, or the place after a row.
    #[must_use]
    pub fn new(layout: &Layout, place: Place) -> Self {
        let records = Records::new(layout.decoding(), layout.shape(), place);
        let columns = layout.columns.iter();
        let outcomes = columns.filter(|column| OUTCOME_COLUMNS.contains(&column.name.as_str()));
        let outcomes = outcomes.map(|column| column.position).collect();
        Self { records, reader: Reader::new(layout), outcomes }
    }

    /// Adds the next bytes of the file. The first ones are those from the place on.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.records.feed(bytes);
    }

    /// Marks the end of the file.
    pub fn end(&mut self) {
        self.records.end();
    }

    /// Returns the next row. Returns `None` if more bytes must be fed, or if the file has ended.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end where more bytes must be fed")]
    pub fn next(&mut self) -> Option<Row> {
        let record = self.records.next()?;
        let mut notes = notes_of(&record);
        let content = self.content(&record, &mut notes);
        Some(Row {
            number: record.after.row,
            line: record.line,
            content,
            notes,
            after: record.after,
            cells: record.cells,
        })
    }

    /// Returns the size of the memory for bytes that are in no row yet.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.records.capacity()
    }

    fn content(&self, record: &Record, notes: &mut Vec<RowNote>) -> Content {
        if let Some(fault) = record.fault {
            return Content::Invalid(RowProblem::of_row(Reason::of(fault, record.line)));
        }
        let mut own =
            record.cells.iter().enumerate().filter(|(position, _)| !self.outcomes.contains(position));
        if !own.any(|(_, cell)| is_visible(cell)) {
            return Content::Empty;
        }
        match self.reader.read(&record.cells, notes) {
            Ok(contact) => Content::Contact(contact),
            Err(problem) => Content::Invalid(problem),
        }
    }
}

fn notes_of(record: &Record) -> Vec<RowNote> {
    let notes = [
        (record.is_mended, RowNote::OtherEncoding),
        (record.is_undecodable, RowNote::Undecodable),
        (record.is_lenient, RowNote::StrayQuotes),
    ];
    notes.into_iter().filter(|(is_noted, _)| *is_noted).map(|(_, note)| note).collect()
}
