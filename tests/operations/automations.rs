//! Tests of automations: enrolment by the feed, turns, the budget and the brake. The numbers in brackets are those of the
//! kinds of cases: 1 switching on, 2 changes, 3 once and loops, 4 budget and brake, 5 waiting, 6 dependencies, 7 reports.

mod setting;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::Timestamp;
use domain::automation::{AutomationState, RunCounts, Trigger};
use domain::decision::{Command, Refusal};
use domain::filter::{Condition, Filter};
use domain::marketing::EffectiveState;
use domain::patch::Patch;
use domain::source::{Actor, SourceType};
use store::{
    Automation, ContactRef, NewAutomation, Refused, Responder, Segment, SegmentContent, StoreError,
    UpdateAutomation, UpdateSegment, Waiting,
};
use testkit::TestTable;

use super::{START, Told, assert_exact, delete, set, user};

pub use setting::{Setting, property, romans};

fn set_counts(set: u64) -> RunCounts {
    RunCounts { set, ..RunCounts::default() }
}

#[tokio::test]
async fn contact_that_comes_to_match_is_set_once() {
    let setting = Setting::start().await;
    let automation = setting.create(&romans()).await;
    let ada = setting.save("ada@example.org", &[("city", "Milan")]).await;
    setting.settle().await;
    assert_eq!(setting.state(ada).await, EffectiveState::NonMarketing);
    setting.save("ada@example.org", &[("city", "Rome")]).await;
    setting.settle().await;
    let ada = setting.contact(ada).await;
    assert_eq!(ada.state(), EffectiveState::Marketing);
    let last = ada.marketing.history.recent.last().unwrap();
    assert_eq!(
        (last.source.kind, last.source.name.as_str(), last.source.id.clone(), last.actor),
        (SourceType::Automation, "Romans", Some(automation.id.to_string()), Actor::Automation(automation.id)),
        "the history names the automation (7)"
    );
    assert_eq!(setting.counts(automation.id).await, set_counts(1));
    assert_exact(&setting.table, setting.account, setting.now()).await;
}

#[tokio::test]
async fn automation_that_is_switched_on_catches_nothing_up() {
    let setting = Setting::start().await;
    let before = setting.save("before@example.org", &[("city", "Rome")]).await;
    let off = setting.create(&NewAutomation { enabled: false, ..romans() }).await;
    let while_off = setting.save("while-off@example.org", &[("city", "Rome")]).await;
    setting.settle().await;
    let report = setting.switch(off.id, true).await;
    assert_eq!((report.automation.state, report.matching), (AutomationState::Enabled, Some(2)));
    // The records of earlier changes come late.
    setting.settle_with(|records| [records.clone(), records].concat()).await;
    setting.save("before@example.org", &[("title", "Ms")]).await;
    setting.settle().await;
    for id in [before, while_off] {
        assert_eq!(setting.state(id).await, EffectiveState::NonMarketing, "also after another change");
    }
    setting.switch(off.id, false).await;
    let again_off = setting.save("again-off@example.org", &[("city", "Rome")]).await;
    setting.switch(off.id, true).await;
    setting.settle().await;
    assert_eq!(setting.state(again_off).await, EffectiveState::NonMarketing, "records that come late");
    assert_eq!(setting.counts(off.id).await, RunCounts::default());
}

