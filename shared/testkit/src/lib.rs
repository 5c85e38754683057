//! For tests only: a table in an embedded engine, a clock to move, a record of what the SDK was asked to do, faults
//! as DynamoDB gives them, a count that knows nothing of the program's own, and the API without a socket.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod builders;
mod clock;
mod conflicts;
mod described;
mod engine_server;
mod network;
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
pub use network::{Call, FaultInjector, FaultRates, ItemChange, Network, RawItem, RawKey, Write};
pub use recorder::{Recorder, Units};
pub use reply::Reply;
pub use requests::{Api, OPERATOR_TOKEN, PUBLIC_URL, Request, Tenant, TokenOwner};
pub use scan::{Scan, items_of, scan};
pub use seed::seed;
pub use seeded_rng::SeededRng;
pub use table::{TABLE, TestTable};
