//! The time from a change to what follows from it through the change feed, in the local stack.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::report::{Row, row};
use crate::sample::Sample;
use crate::throughput::{build, start};

/// The pause between two looks. It limits the work that the looks cause beside the feed.
const LOOK: Duration = Duration::from_millis(1);
/// The time after which an effect counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures the time until a change is in the contact's history, until a job's end is among the account's events, and
/// until an automation has set a contact.
pub async fn measure(rounds: usize) {
    let (_process, caller) = start(&build());
    let filter = json!([{"filters": [{"propertyName": "city", "operator": "EQ", "value": "Rome"}]}]);
    let automation = json!({
        "name": "Romans", "enabled": true, "action": "set-marketing", "enrol": {"filterGroups": filter},
    });
    caller.send("POST", "/v1/automations", &automation).await;
    let [mut history, mut events, mut turns] = [(); 3].map(|()| Sample::default());
    for round in 0..rounds {
        history.add(until_recorded(&caller, round).await);
        events.add(until_told(&caller, round).await);
        turns.add(until_set(&caller, round).await);
    }
    print("A change until its event is stored: a finished job", &mut events);
    print("A change until it is in the history of properties", &mut history);
    print("A created contact until an automation has set it", &mut turns);
}

fn print(what: &str, sample: &mut Sample) {
    let (median, slow) = (sample.median(), sample.millis(0.99));
    row(&Row::new(what, format!("{median:.1} (p99 {slow:.1})"), "ms"));
}

/// Looks at a path until its response is as wanted. Returns the time since `begun`.
async fn look(caller: &Caller, path: &str, begun: Instant, is_there: impl Fn(&Value) -> bool) -> Duration {
    loop {
        if is_there(&caller.send("GET", path, &Value::Null).await) {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < PATIENCE, "nothing followed: {path}");
        tokio::time::sleep(LOOK).await;
    }
}

async fn create(caller: &Caller, name: &str, round: usize, city: &str) -> String {
    let body = json!({"email": format!("{name}{round}@example.org"), "properties": {"city": city}});
    let created = caller.send("POST", "/v1/contacts", &body).await;
    created["id"].as_str().expect("an id").to_owned()
}

async fn until_recorded(caller: &Caller, round: usize) -> Duration {
    let id = create(caller, "recorded", round, "Lima").await;
    let path = format!("/v1/contacts/{id}/properties/history");
    let body = json!({"properties": {"city": "Delft"}});
    caller.send("PATCH", &format!("/v1/contacts/{id}"), &body).await;
    look(caller, &path, Instant::now(), |found| found["results"][0]["to"] == "Delft").await
}

async fn until_told(caller: &Caller, round: usize) -> Duration {
    // The clock of the demo account stands still, and events of one instant are in no order.
    let now = caller.send("GET", "/v1/account", &Value::Null).await["test_clock"].clone();
    let now: DateTime<Utc> = now.as_str().and_then(|now| now.parse().ok()).expect("an instant");
    let next = now + TimeDelta::seconds(1);
    caller.send("POST", "/v1/account/test-clock", &json!({"now": next.to_rfc3339()})).await;
    let id = create(caller, "told", round, "Lima").await;
    let body = json!({"action": "set-marketing", "selection": {"contacts": [{"id": id}]}});
    let job = caller.send("POST", "/v1/bulk/jobs", &body).await["job"]["id"].clone();
    let path = format!("/v1/bulk/jobs/{}", job.as_str().expect("an id"));
    look(caller, &path, Instant::now(), |job| job["state"] == "done").await;
    let path = "/v1/events?limit=1";
    look(caller, path, Instant::now(), |found| found["results"][0]["job_id"] == job).await
}

async fn until_set(caller: &Caller, round: usize) -> Duration {
    let id = create(caller, "set", round, "Rome").await;
    let is_set = |contact: &Value| contact["marketing"]["state"] == "marketing";
    look(caller, &format!("/v1/contacts/{id}"), Instant::now(), is_set).await
}
