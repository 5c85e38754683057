//! Texts of the page.
