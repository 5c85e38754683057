//! The project's integration tests, in one binary. Each module covers one crate, interface or promise.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot continue has failed"
)]
#![allow(unreachable_pub, reason = "within a test binary, `pub` marks the items that other modules use")]

mod dependencies;
mod files;
mod http;
mod local;
mod model;
mod openapi;
mod operations;
mod process;
mod readme;
mod simulation;
mod template;
