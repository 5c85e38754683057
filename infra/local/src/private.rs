//! Files for their owner alone: they hold people's data and tokens. Elsewhere than on Unix, the rights of files stay as
//! the system sets them.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::path::Path;

/// The rights of the owner to read and write, and of nobody else to anything.
#[cfg(unix)]
const OWNER_ONLY: u32 = 0o600;

/// Creates the directory and its parents, unless they exist. The rights of an existing directory stay as they are: other
/// programs may keep files in it.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Creates an empty file, unless the file exists. Either way only its owner can read it afterwards.
pub(crate) fn create_file(path: &Path) -> io::Result<()> {
    writing().create(true).open(path)?;
    restrict(path)
}

/// Writes a file that only its owner can read. An existing file is overwritten.
pub(crate) fn write_file(path: &Path, content: &str) -> io::Result<()> {
    create_file(path)?;
    fs::write(path, content)
}

/// Takes all rights to a file from everybody but its owner. A file that does not exist is no error.
pub(crate) fn restrict(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let found = fs::metadata(path);
        let mut permissions = match found {
            Ok(metadata) => metadata.permissions(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if permissions.mode() & 0o777 != OWNER_ONLY {
            permissions.set_mode(OWNER_ONLY);
            fs::set_permissions(path, permissions)?;
        }
    }
    Ok(())
}

/// Options that create a file without any rights for others, so that there is no instant at which they could open it.
fn writing() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, OWNER_ONLY);
    options
}
