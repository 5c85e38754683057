//! Tests of every provider's deliveries, whole and broken, and of the contacts that result from them.

use serde_json::{Map, Value, json};
use store::FieldTarget;

use super::samples::sample;
use super::*;
use form_mapping::person::{self, FieldMap, FormFields, Person, Reason};

/// A contact as texts: the address and the properties.
type Found = (String, Vec<(String, String)>);

fn map(entries: &[(&str, Option<&str>)]) -> FieldMap {
    let target = |target: &Option<&str>| target.map_or(FieldTarget::Nothing, |text| text.parse().unwrap());
    entries.iter().map(|(field, to)| ((*field).to_owned(), target(to))).collect()
}

fn answers(delivery: Delivery) -> Answers {
    match delivery.event {
        Event::Submission(answers) => answers,
        Event::Other => panic!("expected a submission"),
    }
}

fn found(answers: &Answers, map: &FieldMap) -> Result<Found, (Reason, Vec<String>)> {
    match person::from_answers(answers.as_slice(), &FormFields::new(map, None)) {
        Ok(Person { email, properties, .. }) => {
            let properties = properties.into_iter().map(|(name, value)| (name.to_string(), value.unwrap()));
            Ok((email.given().to_owned(), properties.collect()))
        }
        Err(rejection) => {
            Err((rejection.reason, rejection.errors.into_iter().map(|error| error.field).collect()))
        }
    }
}

fn delivered(provider: Provider, body: &Value) -> Delivery {
    sample(provider).read(body.to_string()).ok().unwrap()
}

fn contact_of(
    provider: Provider,
    body: &Value,
    entries: &[(&str, Option<&str>)],
) -> Result<Found, (Reason, Vec<String>)> {
    found(&answers(delivered(provider, body)), &map(entries))
}

