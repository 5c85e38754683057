//! Tools: which of them require a marketing contact, and the reasons against reaching a contact.

use crate::contact::Contact;
use crate::marketing::EffectiveState;
use crate::string_enum::string_enum;

string_enum! {
    /// A tool that reaches contacts (the crate's `README.md`, Tools and eligibility).
    pub enum Tool {
        /// Marketing email. Requires a marketing contact.
        MarketingEmail = "marketing_email",
        /// The follow-up email of a form. Requires a marketing contact.
        FormFollowUpEmail = "form_follow_up_email",
        /// An email that an automation sends. Requires a marketing contact.
        AutomationEmail = "automation_email",
        /// An audience of an ads network. Requires a marketing contact.
        AdsAudience = "ads_audience",
        /// A sales email. Works with any contact.
        SalesEmail = "sales_email",
        /// The transcript of a chat. Works with any contact.
        ChatTranscriptEmail = "chat_transcript_email",
        /// A registration email. Works with any contact.
        RegistrationEmail = "registration_email",
        /// The reply to a ticket. Works with any contact.
        TicketReplyEmail = "ticket_reply_email",
        /// A transactional email. Works with any contact.
        TransactionalEmail = "transactional_email",
        /// A feedback survey. Works with any contact.
        FeedbackSurvey = "feedback_survey",
    }
}

string_enum! {
    /// A reason against reaching a contact with a tool.
    pub enum Reason {
        /// The contact is non-marketing, and the tool requires a marketing contact.
        NonMarketing = "non-marketing",
        /// The address is unsubscribed from marketing.
        Unsubscribed = "unsubscribed",
        /// The address has bounced.
        Bounced = "bounced",
        /// The contact has no address.
        NoEmail = "no-email",
        /// The account has no such contact.
        NotFound = "not-found",
    }
}

impl Tool {
    /// Returns true if the tool may reach marketing contacts only.
    #[must_use]
    pub fn needs_marketing_contact(self) -> bool {
        matches!(
            self,
            Self::MarketingEmail | Self::FormFollowUpEmail | Self::AutomationEmail | Self::AdsAudience
        )
    }

    /// Returns every reason against reaching a contact in this state with the tool. The list is empty if the tool may
    /// reach the contact.
    ///
    /// `unsubscribed` and `bounced` apply to marketing tools only. Every tool needs an address.
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
    fn four_tools_need_a_marketing_contact() {
        let needing: Vec<&str> = Tool::ALL
            .iter()
            .filter(|tool| tool.needs_marketing_contact())
            .map(|tool| tool.as_str())
            .collect();
        assert_eq!(needing, ["marketing_email", "form_follow_up_email", "automation_email", "ads_audience"]);
    }

    #[test]
    fn refused_tool_lists_all_reasons() {
        let mut person = contact(StoredState::NonMarketing, EffectiveState::NonMarketing);
        person.unsubscribed = true;
        person.bounced = true;
        person.email = None;
        let marketing = Tool::MarketingEmail.reasons_against(&person, EffectiveState::NonMarketing);
        assert_eq!(marketing, [Reason::NonMarketing, Reason::Unsubscribed, Reason::Bounced, Reason::NoEmail]);
        let sales = Tool::SalesEmail.reasons_against(&person, EffectiveState::NonMarketing);
        assert_eq!(sales, [Reason::NoEmail], "unsubscribed and bounced apply to marketing tools only");
    }

    #[test]
    fn leaving_contact_may_still_be_reached() {
        let mut person = contact(StoredState::Marketing, EffectiveState::Marketing);
        person.bounced = false;
        for state in [EffectiveState::Marketing, EffectiveState::Leaving] {
            assert_eq!(Tool::MarketingEmail.reasons_against(&person, state), []);
        }
    }
}
