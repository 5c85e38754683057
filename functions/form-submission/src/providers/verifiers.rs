//! The signatures by which each provider's webhooks are verified, as data (`README.md` in this folder, Signatures).

use chrono::TimeDelta;
use domain::limits::{WEBHOOK_TOLERANCE, WEBHOOK_TOLERANCE_CALENDLY};
use domain::provider::Provider;

/// What a provider's hook has to show.
pub(super) struct Verifier {
    /// How it is signed, in each of the ways in which it may be. A hook is held to the first whose header it has.
    pub(super) signatures: &'static [Signature],
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
    /// The signed header that holds the delivery's id, if a header does.
    pub(super) id_header: Option<&'static str>,
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

/// Webflow signs the hooks that an app has made, but not those that were made in its dashboard.
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
        // A JWS says itself what it signs.
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

/// Svix, from which Standard Webhooks come, sends the same headers under names of its own.
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

/// The signature of Standard Webhooks with these names of its headers.
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
