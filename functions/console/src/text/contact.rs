//! Texts of a contact's page, and of the pages that add and remove contacts.

use domain::decision::Refusal;
use domain::marketing::EffectiveState;
use domain::tools::{Reason, Tool};

pub(crate) const NEW: &str = "Add a contact";
pub(crate) const NEW_LEDE: &str = "A new contact is non-marketing, and so free, unless you choose otherwise.";
pub(crate) const EMAIL: &str = "Email address";
pub(crate) const FIRST_NAME: &str = "First name";
pub(crate) const LAST_NAME: &str = "Last name";
pub(crate) const AS_MARKETING: &str = "Set as marketing";
pub(crate) const ADD: &str = "Add the contact";
pub(crate) const CANCEL: &str = "Cancel";
pub(crate) const NOTHING_TYPED: &str = "type an address or a name";
pub(crate) const EXISTS: &str = "Another contact has this address.";
pub(crate) const OPEN_IT: &str = "Open it";
pub(crate) const MARKETING_OFF: &str =
    "Marketing contacts are switched off for this account, so every contact is non-marketing.";

pub(crate) const NO_ADDRESS: &str = "Contact without an address";
pub(crate) const SET: &str = "Set as marketing";
pub(crate) const KEEP: &str = "Keep as marketing";
pub(crate) const QUEUE: &str = "Set as non-marketing";

pub(crate) const REACH: &str = "Which tools reach this contact";
pub(crate) const REACH_CAPTION: &str =
    "Tools, whether they need a marketing contact, and whether they reach this one";
pub(crate) const TOOL: &str = "Tool";
pub(crate) const MARKETING_CONTACT: &str = "Marketing contact";
pub(crate) const REACHES: &str = "Reaches";
pub(crate) const REQUIRED: &str = "required";
pub(crate) const NOT_REQUIRED: &str = "not required";
pub(crate) const YES: &str = "Yes";

pub(crate) const WHY_BILLABLE: &str = "Why billable";
pub(crate) const WHY_FREE: &str = "Why not billable";
pub(crate) const STILL_UNTIL: &str = "Still a marketing contact until ";
pub(crate) const BILLABLE: &str =
    "A marketing contact, billable in this period and in each later one until it leaves.";
pub(crate) const FREE: &str = "Kept for free. Tools that need a marketing contact skip it.";
pub(crate) const LEFT: &str = "It was leaving, and it left at the update date of ";
pub(crate) const TO: &str = " to ";
pub(crate) const ON: &str = " on ";
pub(crate) const NO_TOOL_UNSUBSCRIBED: &str = "the address is unsubscribed";
pub(crate) const NO_TOOL_BOUNCED: &str = "email to the address has bounced";
pub(crate) const NO_TOOL_NO_ADDRESS: &str = "it has no address";

pub(crate) const PROPERTIES: &str = "Properties";
pub(crate) const UNSUBSCRIBED: &str = "Unsubscribed from marketing";
pub(crate) const BOUNCED: &str = "Email to the address has bounced";
pub(crate) const SAVE: &str = "Save properties";
pub(crate) const SAVE_MINE: &str = "Save mine";
pub(crate) const KEEP_CURRENT: &str = "Keep the current value";
pub(crate) const EMPTY_REMOVES: &str = "An emptied property is removed.";
pub(crate) const ADD_PROPERTY: &str = "Add a property";
pub(crate) const NEW_NAME: &str = "Name of the new property";
pub(crate) const NEW_NAME_HINT: &str =
    "Lower-case letters, digits and underscores, such as job_title. It begins with a letter.";
pub(crate) const NEW_VALUE: &str = "Value of the new property";
pub(crate) const NAME_MISSING: &str = "type a name for this value";
pub(crate) const VALUE_MISSING: &str = "type a value for this property";
pub(crate) const HAS_PROPERTY: &str = "the contact has this property already: change it above";
pub(crate) const STILL_TYPED: &str =
    "Your text is still in the fields. Below each field that differs is the current value.";

pub(crate) const VALUES: &str = "Property history";
pub(crate) const VALUES_LEDE: &str = "What each property was before, newest first. Setting a change back changes neither the \
     address, nor the flags, nor the marketing state, and is a change of its own. A change appears here within seconds.";
