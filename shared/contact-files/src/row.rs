//! A row of a file, as the contact that it describes.

use std::collections::BTreeSet;
use std::fmt;

use domain::address::{AddressError, EmailAddress};
use domain::limits::{
    IMPORT_RECORD_BYTES_MAX, IMPORT_RECORD_CELLS_MAX, PROPERTIES_BYTES_MAX, PROPERTIES_MAX,
    PROPERTY_VALUE_BYTES_MAX,
};
use domain::property::PropertyName;
use thiserror::Error;

use crate::cells::Fault;
use crate::place::Place;

/// The field of a problem that is about the row as a whole.
const ROW: &str = "row";

/// A row of a file. `Debug` shows no value.
pub struct Row {
    /// The number of the row, from 1 after the header.
    pub number: u64,
    /// The number of the row's first line in the file.
    pub line: u64,
    /// The cells as they are in the file. Other files have their values ([`crate::cell_value`]).
    pub cells: Vec<String>,
    /// The contact that the row describes.
    pub content: Content,
    /// Remarks about the row, which is read all the same.
    pub notes: Vec<RowNote>,
    /// The place after the row.
    pub after: Place,
}

/// The content of a row.
#[derive(Debug, PartialEq, Eq)]
pub enum Content {
    /// A contact.
    Contact(RowContact),
    /// Nothing: no cell has a visible character.
    Empty,
    /// Something that is not one contact.
    Invalid(RowProblem),
}

/// The contact of a row. `Debug` shows no value.
#[derive(PartialEq, Eq)]
pub struct RowContact {
    /// The address.
    pub email: EmailAddress,
    /// The properties with a value, in the order of the columns.
    pub properties: Vec<(PropertyName, String)>,
    /// The properties whose value a spreadsheet has rounded. They are set only if the contact has no value.
    pub cautious: BTreeSet<PropertyName>,
    /// The fact that the address is unsubscribed. `None` if the row says nothing of it, and also instead of `false`
    /// unless files may clear it.
    pub unsubscribed: Option<bool>,
    /// The fact that the address has bounced, likewise.
    pub bounced: Option<bool>,
}

/// The reason for which a row is not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// The position of the column, from 0, if the problem is about one.
    pub column: Option<usize>,
    /// The part of a contact, or the column's name, or `row`.
    pub field: String,
    /// The reason.
    pub reason: Reason,
}

/// The reason for which a row is not imported. Its message never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Reason {
    /// The row has no address.
    #[error("has no e-mail address")]
    NoAddress,
    /// The cell has several addresses.
    #[error("expected one e-mail address, got several addresses")]
    SeveralAddresses,
    /// The cell is not an address.
    #[error(transparent)]
    InvalidAddress(#[from] AddressError),
    /// The text of a flag has no known meaning.
    #[error("expected yes or no, a date, or a status such as unsubscribed")]
    UnknownFlag,
    /// A value is too long.
    #[error("expected a value of at most {PROPERTY_VALUE_BYTES_MAX} bytes")]
    ValueTooLong,
    /// The row fills more properties than a contact may have.
    #[error("expected at most {PROPERTIES_MAX} filled properties")]
    TooManyProperties,
    /// The values of the row are too long in total.
    #[error("expected names and values of at most {PROPERTIES_BYTES_MAX} bytes in all")]
    PropertiesTooLong,
    /// Cells after the last column are filled.
    #[error("has more cells than the header; perhaps a text with the delimiter has no quotes")]
    TooManyCells,
    /// A quote is never closed.
    #[error("a quote opened in line {line} is never closed")]
    QuoteNeverClosed {
        /// The line with the quote.
        line: u64,
    },
    /// The file ends inside a quoted cell.
    #[error("the file ends inside a quoted cell that begins in line {line}")]
    EndsInsideQuote {
        /// The line with the quote.
        line: u64,
    },
    /// Quotes stand within cells.
    #[error("has quotes within a cell that are not doubled")]
    StrayQuote,
    /// The row is too long.
    #[error("expected a row of at most {IMPORT_RECORD_BYTES_MAX} bytes and {IMPORT_RECORD_CELLS_MAX} cells")]
    RowTooLong,
}

/// A remark about a row, which is read all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowNote {
    /// A line of the row is not valid in the file's encoding. It was read in another one.
    OtherEncoding,
    /// Bytes of the row are valid in no known encoding. They were replaced by U+FFFD.
    Undecodable,
    /// Quotes of the row are not regular. They were read as a part of the text.
    StrayQuotes,
    /// Control characters were removed from a cell.
    ControlCharacters {
        /// The position of the column.
        column: usize,
    },
    /// A spreadsheet has rounded the number. It is written only where the contact has no value.
    RoundedNumber {
        /// The position of the column.
        column: usize,
    },
    /// The cell has further addresses. The first is used.
    FurtherAddresses {
        /// The position of the column.
        column: usize,
    },
}

impl RowProblem {
    /// Creates the problem of a row as a whole.
    pub(crate) fn of_row(reason: Reason) -> Self {
        Self { column: None, field: ROW.to_owned(), reason }
    }
}

impl Reason {
    /// Returns the reason for which a record that begins in this line cannot be read.
    pub(crate) fn of(fault: Fault, line: u64) -> Self {
        match fault {
            Fault::Unclosed => Self::QuoteNeverClosed { line },
            Fault::EndsInside => Self::EndsInsideQuote { line },
            Fault::Garbled => Self::StrayQuote,
            Fault::TooLong => Self::RowTooLong,
        }
    }

    /// Returns the name of the reason in responses and files.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::NoAddress => "no-address",
            Self::SeveralAddresses => "several-addresses",
            Self::InvalidAddress(_) => "invalid-address",
            Self::UnknownFlag => "unknown-flag",
            Self::ValueTooLong => "value-too-long",
            Self::TooManyProperties => "too-many-properties",
            Self::PropertiesTooLong => "properties-too-long",
            Self::TooManyCells => "too-many-cells",
            Self::QuoteNeverClosed { .. } => "quote-never-closed",
            Self::EndsInsideQuote { .. } => "ends-inside-quote",
            Self::StrayQuote => "stray-quote",
            Self::RowTooLong => "row-too-long",
        }
    }
}

impl RowNote {
    /// Returns the name of the remark in responses and files.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::OtherEncoding => "other-encoding",
            Self::Undecodable => "undecodable",
            Self::StrayQuotes => "stray-quotes",
            Self::ControlCharacters { .. } => "control-characters",
            Self::RoundedNumber { .. } => "rounded-number",
            Self::FurtherAddresses { .. } => "further-addresses",
        }
    }

    /// Returns the position of the column that the remark is about.
    #[must_use]
    pub fn column(self) -> Option<usize> {
        match self {
            Self::ControlCharacters { column }
            | Self::RoundedNumber { column }
            | Self::FurtherAddresses { column } => Some(column),
            Self::OtherEncoding | Self::Undecodable | Self::StrayQuotes => None,
        }
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("number", &self.number)
            .field("line", &self.line)
            .field("cells", &self.cells.len())
            .field("content", &self.content)
            .field("notes", &self.notes)
            .field("after", &self.after)
            .finish()
    }
}

impl fmt::Debug for RowContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowContact")
            .field("properties", &self.properties.len())
            .field("cautious", &self.cautious)
            .field("unsubscribed", &self.unsubscribed)
            .field("bounced", &self.bounced)
            .finish_non_exhaustive()
    }
}
