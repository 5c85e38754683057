//! Whatever is sent, the answer is no fault.

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

/// How many requests each of the tests sends.
const CASES: u32 = 400;

/// A fixture that a property can send requests on.
struct FuzzFixture {
    runtime: Runtime,
    http: Fixture,
    operations: Vec<Operation>,
}

impl FuzzFixture {
    fn new(keep: impl Fn(&Operation) -> bool) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let http = runtime.block_on(async { Fixture::start(Api::start(at(START)).await).await });
        let operations = operations::every().0.into_iter().filter(keep).collect();
        Self { runtime, http, operations }
    }

    /// Runs a property over so many cases, without a file of earlier failures.
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

/// JSON of any shape, with words of the API in it more often than chance has them.
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

fn takes_a_body(operation: &Operation) -> bool {
    operation.body().is_some()
}

#[test]
fn any_bytes_as_a_body() {
    let media_types = select(vec![
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "text/plain",
    ]);
    let cases = (any::<Index>(), media_types, prop::collection::vec(any::<u8>(), 0..200));
    FuzzFixture::new(takes_a_body).run(&cases, |fixture, (operation, media_type, bytes)| {
        let request = fixture.http.request(fixture.operation(operation)).body(media_type, bytes);
        fixture.runtime.block_on(request.into_future())
    });
}

#[test]
/// JSON of any shape, with words of the API in it more often than chance has them.
pub fn any_json_as_a_body() {
    FuzzFixture::new(takes_a_body).run(&(any::<Index>(), any_json()), |fixture, (operation, body)| {
        let request = fixture.http.request(fixture.operation(operation)).json(&body);
        fixture.runtime.block_on(request.into_future())
    });
}

#[test]
fn a_good_body_with_any_json_in_any_place() {
    let cases = (any::<Index>(), any::<Index>(), any_json());
    // The clock is left alone: it may be moved by five years at a time, and closing those takes its time.
    let keep = |operation: &Operation| takes_a_body(operation) && operation.path != "/v1/account/test-clock";
    FuzzFixture::new(keep).run(&cases, |fixture, (operation, place, value)| {
        let operation = fixture.operation(operation);
        let mut body = fixture.http.body(operation).unwrap();
        let places = places(&body);
        let place: &String = place.get(&places);
        *body.pointer_mut(place).unwrap() = value;
        fixture.runtime.block_on(fixture.http.request(operation).json(&body).into_future())
    });
}

/// Every place within a body, as a JSON pointer (RFC 6901).
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

/// A http with a form of every provider.
struct Provided {
    fixture: FuzzFixture,
    forms: Vec<(Sender, String)>,
}

impl Provided {
    fn new() -> Self {
        let fixture = FuzzFixture::new(|_| true);
        let forms = SENDERS.map(|sender| {
            let made = sender.form(&fixture.http.api, &fixture.http.account, &[1], json!({}));
            (sender, fixture.runtime.block_on(made))
        });
        Self { fixture, forms: forms.into() }
    }

    /// Runs a property whose cases are bodies of hooks that are signed as they are.
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
fn any_bytes_that_a_provider_signs() {
    Provided::new().run(&prop::collection::vec(any::<u8>(), 0..200), |_, bytes| bytes);
}

#[test]
fn samples_with_some_bytes_altered_and_the_end_cut_off() {
    let cases =
        (prop::collection::vec((any::<Index>(), any::<u8>()), 0..5), prop::option::of(any::<Index>()));
    Provided::new().run(&cases, |sender, (altered, cut)| {
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
fn samples_with_any_json_in_any_place() {
    Provided::new().run(&(any::<Index>(), any_json()), |sender, (place, value)| {
        let Ok(mut body) = serde_json::from_slice::<Value>(sender.body) else {
            // A form post: one of its values is another one.
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
fn any_signature() {
    let Provided { fixture, forms } = Provided::new();
    let header = prop::collection::vec(prop_oneof![32_u8..127, 128_u8..=255], 0..60);
    // What looks like a signature to each of them, more often than chance has it.
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
fn any_path_query_and_header() {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    // What a header can hold: visible characters and those beyond ASCII.
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
        // Most of the time the token is a good one, so that what is behind it is met.
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
pub fn places_are_those_of_the_body() {
    let body = json!({"a": [1, {"b/c": null}]});
    assert_eq!(places(&body), ["/a", "/a/0", "/a/1", "/a/1/b~1c"]);
}
