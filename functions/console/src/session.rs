//! The session of a request: its cookie, and the way to the sign-in page without one.

use api::token::Secret;
use http::header::{COOKIE, HeaderMap};

use crate::HOME;

/// The path of the sign-in page.
pub(crate) const SIGN_IN: &str = "/console/sign-in";

/// Returns the name of the session's cookie. Browsers accept `__Host-` only by HTTPS, for this host alone.
pub(crate) fn cookie_name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-tidemark" } else { "tidemark" }
}

/// Returns the path of the sign-in page that leads to `wanted` afterwards.
pub(crate) fn sign_in_path(wanted: Option<&str>) -> String {
    match wanted.filter(|wanted| is_page(wanted) && *wanted != HOME) {
        Some(wanted) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            format!("{SIGN_IN}?{}", query.append_pair("to", wanted).finish())
        }
        None => SIGN_IN.to_owned(),
    }
}

/// Returns true for the path of a page of this console, and for no address of another site.
pub(crate) fn is_page(path: &str) -> bool {
    let rest = path.strip_prefix(HOME);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        && !path.contains(['\\', '\r', '\n'])
}

/// Returns the value of the session's cookie.
pub(crate) fn session_cookie(headers: &HeaderMap, is_secure: bool) -> Option<Secret> {
    let name = cookie_name(is_secure);
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(cookie, _)| *cookie == name).map(|(_, value)| Secret::new(value))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert!(!is_page(other), "{other}");
        }
        assert_eq!(sign_in_path(Some("//example.org")), "/console/sign-in");
        assert_eq!(sign_in_path(Some("/console/jobs?a=1")), "/console/sign-in?to=%2Fconsole%2Fjobs%3Fa%3D1");
    }
}
