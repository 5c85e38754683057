//! Limits on an account's forms, users and tokens, and the rule that one admin always has a token.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::ids::{AccountId, TokenId, UserId};
use domain::limits::{FORMS_MAX, TOKENS_MAX, USERS_MAX};
use domain::permission::Role;
use domain::provider::Provider;
use futures_util::future::join_all;
use store::{
    Account, AdminToken, Form, NewForm, NewTokenOwner, NewUser, Refused, Responder, StoreError, Token,
    TokenOwner, UpdateAccount, UpdateUser, User,
};
use testkit::{Conflicts, TABLE, TestTable, at};

use super::{START, Told, claim};

type Item = HashMap<String, AttributeValue>;

/// Starts a table with one account, whose transactions stay in flight for 1 ms so that they conflict.
async fn busy_table() -> (TestTable, AccountId) {
    let faults = Conflicts::new(Duration::from_millis(1));
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    (table, account)
}

async fn add_form(table: &TestTable, account: AccountId) -> Result<Form, StoreError> {
    let told = Told::new();
    let (new, render) = (NewForm::new(Provider::Native, "Newsletter"), told.render());
    table.store.create_form(account, &new, at(START), Responder::new(None, &render)).await?;
    Ok(told.take())
}

async fn add_user(table: &TestTable, account: AccountId, role: Role) -> Result<User, StoreError> {
    let (name, email) = ("Grace".to_owned(), "grace@example.org".to_owned());
    let new = NewUser { name, email, role, modify_marketing_contacts: true };
    let told = Told::new();
    let render = told.render();
    table.store.create_user(account, &new, at(START), Responder::new(None, &render)).await?;
    Ok(told.take())
}

async fn add_token(
    table: &TestTable,
    account: AccountId,
    holder: NewTokenOwner,
) -> Result<Token, StoreError> {
    let digest = format!("{:064x}", table.store.rng().bits());
    let told = Told::new();
    let render = told.render();
    table.store.create_token(account, &holder, &digest, at(START), Responder::new(None, &render)).await?;
    Ok(told.take())
}

async fn delete_token(table: &TestTable, account: AccountId, token: TokenId) -> Result<(), StoreError> {
    let told = Told::new();
    let render = told.render();
    table.store.delete_token(account, token, at(START), Responder::new(None, &render)).await.map(drop)
}

async fn set_role(table: &TestTable, account: AccountId, user: UserId, role: Role) -> Result<(), StoreError> {
    let change = UpdateUser { role: Some(role), ..UpdateUser::default() };
    let told = Told::<User>::new();
    let render = told.render();
    table.store.update_user(account, user, &change, at(START), Responder::new(None, &render)).await.map(drop)
}

async fn rename(table: &TestTable, account: AccountId) -> Result<(), StoreError> {
    let change = UpdateAccount { name: Some("Ada & Co".to_owned()), ..UpdateAccount::default() };
    let told = Told::<Account>::new();
    let render = told.render();
    table.store.update_account(account, &change, at(START), Responder::new(None, &render)).await.map(drop)
}

async fn admins_token(table: &TestTable, account: AccountId, digest: &str) -> Result<AdminToken, StoreError> {
    let told = Told::new();
    let render = told.render();
    table.store.create_admin_token(account, digest, at(START), Responder::new(None, &render)).await?;
    Ok(told.take())
}

fn integration() -> NewTokenOwner {
    NewTokenOwner::Integration {
        name: "Shop".to_owned(),
        set_marketing: false,
        modify_marketing_contacts: false,
    }
}

fn is_last_admin<T>(result: &Result<T, StoreError>) -> bool {
    match result {
        Ok(_) => false,
        Err(StoreError::Refused(Refused::LastAdmin)) => true,
        Err(error) => panic!("{error}"),
    }
}

fn is_limit<T>(result: &Result<T, StoreError>, expected: &'static str) -> bool {
    match result {
        Ok(_) => false,
        Err(StoreError::Refused(Refused::LimitReached { what, .. })) => *what == expected,
        Err(error) => panic!("{error}"),
    }
}

