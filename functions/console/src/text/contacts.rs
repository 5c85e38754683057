//! Texts of the list of contacts, and of the dialog before a change of many.

pub(crate) const SEARCH_LABEL: &str = "Address or words";
pub(crate) const SEARCH: &str = "Search";
pub(crate) const ADD: &str = "Add a contact";
pub(crate) const TABS: &str = "Segments";
pub(crate) const ALL: &str = "All";
pub(crate) const MARKETING: &str = "Marketing";
pub(crate) const LEAVING: &str = "Leaving";
pub(crate) const UNENGAGED: &str = "Unengaged";
pub(crate) const MORE_SEGMENTS: &str = "More segments";
pub(crate) const CHANGED_BY_JOB: &str = "Changed by the job";
pub(crate) const REFUSED_BY_JOB: &str = "Not set by the job";

pub(crate) const FILTER: &str = "Filter";
pub(crate) const APPLY: &str = "Apply the filter";
pub(crate) const ADD_CONDITION: &str = "Add a condition";
pub(crate) const SAVE: &str = "Save as a segment";
pub(crate) const WHERE: &str = "Where";
pub(crate) const AND: &str = "and";
pub(crate) const REMOVE: &str = "Remove";
pub(crate) const CHOOSE: &str = "Choose a field";
pub(crate) const TOO_MANY_CONDITIONS: &str =
    "These are too many conditions for one search. Remove a condition, or search for fewer words.";
pub(crate) const TOO_MANY_WORDS: &str = "This search is too long. Search for fewer words.";
pub(crate) const STATE_IS: &str = "Choose \"is\" and one of Marketing, Leaving, Non-marketing";
pub(crate) const VALUE_HINT: &str = "Several values of \"is one of\" are separated by commas. Dates are written \
     2026-12-01. A state is Marketing, Leaving or Non-marketing.";

/// The fields that a filter offers, with their names.
pub(crate) const FIELDS: [(&str, &str); 16] = [
    ("state", "State"),
    ("hs_marketable_reason_type", "Kind of source"),
    ("email", "Address"),
    ("unsubscribed", "Unsubscribed"),
    ("bounced", "Bounced"),
    ("created_at", "Created"),
    ("updated_at", "Last change"),
    ("firstname", "First name"),
    ("lastname", "Last name"),
    ("company", "Company"),
    ("jobtitle", "Job title"),
    ("phone", "Phone"),
    ("city", "City"),
    ("country", "Country"),
    ("lifecyclestage", "Lifecycle stage"),
    ("website", "Website"),
];

/// The comparisons of a filter, with their words.
pub(crate) const OPERATORS: [(&str, &str); 12] = [
    ("EQ", "is"),
    ("NEQ", "is not"),
    ("IN", "is one of"),
    ("NOT_IN", "is none of"),
    ("CONTAINS_TOKEN", "contains the word"),
    ("NOT_CONTAINS_TOKEN", "does not contain"),
    ("LT", "is before or below"),
    ("LTE", "is at most"),
    ("GT", "is after or above"),
    ("GTE", "is at least"),
    ("HAS_PROPERTY", "is known"),
    ("NOT_HAS_PROPERTY", "is unknown"),
];

pub(crate) const ACT_ON: &str = "Act on";
pub(crate) const TICKED: &str = "ticked on this page";
pub(crate) const SET: &str = "Set as marketing";
pub(crate) const QUEUE: &str = "Set as non-marketing";
pub(crate) const MORE: &str = "More";
pub(crate) const ADD_TO_LIST: &str = "Add to a list";
pub(crate) const WITH_SELECTION: &str = "What to do with the selection";

pub(crate) const ADDRESS: &str = "Address";
pub(crate) const NAME: &str = "Name";
pub(crate) const STATE: &str = "State";
pub(crate) const SOURCE: &str = "Source";
pub(crate) const SINCE: &str = "Since";
pub(crate) const FLAGS: &str = "Flags";
pub(crate) const UNSUBSCRIBED: &str = "Unsubscribed";
pub(crate) const BOUNCED: &str = "Bounced";
pub(crate) const NO_ADDRESS: &str = "No address";

pub(crate) const NONE_MATCH: &str = "No contact matches.";
pub(crate) const NONE_SO_FAR: &str = "No contact matches so far.";
pub(crate) const NONE_YET: &str =
    "No contacts yet. Add one, import a file, create a form, or send them through the API.";
