//! The detection of a file's encoding.
//!
//! The encoding is decided over all bytes, because a file may be plain ASCII for thousands of rows. In this order:
//!
//! 1. the mark at the beginning;
//! 2. the caller's choice;
//! 3. UTF-16, if noughts are in every second byte;
//! 4. UTF-8, if every line is valid, or if at least as many lines have valid characters of several bytes as are invalid;
//! 5. the guess of `chardetng`, which does not know UTF-16.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use domain::limits::IMPORT_GUESSED_LINE_BYTES_MAX;
use encoding_rs::{Encoding as Table, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

use crate::encoding::Encoding;
use crate::lines::Decoding;

/// The share of 16-bit units with a nought that makes a file UTF-16: one of this many. Addresses, delimiters and line
/// ends have one in every language.
const UNITS_PER_NOUGHT_MAX: u64 = 4;

/// The number of noughts at the right place for each one at the other place. A file of single bytes has them at both.
const NOUGHTS_RATIO_MIN: u64 = 8;

/// The encoding of a file, with the way in which it is known.
pub(crate) struct Detected {
    pub(crate) decoding: Decoding,
    /// True if no mark and no option says it.
    pub(crate) is_guess: bool,
    /// The size of the mark at the beginning, in bytes.
    pub(crate) mark: usize,
}

/// A collector of what the bytes of a file say about its encoding.
pub(crate) struct Detector {
    guesser: EncodingDetector,
    /// The detector of lines that are not UTF-8.
    mended: EncodingDetector,
    line: LineBytes,
    /// The numbers of noughts at even and at odd places.
    noughts: [u64; 2],
    size: u64,
    valid_lines: u64,
    invalid_lines: u64,
}

/// The bytes of the current line, as far as they matter.
#[derive(Default)]
struct LineBytes {
    /// The beginning, for the guess.
    beginning: Vec<u8>,
    /// The beginning of a character that may go on.
    character: Vec<u8>,
    has_characters: bool,
    is_invalid: bool,
}

impl Detector {
    /// Creates a detector of no bytes.
    pub(crate) fn new() -> Self {
        Self {
            guesser: EncodingDetector::new(Iso2022JpDetection::Allow),
            mended: EncodingDetector::new(Iso2022JpDetection::Deny),
            line: LineBytes::default(),
            noughts: [0, 0],
            size: 0,
            valid_lines: 0,
            invalid_lines: 0,
        }
    }

    /// Returns the number of bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds the next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.guesser.feed(bytes, false);
        self.count_noughts(bytes);
        self.size += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (line, after) = rest.split_at(end);
            self.line.add(line);
            self.end_line();
            rest = after.get(1..).unwrap_or_default();
        }
        self.line.add(rest);
    }

    /// Returns the encoding of a file that begins with `sample`.
    pub(crate) fn decide(&mut self, sample: &[u8], is_whole: bool, chosen: Option<Encoding>) -> Detected {
        // The last line of a part of the file is not complete.
        if is_whole {
            self.end_line();
        }
        if let Some((table, mark)) = Table::for_bom(sample) {
            return Detected { decoding: self.decoding(table), is_guess: false, mark };
        }
        if let Some(chosen) = chosen {
            return Detected { decoding: self.decoding(chosen.table()), is_guess: false, mark: 0 };
        }
        let table = self.utf_16().unwrap_or_else(|| self.guess());
        Detected { decoding: self.decoding(table), is_guess: true, mark: 0 }
    }

    fn decoding(&self, table: &'static Table) -> Decoding {
        let has_fallback = table == UTF_8 && self.invalid_lines > 0;
        let fallback = has_fallback.then(|| Encoding::of(self.mended.guess(None, Utf8Detection::Deny)));
        Decoding { encoding: Encoding::of(table), fallback }
    }

    fn guess(&self) -> &'static Table {
        if self.invalid_lines == 0 && self.valid_lines == 0 {
            let guess = self.guesser.guess(None, Utf8Detection::Allow);
            return if guess == ISO_2022_JP { guess } else { UTF_8 };
        }
        if self.valid_lines >= self.invalid_lines {
            return UTF_8;
        }
        self.guesser.guess(None, Utf8Detection::Deny)
    }

    fn utf_16(&self) -> Option<&'static Table> {
        let [even, odd] = self.noughts;
        let is_utf_16 = |right: u64, other: u64| {
            right > 0 && right * UNITS_PER_NOUGHT_MAX >= self.size / 2 && right >= other * NOUGHTS_RATIO_MIN
        };
        if is_utf_16(odd, even) {
            return Some(UTF_16LE);
        }
        is_utf_16(even, odd).then_some(UTF_16BE)
    }

    fn count_noughts(&mut self, bytes: &[u8]) {
        if !bytes.contains(&0) {
            return;
        }
        let (mut first, mut second) = (0, 0);
        for pair in bytes.chunks(2) {
            first += u64::from(pair.first() == Some(&0));
            second += u64::from(pair.get(1) == Some(&0));
        }
        let [even, odd] = self.noughts;
        let is_even = self.size.is_multiple_of(2);
        self.noughts = if is_even { [even + first, odd + second] } else { [even + second, odd + first] };
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if line.is_invalid || !line.character.is_empty() {
            self.invalid_lines += 1;
            self.mended.feed(&line.beginning, false);
            self.mended.feed(b"\n", false);
        } else if line.has_characters {
            self.valid_lines += 1;
        }
    }
}

impl LineBytes {
    fn add(&mut self, bytes: &[u8]) {
        let room = IMPORT_GUESSED_LINE_BYTES_MAX.saturating_sub(self.beginning.len());
        self.beginning.extend(bytes.iter().take(room));
        let mut rest = bytes;
        while !self.character.is_empty() && !self.is_invalid {
            let Some((byte, after)) = rest.split_first() else { return };
            rest = after;
            self.character.push(*byte);
            self.check_character();
        }
        if self.is_invalid {
            return;
        }
        match std::str::from_utf8(rest) {
            Ok(text) => self.has_characters |= !text.is_ascii(),
            Err(error) if error.error_len().is_none() => {
                let (valid, cut) = rest.split_at(error.valid_up_to());
                self.has_characters |= !valid.is_ascii();
                self.character = cut.to_vec();
            }
            Err(_) => self.is_invalid = true,
        }
    }

    fn check_character(&mut self) {
        match std::str::from_utf8(&self.character) {
            Ok(_) => {
                self.has_characters = true;
                self.character.clear();
            }
            Err(error) => self.is_invalid = error.error_len().is_some(),
        }
    }
}
