//! What an objective puts in the place of tokens, and what it says of them.

use tch::Tensor;

use crate::Corrupted;

/// A batch as an objective sees it after training: what its input became, and what it says of each token.
#[derive(Debug)]
pub struct Inspection {
    /// −log p(x) averaged over the masked positions, a scalar in nats: the generator's, or the encoder's own where
    /// it is what predicts from `[MASK]`. None where nothing does.
    pub masked_lm_loss: Option<Tensor>,
    /// `[B, L]` int64: the original ids with the replacements in. None where the encoder sees masks.
    pub corrupted_ids: Option<Tensor>,
    /// `[B, L]` float: logits of "replaced". None where nothing says it.
    pub replaced_logits: Option<Tensor>,
}

impl Inspection {
    /// Of a corrupted batch, with logits of "replaced" if the objective has any.
    #[must_use]
    pub fn new(corrupted: Corrupted, replaced_logits: Option<Tensor>) -> Self {
        Self { masked_lm_loss: corrupted.gen_loss, corrupted_ids: Some(corrupted.input_ids), replaced_logits }
    }
}
