//! Imports: the results of rows, repeated and interrupted work, the cap, lists and automations.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::Timestamp;
use domain::contact::Contact;
use domain::decision::{Command, Outcome, Refusal};
use domain::ids::{AccountId, ImportId};
use domain::import::{ImportMode, RowOutcome, RowResult};
use domain::marketing::EffectiveState;
use domain::patch::Patch;
use domain::period::PeriodNumber;
use store::{
    ContactRef, Import, ImportContact, ImportFile, ImportRow, ImportState, ImportTerms, NewImport,
    NewSegment, Refused, Responder, RowContent, SegmentContent, Store, StoreError, UpdateAccount,
    UpdateImport,
};
use testkit::{Conflicts, TestTable, at, email};

use super::{START, Told, UPDATE, assert_exact, create, delete, set, user};

/// Returns the rules of an ordinary import.
pub(super) fn terms() -> ImportTerms {
    ImportTerms {
        mode: ImportMode::Both,
        set_marketing: false,
        add_to_segment: None,
        automations: true,
        dry_run: false,
    }
}

/// Returns the rules of an import that sets its contacts marketing.
fn marketing() -> ImportTerms {
    ImportTerms { set_marketing: true, ..terms() }
}

/// Returns the content of a row with these properties.
pub(super) fn person(address: &str, properties: &[(&str, &str)]) -> RowContent {
    let properties = properties.iter().map(|(name, value)| (name.parse().unwrap(), (*value).to_owned()));
    RowContent::Contact(Box::new(ImportContact {
        email: email(address),
        properties: properties.collect(),
        cautious: BTreeSet::new(),
        unsubscribed: None,
        bounced: None,
    }))
}

/// Returns rows of different persons, each with a city.
fn people(count: u64) -> Vec<RowContent> {
    (1..=count).map(|n| person(&format!("p{n}@example.org"), &[("city", "Delft")])).collect()
}

/// Creates and starts an import.
pub(super) async fn begin(store: &Store, account: AccountId, terms: ImportTerms, now: Timestamp) -> ImportId {
    try_begin(store, account, terms, now).await.unwrap()
}

async fn try_begin(
    store: &Store,
    account: AccountId,
    terms: ImportTerms,
    now: Timestamp,
) -> Result<ImportId, StoreError> {
    let file = ImportFile { bytes: 1, version: "v1".to_owned() };
    let new = NewImport {
        name: "spring.csv".to_owned(),
        terms,
        reading: "{}".to_owned(),
        actor: user(),
        file: Some(file),
    };
    let id = store.new_import_id(now);
    let told: Told<Import> = Told::new();
    store.create_import(account, &new, id, now, Responder::new(None, &told.render())).await?;
    assert_eq!(told.take().state, ImportState::Reading);
    Ok(id)
}

/// Works on an import as a worker does, on rows whose place is their number. Returns true if the import is finished.
pub(super) async fn work(
    store: &Store,
    account: AccountId,
    id: ImportId,
    rows: &[RowContent],
    now: impl Fn() -> Timestamp,
) -> bool {
    let Some(mut run) = store.open_import(account, id, now()).await.unwrap() else { return true };
    let count = rows.len() as u64;
    if run.layout().is_none() && !run.record_layout("layout".to_owned(), Some(count), now()).await.unwrap() {
        return false;
    }
    let mut next = run.place().map_or(0, |place| place.parse().unwrap());
    while run.ends_as().is_none() {
        while run.wants_rows() && next < rows.len() {
            let content = rows[next].clone();
            next += 1;
            run.push(ImportRow { number: next as u64, place: next.to_string(), content });
        }
        if run.is_idle() {
            if !run.finish_rows(now()).await.unwrap() {
                return false;
            }
        } else if !run.apply(now()).await.unwrap() {
            return false;
        }
    }
    let not_run = count - run.import().summary.total();
    run.finish(not_run, now()).await.unwrap()
}