/// Returns the items of the account's partition by sort key.
async fn partition(table: &TestTable, account: AccountId) -> BTreeMap<String, Item> {
    let pk = AttributeValue::S(format!("ACCOUNT#{account}"));
    let query = table.client.query().table_name(TABLE).key_condition_expression("pk = :pk");
    let items = query.expression_attribute_values(":pk", pk).into_paginator().items().send();
    let items = items.collect::<Result<Vec<Item>, _>>().await.unwrap();
    items.into_iter().map(|item| (item["sk"].as_s().unwrap().clone(), item)).collect()
}

/// Sets or removes an attribute of one of the account's items, bypassing the store.
async fn overwrite(
    table: &TestTable,
    account: AccountId,
    sk: &str,
    path: &[&str],
    value: Option<AttributeValue>,
) {
    let key = |text: String| AttributeValue::S(text);
    let names = path.iter().map(|name| (format!("#{name}"), (*name).to_owned()));
    let path = path.iter().map(|name| format!("#{name}")).collect::<Vec<_>>().join(".");
    let update = if value.is_some() { format!("SET {path} = :value") } else { format!("REMOVE {path}") };
    let request = table.client.update_item().table_name(TABLE).update_expression(update);
    let request = request.key("pk", key(format!("ACCOUNT#{account}"))).key("sk", key(sk.to_owned()));
    let values = value.map(|value| HashMap::from([(":value".to_owned(), value)]));
    let request = request.set_expression_attribute_names(Some(names.collect()));
    request.set_expression_attribute_values(values).send().await.unwrap();
}

/// Sets the account's stored number of forms, users or tokens without creating them.
async fn set_holdings(table: &TestTable, account: AccountId, kind: &str, number: usize) {
    let value = AttributeValue::N(number.to_string());
    overwrite(table, account, "ACCOUNT", &["holdings", kind], Some(value)).await;
}

/// Asserts that the account's stored numbers equal a count of its items, and that an admin has a token.
async fn assert_counted(table: &TestTable, account: AccountId) {
    let items = partition(table, account).await;
    let of_kind = |prefix: &str| items.iter().filter(|(sk, _)| sk.starts_with(prefix)).count();
    let number = |value: &AttributeValue| value.as_n().unwrap().parse::<usize>().unwrap();
    let holdings = items["ACCOUNT"]["holdings"].as_m().unwrap();
    for (kind, prefix) in [("forms", "FORM#"), ("users", "USER#"), ("tokens", "TOKEN#")] {
        assert_eq!(number(&holdings[kind]), of_kind(prefix), "{kind}");
    }
    let admins: Vec<&str> = items
        .iter()
        .filter(|(sk, item)| sk.starts_with("USER#") && item["role"].as_s().unwrap() == "admin")
        .map(|(_, item)| item["id"].as_s().unwrap().as_str())
        .collect();
    assert_eq!(number(&items["ACCOUNT"]["admins"]), admins.len(), "admins");
    let is_admins = |item: &Item| {
        let user = item["holder"].as_m().unwrap().get("user").and_then(|user| user.as_s().ok());
        user.is_some_and(|user| admins.contains(&user.as_str()))
    };
    let tokens = items.iter().filter(|(sk, _)| sk.starts_with("TOKEN#"));
    assert!(tokens.into_iter().any(|(_, item)| is_admins(item)), "no admin has a token");
}

/// Returns the only user and the only token of a new account.
async fn first(table: &TestTable, account: AccountId) -> (UserId, TokenId) {
    let user = table.store.users(account, None, 10).await.unwrap().items[0].id;
    (user, table.store.tokens(account, None, 10).await.unwrap().items[0].id)
}

