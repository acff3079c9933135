//! Files for readers that take paths.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tempfile::TempDir;

/// Between the files of an input that is several.
const BETWEEN: &[u8] = b"\n====\n";

thread_local! {
    static FOLDER: LazyLock<TempDir> =
        const { LazyLock::new(|| tempfile::tempdir().expect("a temporary folder can be made")) };
}

/// A folder of this thread's own.
pub(crate) fn folder() -> PathBuf {
    FOLDER.with(|folder| folder.path().to_owned())
}

/// The folder as messages name it.
pub(crate) fn shown() -> String {
    folder().display().to_string()
}

/// Writes a file of this name, in place of an earlier one.
pub(crate) fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, bytes).expect("the temporary folder can be written to");
    path
}

/// An input that is several files.
pub(crate) fn join(files: &[&[u8]]) -> Vec<u8> {
    files.join(BETWEEN)
}

/// The files of an input, one for each name and nothing for those that it lacks.
pub(crate) fn split<const N: usize>(bytes: &[u8]) -> [Option<&[u8]>; N] {
    let mut rest = Some(bytes);
    std::array::from_fn(|index| {
        let whole = rest.take()?;
        let end = whole.windows(BETWEEN.len()).position(|window| window == BETWEEN);
        let Some(end) = end.filter(|_| index + 1 < N) else { return Some(whole) };
        rest = Some(&whole[end + BETWEEN.len()..]);
        Some(&whole[..end])
    })
}

/// Writes the files of an input under their names in a new folder, which a guard removes.
pub(crate) fn files(named: &[(&str, Option<&[u8]>)]) -> TempDir {
    let place = tempfile::tempdir_in(folder()).expect("a folder can be made in the temporary one");
    for (name, bytes) in named {
        if let Some(bytes) = bytes {
            write(&place.path().join(name), bytes);
        }
    }
    place
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder can be made");
    fs::write(path, bytes).expect("the temporary folder can be written to");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_split_where_it_was_joined() {
        let joined = join(&[b"a", b"", b"c\n====\nd"]);
        assert_eq!(split::<3>(&joined), [Some(&b"a"[..]), Some(b""), Some(b"c\n====\nd")]);
        assert_eq!(split::<2>(b"a"), [Some(&b"a"[..]), None]);
    }
}
