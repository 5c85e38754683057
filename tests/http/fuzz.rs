//! Random requests, none of which may cause an internal error.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Map, Value, json};
use testkit::{Api, Reply, at};
use tokio::runtime::Runtime;

use super::START;
use super::senders::{SENDERS, Sender};
use super::walk::Fixture;
use crate::openapi::operations::{self, Operation};

/// The number of requests that each test sends.
const CASES: u32 = 400;

/// A fixture with a runtime, because proptest calls properties synchronously.
struct FuzzFixture {
    runtime: Runtime,
    http: Fixture,
    operations: Vec<Operation>,
}

impl FuzzFixture {
    fn new(keep: impl Fn(&Operation) -> bool) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let http = runtime.block_on(async { Fixture::start(Api::with_stream(at(START)).await).await });
        let operations = operations::every().0.into_iter().filter(keep).collect();
        Self { runtime, http, operations }
    }

    /// Runs a property over [`CASES`] cases, without a file of earlier failures.
    fn run<S: Strategy>(self, cases: &S, property: impl Fn(&Self, S::Value) -> Reply) {
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new(config);
        let result = runner.run(cases, |case| {
            let reply = property(&self, case);
            if reply.status >= 500 { Err(TestCaseError::fail(reply.text().to_owned())) } else { Ok(()) }
        });
        result.unwrap();
        self.runtime.block_on(async { self.http.api.assert_exact(&self.http.account).await });
    }

    fn operation(&self, index: Index) -> &Operation {
        index.get(&self.operations)
    }
}

