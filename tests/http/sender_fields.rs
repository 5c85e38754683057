//! Fields by the names that real forms give them: which holds the address, and which property the others fill.

use serde_json::{Value, json};
use testkit::at;

use super::START;
use super::one_account;
use super::roads::{ROADS, Road, urlencoded};
use super::senders::sender;

const ADA: &str = "ada@corp.example";
const FORM: &str = "application/x-www-form-urlencoded";

/// The properties that these fields leave on a road, beside the address.
async fn properties(road: Road, fields: &[(&str, &str)], settings: Value) -> Value {
    let journey = road.to(settings).await;
    let reply = journey.send(fields).await;
    assert_eq!(reply.status, 200, "{road:?} {fields:?} {}", reply.text());
    journey.only(ADA).await
}

/// The properties that a Jotform submission with these answers leaves.
async fn jotform(said: &Value) -> Value {
    let (api, account) = one_account(json!({})).await;
    let jotform = sender("jotform");
    let form = jotform.form(&api, &account, &[1], json!({})).await;
    let path = format!("/v1/hooks/{form}?secret={}", jotform.secret(1));
    let body = urlencoded(&[("submissionID", "1"), ("rawRequest", &said.to_string())]);
    assert_eq!(api.post(&path).body(FORM, body).await.expect(200)["contact"], "created", "{said}");
    let ada = api.get(&format!("/v1/contacts/by-email/{ADA}")).token(&account.token).await.expect(200);
    ada["properties"].clone()
}

#[tokio::test]
async fn jotforms_numbers_say_nothing() {
    for name in ["q3_q3_email1", "q4_q4_email2", "q4_email4", "q3_email"] {
        assert_eq!(jotform(&json!({name: ADA, "q5_note": "x"})).await, json!({"note": "x"}), "{name}");
    }
    let said = json!({"q3_email3": ADA, "q4_fullName4": {"first": "Ada", "last": "L"}, "q5_phoneNumber5": {"full": "5"}});
    let expected = json!({"fullname4_first": "Ada", "fullname4_last": "L", "phone": "5"});
    let found = jotform(&said).await;
    assert!(found == expected || found["phone"] == "5", "{found}");
}

#[tokio::test]
async fn nested_form_post_is_read_as_its_json() {
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
    for road in [Road::Post, Road::Multipart, Road::GenericPost] {
        let found = properties(road, &fields, json!({})).await;
        assert_eq!(found["name"], "Ada", "{road:?} {found}");
    }
    let field = |title: &str, kind: &str, value: &str| json!({"type": kind, "title": title, "value": value, "raw_value": "x"});
    let json =
        json!({"fields": {"email": field("E-Mail", "email", ADA), "name": field("Name", "text", "Ada")}});
    for road in [Road::Json, Road::Generic, Road::Standard] {
        let journey = road.to(json!({})).await;
        assert_eq!(journey.send_body("application/json", json.to_string().as_bytes()).await.status, 200);
        assert_eq!(journey.only(ADA).await, json!({"name": "Ada"}), "{road:?}");
    }
}

#[tokio::test]
async fn object_with_a_value_and_a_type_is_one_field() {
    let fields =
        json!({"Email": {"value": ADA, "field_type": "email"}, "Age": {"value": 36, "field_type": "number"}});
    for road in [Road::Generic, Road::Standard, Road::Json] {
        let journey = road.to(json!({})).await;
        let body = if road == Road::Json { json!({"fields": fields}) } else { fields.clone() };
        assert_eq!(journey.send_body("application/json", body.to_string().as_bytes()).await.status, 200);
        assert_eq!(journey.only(ADA).await, json!({"age": "36"}), "{road:?}");
    }
}

#[tokio::test]
async fn any_word_for_email_names_the_address() {
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
    for road in ROADS {
        for name in names {
            let fields = [(name, ADA), ("email_opt_in", "yes"), ("Email consent", "on")];
            let found = properties(road, &fields, json!({})).await;
            assert_eq!(found, json!({"email_opt_in": "yes", "email_consent": "on"}), "{road:?} {name}");
        }
    }
    for name in names {
        assert_eq!(jotform(&json!({format!("q3_{name}"): ADA})).await, json!({}), "{name}");
    }
}

