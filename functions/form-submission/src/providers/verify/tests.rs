//! Tests of webhooks that are genuine, altered, stale, or signed with another secret.

use chrono::TimeDelta;
use domain::limits::{WEBHOOK_TOLERANCE, WEBHOOK_TOLERANCE_CALENDLY};
use http::header::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::super::samples::{SAMPLES, Sample, headers, hex, hmac, jws, now, sample, secret, secrets};
use super::*;

/// Verifies `body` with the headers of the sample, signed at `at` with the secret of this number.
fn sent(
    sample: &Sample,
    body: &[u8],
    number: u8,
    at: Timestamp,
    secrets: &Secrets,
) -> Result<(), Unverified> {
    let (headers, query) = sample.signed(sample.body, &secret(sample.provider, number), at);
    verify(sample.provider, &headers, &query, body, secrets, now())
}

/// Verifies the sample with these headers instead of its own.
fn with_headers(sample: &Sample, pairs: &[(&str, &str)]) -> Result<(), Unverified> {
    let secrets = secrets(sample.provider, &[1]);
    verify(sample.provider, &headers(pairs), "", sample.body, &secrets, now())
}

#[test]
fn either_secret_verifies_and_no_other() {
    for sample in &SAMPLES {
        let provider = sample.provider;
        for (live, number, expected) in [
            (&[1][..], 1, Ok(())),
            (&[1, 2], 1, Ok(())),
            (&[1, 2], 2, Ok(())),
            (&[1, 2], 3, Err(Unverified::Wrong)),
            (&[], 1, Err(Unverified::NoSecret)),
        ] {
            let found = sent(sample, sample.body, number, now(), &secrets(provider, live));
            assert_eq!(found, expected, "{provider} {live:?} {number}");
        }
    }
}

#[test]
fn changed_body_byte_fails_verification() {
    for sample in SAMPLES.iter().filter(|sample| !verifier(sample.provider).unwrap().signatures.is_empty()) {
        let secrets = secrets(sample.provider, &[1, 2]);
        for at in 0..sample.body.len() {
            let mut body = sample.body.to_vec();
            body[at] ^= 1;
            let found = sent(sample, &body, 1, now(), &secrets);
            assert_eq!(found, Err(Unverified::Wrong), "{} {at}", sample.provider);
        }
        for body in [&sample.body[1..], &sample.body[..sample.body.len() - 1], b"", b"{}"] {
            assert_eq!(sent(sample, body, 1, now(), &secrets), Err(Unverified::Wrong), "{}", sample.provider);
        }
    }
}

#[test]
fn signing_time_beyond_the_tolerance_is_stale() {
    for (provider, tolerance) in [
        (Provider::Webflow, WEBHOOK_TOLERANCE),
        (Provider::StandardWebhooks, WEBHOOK_TOLERANCE),
        (Provider::Calendly, WEBHOOK_TOLERANCE_CALENDLY),
    ] {
        let sample = sample(provider);
        let secrets = secrets(provider, &[1]);
        let at = |delta: TimeDelta| sent(&sample, sample.body, 1, now().plus(delta), &secrets);
        let second = TimeDelta::seconds(1);
        for near in [tolerance - second, second - tolerance] {
            assert_eq!(at(near), Ok(()), "{provider} {near}");
        }
        for far in [tolerance + second, -tolerance - second, TimeDelta::days(400), -TimeDelta::days(400)] {
            assert_eq!(at(far), Err(Unverified::Stale), "{provider} {far}");
        }
    }
}

#[test]
fn webflow_timestamp_in_seconds_is_stale() {
    let webflow = sample(Provider::Webflow);
    let at = now().seconds().to_string();
    let code =
        hex(&hmac(secret(Provider::Webflow, 1).as_bytes(), &[at.as_bytes(), b":", webflow.body].concat()));
    let found = with_headers(&webflow, &[("x-webflow-signature", &code), ("x-webflow-timestamp", &at)]);
    assert_eq!(found, Err(Unverified::Stale));
}

