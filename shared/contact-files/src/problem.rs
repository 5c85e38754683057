//! The refusal of a file as a whole.

use domain::limits::IMPORT_COLUMNS_MAX;
use thiserror::Error;

/// The reason for which a file cannot be imported at all. The message says how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileProblem {
    /// The file has no character.
    #[error("the file is empty")]
    Empty,
    /// The file is a spreadsheet.
    #[error("the file is a spreadsheet; save it as CSV")]
    Spreadsheet,
    /// The file is an archive.
    #[error("the file is an archive; unpack it and send its files one by one")]
    Archive,
    /// The file is a web page.
    #[error("the file is a web page, not CSV; perhaps the download failed")]
    WebPage,
    /// The file is a vCard.
    #[error("the file is a vCard; export the contacts as CSV")]
    VCard,
    /// The file is JSON.
    #[error("the file is JSON; export the contacts as CSV")]
    Json,
    /// The first line is a person, and the request maps no column by its position.
    #[error(
        "the file has no header: its first line has an address; add a header, or map the columns by their positions \
         \"1\", \"2\" and so on"
    )]
    NoHeader,
    /// No column has the address.
    #[error("no column has an e-mail address; name one \"email\", or map a column to email")]
    NoAddressColumn,
    /// The mapping names a column that the file does not have.
    #[error("the file has no column \"{0}\"")]
    UnknownColumn(String),
    /// Two names of the mapping mean the same column.
    #[error("the column \"{0}\" is mapped twice")]
    MappedTwice(String),
    /// Two columns are mapped to the address or to one property.
    #[error("the column \"{0}\" is mapped to the same target as another one")]
    SameTarget(String),
    /// The header has too many columns.
    #[error("the file has more than {IMPORT_COLUMNS_MAX} columns")]
    TooManyColumns,
}

impl FileProblem {
    /// Returns the name of the problem in responses.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Empty => "empty-file",
            Self::Spreadsheet => "spreadsheet",
            Self::Archive => "archive",
            Self::WebPage => "web-page",
            Self::VCard => "vcard",
            Self::Json => "json",
            Self::NoHeader => "no-header",
            Self::NoAddressColumn => "no-address-column",
            Self::UnknownColumn(_) => "unknown-column",
            Self::MappedTwice(_) => "mapped-twice",
            Self::SameTarget(_) => "same-target",
            Self::TooManyColumns => "too-many-columns",
        }
    }

    /// Returns the name of the mapping that the problem is about.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::UnknownColumn(name) | Self::MappedTwice(name) | Self::SameTarget(name) => Some(name),
            _ => None,
        }
    }
}
