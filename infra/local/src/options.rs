//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

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
    /// The token that makes accounts. If not given, one is made at the first start and kept with the data.
    #[arg(long, value_name = "TOKEN")]
    pub operator_token: Option<String>,
}
