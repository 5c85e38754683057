//! Tests of submission bodies from pages, scripts and untrusted clients.

use http::header::{CONTENT_TYPE, HeaderValue};
use proptest::prelude::*;

use super::*;
use form_mapping::answers::Kind;

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=X";

fn headers(content_type: &str) -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap())])
}

fn sent(content_type: &str, body: &str) -> Sent {
    read(&headers(content_type), Bytes::from(body.to_owned())).unwrap()
}

/// Returns the problem's type and the fields that it names.
fn wrong(content_type: &str, body: &str) -> (&'static str, Vec<String>) {
    let problem = read(&headers(content_type), Bytes::from(body.to_owned())).err().unwrap();
    (problem.problem_type().as_str(), problem.errors().iter().map(|error| error.field.clone()).collect())
}

fn pairs(sent: &Sent) -> Vec<(&str, &str)> {
    let pairs = sent
        .fields
        .iter()
        .flat_map(|answer| answer.values.iter().map(move |value| (answer.name(), value.as_str())));
    pairs.collect()
}

/// Returns a multipart body of these parts. Each has the parameters after `form-data`, and the content.
fn multipart(parts: &[(&str, &str)]) -> String {
    let parts = parts.iter().map(|(about, content)| {
        format!("--X\r\nContent-Disposition: form-data; {about}\r\n\r\n{content}\r\n")
    });
    parts.chain(["--X--\r\n".to_owned()]).collect()
}

#[test]
fn json_values_of_every_kind_are_read() {
    let body = r#"{"fields": {"email": "ada@example.org", "age": 36, "height": 1.5, "news": true, "none": null,
        "topics": ["a", 2, false, null], "void": []}, "submission_id": "s-1",
        "submitted_at": "2026-11-21T19:59:01Z", "page_url": "https://example.org/"}"#;
    let sent = sent("application/json; charset=utf-8", body);
    let mut found = pairs(&sent);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("age", "36"),
            ("email", "ada@example.org"),
            ("height", "1.5"),
            ("news", "true"),
            ("topics", "2"),
            ("topics", "a"),
            ("topics", "false"),
        ]
    );
    assert_eq!(sent.submission_id.as_deref(), Some("s-1"));
    assert_eq!(sent.submitted_at.as_deref(), Some("2026-11-21T19:59:01Z"));
    assert_eq!(sent.page_url.as_deref(), Some("https://example.org/"));
    assert!(!sent.is_form_post);
}