#[tokio::test]
async fn existing_contacts_are_enrolled_with_the_confirmed_number() {
    let setting = Setting::start().await;
    let mut contacts = Vec::new();
    for n in 0..3 {
        contacts.push(setting.save(&format!("p{n}@example.org"), &[("city", "Rome")]).await);
    }
    let off = NewAutomation { enabled: false, max_per_day: Some(2), pause_above: Some(1), ..romans() };
    let automation = setting.create(&off).await;
    let enable = |confirmed| UpdateAutomation {
        enabled: Some(true),
        enrol_existing: Some(confirmed),
        ..UpdateAutomation::default()
    };
    let refused = setting.update(automation.id, &enable(2)).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::CountChanged { matched: 3, .. }))));
    let report = setting.update(automation.id, &enable(3)).await.unwrap();
    assert_eq!(report.matching, Some(3));
    setting.work_on_jobs().await;
    setting.settle().await;
    let job = setting.table.store.bulk_job(setting.account, report.job.unwrap().id).await.unwrap();
    assert_eq!((job.state, job.summary.enrolled, job.done()), (store::JobState::Done, 3, 3));
    assert_eq!(setting.counts(automation.id).await, set_counts(2), "within the budget of the day");
    let now = setting.table.store.automation(setting.account, automation.id).await.unwrap();
    assert_eq!((now.state, setting.waiting(automation.id).await), (AutomationState::Enabled, 1), "no brake");
    // They have had their turn, so their next change enrols none of them.
    setting.pass(TimeDelta::days(1));
    setting.tick().await;
    for (n, id) in contacts.iter().enumerate() {
        setting.save(&format!("p{n}@example.org"), &[("city", "Milan")]).await;
        setting.save(&format!("p{n}@example.org"), &[("city", "Rome")]).await;
        assert_eq!(setting.state(*id).await, EffectiveState::Marketing);
    }
    setting.settle().await;
    assert_eq!(setting.counts(automation.id).await, set_counts(1));
}

#[tokio::test]
async fn only_a_change_that_makes_the_contact_match_enrols() {
    let setting = Setting::start().await;
    let automation = setting.create(&romans()).await;
    let ada = setting.save("ada@example.org", &[("city", "Rome")]).await;
    setting.settle().await;
    assert_eq!(setting.state(ada).await, EffectiveState::Marketing, "created with the value (2)");
    let store = &setting.table.store;
    set(store, setting.account, Command::SetNonMarketingPending, &[ada], setting.now()).await.unwrap();
    for city in ["Rome", "rome", "ROME"] {
        setting.save("ada@example.org", &[("city", city), ("title", city)]).await;
        setting.settle().await;
    }
    assert_eq!(setting.state(ada).await, EffectiveState::Leaving, "it never stopped matching (2)");
    assert_eq!(setting.counts(automation.id).await, set_counts(1));
}

#[tokio::test]
async fn update_date_is_no_change_that_enrols() {
    let setting = Setting::start().await;
    let ada = setting.save("ada@example.org", &[("city", "Rome")]).await;
    let store = &setting.table.store;
    set(store, setting.account, Command::SetMarketing, &[ada], setting.now()).await.unwrap();
    set(store, setting.account, Command::SetNonMarketingPending, &[ada], setting.now()).await.unwrap();
    setting.settle().await;
    let condition = Condition::new("hs_marketable_status", "EQ", Some("false"), None, None).unwrap();
    let trigger = Trigger::Filter(Filter::new(vec![vec![condition]]).unwrap());
    let automation = setting.create(&NewAutomation { trigger, ..romans() }).await;
    setting.pass(TimeDelta::days(30));
    // Neither the update date, nor the next change before the sweep, nor the sweep itself.
    store.close_ended(setting.account, setting.now()).await.unwrap();
    setting.settle().await;
    setting.save("ada@example.org", &[("title", "Ms")]).await;
    setting.settle().await;
    for task in store.unswept(setting.account, domain::period::PeriodNumber::FIRST).await.unwrap() {
        store.sweep(task, setting.now(), || true).await.unwrap();
    }
    setting.settle().await;
    assert_eq!(setting.state(ada).await, EffectiveState::NonMarketing);
    assert_eq!(setting.counts(automation.id).await, RunCounts::default());
}

