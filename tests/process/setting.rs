//! What the functions find in their table: an account with an admin, and contacts.

use api::identity::{Identity, to_context};
use api::token::sha256_hex;
use chrono::TimeDelta;
use domain::Timestamp;
use domain::decision::Command;
use domain::ids::{AccountId, ContactId};
use domain::period::Terms;
use serde_json::{Map, Value};
use store::{Account, Form, NewAccount, NewForm, Responder, StoredResponse, Submission};
use testkit::{TestTable, terms};

use super::queue::{Queues, SWEEPS};
use crate::operations::{self, Told};

/// The operator's token.
pub const OPERATOR_TOKEN: &str = "tmk_operators-secret";
/// The token of the account's admin.
pub const ADMIN_TOKEN: &str = "tmk_admins-secret";

/// A table with an account.
pub struct Fixture {
    /// The table.
    pub table: TestTable,
    /// The account.
    pub account: AccountId,
}

/// The instant that the functions take to be now.
pub fn now() -> Timestamp {
    bootstrap::system_clock().now()
}

/// An instant with at least one update date between it and now.
pub fn in_an_ended_period() -> Timestamp {
    now().plus(TimeDelta::days(-32))
}

impl Fixture {
    /// An account that was made just now.
    pub async fn start() -> Self {
        Self::begun(now()).await
    }

    /// An account that was made then, and has been left alone since.
    pub async fn begun(at: Timestamp) -> Self {
        Self::on(terms(), at).await
    }

    /// An account on these terms.
    pub async fn on(terms: Terms, at: Timestamp) -> Self {
        let table = TestTable::start().await;
        let token_sha256 = sha256_hex(ADMIN_TOKEN.as_bytes());
        let new = NewAccount { name: "Lovelace Ltd", terms, token_sha256: &token_sha256 };
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

    /// What the authorizer says of the account's admin.
    pub async fn admin(&self) -> Map<String, Value> {
        let known =
            self.table.store.authenticate(&sha256_hex(ADMIN_TOKEN.as_bytes())).await.expect("an answer");
        to_context(&Identity::Account(known.expect("the admin")))
    }

    /// A contact.
    pub async fn contact(&self, name: &str, marketing: bool, at: Timestamp) -> ContactId {
        let email = address(name);
        operations::create(&self.table.store, self.account, &email, marketing, at).await.id
    }

    /// So many contacts, all marketing.
    pub async fn marketing_contacts(&self, count: usize, at: Timestamp) -> Vec<ContactId> {
        operations::marketing_contacts(&self.table.store, self.account, count, at).await
    }

    /// Queues contacts to leave.
    pub async fn queue(&self, ids: &[ContactId], at: Timestamp) {
        let command = Command::SetNonMarketingPending;
        operations::set(&self.table.store, self.account, command, ids, at).await.expect("a report");
    }

    /// So many marketing contacts in a period that has ended, all of which left, and the messages that ask for the
    /// sweeps: what the rollover has sent by then.
    pub async fn left(&self, count: usize) -> Vec<String> {
        let at = in_an_ended_period();
        let ids = self.marketing_contacts(count, at).await;
        self.queue(&ids, at).await;
        self.sweeps().await
    }

    /// The messages that ask for the sweeps of the first period, which has ended.
    pub async fn sweeps(&self) -> Vec<String> {
        let store = &self.table.store;
        store.close_ended(self.account, now()).await.expect("the period closes");
        let first = domain::period::PeriodNumber::FIRST;
        let tasks = store.unswept(self.account, first).await.expect("the sweeps");
        tasks.iter().map(|task| serde_json::to_string(task).expect("a message")).collect()
    }

    /// A form that was made then.
    pub async fn form(&self, new: &NewForm, at: Timestamp) -> Form {
        let told = Told::new();
        let render = told.render();
        let responder = Responder::new(None, &render);
        self.table.store.create_form(self.account, new, at, responder).await.expect("a form");
        drop(render);
        told.take()
    }

    /// Submissions of a form by people of these names that wait in the inbox since then, and the messages that name
    /// them.
    pub async fn waiting(&self, form: &Form, names: &[&str], since: Timestamp) -> Vec<String> {
        let mut messages = Vec::new();
        for name in names {
            let email = testkit::email(&address(name));
            let submission =
                Submission { form, submission_id: Some(name), email: &email, properties: &[], left_out: 0 };
            let taken = self.table.store.accept_into_inbox(&submission, since).await.expect("it is accepted");
            let task = taken.waiting.expect("it waits");
            messages.push(serde_json::to_string(&task).expect("a message"));
        }
        messages
    }

    /// Asserts that the usage is what a full scan counts.
    pub async fn assert_exact(&self) {
        operations::assert_exact(&self.table, self.account, now()).await;
    }
}

/// Somebody's address.
pub fn address(name: &str) -> String {
    format!("{name}.lovelace@example.org")
}

/// The messages that a queue has taken, as the sweep reads them.
pub fn sweep_messages(queue: &Queues) -> Vec<Value> {
    queue.take(SWEEPS).iter().map(|body| serde_json::from_str(body).expect("a message in JSON")).collect()
}
