//! Texts of the review.

pub(crate) const TITLE: &str = "Review of marketing contacts";
pub(crate) const LEAVE: &str = "Leave the review";
pub(crate) const STEPS: &str = "Steps of the review";
pub(crate) const DATE: &str = "Date";
pub(crate) const UNENGAGED: &str = "Unengaged";
pub(crate) const SEGMENTS: &str = "Filters and lists";
pub(crate) const NUMBERS: &str = "Numbers";
pub(crate) const UPDATE: &str = "Update";
pub(crate) const SKIPPED: &str = "skipped";
pub(crate) const BACK: &str = "Back";
pub(crate) const CONTINUE: &str = "Continue";
pub(crate) const SKIP: &str = "Skip this step";

pub(crate) const UNTIL_THEN: &str = "Contacts that you queue remain marketing contacts, and billable, until then. A \
     review only queues: it sets no contact as marketing.";
pub(crate) const NEXT_UPDATE: &str = "The next update date is ";
pub(crate) const MARKETING_NOW: &str = "Marketing contacts now";
pub(crate) const LEAVING_ALREADY: &str = "Leaving already";
pub(crate) const REMAIN: &str = "Remain, if nothing else changes";
pub(crate) const SWITCHED_OFF: &str =
    "Marketing contacts are switched off for this account, so there is nothing to review.";

pub(crate) fn step_of(step: usize) -> String {
    format!("Review, step {step} of 5")
}

pub(crate) const UNENGAGED_SENTENCE: &str =
    "Marketing email does not reach these contacts, but they are billable.";
pub(crate) const UNENGAGED_LEGEND: &str = "Propose to queue";
pub(crate) const UNSUBSCRIBED: &str = "Unsubscribed";
pub(crate) const BOUNCED: &str = "Bounced";
pub(crate) const UNSUBSCRIBED_CONTACTS: &str = "Unsubscribed contacts";
pub(crate) const BOUNCED_CONTACTS: &str = "Bounced contacts";
pub(crate) const ONLY_STAYING: &str = "Only marketing contacts that are not leaving yet are proposed. Step 4 counts \
     them.";

pub(crate) const SEGMENTS_SENTENCE: &str = "Choose further contacts to queue.";
pub(crate) const SEGMENTS_LEGEND: &str = "Segments";
pub(crate) const SEGMENTS_HINT: &str =
    "Choose any number of segments with filters, or one list. A list can't be combined with other segments.";
pub(crate) const SEGMENTS_CAPTION: &str = "Segments, oldest first";
pub(crate) const TICK: &str = "Choose";
pub(crate) const SEGMENT: &str = "Segment";
pub(crate) const KIND: &str = "Kind";
pub(crate) const FILTER: &str = "filter";
pub(crate) const LIST: &str = "list";
pub(crate) const LAST_COUNT: &str = "Contacts";
pub(crate) const COUNTED_AT: &str = "Counted";
pub(crate) const NOT_COUNTED: &str = "not yet";
pub(crate) const NO_SEGMENTS: &str =
    "There are no segments yet. You can skip this step, or create a segment first.";
pub(crate) const CREATE_A_SEGMENT: &str = "Create a segment";
pub(crate) const PAGES: &str = "Pages of segments";
pub(crate) const FIRST_PAGE: &str = "First page";
pub(crate) const MORE: &str = "More segments";
pub(crate) const LIST_ALONE: &str =
    "A list can't be combined with other segments. Choose the list alone, or segments with filters.";
pub(crate) const SEGMENT_GONE: &str = "A segment that you chose has been deleted. Look at your choice again.";

pub(crate) fn too_many_groups(groups: &str, most: &str) -> String {
    format!(
        "These segments have {groups} groups of conditions together. A review takes {most}: choose fewer."
    )
}

pub(crate) fn chosen_elsewhere(count: &str) -> String {
    format!("{count} chosen on other pages of this list.")
}

pub(crate) fn segments(count: u64, number: &str) -> String {
    super::counted(count, number, "segment")
}

pub(crate) fn contacts(count: u64, number: &str) -> String {
    super::counted(count, number, "contact")
}

pub(crate) fn more(number: &str) -> String {
    format!("{number} more")
}

