//! The contents of the functions' table: an account with an admin, contacts and forms.

use api::identity::{Identity, to_context};
use api::token::sha256_hex;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::TimeDelta;
use domain::Timestamp;
use domain::decision::Command;
use domain::ids::{AccountId, ContactId};
use domain::period::Terms;
use domain::source::Intake;
use serde_json::{Map, Value};
use store::keys;
use store::{
    Account, AutomationReport, AutomationTask, BulkTask, Form, NewAccount, NewForm, Responder, SaveContact,
    SaveMode, StoredResponse, Submission,
};
use testkit::{TestTable, terms};

use super::queue::{Queues, SWEEPS};
use crate::operations::{self, Told, automations, bulk};

/// The operator's token.
pub const OPERATOR_TOKEN: &str = "tmk_operators-secret";
/// The token of the account's admin.
pub const ADMIN_TOKEN: &str = "tmk_admins-secret";

/// A table with one account.
pub struct Fixture {
    /// The table.
    pub table: TestTable,
    /// The account.
    pub account: AccountId,
}

/// Returns the current time of the functions' clock.
pub fn now() -> Timestamp {
    bootstrap::system_clock().now()
}

/// Returns an instant that is separated from the current time by at least one update date.
pub fn in_an_ended_period() -> Timestamp {
    now().plus(TimeDelta::days(-32))
}

impl Fixture {
    /// Creates an account at the current time.
    pub async fn start() -> Self {
        Self::begun(now()).await
    }

    /// Creates an account as of this instant, without any later change.
    pub async fn begun(at: Timestamp) -> Self {
        Self::on(terms(), at).await
    }

    /// Creates an account with these terms, as of this instant.
    pub async fn on(terms: Terms, at: Timestamp) -> Self {
        Self::over(TestTable::start().await, terms, at).await
    }

    /// Creates an account at the current time, in a table with a stream.
    pub async fn with_stream() -> Self {
        Self::with_stream_begun(now()).await
    }

    /// Creates an account as of this instant, in a table with a stream.
    pub async fn with_stream_begun(at: Timestamp) -> Self {
        Self::over(TestTable::with_stream().await, terms(), at).await
    }

    async fn over(table: TestTable, terms: Terms, at: Timestamp) -> Self {
        let token_sha256 = sha256_hex(ADMIN_TOKEN.as_bytes());
        let new = NewAccount { name: "Lovelace Ltd", terms, token_sha256: &token_sha256 };
        let render = |account: &Account| StoredResponse {
            status: 201,
            body: account.id.to_string(),
            etag: None,
            location: None,
        };
        let created =
            table.store.create_account(&new, at, Responder::new(None, &render)).await.expect("an account");
        Self { account: created.body.parse().expect("an id"), table }
    }

    /// Returns the authorizer's context for the account's admin.
    pub async fn admin(&self) -> Map<String, Value> {
        let known =
            self.table.store.authenticate(&sha256_hex(ADMIN_TOKEN.as_bytes())).await.expect("a response");
        to_context(&Identity::Account(known.expect("the admin")))
    }

    /// Creates a contact.
    pub async fn contact(&self, name: &str, marketing: bool, at: Timestamp) -> ContactId {
        let email = address(name);
        operations::create(&self.table.store, self.account, &email, marketing, at).await.id
    }

    /// Creates this number of marketing contacts.
    pub async fn marketing_contacts(&self, count: usize, at: Timestamp) -> Vec<ContactId> {
        operations::marketing_contacts(&self.table.store, self.account, count, at).await
    }

    /// Queues contacts to leave at the next update date.
    pub async fn queue(&self, ids: &[ContactId], at: Timestamp) {
        let command = Command::SetNonMarketingPending;
        operations::set(&self.table.store, self.account, command, ids, at).await.expect("a report");
    }

    /// Creates this number of contacts that left at the end of an earlier period. Returns the sweep messages that the
    /// rollover would send.
    pub async fn left(&self, count: usize) -> Vec<String> {
        let at = in_an_ended_period();
        let ids = self.marketing_contacts(count, at).await;
        self.queue(&ids, at).await;
        self.sweeps().await
    }

    /// Closes the first period, which has ended, and returns its sweep messages.
    pub async fn sweeps(&self) -> Vec<String> {
        let store = &self.table.store;
        store.close_ended(self.account, now()).await.expect("the period closes");
        let first = domain::period::PeriodNumber::FIRST;
        let tasks = store.unswept(self.account, first).await.expect("the sweeps");
        tasks.iter().map(|task| serde_json::to_string(task).expect("a message")).collect()
    }

