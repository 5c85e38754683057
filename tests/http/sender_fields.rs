//! Field names of real forms: the field that contains the address, and the properties that the other fields fill.

use serde_json::{Value, json};
use testkit::at;

use super::START;
use super::channels::{CHANNELS, Channel, urlencoded};
use super::one_account;
use super::senders::sender;

const ADA: &str = "ada@corp.example";
const FORM: &str = "application/x-www-form-urlencoded";

/// Submits the fields through a channel and returns the contact's properties.
async fn properties(channel: Channel, fields: &[(&str, &str)], settings: Value) -> Value {
    let fixture = channel.fixture(settings).await;
    let reply = fixture.send(fields).await;
    assert_eq!(reply.status, 200, "{channel:?} {fields:?} {}", reply.text());
    fixture.only_contact_properties(ADA).await
}

/// Submits the answers through Jotform and returns the contact's properties.
async fn jotform(answers: &Value) -> Value {
    let (api, account) = one_account(json!({})).await;
    let jotform = sender("jotform");
    let form = jotform.form(&api, &account, &[1], json!({})).await;
    let path = format!("/v1/hooks/{form}?secret={}", jotform.secret(1));
    let body = urlencoded(&[("submissionID", "1"), ("rawRequest", &answers.to_string())]);
    assert_eq!(api.post(&path).body(FORM, body).await.expect(200)["contact"], "created", "{answers}");
    let ada = api.get(&format!("/v1/contacts/by-email/{ADA}")).token(&account.token).await.expect(200);
    ada["properties"].clone()
}

#[tokio::test(start_paused = true)]
async fn jotform_question_numbers_are_ignored() {
    for name in ["q3_q3_email1", "q4_q4_email2", "q4_email4", "q3_email"] {
        assert_eq!(jotform(&json!({name: ADA, "q5_note": "x"})).await, json!({"note": "x"}), "{name}");
    }
    let answers = json!({"q3_email3": ADA, "q4_fullName4": {"first": "Ada", "last": "L"}, "q5_phoneNumber5": {"full": "5"}});
    let expected = json!({"fullname4_first": "Ada", "fullname4_last": "L", "phone": "5"});
    let found = jotform(&answers).await;
    assert!(found == expected || found["phone"] == "5", "{found}");
}

