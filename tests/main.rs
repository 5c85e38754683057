//! The project's integration tests: one binary, modules that mirror what they test.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod dependencies;
mod http;
mod openapi;
mod operations;
mod template;
