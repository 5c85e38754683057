//! Deliveries of providers: events other than submissions, old deliveries, other headers and clocks, and preflights.

use chrono::TimeDelta;
use domain::Timestamp;
use http::Method;
use serde_json::{Value, json};
use testkit::{Api, Reply, Tenant, at};

use super::channels::Channel;
use super::senders::sender;
use super::{START, one_account};

async fn counts(api: &Api, account: &Tenant, form: &str) -> Value {
    let report = api.get(&format!("/v1/forms/{form}")).token(&account.token).await.expect(200);
    let counts = report["counts"].as_object().unwrap().clone();
    counts.into_iter().filter(|(_, count)| *count != json!(0)).collect()
}

/// Sends a Standard Webhook of this event type about Ada.
async fn standard(api: &Api, form: &str, event_type: Option<&str>) -> Reply {
    let mut body = json!({"data": {"email": "ada@corp.example"}});
    if let Some(event_type) = event_type {
        body["type"] = json!(event_type);
    }
    let body = body.to_string();
    let standard = sender("standard_webhooks");
    standard.with_body(api, form, body.as_bytes(), &standard.signature(body.as_bytes(), 1, at(START))).await
}

#[tokio::test(start_paused = true)]
async fn unsubscribe_and_deletion_events_are_ignored_and_counted() {
    let (api, account) = one_account(json!({})).await;
    let form = sender("standard_webhooks").form(&api, &account, &[1], json!({})).await;
    let ends = [
        "contact.deleted",
        "contact_removed",
        "user.unsubscribed",
        "email.bounced",
        "email.complained",
        "plan.cancelled",
        "plan.canceled",
    ];
    for event_type in ends {
        let reply = standard(&api, &form, Some(event_type)).await;
        assert_eq!((reply.status, reply.text()), (204, ""), "{event_type}");
    }
    assert_eq!(testkit::scan(&api.table.client, account.id).await.contacts, 0);
    assert_eq!(counts(&api, &account, &form).await, json!({"received": 7, "ignored": 7}));
    assert_eq!(standard(&api, &form, Some("contact.created")).await.expect(200)["contact"], "created");
}

#[tokio::test(start_paused = true)]
async fn form_accepts_only_its_listed_event_types() {
    let (api, account) = one_account(json!({})).await;
    let settings = json!({"event_types": ["form.submitted", "contact.deleted"]});
    let form = sender("standard_webhooks").form(&api, &account, &[1], settings).await;
    for (event_type, status) in [
        (Some("contact.created"), 204),
        (Some("FORM.submitted"), 204),
        (Some("form.submitted"), 200),
        (Some("contact.deleted"), 200),
        (None, 200),
    ] {
        assert_eq!(standard(&api, &form, event_type).await.status, status, "{event_type:?}");
    }
    assert_eq!(counts(&api, &account, &form).await["ignored"], 2);
}

