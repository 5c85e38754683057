//! The way in which a file is read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cells::Shape;
use crate::delimiter::Delimiter;
use crate::encoding::Encoding;
use crate::flags::Flag;
use crate::lines::Decoding;
use crate::place::Place;
use crate::target::Target;

/// The settings of a caller for a file. All of them are optional.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The encoding, instead of the detected one. A mark at the beginning of the file has priority, because it is no
    /// guess.
    pub encoding: Option<Encoding>,
    /// The delimiter, instead of the detected one.
    pub delimiter: Option<Delimiter>,
    /// The targets of columns, by the name of the column or by its position, from "1".
    pub mapping: BTreeMap<String, Target>,
    /// True if a file may also clear `unsubscribed` and `bounced`.
    pub clear_flags: bool,
}

/// The way in which a file is read. It is stored with an import, so that resumed work reads alike.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Layout {
    /// The encoding of the file.
    pub encoding: Encoding,
    /// True if the encoding was guessed from the bytes, and neither a mark nor the options name it.
    pub is_encoding_guessed: bool,
    /// The encoding of the lines that are not valid UTF-8 in a file that otherwise is.
    pub fallback: Option<Encoding>,
    /// The delimiter, or `None` for a file of one column.
    pub delimiter: Option<Delimiter>,
    /// True if each line is one quoted cell, which contains the row.
    pub is_quoted_whole: bool,
    /// The number of the header's first line, or `None` if the file has no header.
    pub header_line: Option<u64>,
    /// The number of the header's cells, nameless ones included.
    pub width: usize,
    /// The columns, without nameless and empty ones at the end.
    pub columns: Vec<Column>,
    /// The place after the header.
    pub start: Place,
    /// True if a file may also clear `unsubscribed` and `bounced`.
    pub clear_flags: bool,
    /// Remarks about the file.
    pub notes: Vec<FileNote>,
    /// The number of rows, if the whole file was surveyed.
    pub rows: Option<u64>,
    /// The size of the file in bytes, if the whole file was surveyed.
    pub bytes: Option<u64>,
}

/// A column of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Column {
    /// The position among the columns, from 0.
    pub position: usize,
    /// The name in the header. A file without a header has the positions from "1" as names.
    pub name: String,
    /// The part of a contact that the column fills.
    pub target: Target,
    /// The meaning of the values, if the column sets a flag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) flag: Option<Flag>,
    /// A remark about the column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<ColumnNote>,
}

/// A remark about a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnNote {
    /// The program sets this part of a contact itself. The column is left out.
    SetByProgram,
    /// An earlier column has this name. The column is left out until it is mapped.
    RepeatedName,
    /// Another column fills the property of this name. The column is left out until it is mapped.
    PropertyTaken,
    /// Another column has the address. The column is left out until it is mapped.
    FurtherAddress,
    /// The column has values but no name. It is left out until it is mapped by its position.
    NoName,
    /// No name says e-mail. The column is the only one whose values are addresses.
    AddressByValues,
    /// No property can have the name after `property:`. The column is left out.
    InvalidPropertyName,
}

impl ColumnNote {
    /// Returns the remark for a person.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::SetByProgram => "is not read, because no file sets it",
            Self::RepeatedName => {
                "is not read, because an earlier column has the same name; map it to read it"
            }
            Self::PropertyTaken => {
                "is not read, because another column fills its property; map it to read it"
            }
            Self::FurtherAddress => "is not read, because another column has the address; map it to read it",
            Self::NoName => "is not read, because it has no name; map it by its position to read it",
            Self::AddressByValues => "is read as the address, because it alone has addresses",
            Self::InvalidPropertyName => "is not read, because no property can have this name",
        }
    }
}

/// A remark about a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "note")]
pub enum FileNote {
    /// The header is not the first line. The lines above it are left out.
    HeaderAt {
        /// The header's first line.
        line: u64,
    },
    /// The first line is a person, and the columns are mapped by their positions.
    NoHeader,
    /// The first line names the delimiter.
    DelimiterNamed,
    /// Each line is one quoted cell, which contains the row.
    LinesQuotedWhole,
    /// Some lines are not valid in the file's encoding. They are read in another one.
    MixedEncodings {
        /// The other encoding.
        fallback: Encoding,
    },
    /// Texts look as if they had been decoded in the wrong encoding before, such as `JosÃ©`. They are kept as they are.
    DecodedTwice,
    /// A quote is never closed.
    QuoteNeverClosed {
        /// The line with the quote.
        line: u64,
    },
    /// The file ends inside a quoted cell.
    EndsInsideQuote {
        /// The line with the quote.
        line: u64,
    },
}

impl Layout {
    /// Returns the encodings.
    pub(crate) fn decoding(&self) -> Decoding {
        Decoding { encoding: self.encoding, fallback: self.fallback }
    }

    /// Returns true if a byte of the delimiter may be a part of another character.
    pub(crate) fn may_hide_a_delimiter(&self) -> bool {
        self.delimiter == Some(Delimiter::Bar) || !self.encoding.table().is_ascii_compatible()
    }

    /// Returns the shape of the rows.
    pub(crate) fn shape(&self) -> Shape {
        Shape { delimiter: self.delimiter, is_quoted_whole: self.is_quoted_whole, width: Some(self.width) }
    }
}
