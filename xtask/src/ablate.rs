//! `cargo xtask ablate`.

use anyhow::{Result, bail};

/// Says what is missing.
pub(crate) fn run() -> Result<()> {
    bail!(
        "the study of pre-training objectives is not there yet: each objective can be trained (`cargo run \
         --release -p electra-cli -- pretrain --help`), but nothing fine-tunes and compares the encoders"
    )
}