pub(crate) fn will_be_queued(count: u64, number: &str) -> String {
    format!("{} will be queued.", contacts(count, number))
}

pub(crate) const NONE_MATCH: &str = "No contact would be queued.";
pub(crate) const NONE_MATCH_WHY: &str =
    "No marketing contact that is not leaving yet matches what you chose. Go back to choose others.";
pub(crate) const REMAIN_UNTIL: &str = "They remain marketing contacts, and billable, until ";
pub(crate) const NOTHING_BEFORE: &str = "Nothing changes before then.";

pub(crate) const BEFORE_AND_AFTER: &str = "Before and after";
pub(crate) const NUMBERS_CAPTION: &str = "Numbers before and after the review";
pub(crate) const NOW: &str = "Now";
pub(crate) const WHEN_QUEUED: &str = "When queued";
pub(crate) const MARKETING: &str = "Marketing contacts (billable)";
pub(crate) const OF_THEM_LEAVING: &str = "of them leaving";
pub(crate) const NON_MARKETING: &str = "Non-marketing contacts";
pub(crate) const ALL: &str = "All contacts";

pub(crate) fn after(date: &str) -> String {
    format!("After {date}")
}

pub(crate) fn of_limit(count: &str, limit: &str) -> String {
    format!("{count} of {limit}")
}

pub(crate) fn bars_title(date: &str, limit: &str) -> String {
    format!("Marketing contacts now and after {date}, against the tier limit of {limit}")
}

pub(crate) fn bars_description([usage, rest, leaving, queued]: &[String; 4], date: &str) -> String {
    format!(
        "Now {usage}: {rest} staying, {leaving} leaving already, {queued} to be queued. After {date}: {rest}."
    )
}

pub(crate) const LEGEND_STAY: &str = "Stay";
pub(crate) const LEGEND_LEAVING: &str = "Leaving already";
pub(crate) const LEGEND_QUEUED: &str = "Queued by this review";
pub(crate) const LEGEND_REMAIN: &str = "Remain";
pub(crate) const LEGEND_FREE: &str = "Free in the tier";

pub(crate) fn where_from(number: &str) -> String {
    format!("Where the {number} come from")
}

pub(crate) const CHOSEN_IN: &str = "Chosen in step";
pub(crate) const CONTACTS: &str = "Contacts";
pub(crate) const TWICE: &str = "Counted more than once";
pub(crate) const NOT_ABOVE: &str = "not counted above";
pub(crate) const TO_BE_QUEUED: &str = "To be queued";

pub(crate) fn in_step(step: u8, what: &str) -> String {
    format!("{step} {what}")
}

pub(crate) fn stay_queued(leaving: u64, number: &str, date: &str) -> String {
    let already = match leaving {
        0 => String::new(),
        1 => "The contact that is already leaving stays queued. ".to_owned(),
        _ => format!("The {number} contacts that are already leaving stay queued. "),
    };
    format!("{already}A queued contact who submits a form that sets marketing before {date} is kept.")
}

pub(crate) fn continue_with(count: u64, number: &str) -> String {
    format!("Continue with {}", contacts(count, number))
}

pub(crate) const COUNTING: &str = "The contacts are still being counted.";
pub(crate) const COUNTING_WHY: &str = "The count takes longer than ten seconds and continues as a job. ";
pub(crate) const OPEN_THE_JOB: &str = "Open the job";
pub(crate) const CONTINUE_WHEN_DONE: &str = "Continue when it is done: your choice is kept.";
pub(crate) const STILL_COUNTING: &str = "The job is not done yet.";

pub(crate) fn stays_at(usage: &str, date: &str, rest: &str) -> String {
    format!("Usage stays at {usage} until {date} and is {rest} after that, if nothing else changes.")
}

pub(crate) fn type_to_confirm(number: &str) -> String {
    format!("Type the number of contacts, {number}, to confirm")
}

pub(crate) fn queue(count: u64, number: &str) -> String {
    format!("Queue {}", contacts(count, number))
}

pub(crate) fn another_number(number: &str) -> String {
    format!("{number} contacts match. Type {number} to continue.")
}

pub(crate) fn count_changed(now: &str, before: &str) -> String {
    format!("{now} contacts match now, not {before}. Type {now} to continue.")
}
