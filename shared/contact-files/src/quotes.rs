//! The quotes of a record: whether they quote whole cells, and whether a cell goes on in the next line.

use crate::delimiter::Delimiter;

/// The place within a cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    /// Before the first character.
    #[default]
    Start,
    /// In a cell without quotes around it.
    Plain,
    /// Between the quotes around a cell.
    Quoted,
    /// After a quote that closes the cell or begins a doubled one.
    Closed,
    /// After spaces that follow the closing quote.
    ClosedSpace,
}

/// A scanner of the quotes of one record, line by line.
///
/// While all quotes are regular, each of them changes between inside and outside. So after a record that was not
/// closed, none of the lines that were scanned with it opens another one. The whole file is scanned twice at most.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scanner {
    delimiter: Option<u8>,
    state: State,
    /// True if a cell without quotes around it has a quote within: `6' 2"`.
    pub(crate) has_literal: bool,
    /// True if spaces follow a closing quote.
    pub(crate) has_space: bool,
    /// True if a text follows a closing quote: `"Ann "Annie" Lee"`.
    pub(crate) has_stray: bool,
}

impl Scanner {
    /// Creates a scanner of records with this delimiter, or of records of one cell.
    pub(crate) fn new(delimiter: Option<Delimiter>) -> Self {
        Self { delimiter: delimiter.map(Delimiter::byte), ..Self::default() }
    }

    /// Creates a scanner and scans a record.
    pub(crate) fn of(delimiter: Option<Delimiter>, text: &str) -> Self {
        let mut scanner = Self::new(delimiter);
        scanner.scan(text);
        scanner
    }

    /// Scans the next line.
    pub(crate) fn scan(&mut self, text: &str) {
        // Most lines have no quote. None of their characters opens or closes a cell.
        if !text.contains('"') {
            return;
        }
        for byte in text.bytes() {
            self.state = self.after(byte);
        }
    }

    /// Returns true if a quoted cell is not closed.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Quoted)
    }

    /// Returns true if the next line may belong to the record.
    pub(crate) fn may_go_on(&self) -> bool {
        self.is_open() && !self.has_literal && !self.has_stray
    }

    fn after(&mut self, byte: u8) -> State {
        let is_delimiter = Some(byte) == self.delimiter;
        let is_line_end = matches!(byte, b'\n' | b'\r');
        match self.state {
            State::Quoted => {
                if byte == b'"' {
                    State::Closed
                } else {
                    State::Quoted
                }
            }
            State::Start | State::Plain if is_delimiter || is_line_end => State::Start,
            State::Start if byte == b'"' => State::Quoted,
            State::Start | State::Plain => {
                self.has_literal |= byte == b'"';
                State::Plain
            }
            State::Closed if byte == b'"' => State::Quoted,
            State::Closed | State::ClosedSpace if is_delimiter || is_line_end => State::Start,
            State::Closed | State::ClosedSpace if matches!(byte, b' ' | b'\t') => {
                self.has_space = true;
                State::ClosedSpace
            }
            State::Closed | State::ClosedSpace => {
                self.has_stray = true;
                State::Plain
            }
        }
    }
}
