//! The `contacts` function: bodies and paths as API Gateway passes them.

use serde_json::{Value, json};

use super::events::{HttpResponse, http};
use super::function::Function;
use super::setting::{Fixture, address, now};

#[tokio::test]
async fn contact_is_created_read_found_and_explained() {
    let fixture = Fixture::start().await;
    let admin = fixture.admin().await;
    let mut contacts = Function::start("contacts", &fixture.table).await;

    let body = json!({"email": address("ada"), "properties": {"lastname": "Lovelace"}, "marketing": true});
    let create = http("POST", "/v1/contacts").by(&admin).json(&body);
    let created = HttpResponse::of(&contacts.invoke(create.clone().event()).await.done());
    let id = created.json(201)["id"].as_str().expect("an id").to_owned();
    assert_eq!(created.headers["location"], format!("/v1/contacts/{id}"));

    let again = HttpResponse::of(&contacts.invoke(create.event()).await.done());
    assert_eq!(again.problem(409, "contact-exists")["contact_id"], id);

    for path in [format!("/v1/contacts/{id}"), format!("/v1/contacts/by-email/{}", address("Ada"))] {
        let read = HttpResponse::of(&contacts.invoke(http("GET", &path).by(&admin).event()).await.done());
        assert_eq!((&read.json(200)["id"], &read.headers["etag"]), (&json!(id), &created.headers["etag"]));
    }

    let filters = json!([{"propertyName": "lastname", "operator": "EQ", "value": "Lovelace"}]);
    let search =
        http("POST", "/v1/contacts/search").by(&admin).json(&json!({"filterGroups": [{"filters": filters}]}));
    let found = HttpResponse::of(&contacts.invoke(search.event()).await.done()).json(200);
    assert_eq!(ids(&found), [id.as_str()]);

    let explain = http("GET", &format!("/v1/contacts/{id}/marketing")).by(&admin);
    let explained = HttpResponse::of(&contacts.invoke(explain.event()).await.done()).json(200);
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
    fixture.assert_exact().await;
}

#[tokio::test]
async fn base64_body_is_decoded() {
    let fixture = Fixture::start().await;
    let admin = fixture.admin().await;
    let mut contacts = Function::start("contacts", &fixture.table).await;

    let body = json!({"email": address("ada"), "properties": {"lastname": "L\u{f6}velace"}}).to_string();
    let create = http("POST", "/v1/contacts").by(&admin).base64("application/json", body.as_bytes());
    let created = HttpResponse::of(&contacts.invoke(create.event()).await.done()).json(201);
    assert_eq!(created["properties"]["lastname"], "L\u{f6}velace");

    let broken = http("POST", "/v1/contacts").by(&admin).base64("application/json", &[b'{', 0xff, b'}']);
    HttpResponse::of(&contacts.invoke(broken.event()).await.done()).problem(400, "invalid-request");
    contacts.end().await;
}

#[tokio::test]
async fn decoded_paths_and_raw_queries_are_accepted() {
    let fixture = Fixture::start().await;
    let admin = fixture.admin().await;
    let mut contacts = Function::start("contacts", &fixture.table).await;
    let mut send = async |method: &str, path: &str, query: &str| {
        let request = http(method, path).by(&admin).query(query).json(&json!({}));
        HttpResponse::of(&contacts.invoke(request.event()).await.done())
    };

    // API Gateway decodes the path.
    for email in [
        "ada+news.lovelace@example.org",
        "\u{fc}n\u{ee}c\u{f6}de.lovelace@b\u{fc}cher.example.org",
        "100%41.lovelace@example.org",
        "c#.lovelace@example.org",
    ] {
        let path = format!("/v1/contacts/by-email/{email}");
        assert_eq!(send("PUT", &path, "").await.json(201)["email"], email);
        assert_eq!(send("GET", &path, "").await.json(200)["email"], email);
    }
    send("GET", "/v1/contacts/by-email/no address of lovelace", "").await.problem(400, "invalid-request");
    send("GET", "/v1/contacts/by-email/\u{0}", "").await.problem(400, "invalid-request");
    send("GET", "/v1/contacts/by-email/..", "").await.problem(404, "not-found");
    send("GET", "/v1/contacts/unknown", "").await.problem(404, "not-found");

    // API Gateway does not decode the query.
    assert_eq!(ids(&send("GET", "/v1/contacts", "limit=2").await.json(200)).len(), 2);
    for query in [
        "limit=none",
        "limit=%32%30%30%30",
        "after=lovelace%40example.org",
        "page=2",
        "after=%ff",
        "%",
        "limit=<1>\"{}|\\^`",
    ] {
        send("GET", "/v1/contacts", query).await.problem(400, "invalid-request");
    }

    // Malformed headers for the host and the scheme do not fail the request.
    let request = http("GET", "/v1/contacts")
        .by(&admin)
        .header("Host", "no host")
        .header("X-Forwarded-Proto", "\u{e9}");
    HttpResponse::of(&contacts.invoke(request.event()).await.done()).json(200);
    contacts.end().await;
}

#[tokio::test]
async fn contact_of_another_account_is_not_found() {
    let fixture = Fixture::start().await;
    let id = fixture.contact("ada", true, now()).await;
    let mut foreign = fixture.admin().await;
    let other = fixture.table.account(now()).await;
    foreign.insert("account".to_owned(), other.to_string().into());
    let mut contacts = Function::start("contacts", &fixture.table).await;
    let path = format!("/v1/contacts/{id}");
    let read = contacts.invoke(http("GET", &path).by(&foreign).event()).await.done();
    HttpResponse::of(&read).problem(404, "not-found");
    let delete = contacts.invoke(http("DELETE", &path).by(&foreign).event()).await.done();
    HttpResponse::of(&delete).problem(404, "not-found");
    contacts.end().await;
    fixture.assert_exact().await;
}

/// Returns the ids of a page's contacts.
fn ids(page: &Value) -> Vec<&str> {
    let results = page["results"].as_array().expect("results").iter();
    results.map(|contact| contact["id"].as_str().expect("an id")).collect()
}
