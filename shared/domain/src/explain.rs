//! Why a contact is, or is not, billable: one sentence for people.

use crate::contact::Contact;
use crate::marketing::State;
use crate::period::Period;
use crate::source::{Source, SourceType};

/// One sentence that explains a settled contact's state in the account's current period.
#[must_use]
pub fn because(contact: &Contact, period: &Period) -> String {
    let since = contact.marketing.since;
    let source = &contact.marketing.source;
    match contact.state() {
        State::Marketing => {
            format!("Billable in period {}: {} set it marketing at {since}.", period.number, phrase(source))
        }
        State::Leaving => format!(
            "Billable until {}: {} queued it at {since} to become non-marketing at the next update date.",
            period.ends_at,
            phrase(source)
        ),
        State::NonMarketing if source.kind == SourceType::UpdateDate => {
            format!("Not billable: it was leaving and became non-marketing at the update date {since}.")
        }
        State::NonMarketing => {
            format!("Not billable: {} created it as a non-marketing contact at {since}.", phrase(source))
        }
    }
}

/// The source in words, such as `the form "Newsletter"`.
fn phrase(source: &Source) -> String {
    let kind = match source.kind {
        SourceType::Form => "the form",
        SourceType::ExternalForm => "the external form",
        SourceType::Chatflow => "the chat flow",
        SourceType::Import => "the import",
        SourceType::Integration => "the integration",
        SourceType::Manual => "the user",
        SourceType::Meeting => "the meeting",
        SourceType::LoggedEmail => "the logged email",
        SourceType::TeamInbox => "the team inbox",
        SourceType::Document => "the document",
        SourceType::EmailExtension => "the email extension",
        SourceType::MobileApp => "the mobile app",
        SourceType::UpdateDate => "the update date",
    };
    if source.name.is_empty() { kind.to_owned() } else { format!("{kind} \"{}\"", source.name) }
}
