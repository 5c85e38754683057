//! Contacts: reading them as of now, and writing them.

mod change;
mod delete;
mod list;
mod read;
mod save;
mod write;

pub use change::{ChangeContact, IfMatch};
pub use delete::DeleteContact;
pub use list::{ContactPage, Search};
pub(crate) use read::Loaded;
pub use read::{ContactRef, Explained};
pub(crate) use save::{Decided, Room, Wish};
pub use save::{SaveContact, SaveMode, Saved};
