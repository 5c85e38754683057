//! How each provider's webhooks are told from forged ones, as data (`form-providers.md`).

use chrono::TimeDelta;
use domain::limits::{WEBHOOK_TOLERANCE, WEBHOOK_TOLERANCE_CALENDLY};
use domain::provider::Provider;

/// What a provider's hook has to show.
pub(super) struct Verifier {
    /// How it is signed, if it is.
    pub(super) signature: Option<Signature>,
    /// Whether a hook without a signature may show the secret itself: as `secret` in the address, or as a header.
    pub(super) takes_shared_secret: bool,
}

/// An HMAC-SHA256 of a hook.
pub(super) struct Signature {
    /// The header that it stands in.
    pub(super) header: &'static str,
    /// How it is written there.
    pub(super) written: Written,
    /// What is signed, one part after the other.
    pub(super) signed: &'static [Part],
    /// When it was signed, if the hook says so.
    pub(super) signed_at: Option<SignedAt>,
    /// What of the secret is the key.
    pub(super) key: Key,
}

/// How a signature is written in its header.
#[derive(Clone, Copy)]
pub(super) enum Written {
    /// Alone, after a prefix that may be empty.
    Alone(&'static str, Encoding),
    /// Among `name=value` pairs with commas between them, as the value of this name.
    Pair(&'static str, Encoding),
    /// In a list with spaces, after a version and a comma: any one of the list may be it.
    Listed(&'static str, Encoding),
    /// As the third part of a JWS (RFC 7515) whose claims name the body by its SHA-256.
    Jws(Claims),
}

/// How the bytes of a signature are written.
#[derive(Clone, Copy)]
pub(super) enum Encoding {
    Base64,
    Hex,
}

/// What the claims of a JWS have to say.
#[derive(Clone, Copy)]
pub(super) struct Claims {
    /// The `iss`.
    pub(super) issuer: &'static str,
    /// The claim that holds the body's SHA-256 in hexadecimal.
    pub(super) digest: &'static str,
}

/// A part of what is signed.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// The value of a header.
    Header(&'static str),
    /// The time of signing, as the hook writes it.
    SignedAt,
    /// Always the same.
    Literal(&'static str),
    /// The raw body.
    Body,
}

/// When a hook was signed.
#[derive(Clone, Copy)]
pub(super) struct SignedAt {
    /// Where it says so.
    pub(super) place: Place,
    /// What it counts since 1970.
    pub(super) unit: Unit,
    /// How far from now it may lie, in either direction.
    pub(super) tolerance: TimeDelta,
}

/// Where the time of signing stands.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// In a header of its own.
    Header(&'static str),
    /// Among the pairs of the signature's header, as the value of this name.
    Pair(&'static str),
}

/// What a time of signing counts.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
}

/// What of a secret is the key.
#[derive(Clone, Copy)]
pub(super) enum Key {
    /// Its text.
    Text,
    /// The bytes that stand in base64 after a prefix.
    Base64After(&'static str),
}

/// The verifier of a provider. None for a native form, which anybody may post to.
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

/// Those that sign nothing.
const SHARED_SECRET: Verifier = Verifier { signature: None, takes_shared_secret: true };

const TYPEFORM: Verifier = Verifier {
    signature: Some(Signature {
        header: "typeform-signature",
        written: Written::Alone("sha256=", Encoding::Base64),
        signed: &[Part::Body],
        signed_at: None,
        key: Key::Text,
    }),
    takes_shared_secret: false,
};

const TALLY: Verifier = Verifier {
    signature: Some(Signature {
        header: "tally-signature",
        written: Written::Alone("", Encoding::Base64),
        signed: &[Part::Body],
        signed_at: None,
        key: Key::Text,
    }),
    takes_shared_secret: false,
};

/// Webflow signs the hooks that an app has made, but not those that were made in its dashboard.
const WEBFLOW: Verifier = Verifier {
    signature: Some(Signature {
        header: "x-webflow-signature",
        written: Written::Alone("", Encoding::Hex),
        signed: &[Part::SignedAt, Part::Literal(":"), Part::Body],
        signed_at: Some(SignedAt {
            place: Place::Header("x-webflow-timestamp"),
            unit: Unit::Milliseconds,
            tolerance: WEBHOOK_TOLERANCE,
        }),
        key: Key::Text,
    }),
    takes_shared_secret: true,
};

const NETLIFY: Verifier = Verifier {
    signature: Some(Signature {
        header: "x-webhook-signature",
        written: Written::Jws(Claims { issuer: "netlify", digest: "sha256" }),
        // A JWS says itself what it signs.
        signed: &[],
        signed_at: None,
        key: Key::Text,
    }),
    takes_shared_secret: false,
};

const CALENDLY: Verifier = Verifier {
    signature: Some(Signature {
        header: "calendly-webhook-signature",
        written: Written::Pair("v1", Encoding::Hex),
        signed: &[Part::SignedAt, Part::Literal("."), Part::Body],
        signed_at: Some(SignedAt {
            place: Place::Pair("t"),
            unit: Unit::Seconds,
            tolerance: WEBHOOK_TOLERANCE_CALENDLY,
        }),
        key: Key::Text,
    }),
    takes_shared_secret: false,
};

const STANDARD_WEBHOOKS: Verifier = Verifier {
    signature: Some(Signature {
        header: "webhook-signature",
        written: Written::Listed("v1", Encoding::Base64),
        signed: &[
            Part::Header("webhook-id"),
            Part::Literal("."),
            Part::SignedAt,
            Part::Literal("."),
            Part::Body,
        ],
        signed_at: Some(SignedAt {
            place: Place::Header("webhook-timestamp"),
            unit: Unit::Seconds,
            tolerance: WEBHOOK_TOLERANCE,
        }),
        key: Key::Base64After("whsec_"),
    }),
    takes_shared_secret: false,
};
