//! The dependency rule of ARCHITECTURE.md: dependencies point one way, and what touches the world stays where it belongs.

mod layers;
mod modules;
mod sources;

use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
