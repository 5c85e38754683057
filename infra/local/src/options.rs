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

/// Runs Tidemark on one machine: the API, the table, the schedule and the queues, with nothing else to install.
#[derive(Clone, Parser)]
#[command(name = "tidemark", version)]
pub struct Options {
    /// The address to listen at. Port 0 selects a free port.
    #[arg(long, default_value = "127.0.0.1:8787", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// The address of the links to files, at which their server listens. Port 0 selects a free port.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub listen_files: SocketAddr,
    /// The directory in which the data is stored.
    #[arg(long, default_value = ".tidemark", value_name = "DIRECTORY")]
    pub data_dir: PathBuf,
    /// Store the data in memory only, until the program ends.
    #[arg(long, conflicts_with = "data_dir")]
    pub in_memory: bool,
    /// The operator's token, which creates accounts. Other users of the machine can see it on the command line, but
    /// not in the environment variable TIDEMARK_OPERATOR_TOKEN or in a file. Without a token, the first start creates
    /// one and stores it with the data.
    #[arg(long, value_name = "TOKEN")]
    pub operator_token: Option<String>,
    /// A file that contains the operator's token.
    #[arg(long, value_name = "FILE", conflicts_with = "operator_token")]
    pub operator_token_file: Option<PathBuf>,
    /// The bounds of connections and requests. They have no option on the command line.
    #[arg(skip)]
    pub server_limits: ServerLimits,
}

/// The error for an operator's token that is not usable.
#[derive(Debug, Error)]
pub enum OperatorTokenError {
    /// The file cannot be read.
    #[error("cannot read the operator's token from {}", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// No request can contain the token. The message does not repeat it, because other persons may read logs.
    #[error(
        "invalid operator's token: expected 1 to {TOKEN_CHARS_MAX} visible ASCII characters without spaces"
    )]
    Malformed,
}

impl Options {
    /// Adds the operator's token from the environment, unless the command line contains one or names its file.
    #[must_use]
    pub fn with_environment(mut self, environment: &Environment) -> Self {
        if self.operator_token_file.is_none() {
            self.operator_token = self.operator_token.or_else(|| environment.local_operator_token());
        }
        self
    }

    /// Returns the operator's token, if one was provided.
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
