//! Isolation of accounts: an account never reads or changes another account's data.

use domain::decision::Command;
use domain::ids::{TokenId, UserId};
use domain::patch::Patch;
use domain::provider::Provider;
use store::{
    ContactRef, NewForm, Refused, Responder, StatusOutcome, StoreError, UpdateContact, UpdateForm, UpdateUser,
};
use testkit::{TestTable, at, email};

use super::{START, Told, by_hand, create, delete, outcomes, read, set, user};

fn is_not_found<T>(result: Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Refused(Refused::NotFound(_))))
}

#[tokio::test(start_paused = true)]
async fn another_accounts_contacts_are_not_found() {
    let table = TestTable::start().await;
    let (ours, theirs) = (table.account(at(START)).await, table.account(at(START)).await);
    let contact = create(&table.store, theirs, "ada@example.org", true, at(START)).await;
    let store = &table.store;

    assert!(read(store, ours, contact.id, at(START)).await.is_none());
    assert!(is_not_found(store.contact(ours, ContactRef::Email(email("ada@example.org")), at(START)).await));
    assert!(is_not_found(store.explain(ours, ContactRef::Id(contact.id), at(START)).await));
    assert!(is_not_found(delete(store, ours, contact.id, true, at(START)).await));
    let report = set(store, ours, Command::SetNonMarketingPending, &[contact.id], at(START)).await.unwrap();
    assert_eq!(outcomes(&report), [StatusOutcome::NotFound]);
    let change = UpdateContact {
        account: ours,
        contact: contact.id,
        email: Patch::Keep,
        properties: &[],
        unsubscribed: Some(true),
        bounced: None,
        status: None,
        if_match: None,
        source: by_hand(),
        actor: user(),
    };
    let told = Told::new();
    assert!(is_not_found(
        store.update_contact(&change, at(START), Responder::new(None, &told.render())).await
    ));
    let page = store::Search { account: ours, filter: None, after: None, limit: 10 };
    assert!(store.search(page, at(START)).await.unwrap().contacts.is_empty());
    // The same address is a separate contact in each account.
    let own = create(store, ours, "ada@example.org", false, at(START)).await;
    assert_ne!(own.id, contact.id);
    assert_eq!(read(store, theirs, contact.id, at(START)).await.unwrap().0, contact);
}

#[tokio::test(start_paused = true)]
async fn another_accounts_forms_users_and_tokens_are_not_found() {
    let table = TestTable::start().await;
    let (ours, theirs) = (table.account(at(START)).await, table.account(at(START)).await);
    let store = &table.store;
    let new = NewForm::new(Provider::Native, "Newsletter");
    let told = Told::new();
    store.create_form(theirs, &new, at(START), Responder::new(None, &told.render())).await.unwrap();
    let form = told.take();
    super::rejected::reject(store, &form, None, "{}").await;
    assert!(is_not_found(store.form(ours, form.id).await));
    assert!(is_not_found(store.form_report(ours, form.id, at(START)).await));
    assert!(store.rejected(ours, form.id, at(START), None, 10).await.unwrap().items.is_empty());
    let told = Told::new();
    let render = told.render();
    let responder = Responder::new(None, &render);
    assert!(is_not_found(
        store.update_form(ours, form.id, &UpdateForm::default(), true, at(START), responder).await
    ));
    let told = Told::new();
    assert!(is_not_found(
        store.delete_form(ours, form.id, at(START), Responder::new(None, &told.render())).await
    ));
    assert!(store.forms(ours, None, 10).await.unwrap().items.is_empty());

    let user: UserId = store.users(theirs, None, 10).await.unwrap().items[0].id;
    let token: TokenId = store.tokens(theirs, None, 10).await.unwrap().items[0].id;
    let told = Told::new();
    let render = told.render();
    let responder = Responder::new(None, &render);
    assert!(is_not_found(store.update_user(ours, user, &UpdateUser::default(), at(START), responder).await));
    let told = Told::new();
    assert!(is_not_found(
        store.delete_token(ours, token, at(START), Responder::new(None, &told.render())).await
    ));
}

#[tokio::test(start_paused = true)]
async fn idempotency_keys_are_separate_for_each_account() {
    let table = TestTable::start().await;
    for account in [table.account(at(START)).await, table.account(at(START)).await] {
        let contact = create(&table.store, account, "ada@example.org", false, at(START)).await;
        let claim = super::claim(account, "k", 1, at(START));
        let told = Told::new();
        let render = told.render();
        let responder = Responder::new(Some(&claim), &render);
        let contacts = [ContactRef::Id(contact.id)];
        super::set_status(&table.store, account, Command::SetMarketing, &contacts, at(START), responder)
            .await
            .unwrap();
        assert_eq!(told.take().period.marketing, 1, "the command is applied to this account");
    }
}
