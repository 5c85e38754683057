//! Reading a file, from any place of it.

use std::fmt;

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use domain::limits::AWS_ATTEMPTS_MAX;

use crate::error::{FileError, call_error, is_after_end};
use crate::files::Files;

/// The message of a file that could not be read.
const FAILED: &str = "a file was not read";

/// The bytes of a file from a place on, as they arrive. A connection that breaks is opened again at its place.
pub struct FileBody {
    files: Files,
    key: String,
    version: String,
    at: u64,
    open: ByteStream,
    failures: u32,
}

impl fmt::Debug for FileBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBody").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Files {
    /// Reads a file of this version from a place on. There are no bytes at the end of the file or after it.
    ///
    /// # Errors
    ///
    /// [`FileError::NotFound`], [`FileError::Changed`] if the file has another version, [`FileError::Unavailable`] and
    /// [`FileError::Fault`].
    pub async fn read(&self, key: &str, version: &str, from: u64) -> Result<FileBody, FileError> {
        let open = self.open(key, version, from).await?;
        let (key, version) = (key.to_owned(), version.to_owned());
        Ok(FileBody { files: self.clone(), key, version, at: from, open, failures: 0 })
    }

    async fn open(&self, key: &str, version: &str, from: u64) -> Result<ByteStream, FileError> {
        let get = self.client.get_object().bucket(&self.bucket).key(key).if_match(version);
        match get.range(format!("bytes={from}-")).send().await {
            Ok(found) => Ok(found.body),
            Err(error) if is_after_end(&error) => Ok(ByteStream::default()),
            Err(error) => Err(call_error(FAILED, error)),
        }
    }
}

impl FileBody {
    /// Returns the next bytes, or `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// The errors of [`Files::read`], because the file may change or disappear while it is read.
    pub async fn next(&mut self) -> Result<Option<Bytes>, FileError> {
        loop {
            match self.open.next().await {
                Some(Ok(bytes)) => {
                    self.at += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                    self.failures = 0;
                    return Ok(Some(bytes));
                }
                None => return Ok(None),
                Some(Err(_)) if self.failures < AWS_ATTEMPTS_MAX => {
                    self.failures += 1;
                    self.open = self.files.open(&self.key, &self.version, self.at).await?;
                }
                Some(Err(error)) => return Err(FileError::Unavailable(FAILED, error.into())),
            }
        }
    }
}
