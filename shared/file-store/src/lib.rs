//! The files of imports and exports, in one S3 bucket: links for callers, reading from any place, and writing in parts.
//!
//! [`Files`] is the bucket. Callers send and receive whole files by a [`Link`] and never through a function, because a
//! function's request and response have at most 6 MB. A worker reads with [`FileBody`] and writes with [`FileWriter`].
//! Both can continue where an earlier run of the worker stopped.

mod body;
mod error;
mod files;
mod link;
mod parts;
mod writer;

pub use body::FileBody;
pub use error::{BoxError, FileError};
pub use files::{FileInfo, Files};
pub use link::Link;
pub use parts::{PartTag, UploadId};
pub use writer::{FileWriter, WrittenParts};