#[tokio::test]
async fn two_questions_never_become_one_property() {
    let fields = [("email", ADA), ("Größe", "42"), ("Grüße", "hallo"), ("Prénom", "Ada"), ("Grosse", "L")];
    for road in ROADS {
        let found = properties(road, &fields, json!({})).await;
        let expected = json!({"grosse": "L", "grosse_2": "42", "grusse": "hallo", "firstname": "Ada"});
        assert_eq!(found, expected, "{road:?}");
        let found = properties(road, &fields[..3], json!({})).await;
        assert_eq!(found, json!({"grosse": "42", "grusse": "hallo"}), "{road:?}");
    }
}

#[tokio::test]
async fn field_of_any_script_is_taken_under_a_made_name() {
    let fields = [("email", ADA), ("имя", "x"), ("お名前", "y"), ("שם", "z")];
    for road in ROADS {
        let found = properties(road, &fields, json!({})).await;
        let found = found.as_object().unwrap();
        assert_eq!(found["field_63565d7f"], "x", "{road:?}");
        let mut values: Vec<_> = found.values().map(|value| value.as_str().unwrap()).collect();
        values.sort_unstable();
        assert_eq!(values, ["x", "y", "z"], "{road:?}");
        assert!(found.keys().all(|name| name.len() == "field_".len() + 8), "{found:?}");
        let settings = json!({"field_map": {"имя": "firstname", "お名前": "lastname", "שם": null}});
        let found = properties(road, &fields, settings).await;
        assert_eq!(found, json!({"firstname": "x", "lastname": "y"}), "{road:?}");
    }
}

#[tokio::test]
async fn value_with_nothing_visible_leaves_what_is_known() {
    for road in ROADS {
        let journey = road.to(json!({})).await;
        for value in ["Ada", "   ", "\u{200b}\u{a0}", "\t\n"] {
            let value = if road == Road::Multipart { value.trim_matches('\n') } else { value };
            assert_eq!(journey.send(&[("email", ADA), ("name", value)]).await.status, 200, "{road:?}");
            assert_eq!(journey.only(ADA).await, json!({"name": "Ada"}), "{road:?} {value:?}");
        }
    }
}

#[tokio::test]
async fn page_machinery_is_kept_only_where_the_form_maps_it() {
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
    for road in ROADS {
        assert_eq!(properties(road, &fields, json!({})).await, json!({}), "{road:?}");
        let settings = json!({"field_map": {"form-name": "came_by"}});
        assert_eq!(properties(road, &fields, settings).await, json!({"came_by": token}), "{road:?}");
    }
}

#[tokio::test]
async fn usual_names_fill_one_property_each_on_every_road() {
    let firsts = ["First Name", "FIRSTNAME", "FNAME", "Given Name", "Vorname", "Prénom", "firstname"];
    for road in ROADS {
        for name in firsts {
            let found = properties(road, &[("email", ADA), (name, "Ada")], json!({})).await;
            assert_eq!(found, json!({"firstname": "Ada"}), "{road:?} {name}");
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
        assert_eq!(properties(road, &fields, json!({})).await, expected, "{road:?}");
        let settings = json!({"field_map": {"Ort": "place"}});
        assert_eq!(properties(road, &[("email", ADA), ("Ort", "x")], settings).await, json!({"place": "x"}));
        let both = [("email", ADA), ("firstname", "Ada"), ("First Name", "Augusta")];
        let found = properties(road, &both, json!({})).await;
        assert_eq!(found, json!({"firstname": "Ada", "first_name": "Augusta"}), "{road:?}");
    }
}

#[tokio::test]
async fn usual_names_of_four_providers_fill_one_property() {
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

#[tokio::test]
async fn form_leaves_out_and_counts_the_fields_that_it_does_not_take() {
    let settings = json!({"fields": ["First Name", "topic"]});
    let fields = [
        ("email", ADA),
        ("first name", "Ada"),
        ("topic", "a"),
        ("topic", "b"),
        ("spam", "x"),
        ("empty", " "),
    ];
    for road in ROADS {
        let journey = road.to(settings.clone()).await;
        assert_eq!(journey.send(&fields).await.status, 200, "{road:?}");
        assert_eq!(journey.only(ADA).await, json!({"firstname": "Ada", "topic": "a;b"}), "{road:?}");
        let path = format!("/v1/forms/{}", journey.form);
        let report = journey.api.get(&path).token(&journey.account.token).await.expect(200);
        assert_eq!(report["counts"]["fields_left_out"], 1, "{road:?}");
    }
}
