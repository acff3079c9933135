//! What is being written under a temporary name: how it is called, who holds it, and what becomes of it.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, TryLockError};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{self, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::io as failed;
use crate::{Error, remove};

/// What is in every temporary name, so that what a killed process left can be told from the rest.
const MARK: &str = ".partial-";
/// What a folder's temporary name ends with: one name, so that two processes do not write the same folder.
const FOLDER: &str = "folder";
/// What a folder's temporary name ends with while the folder is removed.
const REMOVED: &str = "removed";
/// The longest name that file systems take, in bytes.
const LONGEST: usize = 255;
/// How often a name is tried for that another process removes at the same time.
const TRIES: usize = 16;
/// How long another thread may take to make a file or to give one its name.
const PATIENCE: Duration = Duration::from_millis(200);

/// The temporary names that this process holds. Whoever makes a file or folder, or gives one its name, does so while
/// holding this.
static HELD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

pub(crate) fn held() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every file and folder that this process is writing, and makes every thread wait that would begin another
/// or finish one. Only for a program that ends at once: the threads wait until it has ended.
pub fn abandon() {
    let held = held();
    for path in held.iter() {
        // A program that ends can tell nobody.
        let _ = remove(path);
    }
    std::mem::forget(held);
}

/// As [`abandon`], for a program that ends in the middle of anything: where this thread may be the one that makes a file
/// or gives one its name, what is there is left for the next process that writes the same path.
pub fn abandon_if_free() {
    let until = Instant::now() + PATIENCE;
    while let Err(sync::TryLockError::WouldBlock) = HELD.try_lock() {
        if Instant::now() > until {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    abandon();
}

/// A temporary name that this process holds. The lock on what is there tells other processes that somebody is still
/// writing it; it ends with the process. Dropped, it removes what is there.
#[derive(Debug)]
pub(crate) struct Partial {
    path: PathBuf,
    /// What is locked; none on systems that cannot open a folder.
    lock: Option<File>,
    is_renamed: bool,
}

impl Partial {
    /// Makes a file beside `path`, after what killed processes have left of the same file is removed.
    pub(crate) fn file(path: &Path) -> Result<Self, Error> {
        let (above, prefix) = (above(path), prefix(path));
        // Leftovers are not in the way of a file, so the write does not fail if one cannot be removed.
        let _ = remove_abandoned(above, |name| name.starts_with(&prefix));
        let mut held = held();
        for _ in 0..TRIES {
            let temporary = above.join(format!("{prefix}{:08x}", random()));
            let file = match File::options().read(true).write(true).create_new(true).open(&temporary) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                made => made.map_err(failed(above, "creating a file in it"))?,
            };
            if is_taken(&temporary, &file) {
                continue;
            }
            held.insert(temporary.clone());
            return Ok(Self { path: temporary, lock: Some(file), is_renamed: false });
        }
        Err(Error::InUse { folder: path.to_owned(), activity: "removing what is to be written" })
    }

    /// Makes a folder beside `path`, after what killed processes have left of the same folder is removed.
    pub(crate) fn folder(path: &Path) -> Result<Self, Error> {
        let (above, prefix) = (above(path), prefix(path));
        let temporary = above.join(format!("{prefix}{FOLDER}"));
        let in_use = || Error::InUse { folder: path.to_owned(), activity: "writing it" };
        for _ in 0..TRIES {
            let removed = remove_abandoned(above, |name| name.starts_with(&prefix));
            let mut held = held();
            match fs::create_dir(&temporary) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => match holder(&temporary) {
                    Holder::Nobody => {
                        removed?;
                        continue;
                    }
                    Holder::Process => return Err(in_use()),
                    Holder::Unknown => {
                        return Err(Error::InUse {
                            folder: temporary,
                            activity: "writing it, or a killed process left it; remove it then",
                        });
                    }
                },
                made => made.map_err(failed(above, "creating a folder in it"))?,
            }
            let lock = File::open(&temporary).ok();
            if lock.as_ref().is_some_and(|lock| is_taken(&temporary, lock)) {
                continue;
            }
            held.insert(temporary.clone());
            return Ok(Self { path: temporary, lock, is_renamed: false });
        }
        Err(in_use())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file that is being written.
    pub(crate) fn as_file(&self) -> &File {
        self.lock.as_ref().expect("a file is open from its beginning")
    }

    /// Gives it its name.
    pub(crate) fn rename(self, path: &Path) -> io::Result<()> {
        let mut held = held();
        self.rename_holding(path, &mut held)
    }

    /// As [`rename`](Self::rename), for several at once.
    pub(crate) fn rename_holding(mut self, path: &Path, held: &mut BTreeSet<PathBuf>) -> io::Result<()> {
        let renamed = fs::rename(&self.path, path);
        if renamed.is_err() {
            // Here and not when it is dropped, which would wait for `held`.
            let _ = remove(&self.path);
        }
        held.remove(&self.path);
        self.is_renamed = true;
        renamed
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_renamed {
            let mut held = held();
            // Nobody is left to tell; the next process that writes the same removes it.
            let _ = remove(&self.path);
            held.remove(&self.path);
        }
    }
}

/// Removes a folder: at once under its own name, then under a temporary one, so that half of it is never taken for
/// the whole.
///
/// # Errors
/// [`Error::Io`].
pub fn discard(path: &Path) -> Result<(), Error> {
    let aside = above(path).join(format!("{}{REMOVED}", prefix(path)));
    {
        let mut held = held();
        fs::rename(path, &aside).map_err(failed(path, "renaming it to remove it"))?;
        held.insert(aside.clone());
    }
    let removed = remove(&aside);
    held().remove(&aside);
    removed
}

/// Removes what killed processes have left in a folder under temporary names. A missing folder is fine, and what
/// another process is still writing stays.
///
/// # Errors
/// [`Error::Io`].
pub fn remove_partial(folder: &Path) -> Result<(), Error> {
    remove_abandoned(folder, |name| name.starts_with('.') && name.contains(MARK))
}

fn remove_abandoned(folder: &Path, is_partial: impl Fn(&str) -> bool) -> Result<(), Error> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed(folder, "listing it"))?,
    };
    for entry in entries {
        let path = entry.map_err(failed(folder, "listing it"))?.path();
        if is_partial(&name(&path)) && holder(&path) == Holder::Nobody {
            remove(&path)?;
        }
    }
    Ok(())
}

