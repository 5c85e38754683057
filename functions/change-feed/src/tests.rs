use std::future::ready;
use std::sync::{Arc, Mutex};

use domain::ids::{AccountId, AutomationId};
use serde_json::json;
use store::StoreError;

use super::*;

fn event(records: &serde_json::Value) -> Event {
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

fn task(number: u128) -> AutomationTask {
    let now = Timestamp::from_millis(1_800_000_000_000);
    AutomationTask { account: AccountId::new(now, 1), automation: AutomationId::new(now, number) }
}

/// Creates a queue, and the list of the tasks that it accepted. A full queue accepts none.
fn queue(is_full: bool) -> (Queue<AutomationTask>, Arc<Mutex<Vec<AutomationTask>>>) {
    let accepted = Arc::<Mutex<Vec<AutomationTask>>>::default();
    let into = accepted.clone();
    let queue = Queue::new(move |tasks| {
        if is_full {
            return ready(Err("the queue is full".into()));
        }
        into.lock().unwrap().extend(tasks);
        ready(Ok(()))
    });
    (queue, accepted)
}

fn followed(failed: &[&str], tasks: Vec<AutomationTask>) -> Followed {
    let failed =
        failed.iter().map(|number| ((*number).to_owned(), StoreError::Fault("broken".to_owned(), None)));
    Followed { failed: failed.collect(), tasks }
}

fn numbers() -> Vec<String> {
    ["1", "2", "3"].map(str::to_owned).into()
}

#[test]
fn images_of_every_type_are_converted() {
    let item = json!({"pk": {"S": "a"}, "n": {"N": "1.50"}, "b": {"B": "AAEC"}, "yes": {"BOOL": true},
        "none": {"NULL": true}, "list": {"L": [{"S": ""}]}, "map": {"M": {"x": {"N": "1"}}},
        "texts": {"SS": ["b", "a"]}, "numbers": {"NS": ["2", "1"]}, "bytes": {"BS": ["AA=="]}});
    let change = json!({"awsRegion": "eu-central-1", "eventID": "1", "eventName": "MODIFY", "eventSource":
        "aws:dynamodb", "dynamodb": {"ApproximateCreationDateTime": 1_785_077_169, "Keys": {"pk": {"S": "a"}},
        "OldImage": {"pk": {"S": "a"}}, "NewImage": item, "SequenceNumber": "100000000000000000001",
        "SizeBytes": 59, "StreamViewType": "NEW_AND_OLD_IMAGES"}});
    let [record] = &records(event(&json!([change])))[..] else { panic!("one record") };
    assert_eq!(record.sequence_number, "100000000000000000001");
    assert_eq!(record.old.as_ref().unwrap().len(), 1);
    let new = record.new.as_ref().unwrap();
    assert_eq!(new.len(), 10);
    assert_eq!(new["n"].as_n().unwrap(), "1.50");
    assert_eq!(new["b"].as_b().unwrap().as_ref(), [0, 1, 2]);
    assert_eq!(new["list"].as_l().unwrap()[0].as_s().unwrap(), "");
    assert_eq!(new["map"].as_m().unwrap()["x"].as_n().unwrap(), "1");
    assert_eq!(new["numbers"].as_ns().unwrap(), &["2", "1"]);
}

#[test]
fn record_as_the_command_line_prints_it_is_read() {
    // The remedy of `infra/README.md` removes the time, which the command line prints in another format.
    let printed = json!({"eventID": "1", "eventName": "REMOVE", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1", "dynamodb": {"Keys": {"pk": {"S": "a"}}, "OldImage": {"pk": {"S": "a"}},
        "SequenceNumber": "2", "SizeBytes": 9, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        "userIdentity": {"principalId": "dynamodb.amazonaws.com", "type": "Service"}});
    let [record] = &records(event(&json!([printed])))[..] else { panic!("one record") };
    assert!(record.old.is_some() && record.new.is_none());
}

#[tokio::test]
async fn automation_of_several_records_is_queued_once() {
    let (queue, accepted) = queue(false);
    let tasks = vec![task(2), task(1), task(2)];
    assert_eq!(settle(numbers(), followed(&[], tasks), &queue).await, [""; 0]);
    assert_eq!(*accepted.lock().unwrap(), [task(1), task(2)]);
}

#[tokio::test]
async fn failed_record_does_not_hold_back_the_automations() {
    let (queue, accepted) = queue(false);
    assert_eq!(settle(numbers(), followed(&["2"], vec![task(1)]), &queue).await, ["2"]);
    assert_eq!(*accepted.lock().unwrap(), [task(1)]);
}

#[tokio::test]
async fn refused_automations_fail_all_records() {
    let (queue, _) = queue(true);
    assert_eq!(settle(numbers(), followed(&["2"], vec![task(1)]), &queue).await, numbers());
    assert_eq!(settle(numbers(), followed(&["2"], vec![]), &queue).await, ["2"], "nothing had to be sent");
}
