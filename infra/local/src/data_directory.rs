//! The directory of the local stack's data: private to its owner, and in the format of this version.

use std::io;
use std::path::{Path, PathBuf};

use crate::private;

/// The database's file.
const DATABASE: &str = "table.db";
/// The files that SQLite keeps beside it while it is open, or after a crash. It creates them with the rights of the
/// database's file.
const BESIDE_DATABASE: [&str; 3] = ["table.db-journal", "table.db-shm", "table.db-wal"];
/// The file that names the format of the data. The first format had none.
const FORMAT_FILE: &str = "format";
/// The format that this version reads and writes: contacts with decimal ids.
const FORMAT: &str = "2";

/// Why a data directory can't be used.
#[derive(Debug)]
pub(crate) enum DataDirectoryError {
    /// The file system refuses it.
    Io(io::Error),
    /// Its data is in another format.
    Format,
}

impl From<io::Error> for DataDirectoryError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Creates the directory and the database's file, unless they exist, and returns the path of the file. Data in another
/// format is left as it is.
pub(crate) fn prepare(directory: &Path) -> Result<PathBuf, DataDirectoryError> {
    private::create_directory(directory)?;
    let database = directory.join(DATABASE);
    let format = directory.join(FORMAT_FILE);
    match std::fs::read_to_string(&format) {
        Ok(found) if found.trim() == FORMAT => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound && !database.exists() => {
            // Before the database, so that one without a format is always of an older version.
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
