//! `/v1/contacts/{id}/properties`: the history of a contact's properties, and its undoing.

use api::ProblemType;
use serde_json::{Value, json};
use testkit::{Api, Observer, Tenant};

use super::{START, column, one_account};

/// An account with a contact whose history is followed after each request.
struct Followed {
    api: Api,
    account: Tenant,
    contact: String,
    observer: Observer,
}

impl Followed {
    async fn start() -> Self {
        let (api, account) = one_account(json!({})).await;
        let mut observer = Observer::of(&api.table).await;
        let body = json!({"email": "ada@example.org", "properties": {"firstname": "Ada", "plan": "gold"}});
        let contact = api.contact(&account.token, body).await;
        observer.follow(&api.table, api.clock.now()).await;
        Self { api, account, contact, observer }
    }

    async fn follow(&mut self) {
        self.observer.follow(&self.api.table, self.api.clock.now()).await;
    }

    async fn change(&mut self, body: Value) {
        let path = format!("/v1/contacts/{}", self.contact);
        let _ = self.api.patch(&path).token(&self.account.token).json(&body).await.expect(200);
        self.follow().await;
    }

    /// Submits a form with the contact's address, as anybody may.
    async fn submit(&mut self, fields: Value) -> String {
        let body = json!({"name": "Newsletter", "set_marketing": false});
        let form = self.api.post("/v1/forms").token(&self.account.token).json(&body).await.expect(201);
        let form = form["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/forms/{form}/submissions");
        let _ = self.api.post(&path).json(&json!({"fields": fields})).await.expect(200);
        self.follow().await;
        form
    }

    async fn page(&self, query: &str) -> Value {
        let path = format!("/v1/contacts/{}/properties/history?{query}", self.contact);
        self.api.get(path.trim_end_matches('?')).token(&self.account.token).await.expect(200)
    }

    async fn history(&self) -> Value {
        self.page("").await["results"].clone()
    }

    async fn undo(&mut self, change: &str) -> Value {
        let path = format!("/v1/contacts/{}/properties/undo", self.contact);
        let body = json!({"change_id": change});
        let answer = self.api.post(&path).token(&self.account.token).json(&body).await.expect(200);
        self.follow().await;
        answer
    }
}

#[tokio::test(start_paused = true)]
async fn history_shows_each_value_with_its_cause() {
    let mut followed = Followed::start().await;
    followed
        .change(json!({"properties": {"plan": null, "lastname": "Lovelace"}, "unsubscribed": true}))
        .await;
    let form = followed.submit(json!({"email": "ada@example.org", "firstname": "Augusta"})).await;
    let history = followed.history().await;
    let shown: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
            format!("{} {} {} → {}", text("change_id"), text("property"), text("from"), text("to"))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "3 firstname Ada → Augusta",
            "2 lastname - → Lovelace",
            "2 plan gold → -",
            "2 unsubscribed false → true",
            "1 firstname - → Ada",
            "1 plan - → gold",
        ]
    );
    assert_eq!(history[0]["source"], json!({"type": "form", "name": "Newsletter", "id": form}));
    assert_eq!(history[0]["actor"], json!({"type": "form", "id": form}));
    assert_eq!((&history[1]["actor"]["type"], &history[1]["at"]), (&json!("user"), &json!(START)));
}

#[tokio::test(start_paused = true)]
async fn history_is_read_in_pages_of_any_size() {
    let mut followed = Followed::start().await;
    for plan in ["silver", "gold", "silver"] {
        followed.change(json!({"properties": {"plan": plan, "firstname": plan, "size": plan}})).await;
    }
    let whole = followed.history().await;
    assert_eq!(whole.as_array().unwrap().len(), 11);
    for limit in 1..=12 {
        let (mut read, mut query) = (Vec::new(), format!("limit={limit}"));
        loop {
            let page = followed.page(&query).await;
            let results = page["results"].as_array().unwrap();
            assert!(results.len() <= limit);
            read.extend(results.clone());
            let Some(after) = page["paging"]["next"]["after"].as_str() else { break };
            query = format!("limit={limit}&after={after}");
        }
        assert_eq!(&read, whole.as_array().unwrap(), "by {limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn submission_is_undone_where_its_values_are_still_there() {
    let mut followed = Followed::start().await;
    followed
        .submit(json!({"email": "ada@example.org", "firstname": "Mallory", "plan": "none", "note": "spam"}))
        .await;
    followed.change(json!({"properties": {"plan": "silver"}})).await;
    let answer = followed.undo("2").await;
    assert_eq!(answer["properties"], json!({"firstname": "Ada", "plan": "silver"}));
    assert_eq!(answer["left"], json!(["plan"]));
    let history = followed.history().await;
    assert_eq!(column(&history, "property")[..2], ["firstname", "note"], "the undoing is a change");
    assert_eq!(history[0]["actor"]["type"], "user");
    let again = followed.undo("2").await;
    assert_eq!(
        (&again["left"], &again["properties"]),
        (&json!(["firstname", "note", "plan"]), &answer["properties"])
    );
    let undone = history[0]["change_id"].as_str().unwrap().to_owned();
    let back = followed.undo(&undone).await;
    assert_eq!(back["properties"], json!({"firstname": "Mallory", "note": "spam", "plan": "silver"}));
}

#[tokio::test(start_paused = true)]
async fn undoing_leaves_the_address_and_the_flags() {
    let mut followed = Followed::start().await;
    followed
        .change(
            json!({"email": "countess@example.org", "unsubscribed": true, "properties": {"plan": "none"}}),
        )
        .await;
    let answer = followed.undo("2").await;
    assert_eq!((&answer["email"], &answer["unsubscribed"]), (&json!("countess@example.org"), &json!(true)));
    assert_eq!(
        (&answer["left"], &answer["properties"]["plan"]),
        (&json!(["email", "unsubscribed"]), &json!("gold"))
    );
}

#[tokio::test(start_paused = true)]
async fn unknown_change_or_contact_is_not_found() {
    let followed = Followed::start().await;
    let Followed { api, account, contact, .. } = &followed;
    let other = api.account(json!({})).await;
    let undo = format!("/v1/contacts/{contact}/properties/undo");
    for change in ["2", "0", "01", "-1", "1234567890123", "chg_1"] {
        let body = json!({"change_id": change});
        api.post(&undo).token(&account.token).json(&body).await.problem(ProblemType::NotFound);
    }
    let body = json!({"change_id": "1"});
    api.post(&undo).token(&other.token).json(&body).await.problem(ProblemType::NotFound);
    let history = format!("/v1/contacts/{contact}/properties/history");
    api.get(&history).token(&other.token).await.problem(ProblemType::NotFound);
    let _ = api.delete(&format!("/v1/contacts/{contact}")).token(&account.token).await.expect(204);
    api.get(&history).token(&account.token).await.problem(ProblemType::NotFound);
    api.post(&undo).token(&account.token).json(&body).await.problem(ProblemType::NotFound);
}
