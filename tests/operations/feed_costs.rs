//! Costs of the change feed and of automations, as exact counts of capacity units.
//!
//! The stream itself costs no units of the table. A request never waits for any of these.

use domain::automation::Trigger;
use domain::decision::Command;
use domain::ids::ContactId;
use store::{AutomationTask, NewAutomation};

use super::automations::{Setting, property, romans};
use super::set;

/// Read and write units: of the feed, and of the automations that had something to do.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Cost {
    feed: (f64, f64),
    turns: (f64, f64),
}

fn feed(read: f64, write: f64) -> Cost {
    Cost { feed: (read, write), turns: (0.0, 0.0) }
}

/// Returns the units that followed from the records of the stream, until nothing followed any more.
async fn followed(setting: &Setting) -> Cost {
    let recorder = &setting.table.recorder;
    let units = || {
        let units = recorder.units();
        (units.read, units.write)
    };
    let mut cost = feed(0.0, 0.0);
    loop {
        let records = setting.table.records().await;
        if records.is_empty() {
            return cost;
        }
        recorder.reset();
        let followed = setting.table.store.follow(records, setting.now()).await;
        assert!(followed.failed.is_empty(), "{:?}", followed.failed);
        let ((read, write), (earlier_read, earlier_write)) = (units(), cost.feed);
        cost.feed = (earlier_read + read, earlier_write + write);
        recorder.reset();
        let tasks: Vec<AutomationTask> = followed.tasks;
        for task in tasks {
            setting.work(task).await;
        }
        let ((read, write), (earlier_read, earlier_write)) = (units(), cost.turns);
        cost.turns = (earlier_read + read, earlier_write + write);
    }
}

/// Creates contacts, and returns them with what followed from them.
async fn created(setting: &Setting, numbers: std::ops::Range<usize>, city: &str) -> (Vec<ContactId>, Cost) {
    let mut ids = Vec::new();
    for number in numbers {
        ids.push(setting.save(&format!("p{number}@example.org"), &[("city", city)]).await);
    }
    (ids, followed(setting).await)
}

#[tokio::test]
async fn change_without_automations_costs_one_read_and_its_items() {
    let setting = Setting::start().await;
    followed(&setting).await;
    // The history's item is one write, and the query for automations one read.
    let (ids, cost) = created(&setting, 0..1, "Rome").await;
    assert_eq!(cost, feed(1.0, 1.0));
    setting.save("p0@example.org", &[("city", "Lima")]).await;
    assert_eq!(followed(&setting).await, feed(1.0, 1.0));
    // A state is no property. The day of the timeline is read and written.
    let (store, now) = (&setting.table.store, setting.now());
    set(store, setting.account, Command::SetMarketing, &ids, now).await.unwrap();
    assert_eq!(followed(&setting).await, feed(2.0, 1.0));
}

#[tokio::test]
async fn full_transaction_is_followed_by_one_day_of_the_timeline() {
    let setting = Setting::start().await;
    let (ids, _) = created(&setting, 0..98, "Rome").await;
    let (store, now) = (&setting.table.store, setting.now());
    set(store, setting.account, Command::SetMarketing, &ids, now).await.unwrap();
    assert_eq!(followed(&setting).await, feed(2.0, 1.0));
}

#[tokio::test]
async fn automation_that_does_not_match_costs_one_more_read() {
    let setting = Setting::start().await;
    setting.create(&romans()).await;
    let (_, without) = created(&setting, 0..1, "Lima").await;
    assert_eq!(without, feed(2.0, 1.0));
    let trigger = Trigger::Filter(property("city", "Delft"));
    setting.create(&NewAutomation { trigger, ..romans() }).await;
    let (_, with_two) = created(&setting, 1..2, "Lima").await;
    assert_eq!(with_two, without, "the automations of an account are read at once");
}

#[tokio::test]
async fn turn_of_one_contact_costs_what_its_items_cost() {
    let setting = Setting::start().await;
    setting.create(&romans()).await;
    followed(&setting).await;
    let (_, cost) = created(&setting, 0..1, "Rome").await;
    // The transaction changes the contact, its enrolment, the period, the run and the state. The place in the queue is
    // deleted after it. The worker's lease and the end of its work change an index too.
    assert_eq!(cost, Cost { feed: (5.0, 5.0), turns: (15.0, 17.0) });
}

#[tokio::test]
async fn turns_of_many_contacts_share_the_other_items() {
    let setting = Setting::start().await;
    setting.create(&romans()).await;
    followed(&setting).await;
    let (_, cost) = created(&setting, 0..100, "Rome").await;
    // A contact adds two writes of the feed, and two reads and five writes of its turn.
    assert_eq!(cost, Cost { feed: (5.0, 203.0), turns: (231.0, 524.0) });
}
