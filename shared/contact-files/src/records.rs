//! The records of a file: one line each, or several if a quoted cell has line ends.
//!
//! Each line that is not blank is in exactly one record. A quoted cell that is not closed makes its first line a record
//! that cannot be read, and reading goes on with the next line.

use std::collections::VecDeque;

use domain::limits::{IMPORT_RECORD_BYTES_MAX, IMPORT_RECORD_LINES_MAX};

use crate::cells::{Cells, Fault, Shape, Splitter};
use crate::lines::{Decoding, Line, Lines};
use crate::place::Place;
use crate::quotes::Scanner;

/// A record.
pub(crate) struct Record {
    /// The cells, without the quotes around them.
    pub(crate) cells: Vec<String>,
    /// The number of its first line.
    pub(crate) line: u64,
    /// The place in the file after the record.
    pub(crate) after: Place,
    /// The reason for which it cannot be read.
    pub(crate) fault: Option<Fault>,
    /// True if its quotes are not regular, and it was read all the same.
    pub(crate) is_lenient: bool,
    /// True if a line of it was decoded in another encoding than the file.
    pub(crate) is_mended: bool,
    /// True if bytes of it are not valid in their encoding.
    pub(crate) is_undecodable: bool,
}

/// A reader of records.
pub(crate) struct Records {
    lines: Lines,
    splitter: Splitter,
    /// The number of records that were read.
    rows: u64,
    /// The lines that were read and are in no record yet.
    queue: VecDeque<Line>,
    /// The number of queued lines that the scanner has seen.
    scanned: usize,
    /// The size of these lines in bytes.
    scanned_bytes: usize,
    scanner: Scanner,
}

/// The result of scanning one more line.
enum Step {
    /// The record may go on.
    Open,
    /// The scanned lines are a record.
    Complete,
    /// The first line is a record that cannot be read.
    Fault(Fault),
}

impl Records {
    /// Creates a reader of the records from one place of a file on.
    pub(crate) fn new(decoding: Decoding, shape: Shape, place: Place) -> Self {
        let splitter = Splitter::new(shape);
        Self {
            lines: Lines::new(decoding, place),
            rows: place.row,
            queue: VecDeque::new(),
            scanned: 0,
            scanned_bytes: 0,
            scanner: Scanner::new(splitter.outer_delimiter()),
            splitter,
        }
    }

    /// Adds the next bytes of the file.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.lines.feed(bytes);
    }

    /// Marks the end of the file.
    pub(crate) fn end(&mut self) {
        self.lines.end();
    }

    /// Returns the size of the memory for the bytes and lines that are in no record yet.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.lines.capacity() + self.queue.iter().map(|line| line.text.capacity()).sum::<usize>()
    }

    /// Returns the next record. Returns `None` if more bytes must be fed, or if the file has ended.
    pub(crate) fn next(&mut self) -> Option<Record> {
        loop {
            match self.scan()? {
                Step::Open => {}
                Step::Complete => return self.complete(),
                Step::Fault(fault) => return self.first_line(fault),
            }
        }
    }

    /// Scans the next line. Returns `None` if there is none yet.
    fn scan(&mut self) -> Option<Step> {
        if self.scanned == self.queue.len() {
            match self.lines.next() {
                Some(line) => self.queue.push_back(line),
                None if self.scanned > 0 && self.lines.is_ended() => return Some(self.unclosed()),
                None => return None,
            }
        }
        let line = self.queue.get(self.scanned)?;
        if self.scanned == 0 && line.is_blank() {
            self.queue.pop_front();
            return Some(Step::Open);
        }
        if line.is_cut {
            let is_first = self.scanned == 0;
            return Some(Step::Fault(if is_first { Fault::TooLong } else { Fault::Unclosed }));
        }
        self.scanned += 1;
        self.scanned_bytes += line.bytes;
        self.scanner.scan(&line.text);
        Some(self.step())
    }

    /// Returns the result of the lines that were scanned.
    fn step(&self) -> Step {
        let is_too_long =
            self.scanned_bytes > IMPORT_RECORD_BYTES_MAX || self.scanned > IMPORT_RECORD_LINES_MAX;
        if self.scanned > 1 && (is_too_long || self.scanner.has_stray) {
            return Step::Fault(Fault::Unclosed);
        }
        if !self.scanner.is_open() {
            return Step::Complete;
        }
        if self.scanner.may_go_on() { Step::Open } else { Step::Fault(Fault::Unclosed) }
    }

    /// Returns the result at the end of the file, if a quoted cell is not closed.
    fn unclosed(&self) -> Step {
        let is_last_line = self.queue.len() == 1;
        Step::Fault(if is_last_line { Fault::EndsInside } else { Fault::Unclosed })
    }

    /// Returns the scanned lines as a record.
    fn complete(&mut self) -> Option<Record> {
        let mut line = self.queue.pop_front()?;
        for _ in 1..self.scanned {
            let next = self.queue.pop_front()?;
            line.text.push_str(&next.text);
            line.after = next.after;
            line.is_mended |= next.is_mended;
            line.is_undecodable |= next.is_undecodable;
        }
        let cells = self.splitter.split(&line.text);
        Some(self.record(&line, cells))
    }

    /// Returns the first line as a record that cannot be read. The other scanned lines are read again.
    fn first_line(&mut self, fault: Fault) -> Option<Record> {
        let line = self.queue.pop_front()?;
        let cells = self.splitter.show(&line.text, fault);
        self.scanned = 1;
        Some(self.record(&line, cells))
    }

    /// Returns the record of the scanned lines, and begins the next one.
    fn record(&mut self, line: &Line, cells: Cells) -> Record {
        self.rows += 1;
        let lines = u64::try_from(self.scanned).unwrap_or(u64::MAX);
        self.scanned = 0;
        self.scanned_bytes = 0;
        self.scanner = Scanner::new(self.splitter.outer_delimiter());
        Record {
            cells: cells.texts,
            line: line.number,
            after: Place { byte: line.after, row: self.rows, line: line.number + lines },
            fault: cells.fault,
            is_lenient: cells.is_lenient,
            is_mended: line.is_mended,
            is_undecodable: line.is_undecodable,
        }
    }
}
