//! The effects of the change feed: records that come twice, late and in any order, and a consumer that stops between
//! its effects.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use domain::Timestamp;
use domain::decision::Command;
use domain::event::{EventType, Fact};
use domain::ids::{AccountId, ContactId};
use domain::limits::{PROPERTY_VALUES_KEPT, PROPERTY_VERSIONS_PER_REMOVAL};
use domain::patch::Patch;
use domain::period::Terms;
use domain::tier::Tier;
use domain::timeline::DayUsage;
use store::{
    ChangeId, Notice, PropertyChange, Responder, StoreError, StreamRecord, UndoProperties, UpdateContact,
};
use testkit::{Conflicts, Fault, Observer, TestTable, at, items_of, property, terms};

use super::bulk::{self, all};
use super::forms::{form, native, submit};
use super::{START, Told, UPDATE, by_hand, create, delete, read, set, user};

/// Sets one property of a contact.
pub async fn edit(table: &TestTable, account: AccountId, contact: ContactId, value: &str, now: Timestamp) {
    let change = UpdateContact {
        account,
        contact,
        email: Patch::Keep,
        properties: &[property("plan", value)],
        unsubscribed: None,
        bounced: None,
        status: None,
        if_match: None,
        source: by_hand(),
        actor: user(),
    };
    let told = Told::new();
    table.store.update_contact(&change, now, Responder::new(None, &told.render())).await.unwrap();
}

async fn history(
    table: &TestTable,
    account: AccountId,
    contact: ContactId,
    now: Timestamp,
) -> Result<Vec<PropertyChange>, StoreError> {
    Ok(table.store.property_history(account, contact, None, 1_000, now).await?.items)
}

async fn notices(table: &TestTable, account: AccountId, now: Timestamp) -> Vec<Notice> {
    table.store.notices(account, None, 1_000, now).await.unwrap().items
}

/// Changes contacts over some weeks and returns the records of all writes, in their order.
async fn weeks(table: &TestTable, account: AccountId) -> Vec<StreamRecord> {
    let mut observer = Observer::of(table).await;
    let mut records = Vec::new();
    let mut ids = Vec::new();
    for day in 0..40 {
        let now = at(START).plus(TimeDelta::days(day));
        let id = create(&table.store, account, &format!("p{day}@example.org"), day % 3 != 0, now).await.id;
        records.extend(observer.records(table).await);
        ids.push(id);
        edit(table, account, id, &day.to_string(), now).await;
        records.extend(observer.records(table).await);
        // On odd days the contact of the day leaves, and on even days an older one is queued and kept.
        let at = if day % 2 == 0 { ids.len() / 2 } else { ids.len() - 1 };
        let some = &ids[at..=at];
        for command in [Command::SetNonMarketingPending, Command::SetMarketing]
            .into_iter()
            .take(1 + usize::from(day % 2 == 0))
        {
            set(&table.store, account, command, some, now).await.unwrap();
            records.extend(observer.records(table).await);
        }
    }
    records
}

/// Everything that follows from the records, as an account reads it.
async fn effects(table: &TestTable, account: AccountId, now: Timestamp) -> (Vec<DayUsage>, Vec<Notice>) {
    let from = NaiveDate::from_ymd_opt(2026, 11, 10);
    let days = table.store.timeline(account, from, None, now).await.unwrap();
    (days, notices(table, account, now).await)
}

const END: &str = "2026-12-20T12:00:00.000Z";

async fn small(table: &TestTable) -> AccountId {
    let tier = Tier::new(10, 10).unwrap();
    table.account_with(Terms { tier, cap: Some(25), ..terms() }, at(START)).await
}

fn assert_sums(days: &[DayUsage]) {
    for pair in days.windows(2) {
        let [before, day] = pair else { panic!("two days") };
        assert_eq!(day.marketing + day.left, before.marketing + day.set(), "{}", day.date);
    }
}