    /// Creates a form as of this instant.
    pub async fn form(&self, new: &NewForm, at: Timestamp) -> Form {
        let captured = Told::new();
        let render = captured.render();
        let responder = Responder::new(None, &render);
        self.table.store.create_form(self.account, new, at, responder).await.expect("a form");
        drop(render);
        captured.take()
    }

    /// Puts one submission for each name into the inbox, as of this instant. Returns the messages for the worker.
    pub async fn waiting(&self, form: &Form, names: &[&str], since: Timestamp) -> Vec<String> {
        let mut messages = Vec::new();
        for name in names {
            let email = testkit::email(&address(name));
            let submission =
                Submission { form, submission_id: Some(name), email: &email, properties: &[], left_out: 0 };
            let accepted =
                self.table.store.accept_into_inbox(&submission, since).await.expect("it is accepted");
            let task = accepted.waiting.expect("it waits");
            messages.push(serde_json::to_string(&task).expect("a message"));
        }
        messages
    }

    /// Creates a bulk job that sets all contacts marketing, as of this instant. `contacts` is their confirmed number.
    /// Returns the message for the worker.
    pub async fn bulk_job(&self, contacts: u64, at: Timestamp) -> String {
        let request = bulk::request(self.account, Command::SetMarketing, bulk::all(), Some(contacts));
        bulk::begin(&self.table.store, &request, at).await.expect("a job");
        serde_json::to_string(&BulkTask { account: self.account }).expect("a message")
    }

    /// Creates an enabled automation for the contacts in Rome, at this instant.
    pub async fn romans(&self, at: Timestamp) -> AutomationTask {
        let (told, store) = (Told::<AutomationReport>::new(), &self.table.store);
        let (render, new) = (told.render(), automations::romans());
        let responder = Responder::new(None, &render);
        store.create_automation(self.account, &new, at, || true, responder).await.expect("an answer");
        told.take().automation.task()
    }

    /// Creates an automation that is due at this instant. Returns the message for the worker.
    pub async fn automation(&self, due_at: Timestamp) -> String {
        let task = self.romans(due_at.min(now())).await;
        let text = |text: String| AttributeValue::S(text);
        let update = self.table.client.update_item().table_name(testkit::TABLE);
        let update = update.key(keys::PK, text(format!("AUTOMATION#{}#{}", self.account, task.automation)));
        let update = update.key(keys::SK, text("STATE".to_owned()));
        let update = update.update_expression("SET due_shard = :shard, due_at = :at");
        let shard = format!("DUE#{}", self.account.shard(keys::DUE_SHARDS));
        let update = update.expression_attribute_values(":shard", text(shard));
        let update = update.expression_attribute_values(":at", text(due_at.to_string()));
        update.send().await.expect("it is stored");
        serde_json::to_string(&task).expect("a message")
    }

    /// Creates or changes a contact, which then is in Rome and has a property of the account's own.
    pub async fn roman(&self, name: &str) {
        let email = testkit::email(&address(name));
        let properties = [testkit::property("city", "Rome"), testkit::property("gladiator", "no")];
        let request = SaveContact {
            account: self.account,
            mode: SaveMode::CreateOrUpdate,
            email: Some(&email),
            properties: &properties,
            unsubscribed: None,
            bounced: None,
            intake: Intake::Manual { marketing: None },
            source: operations::by_hand(),
            actor: operations::user(),
            if_match: None,
        };
        let told = Told::<store::Saved>::new();
        let render = told.render();
        let responder = Responder::new(None, &render);
        self.table.store.upsert_contact(&request, now(), responder).await.expect("a contact");
    }

    /// Asserts that the usage equals the counts of a full scan.
    pub async fn assert_exact(&self) {
        operations::assert_exact(&self.table, self.account, now()).await;
    }
}

/// Returns the address of the contact with this name.
pub fn address(name: &str) -> String {
    format!("{name}.lovelace@example.org")
}

/// Removes and returns the messages of the sweep queue.
pub fn sweep_messages(queue: &Queues) -> Vec<Value> {
    queue.take(SWEEPS).iter().map(|body| serde_json::from_str(body).expect("a message in JSON")).collect()
}
