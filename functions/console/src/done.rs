//! The note about an act, on the page to which the act leads.
//!
//! The address has the note's code, and a cookie has the digest of that address for a minute. So a page tells of an act
//! only to the browser that did it, once, and never because of its address alone.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use domain::digest::sha256_hex;
use domain::limits::NOTE_SECONDS;
use http::header::{HeaderMap, HeaderValue, LOCATION, SET_COOKIE};
use http::{Method, Uri};

use crate::session::{cookie, cookie_header};
use crate::typed::Typed;

/// The field of an address that has the code.
const FIELD: &str = "done";

fn cookie_name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-tidemark-done" } else { "tidemark-done" }
}

fn digest(path: &str) -> String {
    sha256_hex(path.as_bytes())
}

fn has_code(path: &str) -> bool {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    Typed::parse(query.as_bytes()).has(FIELD)
}

/// Returns true if the browser was led to this address by an act of its own.
fn is_told(headers: &HeaderMap, uri: &Uri, is_secure: bool) -> bool {
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    has_code(path) && cookie(headers, cookie_name(is_secure)).is_some_and(|told| told == digest(path))
}

/// Returns the code of the note on the page of this request.
pub(crate) fn code(headers: &HeaderMap, uri: &Uri, is_secure: bool) -> Option<String> {
    let query = Typed::parse(uri.query().unwrap_or_default().as_bytes());
    query.filled(FIELD).filter(|_| is_told(headers, uri, is_secure)).map(str::to_owned)
}

/// Remembers the address to which an act leads, until its page is shown.
pub(crate) async fn remember(State(is_secure): State<bool>, request: Request, next: Next) -> Response {
    let is_act = request.method() == Method::POST;
    let is_shown = !is_act && is_told(request.headers(), request.uri(), is_secure);
    let mut response = next.run(request).await;
    let led = response.headers().get(LOCATION).filter(|_| is_act).and_then(|to| to.to_str().ok());
    let cookie = match led.filter(|to| has_code(to)) {
        Some(to) => cookie_header(cookie_name(is_secure), &digest(to), NOTE_SECONDS, is_secure),
        None if is_shown => cookie_header(cookie_name(is_secure), "", 0, is_secure),
        None => return response,
    };
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
