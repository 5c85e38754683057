//! The tokens that the local stack shows again at every start. The table holds only their digests, so they are kept
//! beside it, for the owner of the directory alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use api::token::Secret;
use store::Rng;

use crate::private;

/// Keeps tokens in a directory, or, without one, not at all.
#[derive(Clone, Debug)]
pub struct Secrets {
    directory: Option<PathBuf>,
}

impl Secrets {
    /// Keeps them in this directory, which is there.
    #[must_use]
    pub fn new(directory: Option<&Path>) -> Self {
        Self { directory: directory.map(Path::to_owned) }
    }

    /// The token of this name, if it is kept. A file that others could read is theirs no longer.
    ///
    /// # Errors
    ///
    /// If its file is there and can't be read or is another user's.
    pub fn get(&self, name: &str) -> io::Result<Option<Secret>> {
        let Some(directory) = &self.directory else { return Ok(None) };
        private::restrict(&directory.join(name))?;
        match fs::read_to_string(directory.join(name)) {
            Ok(text) => Ok(Some(Secret::new(text.trim()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps a token under this name.
    ///
    /// # Errors
    ///
    /// If its file can't be written.
    pub fn keep(&self, name: &str, token: &Secret) -> io::Result<()> {
        let Some(directory) = &self.directory else { return Ok(()) };
        private::write_file(&directory.join(name), token.expose())
    }

    /// The token of this name, made now if it is not kept yet.
    ///
    /// # Errors
    ///
    /// As [`Self::get`] and [`Self::keep`].
    pub fn get_or_make(&self, name: &str, rng: &Rng) -> io::Result<Secret> {
        if let Some(token) = self.get(name)? {
            return Ok(token);
        }
        let token = Secret::new(format!("tmk_{:032x}{:032x}", rng.bits(), rng.bits()));
        self.keep(name, &token)?;
        Ok(token)
    }
}
