//! Files that appear whole or not at all.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::io as failed;
use crate::partial::{Partial, above, held};
use crate::{Error, folder};

/// The largest file that is taken into memory as a whole, in bytes: settings, vocabularies and tables of tasks are
/// some hundred megabytes at most. Weights, shards and texts have readers of their own.
pub const LARGEST_FILE: u64 = 1 << 30;

/// Reads a file of at most [`LARGEST_FILE`] bytes.
///
/// # Errors
/// [`Error::Io`].
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    read_whole(path).map_err(failed(path, "reading it"))
}

/// Reads a text file of at most [`LARGEST_FILE`] bytes.
///
/// # Errors
/// [`Error::Io`], also where it is not UTF-8.
pub fn read_to_string(path: &Path) -> Result<String, Error> {
    let not_utf8 = |_| io::Error::new(ErrorKind::InvalidData, "stream did not contain valid UTF-8");
    let text = read_whole(path).and_then(|bytes| String::from_utf8(bytes).map_err(not_utf8));
    text.map_err(failed(path, "reading it"))
}

/// As [`read`], for a crate that has an error of its own.
///
/// # Errors
/// What the operating system says, and [`ErrorKind::InvalidData`] if the file is larger.
pub fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > LARGEST_FILE {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    reserve(&mut bytes, length)?;
    read_to_limit(file, &mut bytes)?;
    Ok(bytes)
}

/// Reads a stream to its end, such as a decoder's; a device or a bomb has none.
///
/// # Errors
/// As [`read_whole`].
pub fn read_to_limit(stream: impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    stream.take(LARGEST_FILE + 1).read_to_end(bytes)?;
    if bytes.len() as u64 > LARGEST_FILE { Err(too_large()) } else { Ok(()) }
}

/// Reads a regular file of any size, such as weights. Devices and pipes, which may have no end, are refused, and so is
/// what does not fit into memory.
///
/// # Errors
/// [`Error::Io`].
pub fn read_regular(path: &Path) -> Result<Vec<u8>, Error> {
    let read = || -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidData, "not a regular file"));
        }
        let length = metadata.len();
        let mut bytes = Vec::new();
        reserve(&mut bytes, length)?;
        file.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(failed(path, "reading it"))
}

thread_local! {
    static IS_RESERVING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread asks for memory that it makes an error of where there is none. An allocator that ends the program
/// when memory runs out may ask.
#[must_use]
pub fn is_reserving() -> bool {
    IS_RESERVING.get()
}

/// Asks for memory for so many bytes more.
fn reserve(bytes: &mut Vec<u8>, more: u64) -> io::Result<()> {
    IS_RESERVING.set(true);
    let reserved = bytes.try_reserve_exact(usize::try_from(more).unwrap_or(usize::MAX));
    IS_RESERVING.set(false);
    Ok(reserved?)
}

fn too_large() -> io::Error {
    let what = format!("larger than {LARGEST_FILE} bytes, the most that a file of its kind may have");
    io::Error::new(ErrorKind::InvalidData, what)
}

/// Writes a file that appears whole or not at all; a file that is there is replaced.
///
/// # Errors
/// [`Error::Io`]; then what was there is as it was.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
    let mut file = NewFile::create(path)?;
    file.write_all(bytes.as_ref()).map_err(failed(path, "writing it"))?;
    file.finish()
}

/// Makes a folder and those above it, where they are missing.
///
/// # Errors
/// [`Error::Io`].
pub fn create_folder(path: &Path) -> Result<(), Error> {
    let _held = held();
    fs::create_dir_all(path).map_err(failed(path, "creating it"))
}

/// Removes a file, a link, or a folder with all that is in it. Nothing there is fine.
///
/// # Errors
/// [`Error::Io`].
pub fn remove(path: &Path) -> Result<(), Error> {
    let removed = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    removed.map_err(failed(path, "removing it"))
}

/// A file that is being written: a temporary sibling of the path that it gets when it is whole. Dropped before
/// [`finish`](NewFile::finish), it leaves nothing.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    partial: Partial,
}

impl NewFile {
    /// Begins a file that will be found at `path`. What killed processes have left of the same file is removed.
    ///
    /// # Errors
    /// [`Error::Io`] if its folder cannot be written to.
    pub fn create(path: &Path) -> Result<Self, Error> {
        Ok(Self { path: path.to_owned(), partial: Partial::file(path)? })
    }