#[tokio::test]
async fn edited_filter_or_segment_enrols_no_contact() {
    let setting = Setting::start().await;
    let segment = setting.segment(SegmentContent::Filter(property("city", "Rome"))).await;
    let by_segment = NewAutomation { trigger: Trigger::Segment(segment), ..romans() };
    let by_segment = setting.create(&by_segment).await;
    let by_filter = setting.create(&romans()).await;
    let ada = setting.save("ada@example.org", &[("city", "Milan")]).await;
    setting.settle().await;
    let told = Told::<Segment>::new();
    let render = told.render();
    let change = UpdateSegment { filter: Some(property("city", "Milan")), ..UpdateSegment::default() };
    let (store, now) = (&setting.table.store, setting.now());
    store
        .update_segment(setting.account, segment, &change, now, Responder::new(None, &render))
        .await
        .unwrap();
    let trigger = Some(Trigger::Filter(property("city", "Milan")));
    let change = UpdateAutomation { trigger, ..UpdateAutomation::default() };
    setting.update(by_filter.id, &change).await.unwrap();
    setting.settle().await;
    setting.save("ada@example.org", &[("title", "Ms")]).await;
    setting.settle().await;
    assert_eq!(setting.state(ada).await, EffectiveState::NonMarketing, "then or at the next change (2)");
    let eve = setting.save("eve@example.org", &[("city", "Milan")]).await;
    setting.settle().await;
    assert_eq!(setting.state(eve).await, EffectiveState::Marketing, "the new filter counts from now on");
    assert_eq!(setting.counts(by_segment.id).await.turns() + setting.counts(by_filter.id).await.turns(), 2);
}

#[tokio::test]
async fn submission_enrols_once_and_a_repeat_never() {
    for re_enrol in [false, true] {
        let setting = Setting::start().await;
        let form = setting.form(false).await;
        let trigger = Trigger::Forms(BTreeSet::from([form]));
        let queue = Command::SetNonMarketingPending;
        let automation =
            setting.create(&NewAutomation { trigger, re_enrol, action: queue, ..romans() }).await;
        let ada = setting.save("ada@example.org", &[("city", "Rome")]).await;
        let store = &setting.table.store;
        let marketing = async || {
            set(store, setting.account, Command::SetMarketing, &[ada], setting.now()).await.unwrap();
        };
        marketing().await;
        // The contact has these answers already, and the submission has no id.
        setting.submit(form, "ada@example.org", None, "Rome").await;
        setting.settle_with(|records| [records.clone(), records].concat()).await;
        assert_eq!(setting.state(ada).await, EffectiveState::Leaving, "the submission is the trigger");
        marketing().await;
        setting.submit(form, "ada@example.org", Some("s-1"), "Rome").await;
        setting.settle_with(|records| [records.clone(), records].concat()).await;
        let again = if re_enrol { EffectiveState::Leaving } else { EffectiveState::Marketing };
        assert_eq!(setting.state(ada).await, again, "a later submission");
        marketing().await;
        assert!(setting.submit(form, "ada@example.org", Some("s-1"), "Rome").await.duplicate);
        setting.settle().await;
        assert_eq!(setting.state(ada).await, EffectiveState::Marketing, "a repeat of a delivery");
        assert_eq!(setting.counts(automation.id).await.queued, if re_enrol { 2 } else { 1 });
    }
}

