//! The store's operations over the embedded engine.

mod closing;
mod concurrency;
mod costs;
mod deleting;
mod deliveries;
mod faults;
pub mod forms;
mod golden;
mod histories;
mod holdings;
mod idempotency;
mod ids;
mod inbox;
mod isolation;
mod listing;
mod operator;
mod people;
mod rejected;
mod strangers;
mod torn_reads;

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::decision::{Command, Outcome};
use domain::ids::{AccountId, ContactId, UserId};
use domain::period::Period;
use domain::source::{Actor, Intake, Source, SourceType};
use std::sync::Mutex;
use store::{
    ContactRef, DeleteContact, IdempotencyClaim, Refused, Responder, SaveContact, SaveMode, Saved,
    StatusOutcome, StatusReport, StatusRequest, Store, StoreError, StoredResponse, UpdateContact,
};
use testkit::TestTable;

/// The instant at which most tests begin.
pub const START: &str = "2026-11-10T12:00:00.000Z";
/// The update date that follows.
pub const UPDATE: &str = "2026-12-01T00:00:00.000Z";
/// The last instant before it.
pub const JUST_BEFORE: &str = "2026-11-30T23:59:59.999Z";

/// By whom tests change things.
pub fn user() -> Actor {
    Actor::User(UserId::new(Timestamp::MIN, 1))
}

/// Through what.
pub fn by_hand() -> Source {
    Source { kind: SourceType::Manual, name: "Ada".to_owned(), id: None }
}

/// Runs an operation and gives what it would have rendered, together with its answer.
pub struct Told<T>(Mutex<Option<T>>);

impl<T: Clone + Send> Told<T> {
    pub fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub fn render(&self) -> impl Fn(&T) -> StoredResponse + Send + Sync + '_ {
        |result| {
            *self.0.lock().unwrap() = Some(result.clone());
            StoredResponse { status: 200, body: String::new(), etag: None, location: None }
        }
    }

    pub fn take(&self) -> T {
        self.0.lock().unwrap().take().expect("a result")
    }
}

/// A contact made by hand.
pub async fn create(
    store: &Store,
    account: AccountId,
    email: &str,
    marketing: bool,
    now: Timestamp,
) -> Contact {
    save(store, account, email, SaveMode::Create, Intake::Manual { marketing: Some(marketing) }, now)
        .await
        .expect("a contact")
        .contact
}

/// A contact made, or made sure of, through some source.
pub async fn save(
    store: &Store,
    account: AccountId,
    email: &str,
    mode: SaveMode,
    intake: Intake,
    now: Timestamp,
) -> Result<Saved, StoreError> {
    let email = EmailAddress::parse(email).expect("an address");
    let request = SaveContact {
        account,
        mode,
        email: Some(&email),
        properties: &[],
        unsubscribed: None,
        bounced: None,
        intake,
        source: by_hand(),
        actor: user(),
        if_match: None,
    };
    let told = Told::new();
    store.upsert_contact(&request, now, Responder::new(None, &told.render())).await?;
    Ok(told.take())
}

/// A status command for contacts by id.
pub async fn set(
    store: &Store,
    account: AccountId,
    command: Command,
    ids: &[ContactId],
    now: Timestamp,
) -> Result<StatusReport, StoreError> {
    let contacts: Vec<ContactRef> = ids.iter().copied().map(ContactRef::Id).collect();
    let told = Told::new();
    set_status(store, account, command, &contacts, now, Responder::new(None, &told.render())).await?;
    Ok(told.take())
}

/// A status command, ended as the caller says.
pub async fn set_status(
    store: &Store,
    account: AccountId,
    command: Command,
    contacts: &[ContactRef],
    now: Timestamp,
    responder: Responder<'_, StatusReport>,
) -> Result<StoredResponse, StoreError> {
    let request =
        StatusRequest { account, command, contacts, dry_run: false, source: by_hand(), actor: user() };
    store.set_status(&request, now, responder).await
}

/// Gives a contact another address.
pub async fn readdress(
    store: &Store,
    account: AccountId,
    contact: ContactId,
    to: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let change = UpdateContact {
        account,
        contact,
        email: Some(Some(testkit::email(to))),
        properties: &[],
        unsubscribed: None,
        bounced: None,
        if_match: None,
    };
    let told = Told::new();
    let render = told.render();
    store.update_contact(&change, now, Responder::new(None, &render)).await.map(drop)
}

/// Deletes or erases a contact.
pub async fn delete(
    store: &Store,
    account: AccountId,
    contact: ContactId,
    erase: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let request = DeleteContact {
        account,
        contact,
        erase,
        if_match: None,
        source: by_hand(),
        actor: user(),
        modify_marketing_contacts: true,
    };
    let told = Told::new();
    store.delete_contact(&request, now, Responder::new(None, &told.render())).await?;
    told.take();
    Ok(())
}

/// The outcomes of a report, in its order.
pub fn outcomes(report: &StatusReport) -> Vec<StatusOutcome> {
    report.results.iter().map(|result| result.outcome).collect()
}

/// One contact as reads show it.
pub async fn read(
    store: &Store,
    account: AccountId,
    id: ContactId,
    now: Timestamp,
) -> Option<(Contact, Period)> {
    match store.contact(account, ContactRef::Id(id), now).await {
        Ok(found) => Some(found),
        Err(StoreError::Refused(Refused::NotFound("contact"))) => None,
        Err(error) => panic!("{error}"),
    }
}

/// A claim to this key for a request that is told apart by `request`.
pub fn claim(account: AccountId, key: &str, request: u8, now: Timestamp) -> IdempotencyClaim {
    IdempotencyClaim::new(account, key, &[request; 32], now)
}

/// Asserts the first invariant: the usage is what a full scan counts, and reads say so too.
pub async fn assert_exact(table: &TestTable, account: AccountId, now: Timestamp) {
    let period = table.store.usage(account, now).await.expect("the usage");
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!(
        (period.marketing, period.leaving),
        (scan.billable, scan.leaving),
        "usage against a full scan"
    );
    assert_eq!(
        scan.period,
        (period.number.number(), period.marketing, period.leaving),
        "reads against the item"
    );
    assert!(period.cap.is_none_or(|cap| period.marketing <= cap), "the cap holds");
}

/// `n` contacts made at once, straight into the marketing state.
pub async fn marketing_contacts(
    store: &Store,
    account: AccountId,
    count: usize,
    now: Timestamp,
) -> Vec<ContactId> {
    let made = (0..count).map(|n| async move {
        create(store, account, &format!("person{n}@example.org"), true, now).await.id
    });
    futures_util::StreamExt::collect(futures_util::StreamExt::buffered(futures_util::stream::iter(made), 8))
        .await
}

/// The outcome of a command that was carried out.
pub const fn done(outcome: Outcome) -> StatusOutcome {
    StatusOutcome::Done(outcome)
}
