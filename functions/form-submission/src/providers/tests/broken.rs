//! Tests of malformed deliveries. Each is refused, or results in a contact, or in a rejected submission.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::samples::{SAMPLES, Sample, headers, sample};
use super::*;

/// Returns the fields that the problem of a body names.
fn wrong(provider: Provider, body: &Value) -> Vec<String> {
    let problem = sample(provider).read(body.to_string()).err().unwrap();
    assert_eq!(problem.problem_type(), api::ProblemType::InvalidRequest);
    problem.errors().iter().map(|error| error.field.clone()).collect()
}

#[test]
fn missing_members_are_named() {
    let table = [
        (Provider::Typeform, json!({}), vec!["event_id", "event_type", "form_response"]),
        (
            Provider::Typeform,
            json!({"event_id": "", "event_type": "form_response", "form_response": {"answers": [
                7, {"type": "text", "text": "x"}, {"field": {"ref": "x"}}, {"type": "text", "field": []},
            ]}}),
            vec!["event_id", "form_response.answers[0]"],
        ),
        (
            Provider::Typeform,
            json!({"event_id": "e", "event_type": "form_response", "form_response": {"answers": [
                {"type": "text", "text": "x"}, {"field": {"ref": "x"}}, {"type": "text", "field": []},
            ]}}),
            vec![
                "form_response.answers[0].field",
                "form_response.answers[1].type",
                "form_response.answers[1].field.id",
                "form_response.answers[2].field",
            ],
        ),
        (Provider::Tally, json!({}), vec!["eventId", "eventType", "data"]),
        (
            Provider::Tally,
            json!({"eventId": true, "eventType": "FORM_RESPONSE", "data": {"fields": [{"label": "x"}]}}),
            vec!["eventId", "data.fields[0].key", "data.fields[0].type"],
        ),
        (
            Provider::Tally,
            json!({"eventId": "e", "eventType": "FORM_RESPONSE", "data": {}}),
            vec!["data.fields"],
        ),
        (Provider::Webflow, json!({"payload": []}), vec!["triggerType", "payload"]),
        (
            Provider::Webflow,
            json!({"triggerType": "form_submission", "payload": {}}),
            vec!["payload.id", "payload.data"],
        ),
        (Provider::Netlify, json!({"form_id": "x"}), vec!["id", "data"]),
        (Provider::Calendly, json!({"event": null}), vec!["event", "payload"]),
        (
            Provider::Calendly,
            json!({"event": "invitee.created", "payload": {"questions_and_answers": 1}}),
            vec!["payload.uri", "payload.questions_and_answers"],
        ),
    ];
    for (provider, body, fields) in table {
        assert_eq!(wrong(provider, &body), fields, "{provider} {body}");
    }
    for sample in SAMPLES.iter().filter(|sample| sample.content_type == "application/json") {
        for body in ["", "{", "[]", "null", "\u{feff}\u{feff}{}"] {
            let problem = sample.read(body).err().unwrap();
            assert_eq!(problem.errors().len(), 1, "{} {body:?}", sample.provider);
        }
    }
    let standard = read(Provider::StandardWebhooks, &HeaderMap::new(), &Bytes::from("{}"));
    assert_eq!(standard.err().unwrap().errors()[0].field, "webhook-id");
}

#[test]
fn jotform_answers_must_be_json() {
    for raw in ["x", "[]", "{"] {
        let problem = jotform_with(raw).err().unwrap();
        assert_eq!(problem.errors()[0].field, "rawRequest", "{raw}");
    }
    let jotform = sample(Provider::Jotform);
    let problem = jotform.read("--tidemark-fixture--\r\n").err().unwrap();
    let fields: Vec<_> = problem.errors().iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["submissionID", "rawRequest"]);
    let problem =
        read(Provider::Jotform, &sample(Provider::Tally).headers(), &Bytes::from("{}")).err().unwrap();
    assert_eq!(problem.problem_type(), api::ProblemType::UnsupportedMediaType);
}

