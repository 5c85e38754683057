//! The format of a stored file: a head of fixed size, and the content. One rename stores both, so no reader sees the
//! content of one version with the tag of another.

use std::io::{self, ErrorKind, SeekFrom};
use std::ops::Range;
use std::path::Path;

use s3s::crypto::{Checksum as _, Md5};
use serde::{Deserialize, Serialize};
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _, BufWriter, Take};

/// The size of the head in bytes.
const HEAD_BYTES: usize = 1024;
/// The size of the head in bytes, as a place in the file.
const CONTENT_AT: u64 = 1024;
/// The size of the buffer between two files in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// The properties of a stored file. The head contains them as JSON, and spaces up to its size.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Head {
    /// The tag of the content.
    pub(super) tag: String,
    /// The type of the content, if the writer named one.
    pub(super) content_type: Option<String>,
}

/// An open file.
#[derive(Debug)]
pub(super) struct Stored {
    /// The properties.
    pub(super) head: Head,
    /// The size of the content in bytes.
    pub(super) bytes: u64,
    file: File,
}

impl Stored {
    /// Opens a file. Returns `None` if it does not exist.
    pub(super) async fn open(path: &Path) -> io::Result<Option<Self>> {
        let mut file = match File::open(path).await {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut head = [0; HEAD_BYTES];
        file.read_exact(&mut head).await?;
        let bytes = file.metadata().await?.len().saturating_sub(CONTENT_AT);
        Ok(Some(Self { head: serde_json::from_slice(&head)?, bytes, file }))
    }

    /// Returns a reader of a range of the content.
    pub(super) async fn range(mut self, range: Range<u64>) -> io::Result<Take<File>> {
        self.file.seek(SeekFrom::Start(CONTENT_AT + range.start)).await?;
        Ok(self.file.take(range.end - range.start))
    }
}

/// A file that is being written. It is deleted if it is not finished. Only its owner can read it.
pub(super) struct Writing {
    file: BufWriter<File>,
    path: TempPath,
    digest: Md5,
}

impl Writing {
    /// Creates a file in this directory.
    pub(super) async fn begin(directory: &Path) -> io::Result<Self> {
        let (file, path) = NamedTempFile::new_in(directory)?.into_parts();
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, File::from_std(file));
        file.write_all(&[b' '; HEAD_BYTES]).await?;
        Ok(Self { file, path, digest: Md5::new() })
    }

    /// Appends bytes to the content.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.file.write_all(bytes).await
    }

    /// Appends the content of a stored file.
    pub(super) async fn append(&mut self, stored: Stored) -> io::Result<()> {
        let bytes = stored.bytes;
        let mut content = stored.range(0..bytes).await?;
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read = content.read(&mut buffer).await?;
            match buffer.get(..read) {
                None | Some([]) => return Ok(()),
                Some(bytes) => self.write(bytes).await?,
            }
        }
    }

    /// Moves the complete file to its path, where it replaces any other. Returns its tag, which is the digest of the
    /// content and this suffix.
    pub(super) async fn finish(
        self,
        path: &Path,
        content_type: Option<String>,
        suffix: &str,
    ) -> io::Result<String> {
        let (complete, tag) = self.complete(content_type, suffix).await?;
        complete.persist(path)?;
        Ok(tag)
    }

    /// Moves the complete file to its path. Returns its tag, or `None` if a file is there already.
    pub(super) async fn finish_new(
        self,
        path: &Path,
        content_type: Option<String>,
    ) -> io::Result<Option<String>> {
        let (complete, tag) = self.complete(content_type, "").await?;
        match complete.persist_noclobber(path) {
            Ok(()) => Ok(Some(tag)),
            Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => Ok(None),
            Err(failed) => Err(failed.error),
        }
    }

    /// Writes the head. Returns the complete file under its temporary name, and its tag.
    async fn complete(
        mut self,
        content_type: Option<String>,
        suffix: &str,
    ) -> io::Result<(TempPath, String)> {
        let digest = self.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let head = Head { tag: digest + suffix, content_type };
        let text = serde_json::to_vec(&head)?;
        if text.len() > HEAD_BYTES {
            return Err(io::Error::new(ErrorKind::InvalidInput, "the type of the content is too long"));
        }
        self.file.flush().await?;
        let mut file = self.file.into_inner();
        file.seek(SeekFrom::Start(0)).await?;
        file.write_all(&text).await?;
        file.flush().await?;
        Ok((self.path, head.tag))
    }
}
