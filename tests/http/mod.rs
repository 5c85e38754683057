//! The API over HTTP, from outside: requests into the router that the local stack serves, over the embedded engine.
//! The modules are those of the paths, and some that hold what is true of all of them.

pub mod walk;

/// The instant at which most tests begin.
pub const START: &str = "2026-11-10T12:00:00.000Z";
/// The last instant before the update date that follows.
pub const JUST_BEFORE: &str = "2026-11-30T23:59:59.999Z";
/// That update date.
pub const UPDATE: &str = "2026-12-01T00:00:00.000Z";
