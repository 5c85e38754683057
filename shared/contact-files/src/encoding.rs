//! The name of a character encoding.

use std::fmt;
use std::str::FromStr;

use encoding_rs::{Encoding as Table, UTF_16BE, UTF_16LE};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A character encoding of the WHATWG's Encoding Standard. Its text is a label such as `utf-8` or `windows-1252`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Encoding(&'static Table);

/// The error for a text that is not the label of an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected the name of an encoding, such as utf-8, windows-1252 or shift_jis")]
pub struct UnknownEncoding;

impl Encoding {
    /// Returns the encoding that `table` implements.
    pub(crate) const fn of(table: &'static Table) -> Self {
        Self(table)
    }

    /// Returns the implementation.
    pub(crate) const fn table(self) -> &'static Table {
        self.0
    }

    /// Returns true if each character has two bytes or four.
    pub(crate) fn is_utf_16(self) -> bool {
        self.0 == UTF_16LE || self.0 == UTF_16BE
    }

    /// Returns the standard's name of the encoding.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Table::for_label_no_replacement(text.as_bytes()).map(Self).ok_or(UnknownEncoding)
    }
}

impl TryFrom<String> for Encoding {
    type Error = UnknownEncoding;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Encoding> for String {
    fn from(encoding: Encoding) -> Self {
        encoding.name().to_owned()
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
