//! Lists and searches of contacts over the sixteen buckets.

use std::cell::Cell;
use std::collections::BTreeSet;

use domain::contact::Contact;
use domain::decision::Command;
use domain::filter::{Condition, Direction, Filter, Sort};
use domain::ids::{AccountId, ContactId};
use domain::limits::SEARCH_EXAMINED_MAX;
use domain::marketing::EffectiveState;
use store::{Examined, Scan, ScannedPage, Search, Store};
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

fn only(name: &str, operator: &str, operands: &[String]) -> Filter {
    let first = operands.first().map(String::as_str);
    let condition = match operator {
        "IN" => Condition::new(name, operator, None, Some(operands), None),
        "BETWEEN" => Condition::new(name, operator, first, None, operands.get(1).map(String::as_str)),
        _ => Condition::new(name, operator, first, None, None),
    };
    Filter::new(vec![vec![condition.unwrap()]]).unwrap()
}

fn by(field: &str, direction: Direction) -> Sort {
    Sort { field: field.parse().unwrap(), direction }
}

/// Searches in the order of ids and returns the ids, the calls and the read units.
async fn cost_by_id(
    table: &TestTable,
    account: AccountId,
    filter: Option<&Filter>,
    direction: Direction,
    limit: usize,
) -> (Vec<ContactId>, Vec<(&'static str, u32)>, f64) {
    table.recorder.reset();
    let search = Search { account, filter, after: None, limit };
    let page = table.store.search_by_id(search, direction, at(START)).await.unwrap();
    let ids = page.contacts.iter().map(|contact| contact.id).collect();
    (ids, table.recorder.calls().into_iter().collect(), table.recorder.units().read)
}

/// The period is read before and after the contacts.
#[tokio::test(start_paused = true)]
async fn exact_address_or_id_is_read_by_key() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 150, at(START)).await;
    let address = only("email", "EQ", &["PERSON7@example.org".to_owned()]);
    let (found, calls, units) = cost_by_id(&table, account, Some(&address), Direction::Ascending, 100).await;
    assert_eq!(
        (found.len(), calls, units),
        (1, vec![("BatchGetItem", 4)], 4.0),
        "the address is one more read"
    );

    let id = only("hs_object_id", "EQ", &[ids[0].to_string()]);
    let (found, calls, units) = cost_by_id(&table, account, Some(&id), Direction::Ascending, 100).await;
    assert_eq!((found, calls, units), (vec![ids[0]], vec![("BatchGetItem", 3)], 3.0));

    let many: Vec<String> = ids.iter().take(100).map(ToString::to_string).collect();
    let many = only("hs_object_id", "IN", &many);
    let (found, calls, units) = cost_by_id(&table, account, Some(&many), Direction::Descending, 100).await;
    assert_eq!((found.len(), calls, units), (100, vec![("BatchGetItem", 3)], 102.0));
    assert!(found.is_sorted_by(|one, other| one > other));
    assert_eq!(table.recorder.inconsistent_reads(), std::collections::BTreeMap::new());
}

#[tokio::test(start_paused = true)]
async fn exact_ids_of_several_pages_are_read_once() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let mut ids = marketing_contacts(&table.store, account, 90, at(START)).await;
    ids.sort_unstable();
    let filter = only("hs_object_id", "IN", &ids.iter().map(ToString::to_string).collect::<Vec<_>>());
    for limit in [1, 7, 89, 90, 100] {
        let (found, pages) = all(&table.store, account, Some(&filter), limit, START).await;
        assert_eq!((found, pages), (ids.clone(), 90_usize.div_ceil(limit)), "pages of {limit}");
    }
}

/// Each bucket is queried once, from the first to the last contact of the range.
#[tokio::test(start_paused = true)]
async fn range_of_ids_reads_only_that_range() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = testkit::seed(&table, account, 3_000, EffectiveState::NonMarketing, at(START)).await;
    let range = only("hs_object_id", "BETWEEN", &[ids[1_000].to_string(), ids[1_015].to_string()]);
    for direction in [Direction::Ascending, Direction::Descending] {
        let (mut found, calls, units) = cost_by_id(&table, account, Some(&range), direction, 100).await;
        if direction == Direction::Descending {
            found.reverse();
        }
        assert_eq!(found, ids[1_000..=1_015]);
        assert_eq!(calls, [("BatchGetItem", 2), ("Query", 16)]);
        // The period twice, and at most 4 KB of each bucket.
        assert!((units - 18.0).abs() < f64::EPSILON, "{units}");
    }
    let nothing = only("hs_object_id", "LT", &[ids[0].to_string()]);
    let (found, calls, _) = cost_by_id(&table, account, Some(&nothing), Direction::Ascending, 100).await;
    assert_eq!((found, calls), (vec![], vec![("BatchGetItem", 2), ("Query", 16)]));
}

#[tokio::test(start_paused = true)]
async fn pages_of_a_range_continue_within_it() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = testkit::seed(&table, account, 200, EffectiveState::NonMarketing, at(START)).await;
    let range = only("hs_object_id", "BETWEEN", &[ids[50].to_string(), ids[149].to_string()]);
    for limit in [1, 7, 99, 100, 101] {
        let (found, pages) = all(&table.store, account, Some(&range), limit, START).await;
        assert_eq!(found, ids[50..150], "pages of {limit}");
        assert_eq!(pages, 100_usize.div_ceil(limit), "no empty page at the end");
    }
}