pub(crate) const NO_FILTER_IN_LISTS: &str = "A static list is shown as it is. A filter does not apply to it.";
pub(crate) const WHOLE_LIST: &str = "Show the whole list";
pub(crate) const NO_FILTER_OF_JOB: &str =
    "This job selected contacts in a way that a search cannot express, so no contacts are shown here.";
pub(crate) const SEARCH_ON: &str = "Search on";
pub(crate) const NONE_HAS_ADDRESS: &str = "No contact has this address.";
pub(crate) const TICK_SOME: &str = "Tick at least one contact, or choose all that match.";
pub(crate) const TICK_FOR_LIST: &str =
    "Tick the contacts to add. A list takes ticked contacts, not all that match.";
pub(crate) const DELETED: &str = "The contact was deleted.";
pub(crate) const ERASED: &str = "The person was erased.";

/// Returns what was added to a list. Each count stands with its text.
pub(crate) fn added_to_list(added: &(u64, String), unknown: &(u64, String)) -> String {
    let missing = match unknown {
        (0, _) => String::new(),
        (1, contacts) => format!(" {contacts} does not exist."),
        (_, contacts) => format!(" {contacts} do not exist."),
    };
    let said = match added {
        (0, _) if unknown.0 > 0 => "Nothing was added to the list.".to_owned(),
        (0, _) => "Nothing was added: the list has these contacts already.".to_owned(),
        (1, contacts) => format!("{contacts} was added to the list."),
        (_, contacts) => format!("{contacts} were added to the list."),
    };
    said + &missing
}

pub(crate) fn condition(label: &str, place: usize) -> String {
    format!("{label}, condition {place}")
}

pub(crate) fn drop_condition(place: usize) -> String {
    format!(" condition {place}")
}

pub(crate) fn all_that_match(count: Option<&str>) -> String {
    count.map_or_else(|| "all that match".to_owned(), |count| format!("all {count} that match"))
}

pub(crate) fn tick_page(count: &str) -> String {
    format!("Tick the {count} on this page")
}

pub(crate) fn caption(tab: &str, count: &str) -> String {
    format!("Contacts: {tab}, {count} on this page")
}

/// Returns the place of a page. A static list begins with its oldest contacts, and everything else with the newest.
pub(crate) fn shown(count: &str, is_first: bool, is_list: bool) -> String {
    match (is_first, is_list) {
        (true, false) => format!("The {count} newest"),
        (false, false) => format!("{count} older ones"),
        (true, true) => format!("The first {count}"),
        (false, true) => format!("{count} more"),
    }
}

pub(crate) fn next_page(count: &str) -> String {
    format!("Next {count}")
}

pub(crate) fn searched_to(date: &str) -> String {
    format!("Searched so far: contacts created since {date}. Older ones may match too.")
}

// The dialog before a change.

pub(crate) const CANCEL: &str = "Cancel";
pub(crate) const CLOSE: &str = "Close";
pub(crate) const NUMBERS: &str = "Numbers before and after";
pub(crate) const NOW: &str = "Now";
pub(crate) const AFTER: &str = "After";
pub(crate) const ROW_MARKETING: &str = "Marketing contacts (billable)";
pub(crate) const ROW_LEAVING: &str = "of them leaving";
pub(crate) const ROW_TIER: &str = "Tier limit";
pub(crate) const NOTHING_TO_DO: &str = "No contact would change.";
pub(crate) const COUNTING: &str = "The contacts are still being counted";
pub(crate) const COUNTING_SENTENCE: &str =
    "This takes longer than ten seconds. The count goes on, and nothing changes in the meantime.";
pub(crate) const CONTINUE: &str = "Continue";
pub(crate) const NO_FALL: &str =
    "It does not fall by itself: a lower one can be asked for at the renewal date.";
pub(crate) const SAVE_TITLE: &str = "Save the filter as a segment";
pub(crate) const SAVE_SENTENCE: &str = "The segment always has the contacts that match at the time.";
pub(crate) const SEGMENT_NAME: &str = "Name";
pub(crate) const LIST_TITLE: &str = "Add to a list";
pub(crate) const LIST: &str = "List";
pub(crate) const NO_LISTS: &str = "There is no static list yet. Create one under Segments.";

/// Returns the title for a change of contacts. `changes` is `None` if none would change.
pub(crate) fn set_title(changes: Option<&str>, matched: &str, is_all: bool) -> String {
    let Some(changes) = changes else { return "No contact to set as marketing".to_owned() };
    if is_all {
        format!("Set {matched} as marketing?")
    } else {
        format!("Set {changes} of {matched} as marketing?")
    }
}