#[test]
fn posts_of_other_media_types_are_refused() {
    for provider in [Provider::Generic, Provider::GravityForms, Provider::Wpforms] {
        for content_type in ["text/plain", "application/xml"] {
            let headers = headers(&[("content-type", content_type)]);
            let problem = read(provider, &headers, &Bytes::from("a=b")).err().unwrap();
            assert_eq!(problem.problem_type(), api::ProblemType::UnsupportedMediaType);
        }
    }
}

#[test]
fn unusable_answers_are_rejected_with_a_reason() {
    let table = [
        (json!({"name": "Ada"}), Reason::NoAddress, vec!["fields.email"]),
        (json!({"e-mail": "ada"}), Reason::InvalidAddress, vec!["fields.e-mail"]),
        (json!({"email": ["a@b.example", "b@b.example"]}), Reason::SeveralAddresses, vec!["fields.email"]),
        (
            json!({"mail": "ada", "list": [{}], "名前": "Ada"}),
            Reason::InvalidAddress,
            vec!["fields.list", "fields.mail"],
        ),
    ];
    for (body, reason, fields) in table {
        let answers = answers(generic_of(&body));
        let fields = fields.into_iter().map(str::to_owned).collect();
        assert_eq!(found(&answers, &FieldMap::new()), Err((reason, fields)));
    }
    let many: Map<String, Value> = (0..100_000).map(|number| (format!("f{number}"), json!("x"))).collect();
    let mut answers = answers(generic_of(&Value::Object(many)));
    for _ in 0..2 {
        let (reason, fields) = found(&answers, &map(&[("f1", Some("email"))])).unwrap_err();
        assert_eq!((reason, &fields[0]), (Reason::InvalidAddress, &"fields".to_owned()));
        answers = answers.to_keep();
    }
}

#[test]
fn truncated_answer_is_rejected_unless_left_out() {
    let long = "x".repeat(60_000);
    let body = json!({"email": "a@b.example", "a": long, "b": long, "c": long, "d": long, "e": long});
    let kept = answers(generic_of(&body)).to_keep();
    assert_eq!(found(&kept, &FieldMap::new()), Err((Reason::InvalidValue, vec!["fields.e".to_owned()])));
    assert_eq!(found(&kept, &map(&[("e", None)])).unwrap().1.len(), 4);
}

fn any_sample() -> impl Strategy<Value = Sample> {
    prop::sample::select(SAMPLES.to_vec())
}

/// Parses a body as the sample's provider does. Asserts that the stored answers result in the same contact.
fn check_body(sample: &Sample, body: &[u8]) {
    let Ok(delivery) = sample.read(body.to_vec()) else { return };
    let Event::Submission(answers) = delivery.event else { return };
    let maps = [sample.map(), map(&[("email", None), ("name", Some("email")), ("topics", Some("x"))])];
    for map in &maps {
        let first = found(&answers, map);
        if let Ok((email, _)) = &first {
            assert!(!email.is_empty());
        }
        let kept = serde_json::to_string(&answers.to_keep()).unwrap();
        let kept: Answers = serde_json::from_str(&kept).unwrap();
        assert_eq!(found(&kept, map), first);
    }
}