/// The writer of a file or folder that still has a temporary name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Nobody,
    Process,
    /// It cannot be opened, or its file system has no locks.
    Unknown,
}

fn holder(path: &Path) -> Holder {
    let is_plain = |metadata: Metadata| metadata.is_dir() || metadata.is_file();
    match fs::symlink_metadata(path).map(is_plain) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Holder::Nobody,
        Err(_) => return Holder::Unknown,
        // Nobody writes under the name of a link or a pipe.
        Ok(false) => return Holder::Nobody,
        Ok(true) => {}
    }
    match File::open(path).map(|file| file.try_lock()) {
        Ok(Ok(())) => Holder::Nobody,
        Ok(Err(TryLockError::WouldBlock)) => Holder::Process,
        Err(error) if error.kind() == ErrorKind::NotFound => Holder::Nobody,
        Ok(Err(TryLockError::Error(_))) | Err(_) => Holder::Unknown,
    }
}

/// Locks what was just made. True where another process came first, which takes it for a leftover and removes it.
fn is_taken(path: &Path, made: &File) -> bool {
    match made.try_lock() {
        Err(TryLockError::WouldBlock) => true,
        // Without locks there is nothing to be known.
        Err(TryLockError::Error(_)) => false,
        Ok(()) => !is_same(path, made),
    }
}

