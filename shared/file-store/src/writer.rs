//! Writing a file of any size, whose writer may stop and resume.

use bytes::Bytes;
use domain::limits::FILE_PART_BYTES;
use serde::{Deserialize, Serialize};

use crate::error::FileError;
use crate::files::Files;
use crate::parts::{PartTag, UploadId};

/// The stored parts of a file that is being written. A writer that resumes the file needs nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenParts {
    /// The id of the file in parts, from the first part on.
    pub upload: Option<UploadId>,
    /// The tags of the parts, in their order.
    pub parts: Vec<PartTag>,
    /// The size of all parts together.
    pub bytes: u64,
}

/// The writer of one file. It collects bytes until they are a part. A file smaller than a part is stored at once.
///
/// A part ends where a call of [`Self::write`] ends. So a writer that resumes after the last stored part repeats whole
/// calls, and no row is torn.
#[derive(Debug)]
pub struct FileWriter {
    files: Files,
    key: String,
    content_type: String,
    written: WrittenParts,
    pending: Vec<u8>,
}

impl FileWriter {
    /// Creates the writer of a file. It resumes after these parts, or begins with [`WrittenParts::default`].
    #[must_use]
    pub fn new(files: Files, key: String, content_type: String, written: WrittenParts) -> Self {
        Self { files, key, content_type, written, pending: Vec::new() }
    }

    /// Returns the stored parts. The bytes that were written since are only in memory.
    #[must_use]
    pub fn written(&self) -> &WrittenParts {
        &self.written
    }

    /// Returns the size of all that was written, stored or not.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.written.bytes + size(&self.pending)
    }

    /// Appends bytes. Returns true if all bytes are stored in parts now, so the caller can store its place with
    /// [`Self::written`].
    ///
    /// # Errors
    ///
    /// The errors of [`Files::begin`] and [`Files::put_part`]. The bytes are kept, and the next call stores them again.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<bool, FileError> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() < FILE_PART_BYTES {
            return Ok(false);
        }
        self.store_part().await?;
        Ok(true)
    }

    async fn store_part(&mut self) -> Result<(), FileError> {
        let upload = match &self.written.upload {
            Some(upload) => upload.clone(),
            None => self.files.begin(&self.key, &self.content_type).await?,
        };
        self.written.upload = Some(upload.clone());
        let number = self.written.parts.len() + 1;
        // The part is shared with the call, not copied.
        let part = Bytes::from(std::mem::take(&mut self.pending));
        let stored = self.files.put_part(&self.key, &upload, number, part.clone()).await;
        match stored {
            Ok(tag) => {
                self.written.parts.push(tag);
                self.written.bytes += size(&part);
                Ok(())
            }
            Err(error) => {
                self.pending = part.into();
                Err(error)
            }
        }
    }

    /// Stores the rest and joins the parts to the file. Returns its size. It can be repeated, also by a writer that resumed:
    /// if the parts were joined already, the result is the same.
    ///
    /// # Errors
    ///
    /// The errors of [`Files::put`], [`Files::put_part`] and [`Files::complete`].
    pub async fn finish(&mut self) -> Result<u64, FileError> {
        let finished = match self.written.upload.clone() {
            Some(upload) => self.join_parts(&upload).await,
            None => self.files.put(&self.key, &self.content_type, self.pending.clone()).await,
        };
        match finished {
            // The response of an earlier attempt may be lost. Then the file exists and its upload does not.
            Err(FileError::NotFound) if self.is_complete().await? => Ok(self.bytes()),
            finished => finished.map(|()| self.bytes()),
        }
    }

    async fn join_parts(&mut self, upload: &UploadId) -> Result<(), FileError> {
        if !self.pending.is_empty() {
            self.store_part().await?;
        }
        self.files.complete(&self.key, upload, &self.written.parts).await
    }

    /// Returns true if the file exists with the size that was written.
    async fn is_complete(&self) -> Result<bool, FileError> {
        let info = self.files.info(&self.key).await?;
        Ok(info.is_some_and(|info| info.bytes == self.bytes()))
    }

    /// Deletes the stored parts.
    ///
    /// # Errors
    ///
    /// The errors of [`Files::abort`].
    pub async fn abort(self) -> Result<(), FileError> {
        match &self.written.upload {
            Some(upload) => self.files.abort(&self.key, upload).await,
            None => Ok(()),
        }
    }
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