#[tokio::test]
async fn new_member_of_a_list_is_enrolled_once() {
    for re_enrol in [false, true] {
        let setting = Setting::start().await;
        let list = setting.list().await;
        let ada = setting.save("ada@example.org", &[]).await;
        let trigger = Trigger::Segment(list);
        let automation = setting.create(&NewAutomation { trigger, re_enrol, ..romans() }).await;
        let store = &setting.table.store;
        setting.change_members(list, &[ada], &[]).await;
        setting.settle_with(|records| [records.clone(), records].concat()).await;
        assert_eq!(setting.state(ada).await, EffectiveState::Marketing);
        set(store, setting.account, Command::SetNonMarketingPending, &[ada], setting.now()).await.unwrap();
        setting.change_members(list, &[], &[ada]).await;
        setting.change_members(list, &[ada], &[]).await;
        setting.settle().await;
        let expected = if re_enrol { EffectiveState::Marketing } else { EffectiveState::Leaving };
        assert_eq!(setting.state(ada).await, expected);
        let counts = setting.counts(automation.id).await;
        assert_eq!((counts.set, counts.kept), (1, u64::from(re_enrol)));
        // A contact that left the list while it waited has no turn.
        let eve = setting.save("eve@example.org", &[]).await;
        setting.change_members(list, &[eve], &[]).await;
        setting.change_members(list, &[], &[eve]).await;
        setting.settle().await;
        assert_eq!(setting.counts(automation.id).await.no_longer_matches, 1);
    }
}

#[tokio::test]
async fn contact_that_comes_back_is_enrolled_again_if_asked() {
    for re_enrol in [false, true] {
        let setting = Setting::start().await;
        let automation = setting.create(&NewAutomation { re_enrol, ..romans() }).await;
        let ada = setting.save("ada@example.org", &[("city", "Rome")]).await;
        setting.settle().await;
        for _ in 0..2 {
            let store = &setting.table.store;
            set(store, setting.account, Command::SetNonMarketingPending, &[ada], setting.now())
                .await
                .unwrap();
            setting.save("ada@example.org", &[("city", "Milan")]).await;
            setting.save("ada@example.org", &[("city", "Rome")]).await;
            setting.settle_with(|records| [records.clone(), records].concat()).await;
        }
        let counts = setting.counts(automation.id).await;
        assert_eq!((counts.set, counts.kept), (1, if re_enrol { 2 } else { 0 }));
    }
}

#[tokio::test]
async fn contact_that_comes_back_while_it_waits_has_one_turn() {
    let setting = Setting::start().await;
    let new = NewAutomation { re_enrol: true, max_per_day: Some(1), ..romans() };
    let automation = setting.create(&new).await;
    setting.save("first@example.org", &[("city", "Rome")]).await;
    setting.settle().await;
    let ada = setting.save("ada@example.org", &[("city", "Rome")]).await;
    setting.settle().await;
    for city in ["Milan", "Rome", "Milan", "Rome"] {
        setting.save("ada@example.org", &[("city", city)]).await;
        setting.settle().await;
    }
    assert_eq!(setting.waiting(automation.id).await, 3);
    setting.pass(TimeDelta::days(1));
    setting.tick().await;
    assert_eq!(setting.state(ada).await, EffectiveState::Marketing);
    assert_eq!(
        (setting.counts(automation.id).await, setting.waiting(automation.id).await),
        (set_counts(1), 0)
    );
}

#[tokio::test]
async fn automations_in_a_ring_have_one_turn_for_one_change() {
    let setting = Setting::start().await;
    let billable = |is: &str| {
        Trigger::Filter(
            Filter::new(vec![vec![
                Condition::new("hs_marketable_until_renewal", "EQ", Some(is), None, None).unwrap(),
                Condition::new("city", "EQ", Some("Rome"), None, None).unwrap(),
            ]])
            .unwrap(),
        )
    };
    let keeps = NewAutomation { trigger: billable("true"), re_enrol: true, ..romans() };
    let queues = NewAutomation {
        trigger: billable("false"),
        re_enrol: true,
        action: Command::SetNonMarketingPending,
        ..romans()
    };
    let (keeps, queues) = (setting.create(&keeps).await, setting.create(&queues).await);
    let ada = setting.save("ada@example.org", &[("city", "Milan")]).await;
    let store = &setting.table.store;
    set(store, setting.account, Command::SetMarketing, &[ada], setting.now()).await.unwrap();
    for turns in 1..=2 {
        setting.save("ada@example.org", &[("city", "Rome")]).await;
        setting.settle_with(|records| [records.clone(), records].concat()).await;
        let (kept, queued) = (setting.counts(keeps.id).await.kept, setting.counts(queues.id).await.queued);
        assert_eq!((kept, queued), (turns, turns), "each one turn for one change from outside (3)");
        setting.save("ada@example.org", &[("city", "Milan")]).await;
    }
    for (one, other) in [(&keeps, &queues), (&queues, &keeps)] {
        let runs = store.automation_runs(setting.account, one.id, None, 10).await.unwrap().items;
        assert_eq!(runs[0].ended_by, [other.id], "each is named in the other's run");
    }
}

