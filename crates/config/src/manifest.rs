//! The list of a checkpoint's files with a hash of each: whether a checkpoint is whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use electra_store::{io, write};
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
    files: BTreeMap<String, Entry>,
    sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    bytes: u64,
    sha256: String,
}

impl Entry {
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
    /// Hashes these files of a folder.
    pub(crate) fn collect(folder: &Path, step: u64, names: &[&str]) -> Result<Self, Error> {
        let entries = names.iter().map(|name| Ok(((*name).to_owned(), Entry::hash(&folder.join(name))?)));
        let mut manifest = Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            step,
            files: entries.collect::<Result<_, Error>>()?,
            sha256: String::new(),
        };
        manifest.sha256 = hash(manifest.text().as_bytes());
        Ok(manifest)
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
    /// [`Error::Damaged`] naming the file that is not what was written.
    pub(crate) fn verify(folder: &Path, expected: &[&str]) -> Result<Self, Error> {
        let path = folder.join(MANIFEST);
        let text = std::fs::read(&path)
            .map_err(|error| Error::damaged(&path, format!("cannot be read: {error}")))?;
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
            let path = folder.join(name);
            let found = Entry::hash(&path).map_err(|error| Error::damaged(&path, error.to_string()))?;
            if found.bytes != entry.bytes {
                let what = format!("{} bytes; expected {}", found.bytes, entry.bytes);
                return Err(Error::damaged(&path, what));
            }
            if found.sha256 != entry.sha256 {
                let what = format!("SHA-256 {}; expected {}", found.sha256, entry.sha256);
                return Err(Error::damaged(&path, what));
            }
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
    use std::fs;

    use super::*;

    fn checkpoint() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("model"), b"weights of a model").unwrap();
        fs::write(folder.path().join("state"), b"{}").unwrap();
        Manifest::collect(folder.path(), 7, &["model", "state"]).unwrap().write(folder.path()).unwrap();
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
    fn a_manifest_that_lists_too_little_is_refused() {
        let folder = checkpoint();
        Manifest::collect(folder.path(), 7, &["state"]).unwrap().write(folder.path()).unwrap();
        let error = Manifest::verify(folder.path(), &["model", "state"]).unwrap_err().to_string();
        assert!(error.ends_with("does not list model"), "{error}");
    }
}
