//! The one address in a cell.

use domain::address::{AddressError, EmailAddress, is_unseen};

/// The separator of several values in a cell of Google Contacts.
const GOOGLE: &str = " ::: ";

/// The scheme of a link to an address.
const MAILTO: &str = "mailto:";

/// The quotes that no address has. Word processors put them around a text.
const TYPOGRAPHIC_QUOTES: [char; 8] = ['‘', '’', '“', '”', '„', '«', '»', '´'];

/// The quotes that an address may have, and that people put around one.
const PLAIN_QUOTES: [char; 3] = ['\'', '"', '`'];

/// The address of a cell.
pub(crate) struct Found {
    pub(crate) email: EmailAddress,
    /// True if the cell has further addresses, which Google Contacts joins.
    pub(crate) has_more: bool,
}

/// The error for a cell that has not one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotOne {
    /// The cell has several addresses.
    Several,
    /// The cell has no address.
    Invalid(AddressError),
}

/// Returns the one address in a cell.
pub(crate) fn read(cell: &str) -> Result<Found, NotOne> {
    let cell = cell.trim_matches(|c| is_unseen(c) || TYPOGRAPHIC_QUOTES.contains(&c));
    let invalid = match EmailAddress::parse(cell) {
        Ok(email) => return Ok(Found { email, has_more: false }),
        Err(error) => NotOne::Invalid(error),
    };
    let (cell, has_more) = match cell.split_once(GOOGLE) {
        Some((first, _)) => (first, true),
        None => (cell, false),
    };
    let email = match all(cell).as_slice() {
        [first, others @ ..] if others.iter().all(|other| other.same_as(first)) && !others.is_empty() => {
            Some(first.clone())
        }
        [_, _, ..] => return Err(NotOne::Several),
        _ => only(cell),
    };
    email.map(|email| Found { email, has_more }).ok_or(invalid)
}

/// Returns true if the cell has an address.
pub(crate) fn is_one(cell: &str) -> bool {
    cell.contains('@') && read(cell).is_ok()
}

/// Returns the addresses between spaces, commas and the like.
fn all(cell: &str) -> Vec<EmailAddress> {
    let pieces = cell.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '/' | '|'));
    pieces.filter(|piece| piece.contains('@')).filter_map(bare).collect()
}

/// Returns the address in angle brackets or quotes, after `mailto:`, or before a comma.
///
/// A text with a space in it is not an address with a text before it, because a part of an address may be lost:
/// `ada lovelace@example.org`.
fn only(cell: &str) -> Option<EmailAddress> {
    let bracketed = cell.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(inner, _)| inner);
    bare(bracketed.unwrap_or(cell))
}

fn bare(text: &str) -> Option<EmailAddress> {
    let surrounds = |c: char| {
        is_unseen(c)
            || PLAIN_QUOTES.contains(&c)
            || TYPOGRAPHIC_QUOTES.contains(&c)
            || matches!(c, ',' | ';' | '<' | '>')
    };
    let text = text.trim_matches(surrounds);
    let linked = match text.get(..MAILTO.len()) {
        Some(start) if start.eq_ignore_ascii_case(MAILTO) => {
            let address = text.get(MAILTO.len()..)?;
            address.split_once('?').map_or(address, |(address, _)| address)
        }
        _ => text,
    };
    EmailAddress::parse(linked.trim_matches(surrounds)).ok()
}
