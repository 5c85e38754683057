//! Texts of the overview.

pub(crate) const USAGE: &str = "Marketing contacts now";
pub(crate) const NEXT_UPDATE: &str = "Next update date";
pub(crate) const REMAINING: &str = "Remaining after that";
pub(crate) const PLACES_LEFT: &str = "Places left now";
pub(crate) const LEAVING: &str = "leaving";

pub(crate) const CHART_MARKETING: &str = "Marketing contacts";
pub(crate) const CHART_LEAVING: &str = "of them leaving at the next update date";
pub(crate) const CHART_EXPECTED: &str = "Expected, if nothing else changes";
pub(crate) const CHART_AS_TABLE: &str = "The same as a table";
pub(crate) const CHART_CAPTION: &str = "Marketing contacts at the ends of periods";
pub(crate) const CHART_STRAIGHT: &str =
    "Known are the ends of the periods and today. The line between them is straight.";
pub(crate) const BY_DAY: &str = "Usage by day, and its forecast";
pub(crate) const COLUMN_DATE: &str = "Date";
pub(crate) const COLUMN_MARKETING: &str = "Marketing";
pub(crate) const COLUMN_LEAVING: &str = "of them leaving";
pub(crate) const COLUMN_REMARK: &str = "Remark";
pub(crate) const TODAY: &str = "today";
pub(crate) const REMAINS: &str = "what remains after the update date";

pub(crate) const BY_FORM: &str = "Set as marketing by forms";
pub(crate) const BY_FORM_CAPTION: &str = "Contacts that each form has set as marketing since it was created";
pub(crate) const FORM: &str = "Form";
pub(crate) const SHARE: &str = "Share";
pub(crate) const ALL_FORMS: &str = "All forms";

pub(crate) const NEEDS_ATTENTION: &str = "Needs attention";
pub(crate) const NOTHING_NEEDS: &str = "Nothing at the moment.";
pub(crate) const RUNNING: &str = "Running now";
pub(crate) const NOTHING_RUNS: &str = "No job, import or export is running.";
pub(crate) const OPEN: &str = "Open";
pub(crate) const THRESHOLDS: &str = "Thresholds in this period";

pub(crate) const START: &str = "No contacts yet. Where to start";
pub(crate) const START_FORM: &str = "Create a form";
pub(crate) const START_FORM_HINT: &str = "People who submit it become contacts, and marketing contacts if its switch is \
     on. Use your own form or one of the known providers.";
pub(crate) const START_IMPORT: &str = "Import contacts";
pub(crate) const START_IMPORT_HINT: &str = "Bring in the contacts of another program from a CSV file. They are non-marketing, unless you choose otherwise.";
pub(crate) const START_CONTACT: &str = "Add a contact";
pub(crate) const START_CONTACT_HINT: &str =
    "Add one person by hand. A new contact is non-marketing, and so free, unless you choose otherwise.";
pub(crate) const START_TOKEN: &str = "Create a token";
pub(crate) const START_TOKEN_HINT: &str = "Create a token in Settings and send contacts through the API.";
pub(crate) const FIRST_BILL: &str = "Before the first bill";
pub(crate) const SET_A_CAP: &str = "Set a cap";

pub(crate) fn review_before(date: &str) -> String {
    format!("Review before {date}")
}

pub(crate) fn percent_of(percent: &str, limit: &str) -> String {
    format!("{percent} of {limit}")
}

pub(crate) fn of_them(leaving: &str) -> String {
    format!(", of them {leaving} ")
}

pub(crate) fn at_midnight(clock: &str, zone: &str, rest: &str, is_sandbox: bool) -> String {
    let on = if is_sandbox { " on the sandbox clock" } else { "" };
    format!("{clock} ({zone}), in {rest}{on}")
}

pub(crate) fn in_the_tier(capped: Option<(&str, &str)>) -> String {
    match capped {
        Some((left, cap)) => format!("in the tier; {left} under the cap of {cap}"),
        None => "in the tier; no cap".to_owned(),
    }
}

