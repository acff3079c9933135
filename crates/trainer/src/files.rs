//! Files and folders that appear whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use tempfile::{Builder, TempDir};

use crate::Error;

pub(crate) fn read_to_string(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::io(path, "reading it"))
}

/// A name in the form of a path's last part, for messages and for temporary siblings.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap_or(OsStr::new("")).to_string_lossy().into_owned()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file by a temporary sibling, made durable, then renamed. Readable by whom the umask says.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut builder = Builder::new();
    let prefix = format!(".{}.partial-", name(path));
    builder.prefix(&prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let folder = folder_of(path);
    let mut file = builder.tempfile_in(folder).map_err(Error::io(folder, "creating a file in it"))?;
    file.write_all(bytes).map_err(Error::io(path, "writing it"))?;
    file.as_file().sync_all().map_err(Error::io(path, "making it durable"))?;
    file.persist(path).map_err(|error| Error::io(path, "giving it its name")(error.error))?;
    sync_folder(folder)
}

/// A temporary folder beside `path` that is to become `path`.
pub(crate) fn temporary_folder(path: &Path) -> Result<TempDir, Error> {
    let prefix = format!(".{}.partial-", name(path));
    let mut builder = Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    let folder = folder_of(path);
    builder.tempdir_in(folder).map_err(Error::io(folder, "creating a folder in it"))
}

/// Gives a folder its name; the files in it are durable already.
pub(crate) fn persist_folder(folder: TempDir, path: &Path) -> Result<(), Error> {
    sync_folder(folder.path())?;
    fs::rename(folder.path(), path).map_err(Error::io(path, "giving it its name"))?;
    // Renamed away: there is nothing left for the guard to remove.
    let _ = folder.keep();
    sync_folder(folder_of(path))
}

/// Removes what a process that was killed has left behind under temporary names.
pub(crate) fn remove_partial(folder: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::io(folder, "listing it"))? {
        let path = entry.map_err(Error::io(folder, "listing it"))?.path();
        let name = name(&path);
        if name.starts_with('.') && name.contains(".partial-") {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(Error::io(&path, "removing it"))?;
        }
    }
    Ok(())
}

pub(crate) fn sync_folder(folder: &Path) -> Result<(), Error> {
    // Only Unix can open a folder to sync it; elsewhere a rename is as durable as it gets.
    if cfg!(unix) {
        let sync = File::open(folder).and_then(|folder| folder.sync_all());
        sync.map_err(Error::io(folder, "making it durable"))?;
    }
    Ok(())
}
