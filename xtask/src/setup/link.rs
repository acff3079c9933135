//! The link `.libtorch`, through which every build finds libtorch under one path.

use anyhow::{Context, Result, bail};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Points the link at a folder in one step, so that a build running meanwhile sees the old or the new.
///
/// A link that is right stays as it is.
pub(crate) fn point(link: &Path, folder: &Path) -> Result<()> {
    match fs::symlink_metadata(link) {
        Ok(found) if !found.is_symlink() => {
            bail!("{} should be a link to libtorch, and is something else: move it away", link.display());
        }
        Ok(_) if fs::read_link(link).is_ok_and(|target| target == folder) => return Ok(()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot look at {}", link.display())),
    }
    let temporary = link.with_extension(format!("{}.new", std::process::id()));
    symlink(folder, &temporary)
        .and_then(|()| fs::rename(&temporary, link))
        .inspect_err(|_| drop(fs::remove_file(&temporary)))
        .with_context(|| format!("cannot make the link {}", link.display()))
}

#[cfg(unix)]
fn symlink(folder: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(folder, link)
}

#[cfg(not(unix))]
fn symlink(_: &Path, _: &Path) -> std::io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_made_moved_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join(".libtorch");
        for target in ["one", "two", "two"] {
            let target = folder.path().join(target);
            point(&link, &target).unwrap();
            assert_eq!(fs::read_link(&link).unwrap(), target);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary link stays behind");
    }

    #[test]
    fn a_folder_in_the_place_of_the_link_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join(".libtorch");
        fs::create_dir(&link).unwrap();
        let error = point(&link, folder.path()).unwrap_err().to_string();
        assert!(error.contains("something else"), "{error}");
        assert!(link.is_dir());
    }
}