/// Imports rows and returns the import.
pub(super) async fn import(
    store: &Store,
    account: AccountId,
    terms: ImportTerms,
    rows: &[RowContent],
    now: Timestamp,
) -> Import {
    let id = begin(store, account, terms, now).await;
    assert!(work(store, account, id, rows, || now).await);
    let import = store.import(account, id).await.unwrap();
    assert_eq!(import.state, ImportState::Done);
    assert_eq!(import.summary.total(), rows.len() as u64, "every row has one result");
    import
}

/// Returns the stored results of all rows.
async fn results(store: &Store, account: AccountId, import: ImportId) -> Vec<RowResult> {
    let mut results: Vec<RowResult> = Vec::new();
    loop {
        let next = results.len() as u64 + 1;
        let parts = store.imported_rows(account, import, next).await.unwrap();
        if parts.is_empty() {
            return results;
        }
        for part in parts {
            assert_eq!(part.first, results.len() as u64 + 1, "parts follow each other");
            results.extend(part.results);
        }
    }
}

async fn outcomes(store: &Store, account: AccountId, import: &Import) -> Vec<RowOutcome> {
    results(store, account, import.id).await.iter().map(|result| result.outcome).collect()
}

async fn find(store: &Store, account: AccountId, address: &str, now: Timestamp) -> Option<Contact> {
    match store.contact(account, ContactRef::Email(email(address)), now).await {
        Ok((contact, _)) => Some(contact),
        Err(StoreError::Refused(Refused::NotFound("contact"))) => None,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn rows_create_and_update_and_a_repeat_changes_nothing() {
    let table = TestTable::start().await;
    let (store, account, now) = (&table.store, table.account(at(START)).await, at(START));
    create(store, account, "p1@example.org", true, now).await;
    let mut rows = people(3);
    rows.push(RowContent::Empty);
    rows.push(RowContent::Invalid("0:no-address".to_owned()));
    let first = import(store, account, terms(), &rows, now).await;
    use RowOutcome::{Created, Empty, Invalid, Unchanged, Updated};
    assert_eq!(outcomes(store, account, &first).await, [Updated, Created, Created, Empty, Invalid]);
    let one = find(store, account, "p1@example.org", now).await.unwrap();
    assert_eq!((one.state(), one.properties.get("city")), (EffectiveState::Marketing, Some("Delft")));
    let two = find(store, account, "p2@example.org", now).await.unwrap();
    assert_eq!(two.state(), EffectiveState::NonMarketing);
    let change = two.marketing.history.recent.first().unwrap();
    assert_eq!(
        (change.source.name.as_str(), change.source.id.clone()),
        ("spring.csv", Some(first.id.to_string()))
    );
    let again = import(store, account, terms(), &rows, now).await;
    assert_eq!(outcomes(store, account, &again).await, [Unchanged, Unchanged, Unchanged, Empty, Invalid]);
    let unchanged = find(store, account, "p2@example.org", now).await.unwrap();
    assert_eq!(unchanged, two, "no version, no history and no trace");
    assert_exact(&table, account, now).await;
}

#[tokio::test]
async fn rows_of_one_address_act_in_order() {
    let table = TestTable::start().await;
    let (store, account, now) = (&table.store, table.account(at(START)).await, at(START));
    let rows = [
        person("d1@example.org", &[("name", "First"), ("city", "Delft")]),
        person("D1@EXAMPLE.org", &[("name", "Second")]),
        person("d1@example.org", &[("name", "Third"), ("city", "Gouda")]),
        person("d2@example.org", &[("name", "Other")]),
    ];
    let first = import(store, account, marketing(), &rows, now).await;
    let found = results(store, account, first.id).await;
    use RowOutcome::{Created, DuplicateOf, Unchanged};
    let told: Vec<_> = found.iter().map(|result| (result.outcome, result.duplicate_of)).collect();
    assert_eq!(told, [(Created, None), (DuplicateOf, Some(1)), (DuplicateOf, Some(1)), (Created, None)]);
    let states: Vec<_> = found.iter().map(|result| result.marketing).collect();
    let (set, same) = (Some(Ok(Outcome::Set)), Some(Ok(Outcome::Unchanged)));
    assert_eq!(states, [set, same, same, set]);
    let one = find(store, account, "d1@example.org", now).await.unwrap();
    assert_eq!((one.properties.get("name"), one.properties.get("city")), (Some("Third"), Some("Gouda")));
    assert_eq!(one.email.as_ref().unwrap().given(), "d1@example.org");
    let again = import(store, account, marketing(), &rows, now).await;
    assert_eq!(outcomes(store, account, &again).await, [Unchanged; 4]);
    assert_eq!(find(store, account, "d1@example.org", now).await.unwrap(), one);
    assert_eq!(store.usage(account, now).await.unwrap().marketing, 2);
    assert_exact(&table, account, now).await;
}

#[tokio::test]
async fn later_row_recognizes_its_contact_beyond_a_transaction() {
    let table = TestTable::start().await;
    let (store, account, now) = (&table.store, table.account(at(START)).await, at(START));
    let mut rows = people(200);
    rows.push(person("p1@example.org", &[("city", "Gouda")]));
    let done = import(store, account, marketing(), &rows, now).await;
    let last = results(store, account, done.id).await.pop().unwrap();
    assert_eq!((last.outcome, last.duplicate_of), (RowOutcome::DuplicateOf, Some(1)));
    let dry = import(store, account, ImportTerms { dry_run: true, ..marketing() }, &rows, now).await;
    let repeated = results(store, account, dry.id).await;
    assert_eq!(repeated[0].outcome, RowOutcome::Updated);
    let last = repeated.last().unwrap();
    assert_eq!((last.outcome, last.duplicate_of), (RowOutcome::DuplicateOf, Some(1)));
    let fresh = table.account(now).await;
    let dry = import(store, fresh, ImportTerms { dry_run: true, ..marketing() }, &rows, now).await;
    assert_eq!((dry.summary.set, dry.summary.rows(RowOutcome::DuplicateOf)), (200, 1));
    assert_eq!(testkit::items_of(&table.client, "p7@example.org").await, 1, "only the other account has it");
    assert_eq!(store.usage(fresh, now).await.unwrap().marketing, 0);
}

#[tokio::test]
async fn cap_refuses_contacts_and_stores_them() {
    let table = TestTable::start().await;
    let (store, now) = (&table.store, at(START));
    for dry_run in [true, false] {
        let account = table.account(now).await;
        let change = UpdateAccount { cap: Patch::Set(100), ..UpdateAccount::default() };
        let told = Told::new();
        store.update_account(account, &change, now, Responder::new(None, &told.render())).await.unwrap();
        let terms = ImportTerms { dry_run, ..marketing() };
        let done = import(store, account, terms.clone(), &people(250), now).await;
        assert_eq!((done.summary.set, done.summary.rows(RowOutcome::Created)), (100, 250));
        assert_eq!(done.summary.refused, BTreeMap::from([(Refusal::CapReached, 150)]));
        let usage = store.usage(account, now).await.unwrap().marketing;
        assert_eq!(usage, if dry_run { 0 } else { 100 });
        assert_eq!(find(store, account, "p250@example.org", now).await.is_some(), !dry_run);
        if !dry_run {
            let again = import(store, account, terms, &people(250), now).await;
            assert_eq!(again.summary.rows(RowOutcome::Unchanged), 250);
            assert_eq!(again.summary.refused, BTreeMap::from([(Refusal::CapReached, 150)]));
        }
        assert_exact(&table, account, now).await;
    }
}

#[tokio::test]
async fn mode_decides_which_contacts_are_written() {
    let table = TestTable::start().await;
    let (store, account, now) = (&table.store, table.account(at(START)).await, at(START));
    create(store, account, "p1@example.org", false, now).await;
    let rows = [people(2), people(2)].concat();
    let update =
        import(store, account, ImportTerms { mode: ImportMode::Update, ..terms() }, &rows, now).await;
    use RowOutcome::{Created, DuplicateOf, Invalid, Updated};
    assert_eq!(outcomes(store, account, &update).await, [Updated, Invalid, DuplicateOf, Invalid]);
    assert!(find(store, account, "p2@example.org", now).await.is_none());
    let creation =
        import(store, account, ImportTerms { mode: ImportMode::Create, ..terms() }, &rows, now).await;
    assert_eq!(outcomes(store, account, &creation).await, [Invalid, Created, Invalid, DuplicateOf]);
    let problems: Vec<_> =
        results(store, account, creation.id).await.into_iter().map(|row| row.problem).collect();
    assert_eq!(problems[0].as_deref(), Some("contact-exists"));
}

#[tokio::test]
async fn leaving_contact_is_kept_and_a_deleted_one_returns() {
    let table = TestTable::start().await;
    let (store, account, now) = (&table.store, table.account(at(START)).await, at(START));
    let one = create(store, account, "p1@example.org", true, now).await.id;
    let two = create(store, account, "p2@example.org", true, now).await.id;
    set(store, account, Command::SetNonMarketingPending, &[one], now).await.unwrap();
    delete(store, account, two, false, now).await.unwrap();
    let done = import(store, account, marketing(), &people(2), now).await;
    use RowOutcome::{Created, Updated};
    assert_eq!(outcomes(store, account, &done).await, [Updated, Created]);
    assert_eq!((done.summary.kept, store.usage(account, now).await.unwrap().marketing), (2, 2));
    assert_exact(&table, account, now).await;
}

#[tokio::test]
async fn damaged_value_does_not_replace_a_known_one() {
    let table = TestTable::start().await;
    let (store, account, now) = (&table.store, table.account(at(START)).await, at(START));
    let row = |value: &str, is_damaged: bool| {
        let RowContent::Contact(mut contact) = person("p1@example.org", &[("phone", value)]) else {
            unreachable!()
        };
        contact.cautious.extend(is_damaged.then(|| "phone".parse().unwrap()));
        RowContent::Contact(contact)
    };
    for (value, is_damaged, expected, kept) in [
        ("3.16E+10", true, "3.16E+10", false),
        ("0031612345678", false, "0031612345678", false),
        ("3.16E+10", true, "0031612345678", true),
    ] {
        let done = import(store, account, terms(), &[row(value, is_damaged)], now).await;
        let contact = find(store, account, "p1@example.org", now).await.unwrap();
        assert_eq!(contact.properties.get("phone"), Some(expected));
        assert_eq!(results(store, account, done.id).await[0].kept_value, kept);
    }
}

#[tokio::test]
async fn contacts_of_the_file_become_members_of_the_list() {
    let table = TestTable::start().await;
    let (store, account, now) = (&table.store, table.account(at(START)).await, at(START));
    create(store, account, "p1@example.org", false, now).await;
    let new = NewSegment { name: "Spring".to_owned(), content: SegmentContent::List(Vec::new()) };
    let told: Told<(store::Segment, store::MembersReport)> = Told::new();
    let segment = {
        let render = told.render();
        store.create_segment(account, &new, now, Responder::new(None, &render)).await.unwrap();
        told.take().0.id
    };
    let list = ImportTerms { add_to_segment: Some(segment), ..terms() };
    for _ in 0..2 {
        import(store, account, list.clone(), &people(120), now).await;
        let search = store::Selection::Segment(segment);
        let request = super::bulk::request(account, Command::SetMarketing, search, None);
        assert_eq!(super::bulk::forecast(store, &request, now).await.matched, 120);
    }
    let told: Told<()> = Told::new();
    store.delete_segment(account, segment, user(), now, Responder::new(None, &told.render())).await.unwrap();
    let refused = try_begin(store, account, list, now).await.unwrap_err();
    assert!(matches!(refused, StoreError::Refused(Refused::Invalid { field: "options.add_to_segment", .. })));
}

#[tokio::test]
async fn cancelled_import_leaves_the_other_rows_without_effect() {
    let table = TestTable::start().await;
    let (store, account, now) = (&table.store, table.account(at(START)).await, at(START));
    let id = begin(store, account, marketing(), now).await;
    let rows = people(300);
    {
        let mut run = store.open_import(account, id, now).await.unwrap().unwrap();
        assert!(run.record_layout("layout".to_owned(), Some(300), now).await.unwrap());
        for (n, content) in rows.iter().enumerate() {
            run.push(ImportRow {
                number: n as u64 + 1,
                place: (n + 1).to_string(),
                content: content.clone(),
            });
        }
        assert!(run.apply(now).await.unwrap());
        let told: Told<Import> = Told::new();
        store.cancel_import(account, id, now, Responder::new(None, &told.render())).await.unwrap();
        assert_eq!(told.take().state, ImportState::Finishing);
        assert!(!run.apply(now).await.unwrap(), "the worker notices");
    }
    assert!(work(store, account, id, &rows, || now).await);
    let done = store.import(account, id).await.unwrap();
    let applied = done.summary.rows(RowOutcome::Created);
    assert_eq!((done.state, done.has_results), (ImportState::Cancelled, true));
    assert_eq!(done.summary.rows(RowOutcome::NotRun), 300 - applied);
    assert_eq!(store.usage(account, now).await.unwrap().marketing, applied);
    assert_exact(&table, account, now).await;
}

#[tokio::test]
async fn contact_that_appears_while_its_row_waits_is_updated() {
    let table = TestTable::start().await;
    let (store, account, now) = (&table.store, table.account(at(START)).await, at(START));
    let id = begin(store, account, terms(), now).await;
    let rows = people(300);
    let mut run = store.open_import(account, id, now).await.unwrap().unwrap();
    assert!(run.record_layout("layout".to_owned(), Some(300), now).await.unwrap());
    for (n, content) in (1..).zip(&rows) {
        run.push(ImportRow { number: n, place: n.to_string(), content: content.clone() });
    }
    // A transaction has about 48 rows. The first 97 addresses are looked up before the first one, and the others while one
    // is committed.
    let later = [60, 99, 150, 200, 300];
    for n in later {
        assert!(run.apply(now).await.unwrap());
        assert!(run.import().summary.total() < n);
        create(store, account, &format!("p{n}@example.org"), false, now).await;
    }
    while !run.is_idle() {
        assert!(run.apply(now).await.unwrap());
    }
    let results = results(store, account, id).await;
    for (n, result) in (1..).zip(&results) {
        let expected = if later.contains(&n) { RowOutcome::Updated } else { RowOutcome::Created };
        assert_eq!(result.outcome, expected, "row {n}");
        let contact = find(store, account, &format!("p{n}@example.org"), now).await.unwrap();
        assert_eq!(contact.properties.get("city"), Some("Delft"), "row {n}");
    }
}

/// Kills workers of an import after random times, two at once, until it is finished.
async fn finish_among_killed_workers(
    store: &Store,
    account: AccountId,
    id: ImportId,
    rows: &[RowContent],
    seed: u64,
    now: impl Fn() -> Timestamp + Copy,
) {
    let mut rng = testkit::SeededRng::of(&[seed]);
    while !store.import(account, id).await.unwrap().state.is_finished() {
        let lives = [rng.between(1, 300), rng.between(1, 300)].map(Duration::from_millis);
        let [one, other] = lives.map(|life| tokio::time::timeout(life, work(store, account, id, rows, now)));
        drop(futures_util::future::join(one, other).await);
    }
}

/// Returns rows in which addresses come back, near and far, some with other values.
fn mixed_rows(count: u64, seed: u64) -> Vec<RowContent> {
    let mut rng = testkit::SeededRng::of(&[seed]);
    let row = |n| match rng.below(10) {
        0 => RowContent::Empty,
        1 => RowContent::Invalid("0:address".to_owned()),
        2 => person(&format!("p{}@example.org", rng.below(n + 1)), &[("city", "Gouda")]),
        _ => person(&format!("p{n}@example.org"), &[("city", "Delft")]),
    };
    (0..count).map(row).collect()
}

#[tokio::test(start_paused = true)]
async fn killed_workers_end_with_the_same_contacts_and_results() {
    for seed in 0..3 {
        let rows = mixed_rows(600, seed);
        let mut ends = Vec::new();
        for is_killed in [false, true] {
            let table = TestTable::with_faults(&Conflicts::new(Duration::from_millis(5))).await;
            let (store, account, now) = (&table.store, table.account(at(START)).await, at(START));
            for n in 0..20 {
                create(store, account, &format!("p{}@example.org", n * 3), n % 2 == 0, now).await;
            }
            let id = begin(store, account, marketing(), now).await;
            if is_killed {
                finish_among_killed_workers(store, account, id, &rows, seed, || now).await;
            } else {
                assert!(work(store, account, id, &rows, || now).await);
            }
            let import = store.import(account, id).await.unwrap();
            assert_eq!((import.state, import.summary.total()), (ImportState::Done, 600));
            let mut contacts = BTreeMap::new();
            for n in 0..600 {
                let address = format!("p{n}@example.org");
                if let Some(contact) = find(store, account, &address, now).await {
                    let row = contact.imported.map(|imported| imported.row);
                    let city = contact.properties.get("city").map(str::to_owned);
                    contacts.insert(address, (city, contact.state(), contact.version, row));
                }
            }
            assert_exact(&table, account, now).await;
            let usage = store.usage(account, now).await.unwrap().marketing;
            ends.push((import.summary, usage, contacts, results(store, account, id).await));
        }
        let (killed, whole) = (ends.pop().unwrap(), ends.pop().unwrap());
        assert!(killed == whole, "seed {seed}: {:?} and {:?}", killed.0, whole.0);
    }
}

#[tokio::test(start_paused = true)]
async fn update_date_in_the_middle_keeps_the_usage_exact() {
    let table = TestTable::with_faults(&Conflicts::new(Duration::from_millis(5))).await;
    let (store, account, start) = (&table.store, table.account(at(START)).await, at(START));
    let mut leaving = Vec::new();
    for n in 1..=40 {
        leaving.push(create(store, account, &format!("p{}@example.org", n * 10), true, start).await.id);
    }
    set(store, account, Command::SetNonMarketingPending, &leaving, start).await.unwrap();
    let id = begin(store, account, marketing(), start).await;
    let ticks = std::sync::atomic::AtomicU64::new(0);
    let now = || {
        let tick = ticks.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if tick < 6 { at("2026-11-30T23:59:59.000Z") } else { at(UPDATE) }
    };
    finish_among_killed_workers(store, account, id, &people(500), 1, &now).await;
    let usage = store.usage(account, at(UPDATE)).await.unwrap();
    assert_eq!((usage.number, usage.marketing), (PeriodNumber::from_number(2).unwrap(), 500));
    assert_exact(&table, account, at(UPDATE)).await;
}

#[tokio::test]
async fn import_is_due_until_it_is_finished() {
    let table = TestTable::start().await;
    let (store, account, now) = (&table.store, table.account(at(START)).await, at(START));
    let id = begin(store, account, terms(), now).await;
    let is_due = async |later: &str| {
        let mut found = Vec::new();
        for shard in Store::due_shards() {
            found.extend(store.due(shard, at(later), None).await.unwrap().due);
        }
        let task = store::FileTask { account, job: store::FileJob::Import(id) };
        found.contains(&store::Due::Job(store::Job::File(task)))
    };
    assert!(!is_due("2026-11-10T12:10:00.000Z").await, "the lease");
    assert!(is_due("2026-11-10T12:30:00.000Z").await, "a lost message");
    assert!(work(store, account, id, &people(1), || now).await);
    assert!(!is_due("2026-11-20T12:30:00.000Z").await);
    assert!(store.open_import(account, id, now).await.unwrap().is_none(), "a repeated message");
}

/// Imports rows, and returns the number of calls, the read units and the write units of the work.
async fn cost_of(
    table: &TestTable,
    account: AccountId,
    terms: ImportTerms,
    rows: &[RowContent],
) -> (u32, f64, f64) {
    let id = begin(&table.store, account, terms, at(START)).await;
    table.recorder.reset();
    assert!(work(&table.store, account, id, rows, || at(START)).await);
    let units = table.recorder.units();
    (table.recorder.calls().values().sum(), units.read, units.write)
}

#[tokio::test]
async fn row_costs_little_more_than_its_contact() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    // A transaction has room for 48 new contacts with their addresses.
    let rows = people(10 * 48);
    let created = cost_of(&table, account, marketing(), &rows).await;
    let unchanged = cost_of(&table, account, marketing(), &rows).await;
    let changed: Vec<RowContent> =
        (1..=480).map(|n| person(&format!("p{n}@example.org"), &[("city", "Gouda")])).collect();
    let updated = cost_of(&table, account, marketing(), &changed).await;
    // A new contact and its address cost 4 units in any transaction, and a changed contact 2. A part of the results and
    // the import's place are the rest. A row that changes nothing writes no contact.
    assert_eq!(created, (38, 620.0, 1_997.0));
    assert_eq!(updated, (29, 976.0, 1_005.0));
    assert_eq!(unchanged, (29, 976.0, 45.0));
}

#[tokio::test(start_paused = true)]
async fn import_changes_until_it_starts() {
    let table = TestTable::start().await;
    let (store, account, now) = (&table.store, table.account(at(START)).await, at(START));
    let new = NewImport {
        name: "spring.csv".to_owned(),
        terms: terms(),
        reading: "{}".to_owned(),
        actor: user(),
        file: None,
    };
    let id = store.new_import_id(now);
    let told: Told<Import> = Told::new();
    store.create_import(account, &new, id, now, Responder::new(None, &told.render())).await.unwrap();

    let change = async |name: Option<&str>, rules| {
        let change = UpdateImport { name: name.map(str::to_owned), rules };
        let told: Told<Import> = Told::new();
        store.update_import(account, id, &change, now, Responder::new(None, &told.render())).await?;
        Ok::<_, StoreError>(told.take())
    };
    let other = ImportTerms { mode: ImportMode::Update, dry_run: true, ..marketing() };
    let changed = change(None, Some((other.clone(), "other".to_owned()))).await.unwrap();
    assert_eq!(
        (changed.name.as_str(), &changed.terms, changed.reading.as_str()),
        ("spring.csv", &other, "other")
    );
    let renamed = change(Some("summer.csv"), None).await.unwrap();
    assert_eq!((renamed.name.as_str(), &renamed.terms), ("summer.csv", &other), "the rules stay");
    let unknown = ImportTerms { add_to_segment: Some(domain::ids::SegmentId::new(now, 1)), ..terms() };
    let refused = change(None, Some((unknown, String::new()))).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::Invalid { .. }))), "{refused:?}");

    let file = ImportFile { bytes: 1, version: "v1".to_owned() };
    let told: Told<Import> = Told::new();
    let starter = domain::source::Actor::User(domain::ids::UserId::new(now, 7));
    let start = async |checked: &Import| {
        let render = told.render();
        store.start_import(account, checked, &file, starter, now, Responder::new(None, &render)).await
    };
    let earlier = Import { terms: terms(), ..renamed.clone() };
    let refused = start(&earlier).await.err();
    assert!(
        matches!(refused, Some(StoreError::Unavailable(..))),
        "the rules are not those that were checked"
    );
    start(&renamed).await.unwrap();
    start(&earlier).await.expect("a started import stays as it is");
    let refused = change(Some("late.csv"), None).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::ImportStarted))), "{refused:?}");
    assert_eq!(store.import(account, id).await.unwrap().name, "summer.csv");
}
