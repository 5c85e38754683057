//! A contact's history: every change is kept, however many there are.

use domain::Timestamp;
use domain::decision::Command;
use domain::limits::HISTORY_RECENT_MAX;
use domain::marketing::State;
use store::ContactRef;
use testkit::{TestTable, at};

use super::{START, create, set};

#[tokio::test]
async fn every_change_is_kept_in_order_far_beyond_what_stands_with_the_contact() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    let changes = HISTORY_RECENT_MAX * 4;
    for n in 0..changes {
        let command = if n % 2 == 0 { Command::SetNonMarketingPending } else { Command::SetMarketing };
        let now = Timestamp::from_millis(at(START).millis() + i64::try_from(n).unwrap() + 1);
        set(&table.store, account, command, &[contact.id], now).await.unwrap();
    }
    let explained = table.store.explain(account, ContactRef::Id(contact.id), at(START)).await.unwrap();
    assert_eq!(explained.history.len(), changes + 1);
    assert!(
        explained.history.windows(2).all(|pair| pair[0].at > pair[1].at && pair[0].from == Some(pair[1].to))
    );
    assert_eq!(
        explained.history.last().map(|change| (change.from, change.to)),
        Some((None, State::Marketing))
    );
    assert!(explained.contact.marketing.history.recent.len() <= HISTORY_RECENT_MAX);
}
