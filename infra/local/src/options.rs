//! The command line.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use api::token::Secret;
use bootstrap::Environment;
use clap::Parser;
use domain::limits::TOKEN_CHARS_MAX;
use thiserror::Error;

use crate::server::ServerLimits;

/// Tidemark on one machine: the API, the table, the schedule and the queue, with nothing else to install.
#[derive(Clone, Parser)]
#[command(name = "tidemark", version)]
pub struct Options {
    /// The address to listen at; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8787", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Where the data is kept.
    #[arg(long, default_value = ".tidemark", value_name = "DIRECTORY")]
    pub data_dir: PathBuf,
    /// Keep nothing: the data lives as long as the program.
    #[arg(long, conflicts_with = "data_dir")]
    pub in_memory: bool,
    /// The token that makes accounts. Other users of the machine can see it here; they can't in the environment variable
    /// TIDEMARK_OPERATOR_TOKEN, nor in a file. If none is given, one is made at the first start and kept with the data.
    #[arg(long, value_name = "TOKEN")]
    pub operator_token: Option<String>,
    /// A file that holds the token that makes accounts.
    #[arg(long, value_name = "FILE", conflicts_with = "operator_token")]
    pub operator_token_file: Option<PathBuf>,
    /// The bounds of connections and requests. They have no option on the command line.
    #[arg(skip)]
    pub server_limits: ServerLimits,
}

/// An operator's token that can't be used.
#[derive(Debug, Error)]
pub enum OperatorTokenError {
    /// The file can't be read.
    #[error("cannot read the operator's token from {}", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// No request could carry the token. It is not repeated here, because logs are read by others.
    #[error("the operator's token is not 1 to {TOKEN_CHARS_MAX} visible ASCII characters without spaces")]
    Malformed,
}

impl Options {
    /// Adds what the environment says: the operator's token, unless the command line gives one or names its file.
    #[must_use]
    pub fn with_environment(mut self, environment: &Environment) -> Self {
        if self.operator_token_file.is_none() {
            self.operator_token = self.operator_token.or_else(|| environment.local_operator_token());
        }
        self
    }

    /// Returns the operator's token, if one was given.
    ///
    /// # Errors
    ///
    /// [`OperatorTokenError`].
    pub fn given_operator_token(&self) -> Result<Option<Secret>, OperatorTokenError> {
        let token = match (&self.operator_token, &self.operator_token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(file)) => fs::read_to_string(file)
                .map_err(|error| OperatorTokenError::File(file.clone(), error))?
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
            (None, None) => return Ok(None),
        };
        let fits =
            (1..=TOKEN_CHARS_MAX).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Some(Secret::new(token))) } else { Err(OperatorTokenError::Malformed) }
    }
}
