//! The cells of one record.
//!
//! `csv-core` splits a record whose quotes are regular. A record with stray quotes is read in a few other ways, and the
//! first one that gives the header's number of cells counts. So a stray quote never moves a text to another column.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use domain::limits::{IMPORT_CUT_CELL_BYTES_MAX, IMPORT_RECORD_CELLS_MAX};
use domain::unseen::is_visible;

use crate::delimiter::Delimiter;
use crate::quotes::Scanner;

/// A byte that no UTF-8 text contains, as the delimiter of records of one cell.
const NO_DELIMITER: u8 = 0xff;

/// The shape of the records of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    /// The delimiter, or `None` for a file of one column.
    pub(crate) delimiter: Option<Delimiter>,
    /// True if each line is one quoted cell, which contains the record.
    pub(crate) is_quoted_whole: bool,
    /// The number of the header's cells, or `None` before the header is found.
    pub(crate) width: Option<usize>,
}

/// The reason for which a record cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// A quote is not closed, within the rest of the file or the size of a record.
    Unclosed,
    /// The file ends inside a quoted cell of its last line.
    EndsInside,
    /// The quotes do not surround whole cells.
    Garbled,
    /// The record is too long.
    TooLong,
}

/// The cells of a record, and the way in which they were read.
pub(crate) struct Cells {
    pub(crate) texts: Vec<String>,
    /// True if quotes of the record are not regular, and it was read all the same.
    pub(crate) is_lenient: bool,
    /// The reason for which the cells can only be shown.
    pub(crate) fault: Option<Fault>,
}

impl Cells {
    fn of(texts: Vec<String>) -> Self {
        Self { texts, is_lenient: false, fault: None }
    }

    fn lenient(texts: Vec<String>) -> Self {
        Self { texts, is_lenient: true, fault: None }
    }
}

/// A splitter of records into cells.
pub(crate) struct Splitter {
    shape: Shape,
    reader: Reader,
    output: Vec<u8>,
    ends: Vec<usize>,
}

impl Splitter {
    /// Creates a splitter of records of this shape.
    pub(crate) fn new(shape: Shape) -> Self {
        let delimiter = shape.delimiter.map_or(NO_DELIMITER, Delimiter::byte);
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { shape, reader, output: Vec::new(), ends: Vec::new() }
    }

    /// Returns the delimiter between the cells that the quotes of a line surround.
    pub(crate) fn outer_delimiter(&self) -> Option<Delimiter> {
        self.shape.delimiter.filter(|_| !self.shape.is_quoted_whole)
    }

    /// Returns the cells of a complete record.
    pub(crate) fn split(&mut self, text: &str) -> Cells {
        match self.inner(text) {
            Some(inner) => self.split_plain(&inner),
            None => self.split_plain(text),
        }
    }

    /// Returns the texts between delimiters of a record that cannot be read. Those of one that is too long are cut.
    pub(crate) fn show(&self, text: &str, fault: Fault) -> Cells {
        let mut texts = self.split_literally(text);
        if fault == Fault::TooLong {
            texts.iter_mut().for_each(cut);
        }
        Cells { texts, is_lenient: false, fault: Some(fault) }
    }

    fn split_literally(&self, text: &str) -> Vec<String> {
        let text = without_line_end(text);
        match self.shape.delimiter {
            Some(delimiter) => {
                text.split(delimiter.char()).take(IMPORT_RECORD_CELLS_MAX).map(str::to_owned).collect()
            }
            None => vec![text.to_owned()],
        }
    }

    /// Returns the record within a line that is one quoted cell.
    fn inner(&self, text: &str) -> Option<String> {
        if self.shape.is_quoted_whole { unquoted(text) } else { None }
    }

    fn split_plain(&mut self, text: &str) -> Cells {
        let quotes = Scanner::of(self.shape.delimiter, text);
        if quotes.has_stray || quotes.is_open() {
            return self.split_stray(text, &quotes);
        }
        if quotes.has_space {
            let texts = self.lenient(text, false);
            return texts.map_or_else(|| self.show(text, Fault::Garbled), Cells::of);
        }
        match self.split_regular(text) {
            // A space before a quote may not belong to the cell.
            Ok(texts) if quotes.has_literal && !self.fits(&texts) => {
                let others = self.lenient(text, false).filter(|texts| self.is_exact(texts));
                others.map_or_else(|| Cells::of(texts), Cells::lenient)
            }
            Ok(texts) => Cells::of(texts),
            Err(fault) => self.show(text, fault),
        }
    }

    /// Returns the cells of a record with quotes in the middle of cells.
    fn split_stray(&self, text: &str, quotes: &Scanner) -> Cells {
        let ways = [self.lenient(text, false), self.lenient(text, true), self.without_quotes(text, quotes)];
        let is_header = self.shape.width.is_none();
        let texts = ways.into_iter().flatten().find(|texts| is_header || self.is_exact(texts));
        texts.map_or_else(|| self.show(text, Fault::Garbled), Cells::lenient)
    }