#[tokio::test]
async fn deleted_contact_that_returns_is_a_new_one() {
    let setting = Setting::start().await;
    let automation = setting.create(&romans()).await;
    let ada = setting.save("ada@example.org", &[("city", "Rome")]).await;
    setting.settle().await;
    delete(&setting.table.store, setting.account, ada, false, setting.now()).await.unwrap();
    setting.settle().await;
    let again = setting.save("ada@example.org", &[("city", "Rome")]).await;
    setting.settle().await;
    assert_eq!((again, setting.state(again).await), (ada, EffectiveState::Marketing));
    let counts = setting.counts(automation.id).await;
    assert_eq!((counts.set, counts.kept), (1, 1), "enrolled, and its place in the usage is the old one (3)");
    assert_exact(&setting.table, setting.account, setting.now()).await;
}

#[tokio::test]
async fn budget_keeps_the_rest_for_the_next_day_in_order() {
    let setting = Setting::start().await;
    let automation = setting.create(&NewAutomation { max_per_day: Some(3), ..romans() }).await;
    let mut contacts = Vec::new();
    for n in 0..8 {
        contacts.push(setting.save(&format!("p{n}@example.org"), &[("city", "Rome")]).await);
    }
    let set_so_far = async || {
        let mut set = Vec::new();
        for id in &contacts {
            set.push(setting.state(*id).await == EffectiveState::Marketing);
        }
        set.iter().take_while(|set| **set).count()
    };
    setting.settle().await;
    setting.tick().await;
    assert_eq!((set_so_far().await, setting.waiting(automation.id).await), (3, 5));
    // A budget that is raised at noon counts now, by what is left of it.
    let change = UpdateAutomation { max_per_day: Patch::Set(4), ..UpdateAutomation::default() };
    setting.update(automation.id, &change).await.unwrap();
    setting.settle().await;
    assert_eq!(set_so_far().await, 4);
    setting.pass(TimeDelta::hours(11));
    setting.tick().await;
    assert_eq!(set_so_far().await, 4, "23:00 of the account's day");
    setting.pass(TimeDelta::hours(2));
    setting.tick().await;
    assert_eq!(set_so_far().await, 8);
    let runs = setting.table.store.automation_runs(setting.account, automation.id, None, 10).await.unwrap();
    let by_day: Vec<u64> = runs.items.iter().map(|run| run.counts.set).collect();
    assert_eq!(by_day, [4, 4], "the latest day first");
    assert_exact(&setting.table, setting.account, setting.now()).await;
}

#[tokio::test]
async fn thousand_contacts_in_a_minute_are_set_by_the_hundred() {
    let setting = Setting::start().await;
    let automation = setting.create(&NewAutomation { max_per_day: Some(100), ..romans() }).await;
    for n in 0..1_000 {
        setting.save(&format!("p{n}@example.org"), &[("city", "Rome")]).await;
    }
    setting.settle().await;
    assert_eq!(setting.counts(automation.id).await, set_counts(100));
    assert_eq!(setting.waiting(automation.id).await, 900);
    for day in 1..=2 {
        setting.pass(TimeDelta::days(1));
        setting.tick().await;
        assert_eq!(setting.counts(automation.id).await, set_counts(100));
        assert_eq!(setting.waiting(automation.id).await, 900 - 100 * day);
    }
    assert_exact(&setting.table, setting.account, setting.now()).await;
}

