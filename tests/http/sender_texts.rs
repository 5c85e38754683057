//! Damaged text: cut, prefixed, in other encodings or with the wrong media type. None of it may reject a submission.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use testkit::at;

use super::channels::{CHANNELS, Channel};
use super::senders::{SENDERS, Sender, sender};
use super::{START, one_account};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Returns the channels whose fields are JSON.
fn json_channels() -> impl Iterator<Item = Channel> {
    CHANNELS
        .into_iter()
        .filter(|channel| ![Channel::Post, Channel::Multipart, Channel::GenericPost].contains(channel))
}

/// Sends a provider's delivery with this body and returns the contact's property `note`.
async fn note(sender: &Sender, body: &[u8]) -> Value {
    let (api, account) = one_account(json!({})).await;
    // The sample's field map does not apply, because the delivery uses other field names.
    let form = sender.form(&api, &account, &[1], json!({"field_map": {}})).await;
    let signature = sender.signature(body, 1, at(START));
    let answer = sender.with_body(&api, &form, body, &signature).await.expect(200);
    assert_eq!(answer["contact"], "created", "{sender:?} {answer}");
    let path = "/v1/contacts/by-email/ada@corp.example";
    api.get(path).token(&account.token).await.expect(200)["properties"]["note"].clone()
}

#[tokio::test(start_paused = true)]
async fn half_surrogate_pair_rejects_no_submission() {
    for sender in SENDERS {
        let body = sender.delivery_with("ada@corp.example", "cut \\ud83d");
        assert_eq!(note(&sender, body.as_bytes()).await, "cut \u{FFFD}", "{}", sender.provider);
    }
}

#[tokio::test(start_paused = true)]
async fn byte_order_mark_rejects_no_submission() {
    for sender in SENDERS.into_iter().filter(|sender| sender.provider != "jotform") {
        let body = [BOM, sender.delivery_with("ada@corp.example", "whole").as_bytes()].concat();
        assert_eq!(note(&sender, &body).await, "whole", "{}", sender.provider);
    }
    let jotform = sender("jotform");
    let body = jotform.delivery_with("ada@corp.example", "whole").replace("{\"q3", "\u{feff}{\"q3");
    assert_eq!(note(&jotform, body.as_bytes()).await, "whole", "within the field that contains JSON");
}

#[tokio::test(start_paused = true)]
async fn bytes_of_another_encoding_reject_no_submission() {
    for sender in SENDERS {
        let body = sender.delivery_with("ada@corp.example", "Jos\u{1}");
        let body: Vec<u8> = body.bytes().map(|byte| if byte == 1 { 0xE9 } else { byte }).collect();
        assert_eq!(note(&sender, &body).await, "Jos\u{FFFD}", "{}", sender.provider);
    }
}

#[tokio::test(start_paused = true)]
async fn every_json_channel_repairs_damaged_text() {
    for channel in json_channels() {
        let fixture = channel.fixture(json!({})).await;
        let document = fixture.document(&[("email", "ada@corp.example"), ("note", "<note>")]).to_string();
        for (note, expected) in
            [("cut \\ud83d", "cut \u{FFFD}"), ("\\ude00", "\u{FFFD}"), ("a\\u0000b", "ab")]
        {
            let body = [BOM, document.replace("<note>", note).as_bytes()].concat();
            assert_eq!(fixture.send_body(JSON, &body).await.status, 200, "{channel:?}");
            assert_eq!(
                fixture.only_contact_properties("ada@corp.example").await["note"],
                expected,
                "{channel:?}"
            );
        }
    }
}

