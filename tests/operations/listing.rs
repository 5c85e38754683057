//! Lists and searches of contacts over the sixteen buckets.

use std::collections::BTreeSet;

use domain::contact::Contact;
use domain::decision::Command;
use domain::filter::{Condition, Filter};
use domain::ids::{AccountId, ContactId};
use domain::limits::SEARCH_EXAMINED_MAX;
use domain::marketing::EffectiveState;
use store::{Search, Store};
use testkit::{TestTable, at};

use super::{START, UPDATE, create, marketing_contacts, set};

/// Reads all pages and returns the ids and the number of pages.
async fn all(
    store: &Store,
    account: AccountId,
    filter: Option<&Filter>,
    limit: usize,
    now: &str,
) -> (Vec<ContactId>, usize) {
    let (mut ids, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = store.search(Search { account, filter, after, limit }, at(now)).await.unwrap();
        assert!(page.contacts.len() <= limit);
        ids.extend(page.contacts.iter().map(|contact: &Contact| contact.id));
        pages += 1;
        after = page.next;
        if after.is_none() {
            return (ids, pages);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pages_of_any_size_list_each_contact_once_in_order() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let made: BTreeSet<ContactId> =
        marketing_contacts(&table.store, account, 150, at(START)).await.into_iter().collect();
    let made: Vec<ContactId> = made.into_iter().collect();
    for limit in [1, 7, 16, 100, 149, 150, 151, 1_000] {
        let (ids, pages) = all(&table.store, account, None, limit, START).await;
        assert_eq!(ids, made, "pages of {limit}");
        assert_eq!(pages, 150_usize.div_ceil(limit), "no empty page at the end");
    }
}

#[tokio::test(start_paused = true)]
async fn search_uses_the_current_states() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 30, at(START)).await;
    set(&table.store, account, Command::SetNonMarketingPending, &ids[..10], at(START)).await.unwrap();
    create(&table.store, account, "free@example.org", false, at(START)).await;
    let filter = |name: &str, value: &str| {
        Filter::new(vec![vec![Condition::new(name, "EQ", Some(value), None, None).unwrap()]]).unwrap()
    };
    let count = async |filter: &Filter, now| all(&table.store, account, Some(filter), 7, now).await.0.len();
    let billable = filter("hs_marketable_status", "true");
    let leaving = filter("hs_marketable_until_renewal", "true");
    let by_email = filter("email", "PERSON7@example.org");
    assert_eq!((count(&billable, START).await, count(&leaving, START).await), (30, 10));
    assert_eq!((count(&billable, UPDATE).await, count(&leaving, UPDATE).await), (20, 0));
    assert_eq!(count(&by_email, UPDATE).await, 1);
}

/// A page ends after [`SEARCH_EXAMINED_MAX`] examined contacts, so that a search in a large account responds in bounded
/// time.
#[tokio::test(flavor = "multi_thread")]
async fn search_with_few_matches_ends_its_page_and_resumes() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let more = SEARCH_EXAMINED_MAX as u64 + 4_000;
    let ids = testkit::seed(&table, account, more, EffectiveState::NonMarketing, at(START)).await;
    let wanted = *ids.last().unwrap();
    set(&table.store, account, Command::SetMarketing, &[wanted], at(START)).await.unwrap();
    let condition = Condition::new("hs_marketable_status", "EQ", Some("true"), None, None).unwrap();
    let filter = Filter::new(vec![vec![condition]]).unwrap();
    let search = Search { account, filter: Some(&filter), after: None, limit: 10 };
    let first = table.store.search(search, at(START)).await.unwrap();
    assert_eq!((first.contacts.len(), first.next), (0, Some(ids[SEARCH_EXAMINED_MAX - 1])));
    let rest = table.store.search(Search { after: first.next, ..search }, at(START)).await.unwrap();
    let found: Vec<ContactId> = rest.contacts.iter().map(|contact| contact.id).collect();
    assert_eq!((found, rest.next), (vec![wanted], None));
}

/// A page is read from all buckets concurrently, and only as far as it needs.
#[tokio::test(start_paused = true)]
async fn short_page_of_a_long_list_queries_each_bucket_about_once() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, 500, EffectiveState::NonMarketing, at(START)).await;
    table.recorder.reset();
    let search = Search { account, filter: None, after: None, limit: 20 };
    assert_eq!(table.store.search(search, at(START)).await.unwrap().contacts.len(), 20);
    let queries = table.recorder.calls()["Query"];
    // A bucket with more of the first twenty than its first query requested is queried once more.
    // Reading every contact would take about a hundred queries.
    assert!((16..=20).contains(&queries), "{queries}");
}

#[tokio::test(start_paused = true)]
async fn empty_account_has_one_empty_page() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    assert_eq!(all(&table.store, account, None, 10, START).await, (Vec::new(), 1));
}
