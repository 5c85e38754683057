//! `multipart/form-data` (RFC 7578).

use std::convert::Infallible;

use api::Problem;
use axum::body::Bytes;
use futures_util::FutureExt as _;
use futures_util::stream;
use http::HeaderMap;
use http::header::CONTENT_DISPOSITION;
use multer::Multipart;

use super::charset::{CHARSET_FIELD, decode, encoding};
use super::{media_type_parameter, parameter};

/// One part of the body.
struct Part {
    /// The part's `Content-Disposition`, in the encoding of the form post.
    disposition: Vec<u8>,
    /// The encoding in the part's own `Content-Type`.
    charset: Option<String>,
    content: Bytes,
}

/// Returns the names and values of a body's text parts, in their order. Files are ignored, because they are not stored,
/// and a file's name without the file is useless.
///
/// # Errors
///
/// `invalid-request` for a media type without a boundary, and for a malformed or truncated body.
pub(super) fn read(headers: &HeaderMap, body: Bytes) -> Result<Vec<(String, String)>, Problem> {
    let boundary = media_type_parameter(headers, "boundary").filter(|boundary| !boundary.is_empty());
    let Some(boundary) = boundary else {
        let message = "the media type multipart/form-data lacks its boundary parameter";
        return Err(Problem::invalid_field("", message));
    };
    // The whole body is in memory, so the future never waits.
    let parts = parts(boundary, body).now_or_never().flatten();
    let pairs = parts.and_then(|parts| pairs(headers, &parts));
    pairs.ok_or_else(|| Problem::invalid_field("", "the body is not valid multipart/form-data"))
}

/// Splits a body into its parts. Returns `None` if the body is malformed. The parser's own error is dropped, because it
/// may repeat names and values.
async fn parts(boundary: String, body: Bytes) -> Option<Vec<Part>> {
    let mut multipart = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
    let mut parts = Vec::new();
    while let Some(part) = multipart.next_field().await.ok()? {
        let disposition = part.headers().get(CONTENT_DISPOSITION)?.as_bytes().to_vec();
        let charset = part.content_type().and_then(|kind| kind.get_param("charset"));
        let charset = charset.map(|charset| charset.as_str().to_owned());
        parts.push(Part { disposition, charset, content: part.bytes().await.ok()? });
    }
    Some(parts)
}

/// Returns the names and values of the text parts. Returns `None` if a part has no name.
fn pairs(headers: &HeaderMap, parts: &[Part]) -> Option<Vec<(String, String)>> {
    let of_body = media_type_parameter(headers, "charset");
    let is_charset_field = |part: &&Part| {
        let name = parameter(&String::from_utf8_lossy(&part.disposition), "name");
        name.is_some_and(|name| name.as_bytes() == CHARSET_FIELD)
    };
    let field = parts.iter().find(is_charset_field).map(|part| part.content.as_ref());
    let of_form = encoding(field, of_body.as_deref());
    let mut pairs = Vec::new();
    for part in parts {
        let disposition = decode(of_form, &part.disposition);
        let name = parameter(&disposition, "name")?;
        if parameter(&disposition, "filename").is_none() && parameter(&disposition, "filename*").is_none() {
            let own = encoding(part.charset.as_deref().map(str::as_bytes), Some(of_form.name()));
            pairs.push((name, decode(own, &part.content)));
        }
    }
    Some(pairs)
}