fn texts(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Asserts the delivery id of a provider's sample, and the contact that results from the sample.
fn assert_sample(provider: Provider, id: &str, email: &str, properties: &[(&str, &str)]) {
    let sample = sample(provider);
    let delivery = sample.read(sample.body).ok().unwrap();
    assert_eq!(delivery.id.as_deref(), Some(id));
    let answers = answers(delivery);
    let expected = (email.to_owned(), texts(properties));
    assert_eq!(found(&answers, &sample.map()), Ok(expected.clone()));
    let kept = serde_json::to_string(&answers.to_keep()).unwrap();
    assert_eq!(found(&serde_json::from_str(&kept).unwrap(), &sample.map()), Ok(expected));
}

#[test]
fn typeform() {
    assert_sample(
        Provider::Typeform,
        "01HFSYN6V3T8QZ2M4K7B9C0D1E",
        "wilhelmine.brandt@example.org",
        &[
            ("first_visit", "true"),
            ("firstname", "Wilhelmine"),
            ("how_many_of_you", "4"),
            ("interests", "The refractor;The library;The café"),
            ("language", "German"),
            ("letter", "https://files.example.org/letter.pdf"),
            ("phone", "+49301234567"),
            ("utm_source", "newsletter"),
            ("visit_date", "2026-12-13"),
            ("website", "https://brandt.example.org/"),
        ],
    );
}

#[test]
fn tally() {
    assert_sample(
        Provider::Tally,
        "5c3d9a04-70a1-4f0e-8e0c-5b1f2a6d7e88",
        "teodora@example.org",
        &[
            ("a_recording", "https://storage.example.org/song.mp3"),
            ("evenings", "Monday;Sunday matinée"),
            ("first_day", "2027-01-11"),
            ("how_well_do_you_know", "Bach: Well;Holst: A little"),
            ("name", "Teodora Ilić"),
            ("utm_campaign", "winter"),
            ("voice", "Alto"),
            ("years_of_singing", "12"),
        ],
    );
}

#[test]
fn jotform() {
    assert_sample(
        Provider::Jotform,
        "6079412385021774301",
        "kwame@example.org",
        &[
            ("beds", "3"),
            ("firstday", "2027-03-09"),
            ("firstname", "Kwame"),
            ("lastname", "Boateng"),
            ("phone", "(020) 555-0133"),
            ("seeds", "Beans;Peas"),
            ("uploadthe", "https://files.example.org/garden.jpg"),
        ],
    );
}

#[test]
fn webflow() {
    assert_sample(
        Provider::Webflow,
        "673f9d1c8e5b2a0047c1d9ef",
        "ingrid.solberg@example.org",
        &[("firstname", "Ingrid"), ("guests", "2"), ("newsletter", "true"), ("workshop", "Bookbinding")],
    );
}

#[test]
fn netlify() {
    assert_sample(
        Provider::Netlify,
        "673f9d60c2a4f70008d1b3aa",
        "mateo.quispe@example.org",
        &[
            ("map", "https://files.example.org/map.png"),
            ("message", "Is the path open in the winter?"),
            ("name", "Mateo Quispe"),
            ("topics", "paths;huts"),
        ],
    );
}

#[test]
fn calendly() {
    assert_sample(
        Provider::Calendly,
        "https://api.calendly.com/scheduled_events/CCCCCCCCCCCCCCCC/invitees/DDDDDDDDDDDDDDDD",
        "hana.novakova@example.org",
        &[
            ("name", "Hana Nováková"),
            ("timezone", "Europe/Prague"),
            ("what_would_you_like_to_talk_about", "A lamp for the reading room"),
        ],
    );
}

#[test]
fn gravity_forms() {
    assert_sample(
        Provider::GravityForms,
        "1187",
        "noor.haddad@example.org",
        &[
            ("field_1_3", "Noor"),
            ("field_1_6", "Haddad"),
            ("field_4_1", "Rye"),
            ("field_4_3", "Spelt"),
            ("field_7", "2026-12-24"),
        ],
    );
    let gravity = sample(Provider::GravityForms);
    let answers = answers(gravity.read(gravity.body).ok().unwrap());
    assert_eq!(found(&answers, &FieldMap::new()), Err((Reason::NoAddress, vec!["fields.email".to_owned()])));
}

#[test]
fn wpforms() {
    assert_sample(
        Provider::Wpforms,
        "2204",
        "samuel.okoro@example.org",
        &[
            ("books", "Maps;Travel"),
            ("firstname", "Samuel"),
            ("lastname", "Okoro"),
            ("message", "Two weeks, please."),
        ],
    );
}

#[test]
fn standard_webhooks() {
    assert_sample(
        Provider::StandardWebhooks,
        "msg_2pXq",
        "lucia.ferrari@example.org",
        &[
            ("firstname", "Lucia"),
            ("plan", "garden"),
            ("profile_born", "1991"),
            ("tags", "early;north"),
            ("terms_accepted", "true"),
        ],
    );
}

#[test]
fn generic() {
    assert_sample(
        Provider::Generic,
        "b3c1a7e2",
        "yuki.tanaka@example.org",
        &[
            ("guided", "yes"),
            ("interests", "Glass;Paper"),
            ("name", "Yuki Tanaka"),
            ("visit_on", "2026-12-05"),
        ],
    );
}

#[test]
fn field_map_accepts_any_name_of_a_field() {
    let of = |provider, entries: &[(&str, Option<&str>)]| {
        let sample = sample(provider);
        found(&answers(sample.read(sample.body).ok().unwrap()), &map(entries)).unwrap().1
    };
    for name in ["How many of you?", "01HFSYN0ABCDEFGHJKMNPQRST4", "d4HowMany04"] {
        let properties = of(Provider::Typeform, &[(name, Some("party"))]);
        assert!(properties.contains(&("party".into(), "4".into())), "{name}");
    }
    for name in ["Voice", "question_dQ4xYz"] {
        let properties = of(Provider::Tally, &[(name, None), ("form_name", Some("came_by"))]);
        assert!(properties.contains(&("came_by".into(), "Join the choir".into())), "{name}");
        assert!(!properties.iter().any(|(_, value)| value == "Alto"), "{name}");
    }
    let properties = of(
        Provider::Jotform,
        &[("q3_name[first]", Some("firstname")), ("name[last]", Some("lastname")), ("q9_notes", None)],
    );
    assert!(properties.contains(&("firstname".into(), "Kwame".into())));
    assert!(properties.contains(&("lastname".into(), "Boateng".into())));
    let properties = of(Provider::Jotform, &[("q3_name", Some("fullname"))]);
    assert!(properties.contains(&("fullname".into(), "Kwame;Boateng".into())));
    let properties =
        of(Provider::Netlify, &[("Your message", Some("note")), ("referrer", Some("last_page"))]);
    assert!(properties.contains(&("note".into(), "Is the path open in the winter?".into())));
    assert!(properties.contains(&("last_page".into(), "https://hiking.example.org/contact".into())));
    let properties = of(Provider::Calendly, &[("utm_source", Some("came_by")), ("timezone", None)]);
    assert!(properties.contains(&("came_by".into(), "fair".into())));
    assert!(!properties.iter().any(|(name, _)| name == "timezone"));
}

#[test]
fn other_events_have_an_id_and_no_submission() {
    for (provider, body, id) in [
        (Provider::Typeform, json!({"event_id": "e1", "event_type": "form_response_partial"}), "e1"),
        (Provider::Tally, json!({"eventId": "e2", "eventType": "FORM_CREATED", "data": null}), "e2"),
        (
            Provider::Webflow,
            json!({"triggerType": "ecomm_new_order", "payload": {"id": 7, "orderId": "x"}}),
            "7",
        ),
        (
            Provider::Calendly,
            json!({"event": "invitee.canceled", "payload": {"uri": "https://x", "email": "a@b"}}),
            "https://x",
        ),
    ] {
        let delivery = delivered(provider, &body);
        assert!(matches!(delivery.event, Event::Other), "{provider}");
        assert_eq!(delivery.id.as_deref(), Some(id));
    }
}

/// Parses a Jotform delivery with this text as its `rawRequest`.
fn jotform_with(raw: &str) -> Result<Delivery, Problem> {
    let body: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("submissionID", "77")
        .append_pair("rawRequest", raw)
        .finish();
    let headers = super::samples::headers(&[("content-type", "application/x-www-form-urlencoded")]);
    read(Provider::Jotform, &headers, &Bytes::from(body))
}

#[test]
fn jotform_dates_and_phone_numbers_become_one_text() {
    let raw = json!({
        "q1_email": "a@b.example",
        "q2_when": {"day": "1", "month": "2", "year": "2027", "hour": "9", "min": "05"},
        "q3_then": {"day": "1", "month": "2", "year": "2027", "hour": "9", "min": "05", "ampm": "PM"},
        "q4_never": {"day": "", "month": "", "year": ""},
        "q5_phone": {"area": "20", "phone": "555 0133"},
        "q6_fax": {"full": ""},
        "q_": "no number", "qx_odd": "no number", "q7_": "no label", "website": "https://own.example",
    });
    let answers = answers(jotform_with(&raw.to_string()).ok().unwrap());
    let expected = texts(&[("phone", "20 555 0133"), ("then", "2027-02-01"), ("when", "2027-02-01T09:05")]);
    assert_eq!(found(&answers, &FieldMap::new()), Ok(("a@b.example".into(), expected)));
}

/// Returns a Typeform response with these answers: their ids, types and values.
fn typeform_of(given: &[(&str, &str, Value)]) -> Value {
    let given: Vec<Value> = given
        .iter()
        .map(|(id, kind, value)| {
            let mut answer = json!({"type": kind, "field": {"id": id}});
            answer[*kind] = value.clone();
            answer
        })
        .collect();
    json!({"event_id": "e", "event_type": "form_response", "form_response": {"answers": given}})
}

#[test]
fn answer_of_an_unknown_type_must_be_mapped() {
    let body = typeform_of(&[
        ("mail", "email", json!("a@b.example")),
        ("sketch", "drawing", json!({"strokes": [1, 2.0]})),
        ("mood", "feeling", json!("glad")),
    ]);
    assert_eq!(
        contact_of(Provider::Typeform, &body, &[]),
        Err((Reason::UnknownFieldType, vec!["fields.sketch".into(), "fields.mood".into()]))
    );
    assert_eq!(
        contact_of(Provider::Typeform, &body, &[("sketch", None), ("mood", Some("mood"))]).unwrap().1,
        texts(&[("mood", "glad")])
    );
    assert_eq!(
        contact_of(Provider::Typeform, &body, &[("sketch", Some("sketch")), ("mood", None)]).unwrap().1,
        texts(&[("sketch", r#"{"strokes":[1,2.0]}"#)])
    );
    let body = json!({"eventId": "e", "eventType": "FORM_RESPONSE", "data": {"fields": [
        {"key": "k1", "label": "E-mail", "type": "INPUT_EMAIL", "value": "a@b.example"},
        {"key": "k2", "label": "Wallet", "type": "WALLET", "value": {"a": 1}},
        {"key": "k3", "label": "Nothing", "type": "WALLET", "value": null},
        {"key": "k4", "label": "Grid", "type": "MATRIX", "value": [1]},
    ]}});
    assert_eq!(
        contact_of(Provider::Tally, &body, &[]),
        Err((Reason::UnknownFieldType, vec!["fields.Wallet".into(), "fields.Grid".into()]))
    );
    let body = json!({"email": "a@b.example", "orders": [{"a": 1}]});
    assert_eq!(
        contact_of(Provider::StandardWebhooks, &body, &[]),
        Err((Reason::UnknownFieldType, vec!["fields.orders".into()]))
    );
}

#[test]
fn typeform_answers_of_known_types_are_read() {
    let body = typeform_of(&[
        ("mail", "email", json!("a@b.example")),
        ("other", "choice", json!({"other": "none of these"})),
        ("several", "choices", json!({"labels": ["a"], "other": null})),
        ("none", "choices", json!({"labels": []})),
        ("paid", "payment", json!({"amount": "12.50", "last4": "4242", "success": true})),
        ("no", "boolean", json!(false)),
        ("half", "number", json!(0.5)),
    ]);
    let expected = texts(&[
        ("half", "0.5"),
        ("no", "false"),
        ("other", "none of these"),
        ("paid", "12.50"),
        ("several", "a"),
    ]);
    assert_eq!(contact_of(Provider::Typeform, &body, &[]).unwrap().1, expected);
}

#[test]
fn address_is_found_by_map_then_type_then_usual_name() {
    let body = typeform_of(&[
        ("own", "email", json!("own@b.example")),
        ("friend", "email", json!("friend@b.example")),
        ("E-Mail", "text", json!("text@b.example")),
    ]);
    assert_eq!(
        contact_of(Provider::Typeform, &body, &[]),
        Err((Reason::SeveralAddresses, vec!["fields.own".into()]))
    );
    assert_eq!(
        contact_of(Provider::Typeform, &body, &[("friend", Some("referred"))]),
        Ok((
            "own@b.example".into(),
            texts(&[("e_mail", "text@b.example"), ("referred", "friend@b.example")])
        ))
    );
    assert_eq!(
        contact_of(Provider::Typeform, &body, &[("E-Mail", Some("email"))]).unwrap().0,
        "text@b.example"
    );
    let body = typeform_of(&[
        ("work email", "email", json!("work@b.example")),
        ("Email", "email", json!("own@b.example")),
        ("email", "text", json!("hidden@b.example")),
    ]);
    assert_eq!(
        contact_of(Provider::Typeform, &body, &[]),
        Ok(("own@b.example".into(), texts(&[("work_email", "work@b.example")])))
    );
}

#[test]
fn address_is_found_under_its_usual_names() {
    for name in [
        "email",
        "E-Mail",
        "emailAddress",
        "email_address",
        "Email Address *",
        "your_email",
        "your-email",
        "mail",
        "form_fields[email]",
        "contact[e-mail]",
        "Correo electrónico",
    ] {
        let headers = sample(Provider::Tally).headers();
        let body = json!({name: " ada@example.org "}).to_string();
        let answers = answers(read(Provider::Generic, &headers, &Bytes::from(body)).ok().unwrap());
        assert_eq!(found(&answers, &FieldMap::new()).unwrap().0, "ada@example.org", "{name}");
    }
}

/// Parses a JSON delivery of a generic sender.
fn generic_of(body: &Value) -> Delivery {
    read(Provider::Generic, &sample(Provider::Tally).headers(), &Bytes::from(body.to_string())).ok().unwrap()
}

#[test]
fn json_of_any_shape_is_flattened() {
    let delivery = generic_of(&json!({
        "submission_id": 12,
        "page_url": "https://example.org/",
        "id": "of the person",
        "fields": {"email": "a@b.example", "Name": "Ada"},
        "address": {"city": "Turin", "geo": {"lat": 45.07}},
        "empty": {}, "none": null, "void": [],
        "files": [{"url": "https://f.example/1", "size": 3}, {"url": "https://f.example/2", "name": "b"}],
        "described": [{"name": "Colour", "value": "red"}, {"label": "Size", "value": [1, 2.0]}],
        "5": {"id": 5, "name": "Second address", "type": "email", "value": ""},
    }));
    assert_eq!(delivery.id.as_deref(), Some("12"));
    let answers = answers(delivery);
    assert_eq!(
        found(&answers, &map(&[("page_url", Some("last_page"))])).unwrap(),
        (
            "a@b.example".into(),
            texts(&[
                ("address_geo_lat", "45.07"),
                ("city", "Turin"),
                ("colour", "red"),
                ("field_id", "of the person"),
                ("files", "https://f.example/1;https://f.example/2"),
                ("last_page", "https://example.org/"),
                ("name", "Ada"),
                ("size", "1;2"),
            ])
        )
    );
    let described =
        json!({"fields": {"1": {"id": 1, "name": "Where to", "type": "email", "value": "a@b.example"}}});
    assert_eq!(found(&self::answers(generic_of(&described)), &FieldMap::new()).unwrap().0, "a@b.example");
    let nested = generic_of(&json!({"address": {"geo": {"lat": 1}}, "email": "a@b.example"}));
    let nested = found(&self::answers(nested), &map(&[("address", Some("place"))])).unwrap();
    assert_eq!(nested.1, texts(&[("place", "1")]));
}

#[test]
fn object_with_a_value_and_a_type_is_one_field() {
    let body = json!({
        "Email": {"value": "a@corp.example", "field_type": "email"},
        "Age": {"id": "f2", "type": "number", "value": 36},
        "price": {"value": 5, "currency": "EUR"},
        "list": [{"id": "colour", "type": "text", "value": "red"}],
    });
    let expected =
        texts(&[("age", "36"), ("colour", "red"), ("price_currency", "EUR"), ("price_value", "5")]);
    assert_eq!(contact_of(Provider::StandardWebhooks, &body, &[]), Ok(("a@corp.example".into(), expected)));
}

#[test]
fn nested_form_post_equals_its_json() {
    let body = json!({"fields": {
        "email": {"id": "email", "type": "email", "title": "Your mail", "value": "a@corp.example", "raw_value": "a"},
        "first": {"id": "first", "type": "text", "title": "First Name", "value": "Ada", "required": "1"},
        "age": "36",
    }});
    let mut post = form_urlencoded::Serializer::new(String::new());
    for (field, members) in body["fields"].as_object().unwrap() {
        match members {
            Value::Object(members) => members.iter().for_each(|(name, value)| {
                post.append_pair(&format!("fields[{field}][{name}]"), value.as_str().unwrap());
            }),
            value => {
                post.append_pair(&format!("fields[{field}]"), value.as_str().unwrap());
            }
        }
    }
    let headers = super::samples::headers(&[("content-type", "application/x-www-form-urlencoded")]);
    let posted = read(Provider::Generic, &headers, &Bytes::from(post.finish())).ok().unwrap();
    let found = found(&answers(posted), &FieldMap::new());
    assert_eq!(found, Ok(("a@corp.example".into(), texts(&[("age", "36"), ("firstname", "Ada")]))));
    assert_eq!(found, contact_of(Provider::StandardWebhooks, &body, &[]));
}

#[test]
fn json_sent_as_a_form_post_is_read_as_json() {
    let headers =
        super::samples::headers(&[("content-type", "application/x-www-form-urlencoded; charset=utf-8")]);
    for provider in [Provider::Generic, Provider::Wpforms, Provider::GravityForms] {
        let body = Bytes::from(r#"{"email": "a@corp.example", "entry_id": 7, "note": "1=2&3 \ud83d"}"#);
        let delivery = read(provider, &headers, &body).ok().unwrap();
        assert_eq!(delivery.id.as_deref(), Some("7"));
        let expected = texts(&[("note", "1=2&3 \u{FFFD}")]);
        assert_eq!(found(&answers(delivery), &FieldMap::new()), Ok(("a@corp.example".into(), expected)));
    }
}

#[test]
fn jotform_numbers_around_a_name_are_ignored() {
    for (name, value) in [
        ("q3_q3_email1", "a@corp.example"),
        ("q4_q4_email2", "a@corp.example"),
        ("q4_email4", "a@corp.example"),
    ] {
        let raw = json!({name: value, "q5_phoneNumber5": "555", "q6_q6_fullName6": {"first": "Ada"}, "q7_text2": "x"});
        let answers = answers(jotform_with(&raw.to_string()).ok().unwrap());
        let expected = texts(&[("fullname_first", "Ada"), ("phone", "555"), ("text2", "x")]);
        assert_eq!(found(&answers, &FieldMap::new()), Ok(("a@corp.example".into(), expected)), "{name}");
    }
    let raw = json!({"q3_email3": "a@corp.example", "q4_phone4": "1", "q5_phone5": "2", "q6_q7_x": "y"});
    let answers = answers(jotform_with(&raw.to_string()).ok().unwrap());
    let expected = texts(&[("phone", "1"), ("phone_2", "2"), ("q7_x", "y")]);
    assert_eq!(found(&answers, &FieldMap::new()).unwrap().1, expected);
    assert_eq!(
        found(&answers, &map(&[("phone5", Some("fax")), ("q4_phone4", None)])).unwrap().1,
        texts(&[("fax", "2"), ("q7_x", "y")])
    );
}

#[test]
fn submission_time_is_read_from_the_delivery() {
    let at = "2026-11-21T19:59:01.000Z";
    for (provider, body) in [
        (
            Provider::Typeform,
            json!({"event_id": "e", "event_type": "form_response", "form_response": {"submitted_at": at}}),
        ),
        (
            Provider::Tally,
            json!({"eventId": "e", "eventType": "FORM_RESPONSE", "data": {"createdAt": at, "fields": []}}),
        ),
        (
            Provider::Tally,
            json!({"eventId": "e", "eventType": "FORM_RESPONSE", "createdAt": at, "data": {"fields": []}}),
        ),
        (Provider::Netlify, json!({"id": "e", "created_at": at, "data": {}})),
    ] {
        assert_eq!(delivered(provider, &body).made_at, at.parse().ok(), "{provider}");
        let text = body.to_string().replace(at, "yesterday");
        assert_eq!(sample(provider).read(text).ok().unwrap().made_at, None, "{provider}");
    }
}

#[test]
fn standard_webhook_id_belongs_to_the_signature_headers() {
    let id = |pairs: &[(&str, &str)]| {
        let delivery = read(Provider::StandardWebhooks, &super::samples::headers(pairs), &Bytes::from("{}"));
        delivery.ok().and_then(|delivery| delivery.id)
    };
    let (standard, svix) = (("webhook-id", "a"), ("svix-id", "b"));
    assert_eq!(id(&[standard, svix, ("webhook-signature", "x")]).as_deref(), Some("a"));
    assert_eq!(id(&[standard, svix, ("svix-signature", "x")]).as_deref(), Some("b"));
    assert_eq!(id(&[standard, ("svix-signature", "x")]), None, "the prefixes must be the same");
    assert_eq!(id(&[svix, ("webhook-signature", "x")]), None);
    let event = json!({"type": "contact.deleted", "data": {"email": "a@b.example"}});
    let delivery = delivered(Provider::StandardWebhooks, &event);
    assert_eq!(delivery.event_type.as_deref(), Some("contact.deleted"));
}

#[test]
fn delivery_without_an_id_has_none() {
    assert_eq!(generic_of(&json!({"email": "a@b.example", "submission_id": "", "id": "7"})).id, None);
    let wpforms = sample(Provider::Wpforms);
    assert_eq!(wpforms.read("entry_id=&email=a%40b.example").ok().unwrap().id, None);
    assert_eq!(wpforms.read("submission_id=&submission_id=s&x=y").ok().unwrap().id.as_deref(), Some("s"));
}

mod broken;
