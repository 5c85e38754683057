//! The project's integration tests: one binary, modules that mirror what they test.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]
#![allow(unreachable_pub, reason = "within a test binary `pub` says what the other modules use")]

mod dependencies;
mod http;
mod local;
mod model;
mod openapi;
mod operations;
mod process;
mod readme;
mod simulation;
mod template;