/// Returns the title for a change of contacts. `changes` is `None` if none would change.
pub(crate) fn queue_title(changes: Option<&str>, matched: &str, is_all: bool) -> String {
    let Some(changes) = changes else { return "No contact to queue".to_owned() };
    if is_all {
        format!("Queue {matched} to leave?")
    } else {
        format!("Queue {changes} of {matched} to leave?")
    }
}

pub(crate) fn become_marketing(contacts: &str, is_one: bool) -> String {
    if is_one {
        format!("{contacts} becomes a marketing contact now")
    } else {
        format!("{contacts} become marketing contacts now")
    }
}

pub(crate) fn billable_at_once([before, after, limit]: &[String; 3], is_one: bool) -> String {
    let (is, it) = if is_one { ("is", "It") } else { ("are", "They") };
    format!(
        " and {is} billable at once. Usage goes from {before} to {after} of {limit}. {it} can leave again on "
    )
}

pub(crate) const AT_THE_EARLIEST: &str = " at the earliest.";

pub(crate) fn kept(contacts: &str, is_one: bool) -> String {
    if is_one {
        format!("{contacts} that was leaving is kept.")
    } else {
        format!("{contacts} that were leaving are kept.")
    }
}

pub(crate) fn are_queued(contacts: &str, is_one: bool) -> String {
    if is_one { format!("{contacts} is queued.") } else { format!("{contacts} are queued.") }
}

pub(crate) fn stay_billable(is_one: bool) -> &'static str {
    if is_one { " It stays billable until " } else { " They stay billable until " }
}

pub(crate) fn usage_stays(usage: &str, after: &str) -> String {
    format!(". Usage stays at {usage} and is {after} after that.")
}

pub(crate) fn tier_rises(before: &str, after: &str) -> String {
    format!("The tier rises from {before} to {after}, at once.")
}

pub(crate) fn are_refused(contacts: &str, is_one: bool) -> String {
    if is_one { format!("{contacts} is refused,") } else { format!("{contacts} are refused,") }
}

pub(crate) fn because_of_cap(cap: Option<&str>, is_one: bool) -> String {
    match (cap, is_one) {
        (Some(cap), true) => format!(" because usage would pass the cap of {cap}. It stays non-marketing."),
        (Some(cap), false) => format!(" because usage would pass the cap of {cap}. They stay non-marketing."),
        (None, true) => " and stays as it is.".to_owned(),
        (None, false) => " and stay as they are.".to_owned(),
    }
}

pub(crate) fn unengaged(contacts: &str) -> String {
    format!(
        "Marketing email would not reach {contacts} of them: unsubscribed, bounced or without an address."
    )
}

pub(crate) fn outcomes(
    matched: &str,
    [changed, kept, unchanged, refused]: &[String; 4],
    sets: bool,
) -> String {
    let done = if sets { "set" } else { "queued" };
    let kept = if sets { format!(", {kept} kept") } else { String::new() };
    format!("Of {matched}: {changed} {done}{kept}, {unchanged} unchanged, {refused} refused.")
}

pub(crate) const TIER_STAYS: &str = "The tier does not rise.";

pub(crate) fn after_date(date: &str) -> String {
    format!("After {date}")
}

pub(crate) fn row_places(cap: &str) -> String {
    format!("Places left under the cap of {cap}")
}

pub(crate) fn type_number(matched: &str, is_all: bool) -> String {
    if is_all {
        format!("Type the number of contacts, {matched}, to confirm")
    } else {
        format!("Type the number of contacts that match, {matched}, to confirm")
    }
}

pub(crate) fn typed_wrong(typed: &str, matched: &str, is_one: bool) -> String {
    let verb = if is_one { "matches" } else { "match" };
    format!("You typed {typed}. {matched} {verb}.")
}

pub(crate) fn typed_nothing(matched: &str) -> String {
    format!("Type {matched}.")
}

pub(crate) fn count_changed(now: &str, before: &str) -> String {
    format!("Nothing was changed: {now} match now, not {before}.")
}

pub(crate) fn set_button(contacts: &str) -> String {
    format!("Set {contacts}")
}

pub(crate) fn queue_button(contacts: &str) -> String {
    format!("Queue {contacts}")
}

pub(crate) fn add_button(contacts: &str) -> String {
    format!("Add {contacts}")
}
