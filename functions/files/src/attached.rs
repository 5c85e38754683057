//! The body of a new import: JSON, or `multipart/form-data` (RFC 7578) with the file itself.

use std::convert::Infallible;

use api::body::media_type;
use api::fields::{Errors, read_object};
use api::request::{ReadBody, RequestBody};
use api::{Problem, json};
use axum::body::Bytes;
use domain::limits::{IMPORT_ATTACHED_BYTES_MAX, IMPORT_BODY_BYTES_MAX, NAME_CHARS_MAX};
use futures_util::{FutureExt as _, stream};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use multer::Multipart;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::body::NewImportBody;

/// The body of a new import.
pub(crate) struct ImportBody {
    pub(crate) import: NewImportBody,
    /// The file, if it is in the body.
    pub(crate) file: Option<Bytes>,
}

/// The parts of a new import with its file.
#[derive(ToSchema)]
#[schema(as = AttachedImport)]
#[expect(dead_code, reason = "it describes what ImportBody reads")]
pub(crate) struct AttachedImport {
    /// The display name. Without it, the name is that of the file.
    #[schema(nullable = false, max_length = 200)]
    name: Option<String>,
    /// The options as JSON, the same as in a JSON body.
    #[schema(nullable = false)]
    options: Option<String>,
    /// The file, of at most 4 MB.
    #[schema(format = Binary)]
    file: Vec<u8>,
}

impl RequestBody for ImportBody {
    const BYTES_MAX: usize = IMPORT_BODY_BYTES_MAX;

    fn from_bytes(headers: &HeaderMap, bytes: &[u8], errors: &mut Errors) -> ReadBody<Self> {
        if media_type(headers).as_deref() == Some("multipart/form-data") {
            return read_parts(headers, bytes, errors);
        }
        let import = NewImportBody::from_bytes(headers, bytes, errors)?;
        Ok(import.map(|import| Self { import, file: None }))
    }
}

/// The text parts and the file of a body.
#[derive(Default)]
struct Parts {
    texts: Vec<(String, String)>,
    file: Option<(Option<String>, Bytes)>,
}

fn read_parts(headers: &HeaderMap, bytes: &[u8], errors: &mut Errors) -> ReadBody<ImportBody> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = content_type.and_then(|value| multer::parse_boundary(value).ok());
    let Some(boundary) = boundary else {
        return Err(Problem::invalid_field("", "the media type multipart/form-data lacks its boundary"));
    };
    // The whole body is in memory, so the future never waits. A body without its end is malformed.
    let parts = parts(boundary, Bytes::copy_from_slice(bytes)).now_or_never().flatten();
    let Some(Parts { texts, file }) = parts else {
        return Err(Problem::invalid_field("", "the body is not valid multipart/form-data"));
    };
    let Some((file_name, file)) = file else {
        return Ok(Err(errors.push("file", "is required: the file to import")));
    };
    if file.len() > IMPORT_ATTACHED_BYTES_MAX {
        let message = format!(
            "expected a file of at most {IMPORT_ATTACHED_BYTES_MAX} bytes; create the import without it, and upload it"
        );
        return Ok(Err(errors.push("file", message)));
    }
    let mut fields = Map::new();
    let default_name = file_name.map(|name| name.chars().take(NAME_CHARS_MAX).collect());
    fields.insert("name".to_owned(), Value::String(default_name.unwrap_or_else(|| "import.csv".to_owned())));
    for (name, text) in texts {
        let value = match name.as_str() {
            "options" => match json::parse(text.as_bytes()) {
                Ok(value) => value,
                Err(message) => return Ok(Err(errors.push("options", message))),
            },
            _ => Value::String(text),
        };
        fields.insert(name, value);
    }
    let import = read_object::<NewImportBody>(Value::Object(fields), errors);
    Ok(import.map(|import| ImportBody { import, file: Some(file) }))
}

/// Splits a body into its parts. Returns `None` if the body is malformed or ends early. The parser's own error is dropped,
/// because it may repeat names and values.
async fn parts(boundary: String, body: Bytes) -> Option<Parts> {
    let mut multipart = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
    let mut parts = Parts::default();
    while let Some(part) = multipart.next_field().await.ok()? {
        let name = part.name()?.to_owned();
        if name == "file" {
            let file_name = part.file_name().filter(|name| !name.trim().is_empty()).map(str::to_owned);
            parts.file = Some((file_name, part.bytes().await.ok()?));
        } else {
            parts.texts.push((name, part.text().await.ok()?));
        }
    }
    Some(parts)
}
