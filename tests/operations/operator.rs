//! The operator's operations on accounts: listing them and changing the terms of their contracts.

use std::time::Duration;

use domain::calendar::{Term, parse_date};
use domain::decision::Command;
use domain::ids::AccountId;
use domain::patch::Patch;
use domain::period::Terms;
use domain::tier::Tier;
use futures_util::future::join;
use store::{Account, ChangedBy, Refused, Responder, StoreError, UpdateAccount};
use testkit::{Conflicts, Fault, TestTable, at, terms};

use super::{START, Told, UPDATE, create, set};

async fn change(
    table: &TestTable,
    account: AccountId,
    change: &UpdateAccount,
) -> Result<Account, StoreError> {
    let told = Told::new();
    let render = told.render();
    table.store.update_account(account, change, at(START), Responder::new(None, &render)).await?;
    Ok(told.take())
}

/// Returns one update for each term of a contract, with the field's name.
fn each_term() -> [(&'static str, UpdateAccount); 6] {
    let nothing = UpdateAccount::default;
    [
        ("term", UpdateAccount { term: Some(Term::Monthly), ..nothing() }),
        ("renewal_date", UpdateAccount { renewal_date: parse_date("2026-05-11").ok(), ..nothing() }),
        ("time_zone", UpdateAccount { time_zone: "Asia/Tokyo".parse().ok(), ..nothing() }),
        ("tier", UpdateAccount { tier: Tier::new(2000, 500).ok(), ..nothing() }),
        ("tier_limit_at_renewal", UpdateAccount { tier_limit_at_renewal: Patch::Remove, ..nothing() }),
        ("marketing_contacts", UpdateAccount { marketing_contacts: Some(true), ..nothing() }),
    ]
}

#[tokio::test(start_paused = true)]
async fn terms_of_a_contract_are_refused_to_an_admin() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let before = table.store.account(account, at(START)).await.unwrap();
    for (field, term) in each_term() {
        let refused = change(&table, account, &term).await;
        let Err(StoreError::Refused(Refused::OperatorsTerms { fields })) = refused else { panic!("{field}") };
        assert_eq!(fields, [field]);
    }
    let cap = UpdateAccount { cap: Patch::Set(1), name: Some("Ada".to_owned()), ..UpdateAccount::default() };
    let both = UpdateAccount { term: Some(Term::Monthly), ..cap.clone() };
    assert!(change(&table, account, &both).await.is_err());
    assert_eq!(
        table.store.account(account, at(START)).await.unwrap(),
        before,
        "a refused update changes nothing"
    );
    assert_eq!(change(&table, account, &cap).await.unwrap().period.cap, Some(1));
}

