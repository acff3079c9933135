//! The list of a checkpoint's files with a hash of each: whether a checkpoint is whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use electra_store::{io, read_whole, write};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Error;

/// The manifest's name in a checkpoint.
pub(crate) const MANIFEST: &str = "manifest.json";
const FORMAT: &str = "electra-checkpoint";
/// The only version that this program writes and reads.
const VERSION: u32 = 1;

/// `manifest.json`. It covers every byte of the checkpoint, itself included: `sha256` is of its own text with
/// that field empty, and its text is the one that its values have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    format: String,
    version: u32,
    pub(crate) step: u64,
    files: BTreeMap<String, WrittenFile>,
    sha256: String,
}

/// The length and SHA-256 of what was written to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenFile {
    bytes: u64,
    sha256: String,
}

impl WrittenFile {
    /// Of bytes in memory: what the disk gives back may be something else.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: hash(bytes) }
    }

    /// Whether a file is what was written: its length first, as a file of any length may stand there.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is missing or differs, [`Error::Store`] if it cannot be read.
    fn check(&self, path: &Path) -> Result<(), Error> {
        let length = match fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Error::damaged(path, "missing")),
            found => found.map_err(io(path, "asking for its length"))?,
        };
        if !length.is_file() {
            return Err(Error::damaged(path, "not a file"));
        }
        if length.len() != self.bytes {
            return Err(Error::damaged(path, format!("{} bytes; expected {}", length.len(), self.bytes)));
        }
        let found = Self::hash(path)?;
        if found != *self {
            return Err(Error::damaged(path, format!("SHA-256 {}; expected {}", found.sha256, self.sha256)));
        }
        Ok(())
    }

    fn hash(path: &Path) -> Result<Self, Error> {
        let mut file = File::open(path).map_err(io(path, "reading it"))?;
        let mut hasher = Sha256::new();
        let mut bytes = 0;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let count = file.read(&mut buffer).map_err(io(path, "reading it"))?;
            if count == 0 {
                return Ok(Self { bytes, sha256: hex(&hasher.finalize()) });
            }
            hasher.update(&buffer[..count]);
            bytes += count as u64;
        }
    }
}

impl Manifest {
    /// Of these files, by the bytes that were written.
    pub(crate) fn new<'a>(step: u64, files: impl IntoIterator<Item = (&'a str, WrittenFile)>) -> Self {
        let entries = files.into_iter().map(|(name, file)| (name.to_owned(), file));
        let mut manifest = Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            step,
            files: entries.collect(),
            sha256: String::new(),
        };
        manifest.sha256 = hash(manifest.text().as_bytes());
        manifest
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<(), Error> {
        Ok(write(&folder.join(MANIFEST), self.text())?)
    }

    fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a manifest's keys are strings");
        text.push('\n');
        text
    }

    /// Reads the manifest of a checkpoint and every file that it lists.
    ///
    /// # Errors
    /// [`Error::Damaged`] naming the file that is not what was written, [`Error::Store`] if one cannot be read, which says
    /// nothing of what is in it.
    pub(crate) fn verify(folder: &Path, expected: &[&str]) -> Result<Self, Error> {
        let path = folder.join(MANIFEST);
        let text = match read_whole(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::damaged(&path, "missing"));
            }
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return Err(Error::damaged(&path, error.to_string()));
            }
            text => text.map_err(io(&path, "reading it"))?,
        };
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|error| Error::damaged(&path, format!("is not a manifest: {error}")))?;
        if manifest.format != FORMAT || manifest.version != VERSION {
            let what = format!(
                "is {:?} of version {}; expected {FORMAT:?} of version {VERSION}",
                manifest.format, manifest.version
            );
            return Err(Error::damaged(&path, what));
        }
        let unsigned = Self { sha256: String::new(), ..manifest.clone() };
        if manifest.text().as_bytes() != text || hash(unsigned.text().as_bytes()) != manifest.sha256 {
            return Err(Error::damaged(&path, "its own SHA-256 is another"));
        }
        for name in expected {
            if !manifest.files.contains_key(*name) {
                return Err(Error::damaged(&path, format!("does not list {name}")));
            }
        }
        for (name, entry) in &manifest.files {
            // Whoever can write a manifest can sign it: it must not send us anywhere else.
            if !expected.contains(&name.as_str()) {
                return Err(Error::damaged(
                    &path,
                    format!("lists {name:?}; expected {}", expected.join(", ")),
                ));
            }
            entry.check(&folder.join(name))?;
        }
        Ok(manifest)
    }
}

