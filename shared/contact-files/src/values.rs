//! The values of cells: the protection against formulas, and the marks of spreadsheets.

use std::borrow::Cow;

/// The character before a value that a spreadsheet would run.
const APOSTROPHE: char = '\'';

/// Returns true for a value that a spreadsheet would run as a formula.
fn is_formula(value: &str) -> bool {
    value.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// Returns the value as it is written: with an apostrophe before a formula, and before apostrophes before a formula.
pub(crate) fn protected(value: &str) -> Cow<'_, str> {
    if is_formula(value.trim_start_matches(APOSTROPHE)) {
        Cow::Owned(format!("{APOSTROPHE}{value}"))
    } else {
        Cow::Borrowed(value)
    }
}

/// Returns the value of a cell: without the apostrophe before a formula, or without the `="…"` that keeps noughts.
///
/// A cell of a file is written to another file as its value. [`crate::CsvWriter`] adds the apostrophe again, so the value
/// is the same in both files.
#[must_use]
pub fn cell_value(cell: &str) -> Cow<'_, str> {
    if let Some(rest) = cell.strip_prefix(APOSTROPHE)
        && is_formula(rest.trim_start_matches(APOSTROPHE))
    {
        return Cow::Borrowed(rest);
    }
    match cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if !inner.replace("\"\"", "").contains('"') => Cow::Owned(inner.replace("\"\"", "\"")),
        _ => Cow::Borrowed(cell),
    }
}

/// Returns the value without control characters other than tab, line feed and carriage return.
pub(crate) fn without_control_characters(cell: &str) -> Cow<'_, str> {
    let is_removed = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    if cell.contains(is_removed) {
        Cow::Owned(cell.chars().filter(|c| !is_removed(*c)).collect())
    } else {
        Cow::Borrowed(cell)
    }
}

/// Returns true for a number that a spreadsheet has rounded, such as `3.16E+10`.
pub(crate) fn is_rounded(value: &str) -> bool {
    let Some((digits, exponent)) = value.trim().split_once(['E', 'e']) else { return false };
    let exponent = exponent.strip_prefix('+').unwrap_or_default();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = digits.split(['.', ',']);
    parts.next().is_some_and(is_number)
        && parts.next().is_none_or(is_number)
        && parts.next().is_none()
        && is_number(exponent)
}
