//! The masked-LM loss that token frequencies alone can reach on a text.

use std::path::Path;

use electra_data::{Corpus, MaskingConfig};

use crate::Error;

/// The loss, in nats, of predicting tokens of a corpus from their frequencies alone: the entropy of these, special
/// tokens left out.
pub(super) fn unigram_loss(corpus: &Path) -> Result<f64, Error> {
    Ok(Corpus::open(corpus)?.unigram_loss(&MaskingConfig::electra().corruption)?)
}