#[tokio::test]
async fn only_changed_contacts_draw_on_the_budget() {
    let setting = Setting::start().await;
    let automation = setting.create(&NewAutomation { max_per_day: Some(1), ..romans() }).await;
    let store = &setting.table.store;
    let was_set = setting.save("was@example.org", &[]).await;
    set(store, setting.account, Command::SetMarketing, &[was_set], setting.now()).await.unwrap();
    let gone = setting.save("gone@example.org", &[("city", "Rome")]).await;
    delete(store, setting.account, gone, false, setting.now()).await.unwrap();
    setting.save("left@example.org", &[("city", "Rome")]).await;
    setting.save("left@example.org", &[("city", "Milan")]).await;
    setting.save("was@example.org", &[("city", "Rome")]).await;
    let ada = setting.save("ada@example.org", &[("city", "Rome")]).await;
    setting.settle().await;
    let expected = RunCounts { set: 1, unchanged: 1, gone: 1, no_longer_matches: 1, ..RunCounts::default() };
    assert_eq!(setting.counts(automation.id).await, expected, "outcomes of contacts that waited (5)");
    assert_eq!(setting.state(ada).await, EffectiveState::Marketing);
}

#[tokio::test]
async fn refused_contacts_are_one_line_of_the_run() {
    let setting = Setting::start().await;
    let store = &setting.table.store;
    super::bulk::set_cap(store, setting.account, 2).await;
    let automation = setting.create(&romans()).await;
    for n in 0..60 {
        setting.save(&format!("p{n}@example.org"), &[("city", "Rome")]).await;
    }
    setting.settle().await;
    let refused_by = [(Refusal::CapReached, 58)].into();
    assert_eq!(setting.counts(automation.id).await, RunCounts { set: 2, refused_by, ..RunCounts::default() });
    assert_eq!(setting.waiting(automation.id).await, 0);
    assert_exact(&setting.table, setting.account, setting.now()).await;
}

#[tokio::test]
async fn brake_pauses_and_keeps_who_waits() {
    let setting = Setting::start().await;
    let automation = setting.create(&NewAutomation { pause_above: Some(5), ..romans() }).await;
    for n in 0..8 {
        setting.save(&format!("p{n}@example.org"), &[("city", "Rome")]).await;
    }
    setting.settle().await;
    let store = &setting.table.store;
    let paused = store.automation(setting.account, automation.id).await.unwrap();
    assert_eq!(paused.state, AutomationState::Paused);
    assert!(paused.paused.is_some_and(|pause| pause.enrolled > 5));
    assert_eq!(
        (setting.counts(automation.id).await, setting.waiting(automation.id).await),
        (set_counts(5), 3)
    );
    // It stays paused, and enrols.
    setting.pass(TimeDelta::hours(2));
    setting.save("later@example.org", &[("city", "Rome")]).await;
    setting.settle().await;
    setting.tick().await;
    assert_eq!(
        (setting.counts(automation.id).await, setting.waiting(automation.id).await),
        (set_counts(5), 4)
    );
    let report = setting.resume(automation.id, Waiting::Keep).await.unwrap();
    assert_eq!(report.automation.state, AutomationState::Enabled);
    setting.settle().await;
    assert_eq!(
        (setting.counts(automation.id).await, setting.waiting(automation.id).await),
        (set_counts(9), 0)
    );
    // The brake counts anew.
    for n in 0..6 {
        setting.save(&format!("q{n}@example.org"), &[("city", "Rome")]).await;
    }
    setting.settle().await;
    assert_eq!(
        (setting.counts(automation.id).await, setting.waiting(automation.id).await),
        (set_counts(14), 1)
    );
    let report = setting.resume(automation.id, Waiting::Drop).await.unwrap();
    assert_eq!((report.dropped, setting.waiting(automation.id).await), (Some(1), 0));
    let refused = setting.resume(automation.id, Waiting::Keep).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::NotPaused))));
}

