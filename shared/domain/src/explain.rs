//! The explanation of a contact's marketing state: one sentence for people.

use crate::Timestamp;
use crate::contact::Contact;
use crate::marketing::{EffectiveState, Marketing};
use crate::period::{Period, PeriodNumber};
use crate::source::{Source, SourceType};

/// Returns one sentence that explains a settled contact's state in the account's current period.
#[must_use]
pub fn because(contact: &Contact, period: &Period) -> String {
    because_in(contact.state(), &contact.marketing, period.number, period.ends_at)
}

/// Returns one sentence that explains a state in the period `number`, which ends at `ends_at`.
#[must_use]
pub fn because_in(
    state: EffectiveState,
    marketing: &Marketing,
    number: PeriodNumber,
    ends_at: Timestamp,
) -> String {
    let Marketing { since, source, .. } = marketing;
    match state {
        EffectiveState::Marketing => {
            format!("Billable in period {number}: {} set it marketing at {since}.", phrase(source))
        }
        EffectiveState::Leaving => format!(
            "Billable until {ends_at}: {} queued it at {since} to become non-marketing at the next update date.",
            phrase(source)
        ),
        EffectiveState::NonMarketing if source.kind == SourceType::UpdateDate => {
            format!("Not billable: it was leaving and became non-marketing at the update date {since}.")
        }
        EffectiveState::NonMarketing => {
            format!("Not billable: {} created it as a non-marketing contact at {since}.", phrase(source))
        }
    }
}

/// Returns the source in words, such as `the form "Newsletter"`.
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
        SourceType::BulkJob => "the bulk job",
        SourceType::Automation => "the automation",
        SourceType::UpdateDate => "the update date",
    };
    if source.name.is_empty() { kind.to_owned() } else { format!("{kind} \"{}\"", source.name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::tests::contact;
    use crate::marketing::{ClosedPeriodEnds, StoredState};
    use crate::period::PeriodNumber;
    use crate::period::tests::period;

    #[test]
    fn each_state_is_explained_in_one_sentence() {
        let period = period();
        let marketing = contact(StoredState::Marketing, EffectiveState::Marketing);
        assert_eq!(
            because(&marketing, &period),
            "Billable in period 1: the form \"Newsletter\" set it marketing at 1970-01-01T00:00:01.000Z."
        );
        let leaving =
            contact(StoredState::Leaving { queued_in: PeriodNumber::FIRST }, EffectiveState::Leaving);
        assert_eq!(
            because(&leaving, &period),
            "Billable until 2026-12-01T00:00:00.000Z: the form \"Newsletter\" queued it at \
             1970-01-01T00:00:01.000Z to become non-marketing at the next update date."
        );
        let free = contact(StoredState::NonMarketing, EffectiveState::NonMarketing);
        assert_eq!(
            because(&free, &period),
            "Not billable: the form \"Newsletter\" created it as a non-marketing contact at 1970-01-01T00:00:01.000Z."
        );
        let mut left = leaving;
        let next = period.closing(period.ends_at).unwrap().next;
        left.settle(&next, &ClosedPeriodEnds::default());
        assert_eq!(
            because(&left, &next),
            "Not billable: it was leaving and became non-marketing at the update date 2026-12-01T00:00:00.000Z."
        );
    }
}