pub(crate) fn under_the_cap(cap: &str, in_tier: &str) -> String {
    format!("under the cap of {cap}; {in_tier} in the tier")
}

pub(crate) fn chart_title(from: &str, to: &str) -> String {
    format!("Marketing contacts, {from} to {to}")
}

pub(crate) fn chart_description(usage: &str, leaving: &str, date: &str, rest: &str, limit: &str) -> String {
    format!("{usage} today, {leaving} of them leaving. After {date}: {rest}. The tier limit is {limit}.")
}

pub(crate) fn tier_limit(limit: &str) -> String {
    format!("Tier limit {limit}")
}

pub(crate) fn cap(cap: &str) -> String {
    format!("Cap {cap}")
}

pub(crate) fn today(usage: &str) -> String {
    format!("Today {usage}")
}

pub(crate) fn left(count: &str) -> String {
    format!("{count} left")
}

pub(crate) fn leave(count: &str) -> String {
    format!("{count} leave")
}

pub(crate) fn remain(count: &str) -> String {
    format!("{count} remain")
}

pub(crate) fn end_of_period(number: &str) -> String {
    format!("end of period {number}")
}

pub(crate) fn next_contact(next: &str, raised: Option<&str>, cap: Option<&str>) -> String {
    let raise = raised.map(|raised| format!("Marketing contact {next} raises the tier to {raised} at once."));
    let cap = cap.map(|cap| format!("The cap stops at {cap}."));
    [raise, cap].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

pub(crate) const REVIEW_THEM: &str = "Review";

pub(crate) const DECIDE: &str = "Decide";

pub(crate) fn is_paused(automation: &str, enrolled: &str) -> String {
    format!("{automation}: paused by its brake, with {enrolled} enrolled in an hour")
}

/// Returns the rest of the name of the link, for screen readers.
pub(crate) fn about(automation: &str) -> String {
    format!(" about {automation}")
}

pub(crate) const HAPPENED: &str = "What happened";
pub(crate) const AN_AUTOMATION: &str = "An automation";

pub(crate) fn period_closed(period: &str, marketing: &str, left: &str) -> String {
    format!("Period {period} closed with a usage of {marketing}, of which {left} left")
}

pub(crate) fn threshold_crossed(percent: &str, limit: &str) -> String {
    format!("Usage reached {percent} % of {limit}")
}

pub(crate) fn limit_raised(limit: &str) -> String {
    format!("Usage raised the tier limit to {limit}")
}

pub(crate) fn cap_reached(cap: &str) -> String {
    format!("Usage reached the cap of {cap}")
}

pub(crate) fn job_finished(is_done: bool, counts: &[(&str, String)]) -> String {
    let end = if is_done { "A job is done" } else { "A job has ended early" };
    let counts: Vec<_> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    if counts.is_empty() {
        format!("{end}: no contact changed")
    } else {
        format!("{end}: {}", counts.join(", "))
    }
}

pub(crate) fn automation_paused(name: &str, enrolled: &str) -> String {
    format!("{name} was paused by its brake, with {enrolled} enrolled in an hour")
}

pub(crate) fn has_rejected(form: &str) -> String {
    format!("{form}: rejected submissions")
}

/// Returns the rest of the name of the link, for screen readers.
pub(crate) fn of_form(form: &str) -> String {
    format!(" the rejected submissions of {form}")
}

pub(crate) fn threshold(percent: u8, limit: &str) -> String {
    format!("{percent} % of {limit}")
}

pub(crate) const CROSSED: &str = "crossed";

pub(crate) fn away(count: &str) -> String {
    format!("{count} away")
}

pub(crate) fn no_cap(first: &str, raised: &str, included: &str) -> [String; 2] {
    [
        format!("No cap is set: marketing contact {first} raises the tier to {raised} at once. "),
        format!(" of {included} to prevent this."),
    ]
}

pub(crate) const CLOCK_MOVED: &str = "The clock has moved. No update date was passed.";
pub(crate) const DATE_PASSED: &str =
    "The clock has passed an update date: the contacts that were leaving have left.";
