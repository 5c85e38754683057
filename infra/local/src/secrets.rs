//! The tokens that the local stack shows at every start. The table contains only their digests. So the tokens are
//! stored in files beside it, which only the owner of the directory can read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use api::token::Secret;
use store::Rng;

use crate::private;

/// A store of tokens in a directory. Without a directory it stores nothing.
#[derive(Clone, Debug)]
pub struct Secrets {
    directory: Option<PathBuf>,
}

impl Secrets {
    /// Creates the store in this directory, which must exist.
    #[must_use]
    pub fn new(directory: Option<&Path>) -> Self {
        Self { directory: directory.map(Path::to_owned) }
    }

    /// Returns the token with this name, if it is stored. If other users can read its file, their permissions are
    /// removed.
    ///
    /// # Errors
    ///
    /// An error if the file exists and cannot be read or belongs to another user.
    pub fn get(&self, name: &str) -> io::Result<Option<Secret>> {
        let Some(directory) = &self.directory else { return Ok(None) };
        private::restrict(&directory.join(name))?;
        match fs::read_to_string(directory.join(name)) {
            Ok(text) => Ok(Some(Secret::new(text.trim()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores a token under this name.
    ///
    /// # Errors
    ///
    /// An error if the file cannot be written.
    pub fn put(&self, name: &str, token: &Secret) -> io::Result<()> {
        let Some(directory) = &self.directory else { return Ok(()) };
        private::write_file(&directory.join(name), token.expose())
    }

    /// Returns the token with this name. Creates and stores it if it does not exist.
    ///
    /// # Errors
    ///
    /// The errors of [`Self::get`] and [`Self::put`].
    pub fn get_or_create(&self, name: &str, rng: &Rng) -> io::Result<Secret> {
        if let Some(token) = self.get(name)? {
            return Ok(token);
        }
        let token = Secret::new(format!("tmk_{:032x}{:032x}", rng.bits(), rng.bits()));
        self.put(name, &token)?;
        Ok(token)
    }
}
