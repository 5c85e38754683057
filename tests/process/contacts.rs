//! The function `contacts`: bodies and paths as API Gateway hands them on.

use serde_json::{Value, json};

use super::events::{HttpAnswer, http};
use super::function::Function;
use super::setting::{Fixture, address, now};

#[tokio::test]
async fn a_contact_is_made_read_found_and_explained() {
    let setting = Fixture::start().await;
    let admin = setting.admin().await;
    let mut contacts = Function::start("contacts", &setting.table).await;

    let body = json!({"email": address("ada"), "properties": {"lastname": "Lovelace"}, "marketing": true});
    let create = http("POST", "/v1/contacts").by(&admin).json(&body);
    let made = HttpAnswer::of(&contacts.invoke(create.clone().event()).await.done());
    let id = made.json(201)["id"].as_str().expect("an id").to_owned();
    assert_eq!(made.headers["location"], format!("/v1/contacts/{id}"));

    let again = HttpAnswer::of(&contacts.invoke(create.event()).await.done());
    assert_eq!(again.problem(409, "contact-exists")["contact_id"], id);

    for path in [format!("/v1/contacts/{id}"), format!("/v1/contacts/by-email/{}", address("Ada"))] {
        let read = HttpAnswer::of(&contacts.invoke(http("GET", &path).by(&admin).event()).await.done());
        assert_eq!((&read.json(200)["id"], &read.headers["etag"]), (&json!(id), &made.headers["etag"]));
    }

    let filters = json!([{"propertyName": "lastname", "operator": "EQ", "value": "Lovelace"}]);
    let search =
        http("POST", "/v1/contacts/search").by(&admin).json(&json!({"filterGroups": [{"filters": filters}]}));
    let found = HttpAnswer::of(&contacts.invoke(search.event()).await.done()).json(200);
    assert_eq!(ids(&found), [id.as_str()]);

    let explain = http("GET", &format!("/v1/contacts/{id}/marketing")).by(&admin);
    let explained = HttpAnswer::of(&contacts.invoke(explain.event()).await.done()).json(200);
    assert_eq!((&explained["state"], &explained["billable"]), (&json!("marketing"), &json!(true)));

    let lines = contacts.end().await;
    let routes: Vec<&str> = lines.iter().map(|line| line["route"].as_str().expect("a route")).collect();
    assert_eq!(
        routes,
        [
            "/v1/contacts",
            "/v1/contacts",
            "/v1/contacts/{id}",
            "/v1/contacts/by-email/{email}",
            "/v1/contacts/search",
            "/v1/contacts/{id}/marketing"
        ]
    );
    setting.assert_exact().await;
}

#[tokio::test]
async fn a_body_in_base64_is_read_as_what_it_is() {
    let setting = Fixture::start().await;
    let admin = setting.admin().await;
    let mut contacts = Function::start("contacts", &setting.table).await;

    let body = json!({"email": address("ada"), "properties": {"lastname": "L\u{f6}velace"}}).to_string();
    let create = http("POST", "/v1/contacts").by(&admin).base64("application/json", body.as_bytes());
    let made = HttpAnswer::of(&contacts.invoke(create.event()).await.done()).json(201);
    assert_eq!(made["properties"]["lastname"], "L\u{f6}velace");

    let broken = http("POST", "/v1/contacts").by(&admin).base64("application/json", &[b'{', 0xff, b'}']);
    HttpAnswer::of(&contacts.invoke(broken.event()).await.done()).problem(400, "invalid-request");
    contacts.end().await;
}

#[tokio::test]
async fn paths_and_queries_are_taken_as_they_come() {
    let setting = Fixture::start().await;
    let admin = setting.admin().await;
    let mut contacts = Function::start("contacts", &setting.table).await;
    let mut ask = async |method: &str, path: &str, query: &str| {
        let request = http(method, path).by(&admin).query(query).json(&json!({}));
        HttpAnswer::of(&contacts.invoke(request.event()).await.done())
    };

    // The path is decoded on its way here.
    for email in [
        "ada+news.lovelace@example.org",
        "\u{fc}n\u{ee}c\u{f6}de.lovelace@b\u{fc}cher.example.org",
        "100%41.lovelace@example.org",
        "c#.lovelace@example.org",
    ] {
        let path = format!("/v1/contacts/by-email/{email}");
        assert_eq!(ask("PUT", &path, "").await.json(201)["email"], email);
        assert_eq!(ask("GET", &path, "").await.json(200)["email"], email);
    }
    ask("GET", "/v1/contacts/by-email/no address of lovelace", "").await.problem(400, "invalid-request");
    ask("GET", "/v1/contacts/by-email/\u{0}", "").await.problem(400, "invalid-request");
    ask("GET", "/v1/contacts/by-email/..", "").await.problem(404, "not-found");
    ask("GET", "/v1/contacts/nobody", "").await.problem(404, "not-found");

    // The query is not.
    assert_eq!(ids(&ask("GET", "/v1/contacts", "limit=2").await.json(200)).len(), 2);
    for query in [
        "limit=none",
        "limit=%32%30%30%30",
        "after=lovelace%40example.org",
        "page=2",
        "after=%ff",
        "%",
        "limit=<1>\"{}|\\^`",
    ] {
        ask("GET", "/v1/contacts", query).await.problem(400, "invalid-request");
    }

    // Nor are headers that name the host and the scheme.
    let request = http("GET", "/v1/contacts")
        .by(&admin)
        .header("Host", "no host")
        .header("X-Forwarded-Proto", "\u{e9}");
    HttpAnswer::of(&contacts.invoke(request.event()).await.done()).json(200);
    contacts.end().await;
}

#[tokio::test]
async fn a_contact_of_another_account_is_not_there() {
    let setting = Fixture::start().await;
    let id = setting.contact("ada", true, now()).await;
    let mut foreign = setting.admin().await;
    let other = setting.table.account(now()).await;
    foreign.insert("account".to_owned(), other.to_string().into());
    let mut contacts = Function::start("contacts", &setting.table).await;
    let path = format!("/v1/contacts/{id}");
    let read = contacts.invoke(http("GET", &path).by(&foreign).event()).await.done();
    HttpAnswer::of(&read).problem(404, "not-found");
    let delete = contacts.invoke(http("DELETE", &path).by(&foreign).event()).await.done();
    HttpAnswer::of(&delete).problem(404, "not-found");
    contacts.end().await;
    setting.assert_exact().await;
}

/// The ids of a page.
fn ids(page: &Value) -> Vec<&str> {
    let results = page["results"].as_array().expect("results").iter();
    results.map(|contact| contact["id"].as_str().expect("an id")).collect()
}
