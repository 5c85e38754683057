//! A place in a file.

use serde::{Deserialize, Serialize};

/// A position from which reading goes on: the beginning of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Place {
    /// The number of bytes of the file before it.
    pub byte: u64,
    /// The number of rows before it.
    pub row: u64,
    /// The number of the line that begins there, from 1.
    pub line: u64,
}