/// Generates JSON of any shape that contains words of the API more often than chance would.
pub fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(vec![
            "",
            "a@b.example",
            "417382950172345",
            "2026-11-10T12:00:00Z",
            "true",
            "UTC",
            "manual",
            "EQ"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let name = prop_oneof![
            any::<String>(),
            select(vec!["id", "email", "type", "name", "filters", "propertyName", "operator", "value"])
                .prop_map(str::to_owned)
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6)
                .prop_map(|entries| Value::from(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn has_body(operation: &Operation) -> bool {
    operation.body().is_some()
}

#[test]
fn random_body_bytes_cause_no_internal_error() {
    let media_types = select(vec![
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "text/plain",
    ]);
    let cases = (any::<Index>(), media_types, prop::collection::vec(any::<u8>(), 0..200));
    FuzzFixture::new(has_body).run(&cases, |fixture, (operation, media_type, bytes)| {
        let request = fixture.http.request(fixture.operation(operation)).body(media_type, bytes);
        fixture.runtime.block_on(request.into_future())
    });
}

#[test]
fn random_json_body_causes_no_internal_error() {
    FuzzFixture::new(has_body).run(&(any::<Index>(), any_json()), |fixture, (operation, body)| {
        let request = fixture.http.request(fixture.operation(operation)).json(&body);
        fixture.runtime.block_on(request.into_future())
    });
}

#[test]
fn valid_body_with_random_json_causes_no_internal_error() {
    let cases = (any::<Index>(), any::<Index>(), any_json());
    // The test clock is excluded, because it can move by five years and closing so many periods is slow.
    let keep = |operation: &Operation| has_body(operation) && operation.path != "/v1/account/test-clock";
    FuzzFixture::new(keep).run(&cases, |fixture, (operation, place, value)| {
        let operation = fixture.operation(operation);
        let mut body = fixture.http.body(operation).unwrap();
        let places = places(&body);
        let place: &String = place.get(&places);
        *body.pointer_mut(place).unwrap() = value;
        fixture.runtime.block_on(fixture.http.request(operation).json(&body).into_future())
    });
}

/// Returns every place within a body, as a JSON pointer (RFC 6901).
pub fn places(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(entries) => {
            let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
            entries.iter().map(|(name, value)| (escaped(name), value)).collect()
        }
        Value::Array(entries) => {
            entries.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    let within = children.into_iter().flat_map(|(name, value)| {
        let own = std::iter::once(format!("/{name}"));
        own.chain(places(value).into_iter().map(move |place| format!("/{name}{place}"))).collect::<Vec<_>>()
    });
    within.collect()
}

/// A fixture with a form of every provider.
struct ProviderFixture {
    fixture: FuzzFixture,
    forms: Vec<(Sender, String)>,
}

impl ProviderFixture {
    fn new() -> Self {
        let fixture = FuzzFixture::new(|_| true);
        let forms = SENDERS.map(|sender| {
            let created = sender.form(&fixture.http.api, &fixture.http.account, &[1], json!({}));
            (sender, fixture.runtime.block_on(created))
        });
        Self { fixture, forms: forms.into() }
    }

    /// Runs a property whose cases are hook bodies. Each body is signed before it is sent.
    fn run<S: Strategy>(self, cases: &S, body: impl Fn(&Sender, S::Value) -> Vec<u8>)
    where
        S::Value: std::fmt::Debug,
    {
        let Self { fixture, forms } = self;
        fixture.run(&(any::<Index>(), cases), |fixture, (index, case)| {
            let (sender, form) = index.get(&forms);
            let body = body(sender, case);
            let signature = sender.signature(&body, 1, at(START));
            let hook = sender.with_body(&fixture.http.api, form, &body, &signature);
            fixture.runtime.block_on(hook.into_future())
        });
    }
}

#[test]
fn signed_random_bytes_cause_no_internal_error() {
    ProviderFixture::new().run(&prop::collection::vec(any::<u8>(), 0..200), |_, bytes| bytes);
}

#[test]
fn damaged_signed_samples_cause_no_internal_error() {
    let cases =
        (prop::collection::vec((any::<Index>(), any::<u8>()), 0..5), prop::option::of(any::<Index>()));
    ProviderFixture::new().run(&cases, |sender, (altered, cut)| {
        let mut body = sender.body.to_vec();
        for (place, byte) in altered {
            let place = place.index(body.len());
            body[place] = byte;
        }
        if let Some(end) = cut {
            body.truncate(end.index(body.len()));
        }
        body
    });
}

#[test]
fn signed_samples_with_random_json_cause_no_internal_error() {
    ProviderFixture::new().run(&(any::<Index>(), any_json()), |sender, (place, value)| {
        let Ok(mut body) = serde_json::from_slice::<Value>(sender.body) else {
            // The sample is a form post, so one of its values is replaced.
            let text = String::from_utf8_lossy(sender.body).into_owned();
            let values: Vec<&str> = text.split(['=', '&', '\n']).filter(|value| !value.is_empty()).collect();
            let replaced: &&str = place.get(&values);
            return text.replacen(*replaced, &value.to_string(), 1).into_bytes();
        };
        let places = places(&body);
        let place: &String = place.get(&places);
        *body.pointer_mut(place).unwrap() = value;
        body.to_string().into_bytes()
    });
}

#[test]
fn random_signature_causes_no_internal_error() {
    let ProviderFixture { fixture, forms } = ProviderFixture::new();
    let header = prop::collection::vec(prop_oneof![32_u8..127, 128_u8..=255], 0..60);
    // Values in the signature format of each provider, more often than chance would produce them.
    let near =
        "(sha256=|t=[0-9]{1,20},v1=|v1,|v1,a v1,)?[A-Za-z0-9+/=._-]{0,60}".prop_map(String::into_bytes);
    let cases = (any::<Index>(), any::<Index>(), prop_oneof![header, near]);
    fixture.run(&cases, |fixture, (index, which, value)| {
        let (sender, form) = index.get(&forms);
        let mut signature = sender.signature(sender.body, 1, at(START));
        let (name, _) = signature.swap_remove(which.index(signature.len()));
        let hook = sender.with_body(&fixture.http.api, form, sender.body, &signature).header(name, value);
        fixture.runtime.block_on(hook.into_future())
    });
}

#[test]
fn random_path_query_and_headers_cause_no_internal_error() {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    // The bytes that a header can contain: visible characters and bytes beyond ASCII.
    let header = || prop::collection::vec(prop_oneof![32_u8..127, 128_u8..=255], 0..40);
    let cases = (any::<Index>(), bytes(), bytes(), header(), header(), header());
    FuzzFixture::new(|_| true).run(&cases, |fixture, (operation, path, query, token, key, if_match)| {
        let operation = fixture.operation(operation);
        let encoded = |bytes: &[u8]| bytes.iter().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let variable = format!("x{}", encoded(&path));
        let mut filled = operation.path.clone();
        for name in ["{id}", "{form_id}", "{email}", "{rejection_id}", "{portal_id}", "{form_guid}"] {
            filled = filled.replace(name, &variable);
        }
        let own = fixture.http.token(operation).map(|token| format!("Bearer {token}"));
        // About three quarters of the tokens are valid, so that the code behind the authorization is reached.
        let authorization = if token.len() % 4 == 0 { token } else { own.unwrap_or_default().into_bytes() };
        let request =
            fixture.http.api.request(operation.method.clone(), &format!("{filled}?{}", encoded(&query)));
        let request = request
            .header("authorization", authorization)
            .header("idempotency-key", key)
            .header("if-match", if_match);
        let request = match fixture.http.body(operation) {
            Some(body) => request.json(&body),
            None => request,
        };
        fixture.runtime.block_on(request.into_future())
    });
}

#[test]
fn json_pointers_cover_every_value_of_a_body() {
    let body = json!({"a": [1, {"b/c": null}]});
    assert_eq!(places(&body), ["/a", "/a/0", "/a/1", "/a/1/b~1c"]);
}
