//! Tests of the extractors with complete requests.

use axum::body::Body;
use domain::Timestamp;
use domain::ids::{AccountId, UserId};
use domain::permission::{Principal, PrincipalKind, Role};
use http::header::CONTENT_TYPE;
use proptest::prelude::*;

use super::*;
use crate::fields::{Fields, Reported};
use crate::parse::{boolean, text};

struct Thing {
    name: String,
}

impl FromFields for Thing {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        fields.required("name", text(1..=5)).map(|name| Self { name })
    }
}

struct Erase(bool);

impl FromFields for Erase {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        Ok(Self(fields.optional("erase", boolean())?.unwrap_or(false)))
    }
}

fn user(id: u128) -> Identity {
    Identity::Account(Principal {
        account: AccountId::new(Timestamp::MIN, 1),
        caller: PrincipalKind::User { id: UserId::new(Timestamp::MIN, id), role: Role::Member },
        name: "Ada".into(),
        modify_marketing_contacts: true,
    })
}

/// Returns a POST request of a user with a JSON body and further headers.
fn post(uri: &str, body: &str, headers: &[(&str, &str)]) -> HttpRequest {
    let mut request = http::Request::post(uri).header(CONTENT_TYPE, "application/json").extension(user(2));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

fn clock() -> Clock {
    Clock::new(|| Timestamp::from_millis(1_000))
}

async fn read(request: HttpRequest) -> Result<MutationRequest<Thing>, Problem> {
    MutationRequest::from_request(request, &clock()).await
}

/// Returns the slug of the problem and the fields in it.
async fn refused(request: HttpRequest) -> (&'static str, Vec<String>) {
    let problem = read(request).await.err().expect("a problem");
    (problem.problem_type().as_str(), problem.errors().iter().map(|error| error.field.clone()).collect())
}

const ADA: &str = r#"{"name": "Ada"}"#;

#[tokio::test]
async fn valid_request_is_parsed() {
    let headers = [("idempotency-key", "k-1"), ("if-match", "\"3\""), ("authorization", "Bearer tmk_a")];
    let request = read(post("/things", ADA, &headers)).await.unwrap_or_else(|problem| panic!("{problem:?}"));
    assert_eq!((request.body.name.as_str(), request.if_match), ("Ada", Some(IfMatch::Version(3))));
    assert!(request.claim.is_some());
    assert_eq!(request.bearer().unwrap().expose(), "tmk_a");

    let request = read(post("/things", ADA, &[])).await.unwrap_or_else(|problem| panic!("{problem:?}"));
    assert_eq!((request.claim.is_none(), request.if_match), (true, None));
    assert_eq!(request.bearer().unwrap_err().problem_type(), ProblemType::Unauthenticated);
}

#[tokio::test]
async fn all_errors_are_listed_at_once() {
    let headers = [("idempotency-key", "two words"), ("if-match", "3")];
    assert_eq!(
        refused(post("/things?x=1&y=2", r#"{"nmae": "Ada"}"#, &headers)).await,
        (
            "invalid-request",
            ["Idempotency-Key", "If-Match", "x", "y", "name", "nmae"].map(str::to_owned).to_vec()
        )
    );
}

#[tokio::test]
async fn request_without_identity_is_unauthenticated() {
    let mut request = post("/things", "{", &[]);
    request.extensions_mut().remove::<Identity>();
    assert_eq!(refused(request).await.0, "unauthenticated");
}

#[tokio::test]
async fn invalid_bodies_are_rejected() {
    assert_eq!(refused(post("/things", "", &[])).await, ("invalid-request", vec![String::new()]));
    assert_eq!(refused(post("/things", "{\"name\"", &[])).await, ("invalid-request", vec![String::new()]));
    assert_eq!(refused(post("/things", "[]", &[])).await, ("invalid-request", vec![String::new()]));
    assert_eq!(refused(post("/things", r#"{"name":"a","name":"b"}"#, &[])).await.0, "invalid-request");
    let large = format!(r#"{{"name": "{}"}}"#, "a".repeat(domain::limits::BODY_BYTES_MAX));
    assert_eq!(refused(post("/things", &large, &[])).await.0, "payload-too-large");
    let mut form = post("/things", "name=Ada", &[]);
    form.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    assert_eq!(refused(form).await.0, "unsupported-media-type");
}

#[tokio::test]
async fn a_delete_has_a_query_and_no_body() {
    let delete = |uri: &str, body: &'static str| {
        http::Request::delete(uri).extension(user(2)).body(Body::from(body)).unwrap()
    };
    let request: MutationRequest<NoBody, Erase> =
        MutationRequest::from_request(delete("/things/1?erase=true", ""), &clock()).await.ok().unwrap();
    assert!(request.query.0);
    let body = r#"{"erase": true}"#;
    let problem =
        MutationRequest::<NoBody, Erase>::from_request(delete("/things/1?erase=1", body), &clock()).await;
    let fields: Vec<_> = problem.err().unwrap().errors().iter().map(|error| error.field.clone()).collect();
    assert_eq!(fields, ["erase", ""]);
}

#[tokio::test]
async fn empty_object_counts_as_no_body() {
    let claim = async |body: &'static str| {
        let request = http::Request::delete("/things/1").header("idempotency-key", "k").extension(user(2));
        let request = request.body(Body::from(body)).unwrap();
        MutationRequest::<NoBody>::from_request(request, &clock()).await.ok().unwrap().claim
    };
    assert!(claim("").await == claim("{}").await, "an empty body and an empty object are the same request");
    assert!(claim("").await == claim("\u{feff}{ }").await);
}

#[tokio::test]
async fn an_idempotency_key_is_visible_ascii() {
    for key in ["k", "0123-abc!~", &"x".repeat(255)] {
        assert!(read(post("/", ADA, &[("idempotency-key", key)])).await.is_ok(), "{key}");
    }
    for key in ["", "a b", "\t", "ü", &"x".repeat(256)] {
        let (slug, fields) = refused(post("/", ADA, &[("idempotency-key", key)])).await;
        assert_eq!((slug, fields), ("invalid-request", vec!["Idempotency-Key".to_owned()]), "{key}");
    }
    let twice = [("idempotency-key", "a"), ("idempotency-key", "a")];
    assert_eq!(refused(post("/", ADA, &twice)).await.1, ["Idempotency-Key"]);
}

#[tokio::test]
async fn if_match_is_one_entity_tag_or_any() {
    for (tag, wanted) in [
        ("\"0\"", IfMatch::Version(0)),
        ("\"18446744073709551615\"", IfMatch::Version(u64::MAX)),
        ("*", IfMatch::Any),
    ] {
        let request = read(post("/", ADA, &[("if-match", tag)])).await.ok().unwrap();
        assert_eq!(request.if_match, Some(wanted), "{tag}");
    }
    for never in ["W/\"3\"", "\"abc\"", "\"\"", "\"03\"", "\"+3\""] {
        assert_eq!(refused(post("/", ADA, &[("if-match", never)])).await.0, "version-mismatch", "{never}");
    }
    for malformed in ["3", "\"3", "", "\"1\", \"2\"", "W/3", "**"] {
        let (slug, fields) = refused(post("/", ADA, &[("if-match", malformed)])).await;
        assert_eq!((slug, fields), ("invalid-request", vec!["If-Match".to_owned()]), "{malformed}");
    }
}

fn claim(
    uri: &str,
    body: &str,
    headers: &[(&str, &str)],
    by: Identity,
) -> impl Future<Output = Option<IdempotencyClaim>> {
    let headers = [&[("idempotency-key", "k")], headers].concat();
    let mut request = post(uri, body, &headers);
    request.extensions_mut().insert(by);
    async move { read(request).await.ok().unwrap().claim }
}

#[tokio::test]
async fn claim_is_equal_for_the_same_request_only() {
    let first = claim("/things", ADA, &[], user(2)).await;
    assert!(first == claim("/things", ADA, &[], user(2)).await);
    assert!(first == claim("/things", ADA, &[("authorization", "Bearer tmk_b")], user(2)).await);
    for other in [
        claim("/thing", ADA, &[], user(2)).await,
        claim("/things", r#"{"name":"Ada"}"#, &[], user(2)).await,
        claim("/things", ADA, &[("if-match", "\"3\"")], user(2)).await,
        claim("/things", ADA, &[], user(3)).await,
        claim("/things", ADA, &[], Identity::Operator).await,
    ] {
        assert!(first != other);
    }
}

proptest! {
    #[test]
    fn fingerprint_separates_its_parts(path in "/[a-c/]{0,4}", query in "[a-c]{0,4}", caller in "[a-c]{0,4}", body in "[a-c]{0,4}") {
        let uri = |path: &str, query: &str| format!("{path}?{query}").parse::<Uri>().unwrap();
        let one = digest(&Method::POST, &uri(&path, &query), None, &caller, body.as_bytes());
        let moved = format!("{caller}{body}");
        if moved != caller {
            prop_assert_ne!(one, digest(&Method::POST, &uri(&path, &query), None, &moved, b""));
        }
        prop_assert_ne!(one, digest(&Method::PUT, &uri(&path, &query), None, &caller, body.as_bytes()));
        prop_assert_ne!(one, digest(&Method::POST, &uri(&format!("{path}d"), &query), None, &caller, body.as_bytes()));
    }
}
