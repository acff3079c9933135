//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde::de::DeserializeOwned;
use tempfile::Builder;

use crate::Error;

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A file by a temporary sibling, made durable, then renamed. Readable by whom the umask says.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    let prefix = format!(".{}.partial-", name(path));
    builder.prefix(&prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(Error::io(folder, "creating a file in it"))?;
    file.write_all(text.as_bytes()).map_err(Error::io(path, "writing it"))?;
    file.as_file().sync_all().map_err(Error::io(path, "making it durable"))?;
    file.persist(path).map_err(|error| Error::io(path, "giving it its name")(error.error))?;
    // Only Unix can open a folder to sync it; elsewhere a rename is as durable as it gets.
    if cfg!(unix) {
        let sync = File::open(folder).and_then(|folder| folder.sync_all());
        sync.map_err(Error::io(folder, "making it durable"))?;
    }
    Ok(())
}

pub(crate) fn create_dir(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(Error::io(path, "creating it"))
}

pub(crate) fn read_to_string(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::io(path, "reading it"))
}

/// A JSON file that a job has written.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    serde_json::from_str(&read_to_string(path)?)
        .map_err(|error| Error::Result { path: path.to_owned(), what: error.to_string() })
}

/// Removes a file or a folder with all that is in it, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    let removed = match fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    removed.map_err(Error::io(path, "removing it"))
}

/// Removes what jobs that were killed have left behind under temporary names.
pub(crate) fn remove_partial(folder: &Path) -> Result<(), Error> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let name = name(&entry.path());
        if name.starts_with('.') && name.contains(".partial-") {
            remove(&entry.path())?;
        }
    }
    Ok(())
}
