//! The settings of a form that determine the effect of its submissions.

use crate::string_enum::string_enum;

/// The words of event types that report an end. The contact in such an event has not sent a form.
const ENDS: [&str; 19] = [
    "archived",
    "bounce",
    "bounced",
    "canceled",
    "cancelled",
    "complained",
    "complaint",
    "deactivated",
    "delete",
    "deleted",
    "destroyed",
    "erased",
    "expired",
    "removed",
    "suppressed",
    "terminated",
    "unsubscribe",
    "unsubscribed",
    "unsubscription",
];

string_enum! {
    /// The effect of a submission on properties that an existing contact already has.
    pub enum Overwrite {
        /// The submitted value replaces the stored one.
        Always = "always",
        /// The submitted value fills only properties that have no visible value.
        IfEmpty = "if_empty",
        /// The properties of an existing contact stay as they are. A new contact gets all of them.
        Never = "never",
    }
}

string_enum! {
    /// The amount of detail in the response to a public submission.
    pub enum AnswerMode {
        /// `{"accepted": true}`, the same for every contact, so the response discloses nothing about a contact.
        Minimal = "minimal",
        /// The effect of the submission on the contact and its marketing state.
        Full = "full",
    }
}

impl Default for Overwrite {
    /// Returns [`Self::Always`], because contacts correct their own data through forms.
    fn default() -> Self {
        Self::Always
    }
}

impl Default for AnswerMode {
    /// Returns [`Self::Minimal`], because anyone may submit a public form.
    fn default() -> Self {
        Self::Minimal
    }
}

/// Returns true for an event type that reports an end, such as `contact.deleted` or `emailBounced`.
#[must_use]
pub fn reports_an_end(event_type: &str) -> bool {
    let mut word = String::new();
    let mut last = ' ';
    for c in event_type.chars().chain([' ']) {
        let is_new = !c.is_alphanumeric() || (last.is_lowercase() && c.is_uppercase());
        if is_new && ENDS.contains(&word.as_str()) {
            return true;
        }
        if is_new {
            word.clear();
        }
        if c.is_alphanumeric() {
            word.push(c.to_ascii_lowercase());
        }
        last = c;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_types_of_an_end_are_recognised() {
        for event_type in [
            "contact.deleted",
            "deleted",
            "CONTACT_DELETED",
            "email-bounced",
            "emailComplained",
            "subscription.cancelled",
            "subscription.canceled.v2",
            "list/unsubscribe",
        ] {
            assert!(reports_an_end(event_type), "{event_type}");
        }
        for event_type in
            ["", "contact.created", "form.submitted", "undeleted", "trial.ending", "contact.updated"]
        {
            assert!(!reports_an_end(event_type), "{event_type}");
        }
    }
}
