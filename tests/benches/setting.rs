//! The fixture of the benchmarks: a table with an account and its admin.

use api::identity::{Identity, to_context};
use api::token::sha256_hex;
use chrono::TimeDelta;
use domain::Timestamp;
use domain::ids::AccountId;
use domain::permission::Principal;
use serde_json::{Map, Value};
use store::{Account, NewAccount, Responder, StoredResponse};
use testkit::{TestTable, terms};

/// The token of the account's admin.
pub const ADMIN_TOKEN: &str = "tmk_the-admins-token-of-the-benchmarks";

/// A table with an account.
pub struct Fixture {
    /// The table.
    pub table: TestTable,
    /// The account.
    pub account: AccountId,
}

/// Returns the present instant, by the clock that the functions use.
pub fn now() -> Timestamp {
    bootstrap::system_clock().now()
}

/// Returns an instant 32 days ago, so that an update date lies between it and now.
pub fn in_an_ended_period() -> Timestamp {
    now().plus(TimeDelta::days(-32))
}

impl Fixture {
    /// Starts a table with an account that was created at this instant.
    pub async fn begun(at: Timestamp) -> Self {
        let table = TestTable::start().await;
        let token_sha256 = sha256_hex(ADMIN_TOKEN.as_bytes());
        let new = NewAccount { name: "Measured", terms: terms(), token_sha256: &token_sha256 };
        let render = |account: &Account| StoredResponse {
            status: 201,
            body: account.id.to_string(),
            etag: None,
            location: None,
        };
        let made =
            table.store.create_account(&new, at, Responder::new(None, &render)).await.expect("an account");
        Self { account: made.body.parse().expect("an id"), table }
    }

    /// Returns the account's admin.
    pub async fn admin(&self) -> Principal {
        let principal = self.table.store.authenticate(&sha256_hex(ADMIN_TOKEN.as_bytes())).await;
        principal.expect("an answer").expect("the admin")
    }

    /// Returns the authorizer's context for the admin.
    pub async fn context(&self) -> Map<String, Value> {
        to_context(&Identity::Account(self.admin().await))
    }
}
