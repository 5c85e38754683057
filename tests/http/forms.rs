//! `/v1/forms` and `/v1/forms/{id}`.

use api::Slug;
use serde_json::json;
use testkit::{PUBLIC_URL, at};

use super::{START, column, one_account};

#[tokio::test]
async fn a_form_is_made_read_changed_and_deleted() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let reply = api.post("/v1/forms").token(token).json(&json!({"name": "Newsletter"})).await;
    let form = reply.expect(201);
    let id = form["id"].as_str().unwrap();
    let path = format!("/v1/forms/{id}");
    assert_eq!(reply.header("location"), Some(path.as_str()));
    assert_eq!(
        form,
        json!({"id": id, "name": "Newsletter", "provider": "native", "set_marketing": true, "field_map": {},
               "allowed_origins": [], "submit_url": format!("{PUBLIC_URL}/v1/forms/{id}/submissions"),
               "created_at": START, "updated_at": START})
    );
    assert_eq!(api.get(&path).token(token).await.expect(200), form);

    api.clock.set(at("2026-11-11T00:00:00.000Z"));
    let body = json!({
        "name": "Letter", "set_marketing": false, "field_map": {"E-Mail": "email", "Vorname": "firstname"},
        "allowed_origins": ["HTTPS://Www.Example.org:443", "https://www.example.org", "http://localhost:3000"],
        "redirect_url": "https://example.org/grüße",
    });
    let mut expected = form.clone();
    expected.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    expected["allowed_origins"] = json!(["https://www.example.org", "http://localhost:3000"]);
    expected["redirect_url"] = json!("https://example.org/gr%C3%BC%C3%9Fe");
    expected["updated_at"] = json!("2026-11-11T00:00:00.000Z");
    assert_eq!(api.patch(&path).token(token).json(&body).await.expect(200), expected);
    expected.as_object_mut().unwrap().remove("redirect_url");
    assert_eq!(
        api.patch(&path).token(token).json(&json!({"redirect_url": null})).await.expect(200),
        expected
    );
    assert_eq!(api.get(&path).token(token).await.expect(200), expected);

    let _ = api.post("/v1/forms").token(token).json(&json!({"name": "Second"})).await.expect(201);
    let forms = api.get("/v1/forms").token(token).await.expect(200);
    assert_eq!(column(&forms["results"], "name"), ["Letter", "Second"]);
    let _ = api.delete(&path).token(token).await.expect(204);
    api.get(&path).token(token).await.problem(Slug::NotFound);
    api.patch(&path).token(token).json(&json!({})).await.problem(Slug::NotFound);
    api.delete(&path).token(token).await.problem(Slug::NotFound);
    let forms = api.get("/v1/forms").token(token).await.expect(200);
    assert_eq!(column(&forms["results"], "name"), ["Second"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_named() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let body = json!({
        "name": "", "provider": "typeform", "set_marketing": "yes", "field_map": {"a": "First", "": "firstname", "b": 1},
        "allowed_origins": ["*", "https://example.org/path", "https://example.org"], "redirect_url": "javascript:alert(1)",
        "secrets": ["a"], "submit_url": "x",
    });
    api.post("/v1/forms").token(token).json(&body).await.assert_invalid(&[
        "name",
        "provider",
        "set_marketing",
        "field_map.",
        "field_map.a",
        "field_map.b",
        "allowed_origins[0]",
        "allowed_origins[1]",
        "redirect_url",
        "secrets",
        "submit_url",
    ]);
    let twice = json!({"name": "Two", "field_map": {"a": "email", "b": "email"}});
    api.post("/v1/forms").token(token).json(&twice).await.assert_invalid(&["field_map"]);
    let form = api.post("/v1/forms").token(token).json(&json!({"name": "Newsletter"})).await.expect(201);
    let path = format!("/v1/forms/{}", form["id"].as_str().unwrap());
    let body = json!({"name": null, "field_map": [], "allowed_origins": vec!["https://example.org"; 51], "redirect_url": "/x"});
    let expected = ["name", "field_map", "allowed_origins", "redirect_url"];
    api.patch(&path).token(token).json(&body).await.assert_invalid(&expected);
    assert_eq!(api.get(&path).token(token).await.expect(200), form);
}
