//! `cargo xtask ablate`.

use anyhow::{Result, bail};

/// Says what is missing: the study needs the networks and the trainer, which are not written yet.
pub(crate) fn run() -> Result<()> {
    bail!(
        "the study of pre-training objectives is not there yet: so far the workspace has text, tokenizer, \
         corpus and masking (`cargo run -p electra-cli -- --help`), and neither networks nor training"
    )
}
