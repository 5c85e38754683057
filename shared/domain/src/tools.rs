//! Which tools need a marketing contact, and why one may not be used.

use crate::contact::Contact;
use crate::marketing::State;
use crate::text::words;

words! {
    /// A tool that reaches contacts (`rules.md`, "Which tools need a marketing contact").
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

words! {
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
    pub fn reasons_against(self, contact: &Contact, state: State) -> Vec<Reason> {
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
