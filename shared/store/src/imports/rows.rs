//! The rows of an import: what a reader hands over, and the stored results.

use std::collections::BTreeSet;
use std::fmt;

use domain::address::EmailAddress;
use domain::ids::{AccountId, ImportId};
use domain::import::RowResult;
use domain::property::PropertyName;

use crate::StoreError;
use crate::items::{ImportRowsItem, decode};
use crate::keys::{IMPORT_ROWS_PREFIX, Key, import_pk};
use crate::store::{Query, Store};

/// A row of a file, as its reader understands it.
#[derive(Clone)]
pub struct ImportRow {
    /// The number of the row, from 1. Rows are handed over in order and without gaps.
    pub number: u64,
    /// The place in the file after the row, as the reader's text.
    pub place: String,
    /// The content.
    pub content: RowContent,
}

/// The content of a row.
#[derive(Clone)]
pub enum RowContent {
    /// The data of a contact.
    Contact(Box<ImportContact>),
    /// No filled cell.
    Empty,
    /// A row that the reader rejects, with the problem as a text without spaces.
    Invalid(String),
}

/// The data of a contact in a row.
#[derive(Clone)]
pub struct ImportContact {
    /// The address.
    pub email: EmailAddress,
    /// The values of the filled cells.
    pub properties: Vec<(PropertyName, String)>,
    /// The properties that are written only if the contact has no value, because the cell has lost a part of it.
    pub cautious: BTreeSet<PropertyName>,
    /// True if the address is unsubscribed. `None` leaves the flag as it is.
    pub unsubscribed: Option<bool>,
    /// True if the address has bounced. `None` leaves the flag as it is.
    pub bounced: Option<bool>,
}

impl ImportRow {
    /// Returns the key of the row's address. `None` for a row that describes no contact.
    pub(super) fn address_key(&self) -> Option<&str> {
        match &self.content {
            RowContent::Contact(contact) => Some(contact.email.key()),
            RowContent::Empty | RowContent::Invalid(_) => None,
        }
    }

    /// Returns the size of the row in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        /// The row itself, its address and its place.
        const REST: usize = 256;
        let properties = match &self.content {
            RowContent::Contact(contact) => {
                contact.properties.iter().map(|(name, value)| name.as_str().len() + value.len() + 48).sum()
            }
            RowContent::Empty | RowContent::Invalid(_) => 0,
        };
        properties + REST
    }
}

impl fmt::Debug for ImportRow {
    /// Leaves out the content, because it is personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportRow").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The results of consecutive rows.
#[derive(Clone, Debug)]
pub struct ImportedRows {
    /// The number of the first row.
    pub first: u64,
    /// The results, one for each row.
    pub results: Vec<RowResult>,
}

impl Store {
    /// Returns stored results of an import's rows, in order, beginning with the part that contains the row `from`. An
    /// empty list means that no later row has a result.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn imported_rows(
        &self,
        account: AccountId,
        import: ImportId,
        from: u64,
    ) -> Result<Vec<ImportedRows>, StoreError> {
        /// The number of parts in one read: a part has a few kilobytes at most.
        const PARTS: usize = 100;
        let before = from.checked_sub(1).map(|row| Key::import_rows(account, import, row).sk);
        let query = Query {
            pk: import_pk(account, import),
            prefix: IMPORT_ROWS_PREFIX,
            after: before,
            limit: PARTS,
            newest_first: false,
        };
        let page = self.query(&query).await?;
        let parts = page.items.into_iter().map(|item| {
            let part: ImportRowsItem = decode(item)?;
            Ok(ImportedRows { first: part.first, results: part.decode_results()? })
        });
        parts.collect()
    }
}