#[tokio::test(start_paused = true)]
async fn terms_change_by_the_operator_or_by_a_sandbox_admin() {
    let table = TestTable::start().await;
    let ordinary = table.account(at(START)).await;
    let test_clock = Some(at(START));
    let sandbox = table.account_with(Terms { test_clock, ..terms() }, at(START)).await;
    for (account, by) in [(ordinary, ChangedBy::Operator), (sandbox, ChangedBy::Admin)] {
        for (field, term) in each_term() {
            let changed = change(&table, account, &UpdateAccount { by, ..term }).await;
            assert!(changed.is_ok(), "{field} {by:?}");
        }
        let period = table.store.usage(account, at(START)).await.unwrap();
        assert_eq!(period.calendar.term, Term::Monthly);
        assert_eq!(
            (period.ends_at, period.tier),
            (at("2026-11-10T15:00:00.000Z"), Tier::new(2000, 500).unwrap())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn changed_tier_never_lowers_the_current_limit() {
    let table = TestTable::start().await;
    let tier = Tier::new(1, 10).unwrap();
    let account = table.account_with(Terms { tier, ..terms() }, at(START)).await;
    super::marketing_contacts(&table.store, account, 3, at(START)).await;
    let by = ChangedBy::Operator;
    let to = |included, block| UpdateAccount {
        by,
        tier: Tier::new(included, block).ok(),
        ..UpdateAccount::default()
    };
    for ((included, block), limit) in [((2, 1), 11), ((0, 4), 12), ((20, 5), 20), ((5, 5), 20)] {
        let tier = change(&table, account, &to(included, block)).await.unwrap().period.tier;
        assert_eq!((tier.included, tier.block, tier.limit_for(3)), (included, block, limit));
        let read = table.store.usage(account, at(START)).await.unwrap().tier;
        assert_eq!(read, tier);
    }
    let renewal = UpdateAccount { by, tier_limit_at_renewal: Patch::Set(10), ..UpdateAccount::default() };
    assert_eq!(change(&table, account, &renewal).await.unwrap().period.tier.limit_at_renewal, Some(10));
    // The stored limit at renewal does not fit the new tier, unless the update sets another limit too.
    let refused = change(&table, account, &to(7, 7)).await;
    let field = "tier_limit_at_renewal";
    assert!(
        matches!(refused, Err(StoreError::Refused(Refused::Invalid { field: found, .. })) if found == field)
    );
    let both = UpdateAccount { tier_limit_at_renewal: Patch::Set(14), ..to(7, 7) };
    let tier = change(&table, account, &both).await.unwrap().period.tier;
    assert_eq!((tier.limit, tier.limit_at_renewal), (21, Some(14)));
}

/// The update is decided on one contact. Before it is written, two more raise the limit in force.
#[tokio::test(start_paused = true)]
async fn terms_decided_below_the_limit_in_force_are_not_stored() {
    let tier = Tier::new(1, 10).unwrap();
    for (to, limit) in [(tier, 11), (Tier::new(2, 5).unwrap(), 12)] {
        // The first two transactions create the account and a contact.
        let faults = Conflicts::with_plan(Duration::ZERO, |operation, before| {
            (operation == "TransactWriteItems" && before == 2).then_some(Fault::Held)
        });
        let table = TestTable::with_faults(&faults).await;
        let account = table.account_with(Terms { tier, ..terms() }, at(START)).await;
        super::marketing_contacts(&table.store, account, 1, at(START)).await;
        let update = UpdateAccount { by: ChangedBy::Operator, tier: Some(to), ..UpdateAccount::default() };
        let raise = async {
            faults.until_held().await;
            create(&table.store, account, "ada@example.org", true, at(START)).await;
            create(&table.store, account, "bob@example.org", true, at(START)).await;
            faults.release();
        };
        let (updated, ()) = join(change(&table, account, &update), raise).await;

        let answered = updated.unwrap().period;
        let stored = table.store.usage(account, at(START)).await.unwrap();
        assert_eq!((answered.marketing, answered.tier), (3, stored.tier));
        assert_eq!((stored.tier.included, stored.tier.limit), (to.included, limit));
    }
}

#[tokio::test(start_paused = true)]
async fn accounts_are_listed_in_pages_in_creation_order() {
    let table = TestTable::start().await;
    assert!(table.store.accounts(at(START), None, 10).await.unwrap().items.is_empty());
    let mut made = Vec::new();
    for second in 0..5 {
        made.push(table.account(at(&format!("2026-11-10T12:00:0{second}.000Z"))).await);
    }
    let now = at("2026-11-10T12:01:00.000Z");
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = table.store.accounts(now, after, 2).await.unwrap();
        listed.extend(page.items.iter().map(|account| account.id));
        after = listed.last().copied();
        if !page.more {
            break;
        }
    }
    assert_eq!(listed, made);
}

#[tokio::test(start_paused = true)]
async fn listed_account_equals_its_own_read() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await.id;
    set(&table.store, account, Command::SetNonMarketingPending, &[contact], at(START)).await.unwrap();
    for now in [START, UPDATE, "2031-05-05T00:00:00.000Z"] {
        table.recorder.reset();
        let listed = table.store.accounts(at(now), None, 10).await.unwrap().items;
        // The list closes no period.
        assert_eq!(table.recorder.calls().get("TransactWriteItems"), None);
        assert_eq!(listed, [table.store.account(account, at(now)).await.unwrap()], "{now}");
    }
}
