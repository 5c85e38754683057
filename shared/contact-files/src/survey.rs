//! The survey of a file: it is read once, from its beginning, to find out how to read it.

use domain::limits::{IMPORT_COLUMN_NAME_CHARS_MAX, IMPORT_COLUMNS_MAX, IMPORT_SAMPLE_BYTES_MAX};

use crate::cells::Fault;
use crate::columns;
use crate::detect::{Detected, Detector};
use crate::format::{Format, Start};
use crate::header::Header;
use crate::kinds;
use crate::layout::{Column, FileNote, Layout, Options};
use crate::names::Name;
use crate::problem::FileProblem;
use crate::records::Records;
use crate::sample;

/// A reader of a whole file, or of its beginning, that finds out how to read it.
///
/// The delimiter, the header and the columns are found in the first [`IMPORT_SAMPLE_BYTES_MAX`] bytes, and the encoding
/// in all bytes.
pub struct Survey {
    options: Options,
    detector: Detector,
    sample: Vec<u8>,
    /// The counter of a file that is longer than the sample.
    counter: Option<Counter>,
}

/// A counter of rows.
struct Counter {
    layout: Layout,
    records: Records,
    rows: u64,
    quote: Option<FileNote>,
}

impl Survey {
    /// Creates a survey with the settings of a caller.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, detector: Detector::new(), sample: Vec::new(), counter: None }
    }

    /// Adds the next bytes of the file.
    pub fn feed(&mut self, bytes: &[u8]) {
        let room = IMPORT_SAMPLE_BYTES_MAX.saturating_sub(self.sample.len()).min(bytes.len());
        let (sampled, rest) = bytes.split_at(room);
        self.sample.extend_from_slice(sampled);
        self.detector.feed(sampled);
        let is_full = self.sample.len() == IMPORT_SAMPLE_BYTES_MAX;
        if is_full
            && room > 0
            && let Ok(layout) = self.layout(false)
        {
            self.counter = Some(Counter::new(layout, &self.sample));
        }
        self.detector.feed(rest);
        if let Some(counter) = &mut self.counter {
            counter.feed(rest);
        }
    }

    /// Returns the layout of the file. `is_whole` is true if all bytes of the file were fed.
    ///
    /// # Errors
    /// The reason for which the file cannot be imported at all.
    pub fn finish(mut self, is_whole: bool) -> Result<Layout, FileProblem> {
        let mut layout = self.layout(is_whole)?;
        if !is_whole {
            return Ok(layout);
        }
        layout.bytes = Some(self.detector.size());
        let counter = if self.is_sampled() {
            Some(Counter::new(layout.clone(), &self.sample))
        } else {
            self.counter.take().filter(|counter| counter.reads_like(&layout))
        };
        if let Some(mut counter) = counter {
            counter.end();
            layout.rows = Some(counter.rows);
            layout.notes.extend(counter.quote);
        }
        Ok(layout)
    }

    /// Returns true if all bytes that were fed are in the sample.
    fn is_sampled(&self) -> bool {
        self.detector.size() == u64::try_from(self.sample.len()).unwrap_or(u64::MAX)
    }

    fn layout(&mut self, is_whole: bool) -> Result<Layout, FileProblem> {
        if let Some(problem) = kinds::binary(&self.sample) {
            return Err(problem);
        }
        let detected = self.detector.decide(&self.sample, is_whole, self.options.encoding);
        let content = self.sample.get(detected.mark..).unwrap_or_default();
        let (beginning, _) = detected.decoding.encoding.table().decode_without_bom_handling(content);
        if let Some(problem) = kinds::text(&beginning) {
            return Err(problem);
        }
        let is_end = is_whole && self.is_sampled();
        let start = Start { sample: &self.sample, mark: detected.mark, decoding: detected.decoding, is_end };
        let format = Format::find(&start, &self.options);
        let table = Table::read(&start, &format, &self.options)?;
        Ok(layout_of(&detected, &format, table, &self.options))
    }
}