pub(crate) const NO_VALUES: &str = "No change of a property is known.";
pub(crate) const NO_OLDER_VALUES: &str = "There are no older changes.";
pub(crate) const PROPERTY: &str = "Property";
pub(crate) const NO_VALUE: &str = "none";
pub(crate) const CAUSE_UNKNOWN: &str = "The source is not known.";
pub(crate) const SET_BACK: &str = "Set this change back";
pub(crate) const NOT_SET_BACK: &str =
    "The address and the flags are not set back here. Change them on the contact's page.";
pub(crate) const CHANGED_SINCE_THEN: &str =
    "These properties have other values by now, so there is nothing to set back.";
pub(crate) const UNDONE_NOTHING: &str = "No property was set back, because each has changed since.";

pub(crate) fn values_caption(at: &str) -> String {
    format!("Properties that changed at {at}")
}

/// Returns the rest of the name of a button, for screen readers.
pub(crate) fn of_change(at: &str) -> String {
    format!(" of {at}")
}

pub(crate) fn sets_back(names: &str) -> String {
    format!("Sets back {names}.")
}

/// Returns the note after a change was set back, with the properties that are as before it and those that are not.
pub(crate) fn undone(back: &str, left: &str) -> String {
    match (back.is_empty(), left.is_empty()) {
        (true, _) => UNDONE_NOTHING.to_owned(),
        (false, true) => format!("Set back: {back}."),
        (false, false) => format!("Set back: {back}. Left as they are: {left}."),
    }
}

pub(crate) const HISTORY: &str = "History";
pub(crate) const HISTORY_CAPTION: &str = "Changes of state, newest first";
pub(crate) const FROM: &str = "From";
pub(crate) const TO_STATE: &str = "To";
pub(crate) const THROUGH: &str = "Through";
pub(crate) const BY: &str = "By";
pub(crate) const CREATED: &str = "Created";
pub(crate) const A_SUBMISSION: &str = "a submission";
pub(crate) const THE_AUTOMATION: &str = "the automation";
pub(crate) const AN_INTEGRATION: &str = "an integration";
pub(crate) const THE_CALENDAR: &str = "the calendar";

pub(crate) const DANGER: &str = "Delete or erase";
pub(crate) const DELETE: &str = "Delete this contact";
pub(crate) const ERASE: &str = "Erase this person";
pub(crate) const ERASE_LABEL: &str = "Erase this person (GDPR)";
pub(crate) const DELETE_HINT: &str = "The contact disappears from all lists at once.";
pub(crate) const ERASE_HINT: &str = "All personal data is removed at once and can't be restored.";
pub(crate) const FREE_STAYS: &str = "It is not billable, so the bill does not change.";
pub(crate) const MAY_NOT_DELETE: &str = "Deleting a marketing contact queues it to leave, and you may not set the \
     status of contacts. An admin can give you this permission in Settings.";
pub(crate) const CHANGED_SINCE: &str =
    "Nothing was removed: the contact was changed in the meantime. The consequence below is that of now.";

pub(crate) fn unknown(id: &str) -> String {
    format!("No contact of this account has the id {id}.")
}

pub(crate) fn because_billable(usage: &str, next: &str, limit: &str, date: &str) -> String {
    format!(
        "It is billable at once: usage {usage} becomes {next} of {limit}. It can leave again on {date} at the earliest."
    )
}

pub(crate) fn state(state: EffectiveState) -> &'static str {
    match state {
        EffectiveState::NonMarketing => "Non-marketing.",
        EffectiveState::Marketing => "Marketing.",
        EffectiveState::Leaving => "Leaving.",
    }
}

pub(crate) fn state_class(state: EffectiveState) -> &'static str {
    match state {
        EffectiveState::NonMarketing => "state free",
        EffectiveState::Marketing => "state marketing",
        EffectiveState::Leaving => "state leaving",
    }
}

