//! The mapping of a form's answers to a person: which answer is the address, and which property each other one fills.
//!
//! `form-submission` maps what arrives, and `forms` maps a rejected submission again once its form has changed. So both
//! read the same answers in the same way.

pub mod answers;
pub mod names;
pub mod person;
