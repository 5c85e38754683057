//! Texts of the statements.

pub(crate) const CAPTION: &str = "Periods with their marketing contacts, newest first";
pub(crate) const PERIOD: &str = "Period";
pub(crate) const FROM: &str = "From";
pub(crate) const TO: &str = "To";
pub(crate) const SHARE: &str = "Share";
pub(crate) const AT_THE_END: &str = "Marketing at the end";
/// The same column where there is little space.
pub(crate) const MARKETING: &str = "Marketing";
pub(crate) const LEFT: &str = "Left";
pub(crate) const REMAINED: &str = "Remained";
pub(crate) const TIER_LIMIT: &str = "Tier limit";
pub(crate) const RUNNING: &str = "Running";
pub(crate) const LEDE: &str = "A statement has the numbers with which a period ended. It never changes.";

pub(crate) const DOWNLOAD: &str = "Download as CSV";
pub(crate) const FILE: &str = "File";
pub(crate) const CONTACTS: &str = "Contacts (CSV)";

/// Returns the rest of the name of the button, for screen readers.
pub(crate) fn of_period(number: &str) -> String {
    format!(" of period {number}")
}

pub(crate) fn running(date: &str) -> String {
    format!("The running period has its numbers of now. The contacts that are leaving leave on {date}.")
}

pub(crate) fn none_yet(date: &str) -> String {
    format!(
        "No period has ended yet. The running one ends on {date}, and its statement is here from then on."
    )
}

pub(crate) fn shown(newest: &str, oldest: &str) -> String {
    if newest == oldest { format!("Period {newest}") } else { format!("Periods {newest} to {oldest}") }
}

pub(crate) const NO_OLDER: &str = "There are no older periods.";
