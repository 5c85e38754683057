//! `application/x-www-form-urlencoded`, as the URL standard reads it: no body is malformed, and what is not UTF-8 is
//! replaced.

/// The names and values of a body, in their order.
pub(super) fn read(body: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(body).into_owned().collect()
}
