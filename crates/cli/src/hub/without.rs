//! What stands for the Hub in a program that is built without it: names are known, and messages say what is lacking.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::Files;
use super::name::Model;

pub(super) fn fetch(model: &Model, _files: Files) -> Result<PathBuf> {
    require(&model.shown())
}

fn require<T>(purpose: &str) -> Result<T> {
    bail!(
        "{purpose}: this program was built without the Hub: build electra-cli with the feature `hub`, which is on by default"
    )
}

#[cfg(feature = "torch")]
pub(crate) use self::push::{check, push};

#[cfg(feature = "torch")]
mod push {
    use anyhow::Result;

    use crate::hub::Commit;

    pub(crate) fn check() -> Result<()> {
        super::require("--push")
    }

    pub(crate) fn push(_commit: &Commit<'_>) -> Result<String> {
        super::require("--push")
    }
}
