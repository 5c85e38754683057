//! Tools for tests only: a table in an embedded engine, a bucket of files, a manual clock, a recorder of the SDK's
//! operations, DynamoDB's faults, an independent count of contacts, and the API without a socket.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot continue has failed"
)]

mod builders;
mod clock;
mod conflicts;
mod described;
mod engine_server;
mod files;
mod network;
mod observer;
mod recorder;
mod reply;
mod requests;
mod scan;
mod seed;
mod seeded_rng;
mod table;

pub use builders::{at, email, property, terms};
pub use clock::ManualClock;
pub use conflicts::{Conflicts, Fault};
pub use described::undescribed;
pub use files::TestFiles;
pub use network::{Call, FaultInjector, FaultRates, ItemChange, Network, RawItem, RawKey, Write};
pub use observer::Observer;
pub use recorder::{Recorder, Units};
pub use reply::Reply;
pub use requests::{Api, OPERATOR_TOKEN, PUBLIC_URL, Request, Tenant, TokenOwner};
pub use scan::{Scan, items_of, scan};
pub use seed::seed;
pub use seeded_rng::SeededRng;
pub use table::{TABLE, TestTable};
