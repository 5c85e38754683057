//! Contacts: reads as of now, and writes.

mod change;
mod changes;
mod delete;
mod list;
mod merge;
mod properties;
mod read;
mod save;
mod size;
mod write;

pub use change::{IfMatch, UpdateContact};
pub use changes::{ChangeOrder, ChangedContacts, ChangedPage, ChangedResult};
pub use delete::DeleteContact;
pub use list::{ContactPage, Examined, Scan, ScannedPage, Search};
pub use merge::MergeContacts;
pub use properties::{ChangeId, PropertyChange, UndoProperties, Undone};
pub use read::{ContactRef, Explained};
pub(crate) use read::{Loaded, queued_in};
pub(crate) use save::{Capacity, ContactUpsert, PlannedContact};
pub use save::{SaveContact, SaveMode, Saved};
pub(crate) use size::approximate_bytes;
pub(crate) use write::turn_history_page;