#[test]
fn missing_or_altered_timestamp_is_refused() {
    for provider in [Provider::Webflow, Provider::StandardWebhooks] {
        let sample = sample(provider);
        let secrets = secrets(provider, &[1]);
        let (signed, query) = sample.signed(sample.body, &secret(provider, 1), now());
        let name = if provider == Provider::Webflow { "x-webflow-timestamp" } else { "webhook-timestamp" };
        for (value, expected) in
            [(Some("1"), Unverified::Wrong), (Some("now"), Unverified::Wrong), (None, Unverified::Missing)]
        {
            let mut headers = signed.clone();
            headers.remove(name);
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_static(value));
            }
            let found = verify(provider, &headers, &query, sample.body, &secrets, now());
            assert_eq!(found, Err(expected), "{provider} {value:?}");
        }
    }
    let calendly = sample(Provider::Calendly);
    let code = hex(&hmac(secret(Provider::Calendly, 1).as_bytes(), &[b"soon.", calendly.body].concat()));
    let found = with_headers(&calendly, &[("calendly-webhook-signature", &format!("t=soon,v1={code}"))]);
    assert_eq!(found, Err(Unverified::Stale));
}

#[test]
fn missing_or_altered_signed_id_is_refused() {
    let standard = sample(Provider::StandardWebhooks);
    let (mut headers, query) = standard.signed(standard.body, &secret(standard.provider, 1), now());
    headers.insert("webhook-id", HeaderValue::from_static("msg_other"));
    let secrets = secrets(standard.provider, &[1]);
    let found = verify(standard.provider, &headers, &query, standard.body, &secrets, now());
    assert_eq!(found, Err(Unverified::Wrong));
    headers.remove("webhook-id");
    let found = verify(standard.provider, &headers, &query, standard.body, &secrets, now());
    assert_eq!(found, Err(Unverified::Missing));
}

#[test]
fn any_listed_signature_suffices() {
    let standard = sample(Provider::StandardWebhooks);
    let (mut headers, query) = standard.signed(standard.body, &secret(standard.provider, 2), now());
    let right = headers["webhook-signature"].to_str().unwrap().to_owned();
    let secrets = secrets(standard.provider, &[1, 2]);
    let other = right.replacen("v1,", "v1a,", 1);
    for (listed, expected) in [
        (format!("v1,AAAA {right}"), Ok(())),
        (format!("v2,x {right} nonsense"), Ok(())),
        (other, Err(Unverified::Missing)),
        ("v1,AAAA".to_owned(), Err(Unverified::Wrong)),
        (String::new(), Err(Unverified::Missing)),
    ] {
        headers.insert("webhook-signature", HeaderValue::try_from(&listed).unwrap());
        let found = verify(standard.provider, &headers, &query, standard.body, &secrets, now());
        assert_eq!(found, expected, "{listed}");
    }
}

#[test]
fn webhook_without_credentials_is_refused() {
    for sample in &SAMPLES {
        let secrets = secrets(sample.provider, &[1]);
        let found = verify(sample.provider, &sample.headers(), "", sample.body, &secrets, now());
        assert_eq!(found, Err(Unverified::Missing), "{}", sample.provider);
    }
    let found =
        verify(Provider::Native, &HeaderMap::new(), "", b"", &secrets(Provider::Generic, &[1]), now());
    assert_eq!(found, Err(Unverified::NoSecret));
}

#[test]
fn shared_secret_is_read_from_query_or_header() {
    let generic = sample(Provider::Generic);
    let secrets = secrets(Provider::Generic, &[1, 2]);
    let right = secret(Provider::Generic, 2);
    let long = format!("{right}-");
    for (header, query, expected) in [
        (Some(right.as_str()), String::new(), Ok(())),
        (None, format!("secret={right}"), Ok(())),
        (None, format!("x=1&secret={}&y", right.replace('a', "%61")), Ok(())),
        (Some("another-secret-of-this"), format!("secret={right}"), Err(Unverified::Wrong)),
        (None, format!("secret=&secret={right}"), Err(Unverified::Wrong)),
        (None, format!("Secret={right}"), Err(Unverified::Missing)),
        (Some(&right[..right.len() - 1]), String::new(), Err(Unverified::Wrong)),
        (Some(&long), String::new(), Err(Unverified::Wrong)),
        (Some(""), String::new(), Err(Unverified::Wrong)),
    ] {
        let pairs: Vec<_> = header.iter().map(|value| (SECRET_HEADER, *value)).collect();
        let found = verify(generic.provider, &headers(&pairs), &query, generic.body, &secrets, now());
        assert_eq!(found, expected, "{header:?} {query}");
    }
}

