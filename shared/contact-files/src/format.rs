//! The delimiter and the place of the header, as the beginning of a file shows them.
//!
//! The delimiter that the header has, and that gives the rows the header's number of cells, is used. It need not be the
//! most frequent one: texts and dates have commas.

use domain::limits::{IMPORT_DELIMITER_RECORDS_MAX, IMPORT_HEADER_RECORDS_MAX};
use domain::unseen::is_visible;

use crate::address;
use crate::cells::{Fault, Shape, unquoted};
use crate::delimiter::Delimiter;
use crate::header::{self, Header};
use crate::layout::Options;
use crate::lines::{Decoding, Line, Lines};
use crate::place::Place;
use crate::records::{Record, Records};

/// The line with which some programs name the delimiter for a spreadsheet, before the delimiter.
const DELIMITER_LINE: &str = "sep=";

/// The beginning of a file.
pub(crate) struct Start<'s> {
    pub(crate) sample: &'s [u8],
    /// The size of the mark of the encoding.
    pub(crate) mark: usize,
    pub(crate) decoding: Decoding,
    /// True if the file ends with the sample.
    pub(crate) is_end: bool,
}

/// The shape of a file.
pub(crate) struct Format {
    pub(crate) shape: Shape,
    pub(crate) header: Header,
    /// The cells of the header, or the positions from 1.
    pub(crate) names: Vec<String>,
    pub(crate) width: usize,
    /// The header's line.
    pub(crate) header_line: Option<u64>,
    /// True if other lines are above the header.
    pub(crate) is_below_others: bool,
    /// True if a quote of the header is never closed.
    pub(crate) is_open: bool,
    /// True if the first line names the delimiter.
    pub(crate) is_delimiter_named: bool,
    /// The place of the first row.
    pub(crate) first_row: Place,
}

/// A way to read the file, of several.
struct Candidate {
    shape: Shape,
    records: Vec<Record>,
    header: Header,
    width: usize,
}

/// The quality of a candidate: the rows with the header's number of cells and an address, those with this number, a
/// usual name for the address in the header, and the number of cells.
type Score = (usize, usize, bool, usize);

impl Format {
    /// Finds the shape of a file.
    pub(crate) fn find(start: &Start<'_>, options: &Options) -> Self {
        let mark = u64::try_from(start.mark).unwrap_or(u64::MAX);
        let named = named_delimiter(start);
        let place = match &named {
            Some((_, line)) => Place { byte: line.after, row: 0, line: 2 },
            None => Place { byte: mark, row: 0, line: 1 },
        };
        let is_delimiter_named = named.is_some();
        let is_quoted_whole = is_quoted_whole(&start.lines(place));
        let chosen = options.delimiter.or(named.and_then(|(delimiter, _)| delimiter));
        let read = |delimiter: Option<Delimiter>| {
            let shape = Shape { delimiter, is_quoted_whole, width: None };
            Candidate::read(start, shape, place, options)
        };
        let best = match chosen {
            Some(delimiter) => Some(read(Some(delimiter))),
            None => {
                let candidates = Delimiter::ALL.iter().rev().map(|&delimiter| read(Some(delimiter)));
                // Of equals, `max_by_key` returns the last, so the first delimiter comes last.
                candidates.filter(|candidate| candidate.width > 1).max_by_key(Candidate::score)
            }
        };
        let candidate = best.unwrap_or_else(|| read(None));
        Self { is_delimiter_named, ..candidate.format(place) }
    }

    /// Returns the rows of the sample.
    pub(crate) fn rows(&self, start: &Start<'_>) -> Vec<Record> {
        start.records(self.shape, self.first_row, usize::MAX)
    }
}

