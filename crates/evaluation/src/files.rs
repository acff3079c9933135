//! Files and folders that appear whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use tempfile::{Builder, TempDir};

use crate::Error;

/// A name in the form of a path's last part, for temporary siblings.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or(OsStr::new("")).to_string_lossy().into_owned()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn prefix(path: &Path) -> String {
    format!(".{}.partial-", name(path))
}

/// A file by a temporary sibling, made durable, then renamed. Readable by whom the umask says.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut builder = Builder::new();
    let prefix = prefix(path);
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

/// A temporary folder beside `path` that is to become `path`. What a process that was killed left behind
/// under such a name is removed.
pub(crate) fn temporary_folder(path: &Path) -> Result<TempDir, Error> {
    let (folder, prefix) = (folder_of(path), prefix(path));
    for entry in fs::read_dir(folder).map_err(Error::io(folder, "listing it"))? {
        let left = entry.map_err(Error::io(folder, "listing it"))?.path();
        if name(&left).starts_with(&prefix) && left.is_dir() {
            fs::remove_dir_all(&left).map_err(Error::io(&left, "removing it"))?;
        }
    }
    let mut builder = Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
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

fn sync_folder(folder: &Path) -> Result<(), Error> {
    // Only Unix can open a folder to sync it; elsewhere a rename is as durable as it gets.
    if cfg!(unix) {
        let sync = File::open(folder).and_then(|folder| folder.sync_all());
        sync.map_err(Error::io(folder, "making it durable"))?;
    }
    Ok(())
}
