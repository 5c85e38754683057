//! The settings of a form that decide what its submissions may do.

use crate::text::words;

words! {
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

words! {
    /// The amount of detail in the response to a public submission.
    pub enum AnswerMode {
        /// `{"accepted": true}`, the same for every contact, so that the response tells nothing about one.
        Minimal = "minimal",
        /// The effect of the submission on the contact and its marketing state.
        Full = "full",
    }
}

impl Default for Overwrite {
    /// Returns [`Self::Always`], because people correct their own data through forms.
    fn default() -> Self {
        Self::Always
    }
}

impl Default for AnswerMode {
    /// Returns [`Self::Minimal`], because anybody may submit a public form.
    fn default() -> Self {
        Self::Minimal
    }
}