#[tokio::test(start_paused = true)]
async fn newest_contacts_are_read_first_without_a_scan() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let mut ids = testkit::seed(&table, account, 500, EffectiveState::NonMarketing, at(START)).await;
    ids.reverse();
    let (found, calls, _) = cost_by_id(&table, account, None, Direction::Descending, 20).await;
    assert_eq!(found, ids[..20]);
    let queries = calls.iter().find(|(name, _)| *name == "Query").unwrap().1;
    assert!((16..=20).contains(&queries), "{queries}");

    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let search = Search { account, filter: Some(&Filter::default()), after, limit: 90 };
        let page = table.store.search_by_id(search, Direction::Descending, at(START)).await.unwrap();
        found.extend(page.contacts.iter().map(|contact| contact.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, ids);
}

async fn scan(table: &TestTable, scan: Scan<'_>, rounds: u32) -> ScannedPage {
    let left = Cell::new(rounds);
    let should_continue = || {
        left.set(left.get() - 1);
        left.get() > 0
    };
    table.store.scan(scan, at(START), should_continue).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn scan_counts_all_matches_and_pages_through_them() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let mut ids = marketing_contacts(&table.store, account, 40, at(START)).await;
    ids.sort_unstable();
    set(&table.store, account, Command::SetNonMarketingPending, &ids[..10], at(START)).await.unwrap();
    let filter = only("hs_marketable_until_renewal", "EQ", &["false".to_owned()]);
    for (sort, expected) in [
        (by("hs_object_id", Direction::Descending), ids[10..].iter().rev().copied().collect::<Vec<_>>()),
        (by("missing", Direction::Descending), ids[10..].to_vec()),
    ] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let request =
                Scan { account, filter: Some(&filter), sort: &sort, after: after.as_ref(), limit: 7 };
            let page = scan(&table, request, 9).await;
            assert_eq!(page.total, Some(30));
            assert_eq!(page.examined, Some(Examined { contacts: 40, complete: true }));
            found.extend(page.contacts.iter().map(|contact| contact.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scan_out_of_time_has_results_of_the_examined_part() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = testkit::seed(&table, account, 9_000, EffectiveState::NonMarketing, at(START)).await;
    let sort = by("hs_object_id", Direction::Descending);
    let request = Scan { account, filter: None, sort: &sort, after: None, limit: 5 };
    for (rounds, examined, complete) in [(1, 4_000, false), (2, 8_000, false), (3, 9_000, true)] {
        let page = scan(&table, request, rounds).await;
        assert_eq!(page.examined, Some(Examined { contacts: examined as u64, complete }));
        let found: Vec<ContactId> = page.contacts.iter().map(|contact| contact.id).collect();
        let expected: Vec<ContactId> = ids[..examined].iter().rev().take(5).copied().collect();
        assert_eq!(found, expected, "the first of the examined contacts");
        assert_eq!((page.total, page.next.is_some()), (complete.then_some(9_000), complete));
    }
}

/// A scan of a range or of keys examines only these contacts.
#[tokio::test(start_paused = true)]
async fn scan_reads_only_the_access_of_its_filter() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = testkit::seed(&table, account, 300, EffectiveState::NonMarketing, at(START)).await;
    let sort = by("created_at", Direction::Ascending);
    let request = |filter| Scan { account, filter: Some(filter), sort: &sort, after: None, limit: 5 };
    let range = only("hs_object_id", "BETWEEN", &[ids[10].to_string(), ids[29].to_string()]);
    let page = scan(&table, request(&range), 9).await;
    assert_eq!((page.total, page.examined), (Some(20), Some(Examined { contacts: 20, complete: true })));

    let keys = only("hs_object_id", "IN", &[ids[10].to_string(), ids[29].to_string(), "7".to_owned()]);
    table.recorder.reset();
    let page = scan(&table, request(&keys), 9).await;
    assert_eq!((page.total, page.examined), (Some(2), None));
    assert_eq!(table.recorder.calls().into_iter().collect::<Vec<_>>(), [("BatchGetItem", 3)]);
}

/// A scan that began before the update date is repeated, so all its contacts are of one period.
#[tokio::test(flavor = "multi_thread")]
async fn scan_during_a_closing_begins_again() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, 5_000, EffectiveState::Leaving, at(START)).await;
    let billable = only("hs_marketable_status", "EQ", &["true".to_owned()]);
    let sort = Sort::default();
    let request = Scan { account, filter: Some(&billable), sort: &sort, after: None, limit: 20 };
    assert_eq!(scan(&table, request, 9).await.total, Some(5_000));
    let rounds = Cell::new(0);
    let close_once = || {
        rounds.set(rounds.get() + 1);
        if rounds.get() == 1 {
            let close = table.store.usage(account, at(UPDATE));
            let close = || tokio::runtime::Handle::current().block_on(close);
            tokio::task::block_in_place(close).unwrap();
        }
        true
    };
    let page = table.store.scan(request, at(START), close_once).await.unwrap();
    assert_eq!((page.total, page.contacts.len(), page.period.number.number()), (Some(0), 0, 2));
    assert_eq!((rounds.get(), page.examined.unwrap().contacts), (2, 5_000), "the second attempt is complete");
}
