//! The two functions that set contacts' marketing state.

use serde_json::{Value, json};

use super::events::{HttpResponse, http};
use super::function::{Function, at_level};
use super::setting::{Fixture, address, now};

const ROUTES: [(&str, &str); 2] = [
    ("set-marketing", "/v1/contacts/marketing"),
    ("set-non-marketing-pending", "/v1/contacts/non-marketing-pending"),
];

#[tokio::test]
async fn warm_processes_set_queue_and_keep_contacts() {
    let fixture = Fixture::start().await;
    let admin = fixture.admin().await;
    let ada = fixture.contact("ada", false, now()).await.to_string();
    fixture.contact("bo", true, now()).await;
    let mut set = Function::start("set-marketing", &fixture.table).await;
    let mut queue = Function::start("set-non-marketing-pending", &fixture.table).await;

    let contacts = json!({"contacts": [{"id": ada}, {"email": address("BO")}, {"email": address("nobody")}]});
    let to_marketing = http("POST", ROUTES[0].1).by(&admin).json(&contacts);
    let to_leaving = http("POST", ROUTES[1].1).by(&admin).json(&contacts);

    let first = HttpResponse::of(&set.invoke(to_marketing.clone().event()).await.done()).json(200);
    assert_eq!(outcomes(&first), ["set", "unchanged", "not_found"]);
    assert_eq!((&first["usage"]["marketing"], &first["usage"]["leaving"]), (&json!(2), &json!(0)));

    let queued = HttpResponse::of(&queue.invoke(to_leaving.clone().event()).await.done()).json(200);
    assert_eq!(outcomes(&queued), ["queued", "queued", "not_found"]);
    assert_eq!(
        (&queued["usage"]["marketing"], &queued["usage"]["after_next_update"]),
        (&json!(2), &json!(0))
    );
    let again = HttpResponse::of(&queue.invoke(to_leaving.event()).await.done()).json(200);
    assert_eq!(outcomes(&again), ["unchanged", "unchanged", "not_found"]);

    let kept = HttpResponse::of(&set.invoke(to_marketing.event()).await.done()).json(200);
    assert_eq!(outcomes(&kept), ["kept", "kept", "not_found"]);
    assert_eq!((&kept["usage"]["marketing"], &kept["usage"]["leaving"]), (&json!(2), &json!(0)));
    fixture.assert_exact().await;

    for (function, route) in [(set, ROUTES[0].1), (queue, ROUTES[1].1)] {
        let lines = function.end().await;
        assert_eq!(lines.len(), 2, "one line for each request: {lines:?}");
        assert!(
            lines
                .iter()
                .all(|line| line["route"] == route && line["status"] == 200 && line["method"] == "POST")
        );
    }
}

#[tokio::test]
async fn setting_a_state_requires_a_token_and_the_permission() {
    let fixture = Fixture::start().await;
    let contact = fixture.contact("ada", true, now()).await.to_string();
    let body = json!({"contacts": [{"id": contact}]});
    for (name, route) in ROUTES {
        let mut function = Function::start(name, &fixture.table).await;
        let request = http("POST", route).json(&body).id("request-1");

        let anonymous = HttpResponse::of(&function.invoke(request.clone().event()).await.done());
        assert_eq!(anonymous.problem(401, "unauthenticated")["instance"], "request-1");
        assert_eq!(anonymous.headers["www-authenticate"], "Bearer");

        let mut context = fixture.admin().await;
        context.insert("modify_marketing_contacts".to_owned(), false.into());
        let denied = request.clone().by(&context);
        let denied = HttpResponse::of(&function.invoke(denied.event()).await.done());
        denied.problem(403, "permission-denied");

        context.remove("account");
        let spoilt = HttpResponse::of(&function.invoke(request.by(&context).event()).await.done());
        spoilt.problem(401, "unauthenticated");

        let lines = function.end().await;
        assert_eq!(at_level(&lines, "ERROR"), [&Value::Null; 0], "a refusal must not be logged as an error");
        assert_eq!(lines[0]["request_id"], "request-1");
    }
    let usage = fixture.table.store.usage(fixture.account, now()).await.expect("the usage");
    assert_eq!((usage.marketing, usage.leaving), (1, 0), "nothing has changed");
}

#[tokio::test]
async fn repeated_request_receives_the_first_response() {
    let fixture = Fixture::start().await;
    let admin = fixture.admin().await;
    let contact = fixture.contact("ada", false, now()).await.to_string();
    let mut set = Function::start("set-marketing", &fixture.table).await;
    let request = http("POST", ROUTES[0].1).by(&admin).json(&json!({"contacts": [{"id": contact}]}));
    let request = request.header("Idempotency-Key", "once-lovelace");
    let first = HttpResponse::of(&set.invoke(request.clone().event()).await.done());
    let second = HttpResponse::of(&set.invoke(request.event()).await.done());
    assert_eq!((outcomes(&first.json(200)), first.body), (vec!["set".to_owned()], second.body));
    set.end().await;
}

/// Returns the outcomes of a report, in its order.
fn outcomes(report: &Value) -> Vec<String> {
    let results = report["results"].as_array().expect("results").iter();
    results.map(|result| result["outcome"].as_str().expect("an outcome").to_owned()).collect()
}
