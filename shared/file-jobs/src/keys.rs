//! The keys of files. Each prefix is the part of the bucket that a role names.

use domain::ids::{AccountId, ExportId, ImportId};
use store::FileFormat;

/// The rows in a file with the results of an import.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResultRows {
    /// All rows.
    All,
    /// The rows that need attention.
    Failed,
}

/// Returns the key of an import's uploaded file.
#[must_use]
pub fn upload_key(account: AccountId, import: ImportId) -> String {
    format!("uploads/{account}/{import}")
}

/// Returns the key of a file with the results of an import's rows.
#[must_use]
pub fn results_key(account: AccountId, import: ImportId, rows: ResultRows) -> String {
    let name = match rows {
        ResultRows::All => "rows",
        ResultRows::Failed => "failed",
    };
    format!("outcomes/{account}/{import}/{name}.csv")
}

/// Returns the key of an export's file.
#[must_use]
pub fn export_key(account: AccountId, export: ExportId, format: FileFormat) -> String {
    format!("exports/{account}/{export}.{format}")
}
