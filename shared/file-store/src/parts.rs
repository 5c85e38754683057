//! Writing a file in parts, which become the file together.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::{FileError, call_error};
use crate::files::{Files, transfers};

/// The id of a file that is being written in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UploadId(pub String);

/// The tag of a stored part. Another content of the same part has another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartTag(pub String);

impl Files {
    /// Begins a file in parts. No file exists under the key before [`Self::complete`].
    ///
    /// # Errors
    ///
    /// [`FileError::Unavailable`] and [`FileError::Fault`].
    pub async fn begin(&self, key: &str, content_type: &str) -> Result<UploadId, FileError> {
        let failed = "a file was not begun";
        let begin = self.client.create_multipart_upload().bucket(&self.bucket).key(key);
        let begun =
            begin.content_type(content_type).send().await.map_err(|error| call_error(failed, error))?;
        let id =
            begun.upload_id.ok_or_else(|| FileError::Fault(failed, "the response lacks the id".into()))?;
        Ok(UploadId(id))
    }

    /// Stores a part. Parts are numbered from 1. A part that exists is replaced.
    ///
    /// # Errors
    ///
    /// [`FileError::NotFound`] if the upload is completed, aborted or unknown, [`FileError::Unavailable`] and
    /// [`FileError::Fault`].
    pub async fn put_part(
        &self,
        key: &str,
        upload: &UploadId,
        number: usize,
        bytes: impl Into<Bytes>,
    ) -> Result<PartTag, FileError> {
        let failed = "a part was not stored";
        let put = self.client.upload_part().bucket(&self.bucket).key(key).upload_id(&upload.0);
        let put = put.part_number(part_number(number)).body(ByteStream::from(bytes.into()));
        let stored = put.customize().config_override(transfers()).send().await;
        let stored = stored.map_err(|error| call_error(failed, error))?;
        let tag =
            stored.e_tag.ok_or_else(|| FileError::Fault(failed, "the response lacks the tag".into()))?;
        Ok(PartTag(tag))
    }

    /// Joins the parts, in this order, to the file.
    ///
    /// # Errors
    ///
    /// [`FileError::Changed`] if a part is missing or was replaced, [`FileError::NotFound`] if the upload is completed,
    /// aborted or unknown, [`FileError::Unavailable`] and [`FileError::Fault`].
    pub async fn complete(&self, key: &str, upload: &UploadId, parts: &[PartTag]) -> Result<(), FileError> {
        let parts = parts.iter().zip(1..).map(|(tag, number)| {
            CompletedPart::builder().part_number(part_number(number)).e_tag(&tag.0).build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let complete = self.client.complete_multipart_upload().bucket(&self.bucket).key(key);
        let complete = complete.upload_id(&upload.0).multipart_upload(parts);
        let completed = complete.customize().config_override(transfers()).send().await;
        completed.map(|_| ()).map_err(|error| call_error("the parts were not joined", error))
    }

    /// Deletes the parts of an unfinished file. An upload that does not exist is not an error.
    ///
    /// # Errors
    ///
    /// [`FileError::Unavailable`] and [`FileError::Fault`].
    pub async fn abort(&self, key: &str, upload: &UploadId) -> Result<(), FileError> {
        let abort = self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(&upload.0);
        match abort.send().await.map_err(|error| call_error("the parts were not deleted", error)) {
            Ok(_) | Err(FileError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Returns the number of a part in the SDK's type. A number above the range is one that S3 refuses.
fn part_number(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
