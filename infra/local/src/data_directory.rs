//! The directory of the local stack's data: private to its owner, and in the format of this version.

use std::io;
use std::path::{Path, PathBuf};

use crate::private;

/// The database's file.
const DATABASE: &str = "table.db";
/// The files that SQLite creates beside the database while it is open, or leaves after a crash. They have the
/// permissions of the database's file.
const BESIDE_DATABASE: [&str; 3] = ["table.db-journal", "table.db-shm", "table.db-wal"];
/// The file with the format of the data. The first format had no such file.
const FORMAT_FILE: &str = "format";
/// The format that this version reads and writes: a table with a stream.
const FORMAT: &str = "3";

/// The error of preparing a data directory.
#[derive(Debug)]
pub(crate) enum DataDirectoryError {
    /// The file system returned an error.
    Io(io::Error),
    /// The data is in another format.
    Format,
}

impl From<io::Error> for DataDirectoryError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Creates the directory and the database's file, unless they exist, and returns the path of the file. Data in another
/// format is not changed.
pub(crate) fn prepare(directory: &Path) -> Result<PathBuf, DataDirectoryError> {
    private::create_directory(directory)?;
    let database = directory.join(DATABASE);
    let format = directory.join(FORMAT_FILE);
    match std::fs::read_to_string(&format) {
        Ok(found) if found.trim() == FORMAT => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound && !database.exists() => {
            // Written before the database, so a database without this file is always of an older version.
            private::write_file(&format, &format!("{FORMAT}\n"))?;
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        Ok(_) | Err(_) => return Err(DataDirectoryError::Format),
    }
    private::create_file(&database)?;
    let others = BESIDE_DATABASE.iter().chain(&[FORMAT_FILE]);
    others.into_iter().try_for_each(|name| private::restrict(&directory.join(name)))?;
    Ok(database)
}