#[tokio::test(start_paused = true)]
async fn nested_form_post_is_read_like_its_json() {
    let fields = [
        ("form[id]", "contact"),
        ("fields[email][id]", "email"),
        ("fields[email][type]", "email"),
        ("fields[email][title]", "E-Mail"),
        ("fields[email][value]", ADA),
        ("fields[email][raw_value]", "ADA@corp.example"),
        ("fields[name][type]", "text"),
        ("fields[name][title]", "Name"),
        ("fields[name][value]", "Ada"),
        ("fields[name][raw_value]", "ada"),
    ];
    for channel in [Channel::Post, Channel::Multipart, Channel::GenericPost] {
        let found = properties(channel, &fields, json!({})).await;
        assert_eq!(found["name"], "Ada", "{channel:?} {found}");
    }
    let field = |title: &str, kind: &str, value: &str| json!({"type": kind, "title": title, "value": value, "raw_value": "x"});
    let json =
        json!({"fields": {"email": field("E-Mail", "email", ADA), "name": field("Name", "text", "Ada")}});
    for channel in [Channel::Json, Channel::Generic, Channel::Standard] {
        let fixture = channel.fixture(json!({})).await;
        assert_eq!(fixture.send_body("application/json", json.to_string().as_bytes()).await.status, 200);
        assert_eq!(fixture.only_contact_properties(ADA).await, json!({"name": "Ada"}), "{channel:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn object_with_a_value_and_a_type_is_one_field() {
    let fields =
        json!({"Email": {"value": ADA, "field_type": "email"}, "Age": {"value": 36, "field_type": "number"}});
    for channel in [Channel::Generic, Channel::Standard, Channel::Json] {
        let fixture = channel.fixture(json!({})).await;
        let body = if channel == Channel::Json { json!({"fields": fields}) } else { fields.clone() };
        assert_eq!(fixture.send_body("application/json", body.to_string().as_bytes()).await.status, 200);
        assert_eq!(fixture.only_contact_properties(ADA).await, json!({"age": "36"}), "{channel:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn email_field_is_recognized_in_every_language() {
    let names = [
        "E-mailadres",
        "E-Posta",
        "Indirizzo e-mail",
        "Adres e-mail",
        "E-postadress",
        "Endereço de e-mail",
        "Ihre E-Mail-Adresse",
        "Email Address (required)",
        "Email 2",
        "login email",
        "メールアドレス",
    ];
    for channel in CHANNELS {
        for name in names {
            let fields = [(name, ADA), ("email_opt_in", "yes"), ("Email consent", "on")];
            let found = properties(channel, &fields, json!({})).await;
            assert_eq!(found, json!({"email_opt_in": "yes", "email_consent": "on"}), "{channel:?} {name}");
        }
    }
    for name in names {
        assert_eq!(jotform(&json!({format!("q3_{name}"): ADA})).await, json!({}), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_questions_never_become_one_property() {
    let fields = [("email", ADA), ("Größe", "42"), ("Grüße", "hallo"), ("Prénom", "Ada"), ("Grosse", "L")];
    for channel in CHANNELS {
        let found = properties(channel, &fields, json!({})).await;
        let expected = json!({"grosse": "L", "grosse_2": "42", "grusse": "hallo", "firstname": "Ada"});
        assert_eq!(found, expected, "{channel:?}");
        let found = properties(channel, &fields[..3], json!({})).await;
        assert_eq!(found, json!({"grosse": "42", "grusse": "hallo"}), "{channel:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn field_name_of_any_script_gets_a_generated_property() {
    let fields = [("email", ADA), ("имя", "x"), ("お名前", "y"), ("שם", "z")];
    for channel in CHANNELS {
        let found = properties(channel, &fields, json!({})).await;
        let found = found.as_object().unwrap();
        assert_eq!(found["field_63565d7f"], "x", "{channel:?}");
        let mut values: Vec<_> = found.values().map(|value| value.as_str().unwrap()).collect();
        values.sort_unstable();
        assert_eq!(values, ["x", "y", "z"], "{channel:?}");
        assert!(found.keys().all(|name| name.len() == "field_".len() + 8), "{found:?}");
        let settings = json!({"field_map": {"имя": "firstname", "お名前": "lastname", "שם": null}});
        let found = properties(channel, &fields, settings).await;
        assert_eq!(found, json!({"firstname": "x", "lastname": "y"}), "{channel:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn invisible_value_keeps_the_stored_property() {
    for channel in CHANNELS {
        let fixture = channel.fixture(json!({})).await;
        for value in ["Ada", "   ", "\u{200b}\u{a0}", "\t\n"] {
            let value = if channel == Channel::Multipart { value.trim_matches('\n') } else { value };
            assert_eq!(fixture.send(&[("email", ADA), ("name", value)]).await.status, 200, "{channel:?}");
            assert_eq!(
                fixture.only_contact_properties(ADA).await,
                json!({"name": "Ada"}),
                "{channel:?} {value:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn technical_page_fields_are_stored_only_if_mapped() {
    let token = "x".repeat(1024);
    let names = [
        "g-recaptcha-response",
        "h-captcha-response",
        "cf-turnstile-response",
        "csrfmiddlewaretoken",
        "authenticity_token",
        "utf8",
        "form-name",
        "_gotcha",
        "bot-field",
    ];
    let fields: Vec<_> = names.iter().map(|name| (*name, token.as_str())).chain([("email", ADA)]).collect();
    for channel in CHANNELS {
        assert_eq!(properties(channel, &fields, json!({})).await, json!({}), "{channel:?}");
        let settings = json!({"field_map": {"form-name": "came_by"}});
        assert_eq!(properties(channel, &fields, settings).await, json!({"came_by": token}), "{channel:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn common_names_fill_standard_properties_on_every_channel() {
    let firsts = ["First Name", "FIRSTNAME", "FNAME", "Given Name", "Vorname", "Prénom", "firstname"];
    for channel in CHANNELS {
        for name in firsts {
            let found = properties(channel, &[("email", ADA), (name, "Ada")], json!({})).await;
            assert_eq!(found, json!({"firstname": "Ada"}), "{channel:?} {name}");
        }
        let fields = [
            ("email", ADA),
            ("Nachname", "Lovelace"),
            ("Telefon", "1"),
            ("Firma", "AE"),
            ("Job Title", "Countess"),
            ("Straße", "Ring 1"),
            ("Ort", "London"),
            ("PLZ", "10115"),
            ("State/Region", "LDN"),
            ("Land", "UK"),
            ("Website", "https://ada.example"),
            ("Full name", "Ada L"),
        ];
        let expected = json!({
            "lastname": "Lovelace", "phone": "1", "company": "AE", "jobtitle": "Countess", "address": "Ring 1",
            "city": "London", "zip": "10115", "state": "LDN", "country": "UK", "website": "https://ada.example",
            "name": "Ada L",
        });
        assert_eq!(properties(channel, &fields, json!({})).await, expected, "{channel:?}");
        let settings = json!({"field_map": {"Ort": "place"}});
        assert_eq!(
            properties(channel, &[("email", ADA), ("Ort", "x")], settings).await,
            json!({"place": "x"})
        );
        let both = [("email", ADA), ("firstname", "Ada"), ("First Name", "Augusta")];
        let found = properties(channel, &both, json!({})).await;
        assert_eq!(found, json!({"firstname": "Ada", "first_name": "Augusta"}), "{channel:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn common_names_of_providers_fill_standard_properties() {
    let (api, account) = one_account(json!({})).await;
    for provider in ["typeform", "webflow", "wpforms", "standard_webhooks", "jotform"] {
        let sender = sender(provider);
        let form = sender.form(&api, &account, &[1], json!({})).await;
        assert_eq!(sender.hook(&api, &form, 1, at(START)).await.status, 200, "{provider}");
        let path = format!("/v1/contacts/by-email/{}", sender.address);
        let contact = api.get(&path).token(&account.token).await.expect(200);
        assert!(contact["properties"]["firstname"].is_string(), "{provider} {contact}");
    }
}

#[tokio::test(start_paused = true)]
async fn unlisted_fields_are_omitted_and_counted() {
    let settings = json!({"fields": ["First Name", "topic"]});
    let fields = [
        ("email", ADA),
        ("first name", "Ada"),
        ("topic", "a"),
        ("topic", "b"),
        ("spam", "x"),
        ("empty", " "),
    ];
    for channel in CHANNELS {
        let fixture = channel.fixture(settings.clone()).await;
        assert_eq!(fixture.send(&fields).await.status, 200, "{channel:?}");
        assert_eq!(
            fixture.only_contact_properties(ADA).await,
            json!({"firstname": "Ada", "topic": "a;b"}),
            "{channel:?}"
        );
        let path = format!("/v1/forms/{}", fixture.form);
        let report = fixture.api.get(&path).token(&fixture.account.token).await.expect(200);
        assert_eq!(report["counts"]["fields_left_out"], 1, "{channel:?}");
    }
}