#[test]
fn random_text_in_any_field_rejects_no_submission() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let fixtures: Vec<_> =
        CHANNELS.into_iter().map(|channel| runtime.block_on(channel.fixture(json!({})))).collect();
    let mut runner = TestRunner::new(Config { cases: 20, failure_persistence: None, ..Config::default() });
    let cases = (prop::collection::vec(any::<u16>(), 0..8), "[a-z]{1,5}");
    let result = runner.run(&cases, |(units, name)| {
        let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
        let text = String::from_utf16_lossy(&units);
        for (fixture, channel) in fixtures.iter().zip(CHANNELS) {
            let named = format!("q_{name}");
            let reply = if json_channels().any(|one| one == channel) {
                let fields = [("email", "ada@corp.example"), (named.as_str(), "<text>"), ("<text>", "x")];
                let document = fixture.document(&fields).to_string();
                let body = document.replace("<text>", &escaped);
                runtime.block_on(fixture.send_body(JSON, body.as_bytes()))
            } else if channel == Channel::Multipart && text.contains(|c: char| c == '"' || c.is_control()) {
                // The name of a part is in a header, which cannot have these characters.
                continue;
            } else {
                let fields =
                    [("email", "ada@corp.example"), (named.as_str(), text.as_str()), (text.as_str(), "x")];
                runtime.block_on(fixture.send(&fields))
            };
            prop_assert_eq!(reply.status, 200, "{:?} {}", channel, reply.text());
            prop_assert!(!reply.text().contains("rejected"), "{:?} {}", channel, reply.text());
        }
        Ok(())
    });
    result.unwrap();
}