impl Start<'_> {
    /// Returns the first records of the sample from a place on.
    fn records(&self, shape: Shape, place: Place, max: usize) -> Vec<Record> {
        let mut records = Records::new(self.decoding, shape, place);
        records.feed(self.from(place));
        if self.is_end {
            records.end();
        }
        std::iter::from_fn(|| records.next()).take(max).collect()
    }

    /// Returns the first lines that are not blank.
    fn lines(&self, place: Place) -> Vec<Line> {
        let mut lines = self.all_lines(place);
        let lines = std::iter::from_fn(|| lines.next());
        lines.filter(|line| !line.is_blank()).take(IMPORT_HEADER_RECORDS_MAX).collect()
    }

    fn all_lines(&self, place: Place) -> Lines {
        let mut lines = Lines::new(self.decoding, place);
        lines.feed(self.from(place));
        if self.is_end {
            lines.end();
        }
        lines
    }

    fn from(&self, place: Place) -> &[u8] {
        usize::try_from(place.byte).ok().and_then(|byte| self.sample.get(byte..)).unwrap_or_default()
    }
}

impl Candidate {
    fn read(start: &Start<'_>, shape: Shape, place: Place, options: &Options) -> Self {
        let records = start.records(shape, place, IMPORT_DELIMITER_RECORDS_MAX);
        let header = header::find(&records, &options.mapping);
        let width = match header {
            Header::At(position) => records.get(position).map_or(0, |record| record.cells.len()),
            Header::Missing => {
                let beginning = records.iter().take(IMPORT_HEADER_RECORDS_MAX);
                beginning.map(|record| record.cells.len()).max().unwrap_or(0)
            }
        };
        Self { shape, records, header, width }
    }

    fn rows(&self) -> &[Record] {
        let first = match self.header {
            Header::At(position) => position + 1,
            Header::Missing => 0,
        };
        self.records.get(first..).unwrap_or_default()
    }

    fn score(&self) -> Score {
        let is_exact = |record: &&Record| {
            let cells = record.cells.len();
            let has_more = || record.cells.iter().skip(self.width).any(|cell| is_visible(cell));
            cells == self.width || (cells > self.width && !has_more())
        };
        let exact = self.rows().iter().filter(is_exact);
        let has_address = |record: &&Record| record.cells.iter().any(|cell| address::is_one(cell));
        (exact.clone().filter(has_address).count(), exact.count(), self.has_usual_name(), self.width)
    }

    fn has_usual_name(&self) -> bool {
        let Header::At(position) = self.header else { return false };
        self.records.get(position).is_some_and(header::has_usual_name)
    }

    /// Returns the format of a file that begins at this place.
    fn format(self, place: Place) -> Format {
        let shape = Shape { width: Some(self.width), ..self.shape };
        let format = Format {
            shape,
            header: self.header,
            names: (1..=self.width).map(|position| position.to_string()).collect(),
            width: self.width,
            header_line: None,
            is_below_others: false,
            is_open: false,
            is_delimiter_named: false,
            first_row: place,
        };
        let Header::At(position) = self.header else { return format };
        match self.records.into_iter().nth(position) {
            Some(record) => Format {
                names: record.cells,
                header_line: Some(record.line),
                is_below_others: position > 0,
                is_open: record.fault == Some(Fault::Unclosed),
                first_row: Place { row: 0, ..record.after },
                ..format
            },
            None => format,
        }
    }
}

/// Returns the delimiter that the first line names, unless it is an unknown one, and that line.
fn named_delimiter(start: &Start<'_>) -> Option<(Option<Delimiter>, Line)> {
    let mark = u64::try_from(start.mark).unwrap_or(u64::MAX);
    let line = start.all_lines(Place { byte: mark, row: 0, line: 1 }).next()?;
    let text = line.text.trim_end_matches(['\r', '\n']).trim_matches('"');
    let name = text.get(..DELIMITER_LINE.len())?;
    let delimiter = text.get(DELIMITER_LINE.len()..)?;
    let is_one = delimiter.chars().count() == 1 && name.eq_ignore_ascii_case(DELIMITER_LINE);
    let delimiter = delimiter.parse().ok();
    is_one.then_some((delimiter, line))
}

/// Returns true if each line is one quoted cell with a record in it. Lines without quotes may stand among them.
fn is_quoted_whole(lines: &[Line]) -> bool {
    let has_delimiter = |text: String| Delimiter::ALL.iter().any(|delimiter| text.contains(delimiter.char()));
    let is_record = |line: &Line| unquoted(&line.text).is_some_and(has_delimiter);
    lines.first().is_some_and(is_record)
        && lines.iter().all(|line| !line.text.contains('"') || unquoted(&line.text).is_some())
}
