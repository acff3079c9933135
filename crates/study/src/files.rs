//! Files that jobs have written.

use std::path::Path;

use electra_store::read_to_string;
use serde::de::DeserializeOwned;

use crate::Error;

/// A JSON file that a job has written.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    serde_json::from_str(&read_to_string(path)?)
        .map_err(|error| Error::Result { path: path.to_owned(), what: error.to_string() })
}
