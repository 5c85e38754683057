//! Merging contacts, and changing data together with the marketing state.

use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::decision::{Command, Refusal};
use domain::ids::{AccountId, ContactId};
use domain::marketing::EffectiveState;
use domain::patch::Patch;
use domain::period::{Period, Terms};
use domain::property::PropertyName;
use futures_util::future::join_all;
use store::{MergeContacts, Refused, Responder, Store, StoreError, UpdateContact};
use testkit::{TestTable, at, property, terms};

use super::{START, Told, UPDATE, assert_exact, by_hand, change_address, create, delete, read, user};

/// Changes the city of a contact, with a command for its state.
async fn change(
    store: &Store,
    account: AccountId,
    contact: ContactId,
    status: Option<Command>,
    city: &str,
) -> Result<(Contact, Period), StoreError> {
    let properties: [(PropertyName, Option<String>); 1] = [property("city", city)];
    let request = UpdateContact {
        account,
        contact,
        email: Patch::Keep,
        properties: &properties,
        unsubscribed: None,
        bounced: None,
        status,
        if_match: None,
        source: by_hand(),
        actor: user(),
    };
    let told = Told::new();
    store.update_contact(&request, at(START), Responder::new(None, &told.render())).await?;
    Ok(told.take())
}

async fn merge(
    store: &Store,
    account: AccountId,
    primary: ContactId,
    other: ContactId,
    may_modify: bool,
) -> Result<(Contact, Period), StoreError> {
    let request = MergeContacts {
        account,
        primary,
        other,
        source: by_hand(),
        actor: user(),
        modify_marketing_contacts: may_modify,
    };
    let told = Told::new();
    store.merge_contacts(&request, at(START), Responder::new(None, &told.render())).await?;
    Ok(told.take())
}

#[tokio::test(start_paused = true)]
async fn data_and_state_change_together() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", false, at(START)).await;
    for (command, state, marketing, leaving) in [
        (Command::SetMarketing, EffectiveState::Marketing, 1, 0),
        (Command::SetNonMarketingPending, EffectiveState::Leaving, 1, 1),
        (Command::SetMarketing, EffectiveState::Marketing, 1, 0),
    ] {
        let (after, period) =
            change(&table.store, account, contact.id, Some(command), command.as_str()).await.unwrap();
        assert_eq!((after.state(), period.marketing, period.leaving), (state, marketing, leaving));
        assert_eq!(after.properties.get("city"), Some(command.as_str()));
        assert_exact(&table, account, at(START)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn refused_state_leaves_the_data_unchanged() {
    let table = TestTable::start().await;
    let account = table.account_with(Terms { cap: Some(1), ..terms() }, at(START)).await;
    create(&table.store, account, "ada@example.org", true, at(START)).await;
    let contact = create(&table.store, account, "grace@example.org", false, at(START)).await;
    let refused = change(&table.store, account, contact.id, Some(Command::SetMarketing), "Rome").await;
    let Err(StoreError::Refused(Refused::Status(Refusal::CapReached))) = refused else {
        panic!("the cap is reached")
    };
    assert_eq!(read(&table.store, account, contact.id, at(START)).await.unwrap().0, contact);
}

#[tokio::test]
async fn cap_holds_for_concurrent_updates() {
    let table = TestTable::start().await;
    let account = table.account_with(Terms { cap: Some(3), ..terms() }, at(START)).await;
    let mut contacts = Vec::new();
    for n in 0..8 {
        contacts.push(create(&table.store, account, &format!("p{n}@example.org"), false, at(START)).await.id);
    }
    let set = |contact| change(&table.store, account, contact, Some(Command::SetMarketing), "Rome");
    let done = join_all(contacts.into_iter().map(set)).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 3);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn merged_contact_has_the_data_of_both() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let primary = create(&table.store, account, "ada@example.org", false, at(START)).await.id;
    let other = create(&table.store, account, "countess@example.org", true, at(START)).await.id;
    change(&table.store, account, primary, None, "London").await.unwrap();
    change(&table.store, account, other, None, "Paris").await.unwrap();
    let refused = merge(&table.store, account, primary, other, false).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::MarketingPermission))));
    let (merged, period) = merge(&table.store, account, primary, other, true).await.unwrap();
    assert_eq!(merged.properties.get("city"), Some("London"));
    assert_eq!(merged.state(), EffectiveState::NonMarketing);
    assert_eq!((period.marketing, period.leaving), (1, 1), "the other one is billable until the update date");
    assert_exact(&table, account, at(START)).await;
    assert_eq!(read(&table.store, account, other, at(START)).await, None);
    for (one, two) in [(primary, primary), (primary, other), (other, primary)] {
        assert!(merge(&table.store, account, one, two, true).await.is_err());
    }
    assert_exact(&table, account, at(UPDATE)).await;
}

#[tokio::test(start_paused = true)]
async fn address_moves_to_a_merged_contact_without_one() {
    for marketing in [false, true] {
        let table = TestTable::start().await;
        let account = table.account(at(START)).await;
        let primary = create(&table.store, account, "ada@example.org", false, at(START)).await.id;
        let other = create(&table.store, account, "grace@example.org", marketing, at(START)).await.id;
        change_address(&table.store, account, primary, Patch::Remove, at(START)).await.unwrap();
        let (merged, _) = merge(&table.store, account, primary, other, true).await.unwrap();
        assert_eq!(merged.email.as_ref().map(EmailAddress::key), Some("grace@example.org"));
        assert_exact(&table, account, at(START)).await;
        // The address belongs to the merged contact, and is free after its deletion.
        let held = table.store.contact(
            account,
            store::ContactRef::Email(testkit::email("grace@example.org")),
            at(START),
        );
        assert_eq!(held.await.unwrap().0.id, primary, "{marketing}");
        delete(&table.store, account, primary, false, at(START)).await.unwrap();
        create(&table.store, account, "grace@example.org", false, at(START)).await;
    }
}
