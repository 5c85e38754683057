//! Exports: files with contacts of an account, as they were at one instant.
//!
//! The store selects contacts and reads them in the order of their ids. A worker opens an export as an [`ExportRun`],
//! writes the contacts to a file, and records the place up to which they are stored. So a worker may stop at any point,
//! and another one continues after the stored part of the file.

mod manage;
mod run;

pub use manage::{Export, ExportSelection, NewExport};
pub use run::{ExportRun, ExportedContact};
