//! The conversion of a file's row to a row of an import.

use contact_files::{Content, Row, RowContact};
use store::{ImportContact, ImportRow, RowContent};

use crate::survey::place_text;

/// Converts a row. The row's cells and remarks are not needed for its contact.
#[must_use]
pub fn to_import(row: &Row) -> ImportRow {
    let content = match &row.content {
        Content::Contact(contact) => RowContent::Contact(Box::new(contact_of(contact))),
        Content::Empty => RowContent::Empty,
        Content::Invalid(problem) => RowContent::Invalid(problem.reason.slug().to_owned()),
    };
    ImportRow { number: row.number, place: place_text(row.after), content }
}

fn contact_of(contact: &RowContact) -> ImportContact {
    let RowContact { email, properties, cautious, unsubscribed, bounced } = contact;
    ImportContact {
        email: email.clone(),
        properties: properties.clone(),
        cautious: cautious.clone(),
        unsubscribed: *unsubscribed,
        bounced: *bounced,
    }
}
