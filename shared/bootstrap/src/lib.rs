//! The start of a function: environment, SDK, logging and the wall clock around its handler.
//!
//! An HTTP function's `main` is one line:
//!
//! ```no_run
//! # fn router(_: api::Context) -> axum::Router { axum::Router::new() }
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> std::process::ExitCode {
//!     bootstrap::run_http(router).await
//! }
//! ```
//!
//! Any other function creates its handler from a [`Function`]:
//!
//! ```no_run
//! # use lambda_runtime::LambdaEvent;
//! # async fn handle(_: &store::Store, _: serde_json::Value) -> Result<(), store::StoreError> { Ok(()) }
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> std::process::ExitCode {
//!     bootstrap::run(async |function| {
//!         let store = &function.store;
//!         bootstrap::run_events(&function.name, async |event: LambdaEvent<_>| handle(store, event.payload).await).await
//!     })
//!     .await
//! }
//! ```

mod batch;
mod clock;
mod embedded_metrics;
mod environment;
mod event;
mod function;
mod http;
mod logging;
mod queue;
mod sdk;
mod target;

pub use batch::Batch;
pub use clock::system_clock;
pub use environment::{Environment, EnvironmentError};
pub use event::{in_time, run_events};
pub use function::{Function, run};
pub use http::{run_http, serve_http};
pub use logging::{init as init_logging, subscriber as log_subscriber};
