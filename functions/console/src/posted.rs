//! A posted form with a file (`multipart/form-data`, RFC 7578).

use axum::body::Bytes;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use http::StatusCode;

use crate::typed::Typed;

/// The fields of a posted form, and the file that a person chose.
pub(crate) struct Posted {
    pub(crate) typed: Typed,
    pub(crate) file: Option<PostedFile>,
}

/// A file that a person chose.
pub(crate) struct PostedFile {
    /// The name of the file in the person's folder.
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = StatusCode;

    async fn from_request(request: Request, state: &S) -> Result<Self, StatusCode> {
        let multipart = Multipart::from_request(request, state).await;
        let parts = multipart.map_err(|rejection| rejection.status())?;
        read(parts).await.map_err(|error| error.status())
    }
}

async fn read(mut parts: Multipart) -> Result<Posted, MultipartError> {
    let (mut fields, mut file) = (Vec::new(), None);
    while let Some(part) = parts.next_field().await? {
        match part.file_name() {
            Some(name) => {
                let name = name.to_owned();
                file = chosen(name, part).await?;
            }
            None => {
                let name = part.name().unwrap_or_default().to_owned();
                fields.push((name, part.text().await?));
            }
        }
    }
    Ok(Posted { typed: Typed::of(fields), file })
}

/// Returns the file of a part. A browser sends a part without a name and a content if no file was chosen.
async fn chosen(name: String, part: Field<'_>) -> Result<Option<PostedFile>, MultipartError> {
    let bytes = part.bytes().await?;
    Ok((!name.is_empty() || !bytes.is_empty()).then_some(PostedFile { name, bytes }))
}
