//! Deleting and erasing a contact: the billable unit remains until the update date, the personal data does not.

use domain::decision::Command;
use domain::marketing::EffectiveState;
use domain::source::Intake;
use store::{ContactRef, Refused, Responder, SaveMode, StoreError};
use testkit::{TestTable, at, email};

use super::{START, UPDATE, assert_exact, create, delete, read, readdress, save, set};

#[tokio::test(start_paused = true)]
async fn deleted_contact_is_hidden_but_billable_until_update_date() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    delete(&table.store, account, contact.id, false, at(START)).await.unwrap();

    assert!(read(&table.store, account, contact.id, at(START)).await.is_none());
    let by_email = ContactRef::Email(email("ada@example.org"));
    assert!(matches!(
        table.store.contact(account, by_email, at(START)).await,
        Err(StoreError::Refused(Refused::NotFound("contact")))
    ));
    let usage = table.store.usage(account, at(START)).await.unwrap();
    assert_eq!((usage.marketing, usage.leaving), (1, 1));
    assert_exact(&table, account, at(START)).await;
    assert_eq!(table.store.usage(account, at(UPDATE)).await.unwrap().marketing, 0);
    assert_exact(&table, account, at(UPDATE)).await;
}

#[tokio::test(start_paused = true)]
async fn deleted_non_marketing_contact_leaves_no_items() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", false, at(START)).await;
    delete(&table.store, account, contact.id, false, at(START)).await.unwrap();
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.contacts, scan.addresses, scan.billable), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn recreated_address_reuses_its_deleted_contact() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    for (name, wanted, state, leaving) in [
        ("a@example.org", true, EffectiveState::Marketing, 0),
        ("b@example.org", false, EffectiveState::Leaving, 1),
    ] {
        let contact = create(&table.store, account, name, true, at(START)).await;
        delete(&table.store, account, contact.id, false, at(START)).await.unwrap();
        let before = table.store.usage(account, at(START)).await.unwrap().marketing;
        let intake = Intake::Manual { marketing: Some(wanted) };
        let saved = save(&table.store, account, name, SaveMode::Create, intake, at(START)).await.unwrap();
        assert!(saved.created);
        assert_eq!(saved.contact.state(), state, "only the update date lowers the usage");
        let usage = table.store.usage(account, at(START)).await.unwrap();
        assert_eq!((usage.marketing, usage.leaving), (before, leaving), "no second billable unit");
        assert_exact(&table, account, at(START)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn deleted_address_is_free_after_the_update_date() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    delete(&table.store, account, contact.id, false, at(START)).await.unwrap();
    let again = create(&table.store, account, "ada@example.org", false, at(UPDATE)).await;
    assert_ne!(again.id, contact.id);
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.contacts, scan.addresses, scan.billable), (1, 1, 0), "the old unit is deleted");
    assert_exact(&table, account, at(UPDATE)).await;
}

#[tokio::test(start_paused = true)]
async fn sweep_removes_deleted_contacts_and_their_addresses() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    delete(&table.store, account, contact.id, false, at(START)).await.unwrap();
    table.store.close_ended(account, at(UPDATE)).await.unwrap();
    for task in table.store.unswept(account, domain::period::PeriodNumber::FIRST).await.unwrap() {
        table.store.sweep(task, at(UPDATE), || true).await.unwrap();
    }
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.contacts, scan.addresses), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn erasure_removes_personal_data_and_keeps_the_billable_unit() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada.lovelace@example.org", true, at(START)).await;
    // A long history is stored in separate pages, which the erasure must delete too.
    for n in 0..40 {
        let command = if n % 2 == 0 { Command::SetNonMarketingPending } else { Command::SetMarketing };
        set(&table.store, account, command, &[contact.id], at(START)).await.unwrap();
    }
    delete(&table.store, account, contact.id, true, at(START)).await.unwrap();
    let items = table.client.scan().table_name(testkit::TABLE).send().await.unwrap().items.unwrap();
    assert!(!format!("{items:?}").to_lowercase().contains("lovelace"));
    assert!(!format!("{items:?}").contains("HISTORY#"));
    let usage = table.store.usage(account, at(START)).await.unwrap();
    assert_eq!((usage.marketing, usage.leaving), (1, 1));
    assert_exact(&table, account, at(START)).await;
    // The erased address is not stored anywhere, so it creates a new contact.
    create(&table.store, account, "ada.lovelace@example.org", true, at(START)).await;
    assert_eq!(table.store.usage(account, at(START)).await.unwrap().marketing, 2);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn deleted_contact_can_still_be_erased() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    delete(&table.store, account, contact.id, false, at(START)).await.unwrap();
    delete(&table.store, account, contact.id, true, at(START)).await.unwrap();
    assert_eq!(testkit::scan(&table.client, account).await.addresses, 0);
    assert_exact(&table, account, at(START)).await;
    let again = delete(&table.store, account, contact.id, false, at(START)).await;
    assert!(matches!(again, Err(StoreError::Refused(Refused::NotFound("contact")))));
}