/// Returns the verb of a change, such as `Queued`.
pub(crate) fn verb(from: Option<EffectiveState>, to: EffectiveState) -> &'static str {
    match (from, to) {
        (None, EffectiveState::Marketing) => "Created as a marketing contact",
        (None, _) => "Created",
        (Some(EffectiveState::Leaving), EffectiveState::Marketing) => "Kept as marketing",
        (_, EffectiveState::Marketing) => "Set as marketing",
        (_, EffectiveState::Leaving) => "Queued to leave",
        (_, EffectiveState::NonMarketing) => "Left",
    }
}

pub(crate) fn by_user(name: &str) -> String {
    format!(" by {name}")
}

/// Returns the words before the name of the source.
pub(crate) fn through(kind: &str) -> String {
    format!(" through the {kind} ")
}

pub(crate) const BY_SUBMISSION: &str = " by a submission of the form ";
pub(crate) const BY_AUTOMATION: &str = " by the automation ";

pub(crate) fn by_integration(name: &str) -> String {
    if name.is_empty() { " by an integration".to_owned() } else { format!(" by the integration {name}") }
}

pub(crate) fn in_time(rest: &str) -> String {
    format!(", in {rest}. ")
}

pub(crate) fn billable_in(period: &str) -> String {
    format!("Billable in period {period}, ")
}

/// Returns the end of the sentence about the period in which the contact is billable.
pub(crate) fn and_stays(is_leaving: bool) -> &'static str {
    if is_leaving { ", and it does not leave before the update date." } else { ", and it is not leaving." }
}

pub(crate) fn not_counted(period: &str) -> String {
    format!("It does not count in the usage of period {period}.")
}

pub(crate) fn no_tool(reasons: &[&str]) -> String {
    format!(
        "No marketing tool reaches this contact, because {}. This does not stop the billing; leaving does.",
        reasons.join(" and ")
    )
}

pub(crate) fn if_queued(date: &str, usage: &str, rest: &str) -> String {
    format!(
        "Set as non-marketing, it is queued and stays billable until {date}. Usage stays at {usage} and is {rest} after that."
    )
}

pub(crate) fn if_kept(usage: &str, date: &str, rest: &str) -> String {
    format!("Kept, it stays billable after {date}: usage stays at {usage}, and is {rest} after that.")
}

pub(crate) fn if_set(consequence: &str) -> String {
    format!("If you set it as marketing: {}", lower(consequence))
}

fn lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

pub(crate) fn raises(limit: &str) -> String {
    format!("It raises the tier limit to {limit}.")
}

pub(crate) fn cap_reached(cap: &str) -> String {
    format!("The cap of {cap} is reached, so it can't be set at the moment.")
}

pub(crate) fn tool(tool: Tool) -> &'static str {
    match tool {
        Tool::MarketingEmail => "Marketing email",
        Tool::FormFollowUpEmail => "Follow-up email of a form",
        Tool::AutomationEmail => "Email by an automation",
        Tool::AdsAudience => "Audience for ads",
        Tool::SalesEmail => "One-to-one sales email",
        Tool::ChatTranscriptEmail => "Chat transcript",
        Tool::RegistrationEmail => "Registration email",
        Tool::TicketReplyEmail => "Reply to a ticket",
        Tool::TransactionalEmail => "Transactional email",
        Tool::FeedbackSurvey => "Feedback survey",
    }
}

pub(crate) fn no_because(reasons: &[Reason]) -> String {
    let words = reasons.iter().map(|reason| match reason {
        Reason::NonMarketing => "non-marketing",
        Reason::Unsubscribed => "unsubscribed",
        Reason::Bounced => "bounced",
        Reason::NoEmail => "no address",
        Reason::NotFound => "not found",
    });
    format!("No: {}", words.collect::<Vec<_>>().join(", "))
}

/// Returns the label of a property. Properties without a label of their own have their name.
pub(crate) fn property(name: &str) -> &str {
    match name {
        "firstname" => FIRST_NAME,
        "lastname" => LAST_NAME,
        "company" => "Company",
        "jobtitle" => "Job title",
        "phone" => "Phone",
        "mobilephone" => "Mobile phone",
        "website" => "Website",
        "address" => "Street address",
        "city" => "City",
        "state" => "State or region",
        "zip" => "Postal code",
        "country" => "Country",
        other => other,
    }
}

