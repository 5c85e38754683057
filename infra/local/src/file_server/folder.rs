//! The directory of the files, and of the parts of unfinished files.
//!
//! Nothing is deleted by its age, as the deployed bucket does after 30 days: the user of a machine deletes the directory.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::private;

/// The characters of a key that the name of its file encodes. Keys contain slashes, and a file's name can't.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// The maximum length of a file's name (all common file systems).
const NAME_BYTES_MAX: usize = 255;

/// The file in the directory of an unfinished file that contains its [`Upload`].
const UPLOAD_FILE: &str = "upload.json";

/// An unfinished file, as it was begun.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Upload {
    /// The key of the file to be.
    pub(super) key: String,
    /// The type of its content, if the writer named one.
    pub(super) content_type: Option<String>,
}

/// The paths of files.
#[derive(Debug)]
pub(super) struct Folder {
    files: PathBuf,
    parts: PathBuf,
    writing: PathBuf,
}

impl Folder {
    /// Creates the directories unless they exist, and deletes files that were being written when the program ended.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let [files, parts, writing] = ["stored", "parts", "writing"].map(|name| root.join(name));
        private::create_own_directory(root)?;
        if writing.exists() {
            fs::remove_dir_all(&writing)?;
        }
        for directory in [&files, &parts, &writing] {
            private::create_own_directory(directory)?;
        }
        Ok(Self { files, parts, writing })
    }

    /// Returns the directory of files that are being written.
    pub(super) fn writing(&self) -> &Path {
        &self.writing
    }

    /// Returns the path of a file. `None` if its key is too long.
    pub(super) fn file(&self, key: &str) -> Option<PathBuf> {
        let name = utf8_percent_encode(key, ENCODED).to_string();
        (name.len() <= NAME_BYTES_MAX).then(|| self.files.join(name))
    }

    /// Returns the path of a part.
    pub(super) fn part(&self, id: &str, number: i32) -> PathBuf {
        self.upload_directory(id).join(number.to_string())
    }

    /// Stores an unfinished file under this id.
    pub(super) fn begin(&self, id: &str, upload: &Upload) -> io::Result<()> {
        private::create_directory(&self.upload_directory(id))?;
        private::write_file(&self.upload_directory(id).join(UPLOAD_FILE), &serde_json::to_string(upload)?)
    }

    /// Returns the unfinished file with this id, if it exists under this key.
    pub(super) fn upload(&self, id: &str, key: &str) -> io::Result<Option<Upload>> {
        let text = match fs::read(self.upload_directory(id).join(UPLOAD_FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let upload: Upload = serde_json::from_slice(&text)?;
        Ok((upload.key == key).then_some(upload))
    }

    /// Deletes an unfinished file with its parts.
    pub(super) fn end(&self, id: &str) -> io::Result<()> {
        fs::remove_dir_all(self.upload_directory(id))
    }

    fn upload_directory(&self, id: &str) -> PathBuf {
        // A request names the id, which must not lead to another directory.
        self.parts.join(utf8_percent_encode(id, ENCODED).to_string())
    }
}
