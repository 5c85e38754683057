//! The contact of one row.

use std::borrow::Cow;
use std::collections::BTreeSet;

use domain::address::EmailAddress;
use domain::limits::{PROPERTIES_BYTES_MAX, PROPERTIES_MAX, PROPERTY_VALUE_BYTES_MAX};
use domain::property::PropertyName;
use domain::unseen::is_visible;

use crate::address::{self, NotOne};
use crate::flags::{Facts, Flag};
use crate::layout::{Column, Layout};
use crate::row::{Reason, RowContact, RowNote, RowProblem};
use crate::target::{BOUNCED, Target, UNSUBSCRIBED};
use crate::values::{cell_value, is_rounded, without_control_characters};

/// The field of a problem with the address.
const EMAIL: &str = "email";

/// Parts of the names of properties that are phone numbers, which spreadsheets round.
const PHONES: [&str; 8] = ["phone", "telefon", "telefoon", "mobil", "handy", "gsm", "fax", "sms"];

/// A reader of the cells of rows.
pub(crate) struct Reader {
    columns: Vec<Column>,
    width: usize,
    may_clear: bool,
}

/// The value of a cell in its column.
struct Value<'r> {
    column: &'r Column,
    text: Cow<'r, str>,
}

impl Reader {
    /// Creates a reader for the columns of a file.
    pub(crate) fn new(layout: &Layout) -> Self {
        let read = layout.columns.iter().filter(|column| column.target != Target::Nothing);
        Self { columns: read.cloned().collect(), width: layout.width, may_clear: layout.clear_flags }
    }

    /// Reads the contact in the cells, and adds remarks.
    pub(crate) fn read(&self, cells: &[String], notes: &mut Vec<RowNote>) -> Result<RowContact, RowProblem> {
        let mut extra = cells.iter().enumerate().skip(self.width);
        if let Some((column, _)) = extra.find(|(_, cell)| is_visible(cell)) {
            return Err(RowProblem { column: Some(column), ..RowProblem::of_row(Reason::TooManyCells) });
        }
        let values: Vec<Value<'_>> = self.values(cells, notes);
        let mut email = None;
        let mut facts = Facts::default();
        let mut properties = Vec::new();
        let mut cautious = BTreeSet::new();
        for value in &values {
            match &value.column.target {
                Target::Email => email = Some(value.address(notes)?),
                Target::Property(name) => {
                    value.check(name)?;
                    if value.is_rounded_phone(name) {
                        cautious.insert(name.clone());
                        notes.push(RowNote::RoundedNumber { column: value.column.position });
                    }
                    properties.push((name.clone(), value.text.clone().into_owned()));
                }
                Target::Unsubscribed | Target::Bounced => facts.add(value.facts()?),
                Target::Nothing => {}
            }
        }
        let email = email.ok_or_else(|| self.no_address())?;
        check_size(&properties)?;
        let shown = |fact: Option<bool>| fact.filter(|fact| *fact || self.may_clear);
        let (unsubscribed, bounced) = (shown(facts.unsubscribed), shown(facts.bounced));
        Ok(RowContact { email, properties, cautious, unsubscribed, bounced })
    }

    /// Returns the values with a visible character.
    fn values<'r>(&'r self, cells: &'r [String], notes: &mut Vec<RowNote>) -> Vec<Value<'r>> {
        let filled = self.columns.iter().filter_map(|column| {
            let cell = cells.get(column.position)?;
            let clean = without_control_characters(cell);
            if matches!(clean, Cow::Owned(_)) {
                notes.push(RowNote::ControlCharacters { column: column.position });
            }
            let text = match clean {
                Cow::Borrowed(clean) => cell_value(clean),
                Cow::Owned(clean) => Cow::Owned(cell_value(&clean).into_owned()),
            };
            is_visible(&text).then_some(Value { column, text })
        });
        filled.collect()
    }

    fn no_address(&self) -> RowProblem {
        let column = self.columns.iter().find(|column| column.target == Target::Email);
        let position = column.map(|column| column.position);
        RowProblem { column: position, field: EMAIL.to_owned(), reason: Reason::NoAddress }
    }
}

impl Value<'_> {
    fn problem(&self, field: &str, reason: Reason) -> RowProblem {
        RowProblem { column: Some(self.column.position), field: field.to_owned(), reason }
    }

    fn address(&self, notes: &mut Vec<RowNote>) -> Result<EmailAddress, RowProblem> {
        let found = address::read(&self.text).map_err(|error| {
            let reason = match error {
                NotOne::Several => Reason::SeveralAddresses,
                NotOne::Invalid(error) => Reason::InvalidAddress(error),
            };
            self.problem(EMAIL, reason)
        })?;
        if found.has_more {
            notes.push(RowNote::FurtherAddresses { column: self.column.position });
        }
        Ok(found.email)
    }

    fn facts(&self) -> Result<Facts, RowProblem> {
        let field = if self.column.target == Target::Bounced { BOUNCED } else { UNSUBSCRIBED };
        let flag = self.column.flag.unwrap_or(Flag::Unsubscribed);
        flag.read(&self.text).ok_or_else(|| self.problem(field, Reason::UnknownFlag))
    }

    fn check(&self, name: &PropertyName) -> Result<(), RowProblem> {
        let is_valid = self.text.len() <= PROPERTY_VALUE_BYTES_MAX && name.check_value(&self.text).is_ok();
        if is_valid { Ok(()) } else { Err(self.problem(&self.column.name, Reason::ValueTooLong)) }
    }

    fn is_rounded_phone(&self, name: &PropertyName) -> bool {
        PHONES.iter().any(|phone| name.as_str().contains(phone)) && is_rounded(&self.text)
    }
}

/// Checks that one contact may have all these properties.
fn check_size(properties: &[(PropertyName, String)]) -> Result<(), RowProblem> {
    let bytes: usize = properties.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let reason = if properties.len() > PROPERTIES_MAX {
        Reason::TooManyProperties
    } else if bytes > PROPERTIES_BYTES_MAX {
        Reason::PropertiesTooLong
    } else {
        return Ok(());
    };
    Err(RowProblem::of_row(reason))
}
