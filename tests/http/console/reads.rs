//! The reads of each page: the session, then what the page shows and no more.

use serde_json::json;
use testkit::Units;

use super::{Browser, id};
use crate::http::one_account;

/// The pages over 120 contacts, each with its calls and its read units. A session is one read, and the user, the token,
/// the account and the period are one batch.
const READS: [(&str, u32, f64); 23] = [
    ("/console", 14, 19.0),
    ("/console/usage", 10, 15.0),
    ("/console/contacts", 21, 24.0),
    ("/console/contacts?segment={segment}", 21, 24.0),
    ("/console/contacts/{contact}", 3, 7.0),
    ("/console/contacts/{contact}/values", 5, 10.0),
    ("/console/segments", 3, 6.0),
    ("/console/segments/{segment}", 3, 6.0),
    ("/console/review", 2, 5.0),
    ("/console/forms", 6, 11.0),
    ("/console/forms/{form}", 6, 11.0),
    ("/console/automations", 5, 8.0),
    ("/console/imports", 3, 6.0),
    ("/console/imports/new", 3, 6.0),
    ("/console/imports/{import}", 3, 6.0),
    ("/console/imports/{import}/progress", 3, 6.0),
    ("/console/exports", 3, 6.0),
    ("/console/exports/{export}", 3, 6.0),
    ("/console/jobs", 3, 6.0),
    ("/console/jobs/{job}", 3, 6.0),
    ("/console/jobs/{job}/progress", 3, 6.0),
    ("/console/statements", 4, 7.0),
    ("/console/settings", 4, 7.0),
];

#[tokio::test(start_paused = true)]
async fn page_reads_what_it_shows_and_writes_nothing() {
    let (api, account) = one_account(json!({})).await;
    let mut contacts = Vec::new();
    for n in 0..120 {
        let body = json!({"email": format!("p{n}@example.org"), "marketing": n % 2 == 0});
        contacts.push(api.contact(&account.token, body).await);
    }
    let create = async |path: &str, body| api.post(path).token(&account.token).json(&body).await.json();
    let segment = id(&create("/v1/segments", json!({"name": "All", "filterGroups": []})).await);
    let form = id(&create("/v1/forms", json!({"name": "Newsletter"})).await);
    let trigger = json!({"segment_id": segment});
    let automation = json!({"name": "All", "action": "set-marketing", "enrol": trigger});
    let _ = create("/v1/automations", automation).await;
    let selection = json!({"contacts": [{"id": contacts[0]}]});
    let job =
        id(&create("/v1/bulk/jobs", json!({"action": "set-marketing", "selection": selection})).await["job"]);
    api.work_on_bulk_jobs().await;
    let import = id(&create("/v1/imports", json!({"name": "spring.csv"})).await);
    let _ = api.post(&format!("/v1/imports/{import}/cancel")).token(&account.token).await.expect(200);
    let export = id(&create("/v1/exports", json!({"selection": {"filterGroups": []}})).await);
    let browser = Browser::signed_in(&api, &account.token).await;
    let mut found = Vec::new();
    for (page, ..) in READS {
        let ids = [
            ("{segment}", &segment),
            ("{contact}", &contacts[0]),
            ("{form}", &form),
            ("{job}", &job),
            ("{import}", &import),
            ("{export}", &export),
        ];
        let path = ids.into_iter().fold(page.to_owned(), |path, (name, id)| path.replace(name, id));
        api.table.recorder.reset();
        let _ = browser.page(&path).await;
        let Units { read, write } = api.table.recorder.units();
        assert_eq!(write, 0.0, "{page} writes");
        found.push((page, api.table.recorder.calls().values().sum::<u32>(), read));
    }
    assert_eq!(found, READS);
}
