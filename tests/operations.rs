//! Tests of the store's operations over the embedded engine.

mod automation_histories;
pub mod automations;
pub mod bulk;
mod changes;
mod closing;
mod concurrency;
mod costs;
mod deleting;
mod deliveries;
mod faults;
pub mod feed;
mod feed_costs;
pub mod forms;
mod golden;
mod histories;
mod holdings;
mod idempotency;
mod ids;
pub mod imports;
mod inbox;
mod isolation;
mod listing;
mod merging;
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
use domain::patch::Patch;
use domain::period::Period;
use domain::property::PropertyName;
use domain::source::{Actor, Intake, Source, SourceType};
use std::sync::Mutex;
use store::{
    ContactRef, DeleteContact, IdempotencyClaim, Refused, Responder, SaveContact, SaveMode, Saved,
    StatusOutcome, StatusReport, StatusRequest, Store, StoreError, StoredResponse, UpdateContact,
};
use testkit::TestTable;

/// The instant at which most tests begin.
pub const START: &str = "2026-11-10T12:00:00.000Z";
/// The first update date after [`START`].
pub const UPDATE: &str = "2026-12-01T00:00:00.000Z";
/// The last instant before [`UPDATE`].
pub const JUST_BEFORE: &str = "2026-11-30T23:59:59.999Z";

/// Returns the actor that the tests record for changes.
pub fn user() -> Actor {
    Actor::User(UserId::new(Timestamp::MIN, 1))
}

/// Returns the source that the tests record for changes.
pub fn by_hand() -> Source {
    Source { kind: SourceType::Manual, name: "Ada".to_owned(), id: None }
}

/// Captures the typed result of an operation, which the store passes to the render function only.
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

/// Creates a contact as a user would, marketing or not.
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

/// Returns the request of a user who creates or updates a contact, without a marketing state.
pub fn saving<'r>(
    account: AccountId,
    email: Option<&'r EmailAddress>,
    properties: &'r [(PropertyName, Option<String>)],
) -> SaveContact<'r> {
    SaveContact {
        account,
        mode: SaveMode::CreateOrUpdate,
        email,
        properties,
        unsubscribed: None,
        bounced: None,
        intake: Intake::Manual { marketing: None },
        source: by_hand(),
        actor: user(),
        if_match: None,
    }
}

/// Creates or updates a contact by its address, with the given intake.
pub async fn save(
    store: &Store,
    account: AccountId,
    email: &str,
    mode: SaveMode,
    intake: Intake,
    now: Timestamp,
) -> Result<Saved, StoreError> {
    let email = EmailAddress::parse(email).expect("an address");
    let request = SaveContact { mode, intake, ..saving(account, Some(&email), &[]) };
    let told = Told::new();
    store.upsert_contact(&request, now, Responder::new(None, &told.render())).await?;
    Ok(told.take())
}

/// Runs a status command on contacts by id and returns its report.
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

/// Runs a status command with the caller's responder and returns the response.
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

/// Changes a contact's address.
pub async fn readdress(
    store: &Store,
    account: AccountId,
    contact: ContactId,
    to: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    change_address(store, account, contact, Patch::Set(testkit::email(to)), now).await
}

/// Changes or removes a contact's address.
pub async fn change_address(
    store: &Store,
    account: AccountId,
    contact: ContactId,
    email: Patch<EmailAddress>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let change = UpdateContact {
        account,
        contact,
        email,
        properties: &[],
        unsubscribed: None,
        bounced: None,
        status: None,
        if_match: None,
        source: by_hand(),
        actor: user(),
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

/// Returns the outcomes of a report, in its order.
pub fn outcomes(report: &StatusReport) -> Vec<StatusOutcome> {
    report.results.iter().map(|result| result.outcome).collect()
}

/// Reads a contact and the current period. Returns `None` if the contact is not found.
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

/// Returns a claim to an idempotency key. `request` is the fingerprint that distinguishes requests under one key.
pub fn claim(account: AccountId, key: &str, request: u8, now: Timestamp) -> IdempotencyClaim {
    IdempotencyClaim::new(account, key, &[request; 32], now)
}

/// Asserts that the usage equals a full scan's count, that reads return the stored period, and that the cap is not
/// exceeded.
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
        "stored period against the period that reads return"
    );
    assert!(period.cap.is_none_or(|cap| period.marketing <= cap), "the usage exceeds the cap");
}

/// Creates `count` marketing contacts, eight at a time.
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

/// Returns the status outcome of a command that succeeded.
pub const fn done(outcome: Outcome) -> StatusOutcome {
    StatusOutcome::Done(outcome)
}
