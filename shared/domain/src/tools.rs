//! Which tools need a marketing contact, and why one may not be used.

use crate::contact::Contact;
use crate::marketing::EffectiveState;
use crate::string_enum::string_enum;

string_enum! {
    /// A tool that reaches contacts (the crate's `README.md`, Tools and eligibility).
    pub enum Tool {
        /// Needs a marketing contact.
        MarketingEmail = "marketing_email",
        /// Needs a marketing contact.
        FormFollowUpEmail = "form_follow_up_email",
        /// Needs a marketing contact.
        AutomationEmail = "automation_email",
        /// Needs a marketing contact.
        AdsAudience = "ads_audience",
        /// Does not need one.
        SalesEmail = "sales_email",
        /// Does not need one.
        ChatTranscriptEmail = "chat_transcript_email",
        /// Does not need one.
        RegistrationEmail = "registration_email",
        /// Does not need one.
        TicketReplyEmail = "ticket_reply_email",
        /// Does not need one.
        TransactionalEmail = "transactional_email",
        /// Does not need one.
        FeedbackSurvey = "feedback_survey",
    }
}

string_enum! {
    /// Why a contact may not be reached with a tool.
    pub enum Reason {
        /// The tool needs a marketing contact.
        NonMarketing = "non-marketing",
        /// The address is unsubscribed from marketing.
        Unsubscribed = "unsubscribed",
        /// The address has bounced.
        Bounced = "bounced",
        /// There is no address to reach.
        NoEmail = "no-email",
        /// The account has no such contact.
        NotFound = "not-found",
    }
}

impl Tool {
    /// Whether it reaches marketing contacts only.
    #[must_use]
    pub fn needs_marketing_contact(self) -> bool {
        matches!(
            self,
            Self::MarketingEmail | Self::FormFollowUpEmail | Self::AutomationEmail | Self::AdsAudience
        )
    }

    /// Every reason why the tool may not reach a contact in this state; none if it may.
    ///
    /// Unsubscribed and bounced stop marketing tools only. Every tool needs an address.
    #[must_use]
    pub fn reasons_against(self, contact: &Contact, state: EffectiveState) -> Vec<Reason> {
        let marketing = self.needs_marketing_contact();
        [
            (marketing && !state.is_billable(), Reason::NonMarketing),
            (marketing && contact.unsubscribed, Reason::Unsubscribed),
            (marketing && contact.bounced, Reason::Bounced),
            (contact.email.is_none(), Reason::NoEmail),
        ]
        .into_iter()
        .filter_map(|(applies, reason)| applies.then_some(reason))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::tests::contact;
    use crate::marketing::StoredState;

    #[test]
    fn the_tools_of_the_left_column_need_a_marketing_contact() {
        let needing: Vec<&str> = Tool::ALL
            .iter()
            .filter(|tool| tool.needs_marketing_contact())
            .map(|tool| tool.as_str())
            .collect();
        assert_eq!(needing, ["marketing_email", "form_follow_up_email", "automation_email", "ads_audience"]);
    }

    #[test]
    fn every_no_says_all_of_its_reasons() {
        let mut person = contact(StoredState::NonMarketing, EffectiveState::NonMarketing);
        person.unsubscribed = true;
        person.bounced = true;
        person.email = None;
        let marketing = Tool::MarketingEmail.reasons_against(&person, EffectiveState::NonMarketing);
        assert_eq!(marketing, [Reason::NonMarketing, Reason::Unsubscribed, Reason::Bounced, Reason::NoEmail]);
        let sales = Tool::SalesEmail.reasons_against(&person, EffectiveState::NonMarketing);
        assert_eq!(sales, [Reason::NoEmail], "unsubscribed and bounced stop marketing tools alone");
    }

    #[test]
    fn a_leaving_contact_may_still_be_reached() {
        let mut person = contact(StoredState::Marketing, EffectiveState::Marketing);
        person.bounced = false;
        for state in [EffectiveState::Marketing, EffectiveState::Leaving] {
            assert_eq!(Tool::MarketingEmail.reasons_against(&person, state), []);
        }
    }
}
