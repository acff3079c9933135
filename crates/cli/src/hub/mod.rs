//! Models of the Hugging Face Hub: `hf:NAME` in place of a folder, and exports that go there.
//!
//! The cache is that of Python's `huggingface_hub`, with the same variables (`HF_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT`, `HF_TOKEN`,
//! `HF_HUB_OFFLINE`), so that each finds what the other fetched.

#[cfg(feature = "hub")]
mod cache;
#[cfg(feature = "hub")]
mod client;
#[cfg(feature = "hub")]
mod fetch;
mod name;
#[cfg(all(feature = "hub", feature = "torch"))]
mod push;
#[cfg(not(feature = "hub"))]
mod without;

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use anyhow::Result;

#[cfg(feature = "torch")]
pub(crate) use self::name::Destination;
use self::name::Model;
#[cfg(all(feature = "hub", feature = "torch"))]
pub(crate) use self::push::{check, push};
#[cfg(all(not(feature = "hub"), feature = "torch"))]
pub(crate) use self::without::{check, push};
#[cfg(feature = "hub")]
use fetch::fetch;
#[cfg(not(feature = "hub"))]
use without::fetch;

/// What a command reads of a model.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    /// Configuration, weights and tokenizer.
    Model,
    /// The tokenizer's files alone.
    Tokenizer,
}

/// The folder that an option names: the path as it is, or for `hf:NAME` the folder of the Hub's cache that has the model's
/// files, which are fetched first where they are not there. `./hf:…` is a path.
pub(crate) fn folder(named: &Path, files: Files) -> Result<Cow<'_, Path>> {
    match Model::of(named)? {
        None => Ok(Cow::Borrowed(named)),
        Some(model) => Ok(Cow::Owned(fetch(&model, files)?)),
    }
}

/// Whether a path names a model of the Hub.
#[cfg(feature = "torch")]
pub(crate) fn is_name(named: &Path) -> bool {
    matches!(Model::of(named), Ok(Some(_)))
}

/// What is pushed, and how.
#[cfg(feature = "torch")]
#[cfg_attr(not(feature = "hub"), allow(dead_code))]
pub(crate) struct Commit<'a> {
    pub(crate) destination: &'a Destination,
    pub(crate) folder: &'a Path,
    /// Whether a repository that is made for it is private.
    pub(crate) private: bool,
    pub(crate) message: &'a str,
}

/// Why the Hub gave nothing, or took nothing.
#[derive(Debug)]
pub(crate) struct Error {
    message: String,
    /// The exit code: whose turn it is.
    pub(crate) code: i32,
}

impl Error {
    fn new(code: i32, message: impl Into<String>) -> Self {
        Self { message: message.into(), code }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