#[tokio::test(start_paused = true)]
async fn creation_at_the_limit_is_refused_until_a_deletion() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    set_holdings(&table, account, "forms", FORMS_MAX - 1).await;
    let form = add_form(&table, account).await.unwrap();
    assert!(is_limit(&add_form(&table, account).await, "forms"));
    let told = Told::new();
    let render = told.render();
    table.store.delete_form(account, form.id, at(START), Responder::new(None, &render)).await.unwrap();
    add_form(&table, account).await.unwrap();

    set_holdings(&table, account, "tokens", TOKENS_MAX - 1).await;
    let token = add_token(&table, account, integration()).await.unwrap();
    assert!(is_limit(&add_token(&table, account, integration()).await, "tokens"));
    delete_token(&table, account, token.id).await.unwrap();
    add_token(&table, account, integration()).await.unwrap();

    set_holdings(&table, account, "users", USERS_MAX - 1).await;
    add_user(&table, account, Role::Member).await.unwrap();
    assert!(is_limit(&add_user(&table, account, Role::Member).await, "users"));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_creations_never_exceed_a_limit() {
    let (table, account) = busy_table().await;
    for (kind, max) in [("forms", FORMS_MAX), ("users", USERS_MAX), ("tokens", TOKENS_MAX)] {
        set_holdings(&table, account, kind, max - 2).await;
    }
    let forms = join_all((0..6).map(|_| add_form(&table, account)));
    let users = join_all((0..6).map(|_| add_user(&table, account, Role::Member)));
    let tokens = join_all((0..6).map(|_| add_token(&table, account, integration())));
    let (forms, users, tokens) = tokio::join!(forms, users, tokens);
    assert_eq!(forms.iter().filter(|result| is_limit(result, "forms")).count(), 4);
    assert_eq!(users.iter().filter(|result| is_limit(result, "users")).count(), 4);
    assert_eq!(tokens.iter().filter(|result| is_limit(result, "tokens")).count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_changes_keep_the_holdings_exact() {
    let (table, account) = busy_table().await;
    let form = add_form(&table, account).await.unwrap();
    let shop = add_token(&table, account, integration()).await.unwrap();
    let member = add_user(&table, account, Role::Member).await.unwrap().id;
    let told = Told::new();
    let render = told.render();
    let delete_form = table.store.delete_form(account, form.id, at(START), Responder::new(None, &render));
    let (forms, users, tokens, deleted, promoted, renamed, deleted_form) = tokio::join!(
        join_all((0..2).map(|_| add_form(&table, account))),
        join_all((0..2).map(|_| add_user(&table, account, Role::Admin))),
        join_all((0..2).map(|_| add_token(&table, account, NewTokenOwner::User(member)))),
        delete_token(&table, account, shop.id),
        set_role(&table, account, member, Role::Admin),
        rename(&table, account),
        delete_form,
    );
    assert!(
        forms.iter().all(Result::is_ok)
            && users.iter().all(Result::is_ok)
            && tokens.iter().all(Result::is_ok)
    );
    assert!(deleted.is_ok() && promoted.is_ok() && renamed.is_ok() && deleted_form.is_ok());
    assert_counted(&table, account).await;
    assert_eq!(table.store.account(account, at(START)).await.unwrap().name, "Ada & Co");
}

#[tokio::test(start_paused = true)]
async fn repeated_creation_counts_once() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let claim = claim(account, "k", 1, at(START));
    for _ in 0..2 {
        let told = Told::<Form>::new();
        let render = told.render();
        let (new, responder) = (NewForm::new(Provider::Native, "A"), Responder::new(Some(&claim), &render));
        table.store.create_form(account, &new, at(START), responder).await.unwrap();
    }
    assert_counted(&table, account).await;
}

#[tokio::test(start_paused = true)]
async fn last_token_of_the_last_admin_cannot_be_deleted() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (admin, only) = first(&table, account).await;
    let member = add_user(&table, account, Role::Member).await.unwrap().id;
    let members = add_token(&table, account, NewTokenOwner::User(member)).await.unwrap().id;
    let shops = add_token(&table, account, integration()).await.unwrap().id;
    assert!(is_last_admin(&delete_token(&table, account, only).await));
    // Neither a member's token nor an integration's is admin access, so both may be deleted.
    delete_token(&table, account, shops).await.unwrap();
    delete_token(&table, account, members).await.unwrap();
    assert!(is_last_admin(&delete_token(&table, account, only).await));

    let second = add_token(&table, account, NewTokenOwner::User(admin)).await.unwrap().id;
    delete_token(&table, account, only).await.unwrap();
    assert!(is_last_admin(&delete_token(&table, account, second).await));
    assert_counted(&table, account).await;
}

