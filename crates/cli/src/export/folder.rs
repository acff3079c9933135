//! A folder that appears whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// A temporary sibling that takes the output's name when it is whole. Dropped before, it leaves nothing.
pub(super) struct Output {
    path: PathBuf,
    folder: TempDir,
}

impl Output {
    /// Refuses an output that has something in it.
    pub(super) fn create(path: &Path) -> Result<Self> {
        // A file cannot be listed, which makes it no empty folder either.
        let empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        ensure!(
            !path.exists() || empty(),
            "{}: exists already; expected a new or empty folder",
            path.display()
        );
        let name = path.file_name().with_context(|| format!("{}: no name of a folder", path.display()))?;
        let mut builder = tempfile::Builder::new();
        let prefix = format!(".{}.partial-", name.to_string_lossy());
        builder.prefix(&prefix);
        // Readable by whom the umask says, as the folder that it becomes; temporary folders are not by default.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let above = above(path);
        let folder = builder.tempdir_in(above).with_context(|| above.display().to_string())?;
        Ok(Self { path: path.to_owned(), folder })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the folder its name.
    pub(super) fn finish(self) -> Result<()> {
        sync(self.folder.path())?;
        let named = fs::rename(self.folder.path(), &self.path);
        named.with_context(|| self.path.display().to_string())?;
        // Renamed away: there is nothing left for the guard to remove.
        let _ = self.folder.keep();
        sync(above(&self.path))
    }
}

/// Writes a file of an output and makes it durable.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.with_context(|| path.display().to_string())
}

fn above(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync(folder: &Path) -> Result<()> {
    // Only Unix can open a folder to sync it; elsewhere a rename is as durable as it gets.
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.with_context(|| folder.display().to_string())?;
    }
    Ok(())
}
