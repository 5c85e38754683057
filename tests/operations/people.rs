//! Operations on accounts, users and tokens.

use std::collections::BTreeMap;

use domain::decision::Outcome;
use domain::ids::{AccountId, UserId};
use domain::patch::Patch;
use domain::permission::{PrincipalKind, Role};
use domain::source::{Intake, Source, SourceType};
use futures_util::future::join_all;
use store::{
    Account, ChangedBy, NewTokenOwner, NewUser, Refused, Responder, SaveContact, SaveMode, Saved, StoreError,
    Token, UpdateAccount, UpdateUser, User,
};
use testkit::{TestTable, at, terms};

use super::{START, Told, assert_exact, create, saving};

async fn add_admin(table: &TestTable, account: AccountId) -> User {
    let new = NewUser {
        name: "Grace".to_owned(),
        email: "grace@example.org".to_owned(),
        role: Role::Admin,
        modify_marketing_contacts: true,
    };
    let told = Told::new();
    table.store.create_user(account, &new, at(START), Responder::new(None, &told.render())).await.unwrap();
    told.take()
}

async fn add_token(table: &TestTable, account: AccountId, user: UserId) {
    let told = Told::<Token>::new();
    let (holder, render) = (NewTokenOwner::User(user), told.render());
    let digest = format!("token of {user}");
    table
        .store
        .create_token(account, &holder, &digest, at(START), Responder::new(None, &render))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_demotions_leave_one_admin() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    for _ in 0..4 {
        let admin = add_admin(&table, account).await;
        add_token(&table, account, admin.id).await;
    }
    let admins = table.store.users(account, None, 10).await.unwrap().items;
    assert_eq!(admins.len(), 5);
    let store = &table.store;
    let stepping_down = admins.iter().map(|user| async move {
        let change = UpdateUser { role: Some(Role::Member), ..UpdateUser::default() };
        let told = Told::new();
        store.update_user(account, user.id, &change, at(START), Responder::new(None, &told.render())).await
    });
    let refused = join_all(stepping_down).await.into_iter().filter(|result| match result {
        Ok(_) => false,
        Err(StoreError::Refused(Refused::LastAdmin)) => true,
        Err(error) => panic!("{error}"),
    });
    assert_eq!(refused.count(), 1);
    let admins = table.store.users(account, None, 10).await.unwrap().items;
    assert_eq!(admins.iter().filter(|user| user.role == Role::Admin).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn promoted_member_counts_as_an_admin() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let second = add_admin(&table, account).await.id;
    add_token(&table, account, second).await;
    let first = table.store.users(account, None, 10).await.unwrap().items;
    let first = first.iter().map(|user| user.id).find(|id| *id != second).unwrap();
    let set_role = async |user, role| {
        let change = UpdateUser { role: Some(role), ..UpdateUser::default() };
        let told = Told::<User>::new();
        let render = told.render();
        let responder = Responder::new(None, &render);
        table.store.update_user(account, user, &change, at(START), responder).await.map(drop)
    };
    set_role(second, Role::Member).await.unwrap();
    assert!(matches!(set_role(first, Role::Member).await, Err(StoreError::Refused(Refused::LastAdmin))));
    set_role(second, Role::Admin).await.unwrap();
    set_role(first, Role::Member).await.unwrap();
    assert!(matches!(set_role(second, Role::Member).await, Err(StoreError::Refused(Refused::LastAdmin))));
}

#[tokio::test(start_paused = true)]
async fn token_works_until_it_is_deleted() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let holder = NewTokenOwner::Integration {
        name: "Shop".to_owned(),
        set_marketing: true,
        modify_marketing_contacts: false,
    };
    let told = Told::new();
    let render = told.render();
    let responder = Responder::new(None, &render);
    table.store.create_token(account, &holder, "digest", at(START), responder).await.unwrap();
    let token = told.take();
    let principal = table.store.authenticate("digest").await.unwrap().expect("a principal");
    assert_eq!((principal.account, principal.modify_marketing_contacts), (account, false));
    assert!(matches!(principal.caller, PrincipalKind::Integration { set_marketing: true, .. }));
    let told = Told::new();
    table
        .store
        .delete_token(account, token.id, at(START), Responder::new(None, &told.render()))
        .await
        .unwrap();
    assert_eq!(table.store.authenticate("digest").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn marketing_contacts_in_use_cannot_be_switched_off() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    create(&table.store, account, "ada@example.org", true, at(START)).await;
    let change = UpdateAccount {
        by: ChangedBy::Operator,
        marketing_contacts: Some(false),
        ..UpdateAccount::default()
    };
    let told = Told::new();
    let refused =
        table.store.update_account(account, &change, at(START), Responder::new(None, &told.render())).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::MarketingContactsInUse { marketing: 1 }))));
}