#[tokio::test]
async fn slow_stream_of_contacts_meets_the_last_hour() {
    let setting = Setting::start().await;
    let automation = setting.create(&NewAutomation { pause_above: Some(30), ..romans() }).await;
    for n in 0..29 {
        setting.save(&format!("p{n}@example.org"), &[("city", "Rome")]).await;
        setting.settle().await;
        setting.pass(TimeDelta::minutes(3));
    }
    let state = async || setting.table.store.automation(setting.account, automation.id).await.unwrap().state;
    assert_eq!(state().await, AutomationState::Enabled, "20 in an hour");
    for n in 0..30 {
        setting.save(&format!("q{n}@example.org"), &[("city", "Rome")]).await;
    }
    setting.settle().await;
    assert_eq!(state().await, AutomationState::Paused, "around the hour");
}

#[tokio::test]
async fn contacts_that_wait_for_the_budget_trip_the_brake() {
    let setting = Setting::start().await;
    let new = NewAutomation { pause_above: Some(5), max_per_day: Some(2), ..romans() };
    let automation = setting.create(&new).await;
    for n in 0..6 {
        setting.save(&format!("p{n}@example.org"), &[("city", "Rome")]).await;
    }
    setting.settle().await;
    let paused = setting.table.store.automation(setting.account, automation.id).await.unwrap();
    assert_eq!((paused.state, setting.waiting(automation.id).await), (AutomationState::Paused, 4));
    // A pause is ended by a person only, or with what waits.
    let report = setting.switch(automation.id, false).await;
    assert_eq!((report.dropped, report.automation.state), (Some(4), AutomationState::Disabled));
    let report = setting.switch(automation.id, true).await;
    assert_eq!(report.automation.state, AutomationState::Enabled);
    setting.settle().await;
    assert_eq!(
        (setting.counts(automation.id).await, setting.waiting(automation.id).await),
        (set_counts(2), 0)
    );
}

#[tokio::test]
async fn used_form_and_segment_cannot_be_deleted() {
    let setting = Setting::start().await;
    let (form, list) = (setting.form(false).await, setting.list().await);
    let by_form = NewAutomation { trigger: Trigger::Forms(BTreeSet::from([form])), ..romans() };
    let by_form = setting.create(&by_form).await;
    let by_list = setting.create(&NewAutomation { trigger: Trigger::Segment(list), ..romans() }).await;
    let told = Told::<()>::new();
    let render = told.render();
    let responder = Responder::new(None, &render);
    let store = &setting.table.store;
    let refused = store.delete_form(setting.account, form, setting.now(), responder).await;
    let named =
        |automation: &Automation, what| Refused::InUse { what, automation: automation.id.to_string() };
    assert!(matches!(refused, Err(StoreError::Refused(found)) if found == named(&by_form, "form")));
    let refused = store.delete_segment(setting.account, list, user(), setting.now(), responder).await;
    assert!(matches!(refused, Err(StoreError::Refused(found)) if found == named(&by_list, "segment")));
    // Another trigger or the deletion of the automation frees them.
    let trigger = Some(Trigger::Filter(property("city", "Rome")));
    let change = UpdateAutomation { trigger, ..UpdateAutomation::default() };
    setting.update(by_form.id, &change).await.unwrap();
    store.delete_automation(setting.account, by_list.id, setting.now(), responder).await.unwrap();
    store.delete_form(setting.account, form, setting.now(), responder).await.unwrap();
    store.delete_segment(setting.account, list, user(), setting.now(), responder).await.unwrap();
    let unknown = NewAutomation { trigger: Trigger::Segment(list), ..romans() };
    let refused = setting.try_create(&unknown).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::Invalid { field: "enrol.segment_id", .. }))));
}