#[tokio::test(start_paused = true)]
async fn svix_headers_are_accepted_only_as_a_complete_set() {
    let (api, account) = one_account(json!({})).await;
    let sender = sender("standard_webhooks");
    let form = sender.form(&api, &account, &[1], json!({})).await;
    let signature = sender.signature(sender.body, 1, at(START));
    let value = |name: &str| signature.iter().find(|(one, _)| *one == name).unwrap().1.clone();
    let values = ["msg_2pXq".to_owned(), value("webhook-timestamp"), value("webhook-signature")];
    let hook = async |sets: [&str; 3]| {
        let request = api.post(&format!("/v1/hooks/{form}")).body("application/json", sender.body);
        let names = ["id", "timestamp", "signature"].iter().zip(sets).zip(&values);
        names
            .fold(request, |request, ((name, set), value)| {
                request.header(&format!("{set}-{name}"), value.as_str())
            })
            .await
    };
    for mixture in [
        ["svix", "webhook", "webhook"],
        ["webhook", "svix", "webhook"],
        ["webhook", "webhook", "svix"],
        ["svix", "svix", "webhook"],
        ["svix", "webhook", "svix"],
        ["webhook", "svix", "svix"],
    ] {
        assert_eq!(hook(mixture).await.status, 401, "{mixture:?}");
    }
    assert_eq!(hook(["svix"; 3]).await.expect(200)["duplicate"], false);
    assert_eq!(
        hook(["webhook"; 3]).await.expect(200)["duplicate"],
        true,
        "one delivery under both header names"
    );
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

/// Returns the delivery of a provider that signs the time of the submission but not the time of the webhook.
fn delivery_at(provider: &str, at: Timestamp) -> Vec<u8> {
    let sender = sender(provider);
    let mut body: Value = serde_json::from_slice(sender.body).unwrap();
    let place = match provider {
        "typeform" => &mut body["form_response"]["submitted_at"],
        "tally" => &mut body["data"]["createdAt"],
        _ => &mut body["created_at"],
    };
    assert!(place.is_string(), "{provider}");
    *place = json!(at.to_string());
    body.to_string().into_bytes()
}

#[tokio::test(start_paused = true)]
async fn old_delivery_is_rejected_as_stale_and_can_be_retried() {
    let max_age = TimeDelta::days(7);
    for provider in ["typeform", "tally", "netlify"] {
        let (api, account) = one_account(json!({})).await;
        let sender = sender(provider);
        let form = sender.form(&api, &account, &[1], json!({})).await;
        let send = async |submitted_at: Timestamp| {
            let body = delivery_at(provider, submitted_at);
            let signature = sender.signature(&body, 1, at(START));
            sender.with_body(&api, &form, &body, &signature).await.expect(200)
        };
        let too_old = at(START).plus(-max_age - TimeDelta::milliseconds(1));
        let answer = send(too_old).await;
        assert_eq!(
            (&answer["contact"], &answer["reason"]),
            (&json!("rejected"), &json!("stale")),
            "{provider}"
        );
        assert_eq!(send(too_old).await["duplicate"], true);
        assert_eq!(testkit::scan(&api.table.client, account.id).await.contacts, 0);

        let list = format!("/v1/forms/{form}/rejected");
        let rejected = api.get(&list).token(&account.token).await.expect(200)["results"].clone();
        assert_eq!(rejected.as_array().unwrap().len(), 1);
        assert_eq!(rejected[0]["reason"], "stale");
        assert!(rejected[0]["answers"].as_array().unwrap().len() > 2);
        let retry = format!("{list}/{}/retry", rejected[0]["id"].as_str().unwrap());
        assert_eq!(api.post(&retry).token(&account.token).await.expect(200)["contact"], "created");
        assert_eq!(
            send(at(START).plus(-max_age)).await["duplicate"],
            true,
            "the retried submission was this delivery"
        );
        assert_eq!(api.assert_exact(&account).await["marketing"], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn delivery_at_the_age_limit_is_applied() {
    for provider in ["typeform", "tally", "netlify"] {
        let (api, account) = one_account(json!({})).await;
        let sender = sender(provider);
        let form = sender.form(&api, &account, &[1], json!({})).await;
        let body = delivery_at(provider, at(START).plus(-TimeDelta::days(7)));
        let signature = sender.signature(&body, 1, at(START));
        let answer = sender.with_body(&api, &form, &body, &signature).await.expect(200);
        assert_eq!(answer["contact"], "created", "{provider}");
    }
}

#[tokio::test(start_paused = true)]
async fn hubspot_submitted_at_is_parsed_in_every_format() {
    let fixture = Channel::HubSpot.fixture(json!({"field_map": {"submitted_at": "sent"}})).await;
    for submitted_at in [
        json!(1_517_927_174_000_i64),
        json!("1517927174000"),
        json!(1_517_927_174),
        json!("1517927174"),
        json!("2018-02-06T14:26:14Z"),
        json!("2018-02-06T15:26:14.000+01:00"),
        json!("2018-02-06T15:26:14+0100"),
    ] {
        let mut body = fixture.document(&[("email", "ada@corp.example")]);
        body["submittedAt"] = submitted_at.clone();
        assert_eq!(fixture.send_body("application/json", body.to_string().as_bytes()).await.status, 200);
        let found = fixture.only_contact_properties("ada@corp.example").await;
        assert_eq!(found["sent"], "2018-02-06T14:26:14.000Z", "{submitted_at}");
        let erase = json!({"properties": {"sent": null}});
        let path = "/v1/contacts/by-email/ada@corp.example";
        let _ = fixture.api.put(path).token(&fixture.account.token).json(&erase).await.expect(200);
    }
}

#[tokio::test(start_paused = true)]
async fn page_url_that_is_not_http_is_ignored() {
    let settings = json!({"field_map": {"page_url": "page"}});
    for page in [json!("here"), json!("javascript:alert(1)"), json!("app://home"), json!(7), json!(null)] {
        for channel in [Channel::Json, Channel::HubSpot] {
            let fixture = channel.fixture(settings.clone()).await;
            let mut body = fixture.document(&[("email", "ada@corp.example")]);
            match channel {
                Channel::HubSpot => body["context"] = json!({"pageUri": page}),
                _ => body["page_url"] = page.clone(),
            }
            let reply = fixture.send_body("application/json", body.to_string().as_bytes()).await;
            assert_eq!(reply.status, 200, "{channel:?} {page} {}", reply.text());
            assert_eq!(
                fixture.only_contact_properties("ada@corp.example").await,
                json!({}),
                "{channel:?} {page}"
            );
        }
    }
    let fixture = Channel::Post.fixture(settings).await;
    let fields = [("email", "ada@corp.example"), ("page_url", "here"), ("page_url", "https://a.example/")];
    assert_eq!(fixture.send(&fields).await.status, 200);
    assert_eq!(
        fixture.only_contact_properties("ada@corp.example").await,
        json!({"page": "https://a.example/"})
    );
}

#[tokio::test(start_paused = true)]
async fn preflight_allows_the_requested_headers() {
    for channel in [Channel::Json, Channel::HubSpot] {
        for settings in [json!({}), json!({"allowed_origins": ["https://example.org"]})] {
            let fixture = channel.fixture(settings).await;
            let preflight = fixture.api.request(Method::OPTIONS, &fixture.path());
            let preflight = preflight.header("origin", "https://example.org");
            let requested = "baggage,content-type,sentry-trace";
            let reply = preflight.header("access-control-request-headers", requested).await;
            assert_eq!(reply.status, 204);
            assert_eq!(reply.header("access-control-allow-headers"), Some(requested), "{channel:?}");
        }
    }
}
