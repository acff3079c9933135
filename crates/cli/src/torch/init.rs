//! Weights that a run begins with, beside the corpus that it trains on.

use anyhow::{Result, ensure};
use electra_config::Config;
use electra_data::Corpus;
use electra_tokenizer::{Error, Tokenizer};

/// Weights mean something for the tokens that they were trained on only. Two vocabularies of one size pass every other
/// check, so the tokenizer in the weights' folder, if there is one, has to be the corpus's.
pub(super) fn check_tokenizer(config: &Config) -> Result<()> {
    let Some(init) = &config.init else { return Ok(()) };
    let folder = &init.discriminator;
    let tokenizer = match Tokenizer::load(folder) {
        Err(Error::NoTokenizer { .. }) => return Ok(()),
        loaded => loaded?,
    };
    let corpus = Corpus::open(&config.data.corpus)?;
    let (found, expected) = (tokenizer.fingerprint_hex(), &corpus.manifest().tokenizer);
    ensure!(
        found == *expected,
        "init.discriminator: {} has a tokenizer of sha256 {found}; expected {expected}, which {} was built with. \
         Build the corpus with --tokenizer {0}",
        folder.display(),
        config.data.corpus.display()
    );
    Ok(())
}
