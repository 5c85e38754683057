//! The providers that deliver the submissions of forms (`functions/form-submission/src/providers/README.md`).

use crate::string_enum::string_enum;

string_enum! {
    /// Who delivers a form's submissions. It says how they are written and how they are told from forged ones, and it
    /// never changes for a form.
    pub enum Provider {
        /// The form posts here itself.
        Native = "native",
        /// Typeform's webhooks.
        Typeform = "typeform",
        /// Tally's webhooks.
        Tally = "tally",
        /// Jotform's webhooks.
        Jotform = "jotform",
        /// Webflow's webhooks.
        Webflow = "webflow",
        /// Netlify's notifications of form submissions.
        Netlify = "netlify",
        /// Calendly's webhooks.
        Calendly = "calendly",
        /// Gravity Forms' webhooks add-on, for WordPress.
        GravityForms = "gravity_forms",
        /// `WPForms`' webhooks add-on, for WordPress.
        Wpforms = "wpforms",
        /// Anything that signs as Standard Webhooks 1.0 says.
        StandardWebhooks = "standard_webhooks",
        /// Anything else that posts a form, with a shared secret.
        Generic = "generic",
    }
}

impl Provider {
    /// Whether the form posts here itself, from anybody's browser, so that nothing about it can be signed.
    #[must_use]
    pub const fn is_native(self) -> bool {
        matches!(self, Self::Native)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_provider_has_a_word_of_its_own() {
        let words: BTreeSet<&str> = Provider::ALL.iter().map(|provider| provider.as_str()).collect();
        assert_eq!(words.len(), 11);
        for provider in Provider::ALL {
            assert_eq!(provider.as_str().parse(), Ok(*provider));
        }
        assert!("Typeform".parse::<Provider>().is_err());
    }

    #[test]
    fn only_the_forms_made_here_post_by_themselves() {
        let native: Vec<_> = Provider::ALL.iter().filter(|provider| provider.is_native()).collect();
        assert_eq!(native, [&Provider::Native]);
    }
}