#[tokio::test(start_paused = true)]
async fn last_admin_with_a_token_cannot_step_down() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (admin, only) = first(&table, account).await;
    let other = add_user(&table, account, Role::Admin).await.unwrap().id;
    assert!(is_last_admin(&set_role(&table, account, admin, Role::Member).await), "the other has no token");
    // An admin without a token has no access, so a demotion is allowed.
    set_role(&table, account, other, Role::Member).await.unwrap();
    set_role(&table, account, other, Role::Admin).await.unwrap();
    let others = add_token(&table, account, NewTokenOwner::User(other)).await.unwrap().id;
    set_role(&table, account, admin, Role::Member).await.unwrap();
    assert!(is_last_admin(&delete_token(&table, account, others).await), "the first user is a member now");
    delete_token(&table, account, only).await.unwrap();
    assert_counted(&table, account).await;
}

/// Removes both admins' access concurrently, by a demotion or by deleting the token. One removal must be refused.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_removal_of_both_admin_accesses_leaves_one() {
    for round in 0..6 {
        let (table, account) = busy_table().await;
        let (admin, only) = first(&table, account).await;
        let other = add_user(&table, account, Role::Admin).await.unwrap().id;
        let others = add_token(&table, account, NewTokenOwner::User(other)).await.unwrap().id;
        let lose = async |user, token, by_token: bool| {
            if by_token {
                delete_token(&table, account, token).await
            } else {
                set_role(&table, account, user, Role::Member).await
            }
        };
        let both = tokio::join!(lose(admin, only, round % 3 != 0), lose(other, others, round % 3 == 1));
        assert_ne!(is_last_admin(&both.0), is_last_admin(&both.1), "round {round}");
        assert_counted(&table, account).await;
    }
}

#[tokio::test(start_paused = true)]
async fn operators_token_belongs_to_the_first_admin() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (admin, _) = first(&table, account).await;
    let made = admins_token(&table, account, "digest").await.unwrap();
    assert_eq!(made.user, admin);
    let principal = table.store.authenticate("digest").await.unwrap().unwrap();
    assert!(principal.is_admin() && principal.account == account);
    let tokens = table.store.tokens(account, None, 10).await.unwrap().items;
    assert!(tokens.iter().any(|token| token.id == made.id && token.holder == TokenOwner::User(admin)));
    assert_counted(&table, account).await;
    let unknown = AccountId::new(at(START), 1);
    let refused = admins_token(&table, unknown, "other").await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::NotFound("account")))));
}

#[tokio::test(start_paused = true)]
async fn operators_token_ignores_the_token_limit() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    set_holdings(&table, account, "tokens", TOKENS_MAX).await;
    admins_token(&table, account, "digest").await.unwrap();
    assert!(table.store.authenticate("digest").await.unwrap().unwrap().is_admin());
    assert!(is_limit(&add_token(&table, account, integration()).await, "tokens"));
}

#[tokio::test(start_paused = true)]
async fn operators_token_creates_an_admin_if_none_is_left() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (only, _) = first(&table, account).await;
    let role = Some(AttributeValue::S("member".to_owned()));
    overwrite(&table, account, &format!("USER#{only}"), &["role"], role).await;
    overwrite(&table, account, "ACCOUNT", &["admins"], Some(AttributeValue::N("0".to_owned()))).await;
    let made = admins_token(&table, account, "digest").await.unwrap();
    assert_ne!(made.user, only, "the member must not become an admin");
    assert!(table.store.authenticate("digest").await.unwrap().unwrap().is_admin());
    assert_counted(&table, account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_token_is_an_admins_during_a_demotion() {
    for _ in 0..4 {
        let (table, account) = busy_table().await;
        let (admin, _) = first(&table, account).await;
        let other = add_user(&table, account, Role::Admin).await.unwrap().id;
        add_token(&table, account, NewTokenOwner::User(other)).await.unwrap();
        let (made, down) = tokio::join!(
            admins_token(&table, account, "digest"),
            set_role(&table, account, admin, Role::Member),
        );
        down.unwrap();
        let made = made.unwrap();
        // Either the demotion followed the token's creation, or the token belongs to the other admin.
        assert!(made.user == admin || made.user == other);
        assert_counted(&table, account).await;
    }
}