    /// Returns the cells according to `csv-core`.
    fn split_regular(&mut self, text: &str) -> Result<Vec<String>, Fault> {
        let delimiter = self.shape.delimiter.map(Delimiter::byte);
        let delimiters = text.bytes().filter(|byte| Some(*byte) == delimiter).count();
        // Each cell has an end. There is room for more than are allowed, so too many are noticed.
        self.ends.resize(delimiters.min(IMPORT_RECORD_CELLS_MAX) + 2, 0);
        self.output.resize(text.len() + 1, 0);
        self.reader.reset();
        let ended = format!("{}\n", without_line_end(text));
        let (result, _, _, count) =
            self.reader.read_record(ended.as_bytes(), &mut self.output, &mut self.ends);
        match result {
            ReadRecordResult::Record if count <= IMPORT_RECORD_CELLS_MAX => Ok(self.cells(count)),
            ReadRecordResult::Record | ReadRecordResult::OutputEndsFull => Err(Fault::TooLong),
            _ => Err(Fault::Garbled),
        }
    }

    /// Returns the cells that the reader has written.
    fn cells(&self, count: usize) -> Vec<String> {
        let mut start = 0;
        let ends = self.ends.iter().take(count);
        ends.map(|&end| {
            let cell = self.output.get(start..end).unwrap_or_default();
            start = end;
            String::from_utf8_lossy(cell).into_owned()
        })
        .collect()
    }

    /// Returns the cells if a quote closes its cell only before a delimiter or the end. With `is_escaped`, a quote after
    /// a backslash belongs to the text. Returns `None` if a cell is not closed, or for too many cells.
    fn lenient(&self, text: &str, is_escaped: bool) -> Option<Vec<String>> {
        let mut rest = without_line_end(text);
        let mut texts = Vec::new();
        while texts.len() < IMPORT_RECORD_CELLS_MAX {
            let (cell, after) = match self.after_spaces(rest).strip_prefix('"') {
                Some(quoted) => self.quoted_cell(quoted, is_escaped)?,
                None => self.plain_cell(rest),
            };
            texts.push(cell);
            match after {
                Some(after) => rest = after,
                None => return Some(texts),
            }
        }
        None
    }

    /// Returns the text up to the next delimiter, and the rest after it.
    fn plain_cell<'t>(&self, text: &'t str) -> (String, Option<&'t str>) {
        match self.shape.delimiter.and_then(|delimiter| text.split_once(delimiter.char())) {
            Some((cell, rest)) => (cell.to_owned(), Some(rest)),
            None => (text.to_owned(), None),
        }
    }

    /// Returns the text up to the closing quote, and the rest after the delimiter that follows.
    fn quoted_cell<'t>(&self, text: &'t str, is_escaped: bool) -> Option<(String, Option<&'t str>)> {
        let mut cell = String::new();
        let mut rest = text;
        let mut is_after_backslash = false;
        loop {
            let c = rest.chars().next()?;
            rest = rest.get(c.len_utf8()..)?;
            if c == '"' && !is_after_backslash {
                let after = self.after_spaces(rest);
                if after.is_empty() {
                    return Some((cell, None));
                }
                if let Some(delimiter) = self.shape.delimiter
                    && let Some(after) = after.strip_prefix(delimiter.char())
                {
                    return Some((cell, Some(after)));
                }
                // Of a doubled quote, one belongs to the text.
                rest = rest.strip_prefix('"').unwrap_or(rest);
            }
            is_after_backslash = is_escaped && c == '\\' && !is_after_backslash;
            cell.push(c);
        }
    }

    /// Returns the text without the spaces before it. A tab that is the delimiter is no space.
    fn after_spaces<'t>(&self, text: &'t str) -> &'t str {
        let is_tab_space = self.shape.delimiter != Some(Delimiter::Tab);
        text.trim_start_matches(|c| c == ' ' || (c == '\t' && is_tab_space))
    }

    /// Returns the texts between delimiters, without the quotes around a whole one. Returns `None` if a quoted cell is
    /// not closed within the record.
    fn without_quotes(&self, text: &str, quotes: &Scanner) -> Option<Vec<String>> {
        let bare = |cell: String| {
            let inner = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"'));
            inner.filter(|inner| !inner.contains('"')).map(str::to_owned).unwrap_or(cell)
        };
        (!quotes.is_open()).then(|| self.split_literally(text).into_iter().map(bare).collect())
    }

    /// Returns true if no cell after the header's last is filled.
    fn fits(&self, texts: &[String]) -> bool {
        self.shape.width.is_none_or(|width| !texts.iter().skip(width).any(|text| is_visible(text)))
    }

    /// Returns true if the record has a cell for each of the header's, and no filled one after them.
    fn is_exact(&self, texts: &[String]) -> bool {
        self.shape.width.is_some_and(|width| texts.len() >= width) && self.fits(texts)
    }
}

/// Returns the record in a text that is one quoted cell.
pub(crate) fn unquoted(text: &str) -> Option<String> {
    let quotes = Scanner::of(None, text);
    let is_regular = !quotes.has_stray && !quotes.has_literal && !quotes.has_space && !quotes.is_open();
    let inner = without_line_end(text).strip_prefix('"')?.strip_suffix('"')?;
    is_regular.then(|| inner.replace("\"\"", "\""))
}

/// Cuts a cell to the size that is shown of a record that is too long.
fn cut(text: &mut String) {
    text.truncate(text.floor_char_boundary(IMPORT_CUT_CELL_BYTES_MAX));
}

/// Returns a record without the line end after it.
fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}
