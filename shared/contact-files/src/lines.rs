//! The lines of a file: its bytes are split at line ends and decoded line by line.
//!
//! Each line is decoded by itself. So a line that is not valid in the file's encoding does not affect the others, and
//! reading can begin at any line. Every encoding is back in its first state at a line end.

use domain::limits::IMPORT_RECORD_BYTES_MAX;
use encoding_rs::{UTF_8, UTF_16BE};

use crate::encoding::Encoding;
use crate::place::Place;

/// The encodings of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Decoding {
    /// The encoding of the file.
    pub(crate) encoding: Encoding,
    /// The encoding of lines that are not valid UTF-8 in a file that otherwise is.
    pub(crate) fallback: Option<Encoding>,
}

/// A decoded line.
pub(crate) struct Line {
    /// The text with its line end.
    pub(crate) text: String,
    /// The number of the line, from 1.
    pub(crate) number: u64,
    /// The size of the line in the file, in bytes.
    pub(crate) bytes: usize,
    /// The place in the file after the line.
    pub(crate) after: u64,
    /// True if only the beginning of the line was read, because it is longer than a record may be.
    pub(crate) is_cut: bool,
    /// True if the line was decoded with the fallback.
    pub(crate) is_mended: bool,
    /// True if bytes of the line are not valid in its encoding.
    pub(crate) is_undecodable: bool,
}

impl Line {
    /// Returns true if the line has no character before its end.
    pub(crate) fn is_blank(&self) -> bool {
        self.bytes == 0 || self.text.bytes().all(is_line_end)
    }
}

/// A splitter of bytes into lines.
pub(crate) struct Lines {
    decoding: Decoding,
    /// The bytes that were fed and not dropped. The next line begins at `start`.
    raw: Vec<u8>,
    start: usize,
    /// The position up to which no line end was found.
    searched: usize,
    /// The number of bytes of the next line that were dropped, after its beginning.
    dropped: usize,
    /// The place in the file at which the next line begins.
    byte: u64,
    /// The number of the next line.
    number: u64,
    is_ended: bool,
}

impl Lines {
    /// Creates a splitter of the bytes from one place of a file on.
    pub(crate) fn new(decoding: Decoding, place: Place) -> Self {
        let (byte, number) = (place.byte, place.line);
        Self { decoding, raw: Vec::new(), start: 0, searched: 0, dropped: 0, byte, number, is_ended: false }
    }

    /// Adds the next bytes of the file.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.raw.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.raw.extend_from_slice(bytes);
    }

    /// Marks the end of the file.
    pub(crate) fn end(&mut self) {
        self.is_ended = true;
    }

    /// Returns true if the end of the file was marked.
    pub(crate) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Returns the size of the memory for bytes that are not decoded.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.raw.capacity()
    }

    /// Returns the next line. Returns `None` if more bytes must be fed, or if the file has ended.
    pub(crate) fn next(&mut self) -> Option<Line> {
        let end = match self.find_end() {
            Some(end) => end,
            None if self.is_ended && self.start < self.raw.len() => (self.raw.len(), 0),
            None => {
                self.drop_excess();
                return None;
            }
        };
        Some(self.take(end))
    }

    fn unit(&self) -> usize {
        if self.decoding.encoding.is_utf_16() { 2 } else { 1 }
    }

    /// Returns the position and the size of the next line end.
    fn find_end(&mut self) -> Option<(usize, usize)> {
        let unit = self.unit();
        let is_big = self.decoding.encoding.table() == UTF_16BE;
        let character = |bytes: &[u8]| match bytes {
            [byte] => *byte,
            [byte, 0] if !is_big => *byte,
            [0, byte] if is_big => *byte,
            _ => b' ',
        };
        let rest = self.raw.get(self.searched..)?;
        let mut units = rest.chunks_exact(unit).map(character);
        let found = units.position(is_line_end);
        let Some(found) = found else {
            self.searched += rest.len() - rest.len() % unit;
            return None;
        };
        let position = self.searched + found * unit;
        self.searched = position;
        let at = |index: usize| {
            self.raw.get(position + index * unit..position + (index + 1) * unit).map(character)
        };
        match (at(0), at(1)) {
            (Some(b'\r'), Some(b'\n')) => Some((position, 2 * unit)),
            // A line feed may follow.
            (Some(b'\r'), None) if !self.is_ended => None,
            _ => Some((position, unit)),
        }
    }

    /// Drops the part of a line that is longer than a record may be.
    fn drop_excess(&mut self) {
        let kept = self.start + IMPORT_RECORD_BYTES_MAX;
        // A carriage return at the end stays, because it is the line end.
        if self.searched > kept {
            self.dropped += self.searched - kept;
            self.raw.drain(kept..self.searched);
            self.searched = kept;
        }
    }

    /// Returns the line that ends at this position with a line end of this size.
    fn take(&mut self, (position, ending): (usize, usize)) -> Line {
        let (start, after) = (self.start, position + ending);
        let bytes = after - start + self.dropped;
        let is_cut = bytes - ending > IMPORT_RECORD_BYTES_MAX;
        let shown = if is_cut { start + IMPORT_RECORD_BYTES_MAX } else { after };
        let raw = self.raw.get(start..shown).unwrap_or_default();
        let decoded = decode(self.decoding, raw, is_cut);
        let number = self.number;
        self.start = after;
        self.searched = after;
        self.dropped = 0;
        self.byte += u64::try_from(bytes).unwrap_or(u64::MAX);
        self.number += 1;
        Line { number, bytes, after: self.byte, is_cut, ..decoded }
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Returns the decoded text as a line, of which the caller sets the rest.
fn decode(decoding: Decoding, raw: &[u8], is_cut: bool) -> Line {
    let table = decoding.encoding.table();
    let fallback = decoding.fallback.filter(|_| table == UTF_8 && !is_cut);
    let is_mended = fallback.is_some() && std::str::from_utf8(raw).is_err();
    let used = fallback.filter(|_| is_mended).map_or(table, Encoding::table);
    let (text, is_undecodable) = used.decode_without_bom_handling(raw);
    let text = text.into_owned();
    Line { text, number: 0, bytes: 0, after: 0, is_cut: false, is_mended, is_undecodable }
}