/// SHA-256 in hexadecimal.
fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [(&str, &[u8]); 2] = [("model", b"weights of a model"), ("state", b"{}")];

    fn listing(files: &[(&str, &[u8])]) -> Manifest {
        Manifest::new(7, files.iter().map(|(name, bytes)| (*name, WrittenFile::new(bytes))))
    }

    fn manifest() -> Manifest {
        listing(&FILES)
    }

    fn checkpoint() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in FILES {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        manifest().write(folder.path()).unwrap();
        folder
    }

    #[test]
    fn what_was_written_is_whole() {
        let folder = checkpoint();
        assert_eq!(Manifest::verify(folder.path(), &["model", "state"]).unwrap().step, 7);
    }

    /// Every single byte, of the manifest itself too, flipped in its lowest and in its highest bit.
    #[test]
    fn every_flipped_byte_is_seen() {
        let folder = checkpoint();
        for name in ["model", "state", MANIFEST] {
            let path = folder.path().join(name);
            let whole = fs::read(&path).unwrap();
            for index in 0..whole.len() {
                for bit in [0x01, 0x80] {
                    let mut bytes = whole.clone();
                    bytes[index] ^= bit;
                    fs::write(&path, &bytes).unwrap();
                    let error = Manifest::verify(folder.path(), &["model", "state"]).unwrap_err().to_string();
                    assert!(error.contains("damaged"), "{error}");
                }
            }
            fs::write(&path, &whole).unwrap();
            Manifest::verify(folder.path(), &["model", "state"]).unwrap();
        }
    }

    #[test]
    fn every_truncation_and_a_missing_file_are_seen() {
        for name in ["model", "state", MANIFEST] {
            let folder = checkpoint();
            let path = folder.path().join(name);
            let whole = fs::read(&path).unwrap();
            for length in 0..whole.len() {
                fs::write(&path, &whole[..length]).unwrap();
                let error = Manifest::verify(folder.path(), &["model", "state"]).unwrap_err();
                assert!(error.to_string().starts_with(&format!("{}: damaged", path.display())), "{error}");
            }
            fs::remove_file(&path).unwrap();
            assert!(Manifest::verify(folder.path(), &["model", "state"]).is_err());
        }
    }

    #[test]
    fn what_was_lost_on_the_way_to_the_disk_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("model"), b"weights of a modem").unwrap();
        fs::write(folder.path().join("state"), b"{}").unwrap();
        manifest().write(folder.path()).unwrap();
        let error = Manifest::verify(folder.path(), &["model", "state"]).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
    }

    #[test]
    fn a_manifest_leads_nowhere_else() {
        for name in ["../model", "/dev/zero", "other", "model/../model"] {
            let folder = checkpoint();
            listing(&[FILES[0], FILES[1], (name, b"x")]).write(folder.path()).unwrap();
            let error = Manifest::verify(folder.path(), &["model", "state"]).unwrap_err().to_string();
            assert!(error.ends_with(&format!("lists {name:?}; expected model, state")), "{error}");
        }
    }

    /// A file without end is refused by its length, a device because it is none.
    #[cfg(unix)]
    #[test]
    fn nothing_is_hashed_that_is_not_as_long_as_it_should_be() {
        let folder = checkpoint();
        let path = folder.path().join("model");
        File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        let error = Manifest::verify(folder.path(), &["model", "state"]).unwrap_err().to_string();
        assert!(error.ends_with("damaged: 1099511627776 bytes; expected 18"), "{error}");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        let error = Manifest::verify(folder.path(), &["model", "state"]).unwrap_err().to_string();
        assert!(error.ends_with("damaged: not a file"), "{error}");
    }

    /// A link to itself cannot be read, as a sector that is bad for a while cannot.
    #[cfg(unix)]
    #[test]
    fn what_cannot_be_read_is_not_damaged() {
        for name in ["model", MANIFEST] {
            let folder = checkpoint();
            let path = folder.path().join(name);
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(&path, &path).unwrap();
            let error = Manifest::verify(folder.path(), &["model", "state"]).unwrap_err();
            assert!(matches!(error, Error::Store(_)), "{error}");
            assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
        }
    }

    #[test]
    fn a_manifest_that_lists_too_little_is_refused() {
        let folder = checkpoint();
        listing(&FILES[1..]).write(folder.path()).unwrap();
        let error = Manifest::verify(folder.path(), &["model", "state"]).unwrap_err().to_string();
        assert!(error.ends_with("does not list model"), "{error}");
    }
}
