//! Stored items of every version keep being read. A file of an old version is never edited.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::ids::AccountId;
use domain::marketing::State;
use domain::permission::{Caller, Role};
use domain::provider::Provider;
use serde_json::Value;
use store::{
    ContactRef, Due, FieldTarget, Form, FormCounts, Holder, MarketingEffect, RejectedContent, Store,
};
use testkit::{TABLE, TestTable, at, email};

const VERSION_1: &str = include_str!("../fixtures/items/v1.json");

#[tokio::test]
async fn items_of_version_1_are_read() {
    let table = TestTable::start().await;
    load(&table, VERSION_1).await;
    let store = &table.store;
    let account: AccountId = account_of(VERSION_1);
    let now = at("2026-12-05T00:00:00.000Z");

    let found = store.account(account, now).await.unwrap();
    assert_eq!((found.name.as_str(), found.period.number.number(), found.period.cap), ("Test", 2, Some(50)));
    assert_eq!((found.period.marketing, found.period.leaving), (2, 1));
    assert_eq!(store.accounts(now, None, 10).await.unwrap().items, [found]);
    let statements = store.statements(account, now, None, 10).await.unwrap().items;
    assert_eq!(statements.iter().map(|closed| (closed.marketing, closed.left)).collect::<Vec<_>>(), [(4, 2)]);

    for (address, state) in [
        ("ada@example.org", State::Marketing),
        ("grace@example.org", State::NonMarketing),
        ("edsger@example.org", State::Leaving),
    ] {
        let (contact, _) = store.contact(account, ContactRef::Email(email(address)), now).await.unwrap();
        assert_eq!(contact.state(), state, "{address}");
    }
    let ada = store.explain(account, ContactRef::Email(email("ada@example.org")), now).await.unwrap();
    assert_eq!(ada.contact.properties.get("firstname"), Some("Ada"));
    assert_eq!(ada.history.len(), 31, "the page of its history is read too");

    let users = store.users(account, None, 10).await.unwrap().items;
    assert_eq!(users.iter().map(|user| user.role).collect::<Vec<_>>(), [Role::Admin]);
    let tokens = store.tokens(account, None, 10).await.unwrap().items;
    assert!(
        tokens.iter().any(|token| matches!(token.holder, Holder::Integration { set_marketing: true, .. }))
    );
    let principal = store.authenticate("integration-digest").await.unwrap().unwrap();
    assert!(matches!(principal.caller, Caller::Integration { .. }) && principal.account == account);
    let forms = store.forms(account, None, 10).await.unwrap().items;
    assert_eq!(forms.len(), 2);
    assert_eq!((forms[0].provider, forms[0].set_marketing), (Provider::Native, Some(true)));
    let address = email("ada@example.org");
    let again = store::Submission {
        form: &forms[0],
        submission_id: Some("s-1"),
        email: &address,
        properties: &[],
        left_out: 0,
    };
    // A delivery of an older program was known by its id alone. Its repeat is applied once more, and sets nobody twice.
    let before = store.usage(account, now).await.unwrap().marketing;
    let submitted = store.submit(&again, now).await.unwrap();
    assert_eq!((submitted.marketing, submitted.duplicate), (MarketingEffect::Unchanged, false));
    assert_eq!(store.usage(account, now).await.unwrap().marketing, before);
    what_is_kept_of_a_form_is_read(&table, &forms[1]).await;
}

/// A form from elsewhere with all that stands beside it.
async fn what_is_kept_of_a_form_is_read(table: &TestTable, form: &Form) {
    let (store, now) = (&table.store, at("2026-12-05T00:00:00.000Z"));
    assert_eq!((form.provider, form.secrets.len(), form.set_marketing), (Provider::Typeform, 2, None));
    assert_eq!(form.field_map["captcha"], FieldTarget::Nothing);
    let report = store.form_report(form.account, form.id, now).await.unwrap();
    let counts = FormCounts { rejected: 2, set: 1, unchanged: 1, ..FormCounts::default() };
    assert_eq!((report.counts, report.budget.unwrap().used_today), (counts, 1));
    let rejected = store.rejected(form.account, form.id, now, None, 10).await.unwrap().items;
    let (mapped, answers): (Vec<_>, Vec<_>) =
        rejected.iter().partition(|rejected| matches!(rejected.content, RejectedContent::Person(_)));
    assert_eq!((mapped[0].errors.len(), answers[0].submission_id.as_deref()), (1, Some("s-2")));
    // What was accepted before a deployment is settled after it.
    let mut waiting = Vec::new();
    for shard in Store::due_shards() {
        let due = store.due(shard, at("2026-12-05T00:15:00.000Z"), None).await.unwrap().due;
        waiting.extend(due.into_iter().filter_map(|due| match due {
            Due::Inbox(task) => Some(task),
            Due::Period(_) | Due::Statement(..) => None,
        }));
    }
    let settled = store.settle_inbox(&waiting, now, || true).await;
    assert_eq!((waiting.len(), settled.settled), (1, 1));
    let hedy = ContactRef::Email(email("hedy@example.org"));
    let (hedy, _) = store.contact(form.account, hedy, now).await.unwrap();
    assert_eq!((hedy.state(), hedy.properties.get("plan")), (State::Marketing, Some("gold")));
}

fn account_of(items: &str) -> AccountId {
    let items: Vec<Value> = serde_json::from_str(items).unwrap();
    let account = items.iter().find(|item| item["entity"]["S"] == "account").expect("an account");
    account["id"]["S"].as_str().unwrap().parse().unwrap()
}

/// Puts items in DynamoDB's own JSON into the table.
async fn load(table: &TestTable, items: &str) {
    let items: Vec<HashMap<String, Value>> = serde_json::from_str(items).unwrap();
    for item in items {
        let item = item.iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
        table.client.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    }
}

fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    let text = || value.as_str().unwrap().to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "NULL" => AttributeValue::Null(value.as_bool().unwrap()),
        "NS" => AttributeValue::Ns(
            value.as_array().unwrap().iter().map(|number| number.as_str().unwrap().to_owned()).collect(),
        ),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute).collect()),
        "M" => AttributeValue::M(
            value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect(),
        ),
        kind => panic!("an attribute of kind {kind}"),
    }
}
