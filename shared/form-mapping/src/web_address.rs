//! The web addresses in a form's settings: the origins whose pages may post to it, and the address of the redirect.

use domain::limits::{ORIGIN_CHARS_MAX, REDIRECT_URL_CHARS_MAX};
use url::Url;

/// Parses an origin, and returns it as browsers send it in the `Origin` header (RFC 6454 §6.2). It is in lower case,
/// an international host is in its ASCII form, and the scheme's default port is left out.
///
/// # Errors
///
/// The expected format, if the text is not `scheme://host[:port]` with HTTP or HTTPS, or is too long. Any path is
/// rejected, even `/`, because it would seem to restrict the origin to that path.
pub fn origin(text: &str) -> Result<String, String> {
    let url = Some(text).filter(|text| has_only_an_authority(text)).and_then(http_url);
    let origin = url.map(|url| url.origin().ascii_serialization());
    origin.filter(|origin| origin.len() <= ORIGIN_CHARS_MAX).ok_or_else(|| {
        format!(
            "expected an origin such as https://www.example.org, with http or https and without a path, of at most \
             {ORIGIN_CHARS_MAX} characters"
        )
    })
}

/// Returns true if only a host and a port follow the scheme. `*` is rejected, because the URL parser accepts it as a
/// letter of the host, but a reader would expect a wildcard.
fn has_only_an_authority(text: &str) -> bool {
    text.len() <= ORIGIN_CHARS_MAX * 4
        && text.split_once("://").is_some_and(|(_, authority)| {
            !authority.contains(['/', '\\', '?', '#', '@', '%', '*']) && !authority.ends_with(':')
        })
}

/// Parses the address of a redirect, and returns it in ASCII, as the `Location` header requires.
///
/// # Errors
///
/// The expected format, if the text is not an absolute address with HTTP or HTTPS, contains a user name or a password,
/// or is too long.
pub fn redirect_url(text: &str) -> Result<String, String> {
    let url = Some(text).filter(|text| text.len() <= REDIRECT_URL_CHARS_MAX * 4).and_then(http_url);
    let plain = url.filter(|url| url.username().is_empty() && url.password().is_none());
    plain.map(String::from).filter(|url| url.len() <= REDIRECT_URL_CHARS_MAX).ok_or_else(|| {
        format!(
            "expected an absolute address such as https://www.example.org/thanks, with http or https, of at most \
             {REDIRECT_URL_CHARS_MAX} characters"
        )
    })
}

/// Parses an HTTP or HTTPS URL. It is stricter than [`Url::parse`], which accepts a missing `//` and drops line breaks
/// and the spaces around the address.
fn http_url(text: &str) -> Option<Url> {
    let (scheme, _) = text.split_once("://")?;
    let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let is_clean = !text.contains(|c: char| c.is_control() || c.is_whitespace());
    (is_http && is_clean).then(|| Url::parse(text).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn valid_origin_becomes_the_form_that_browsers_send() {
        let table = [
            ("https://www.example.org", "https://www.example.org"),
            ("HTTPS://WWW.Example.ORG", "https://www.example.org"),
            ("https://example.org:443", "https://example.org"),
            ("http://example.org:80", "http://example.org"),
            ("http://example.org:443", "http://example.org:443"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://Bücher.example", "https://xn--bcher-kva.example"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://127.0.0.1", "http://127.0.0.1"),
        ];
        for (text, expected) in table {
            assert_eq!(origin(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn text_other_than_an_origin_is_rejected() {
        for given in [
            "",
            "null",
            "*",
            "example.org",
            "//example.org",
            "https:",
            "https://",
            "https:example.org",
            "https://example.org/",
            "https://example.org/path",
            "https://example.org?q",
            "https://example.org#f",
            "https://example.org\\path",
            "https://ada@example.org",
            "https://*.example.org",
            "https://example.org:",
            "https://example.org:99999",
            "https://exa mple.org",
            " https://example.org",
            "https://example.org\n",
            "https:///example.org",
            "ftp://example.org",
            "file:///",
            "javascript://example.org",
        ] {
            assert!(origin(given).is_err(), "{given}");
        }
        assert!(origin(&format!("https://{}", "a".repeat(ORIGIN_CHARS_MAX))).is_err());
    }

    #[test]
    fn redirect_must_be_absolute_and_becomes_ascii() {
        let table = [
            ("https://example.org/thanks?x=1#top", "https://example.org/thanks?x=1#top"),
            ("http://localhost:3000/", "http://localhost:3000/"),
            ("HTTPS://Example.org", "https://example.org/"),
            ("https://example.org/grüße", "https://example.org/gr%C3%BC%C3%9Fe"),
        ];
        for (text, expected) in table {
            assert_eq!(redirect_url(text).as_deref(), Ok(expected), "{text}");
        }
        for given in [
            "",
            "/thanks",
            "//example.org/thanks",
            "example.org",
            "https:/example.org",
            "https://",
            "javascript:alert(1)",
            "data:text/html,x",
            "mailto:ada@example.org",
            "https://ada:secret@example.org/",
            "https://example.org/a b",
            "https://example.org/\r\nSet-Cookie:x",
        ] {
            assert!(redirect_url(given).is_err(), "{given}");
        }
    }

    #[test]
    fn redirect_beyond_the_maximum_length_is_rejected() {
        let of_length = |length: usize| {
            let base = "https://example.org/";
            format!("{base}{}", "x".repeat(length - base.len()))
        };
        assert!(redirect_url(&of_length(REDIRECT_URL_CHARS_MAX)).is_ok());
        assert!(redirect_url(&of_length(REDIRECT_URL_CHARS_MAX + 1)).is_err());
        let grows = format!("https://example.org/{}", "ü".repeat(REDIRECT_URL_CHARS_MAX / 4));
        assert!(redirect_url(&grows).is_err(), "the limit applies to the stored form");
    }

    proptest! {
        #[test]
        fn parsed_address_is_parsed_unchanged(text in "(https?|HTTP)://[a-zA-Z0-9.:-]{1,40}/?[ -~é]{0,20}") {
            if let Ok(kept) = origin(&text) {
                prop_assert_eq!(origin(&kept), Ok(kept));
            }
            if let Ok(kept) = redirect_url(&text) {
                prop_assert!(kept.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert_eq!(redirect_url(&kept), Ok(kept));
            }
        }

        #[test]
        fn any_text_is_parsed_without_a_panic(text in any::<String>()) {
            let _ = (origin(&text), redirect_url(&text));
        }
    }
}
