//! Texts of the usage over time.

pub(crate) const TITLE: &str = "Usage over time";
pub(crate) const RANGES: &str = "Range";
pub(crate) const LEGEND_USAGE: &str = "Marketing contacts at the end of each day";
pub(crate) const LEGEND_PEAK: &str = "Peak";
pub(crate) const LEGEND_UPDATE: &str = "Update date";

pub(crate) const NO_USAGE: &str = "No contact was marketing on these days.";

pub(crate) const FORECAST: &str = "What follows";
pub(crate) const EXACT: &str = "Next update date";
pub(crate) const PACE: &str = "Pace";
pub(crate) const LIMIT: &str = "Tier limit";
pub(crate) const CAP: &str = "Cap";
pub(crate) const NO_CAP: &str = "No cap is set.";
pub(crate) const LITTLE: &str = "less than 0.1";
pub(crate) const ESTIMATE: &str = "The next update date is exact for the contacts that are leaving now. The days on which \
     the tier limit and the cap are reached are an estimate: they continue the pace.";

pub(crate) const DAYS: &str = "Days";
pub(crate) const DAYS_CAPTION: &str = "Usage by day, newest first";
pub(crate) const DATE: &str = "Date";
pub(crate) const MARKETING: &str = "Marketing";
pub(crate) const PEAK: &str = "Peak";
pub(crate) const SET: &str = "Set";
pub(crate) const KEPT: &str = "Kept";
pub(crate) const QUEUED: &str = "Queued";
pub(crate) const LEFT: &str = "Left";
pub(crate) const BY_SOURCE: &str = "Set by source";

pub(crate) fn range(days: &str) -> String {
    format!("{days} days")
}

pub(crate) fn chart_title(from: &str, to: &str) -> String {
    if from == to { format!("Usage on {to}") } else { format!("Usage by day, {from} to {to}") }
}

/// Returns the picture in words.
pub(crate) fn chart_description([first, last, peak]: &[String; 3], on: &str) -> String {
    format!(
        "{first} marketing contacts at the end of the first day, {last} now. The peak was {peak}, on {on}."
    )
}

pub(crate) fn tier_limit(limit: &str) -> String {
    format!("Tier limit {limit}")
}

pub(crate) fn cap(cap: &str) -> String {
    format!("Cap {cap}")
}

pub(crate) fn limit_and_cap(limit: &str) -> String {
    format!("Tier limit and cap {limit}")
}

pub(crate) fn now(usage: &str) -> String {
    format!("Now {usage}")
}

pub(crate) fn left(count: &str) -> String {
    format!("{count} left")
}

pub(crate) fn peak(peak: &str, on: &str) -> String {
    format!("The peak was {peak}, on {on}.")
}

/// Returns the sentence about the limit and the cap that are too high for the picture.
pub(crate) fn above(limit: Option<&str>, cap: Option<&str>) -> Option<String> {
    match (limit, cap) {
        (Some(limit), Some(cap)) => {
            Some(format!("The tier limit of {limit} and the cap of {cap} are above the picture."))
        }
        (Some(limit), None) => Some(format!("The tier limit of {limit} is above the picture.")),
        (None, Some(cap)) => Some(format!("The cap of {cap} is above the picture.")),
        (None, None) => None,
    }
}

/// Returns the part of a sentence about the contacts that leave.
pub(crate) fn leave(count: u64, contacts: &str) -> String {
    let verb = if count == 1 { "leaves" } else { "leave" };
    format!("{contacts} {verb}")
}

/// Returns the sentence about the next update date. `leaving` is absent if no contact leaves.
pub(crate) fn next_update(date: &str, leaving: Option<&str>, rest: &str, limit: &str) -> String {
    match leaving {
        Some(leaving) => format!(
            "On {date}, {leaving}. Usage is {rest} of {limit} after that, if nothing else changes before."
        ),
        None => {
            format!(
                "On {date}, no contact leaves. Usage stays at {rest} of {limit}, if nothing else changes."
            )
        }
    }
}

/// Returns the sentence about the pace, with the sums of all days and the averages of one.
pub(crate) fn pace(days: u32, number: &str, [set, left]: &[String; 2], each: &[String; 2]) -> String {
    if days == 1 {
        return format!("Today: {set} set, {left} left. More days make the pace more reliable.");
    }
    let [set_each, left_each] = each;
    format!(
        "In the latest {number} days: {set} set, {left} left. On average, {set_each} set and {left_each} left a day."
    )
}

pub(crate) fn limit_reached(limit: &str) -> String {
    format!("Usage has reached the tier limit of {limit}.")
}

pub(crate) fn cap_reached(cap: &str) -> String {
    format!("Usage has reached the cap of {cap}.")
}

pub(crate) fn limit_on(limit: &str, date: &str) -> String {
    format!("At this pace, usage reaches the tier limit of {limit} on {date}. This is an estimate.")
}

pub(crate) fn cap_on(cap: &str, date: &str) -> String {
    format!("At this pace, usage reaches the cap of {cap} on {date}. This is an estimate.")
}

pub(crate) fn limit_never(limit: &str) -> String {
    format!(
        "At this pace, no day is foreseeable on which usage reaches the tier limit of {limit}. This is an estimate."
    )
}

pub(crate) fn cap_never(cap: &str) -> String {
    format!(
        "At this pace, no day is foreseeable on which usage reaches the cap of {cap}. This is an estimate."
    )
}

/// Returns the sentence about the days that the table leaves out.
pub(crate) fn unchanged(count: u64, number: &str) -> String {
    if count == 1 {
        "1 day without a change is not listed.".to_owned()
    } else {
        format!("{number} days without a change are not listed.")
    }
}