/// Collects the paths of all values in a JSON value, for `pointer_mut`.
fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                pointers(entry, &format!("{at}/{index}"), out);
            }
        }
        Value::Object(values) => {
            for (name, value) in values {
                pointers(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), out);
            }
        }
        _ => {}
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["a@b.example", "https://x.example", "", "\0", "email"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let names =
            prop::sample::select(vec!["email", "value", "name", "url", "type", "id", "text", "label", "名"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..4)
                .prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

/// Returns a sample with this text in place of every string, except those that are needed to parse it. Returns `None`
/// if the sample is not JSON.
fn with_text(sample: &Sample, text: &str) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(sample.body).ok()?;
    let mut places = Vec::new();
    pointers(&document, "", &mut places);
    let before = found(&answers(sample.read(sample.body).ok()?), &sample.map()).ok()?;
    for place in places {
        let Some(Value::String(original)) = document.pointer(&place) else { continue };
        let original = Value::from(original.clone());
        *document.pointer_mut(&place)? = Value::from("<here>");
        let is_needed = match sample.read(document.to_string()) {
            Ok(Delivery { event: Event::Submission(answers), .. }) => {
                !found(&answers, &sample.map()).is_ok_and(|(email, _)| email == before.0)
            }
            _ => true,
        };
        if is_needed {
            *document.pointer_mut(&place)? = original;
        }
    }
    Some(document.to_string().replace("<here>", text).into_bytes())
}

#[test]
fn cut_emoji_and_byte_order_mark_are_repaired() {
    let samples = SAMPLES.iter().filter_map(|sample| Some((sample, with_text(sample, "cut \\ud83d")?)));
    let samples: Vec<_> = samples.collect();
    assert_eq!(samples.len(), 7, "all samples in JSON");
    for (sample, body) in samples {
        let body = [b"\xef\xbb\xbf", body.as_slice()].concat();
        let (_, properties) = found(&answers(sample.read(body).ok().unwrap()), &sample.map()).unwrap();
        assert!(properties.iter().any(|(_, value)| value.contains("cut \u{FFFD}")), "{}", sample.provider);
    }
    let raw = r#"{"q3_email": "a@b.example", "q4_note": "cut \ud83d"}"#;
    let found = found(&answers(jotform_with(&format!("\u{feff}{raw}")).ok().unwrap()), &FieldMap::new());
    assert_eq!(found.unwrap().1, texts(&[("note", "cut \u{FFFD}")]));
}

proptest! {
    #[test]
    fn arbitrary_text_never_loses_a_contact(
        sample in any_sample(),
        units in prop::collection::vec(any::<u16>(), 1..6),
    ) {
        let text: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
        if let Some(body) = with_text(&sample, &text) {
            let kept = answers(sample.read(body).ok().unwrap());
            prop_assert!(found(&kept, &sample.map()).is_ok());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(sample in any_sample(), body: Vec<u8>) {
        check_body(&sample, &body);
    }

    #[test]
    fn corrupted_or_truncated_sample_never_panics(
        sample in any_sample(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 0..4),
        end: prop::sample::Index,
        is_cut: bool,
    ) {
        let mut body = sample.body.to_vec();
        for (place, bit) in flips {
            let at = place.index(body.len());
            body[at] ^= 1 << bit;
        }
        if is_cut {
            body.truncate(end.index(body.len()));
        }
        check_body(&sample, &body);
    }

    #[test]
    fn sample_with_other_values_never_panics(
        sample in any_sample(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 1..4),
    ) {
        if let Ok(mut document) = serde_json::from_slice::<Value>(sample.body) {
            for (place, value) in changes {
                let mut places = Vec::new();
                pointers(&document, "", &mut places);
                let place: &String = place.get(&places);
                *document.pointer_mut(place).unwrap() = value;
            }
            check_body(&sample, document.to_string().as_bytes());
        }
    }

    #[test]
    fn arbitrary_json_never_panics(sample in any_sample(), body in any_json()) {
        check_body(&sample, body.to_string().as_bytes());
        let headers = headers(&[("content-type", "application/json")]);
        if let Ok(Delivery { event: Event::Submission(answers), .. }) =
            read(Provider::Generic, &headers, &Bytes::from(body.to_string()))
        {
            let _ = found(&answers, &FieldMap::new());
        }
        let _ = jotform_with(&json!({"q1_x": body.clone()}).to_string()).map(|delivery| {
            found(&answers(delivery), &FieldMap::new()).is_ok()
        });
    }
}
