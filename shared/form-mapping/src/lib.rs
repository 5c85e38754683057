//! The mapping of a form's answers to a person: the answer with the address, and the properties that other answers
//! fill.
//!
//! `form-submission` maps submissions on arrival. `forms` maps rejected submissions again after their form has
//! changed. So both read the same answers in the same way. The web addresses in a form's settings are also checked here, for
//! all functions that change forms.

pub mod answers;
pub mod names;
pub mod person;
pub mod web_address;
