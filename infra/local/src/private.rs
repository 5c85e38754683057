//! Files that only their owner can read, because they contain personal data and tokens. On systems other than Unix,
//! files have the permissions that the system sets.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::path::Path;

/// The permissions of a file that only its owner can read and write.
const OWNER_ONLY: u32 = 0o600;

/// The permissions of a directory that only its owner can enter.
const DIRECTORY_OWNER_ONLY: u32 = 0o700;

/// Creates the directory and its parents, unless they exist. The permissions of an existing directory are not changed,
/// because other programs may have files in it.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, DIRECTORY_OWNER_ONLY);
    builder.create(path)
}

/// Creates a directory in which no other program has files, unless it exists. Either way only its owner can enter it
/// afterwards.
pub(crate) fn create_own_directory(path: &Path) -> io::Result<()> {
    create_directory(path)?;
    restrict_to(path, DIRECTORY_OWNER_ONLY)
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

/// Removes all permissions of other users from a file. A file that does not exist is not an error.
pub(crate) fn restrict(path: &Path) -> io::Result<()> {
    restrict_to(path, OWNER_ONLY)
}

#[cfg(unix)]
fn restrict_to(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let found = fs::metadata(path);
    let mut permissions = match found {
        Ok(metadata) => metadata.permissions(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if permissions.mode() & 0o777 != mode {
        permissions.set_mode(mode);
        fs::set_permissions(path, permissions)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn restrict_to(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

/// Returns options that create a file without permissions for other users, so at no instant can they open it.
fn writing() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, OWNER_ONLY);
    options
}
