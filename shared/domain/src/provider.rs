//! The providers that deliver the submissions of forms (`functions/form-submission/src/providers/README.md`).

use crate::string_enum::string_enum;

string_enum! {
    /// The program that delivers a form's submissions. It determines their format and how they are authenticated. It
    /// never changes for a form.
    pub enum Provider {
        /// No provider: the form posts to this API itself.
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
        /// Any program that signs according to Standard Webhooks 1.0.
        StandardWebhooks = "standard_webhooks",
        /// Any other program that posts a form, with a shared secret.
        Generic = "generic",
    }
}

impl Provider {
    /// Returns true if the form posts to this API itself. It does so from the visitor's browser, so its submissions
    /// cannot be signed.
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
    fn provider_text_forms_are_unique_and_round_trip() {
        let words: BTreeSet<&str> = Provider::ALL.iter().map(|provider| provider.as_str()).collect();
        assert_eq!(words.len(), 11);
        for provider in Provider::ALL {
            assert_eq!(provider.as_str().parse(), Ok(*provider));
        }
        assert!("Typeform".parse::<Provider>().is_err());
    }

    #[test]
    fn only_the_native_provider_is_native() {
        let native: Vec<_> = Provider::ALL.iter().filter(|provider| provider.is_native()).collect();
        assert_eq!(native, [&Provider::Native]);
    }
}
