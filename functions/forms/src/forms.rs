//! `/v1/forms`: the forms of an account. Every user and integration of the account may manage them.

mod body;
mod routes;
mod view;

// `routes!` needs each handler and the description that `#[utoipa::path]` generates beside it.
pub(crate) use self::routes::*;