/// The header of a file with its columns, as the sample shows them.
struct Table {
    columns: Vec<Column>,
    width: usize,
    has_twice_decoded: bool,
}

impl Table {
    fn read(start: &Start<'_>, format: &Format, options: &Options) -> Result<Self, FileProblem> {
        let is_missing = format.header == Header::Missing;
        let has_positions = options.mapping.keys().any(|key| key.trim().parse::<usize>().is_ok());
        if is_missing && !has_positions {
            return Err(FileProblem::NoHeader);
        }
        let width = format.width;
        let records = format.rows(start);
        let samples = sample::of(&records, width);
        let mut names: Vec<Name> = format.names.iter().map(|cell| Name::of(cell)).collect();
        let is_used = |position: usize| samples.get(position).is_some_and(|sample| sample.filled > 0);
        while let Some(last) = names.last()
            && last.is_empty()
            && !is_used(names.len() - 1)
        {
            names.pop();
        }
        if names.len() > IMPORT_COLUMNS_MAX {
            return Err(FileProblem::TooManyColumns);
        }
        let header =
            columns::Headings { names: &names, samples: &samples, mapping: &options.mapping, is_missing };
        let mut columns = columns::assign(&header)?;
        for column in &mut columns {
            column.name = column.name.chars().take(IMPORT_COLUMN_NAME_CHARS_MAX).collect();
        }
        let has_twice_decoded =
            records.iter().flat_map(|record| &record.cells).any(|cell| sample::is_decoded_twice(cell));
        Ok(Self { columns, width, has_twice_decoded })
    }
}

fn layout_of(detected: &Detected, format: &Format, table: Table, options: &Options) -> Layout {
    let fallback = detected.decoding.fallback;
    let notes = [
        fallback.map(|fallback| FileNote::MixedEncodings { fallback }),
        format.is_delimiter_named.then_some(FileNote::DelimiterNamed),
        format.shape.is_quoted_whole.then_some(FileNote::LinesQuotedWhole),
        format.header_line.filter(|_| format.is_below_others).map(|line| FileNote::HeaderAt { line }),
        (format.header == Header::Missing).then_some(FileNote::NoHeader),
        format.header_line.filter(|_| format.is_open).map(|line| FileNote::QuoteNeverClosed { line }),
        table.has_twice_decoded.then_some(FileNote::DecodedTwice),
    ];
    Layout {
        encoding: detected.decoding.encoding,
        is_encoding_guessed: detected.is_guess,
        fallback,
        delimiter: format.shape.delimiter,
        is_quoted_whole: format.shape.is_quoted_whole,
        header_line: format.header_line,
        width: table.width,
        columns: table.columns,
        start: format.first_row,
        clear_flags: options.clear_flags,
        notes: notes.into_iter().flatten().collect(),
        rows: None,
        bytes: None,
    }
}

impl Counter {
    fn new(layout: Layout, sample: &[u8]) -> Self {
        let mut records = Records::new(layout.decoding(), layout.shape(), layout.start);
        let start = usize::try_from(layout.start.byte).unwrap_or(usize::MAX);
        records.feed(sample.get(start..).unwrap_or_default());
        let mut counter = Self { layout, records, rows: 0, quote: None };
        counter.count();
        counter
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.records.feed(bytes);
        self.count();
    }

    fn end(&mut self) {
        self.records.end();
        self.count();
    }

    fn count(&mut self) {
        while let Some(record) = self.records.next() {
            self.rows += 1;
            let line = record.line;
            let note = match record.fault {
                Some(Fault::Unclosed) => Some(FileNote::QuoteNeverClosed { line }),
                Some(Fault::EndsInside) => Some(FileNote::EndsInsideQuote { line }),
                _ => None,
            };
            self.quote = self.quote.or(note);
        }
    }

    /// Returns true if a file of this layout has the same rows as the one that was counted.
    fn reads_like(&self, other: &Layout) -> bool {
        let mine = &self.layout;
        mine.shape() == other.shape()
            && mine.start == other.start
            && (mine.encoding == other.encoding || !other.may_hide_a_delimiter())
    }
}
