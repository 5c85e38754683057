//! `multipart/form-data` (RFC 7578).

use std::convert::Infallible;

use api::Problem;
use axum::body::Bytes;
use futures_util::FutureExt as _;
use futures_util::stream;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use multer::Multipart;

/// The names and values of a body's text parts, in their order. Files are left out: nothing here keeps them, and a
/// file's name without the file would promise what is not there.
///
/// # Errors
///
/// `invalid-request` for a body that is broken or ends too early.
pub(super) fn read(headers: &HeaderMap, body: Bytes) -> Result<Vec<(String, String)>, Problem> {
    // The whole body is there, so nothing in it is ever waited for.
    let parts = parts(headers, body).now_or_never().flatten();
    parts.ok_or_else(|| Problem::invalid_field("", "the body is not valid multipart/form-data"))
}

/// None if the body is broken. How it is broken is told in words that repeat names and values.
async fn parts(headers: &HeaderMap, body: Bytes) -> Option<Vec<(String, String)>> {
    let boundary = multer::parse_boundary(headers.get(CONTENT_TYPE)?.to_str().ok()?).ok()?;
    let mut multipart = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
    let mut pairs = Vec::new();
    while let Some(part) = multipart.next_field().await.ok()? {
        let name = part.name()?.to_owned();
        if part.file_name().is_none() {
            pairs.push((name, part.text().await.ok()?));
        }
    }
    Some(pairs)
}
