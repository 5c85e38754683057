//! `application/x-www-form-urlencoded`, parsed as in the URL standard: no body is malformed, and bytes that are invalid
//! in its encoding are replaced.

use std::borrow::Cow;

use http::HeaderMap;
use percent_encoding::percent_decode;

use super::charset::{CHARSET_FIELD, decode, encoding};
use super::media_type_parameter;

/// Returns the names and values of a body, in their order.
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Vec<(String, String)> {
    let parts = body.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
    let pairs: Vec<(Vec<u8>, Vec<u8>)> = parts.map(pair).collect();
    let field = pairs.iter().find(|(name, _)| name == CHARSET_FIELD).map(|(_, value)| value.as_slice());
    let encoding = encoding(field, media_type_parameter(headers, "charset").as_deref());
    pairs.iter().map(|(name, value)| (decode(encoding, name), decode(encoding, value))).collect()
}

/// Returns the decoded bytes of a name and its value.
fn pair(part: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut sides = part.splitn(2, |byte| *byte == b'=');
    let mut side = || bytes(sides.next().unwrap_or_default());
    (side(), side())
}

fn bytes(encoded: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Cow::from(percent_decode(&spaced)).into_owned()
}
