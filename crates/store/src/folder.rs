//! Folders that appear whole or not at all.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::io as failed;
use crate::partial::{Partial, above};
use crate::{Error, create_folder};

/// A folder that is being written: a temporary sibling of the path that it gets when it is whole. Dropped
/// before [`finish`](NewFolder::finish), it leaves nothing.
#[derive(Debug)]
pub struct NewFolder {
    path: PathBuf,
    partial: Partial,
}

impl NewFolder {
    /// Begins a folder that will be found at `path`, in a folder that is there. What killed processes have left of the
    /// same folder is removed.
    ///
    /// # Errors
    /// [`Error::Occupied`] if something is there already, [`Error::InUse`] if another process is writing the same
    /// folder, [`Error::Io`] if the folder above is missing or cannot be written to.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let partial = Partial::folder(path)?;
        // From here on no other process can finish it.
        require_vacant(path)?;
        Ok(Self { path: path.to_owned(), partial })
    }

    /// As [`create`](Self::create), after the folders above it are made where they are missing.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_all(path: &Path) -> Result<Self, Error> {
        create_folder(above(path))?;
        Self::create(path)
    }

    /// Where the folder is until it has its name.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.partial.path()
    }

    /// Gives the folder its name. The files in it are durable where [`write`](crate::write) or
    /// [`NewFile`](crate::NewFile) wrote them.
    ///
    /// # Errors
    /// [`Error::Occupied`] if something is there by now, [`Error::Io`]; then there is no new folder of that name.
    pub fn finish(self) -> Result<(), Error> {
        let Self { path, partial } = self;
        sync(partial.path())?;
        partial.rename(&path).map_err(|error| match error.kind() {
            ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                Error::Occupied { path: path.clone() }
            }
            _ => failed(&path, "giving it its name")(error),
        })?;
        sync(above(&path))
    }
}

/// Refuses a path where no new folder can appear: something other than an empty folder is there.
///
/// # Errors
/// [`Error::Occupied`].
pub fn require_vacant(path: &Path) -> Result<(), Error> {
    // A file cannot be listed, so it is not an empty folder either.
    let is_empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    // A link or the current folder cannot be replaced by a folder, though it may be empty.
    let replaceable = path.file_name().is_some() && !path.is_symlink();
    if (path.exists() || path.is_symlink()) && !(replaceable && is_empty()) {
        return Err(Error::Occupied { path: path.to_owned() });
    }
    Ok(())
}

/// Makes the names in a folder durable.
pub(crate) fn sync(folder: &Path) -> Result<(), Error> {
    // Only Unix can open a folder to sync it; elsewhere a rename is as durable as it gets.
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(failed(folder, "making it durable"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partial::name;
    use crate::write;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| name(&entry.unwrap().path())).collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_appears_whole_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/b");
        let refused = NewFolder::create(&path).unwrap_err().to_string();
        assert!(refused.contains("/a: creating a folder in it: "), "{refused}");
        let folder = NewFolder::create_all(&path).unwrap();
        write(&folder.path().join("file"), "x").unwrap();
        assert!(!path.exists());
        drop(folder);
        assert_eq!(names(&place.path().join("a")), [""; 0]);
        let folder = NewFolder::create(&path).unwrap();
        write(&folder.path().join("file"), "x").unwrap();
        folder.finish().unwrap();
        assert_eq!((names(&place.path().join("a")), names(&path)), (vec!["b".into()], vec!["file".into()]));
    }

    #[test]
    fn what_is_there_is_not_replaced() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("taken");
        let folder = NewFolder::create(&path).unwrap();
        require_vacant(&path).unwrap();
        fs::create_dir(&path).unwrap();
        require_vacant(&path).unwrap();
        fs::write(path.join("file"), "somebody's").unwrap();
        assert!(matches!(require_vacant(&path), Err(Error::Occupied { .. })));
        assert!(matches!(folder.finish(), Err(Error::Occupied { .. })));
        assert_eq!(fs::read_to_string(path.join("file")).unwrap(), "somebody's");
        assert_eq!(names(place.path()), ["taken"]);
        assert!(matches!(require_vacant(&path.join("file")), Err(Error::Occupied { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_the_umask_lets_them() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        fs::create_dir(place.path().join("plain")).unwrap();
        fs::write(place.path().join("plain/file"), "").unwrap();
        let folder = NewFolder::create(&place.path().join("new")).unwrap();
        write(&folder.path().join("file"), "").unwrap();
        folder.finish().unwrap();
        for name in ["", "file"] {
            let (new, plain) = (place.path().join("new").join(name), place.path().join("plain").join(name));
            assert_eq!(mode(&new), mode(&plain));
        }
    }
}