    /// Makes the file durable and gives it its name.
    ///
    /// # Errors
    /// [`Error::Io`]; then there is no new file of that name.
    pub fn finish(self) -> Result<(), Error> {
        Self::finish_all(vec![self])
    }

    /// As [`finish`](Self::finish), for files that belong together: an interrupt leaves all of them or none.
    ///
    /// # Errors
    /// [`Error::Io`]; then the files up to the one that the error names are there.
    pub fn finish_all(files: Vec<Self>) -> Result<(), Error> {
        for Self { path, partial } in &files {
            partial.as_file().sync_all().map_err(failed(path, "making it durable"))?;
        }
        let mut folders = BTreeSet::new();
        {
            // Those that are left after an error are dropped when this is given back, as they need it themselves.
            let mut files = files.into_iter();
            let mut held = held();
            let renamed = files.try_for_each(|Self { path, partial }| {
                folders.insert(above(&path).to_owned());
                let renamed = partial.rename_holding(&path, &mut held);
                renamed.map_err(failed(&path, "giving it its name"))
            });
            drop(held);
            renamed?;
        }
        folders.iter().try_for_each(|above| folder::sync(above))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.partial.as_file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.partial.as_file().flush()
    }
}

/// Opens a file that may be there to write to it: without cutting it, and without following a link that somebody put in
/// its place.
///
/// # Errors
/// [`Error::Io`], also where the name is that of a link.
pub fn open_in_place(path: &Path) -> Result<File, Error> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
    }
    options.open(path).map_err(failed(path, "opening it, without following links"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_by_a_whole_one() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.json");
        write(&path, "old").unwrap();
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(read(&path).unwrap(), b"old");
        drop(file);
        assert_eq!(read_to_string(&path).unwrap(), "old");
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        file.finish().unwrap();
        assert_eq!(read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_path_is_named_with_what_was_done() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("no/a.txt");
        let error = write(&path, "x").unwrap_err().to_string();
        let above = path.parent().unwrap().display();
        assert!(error.starts_with(&format!("{above}: creating a file in it: ")), "{error}");
        let error = read(&path).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: reading it: ", path.display())), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed_for_writing() {
        let place = tempfile::tempdir().unwrap();
        let (theirs, link) = (place.path().join("thesis.tex"), place.path().join("metrics.jsonl"));
        write(&theirs, "theirs").unwrap();
        std::os::unix::fs::symlink(&theirs, &link).unwrap();
        let error = open_in_place(&link).unwrap_err().to_string();
        assert!(error.contains("metrics.jsonl: opening it, without following links: "), "{error}");
        // A new file takes the link's place.
        write(&link, "ours").unwrap();
        assert_eq!(
            (read_to_string(&theirs).unwrap(), read_to_string(&link).unwrap()),
            ("theirs".into(), "ours".into())
        );
        // What is there is not cut.
        drop(open_in_place(&theirs).unwrap());
        assert_eq!(read_to_string(&theirs).unwrap(), "theirs");
    }

    #[test]
    fn a_file_without_end_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("sparse.json");
        File::create(&path).unwrap().set_len(LARGEST_FILE + 1).unwrap();
        for error in [read(&path).unwrap_err(), read_to_string(&path).unwrap_err()] {
            assert!(
                error.to_string().contains("sparse.json: reading it: larger than 1073741824 bytes"),
                "{error}"
            );
        }
        #[cfg(unix)]
        for refused in ["/dev/zero", "/dev/null"] {
            let error = read_regular(Path::new(refused)).unwrap_err().to_string();
            assert!(error.ends_with("reading it: not a regular file"), "{error}");
        }
        assert!(read_regular(place.path()).is_err());
        // What no memory holds, of a file that takes none on the disk.
        File::options().write(true).open(&path).unwrap().set_len(1 << 43).unwrap();
        let error = read_regular(&path).unwrap_err();
        assert!(
            matches!(&error, Error::Io { source, .. } if source.kind() == ErrorKind::OutOfMemory),
            "{error}"
        );
        // A device says that it has no bytes, and gives any number of them.
        let error = read_to_limit(io::repeat(0), &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn anything_can_be_removed() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("folder");
        create_folder(&folder.join("inner")).unwrap();
        write(&folder.join("file"), "x").unwrap();
        remove(&folder.join("file")).unwrap();
        remove(&folder).unwrap();
        remove(&folder).unwrap();
        assert!(!folder.exists());
    }
}