#[tokio::test(start_paused = true)]
async fn records_twice_late_and_in_any_order_have_one_effect() {
    let mut told = Vec::new();
    for order in 0..4 {
        let table = TestTable::start().await;
        let account = small(&table).await;
        let mut records = weeks(&table, account).await;
        match order {
            0 => {}
            1 => records.reverse(),
            2 => records.extend(records.clone()),
            _ => records.rotate_left(50),
        }
        // A batch for each of the shards that the records come from, and a repeat of the first one.
        let batches: Vec<Vec<_>> = records.chunks(7).map(<[_]>::to_vec).collect();
        for batch in batches.iter().chain(batches.first()) {
            let followed = table.store.follow(batch.clone(), at(END)).await;
            assert!(followed.failed.is_empty(), "{:?}", followed.failed);
        }
        let (days, notices) = effects(&table, account, at(END)).await;
        assert_sums(&days);
        let usage = table.store.usage(account, at(END)).await.unwrap();
        assert_eq!(days.last().unwrap().marketing, usage.marketing);
        let totals = days.iter().fold((0, 0, 0, 0), |sum, day| {
            (sum.0 + day.set(), sum.1 + day.kept, sum.2 + day.queued, sum.3 + day.left)
        });
        let of = usage.totals;
        assert!(of.kept > 0 && of.left > 0);
        assert_eq!(totals, (of.set(), of.kept, of.queued, of.left));
        let mut kinds: Vec<_> =
            notices.iter().map(|notice| (notice.at, notice.kind, notice.facts.clone())).collect();
        kinds.sort_by_key(|(at, kind, facts)| (*at, *kind, format!("{facts:?}")));
        told.push((days, kinds));
    }
    for other in &told[1..] {
        assert_eq!(*other, told[0]);
    }
}

#[tokio::test(start_paused = true)]
async fn consumer_that_stops_between_effects_completes_them_later() {
    let failing = Arc::new(AtomicU32::new(0));
    let left_to_fail = Arc::clone(&failing);
    let faults = Conflicts::with_plan(Duration::ZERO, move |_, _| {
        let one_less =
            left_to_fail.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        one_less.ok().map(|_| Fault::Unavailable)
    });
    let table = TestTable::with_faults(&faults).await;
    let account = small(&table).await;
    let records = weeks(&table, account).await;
    let mut left = records.clone();
    let mut rounds = 0;
    while !left.is_empty() {
        rounds += 1;
        assert!(rounds < 200, "progress");
        failing.store(if rounds % 2 == 1 { 3 * rounds } else { 0 }, Ordering::SeqCst);
        let batch: Vec<_> = left.iter().take(40).cloned().collect();
        let failed: Vec<String> = table
            .store
            .follow(batch.clone(), at(END))
            .await
            .failed
            .into_iter()
            .map(|(number, _)| number)
            .collect();
        // The consumer continues at the first record that failed, so later ones come again.
        let done =
            batch.iter().position(|record| failed.contains(&record.sequence_number)).unwrap_or(batch.len());
        left.drain(..done);
    }
    failing.store(0, Ordering::SeqCst);
    let interrupted = effects(&table, account, at(END)).await;
    table.store.follow(records, at(END)).await;
    assert_eq!(effects(&table, account, at(END)).await, interrupted);
    assert_sums(&interrupted.0);
}