#[tokio::test(start_paused = true)]
async fn deleted_contact_can_be_erased_after_leaving_before_sweep() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    delete(&table.store, account, contact.id, false, at(START)).await.unwrap();
    delete(&table.store, account, contact.id, true, at(UPDATE)).await.unwrap();
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.contacts, scan.addresses), (0, 0));
    assert_exact(&table, account, at(UPDATE)).await;
}

#[tokio::test(start_paused = true)]
async fn contact_can_use_a_deleted_contacts_address() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let deleted = create(&table.store, account, "ada@example.org", true, at(START)).await;
    let other = create(&table.store, account, "grace@example.org", true, at(START)).await;
    let refused = readdress(&table.store, account, other.id, "ada@example.org", at(START)).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::ContactExists(id))) if id == deleted.id));
    delete(&table.store, account, deleted.id, false, at(START)).await.unwrap();
    readdress(&table.store, account, other.id, "ada@example.org", at(START)).await.unwrap();
    let (found, _) =
        table.store.contact(account, ContactRef::Email(email("ada@example.org")), at(START)).await.unwrap();
    assert_eq!(found.id, other.id);
    assert_eq!(table.store.usage(account, at(START)).await.unwrap().marketing, 2);
    assert_exact(&table, account, at(START)).await;
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.contacts, scan.addresses), (2, 1), "the billable unit has no address any more");
}

#[tokio::test(start_paused = true)]
async fn contact_can_use_a_left_contacts_address_before_the_sweep() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let deleted = create(&table.store, account, "ada@example.org", true, at(START)).await;
    let other = create(&table.store, account, "grace@example.org", false, at(START)).await;
    delete(&table.store, account, deleted.id, false, at(START)).await.unwrap();
    readdress(&table.store, account, other.id, "ada@example.org", at(UPDATE)).await.unwrap();
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.contacts, scan.addresses, scan.billable), (1, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_claims_of_a_deleted_address_leave_one_owner() {
    for _ in 0..10 {
        let faults = testkit::Conflicts::new(std::time::Duration::from_millis(1));
        let table = TestTable::with_faults(&faults).await;
        let account = table.account(at(START)).await;
        let deleted = create(&table.store, account, "ada@example.org", true, at(START)).await;
        let other = create(&table.store, account, "grace@example.org", true, at(START)).await;
        delete(&table.store, account, deleted.id, false, at(START)).await.unwrap();
        let intake = Intake::Manual { marketing: Some(true) };
        let (readdressed, recreated) = tokio::join!(
            readdress(&table.store, account, other.id, "ada@example.org", at(START)),
            save(&table.store, account, "ada@example.org", SaveMode::Create, intake, at(START)),
        );
        assert_ne!(readdressed.is_ok(), recreated.is_ok(), "exactly one contact gets the address");
        let page = store::Search { account, filter: None, after: None, limit: 10 };
        let contacts = table.store.search(page, at(START)).await.unwrap().contacts;
        let owners = contacts
            .iter()
            .filter(|contact| contact.email.as_ref().is_some_and(|email| email.key() == "ada@example.org"));
        assert_eq!(owners.count(), 1);
        assert_exact(&table, account, at(START)).await;
    }
}

/// Checks that stored responses are encrypted: a response is stored for a day and contains personal data.
#[tokio::test(start_paused = true)]
async fn erasure_leaves_no_trace_in_stored_responses() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let addresses: Vec<_> = (0..100).map(|n| format!("lovelace{n}@example.org")).collect();
    let mut ids = Vec::new();
    for address in &addresses {
        ids.push(create(&table.store, account, address, true, at(START)).await.id);
    }
    // The request takes more than one transaction, so a part of the response is stored too.
    let contacts: Vec<ContactRef> = ids.iter().copied().map(ContactRef::Id).collect();
    let claim = super::claim(account, "kept", 1, at(START));
    let render = |report: &store::StatusReport| store::StoredResponse {
        status: 200,
        body: report.results.iter().filter_map(|result| result.email.clone()).collect::<Vec<_>>().join(" "),
        etag: None,
        location: None,
    };
    let queue = Command::SetNonMarketingPending;
    let send = || {
        let responder = Responder::new(Some(&claim), &render);
        super::set_status(&table.store, account, queue, &contacts, at(START), responder)
    };
    let first = send().await.unwrap();
    assert!(first.body.contains("lovelace"));
    for id in &ids {
        delete(&table.store, account, *id, true, at(START)).await.unwrap();
    }
    let items = table.client.scan().table_name(testkit::TABLE).send().await.unwrap().items.unwrap();
    assert!(!format!("{items:?}").contains("lovelace"));
    let blobs =
        items.iter().flat_map(std::collections::HashMap::values).filter_map(|value| value.as_b().ok());
    let blobs: Vec<_> = blobs.collect();
    assert_eq!(blobs.len(), 2, "the response and its first part");
    assert!(blobs.iter().all(|blob| !String::from_utf8_lossy(blob.as_ref()).contains("lovelace")));
    assert_eq!(send().await.unwrap(), first, "the caller still gets the stored response");
}