#[cfg(unix)]
fn is_same(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |metadata: Metadata| (metadata.dev(), metadata.ino());
    match (fs::symlink_metadata(path), file.metadata()) {
        (Ok(named), Ok(open)) => id(named) == id(open),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same(path: &Path, _file: &File) -> bool {
    path.exists()
}

/// How the temporary names of something begin. A name that leaves no room for more, or that is not UTF-8, is cut,
/// and a checksum stands for the rest.
fn prefix(path: &Path) -> String {
    // A file's name ends with eight digits, and no other ending is longer.
    const ROOM: usize = LONGEST - 1 - MARK.len() - 8;
    const CHECKSUM: usize = 17;
    let whole = path.file_name().unwrap_or_default();
    let shown = name(path);
    if whole.to_str().is_some() && shown.len() <= ROOM {
        return format!(".{shown}{MARK}");
    }
    let mut checksum = DefaultHasher::new();
    whole.hash(&mut checksum);
    let cut = &shown[..shown.floor_char_boundary(ROOM - CHECKSUM)];
    format!(".{cut}-{:016x}{MARK}", checksum.finish())
}

/// Differs from call to call and from process to process.
fn random() -> u32 {
    RandomState::new().hash_one(()) as u32
}

pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The folder that a path lies in.
pub(crate) fn above(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| name(&entry.unwrap().path())).collect();
        names.sort();
        names
    }

    #[test]
    fn only_leftovers_of_the_same_path_are_removed() {
        let place = tempfile::tempdir().unwrap();
        let own = place.path().join("seed-1");
        for left in [".seed-1.partial-a", ".seed-1.partial-folder", ".seed-2.partial-a", "seed-1.partial-a"] {
            fs::create_dir(place.path().join(left)).unwrap();
            fs::write(place.path().join(left).join("file"), "").unwrap();
        }
        fs::write(place.path().join(".seed-1.partial-b"), "").unwrap();
        let held = Partial::folder(&own).unwrap();
        assert_eq!(names(place.path()), [".seed-1.partial-folder", ".seed-2.partial-a", "seed-1.partial-a"]);
        assert_eq!(names(held.path()), [""; 0]);
        drop(held);
        fs::write(place.path().join(".seed-1.partial-b"), "").unwrap();
        write(&own, "text").unwrap();
        assert_eq!(names(place.path()), [".seed-2.partial-a", "seed-1", "seed-1.partial-a"]);
        remove_partial(place.path()).unwrap();
        remove_partial(&place.path().join("missing")).unwrap();
        assert_eq!(names(place.path()), ["seed-1", "seed-1.partial-a"]);
    }

    #[test]
    fn what_is_being_written_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a");
        let folder = Partial::folder(&path).unwrap();
        let refused = Partial::folder(&path).unwrap_err().to_string();
        assert_eq!(refused, format!("{}: another process is writing it", path.display()));
        let files = [Partial::file(&path).unwrap(), Partial::file(&path).unwrap()];
        remove_partial(place.path()).unwrap();
        assert_eq!(names(place.path()).len(), 3);
        drop((folder, files));
        assert_eq!(names(place.path()), [""; 0]);
    }

    #[test]
    fn every_name_that_a_file_system_takes_can_be_written() {
        let place = tempfile::tempdir().unwrap();
        let lengths = [1, 230, 237, 238, 239, 240, 254, 255].map(|length| "n".repeat(length));
        let wide = ["한".repeat(85), "é".repeat(127)];
        for name in lengths.iter().chain(&wide) {
            let path = place.path().join(name);
            write(&path, "text").unwrap();
            remove(&path).unwrap();
            let folder = Partial::folder(&path).unwrap();
            folder.rename(&path).unwrap();
            discard(&path).unwrap();
        }
        assert_eq!(names(place.path()), [""; 0]);
        // Two long names that begin alike are not the same.
        let [a, b] = ["a", "b"].map(|end| place.path().join("n".repeat(254) + end));
        assert_ne!(prefix(&a), prefix(&b));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn names_that_are_not_utf_8_can_be_written() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let place = tempfile::tempdir().unwrap();
        let [a, b] = [b"\xff", b"\xfe"].map(|name| place.path().join(OsStr::from_bytes(name)));
        assert_ne!(prefix(&a), prefix(&b));
        let longest = place.path().join(OsStr::from_bytes(&[0xff; 255]));
        for path in [a, b, longest] {
            write(&path, "text").unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"text");
        }
    }
}