#[test]
fn shared_secret_suffices_only_for_unsigned_webhooks() {
    for sample in &SAMPLES {
        let provider = sample.provider;
        let right = secret(provider, 1);
        let found = with_headers(sample, &[(SECRET_HEADER, &right)]);
        let unsigned = verifier(provider).unwrap().takes_shared_secret;
        let expected = if unsigned { Ok(()) } else { Err(Unverified::Missing) };
        assert_eq!(found, expected, "{provider}");
    }
    // A wrong signature is refused even if the shared secret is right.
    let webflow = sample(Provider::Webflow);
    let at = now().millis().to_string();
    let found = with_headers(
        &webflow,
        &[
            (SECRET_HEADER, &secret(webflow.provider, 1)),
            ("x-webflow-signature", &"0".repeat(64)),
            ("x-webflow-timestamp", &at),
        ],
    );
    assert_eq!(found, Err(Unverified::Wrong));
}

#[test]
fn jws_with_wrong_claims_is_refused() {
    let netlify = sample(Provider::Netlify);
    let right = secret(Provider::Netlify, 1);
    let digest = hex(&Sha256::digest(netlify.body));
    let hs256 = r#"{"alg":"HS256"}"#;
    let claims = format!(r#"{{"iss":"netlify","sha256":"{digest}"}}"#);
    let until = |seconds: i64| {
        format!(r#"{{"iss":"netlify","sha256":"{digest}","exp":{}}}"#, now().seconds() + seconds)
    };
    for (header, claims, key, expected) in [
        (hs256, claims.clone(), right.as_str(), Ok(())),
        (hs256, until(60), &right, Ok(())),
        (hs256, until(-60), &right, Err(Unverified::Stale)),
        (hs256, claims.replace("netlify", "someone"), &right, Err(Unverified::Wrong)),
        (hs256, claims.replace("sha256", "sha512"), &right, Err(Unverified::Wrong)),
        (hs256, claims.replace(&digest, &"0".repeat(64)), &right, Err(Unverified::Wrong)),
        (hs256, "[]".to_owned(), &right, Err(Unverified::Wrong)),
        (r#"{"alg":"none"}"#, claims.clone(), &right, Err(Unverified::Wrong)),
        (hs256, claims.clone(), "another-secret-of-this", Err(Unverified::Wrong)),
    ] {
        let header = jws(header, &claims, key.as_bytes());
        let found = with_headers(&netlify, &[("x-webhook-signature", &header)]);
        assert_eq!(found, expected, "{claims}");
    }
    let unsigned = jws(r#"{"alg":"none"}"#, &claims, b"");
    let unsigned = unsigned.rsplit_once('.').unwrap().0;
    for (header, expected) in [
        (format!("{unsigned}."), Unverified::Wrong),
        ("e30.e30.e30".to_owned(), Unverified::Wrong),
        ("e30.e30".to_owned(), Unverified::Missing),
        (String::new(), Unverified::Missing),
    ] {
        let found = with_headers(&netlify, &[("x-webhook-signature", &header)]);
        assert_eq!(found, Err(expected), "{header}");
    }
}

#[test]
fn unverified_reasons_are_fixed_words() {
    let words: Vec<&str> = Unverified::ALL.iter().map(|why| why.as_str()).collect();
    assert_eq!(words, ["no-secret", "missing", "wrong", "stale"]);
}

fn any_sample() -> impl Strategy<Value = Sample> {
    prop::sample::select(SAMPLES.to_vec())
}

/// Generates header values from fragments.
fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let pieces =
        ["v1,", "v1=", "t=", "sha256=", "1795291200", ".", ",", " ", "=", "e30", "AAAA", "é", "-", "9e99"];
    prop_oneof![
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12)
            .prop_map(|pieces| pieces.concat().into_bytes()),
        any::<Vec<u8>>(),
    ]
}

proptest! {
    #[test]
    fn arbitrary_headers_never_verify(
        sample in any_sample(),
        names in prop::collection::vec(
            prop::sample::select(vec![
                "typeform-signature", "tally-signature", "x-webflow-signature", "x-webflow-timestamp",
                "x-webhook-signature", "calendly-webhook-signature", "webhook-signature", "webhook-timestamp",
                "webhook-id", SECRET_HEADER,
            ]),
            0..6,
        ),
        values in prop::collection::vec(any_value(), 6),
        query in ".{0,20}",
        body: Vec<u8>,
    ) {
        let pairs = names.iter().zip(&values).filter_map(|(name, value)| {
            Some((HeaderName::from_static(name), HeaderValue::from_bytes(value).ok()?))
        });
        let headers: HeaderMap = pairs.collect();
        let secrets = secrets(sample.provider, &[1, 2]);
        prop_assert!(verify(sample.provider, &headers, &query, &body, &secrets, now()).is_err());
    }

    #[test]
    fn changed_signature_character_fails_verification(
        sample in any_sample(),
        place: prop::sample::Index,
        bit in 0..7_u8,
    ) {
        let secrets = secrets(sample.provider, &[1]);
        let (headers, query) = sample.signed(sample.body, &secret(sample.provider, 1), now());
        let signature = verifier(sample.provider).unwrap().signatures.first();
        let name = signature.map_or(SECRET_HEADER, |signature| signature.header);
        let (mut headers, mut query) = (headers, query);
        let text = headers.get(name).map_or_else(|| query.clone(), |value| value.to_str().unwrap().to_owned());
        let mut bytes = text.clone().into_bytes();
        let at = place.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let Ok(changed) = String::from_utf8(bytes) else { return Ok(()) };
        // Base64's last character has unused bits, and hexadecimal digits have two cases.
        prop_assume!(!changed.eq_ignore_ascii_case(&text));
        if headers.contains_key(name) {
            let Ok(value) = HeaderValue::try_from(&changed) else { return Ok(()) };
            headers.insert(HeaderName::from_static(name), value);
        } else {
            prop_assume!(at >= "a=b&secret".len());
            query = changed;
        }
        prop_assert!(verify(sample.provider, &headers, &query, sample.body, &secrets, now()).is_err());
    }
}

/// Verifies a Standard Webhook with the right values under these header names: id, timestamp and signature.
fn standard_with(names: [&str; 3]) -> Result<(), Unverified> {
    let standard = sample(Provider::StandardWebhooks);
    let (signed, query) = standard.signed(standard.body, &secret(standard.provider, 1), now());
    let values =
        ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| signed[name].to_str().unwrap());
    let pairs: Vec<_> = names.into_iter().zip(values).collect();
    let secrets = secrets(standard.provider, &[1]);
    verify(standard.provider, &super::super::samples::headers(&pairs), &query, standard.body, &secrets, now())
}

#[test]
fn svix_headers_are_accepted_only_as_a_set() {
    assert_eq!(standard_with(["webhook-id", "webhook-timestamp", "webhook-signature"]), Ok(()));
    assert_eq!(standard_with(["svix-id", "svix-timestamp", "svix-signature"]), Ok(()));
    for mixture in [
        ["svix-id", "webhook-timestamp", "webhook-signature"],
        ["webhook-id", "svix-timestamp", "webhook-signature"],
        ["webhook-id", "webhook-timestamp", "svix-signature"],
        ["svix-id", "webhook-timestamp", "svix-signature"],
        ["svix-id", "svix-timestamp", "webhook-signature"],
    ] {
        assert_eq!(standard_with(mixture), Err(Unverified::Missing), "{mixture:?}");
    }
}
