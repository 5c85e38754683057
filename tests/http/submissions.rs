//! `POST` and `OPTIONS /v1/forms/{form_id}/submissions`.

use api::ProblemType;
use domain::limits::PUBLIC_BODY_BYTES_MAX;
use serde_json::{Value, json};
use testkit::{Api, OPERATOR_TOKEN, Reply, Tenant, at};

use super::one_account;

const FORM: &str = "application/x-www-form-urlencoded";
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// Creates a form and returns its submission path. Its responses are full, unless the settings change that.
async fn form(api: &Api, account: &Tenant, settings: Value) -> String {
    let mut body = json!({"name": "Newsletter", "answer": "full"});
    body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let form = api.post("/v1/forms").token(&account.token).json(&body).await.expect(201);
    format!("/v1/forms/{}/submissions", form["id"].as_str().unwrap())
}

async fn contact(api: &Api, account: &Tenant, address: &str) -> Value {
    api.get(&format!("/v1/contacts/by-email/{address}")).token(&account.token).await.expect(200)
}

fn done(contact: &str, marketing: &str) -> Value {
    json!({"contact": contact, "marketing": marketing, "duplicate": false})
}

#[tokio::test(start_paused = true)]
async fn three_encodings_of_a_submission_have_the_same_effect() {
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nAda@Example.org\r\n\
                     --b\r\nContent-Disposition: form-data; name=\"First Name\"\r\n\r\nAda & Co\r\n\
                     --b\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.pdf\"\r\n\r\n%PDF\r\n--b--\r\n";
    for (media_type, body) in [
        ("application/json", r#"{"fields": {"email": "Ada@Example.org", "First Name": "Ada & Co"}}"#),
        (FORM, "email=Ada%40Example.org&First+Name=Ada+%26+Co"),
        ("multipart/form-data; boundary=b", multipart),
    ] {
        let (api, account) = one_account(json!({})).await;
        let path = form(&api, &account, json!({})).await;
        let reply = api.post(&path).body(media_type, body).await;
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "{media_type}");
        assert_eq!(reply.expect(200), done("created", "set"), "{media_type}");
        let ada = contact(&api, &account, "ada@example.org").await;
        assert_eq!(
            (&ada["email"], &ada["properties"]),
            (&json!("Ada@Example.org"), &json!({"firstname": "Ada & Co"}))
        );
        let source = &ada["marketing"]["source"];
        assert_eq!((&source["type"], &source["name"]), (&json!("form"), &json!("Newsletter")));
        assert_eq!(path, format!("/v1/forms/{}/submissions", source["id"].as_str().unwrap()));
        assert_eq!(api.assert_exact(&account).await["marketing"], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn form_sets_marketing_by_its_own_setting() {
    let (api, account) = one_account(json!({})).await;
    let (on, off) =
        (form(&api, &account, json!({})).await, form(&api, &account, json!({"set_marketing": false})).await);
    let submit = async |path: &str, address: &str| {
        api.post(path).json(&json!({"fields": {"email": address}})).await.expect(200)
    };
    assert_eq!(submit(&off, "new@example.org").await, done("created", "not_set"));
    assert_eq!(submit(&off, "new@example.org").await, done("updated", "unchanged"));
    assert_eq!(submit(&on, "NEW@example.org").await, done("updated", "set"));
    assert_eq!(submit(&on, "new@example.org").await, done("updated", "unchanged"));
    assert_eq!(submit(&off, "new@example.org").await, done("updated", "unchanged"));
    let id = contact(&api, &account, "new@example.org").await["id"].as_str().unwrap().to_owned();
    let _ = api.queue(&account.token, &[&id]).await;
    assert_eq!(submit(&off, "new@example.org").await, done("updated", "unchanged"));
    assert_eq!(contact(&api, &account, "new@example.org").await["marketing"]["state"], "leaving");
    assert_eq!(submit(&on, "new@example.org").await, done("updated", "kept"));
    assert_eq!(submit(&on, "second@example.org").await, done("created", "set"));
    assert_eq!(api.assert_exact(&account).await["marketing"], 2);
}

#[tokio::test(start_paused = true)]
async fn submission_over_the_cap_creates_a_non_marketing_contact() {
    let (api, account) = one_account(json!({"cap": 0})).await;
    let path = form(&api, &account, json!({})).await;
    let expected =
        json!({"contact": "created", "marketing": "not_set", "duplicate": false, "reason": "cap-reached"});
    let body = json!({"fields": {"email": "ada@example.org"}});
    assert_eq!(api.post(&path).json(&body).await.expect(200), expected);
    assert_eq!(contact(&api, &account, "ada@example.org").await["marketing"]["state"], "non_marketing");
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);

    let no_cap = json!({"cap": null});
    let _ = api.patch("/v1/account").token(&account.token).json(&no_cap).await.expect(200);
    let _ = api
        .patch(&format!("/v1/accounts/{}", account.id))
        .token(OPERATOR_TOKEN)
        .json(&json!({"marketing_contacts": false}))
        .await
        .expect(200);
    let off = json!({"contact": "updated", "marketing": "not_set", "duplicate": false, "reason": "marketing-contacts-off"});
    assert_eq!(api.post(&path).json(&body).await.expect(200), off);
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
}

#[tokio::test(start_paused = true)]
async fn repeated_submission_changes_nothing_for_seven_days() {
    let (api, account) = one_account(json!({})).await;
    let path = form(&api, &account, json!({})).await;
    let submit = async |name: &str| {
        let body = json!({"fields": {"email": "ada@example.org", "firstname": name}, "submission_id": "s-1"});
        api.post(&path).json(&body).await.expect(200)
    };
    assert_eq!(submit("Ada").await, done("created", "set"));
    let again = json!({"contact": "created", "marketing": "set", "duplicate": true});
    api.clock.set(at("2026-11-17T11:59:59.000Z"));
    assert_eq!(submit("Ada").await, again);
    assert_eq!(contact(&api, &account, "ada@example.org").await["properties"], json!({"firstname": "Ada"}));
    api.clock.set(at("2026-11-17T12:00:01.000Z"));
    assert_eq!(submit("Ada").await, done("updated", "unchanged"));
    let other = form(&api, &account, json!({})).await;
    let body = json!({"fields": {"email": "ada@example.org"}, "submission_id": "s-1"});
    assert_eq!(api.post(&other).json(&body).await.expect(200)["duplicate"], false, "each form has its own");
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn fields_fill_their_mapped_properties() {
    let (api, account) = one_account(json!({})).await;
    let field_map =
        json!({"field_map": {"your_email": "email", "Vorname": "firstname", "page_url": "seen_at"}});
    let path = form(&api, &account, field_map).await;
    let body = json!({
        "fields": {"your_email": " ada@example.org ", "Vorname": "Ada", "colours": ["red", 7, true, null], "empty": "", "none": null},
        "page_url": "https://example.org/", "submitted_at": "2026-11-10T11:59:00Z",
    });
    assert_eq!(api.post(&path).json(&body).await.status, 200);
    let ada = contact(&api, &account, "ada@example.org").await;
    assert_eq!(
        ada["properties"],
        json!({"firstname": "Ada", "colours": "red;7;true", "seen_at": "https://example.org/"})
    );
    // An empty field keeps the stored property.
    let reply =
        api.post(&path).body(FORM, "your_email=ada%40example.org&Vorname=&colours=blue&colours=green").await;
    assert_eq!(reply.status, 200);
    let ada = contact(&api, &account, "ada@example.org").await;
    assert_eq!(
        (&ada["properties"]["firstname"], &ada["properties"]["colours"]),
        (&json!("Ada"), &json!("blue;green"))
    );
    api.assert_exact(&account).await;
}

#[tokio::test(start_paused = true)]
async fn browser_post_is_redirected_to_the_next_page() {
    let (api, account) = one_account(json!({})).await;
    let path = form(&api, &account, json!({"redirect_url": "https://example.org/thanks"})).await;
    let reply = api.post(&path).header("accept", BROWSER).body(FORM, "email=ada%40example.org").await;
    assert_eq!(
        (reply.status, reply.header("location"), reply.text()),
        (303, Some("https://example.org/thanks"), "")
    );
    let reply = api.post(&path).header("accept", "*/*").body(FORM, "email=ada%40example.org").await;
    assert_eq!(reply.expect(200), done("updated", "unchanged"));
    let reply = api.post(&path).header("accept", BROWSER).body(FORM, "email=nobody").await;
    reply.assert_invalid(&["fields.email"]);
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn form_accepts_pages_of_allowed_origins_only() {
    let (api, account) = one_account(json!({})).await;
    let path = form(&api, &account, json!({"allowed_origins": ["https://example.org"]})).await;
    let body = json!({"fields": {"email": "ada@example.org"}});
    let allowed = |reply: &Reply| reply.header("access-control-allow-origin").map(str::to_owned);

    let preflight = api.request(http::Method::OPTIONS, &path).header("origin", "https://example.org").await;
    assert_eq!((preflight.status, allowed(&preflight).as_deref()), (204, Some("https://example.org")));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("POST"));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("content-type"));
    let strange = api.request(http::Method::OPTIONS, &path).header("origin", "https://evil.example").await;
    assert_eq!((allowed(&strange), strange.header("access-control-allow-methods")), (None, None));

    let refused = api.post(&path).json(&body).header("origin", "https://evil.example").await;
    refused.problem(ProblemType::PermissionDenied);
    assert_eq!((allowed(&refused), refused.header("vary")), (None, Some("Origin")));
    assert_eq!(api.assert_exact(&account).await["marketing"], 0, "nothing was written");
    let accepted = api.post(&path).json(&body).header("origin", "https://example.org").await;
    assert_eq!((accepted.status, allowed(&accepted).as_deref()), (200, Some("https://example.org")));
    let wrong = api.post(&path).json(&json!({})).header("origin", "https://example.org").await;
    wrong.assert_invalid(&["fields"]);
    assert_eq!(allowed(&wrong).as_deref(), Some("https://example.org"), "a page's script may read the error");
    let unknown = api.post("/v1/forms/frm_00000000000000000000000000/submissions").json(&body).await;
    unknown.problem(ProblemType::NotFound);
    assert_eq!(allowed(&unknown).as_deref(), Some("*"));
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn invalid_submission_lists_errors_by_form_field() {
    let (api, account) = one_account(json!({})).await;
    let path = form(&api, &account, json!({"field_map": {"mail": "email"}})).await;
    for (body, fields) in [
        (json!({}), vec!["fields"]),
        (json!({"submission_id": "", "page_url": 7}), vec!["fields", "submission_id"]),
        (json!({"fields": {}}), vec!["fields.mail"]),
        (json!({"fields": {"mail": "ada"}}), vec!["fields.mail"]),
        (json!({"fields": {"mail": "a@b.example", "email": "c@d.example"}}), vec![]),
        (json!({"fields": {"mail": ["a@b.example", "c@d.example"]}}), vec!["fields.mail"]),
        (json!({"fields": {"mail": {"a": 1}, "b": [[]]}}), vec!["fields.b", "fields.mail"]),
        (json!({"fields": {"mail": "a@b.example", "имя": "Ada"}}), vec![]),
        (
            json!({"fields": {"mail": "a@b.example"}, "submission_id": "", "submitted_at": "now", "page_url": "here", }),
            vec!["submission_id", "submitted_at"],
        ),
        (json!({"fields": {"mail": "a@b.example"}, "form_id": "frm_1"}), vec!["form_id"]),
    ] {
        let reply = api.post(&path).json(&body).await;
        match fields.as_slice() {
            [] => assert_eq!(reply.status, 200, "{body} {}", reply.text()),
            fields => assert_eq!(reply.invalid_fields(), fields, "{body}"),
        }
    }
    let many: serde_json::Map<String, Value> =
        (0..201).map(|number| (format!("f{number}"), json!("a"))).collect();
    let reply = api.post(&path).json(&json!({"fields": many})).await;
    assert!(reply.invalid_fields().contains(&"fields".to_owned()), "{}", reply.text());
}

#[tokio::test(start_paused = true)]
async fn body_that_contradicts_its_media_type_is_rejected() {
    let (api, account) = one_account(json!({})).await;
    let path = form(&api, &account, json!({})).await;
    for media_type in ["text/plain", "application/xml", "application/octet-stream"] {
        api.post(&path)
            .body(media_type, "email=ada%40example.org")
            .await
            .problem(ProblemType::UnsupportedMediaType);
    }
    api.post(&path).await.problem(ProblemType::UnsupportedMediaType);
    for (media_type, body) in [
        ("application/json", &b"{\"fields\": "[..]),
        ("application/json", b"\xff\xfe"),
        ("application/json", b""),
        ("multipart/form-data", b"--b\r\n"),
        ("multipart/form-data; boundary=b", b"email=ada"),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nada@exam",
        ),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nnameless\r\n--b--\r\n"),
    ] {
        let reply = api.post(&path).body(media_type, body).await;
        assert_eq!(reply.invalid_fields(), [""], "{media_type} {body:?}");
    }
    let reply = api.post(&path).body(FORM, b"%FF%00=%ZZ&&=&email=%40").await;
    reply.problem(ProblemType::InvalidRequest);
    let body_of_size = |bytes: usize| {
        let fields = "email=ada%40example.org&a=";
        format!("{fields}{}", "x".repeat(bytes - fields.len()))
    };
    let problem = api.post(&path).body(FORM, body_of_size(PUBLIC_BODY_BYTES_MAX + 1)).await;
    assert_eq!(
        problem.problem(ProblemType::PayloadTooLarge)["detail"],
        "The body may have at most 131072 bytes."
    );
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
    assert_eq!(api.post(&path).body(FORM, body_of_size(PUBLIC_BODY_BYTES_MAX)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn deleted_form_accepts_nothing_and_its_contacts_stay() {
    let (api, account) = one_account(json!({})).await;
    let path = form(&api, &account, json!({})).await;
    let body = json!({"fields": {"email": "ada@example.org"}});
    assert_eq!(api.post(&path).json(&body).await.status, 200);
    let own = path.strip_suffix("/submissions").unwrap();
    let _ = api.delete(own).token(&account.token).await.expect(204);
    api.post(&path).json(&body).await.problem(ProblemType::NotFound);
    api.request(http::Method::OPTIONS, &path).await.problem(ProblemType::NotFound);
    assert_eq!(contact(&api, &account, "ada@example.org").await["marketing"]["source"]["name"], "Newsletter");
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn response_reveals_nothing_about_the_contact() {
    for settings in [json!({}), json!({"answer": "minimal"})] {
        let (api, account) = one_account(json!({})).await;
        let path = form(&api, &account, settings).await;
        let body =
            json!({"fields": {"email": "ada@example.org", "firstname": "Ada"}, "submission_id": "s-1"});
        for _ in 0..2 {
            let reply = api.post(&path).json(&body).await;
            let text = reply.text().to_lowercase();
            assert!(!text.contains("ada") && !text.contains("con_") && !text.contains("acc_"), "{text}");
            assert!(reply.header("etag").is_none() && reply.header("location").is_none());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn public_response_is_the_same_for_every_contact() {
    let (api, account) = one_account(json!({})).await;
    for address in ["known@example.org", "leaving@example.org"] {
        let _ = api.contact(&account.token, json!({"email": address, "marketing": true})).await;
    }
    let leaving = contact(&api, &account, "leaving@example.org").await["id"].as_str().unwrap().to_owned();
    let _ = api.queue(&account.token, &[&leaving]).await;
    let minimal = form(&api, &account, json!({"answer": "minimal"})).await;
    let default_form =
        api.post("/v1/forms").token(&account.token).json(&json!({"name": "Default"})).await.expect(201);
    let default_path = format!("/v1/forms/{}/submissions", default_form["id"].as_str().unwrap());
    let mut replies = Vec::new();
    for path in [minimal, default_path] {
        for address in ["new@example.org", "known@example.org", "leaving@example.org", "new@example.org"] {
            let body = json!({"fields": {"email": address}, "submission_id": "s-1"});
            replies.push(api.post(&path).json(&body).await);
            let post = format!("email={}&submission_id=s-1", address.replace('@', "%40"));
            replies.push(api.post(&path).body(FORM, post).header("accept", BROWSER).await);
        }
    }
    let answers: Vec<_> = replies.iter().map(|reply| (reply.status, reply.text())).collect();
    assert!(answers.iter().all(|answer| *answer == (200, r#"{"accepted":true}"#)), "{answers:?}");
    assert_eq!(api.assert_exact(&account).await["marketing"], 3);
}