#[tokio::test]
async fn deleted_automation_leaves_nothing_behind() {
    let setting = Setting::start().await;
    let automation = setting.create(&NewAutomation { max_per_day: Some(1), ..romans() }).await;
    for n in 0..150 {
        setting.save(&format!("p{n}@example.org"), &[("city", "Rome")]).await;
    }
    setting.settle().await;
    let told = Told::<()>::new();
    let render = told.render();
    let responder = Responder::new(None, &render);
    let store = &setting.table.store;
    store.delete_automation(setting.account, automation.id, setting.now(), responder).await.unwrap();
    setting.settle().await;
    let scan = setting.table.client.scan().table_name(testkit::TABLE).send().await.unwrap();
    let of_it = scan.items().iter().filter(|item| {
        item["pk"].as_s().unwrap().contains(&automation.id.to_string())
            || item["sk"].as_s().unwrap().contains(&automation.id.to_string())
    });
    assert_eq!(of_it.count(), 0);
    // Records that come late wake nothing.
    setting.save("late@example.org", &[("city", "Rome")]).await;
    setting.settle().await;
    assert!(matches!(
        store.automation(setting.account, automation.id).await,
        Err(StoreError::Refused(Refused::NotFound("automation")))
    ));
}

#[tokio::test]
async fn sandbox_budget_follows_its_own_clock() {
    let table = TestTable::with_stream().await;
    let now: Timestamp = START.parse().unwrap();
    let clock: Timestamp = "2030-03-05T12:00:00.000Z".parse().unwrap();
    let terms = domain::period::Terms { test_clock: Some(clock), ..testkit::terms() };
    let account = table.account_with(terms, now).await;
    let setting = Setting::over(table, account, now);
    let before = setting.save("before@example.org", &[("city", "Rome")]).await;
    let automation = setting.create(&NewAutomation { max_per_day: Some(1), ..romans() }).await;
    for n in 0..3 {
        setting.save(&format!("p{n}@example.org"), &[("city", "Rome")]).await;
    }
    setting.settle().await;
    assert_eq!(setting.state(before).await, EffectiveState::NonMarketing, "at the same instant of its clock");
    assert_eq!(
        (setting.counts(automation.id).await, setting.waiting(automation.id).await),
        (set_counts(1), 2)
    );
    setting.pass(TimeDelta::days(3));
    setting.tick().await;
    assert_eq!(setting.waiting(automation.id).await, 2, "the wall clock does not matter");
    for left in [1, 0] {
        let to = setting.table.store.usage(account, setting.now()).await.unwrap().test_clock.unwrap();
        let told = Told::new();
        let render = told.render();
        let responder = Responder::new(None, &render);
        let (store, to) = (&setting.table.store, to.plus(TimeDelta::days(1)));
        store.advance_test_clock(account, to, setting.now(), responder).await.unwrap();
        setting.settle().await;
        assert_eq!(setting.waiting(automation.id).await, left);
    }
}

#[tokio::test]
async fn trial_says_who_would_be_enrolled_and_how_many() {
    let setting = Setting::start().await;
    let ada = setting.save("ada@example.org", &[("city", "Rome")]).await;
    let eve = setting.save("eve@example.org", &[("city", "Milan")]).await;
    let automation = setting.create(&romans()).await;
    let asked = [ContactRef::Id(ada), ContactRef::Id(eve), ContactRef::Unknown];
    let (store, now) = (&setting.table.store, setting.now());
    let trial = store.try_automation(setting.account, automation.id, &asked, now, || true).await.unwrap();
    let matches: Vec<_> = trial.results.iter().flatten().map(|result| result.matches).collect();
    assert_eq!((matches, trial.results[2].is_none()), (vec![Some(true), Some(false)], true));
    let forecast = trial.forecast.unwrap();
    assert_eq!((forecast.matched, forecast.would.set), (1, 1));
    setting.settle().await;
    assert_eq!(setting.state(ada).await, EffectiveState::NonMarketing, "a trial changes nothing");
}