#[tokio::test(start_paused = true)]
async fn record_that_cannot_be_read_does_not_stop_the_others() {
    let table = TestTable::start().await;
    let account = small(&table).await;
    let mut observer = Observer::of(&table).await;
    create(&table.store, account, "ada@example.org", true, at(START)).await;
    let mut records = observer.records(&table).await;
    let mut broken = records[0].clone();
    broken.sequence_number = "broken".to_owned();
    for image in [&mut broken.old, &mut broken.new].into_iter().flatten() {
        image.remove("v");
    }
    records.insert(0, broken);
    let followed = table.store.follow(records, at(START)).await;
    let failed: Vec<_> = followed.failed.iter().map(|(number, _)| number.as_str()).collect();
    assert_eq!(failed, ["broken"]);
    let days = table.store.timeline(account, None, None, at(START)).await.unwrap();
    assert_eq!(days[0].set(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_threshold_is_told_once_a_period() {
    let table = TestTable::start().await;
    let account = table
        .account_with(Terms { tier: Tier::new(4, 4).unwrap(), cap: Some(5), ..terms() }, at(START))
        .await;
    let mut observer = Observer::of(&table).await;
    for n in 0..5 {
        create(&table.store, account, &format!("p{n}@example.org"), true, at(START)).await;
        observer.follow(&table, at(START)).await;
    }
    // The cap is raised, and reached again in the same period.
    let told = Told::new();
    let update = store::UpdateAccount { cap: Patch::Set(6), ..store::UpdateAccount::default() };
    table
        .store
        .update_account(account, &update, at(START), Responder::new(None, &told.render()))
        .await
        .unwrap();
    observer.follow(&table, at(START)).await;
    create(&table.store, account, "p6@example.org", true, at(START)).await;
    observer.follow(&table, at(START)).await;
    let count = async |kind: EventType| {
        let all = notices(&table, account, at(START)).await;
        all.into_iter().filter(|notice| notice.kind == kind).count()
    };
    assert_eq!(count(EventType::CapReached).await, 1);
    assert_eq!(count(EventType::LimitRaised).await, 1);
    assert_eq!(count(EventType::ThresholdCrossed).await, 4);
    let thresholds: Vec<_> = notices(&table, account, at(START))
        .await
        .into_iter()
        .filter_map(|notice| notice.facts.get("threshold").cloned())
        .collect();
    for share in [75, 90, 98, 100] {
        assert!(thresholds.contains(&Fact::Number(share)), "{share}");
    }
}

#[tokio::test(start_paused = true)]
async fn finished_job_and_closed_period_are_told_with_their_numbers() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    create(&table.store, account, "ada@example.org", true, at(START)).await;
    let mut observer = Observer::of(&table).await;
    let request = bulk::request(account, Command::SetNonMarketingPending, all(), Some(1));
    let job = bulk::run(&table.store, &request, at(START)).await;
    observer.follow(&table, at(START)).await;
    table.store.close_ended(account, at(UPDATE)).await.unwrap();
    observer.follow(&table, at(UPDATE)).await;
    let [closed, finished] = notices(&table, account, at(UPDATE)).await.try_into().unwrap();
    assert_eq!((finished.kind, finished.at), (EventType::JobFinished, at(START)));
    assert_eq!(finished.facts["job_id"], Fact::Text(job.id.to_string()));
    assert_eq!((&finished.facts["queued"], &finished.facts["matched"]), (&Fact::Number(1), &Fact::Number(1)));
    assert_eq!(
        (closed.kind, closed.at, &closed.facts["left"]),
        (EventType::PeriodClosed, at(UPDATE), &Fact::Number(1))
    );
}

#[tokio::test(start_paused = true)]
async fn history_of_a_deleted_contact_is_deleted() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let mut observer = Observer::of(&table).await;
    for (address, marketing, erase) in [
        ("a@example.org", true, false),
        ("b@example.org", false, false),
        ("c@example.org", true, true),
        ("d@example.org", false, true),
    ] {
        let id = create(&table.store, account, address, marketing, at(START)).await.id;
        observer.follow(&table, at(START)).await;
        edit(&table, account, id, "gold", at(START)).await;
        let late = observer.follow(&table, at(START)).await;
        assert_eq!(items_of(&table.client, &id.to_string()).await, 1);
        delete(&table.store, account, id, erase, at(START)).await.unwrap();
        if erase {
            assert_eq!(
                items_of(&table.client, &id.to_string()).await,
                0,
                "nothing is left when the request returns"
            );
        }
        // The record of the edit comes again, before that of the deletion.
        assert!(table.store.follow(late, at(START)).await.failed.is_empty());
        assert_eq!(items_of(&table.client, &id.to_string()).await, 1);
        observer.follow(&table, at(START)).await;
        assert_eq!(items_of(&table.client, &id.to_string()).await, 0, "{address}");
    }
}

#[tokio::test(start_paused = true)]
async fn returned_contact_does_not_show_its_earlier_history() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let mut observer = Observer::of(&table).await;
    let newsletter = form(&table.store, account, &native()).await;
    let id = create(&table.store, account, "ada@example.org", true, at(START)).await.id;
    edit(&table, account, id, "gold", at(START)).await;
    observer.follow(&table, at(START)).await;
    delete(&table.store, account, id, false, at(START)).await.unwrap();
    let deletion = observer.records(&table).await;
    let later = at(START).plus(TimeDelta::hours(1));
    submit(&table.store, &newsletter, None, "ada@example.org", later).await;
    let (returned, _) = read(&table.store, account, id, later).await.unwrap();
    assert_eq!(returned.created_at, later);
    assert!(history(&table, account, id, later).await.unwrap().is_empty(), "the feed is behind");
    let undo = UndoProperties {
        account,
        contact: id,
        change: "2".parse::<ChangeId>().unwrap(),
        source: by_hand(),
        actor: user(),
    };
    let told = Told::new();
    let undone = table.store.undo_properties(&undo, later, Responder::new(None, &told.render())).await;
    assert!(matches!(undone, Err(StoreError::Refused(store::Refused::NotFound("change")))));
    let back = observer.records(&table).await;
    edit(&table, account, id, "silver", later).await;
    let edited = observer.records(&table).await;
    for records in [deletion.clone(), back, edited] {
        assert!(table.store.follow(records, later).await.failed.is_empty());
    }
    assert_eq!(history(&table, account, id, later).await.unwrap().len(), 1);
    // The deletion comes again, and deletes only what was before it.
    assert!(table.store.follow(deletion, later).await.failed.is_empty());
    assert_eq!(history(&table, account, id, later).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn last_values_of_each_property_are_kept() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let mut observer = Observer::of(&table).await;
    let id = create(&table.store, account, "ada@example.org", false, at(START)).await.id;
    edit(&table, account, id, "first", at(START)).await;
    let seldom = UpdateContact {
        account,
        contact: id,
        email: Patch::Keep,
        properties: &[property("seldom", "yes")],
        unsubscribed: None,
        bounced: None,
        status: None,
        if_match: None,
        source: by_hand(),
        actor: user(),
    };
    observer.follow(&table, at(START)).await;
    let told = Told::new();
    table.store.update_contact(&seldom, at(START), Responder::new(None, &told.render())).await.unwrap();
    observer.follow(&table, at(START)).await;
    let most = PROPERTY_VALUES_KEPT + usize::try_from(PROPERTY_VERSIONS_PER_REMOVAL).unwrap();
    for n in 0..60 {
        edit(&table, account, id, &n.to_string(), at(START)).await;
        observer.follow(&table, at(START)).await;
        let changes = history(&table, account, id, at(START)).await.unwrap();
        let plans = changes.iter().filter(|change| change.property == "plan").count();
        assert!(
            plans <= most && plans >= PROPERTY_VALUES_KEPT.min(n + 1),
            "{plans} values after {n} changes"
        );
        assert!(
            changes.iter().any(|change| change.property == "seldom"),
            "an old value that is the last one"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn day_is_that_of_the_accounts_time_zone() {
    let table = TestTable::start().await;
    let mut terms = terms();
    terms.calendar.time_zone = "Pacific/Auckland".parse().unwrap();
    let account = table.account_with(terms, at(START)).await;
    let mut observer = Observer::of(&table).await;
    create(&table.store, account, "ada@example.org", true, at(START)).await;
    observer.follow(&table, at(START)).await;
    let days = table.store.timeline(account, None, None, at(START)).await.unwrap();
    let date = NaiveDate::from_ymd_opt(2026, 11, 11).unwrap();
    assert_eq!(days.iter().map(|day| (day.date, day.set())).collect::<Vec<_>>(), [(date, 1)]);
}
