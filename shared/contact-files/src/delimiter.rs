//! The delimiters of files.

use domain::string_enum;
use domain::string_enum::UnknownVariant;
use serde::{Deserialize, Serialize};

string_enum! {
    /// The character between two cells of a row. Of two delimiters that read a file equally well, the first in this
    /// order is used.
    pub enum Delimiter {
        /// A comma.
        Comma = ",",
        /// A semicolon, which spreadsheets write where the comma is the decimal separator.
        Semicolon = ";",
        /// A tab.
        Tab = "\t",
        /// A vertical bar.
        Bar = "|",
    }
}

impl Delimiter {
    /// Returns the delimiter as a byte.
    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Bar => b'|',
        }
    }

    /// Returns the delimiter as a character.
    pub(crate) fn char(self) -> char {
        char::from(self.byte())
    }
}

impl Serialize for Delimiter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Delimiter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error: UnknownVariant| serde::de::Error::custom(error))
    }
}
