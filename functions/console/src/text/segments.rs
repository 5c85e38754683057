//! Texts of segments.

use domain::filter::Operator;

pub(crate) const CAPTION: &str = "Segments, in the order of their creation";
pub(crate) const LEDE: &str =
    "A segment is a stored filter, or a static list of contacts. It changes no contact.";
pub(crate) const NONE: &str =
    "No segments yet. Create a list below, or apply a filter to the contacts and save it.";
pub(crate) const NAME: &str = "Name";
pub(crate) const KIND: &str = "Kind";
pub(crate) const LAST_COUNT: &str = "Last count";
pub(crate) const COUNTED_AT: &str = "Counted";
pub(crate) const CREATED: &str = "Created";
pub(crate) const CHANGED: &str = "Last changed";
pub(crate) const FILTER: &str = "Filter";
pub(crate) const LIST: &str = "Static list";
pub(crate) const NOT_COUNTED: &str = "not counted yet";
pub(crate) const NEW_LIST: &str = "Create a static list";
pub(crate) const NEW_LIST_HINT: &str =
    "It starts empty. Add contacts to it by their addresses on the next page.";
pub(crate) const CREATE_LIST: &str = "Create the list";
pub(crate) const SAVE_FILTER: &str = "Save the filter as a segment";
pub(crate) const SAVE_FILTER_HINT: &str = "The segment has all contacts that match the filter at any time.";
pub(crate) const SAVE_SEGMENT: &str = "Save the segment";
pub(crate) const NOT_A_FILTER: &str = "this form has no valid filter";

pub(crate) const SHOW_CONTACTS: &str = "Show its contacts";
pub(crate) const ABOUT: &str = "About this segment";
pub(crate) const COUNT_NOW: &str = "Count now";
pub(crate) const CONDITIONS: &str = "Conditions";
pub(crate) const ALL_CONTACTS: &str = "All contacts of the account.";
pub(crate) const AND: &str = " and ";
pub(crate) const OR: &str = "or";
pub(crate) const MEMBERS: &str = "Members";
pub(crate) const MEMBERS_CAPTION: &str = "Members of this list, in the order of their creation as contacts";
pub(crate) const NO_MEMBERS: &str = "No members on this page.";
pub(crate) const TICK: &str = "Tick";
pub(crate) const ADDRESS: &str = "Address";
pub(crate) const STATE: &str = "State";
pub(crate) const FLAGS: &str = "Flags";
pub(crate) const UNSUBSCRIBED: &str = "Unsubscribed";
pub(crate) const BOUNCED: &str = "Bounced";
pub(crate) const NO_ADDRESS: &str = "no address";
pub(crate) const REMOVE: &str = "Remove the ticked ones from the list";
pub(crate) const REMOVE_HINT: &str = "They stay contacts of the account.";
pub(crate) const NONE_TICKED: &str = "Tick the contacts to remove.";
pub(crate) const ADD: &str = "Add contacts by their addresses";
pub(crate) const ADD_LABEL: &str = "Addresses";
pub(crate) const ADD_HINT: &str =
    "One on each line, at most 1,000. Only contacts of the account can be members.";
pub(crate) const ADD_BUTTON: &str = "Add to the list";
pub(crate) const NOTHING_TYPED: &str = "type at least one address";
pub(crate) const RENAME: &str = "Rename";
pub(crate) const RENAME_BUTTON: &str = "Save the name";
pub(crate) const DANGER: &str = "Delete";
pub(crate) const DELETE: &str = "Delete this segment";
pub(crate) const DELETE_HINT: &str = "Its contacts stay as they are, and so does the bill. Jobs that were started with it \
     go on with the contacts that were confirmed.";
pub(crate) const CANCEL: &str = "Cancel";

pub(crate) const DONE_CREATED: &str = "The segment was created.";
pub(crate) const DONE_RENAMED: &str = "The name was saved.";
pub(crate) const DONE_COUNTED: &str = "The segment was counted.";
pub(crate) const DONE_DELETED: &str = "The segment was deleted. Its contacts stay.";

pub(crate) fn kind(is_filter: bool) -> &'static str {
    if is_filter { FILTER } else { LIST }
}

pub(crate) fn on_this_page(count: &str) -> String {
    format!("{count} on this page")
}

pub(crate) fn delete_title(name: &str) -> String {
    format!("Delete {name}")
}

/// Returns the note after contacts were added. `contacts` is their number with its noun.
pub(crate) fn done_added(count: u64, contacts: &str) -> String {
    match count {
        0 => "Nothing was changed: all of them were members before.".to_owned(),
        1 => format!("{contacts} was added."),
        _ => format!("{contacts} were added."),
    }
}

pub(crate) fn done_removed(count: u64, contacts: &str) -> String {
    match count {
        0 => "Nothing was changed: none of them was a member.".to_owned(),
        1 => format!("{contacts} was removed from the list."),
        _ => format!("{contacts} were removed from the list."),
    }
}

pub(crate) fn not_found(count: u64, addresses: &str) -> String {
    let verb = if count == 1 { "belongs" } else { "belong" };
    let still = if count == 1 { "It is" } else { "They are" };
    format!("{addresses} {verb} to no contact of this account. {still} still in the field below.")
}

pub(crate) fn on_line(line: &str, message: &str) -> String {
    format!("Line {line}: {message}.")
}

/// Returns the label of a field in a condition.
pub(crate) fn field(name: &str) -> &str {
    match name {
        "email" => "Email address",
        "unsubscribed" => "Unsubscribed",
        "bounced" => "Bounced",
        "created_at" => "Created",
        "updated_at" => "Changed",
        "hs_marketable_status" => "Marketing contact",
        "hs_marketable_until_renewal" => "Leaving",
        "hs_marketable_reason_type" => "Type of the source",
        "hs_marketable_reason_id" => "Id of the source",
        "hs_object_id" => "Id of the contact",
        other => super::contact::property(other),
    }
}

/// Returns a comparison in words. `is_instant` is true for fields that are instants.
pub(crate) fn comparison(operator: Operator, is_instant: bool) -> &'static str {
    match operator {
        Operator::Eq => "is",
        Operator::Neq => "is not",
        Operator::Lt if is_instant => "is before",
        Operator::Gte if is_instant => "is at or after",
        Operator::Lte if is_instant => "is at or before",
        Operator::Gt if is_instant => "is after",
        Operator::Lt => "is below",
        Operator::Lte => "is at most",
        Operator::Gt => "is above",
        Operator::Gte => "is at least",
        Operator::Between => "is from",
        Operator::In => "is one of",
        Operator::NotIn => "is none of",
        Operator::HasProperty => "is known",
        Operator::NotHasProperty => "is not known",
        Operator::ContainsToken => "contains the word",
        Operator::NotContainsToken => "does not contain the word",
    }
}

pub(crate) const TO: &str = " to ";

/// Returns an operand. The values of flags are words, and an empty text is named.
pub(crate) fn operand(value: &str) -> &str {
    match value {
        "true" => "yes",
        "false" => "no",
        "" => "empty",
        other => other,
    }
}
