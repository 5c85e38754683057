//! All limits of the program, in groups. Each comment names the bounded quantity and the reason for its size.

mod accounts;
mod changes;
mod contacts;
mod crm;
mod dynamodb;
mod files;
mod forms;
mod http;
mod imports;
mod jobs;
mod local;
mod retry;
mod usage;

pub use accounts::*;
pub use changes::*;
pub use contacts::*;
pub use crm::*;
pub use dynamodb::*;
pub use files::*;
pub use forms::*;
pub use http::*;
pub use imports::*;
pub use jobs::*;
pub use local::*;
pub use retry::*;
pub use usage::*;