#[tokio::test(start_paused = true)]
async fn cap_below_the_usage_removes_none_and_refuses_new_contacts() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    super::marketing_contacts(&table.store, account, 3, at(START)).await;
    let change = UpdateAccount { cap: Patch::Set(2), ..UpdateAccount::default() };
    let told = Told::new();
    table
        .store
        .update_account(account, &change, at(START), Responder::new(None, &told.render()))
        .await
        .unwrap();
    assert_eq!(told.take().period.cap, Some(2));
    let late = create(&table.store, account, "late@example.org", true, at(START)).await;
    assert!(!late.state().is_billable());
    let usage = table.store.usage(account, at(START)).await.unwrap();
    assert_eq!((usage.marketing, usage.remaining_capacity()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn new_calendar_moves_the_period_end_and_leaving_contacts() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    let queue = domain::decision::Command::SetNonMarketingPending;
    super::set(&table.store, account, queue, &[contact.id], at(START)).await.unwrap();
    let change = UpdateAccount {
        by: ChangedBy::Operator,
        term: Some(domain::calendar::Term::Monthly),
        renewal_date: domain::calendar::parse_date("2026-01-20").ok(),
        ..UpdateAccount::default()
    };
    let told = Told::new();
    table
        .store
        .update_account(account, &change, at(START), Responder::new(None, &told.render()))
        .await
        .unwrap();
    let period = told.take().period;
    assert_eq!(period.ends_at, at("2026-11-20T00:00:00.000Z"));
    let usage = |now| table.store.usage(account, at(now));
    assert_eq!(usage("2026-11-19T23:59:59.999Z").await.unwrap().marketing, 1);
    assert_eq!(usage("2026-11-20T00:00:00.000Z").await.unwrap().marketing, 0);
}

#[tokio::test(start_paused = true)]
async fn sandbox_follows_its_own_clock_only() {
    let table = TestTable::start().await;
    let test_clock = Some(at("2030-05-10T00:00:00.000Z"));
    let account = table.account_with(domain::period::Terms { test_clock, ..terms() }, at(START)).await;
    let move_to = async |to: &str| {
        let told = Told::new();
        let render = told.render();
        let responder = Responder::new(None, &render);
        table.store.advance_test_clock(account, at(to), at(START), responder).await.map(|_| told.take())
    };
    assert_eq!(table.store.usage(account, at("2040-01-01T00:00:00.000Z")).await.unwrap().number.number(), 1);
    let moved = move_to("2030-07-15T00:00:00.000Z").await.unwrap();
    assert_eq!(
        (moved.period.number.number(), moved.period.test_clock),
        (3, Some(at("2030-07-15T00:00:00.000Z")))
    );
    assert!(matches!(
        move_to("2030-07-14T23:59:59.999Z").await,
        Err(StoreError::Refused(Refused::ClockNotForward { .. }))
    ));
    let ordinary = table.account(at(START)).await;
    let told = Told::new();
    let render = told.render();
    let responder = Responder::new(None, &render);
    let refused = table.store.advance_test_clock(ordinary, at(UPDATE_LATER), at(START), responder).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::NotASandbox))));
}

const UPDATE_LATER: &str = "2027-01-01T00:00:00.000Z";

#[tokio::test(start_paused = true)]
async fn chatflow_follows_the_accounts_marketing_default() {
    let table = TestTable::start().await;
    let (store, account) = (&table.store, table.account(at(START)).await);
    let change = UpdateAccount {
        chatflow: Some(true),
        chatflows: Some(BTreeMap::from([("quiet".to_owned(), false)])),
        ..UpdateAccount::default()
    };
    let told = Told::<Account>::new();
    store.update_account(account, &change, at(START), Responder::new(None, &told.render())).await.unwrap();
    for (flow, status) in
        [(None, Some(Ok(Outcome::Set))), (Some("loud"), Some(Ok(Outcome::Set))), (Some("quiet"), None)]
    {
        let told = Told::<Saved>::new();
        let request = SaveContact {
            mode: SaveMode::Create,
            intake: Intake::Chatflow { set_marketing: false },
            source: Source {
                kind: SourceType::Chatflow,
                name: "Chat".to_owned(),
                id: flow.map(str::to_owned),
            },
            ..saving(account, None, &[])
        };
        store.upsert_contact(&request, at(START), Responder::new(None, &told.render())).await.unwrap();
        assert_eq!(told.take().status, status, "{flow:?}");
    }
    assert_exact(&table, account, at(START)).await;
}
