//! Files and folders that appear whole or not at all.

use std::ffi::OsStr;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use tempfile::{Builder, NamedTempFile, TempDir};

use crate::Error;

/// The folder that `path` lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A temporary file beside `path`, readable by whom the umask says and not by its owner alone, as
/// temporary files are: it is to become `path`.
pub(crate) fn temporary_sibling(path: &Path) -> Result<NamedTempFile, Error> {
    let mut builder = Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let folder = folder_of(path);
    builder.tempfile_in(folder).map_err(Error::io(folder, "creating a file in it"))
}

/// A temporary folder beside `path` that is to become `path`.
pub(crate) fn temporary_folder(path: &Path) -> Result<TempDir, Error> {
    let name = path.file_name().unwrap_or(OsStr::new("corpus")).to_string_lossy();
    let prefix = format!(".{name}.partial-");
    let mut builder = Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    let folder = folder_of(path);
    std::fs::create_dir_all(folder).map_err(Error::io(folder, "creating it"))?;
    builder.tempdir_in(folder).map_err(Error::io(folder, "creating a folder in it"))
}

/// Makes a file durable and gives it its name.
pub(crate) fn persist(file: NamedTempFile, path: &Path) -> Result<(), Error> {
    file.as_file().sync_all().map_err(Error::io(path, "making it durable"))?;
    file.persist(path).map_err(|error| Error::io(path, "giving it its name")(error.error))?;
    Ok(())
}

/// Gives a folder its name, its contents durable before.
pub(crate) fn persist_folder(folder: TempDir, path: &Path) -> Result<(), Error> {
    sync_folder(folder.path())?;
    std::fs::rename(folder.path(), path).map_err(|error| match error.kind() {
        // Somebody else was faster.
        ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists => Error::Exists { path: path.to_owned() },
        _ => Error::io(path, "giving it its name")(error),
    })?;
    // Renamed away: there is nothing left for the guard to remove.
    let _ = folder.keep();
    sync_folder(folder_of(path))
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    // Only Unix can open a folder to sync it; elsewhere a rename is as durable as it gets.
    if cfg!(unix) {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(Error::io(folder, "making it durable"))?;
    }
    Ok(())
}