#[tokio::test(start_paused = true)]
async fn api_error_locates_half_a_surrogate_pair() {
    let (api, account) = one_account(json!({})).await;
    let body = "{\"email\": \"ada@corp.example\",\n \"properties\": {\"note\": \"cut \\ud83d\"}}";
    let reply = api.post("/v1/contacts").token(&account.token).body(JSON, body).await;
    assert_eq!(reply.invalid_fields(), [""]);
    assert_eq!(
        reply.json()["errors"][0]["message"],
        "the body has \\ud83d, half of a surrogate pair, at line 2, column 30"
    );
    let body = [BOM, br#"{"email": "ada@corp.example"}"#].concat();
    let _ = api.post("/v1/contacts").token(&account.token).body(JSON, body).await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn json_with_the_media_type_of_a_form_post_is_read() {
    for provider in ["generic", "wpforms", "gravity_forms"] {
        let (api, account) = one_account(json!({})).await;
        let sender = sender(provider);
        let form = sender.form(&api, &account, &[1], json!({"field_map": {}})).await;
        let path = format!("/v1/hooks/{form}?secret={}", sender.secret(1));
        let body = r#"{"email": "ada@corp.example", "note": "a=b&c=d", "topics": ["a", "b"]}"#;
        assert_eq!(api.post(&path).body(FORM, body).await.expect(200)["contact"], "created", "{provider}");
        let ada = api.get("/v1/contacts/by-email/ada@corp.example").token(&account.token).await.expect(200);
        assert_eq!(ada["properties"], json!({"note": "a=b&c=d", "topics": "a;b"}), "{provider}");
    }
    let fixture = Channel::Json.fixture(json!({})).await;
    let body = r#"{"fields": {"email": "ada@corp.example"}}"#;
    assert_eq!(fixture.send_body(FORM, body.as_bytes()).await.status, 200);
    assert_eq!(fixture.only_contact_properties("ada@corp.example").await, json!({}));
}

#[tokio::test(start_paused = true)]
async fn rejected_submission_stores_the_sent_body() {
    let (api, account) = one_account(json!({})).await;
    let generic = sender("generic");
    for (media_type, body) in [
        (FORM, r#"{"email": "ada@corp.example""#),
        (FORM, "email=&name="),
        (JSON, r#"{"email": null, "topics": []}"#),
        (JSON, r#"{"email": {}}"#),
    ] {
        let form = generic.form(&api, &account, &[1], json!({})).await;
        let path = format!("/v1/hooks/{form}?secret={}", generic.secret(1));
        assert_eq!(api.post(&path).body(media_type, body).await.expect(200)["contact"], "rejected", "{body}");
        let list = format!("/v1/forms/{form}/rejected");
        let rejected = api.get(&list).token(&account.token).await.expect(200)["results"][0].clone();
        assert_eq!(
            rejected["answers"],
            json!([{"names": ["body"], "values": [body], "is_cut": false}]),
            "{body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn form_post_is_decoded_with_its_declared_encoding() {
    for channel in [Channel::Post, Channel::GenericPost] {
        for (media_type, body) in [
            (FORM, "_charset_=windows-1252&name=Jos%E9+%80&email=ada%40corp.example"),
            (
                "application/x-www-form-urlencoded; charset=windows-1252",
                "name=Jos%E9+%80&email=ada%40corp.example",
            ),
        ] {
            let fixture = channel.fixture(json!({})).await;
            assert_eq!(fixture.send_body(media_type, body.as_bytes()).await.status, 200);
            assert_eq!(
                fixture.only_contact_properties("ada@corp.example").await,
                json!({"name": "José €"}),
                "{channel:?} {media_type}"
            );
        }
    }
    let fixture = Channel::Multipart.fixture(json!({})).await;
    let part = |name: &str, value: &[u8]| {
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        [head.as_bytes(), value, b"\r\n"].concat()
    };
    let body = [
        part("_charset_", b"windows-1252"),
        part("name", b"Jos\xe9 \x80"),
        part("email", b"ada@corp.example"),
        b"--b--\r\n".to_vec(),
    ];
    let reply = fixture.send_body("multipart/form-data; boundary=b", &body.concat()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(fixture.only_contact_properties("ada@corp.example").await, json!({"name": "José €"}));
}

#[tokio::test(start_paused = true)]
async fn missing_boundary_is_reported() {
    for channel in [Channel::Multipart, Channel::GenericPost] {
        let fixture = channel.fixture(json!({})).await;
        let reply = fixture.send_body("multipart/form-data", b"--b\r\n").await;
        assert_eq!(reply.invalid_fields(), [""]);
        let message = reply.json()["errors"][0]["message"].to_string();
        assert!(message.contains("boundary"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn invisible_characters_around_an_address_are_removed() {
    for channel in CHANNELS {
        let fixture = channel.fixture(json!({})).await;
        for invisible in
            ["\u{200b}", "\u{feff}", "\u{200e}", "\u{202a}", "\u{202b}", "\u{202c}", "\u{a0}", " \t"]
        {
            let address = format!("{invisible}ada@corp.example{invisible}");
            let reply = fixture.send(&[("email", &address)]).await;
            assert_eq!(reply.status, 200, "{channel:?} {invisible:?} {}", reply.text());
            assert_eq!(fixture.only_contact_properties("ada@corp.example").await, json!({}));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_address_in_two_spellings_creates_one_contact() {
    for channel in CHANNELS {
        for second in ["email", "E-Mail"] {
            let fixture = channel.fixture(json!({})).await;
            let reply = fixture.send(&[("email", "Ada@corp.example"), (second, "ada@CORP.example")]).await;
            assert_eq!(reply.status, 200, "{channel:?} {second} {}", reply.text());
            assert_eq!(fixture.api.assert_exact(&fixture.account).await["marketing"], 1);
            let scan = testkit::scan(&fixture.api.table.client, fixture.account.id).await;
            assert_eq!(scan.contacts, 1, "{channel:?} {second}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_address_in_two_typed_questions_creates_one_contact() {
    let (api, account) = one_account(json!({})).await;
    let typeform = sender("typeform");
    let form = typeform.form(&api, &account, &[1], json!({})).await;
    let email = |id: &str, email: &str| json!({"type": "email", "email": email, "field": {"id": id}});
    let answers = [email("f1", "Ada@corp.example"), email("f2", "ada@CORP.example")];
    let body = json!({"event_id": "e", "event_type": "form_response", "form_response": {"answers": answers}});
    let body = body.to_string();
    let signature = typeform.signature(body.as_bytes(), 1, at(START));
    let answer = typeform.with_body(&api, &form, body.as_bytes(), &signature).await.expect(200);
    assert_eq!(answer["contact"], "created");
}
