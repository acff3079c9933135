//! Files that jobs have written.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use electra_store::read_to_string;
use serde::de::DeserializeOwned;

use crate::Error;

/// A JSON file that a job has written.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    serde_json::from_str(&read_to_string(path)?)
        .map_err(|error| Error::Result { path: path.to_owned(), what: error.to_string() })
}

/// The end of a text that a job is writing, of at most so many bytes.
pub(crate) fn tail(path: &Path, bytes: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(file.metadata()?.len().saturating_sub(bytes)))?;
    let mut end = Vec::new();
    file.take(bytes).read_to_end(&mut end)?;
    Ok(String::from_utf8_lossy(&end).into_owned())
}
