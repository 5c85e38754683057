//! The session of a request: its cookie, and the way to the sign-in page without one.

use api::token::Secret;
use http::header::{COOKIE, HOST, HeaderMap, REFERER};

use crate::HOME;

/// The path of the sign-in page.
pub(crate) const SIGN_IN: &str = "/console/sign-in";

/// Returns the name of the session's cookie. Browsers accept `__Host-` only by HTTPS, for this host alone.
pub(crate) fn cookie_name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-tidemark" } else { "tidemark" }
}

/// Returns the path of the sign-in page that leads to `wanted` afterwards. `done` is the code of the note on it.
pub(crate) fn sign_in_path(wanted: Option<&str>, done: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let wanted = wanted.filter(|wanted| is_page(wanted) && *wanted != HOME);
    query.extend_pairs(wanted.map(|wanted| ("to", wanted)));
    query.extend_pairs(done.map(|done| ("done", done)));
    let query = query.finish();
    if query.is_empty() { SIGN_IN.to_owned() } else { format!("{SIGN_IN}?{query}") }
}

/// Returns the page of this console from which a form was sent.
pub(crate) fn sent_from(headers: &HeaderMap) -> Option<&str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (host, _) = text(REFERER)?.split_once("://")?.1.split_once('/')?;
    let path = text(REFERER)?.split_once("://")?.1.strip_prefix(host)?;
    Some(path).filter(|path| Some(host) == text(HOST) && is_page(path))
}

/// Returns true for the path of a page of this console, and for no address of another site.
pub(crate) fn is_page(path: &str) -> bool {
    let rest = path.strip_prefix(HOME);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        && !path.contains('\\')
        // Browsers write all other characters in `%xx`, and a header can't have them.
        && path.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Returns the value of the session's cookie.
pub(crate) fn session_cookie(headers: &HeaderMap, is_secure: bool) -> Option<Secret> {
    cookie(headers, cookie_name(is_secure)).map(Secret::new)
}

/// Returns the value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(cookie, _)| *cookie == name).map(|(_, value)| value)
}

/// Returns the header that sets a cookie for `seconds`.
pub(crate) fn cookie_header(name: &str, value: &str, seconds: i64, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;

    #[test]
    fn sender_of_a_form_is_a_page_of_this_host() {
        for (referer, page) in [
            ("https://a.example/console/jobs?a=1", Some("/console/jobs?a=1")),
            ("https://b.example/console/jobs", None),
            ("https://a.example/other", None),
            ("https://a.example", None),
            ("no address", None),
        ] {
            let headers = [(HOST, "a.example"), (REFERER, referer)];
            let headers: HeaderMap =
                headers.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
            assert_eq!(sent_from(&headers), page, "{referer}");
        }
    }

    #[test]
    fn sign_in_leads_to_pages_of_the_console_alone() {
        for page in ["/console", "/console/jobs/job_1", "/console/contacts?state=leaving"] {
            assert!(is_page(page), "{page}");
        }
        for other in [
            "",
            "/",
            "//example.org",
            "https://example.org/console",
            "/consolee",
            "/console\\x",
            "/console/\r\n",
            "/console/\0",
            "/console/\x7f",
            "/console/ä",
        ] {
            assert!(!is_page(other), "{other}");
        }
        assert_eq!(sign_in_path(Some("//example.org"), None), "/console/sign-in");
        assert_eq!(
            sign_in_path(Some("/console/jobs?a=1"), Some("ended")),
            "/console/sign-in?to=%2Fconsole%2Fjobs%3Fa%3D1&done=ended"
        );
    }
}
