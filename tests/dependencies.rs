//! The dependency rules of ARCHITECTURE.md: dependencies point one way, and only certain crates do input and output.

mod layers;
mod modules;
mod sources;

use std::path::{Path, PathBuf};

/// Returns the repository's root folder.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
