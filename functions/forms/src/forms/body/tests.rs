//! Tests of the bodies: their defaults, bounds and errors.

use domain::patch::Patch;
use serde_json::{Value, json};

use super::*;
use api::reading::{read, wrong};

fn new_form(body: &Value) -> NewForm {
    let NewFormBody(new) = read(body).unwrap();
    new
}

#[test]
fn form_without_set_marketing_leaves_it_undecided() {
    let least = new_form(&json!({"name": "Newsletter"}));
    assert_eq!(
        (least.name.as_str(), least.provider.as_str(), least.set_marketing),
        ("Newsletter", "native", None)
    );
    assert!(least.field_map.is_empty() && least.allowed_origins.is_empty() && least.redirect_url.is_none());
    let off = new_form(&json!({"name": "Newsletter", "set_marketing": false}));
    assert_eq!(off.set_marketing, Some(false));
}

#[test]
fn form_of_a_provider_has_secrets_and_a_budget() {
    let secrets = json!(["0123456789abcdef", "fedcba9876543210"]);
    let full = new_form(&json!({
        "name": "Sign-up", "provider": "typeform", "secrets": secrets, "max_new_marketing_per_day": 50,
        "field_map": {"captcha": null},
    }));
    assert_eq!((full.provider, full.secrets.len()), (Provider::Typeform, 2));
    assert_eq!((full.set_marketing, full.max_new_marketing_per_day), (None, Some(50)));
    assert_eq!(full.field_map["captcha"], FieldTarget::Nothing);
    let least =
        new_form(&json!({"name": "Sign-up", "provider": "generic", "max_new_marketing_per_day": null}));
    assert_eq!((least.secrets.len(), least.max_new_marketing_per_day), (0, None));
}

#[test]
fn secrets_of_another_provider_are_rejected() {
    let body =
        |provider: &str, secrets: Value| json!({"name": "a", "provider": provider, "secrets": secrets});
    let plain = "0123456789abcdef";
    let key = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    for (provider, secrets, fits) in [
        ("native", json!([]), true),
        ("native", json!([plain]), false),
        ("tally", json!([plain]), true),
        ("tally", json!([plain, plain, plain]), false),
        ("tally", json!(["short"]), false),
        ("tally", json!(plain), false),
        ("standard_webhooks", json!([plain]), false),
        ("standard_webhooks", json!([key]), true),
    ] {
        let body = body(provider, secrets);
        match read::<NewFormBody>(&body) {
            Ok(_) => assert!(fits, "{body}"),
            Err(errors) => assert!(!fits && errors.iter().all(|(field, _)| field == "secrets"), "{errors:?}"),
        }
    }
}

#[test]
fn mapped_field_fills_the_address_or_a_property() {
    let full = new_form(&json!({
        "name": "Newsletter", "provider": "native", "field_map": {"your_email": "email", "Vorname ü": "firstname"},
        "allowed_origins": ["https://Example.org", "http://localhost:3000", "https://example.org:443"],
        "redirect_url": "https://example.org/thanks",
    }));
    assert_eq!(full.field_map["your_email"], FieldTarget::Email);
    assert_eq!(full.field_map["Vorname ü"].name(), Some("firstname"));
    assert_eq!(full.allowed_origins, ["https://example.org", "http://localhost:3000"]);
    assert_eq!(full.redirect_url.as_deref(), Some("https://example.org/thanks"));
}

#[test]
fn form_with_several_errors_lists_all() {
    let body = json!({
        "name": "", "provider": "google", "set_marketing": 1, "max_new_marketing_per_day": -1,
        "field_map": {"": "firstname", "a": "hs_marketable_status", "b": "First Name", "c": 1, "d": "lastname"},
        "allowed_origins": ["https://example.org/path", 7], "redirect_url": "/thanks", "secrets": 1,
    });
    assert_eq!(
        wrong::<NewFormBody>(&body),
        [
            "name",
            "provider",
            "secrets",
            "set_marketing",
            "max_new_marketing_per_day",
            "field_map.",
            "field_map.a",
            "field_map.b",
            "field_map.c",
            "allowed_origins[0]",
            "allowed_origins[1]",
            "redirect_url",
        ]
    );
}

#[test]
fn field_map_with_two_addresses_is_rejected() {
    let body = json!({"name": "a", "field_map": {"x": "email", "y": "email"}});
    assert_eq!(wrong::<NewFormBody>(&body), ["field_map"]);
    assert_eq!(wrong::<UpdateFormBody>(&json!({"field_map": {"x": "email", "y": "email"}})), ["field_map"]);
    let same = json!({"name": "a", "field_map": {"x": "interests", "y": "interests"}});
    assert_eq!(new_form(&same).field_map.len(), 2, "several fields may fill one property");
}

#[test]
fn lists_and_names_beyond_their_bounds_are_rejected() {
    let fields =
        |count: usize| -> BTreeMap<String, &str> { (0..count).map(|at| (at.to_string(), "a")).collect() };
    let origins =
        |count: usize| -> Vec<String> { (0..count).map(|at| format!("https://{at}.example")).collect() };
    let name = |chars: usize| BTreeMap::from([("ü".repeat(chars), "a")]);
    for (field, fits, too_many) in [
        ("field_map", json!(fields(FIELD_MAP_MAX)), json!(fields(FIELD_MAP_MAX + 1))),
        ("allowed_origins", json!(origins(ALLOWED_ORIGINS_MAX)), json!(origins(ALLOWED_ORIGINS_MAX + 1))),
        ("field_map", json!(name(FORM_FIELD_NAME_CHARS_MAX)), json!(name(FORM_FIELD_NAME_CHARS_MAX + 1))),
    ] {
        assert!(read::<UpdateFormBody>(&json!({field: fits})).is_ok(), "{field}");
        let found = wrong::<UpdateFormBody>(&json!({field: too_many}));
        assert!(found.len() == 1 && found[0].starts_with(field), "{found:?}");
    }
}

#[test]
fn change_has_sent_settings_and_leaves_the_rest() {
    let change = |body: Value| {
        let UpdateFormBody(change) = read(&body).unwrap();
        change
    };
    let empty = change(json!({}));
    assert!(empty.name.is_none() && !empty.set_marketing.is_change() && empty.field_map.is_none());
    assert!(empty.allowed_origins.is_none() && !empty.redirect_url.is_change());
    assert_eq!(change(json!({"redirect_url": null})).redirect_url, Patch::Remove);
    let full = change(json!({
        "name": "Renamed", "set_marketing": false, "field_map": {}, "allowed_origins": [],
        "redirect_url": "https://example.org/",
    }));
    assert_eq!((full.name.as_deref(), full.set_marketing), (Some("Renamed"), Patch::Set(false)));
    let back = change(
        json!({"may_raise_tier": true, "overwrite": "if_empty", "answer": "full", "fields": ["email"],
            "event_types": ["contact.created"], "set_marketing": null, "max_new_marketing_per_day": null,
            "secrets": []}),
    );
    assert_eq!((back.set_marketing, back.max_new_marketing_per_day), (Patch::Remove, Patch::Remove));
    assert_eq!(back.secrets, Some(vec![]));
    assert_eq!((full.field_map, full.allowed_origins), (Some(BTreeMap::new()), Some(vec![])));
    assert_eq!(full.redirect_url, Patch::Set("https://example.org/".into()));
    assert_eq!(wrong::<UpdateFormBody>(&json!({"name": null, "provider": "native"})), ["name", "provider"]);
}
