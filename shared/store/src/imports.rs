//! Imports: files whose rows create and update contacts.
//!
//! The store does not read files. A caller creates an import and starts it once its file is uploaded. A worker then opens
//! it as an [`ImportRun`], reads rows from the import's place on, and hands them over in order. Each transaction
//! contains the contacts of the next rows, the rows' results, and the import's counts and place. So a worker may stop at
//! any point, run twice, or run in parallel with another one, and every row has exactly one result.

mod decide;
mod manage;
mod rows;
mod run;
mod trial;
mod update;

pub use manage::{Import, ImportFile, ImportTerms, NewImport};
pub use rows::{ImportContact, ImportRow, ImportedRows, RowContent};
pub use run::ImportRun;
pub use trial::TriedRows;
pub use update::UpdateImport;
