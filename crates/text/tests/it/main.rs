//! Tests of electra-text as its users call it.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

#[cfg(all(feature = "gzip", feature = "zstd"))]
mod compression;
mod inputs;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(all(feature = "gzip", feature = "zstd"))]
mod properties;
mod reading;

use electra_text::{Error, Event, Inputs, ReadConfig, Reader, Separator};

pub(crate) fn blank_line() -> ReadConfig {
    ReadConfig::new(Separator::BlankLine)
}

pub(crate) fn read(name: &str, bytes: &[u8], config: ReadConfig) -> Result<Vec<Event>, Error> {
    Reader::from_read(name, std::io::Cursor::new(bytes.to_vec()), config)?.collect()
}

/// Events of a file, by way of the disk.
pub(crate) fn read_file(path: &std::path::Path, config: ReadConfig) -> Result<Vec<Event>, Error> {
    Reader::new(Inputs::expand(&[path.to_str().unwrap()])?, config)?.collect()
}

/// Documents as lists of lines.
pub(crate) fn documents(events: &[Event]) -> Vec<Vec<&str>> {
    let mut documents = vec![vec![]];
    for event in events {
        match event {
            Event::Line(line) => documents.last_mut().unwrap().push(line.as_str()),
            Event::EndOfDocument => documents.push(vec![]),
        }
    }
    assert_eq!(documents.pop(), Some(vec![]), "the last document did not end");
    assert!(documents.iter().all(|document| !document.is_empty()), "an empty document");
    documents
}
