//! All English texts. Another language is another version of this module.
//!
//! Numbers and dates arrive as texts in the reader's language.

pub(crate) mod automations;
pub(crate) mod contact;
pub(crate) mod contacts;
pub(crate) mod exports;
pub(crate) mod forms;
pub(crate) mod hubspot;
pub(crate) mod imports;
pub(crate) mod jobs;
pub(crate) mod overview;
pub(crate) mod review;
pub(crate) mod segments;
pub(crate) mod settings;
pub(crate) mod statements;
pub(crate) mod usage;

use domain::source::SourceType;

pub(crate) const PRODUCT: &str = "Tidemark";
pub(crate) const CONSOLE: &str = "Console";
pub(crate) const SKIP: &str = "Skip to the content";
pub(crate) const MENU: &str = "Menu";
pub(crate) const SIGN_OUT: &str = "Sign out";

pub(crate) const OVERVIEW: &str = "Overview";
pub(crate) const CONTACTS: &str = "Contacts";
pub(crate) const SEGMENTS: &str = "Segments";
pub(crate) const REVIEW: &str = "Review";
pub(crate) const FORMS: &str = "Forms";
pub(crate) const AUTOMATIONS: &str = "Automations";
pub(crate) const FILES: &str = "Imports and exports";
pub(crate) const JOBS: &str = "Jobs";
pub(crate) const STATEMENTS: &str = "Statements";
pub(crate) const SETTINGS: &str = "Settings";

pub(crate) const NON_MARKETING: &str = "Non-marketing";
pub(crate) const MARKETING: &str = "Marketing";
pub(crate) const LEAVING: &str = "Leaving";
pub(crate) const ON: &str = "On";
pub(crate) const OFF: &str = "Off";

pub(crate) const PAGES: &str = "Pages";
pub(crate) const FIRST_PAGE: &str = "First page";
pub(crate) const NEXT_PAGE: &str = "Next page";

pub(crate) const SIGN_IN: &str = "Sign in";
pub(crate) const TOKEN: &str = "Token";
pub(crate) const TOKEN_HINT: &str =
    "Your API token. It starts a 12-hour session in this browser and is not stored.";
pub(crate) const NO_TOKEN: &str = "No token? An admin of your account can create one in Settings.";
pub(crate) const TOKEN_UNKNOWN: &str = "This token is not known, or it was revoked.";
pub(crate) const TOKEN_OF_INTEGRATION: &str =
    "This is the token of an integration. The console is for people: sign in with a user's token.";
pub(crate) const CODE_USED: &str = "This link has been used, or it is too old. Sign in with a token.";
pub(crate) const SIGNED_OUT: &str = "You are signed out.";
pub(crate) const SESSION_ENDED: &str = "Your session has ended, and nothing was changed. Sign in again to return to the page; what you typed is gone.";
pub(crate) const OTHER_ORIGIN: &str = "A page of another site has sent this form. Nothing was changed.";

pub(crate) const SANDBOX_CLOCK: &str = "Sandbox clock";
pub(crate) const FORWARD_ONE_DAY: &str = "Forward one day";

pub(crate) const FAULT: &str = "This did not work";
pub(crate) const NOT_FOUND: &str = "Not found";
pub(crate) const NOT_PERMITTED: &str = "Not permitted";
pub(crate) const REFUSED: &str = "Nothing was changed";
pub(crate) const MAY_BE_DELETED: &str = "It may have been deleted or erased.";
pub(crate) const ALL_CONTACTS: &str = "All contacts";
pub(crate) const NO_SUCH_PAGE: &str = "The console has no such page.";
pub(crate) const MAY_NOT_EDIT: &str =
    "You can view contacts but not set their status. An admin can give you this permission in Settings.";
pub(crate) const MAY_NOT_ADMINISTER: &str = "Only an admin can change this.";

pub(crate) fn usage_of([marketing, limit, leaving]: &[String; 3]) -> String {
    format!("{marketing} of {limit}, {leaving} leaving")
}

pub(crate) fn who(name: &str, is_admin: bool) -> String {
    let role = if is_admin { "admin" } else { "member" };
    if name.is_empty() { capitalized(role) } else { format!("{name}, {role}") }
}

pub(crate) fn to_before(date: &str) -> String {
    format!("To 1 ms before {date}")
}

pub(crate) fn to_update_date(date: &str) -> String {
    format!("To {date}, 00:00")
}

pub(crate) fn in_utc(utc: &str) -> String {
    format!(", in UTC {}", utc.replace('T', " ").trim_end_matches('Z'))
}

pub(crate) fn nothing_was_changed(is_fault: bool) -> &'static str {
    if is_fault { "This did not work, and nothing was changed." } else { "Nothing was changed." }
}

pub(crate) fn fault_sentence(request_id: &str) -> String {
    format!("If it happens again, give your operator this request id: {request_id}")
}

/// Returns a message of the API as a sentence.
pub(crate) fn sentence(message: &str) -> String {
    format!("{}.", capitalized(message).trim_end_matches('.'))
}

pub(crate) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Returns the kind of a source as a noun.
pub(crate) fn source_kind(kind: SourceType) -> &'static str {
    match kind {
        SourceType::Form => "form",
        SourceType::ExternalForm => "external form",
        SourceType::Chatflow => "chat flow",
        SourceType::Import => "import",
        SourceType::Integration => "integration",
        SourceType::Manual => "manually",
        SourceType::Meeting => "meeting",
        SourceType::LoggedEmail => "logged email",
        SourceType::TeamInbox => "team inbox",
        SourceType::Document => "document",
        SourceType::EmailExtension => "email extension",
        SourceType::MobileApp => "mobile app",
        SourceType::BulkJob => "job",
        SourceType::Automation => "automation",
        SourceType::UpdateDate => "update date",
    }
}

/// Returns a length of time in its two largest units, such as `6 days 9 hours`.
pub(crate) fn duration(time: chrono::TimeDelta) -> String {
    let minutes = time.num_minutes().max(0);
    let (days, hours, rest) = (minutes / (24 * 60), minutes / 60 % 24, minutes % 60);
    let unit = |count: i64, noun: &str| match count {
        0 => None,
        1 => Some(format!("1 {noun}")),
        _ => Some(format!("{count} {noun}s")),
    };
    let units = [unit(days, "day"), unit(hours, "hour"), unit(rest, "minute")];
    let words: Vec<String> = units.into_iter().flatten().take(if days > 0 { 2 } else { 3 }).collect();
    if words.is_empty() { "less than a minute".to_owned() } else { words.join(" ") }
}

/// Returns `count` with a noun in the singular or the plural. `number` is the count in the reader's language.
pub(crate) fn counted(count: u64, number: &str, noun: &str) -> String {
    if count == 1 { format!("{number} {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn durations_have_their_two_largest_units() {
        for (minutes, words) in [
            (0, "less than a minute"),
            (1, "1 minute"),
            (61, "1 hour 1 minute"),
            (6 * 24 * 60 + 9 * 60 + 28, "6 days 9 hours"),
            (24 * 60, "1 day"),
        ] {
            assert_eq!(duration(TimeDelta::minutes(minutes)), words);
        }
    }
}