pub(crate) fn current_value(value: Option<&str>) -> String {
    format!("Current value: {}", value.unwrap_or("none"))
}

pub(crate) const CHANGED_AT: &str = "Nothing was saved: another request changed this contact at ";

pub(crate) fn on_or_off(is_on: bool) -> &'static str {
    if is_on { "on" } else { "off" }
}

pub(crate) fn when_in(zone: &str) -> String {
    format!("When ({zone})")
}

pub(crate) fn line_title(from: &str, to: &str) -> String {
    format!("State of this contact, {from} to {to}")
}

/// Returns one part of the description of the line, such as `marketing from 4 June 2026`.
pub(crate) fn line_part(from: Option<EffectiveState>, to: EffectiveState, date: &str) -> String {
    let word = match (from, to) {
        (_, EffectiveState::NonMarketing) => "non-marketing",
        (Some(EffectiveState::Leaving), EffectiveState::Marketing) => "kept as marketing",
        (_, EffectiveState::Marketing) => "marketing",
        (_, EffectiveState::Leaving) => "leaving",
    };
    format!("{word} from {date}")
}

pub(crate) fn line_mark(from: Option<EffectiveState>, to: EffectiveState) -> &'static str {
    match (from, to) {
        (_, EffectiveState::NonMarketing) => crate::text::NON_MARKETING,
        (Some(EffectiveState::Leaving), EffectiveState::Marketing) => "Kept",
        (_, EffectiveState::Marketing) => crate::text::MARKETING,
        (_, EffectiveState::Leaving) => crate::text::LEAVING,
    }
}

pub(crate) fn earlier(changes: &str) -> String {
    format!("{changes} before these.")
}

pub(crate) fn stays_billable(date: &str, usage: &str, rest: &str) -> String {
    format!("It stays billable until {date}, so usage stays at {usage}, and is {rest} after that.")
}

pub(crate) fn unit_stays_billable(date: &str, usage: &str, rest: &str) -> String {
    format!(
        "One anonymous unit stays billable until {date}, so usage stays at {usage}, and is {rest} after that."
    )
}

pub(crate) const NOT_COUNTED_TWICE: &str =
    "If the same address returns before then, it is not counted a second time.";

pub(crate) fn deleted_title(address: &str) -> String {
    format!("Delete {address}")
}

pub(crate) fn erased_title(address: &str) -> String {
    format!("Erase {address}")
}

pub(crate) const DONE_ADDED: &str = "The contact was added.";
pub(crate) const DONE_ADDED_FREE: &str =
    "The contact was added as a non-marketing contact, because the usage has reached the cap.";
pub(crate) const DONE_SAVED: &str = "The properties were saved.";
pub(crate) const DONE_NOTHING: &str = "Nothing was changed, because nothing differs.";

pub(crate) fn done_set(usage: &str, limit: &str) -> String {
    format!("1 contact set. Usage is {usage} of {limit}.")
}

pub(crate) fn done_kept(usage: &str, limit: &str, rest: &str, date: &str) -> String {
    format!("1 contact kept. Usage stays {usage} of {limit}, and is {rest} after {date}.")
}

pub(crate) fn done_queued(usage: &str, limit: &str, rest: &str, date: &str) -> String {
    format!("1 contact queued. Usage stays {usage} of {limit}, and is {rest} after {date}.")
}

/// Returns the sentence about a refused change. `cap` is the cap, if there is one.
pub(crate) fn refused(reason: Option<Refusal>, cap: Option<&str>) -> String {
    match (reason, cap) {
        (Some(Refusal::CapReached), Some(cap)) => {
            format!("The usage has reached the cap of {cap} that the account set for itself.")
        }
        (Some(Refusal::CapReached), None) => {
            "The usage has reached the cap that the account set for itself.".to_owned()
        }
        (Some(Refusal::MarketingContactsOff), _) => MARKETING_OFF.to_owned(),
        (Some(Refusal::TierLimit), _) => "The usage has reached the tier limit.".to_owned(),
        (Some(Refusal::FormBudget), _) => "The budget of the day is used up.".to_owned(),
        (None, _) => "The change was refused.".to_owned(),
    }
}
