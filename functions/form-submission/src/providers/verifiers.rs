//! The signature scheme of each provider, as data (`README.md` in this folder, Signatures).

use chrono::TimeDelta;
use domain::limits::{WEBHOOK_TOLERANCE, WEBHOOK_TOLERANCE_CALENDLY};
use domain::provider::Provider;

/// The credentials that a provider's webhook must contain.
pub(super) struct Verifier {
    /// The provider's signature schemes. A webhook is checked against the first one whose header it contains.
    pub(super) signatures: &'static [Signature],
    /// True if a webhook without a signature may contain the secret itself, as `secret` in the query or in a header.
    pub(super) takes_shared_secret: bool,
}

/// A signature scheme based on HMAC-SHA256.
pub(super) struct Signature {
    /// The header that contains the signature.
    pub(super) header: &'static str,
    /// The format of the signature in the header.
    pub(super) written: Written,
    /// The signed parts, in their order.
    pub(super) signed: &'static [Part],
    /// The time of signing, if the scheme signs one.
    pub(super) signed_at: Option<SignedAt>,
    /// The way to derive the key from the secret.
    pub(super) key: Key,
    /// The signed header with the delivery's id, if the scheme has one.
    pub(super) id_header: Option<&'static str>,
}

/// The format of a signature in its header.
#[derive(Clone, Copy)]
pub(super) enum Written {
    /// The signature alone, after a prefix that may be empty.
    Alone(&'static str, Encoding),
    /// `name=value` pairs, separated by commas. The signature is the value of this name.
    Pair(&'static str, Encoding),
    /// A list, separated by spaces, of a version, a comma and a signature. Any of the signatures may match.
    Listed(&'static str, Encoding),
    /// A JWS (RFC 7515) whose claims contain the SHA-256 of the body.
    Jws(Claims),
}

/// The encoding of a signature's bytes.
#[derive(Clone, Copy)]
pub(super) enum Encoding {
    Base64,
    Hex,
}

/// The required claims of a JWS.
#[derive(Clone, Copy)]
pub(super) struct Claims {
    /// The required value of `iss`.
    pub(super) issuer: &'static str,
    /// The name of the claim with the body's SHA-256 in hexadecimal.
    pub(super) digest: &'static str,
}

/// A signed part of a webhook.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// The value of a header.
    Header(&'static str),
    /// The text of the time of signing.
    SignedAt,
    /// A constant text.
    Literal(&'static str),
    /// The raw body.
    Body,
}

/// The time of signing of a webhook.
#[derive(Clone, Copy)]
pub(super) struct SignedAt {
    /// The place of the time.
    pub(super) place: Place,
    /// The unit in which the time counts since 1970.
    pub(super) unit: Unit,
    /// The greatest accepted distance from now, in both directions.
    pub(super) tolerance: TimeDelta,
}

/// The place of the time of signing.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// A header of its own.
    Header(&'static str),
    /// A pair with this name in the signature's header.
    Pair(&'static str),
}

/// The unit of a time of signing.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
}

/// The way to derive the key from a secret.
#[derive(Clone, Copy)]
pub(super) enum Key {
    /// The secret's text is the key.
    Text,
    /// The key is in base64 after this prefix.
    Base64After(&'static str),
}

/// Returns the verifier of a provider. Returns `None` for native forms, because they accept no webhooks.
pub(super) const fn verifier(provider: Provider) -> Option<&'static Verifier> {
    match provider {
        Provider::Native => None,
        Provider::Typeform => Some(&TYPEFORM),
        Provider::Tally => Some(&TALLY),
        Provider::Webflow => Some(&WEBFLOW),
        Provider::Netlify => Some(&NETLIFY),
        Provider::Calendly => Some(&CALENDLY),
        Provider::StandardWebhooks => Some(&STANDARD_WEBHOOKS),
        Provider::Jotform | Provider::GravityForms | Provider::Wpforms | Provider::Generic => {
            Some(&SHARED_SECRET)
        }
    }
}

/// The verifier of all providers that do not sign.
const SHARED_SECRET: Verifier = Verifier { signatures: &[], takes_shared_secret: true };

const TYPEFORM: Verifier = Verifier {
    signatures: &[Signature {
        header: "typeform-signature",
        written: Written::Alone("sha256=", Encoding::Base64),
        signed: &[Part::Body],
        signed_at: None,
        key: Key::Text,
        id_header: None,
    }],
    takes_shared_secret: false,
};

const TALLY: Verifier = Verifier {
    signatures: &[Signature {
        header: "tally-signature",
        written: Written::Alone("", Encoding::Base64),
        signed: &[Part::Body],
        signed_at: None,
        key: Key::Text,
        id_header: None,
    }],
    takes_shared_secret: false,
};

/// Webflow signs the webhooks that an app created, but not those that were created in its dashboard.
const WEBFLOW: Verifier = Verifier {
    signatures: &[Signature {
        header: "x-webflow-signature",
        written: Written::Alone("", Encoding::Hex),
        signed: &[Part::SignedAt, Part::Literal(":"), Part::Body],
        signed_at: Some(SignedAt {
            place: Place::Header("x-webflow-timestamp"),
            unit: Unit::Milliseconds,
            tolerance: WEBHOOK_TOLERANCE,
        }),
        key: Key::Text,
        id_header: None,
    }],
    takes_shared_secret: true,
};

const NETLIFY: Verifier = Verifier {
    signatures: &[Signature {
        header: "x-webhook-signature",
        written: Written::Jws(Claims { issuer: "netlify", digest: "sha256" }),
        // A JWS signs its own header and claims.
        signed: &[],
        signed_at: None,
        key: Key::Text,
        id_header: None,
    }],
    takes_shared_secret: false,
};

const CALENDLY: Verifier = Verifier {
    signatures: &[Signature {
        header: "calendly-webhook-signature",
        written: Written::Pair("v1", Encoding::Hex),
        signed: &[Part::SignedAt, Part::Literal("."), Part::Body],
        signed_at: Some(SignedAt {
            place: Place::Pair("t"),
            unit: Unit::Seconds,
            tolerance: WEBHOOK_TOLERANCE_CALENDLY,
        }),
        key: Key::Text,
        id_header: None,
    }],
    takes_shared_secret: false,
};

/// Svix, the origin of Standard Webhooks, sends the same headers under other names.
const STANDARD_WEBHOOKS: Verifier = Verifier {
    signatures: &[
        standard(
            "webhook-signature",
            "webhook-timestamp",
            "webhook-id",
            &[Part::Header("webhook-id"), DOT, Part::SignedAt, DOT, Part::Body],
        ),
        standard(
            "svix-signature",
            "svix-timestamp",
            "svix-id",
            &[Part::Header("svix-id"), DOT, Part::SignedAt, DOT, Part::Body],
        ),
    ],
    takes_shared_secret: false,
};

const DOT: Part = Part::Literal(".");

/// Returns the signature scheme of Standard Webhooks with these header names.
const fn standard(
    header: &'static str,
    timestamp: &'static str,
    id: &'static str,
    signed: &'static [Part],
) -> Signature {
    Signature {
        header,
        written: Written::Listed("v1", Encoding::Base64),
        signed,
        signed_at: Some(SignedAt {
            place: Place::Header(timestamp),
            unit: Unit::Seconds,
            tolerance: WEBHOOK_TOLERANCE,
        }),
        key: Key::Base64After("whsec_"),
        id_header: Some(id),
    }
}
