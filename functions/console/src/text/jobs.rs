//! Texts of bulk jobs.

pub(crate) const PREVIEW: &str = "Preview of a change";
pub(crate) const REVIEW: &str = "Count for a review";
pub(crate) const DELETE_MEMBERS: &str = "Removal of a list's members";

pub(crate) fn change(sets: bool, contacts: Option<&str>) -> String {
    let contacts = contacts.unwrap_or("contacts");
    if sets { format!("Set {contacts} as marketing") } else { format!("Queue {contacts} to leave") }
}