#[test]
fn json_keeps_the_order_of_a_lists_values() {
    let sent = sent("application/json", r#"{"fields": {"topics": ["b", "a"]}}"#);
    assert_eq!(pairs(&sent), [("topics", "b"), ("topics", "a")]);
}

#[test]
fn invalid_json_body_names_the_wrong_fields() {
    for (body, fields) in [
        ("", vec![""]),
        ("{", vec![""]),
        ("[]", vec![""]),
        ("{}", vec!["fields"]),
        (r#"{"fields": []}"#, vec!["fields"]),
        (r#"{"fields": null}"#, vec!["fields"]),
        (r#"{"fields": {"a": {}, "b": [[]], "c": 1}, "x": 1}"#, vec!["fields.a", "fields.b", "x"]),
        (
            r#"{"fields": {}, "submission_id": 7, "submitted_at": null}"#,
            vec!["submission_id", "submitted_at"],
        ),
        (
            r#"{"fields": {"a": {"type": "email", "value": {}}, "b": {"value": 1}}}"#,
            vec!["fields.a.value", "fields.b"],
        ),
        (r#"{"fields": {"a": 1, "a": 2}}"#, vec![""]),
    ] {
        let fields = fields.into_iter().map(str::to_owned).collect();
        assert_eq!(wrong("application/json", body), ("invalid-request", fields), "{body}");
    }
}

#[test]
fn json_object_describing_a_field_is_one_answer() {
    let body = r#"{"fields": {"Email": {"value": "a@b.example", "field_type": "email"}, "n": {"label": "Topics", "value": ["a", "b"]}}}"#;
    let sent = sent("application/json", body);
    let found: Vec<_> =
        sent.fields.iter().map(|answer| (answer.name(), answer.kind, answer.values.len())).collect();
    assert!(found == [("Email", Kind::Email, 1), ("Topics", Kind::Text, 2)]);
}

#[test]
fn broken_json_is_repaired_before_parsing() {
    let body = "\u{feff}{\"fields\": {\"note\": \"cut \\ud83d\"}}";
    assert_eq!(pairs(&sent("application/json", body)), [("note", "cut \u{FFFD}")]);
    let body = b"{\"fields\": {\"name\": \"Jos\xe9\"}}";
    let sent = read(&headers("application/json"), Bytes::from_static(body)).unwrap();
    assert_eq!(pairs(&sent), [("name", "Jos\u{FFFD}")]);
}

#[test]
fn json_sent_as_a_form_post_is_read_as_json() {
    let body = r#" {"fields": {"email": "a@b.example"}, "submission_id": "s-1"}"#;
    let sent = sent(FORM, body);
    assert_eq!((pairs(&sent), sent.submission_id.as_deref()), (vec![("email", "a@b.example")], Some("s-1")));
    assert!(!sent.is_form_post);
    assert_eq!(wrong(FORM, r#"{"email": "a@b.example"}"#).0, "invalid-request");
    assert_eq!(pairs(&self::sent(FORM, "{=1")), [("{", "1")], "anything else is a form post");
}

#[test]
fn page_url_that_is_not_http_is_ignored() {
    let page = |body: &str| sent("application/json", body).page_url;
    for value in ["\"/page\"", "\"app://page\"", "\"javascript:alert(1)\"", "7", "null", "{}"] {
        assert_eq!(page(&format!(r#"{{"fields": {{}}, "page_url": {value}}}"#)), None, "{value}");
    }
    let long = format!("https://example.org/{}", "a".repeat(PAGE_URL_CHARS_MAX));
    assert_eq!(page(&format!(r#"{{"fields": {{}}, "page_url": "{long}"}}"#)), None);
    assert_eq!(
        sent(FORM, "page_url=here&page_url=http%3A%2F%2Fa.example").page_url.as_deref(),
        Some("http://a.example")
    );
}

#[test]
fn form_post_reads_facts_about_the_submission_by_name() {
    let body = "email=ada%40example.org&first+name=Ada+L&topic=a&topic=b&submission_id=s-1\
                &submitted_at=2026-11-21T19%3A59%3A01Z&page_url=https%3A%2F%2Fexample.org%2F&fields=x";
    let multipart = multipart(&[
        ("name=\"email\"", "ada@example.org"),
        ("name=\"first name\"", "Ada L"),
        ("name=\"topic\"", "a"),
        ("name=\"topic\"", "b"),
        ("name=\"submission_id\"", "s-1"),
        ("name=\"submitted_at\"", "2026-11-21T19:59:01Z"),
        ("name=\"page_url\"", "https://example.org/"),
        ("name=\"fields\"", "x"),
    ]);
    for (content_type, body) in [(FORM, body), (MULTIPART, &multipart)] {
        let sent = sent(content_type, body);
        assert_eq!(
            pairs(&sent),
            [
                ("email", "ada@example.org"),
                ("first name", "Ada L"),
                ("topic", "a"),
                ("topic", "b"),
                ("fields", "x")
            ]
        );
        let about: Vec<_> = sent.about_itself().collect();
        assert_eq!(
            about,
            [
                ("submission_id", "s-1"),
                ("submitted_at", "2026-11-21T19:59:01Z"),
                ("page_url", "https://example.org/"),
            ]
        );
        assert!(sent.is_form_post);
    }
}

#[test]
fn empty_hidden_field_counts_as_absent() {
    let sent = sent(FORM, "email=a%40b&submission_id=&page_url=&submission_id=s-1");
    assert_eq!((sent.submission_id.as_deref(), sent.page_url), (Some("s-1"), None));
    assert_eq!(
        wrong(FORM, "submitted_at=a&submission_id=1&submission_id=1&submitted_at=b"),
        ("invalid-request", vec!["submission_id".to_owned(), "submitted_at".to_owned()])
    );
}

#[test]
fn invalid_utf8_is_replaced() {
    assert_eq!(pairs(&sent(FORM, "name=Jos%E9&%=x")), [("name", "Jos\u{FFFD}"), ("%", "x")]);
    let body = [multipart(&[("name=\"name\"", "Jos")]).as_bytes(), b""].concat();
    let at = body.windows(3).position(|bytes| bytes == b"Jos").unwrap() + 3;
    let body = [&body[..at], &[0xE9], &body[at..]].concat();
    let sent = read(&headers(MULTIPART), Bytes::from(body)).unwrap();
    assert_eq!(pairs(&sent), [("name", "Jos\u{FFFD}")]);
}

/// Returns a multipart body in windows-1252. Its second part has a name that is not ASCII.
fn multipart_in_windows_1252(charset_field: &str) -> Bytes {
    let parts = multipart(&[("name=\"_charset_\"", charset_field), ("name=\"Gr\u{1}\u{2}e\"", "\u{3} 5")]);
    let bytes = parts.bytes().map(|byte| match byte {
        1 => 0xF6,
        2 => 0xDF,
        3 => 0x80,
        byte => byte,
    });
    bytes.collect::<Vec<_>>().into()
}

#[test]
fn declared_charset_decodes_the_form_post() {
    let charset = ("_charset_", "windows-1252");
    assert_eq!(
        pairs(&sent(FORM, "name=Jos%E9+%80&_charset_=windows-1252")),
        [("name", "José €"), charset],
        "the position of the field does not matter"
    );
    let by_type = format!("{FORM}; charset=\"ISO-8859-1\"");
    assert_eq!(pairs(&sent(&by_type, "n%E4me=Jos%E9")), [("näme", "José")]);
    assert_eq!(pairs(&sent(&by_type, "_charset_=utf-8&name=Jos%C3%A9"))[1], ("name", "José"));
    assert_eq!(pairs(&sent(FORM, "_charset_=nonsense&name=Jos%C3%A9"))[1], ("name", "José"));
    let body = read(&headers(MULTIPART), multipart_in_windows_1252("windows-1252")).unwrap();
    assert_eq!(pairs(&body), [charset, ("Größe", "€ 5")]);
    let by_type = headers(&format!("{MULTIPART}; charset=windows-1252"));
    assert_eq!(pairs(&read(&by_type, multipart_in_windows_1252("")).unwrap()), [("Größe", "€ 5")]);
    let part =
        "--X\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n";
    let body = [part.as_bytes(), b"\xC1\r\n--X--\r\n"].concat();
    assert_eq!(
        pairs(&read(&headers(MULTIPART), Bytes::from(body)).unwrap()),
        [("a", "а")],
        "a Cyrillic letter"
    );
}

#[test]
fn header_parameters_may_be_quoted() {
    let header = r#"form-data; NAME="say \"hi\"; you" ; filename = cv.pdf;x; y=""; z="open"#;
    for (name, value) in [
        ("name", Some(r#"say "hi"; you"#)),
        ("filename", Some("cv.pdf")),
        ("y", Some("")),
        ("z", Some("open")),
        ("x", None),
        ("hi", None),
    ] {
        assert_eq!(parameter(header, name).as_deref(), value, "{name}");
    }
}

#[test]
fn multipart_files_are_ignored() {
    let body = multipart(&[
        ("name=\"email\"", "a@b"),
        ("name=\"cv\"; filename=\"cv.pdf\"", "%PDF"),
        ("name=\"photo\"; filename=\"\"", "x"),
        ("name=\"letter\"; filename*=utf-8''letter.pdf", "%PDF"),
        ("name=\"note\"", "line 1\r\nline 2"),
        ("name=\"\"", "x"),
    ]);
    assert_eq!(pairs(&sent(MULTIPART, &body)), [("email", "a@b"), ("note", "line 1\r\nline 2")]);
    assert_eq!(pairs(&sent("multipart/form-data; boundary=\"X\"", "--X--\r\n")), []);
}

#[test]
fn broken_multipart_body_is_refused() {
    let whole = multipart(&[("name=\"email\"", "a@b")]);
    for (content_type, body) in [
        (MULTIPART, ""),
        (MULTIPART, "email=a@b"),
        (MULTIPART, whole.trim_end_matches("--X--\r\n")),
        (MULTIPART, "--X\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--X--"),
        (MULTIPART, "--X\r\n\r\nno headers\r\n--X--"),
        ("multipart/form-data", whole.as_str()),
        ("multipart/form-data; boundary=Y", whole.as_str()),
    ] {
        assert_eq!(
            wrong(content_type, body),
            ("invalid-request", vec![String::new()]),
            "{content_type} {body}"
        );
    }
}

#[test]
fn missing_boundary_is_named() {
    let whole = multipart(&[("name=\"email\"", "a@b")]);
    for content_type in
        ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; charset=utf-8"]
    {
        let problem = read(&headers(content_type), Bytes::from(whole.clone())).err().unwrap();
        assert!(problem.errors()[0].message.contains("lacks its boundary"), "{content_type}");
    }
}

#[test]
fn other_media_types_are_refused() {
    for content_type in
        ["text/plain", "application/xml", "multipart/mixed; boundary=X", "application/form-data", ";"]
    {
        assert_eq!(wrong(content_type, "{}"), ("unsupported-media-type", Vec::new()), "{content_type}");
    }
    let problem = read(&HeaderMap::new(), Bytes::new()).err().unwrap();
    assert_eq!(problem.problem_type(), ProblemType::UnsupportedMediaType);
}

fn invalid_names(sent: &Sent) -> Vec<String> {
    let mut errors = Errors::default();
    sent.check(&mut errors);
    let problem = errors.check().err();
    problem.iter().flat_map(Problem::errors).map(|error| error.field.clone()).collect()
}

#[test]
fn facts_about_the_submission_are_validated() {
    let about = |id: &str, at: &str| Sent {
        submission_id: Some(id.to_owned()),
        submitted_at: Some(at.to_owned()),
        ..Sent::default()
    };
    assert_eq!(invalid_names(&Sent::default()), Vec::<String>::new());
    assert_eq!(invalid_names(&about(&"ü".repeat(255), "2026-11-21T20:59:01.5+01:00")), Vec::<String>::new());
    assert_eq!(invalid_names(&about("", "2026-11-21")), ["submission_id", "submitted_at"]);
    assert_eq!(invalid_names(&about(&"ü".repeat(256), "1")), ["submission_id", "submitted_at"]);
}

fn any_content_type() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["application/json", FORM, MULTIPART, "multipart/form-data; boundary=\"\""])
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(content_type in any_content_type(), body: Vec<u8>) {
        let _ = read(&headers(content_type), Bytes::from(body));
    }

    #[test]
    fn body_fragments_never_panic(
        content_type in any_content_type(),
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "--X", "--", "\r\n", "\r\n\r\n", "Content-Disposition: form-data; ", "name=", "filename=", "\"", "\\\"",
                "Content-Type: text/plain; charset=", "utf-16", "a", ";", " ", "%", "%0", "&", "=", "{", "}", "\"fields\"",
                ":", "null", "ü", "\0",
            ]),
            0..40,
        ),
    ) {
        let _ = read(&headers(content_type), Bytes::from(pieces.concat()));
    }

    #[test]
    fn form_post_reads_the_same_in_both_encodings(
        fields in prop::collection::vec(("[a-zä]{1,5}", "[^\r\n]{1,12}"), 0..8),
    ) {
        let encoded: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        let parts: Vec<_> = fields.iter().map(|(name, value)| (format!("name=\"{name}\""), value.as_str())).collect();
        let parts: Vec<_> = parts.iter().map(|(about, value)| (about.as_str(), *value)).collect();
        let one = sent(FORM, &encoded);
        prop_assert!(one == sent(MULTIPART, &multipart(&parts)));
        let values: usize = one.fields.iter().map(|answer| answer.values.len()).sum();
        // A value of only a byte order mark is empty.
        let expected = fields.iter().filter(|(_, value)| *value != '\u{FEFF}'.to_string()).count();
        prop_assert_eq!(values, expected);
    }
}
