//! Moved token detection: an objective that is not in the paper, written outside the workspace's crates.
//!
//! The tokens at the masked positions of a text change places with one another, and the encoder says of every
//! token whether it is where it was. There is no generator: what is put in is always a word of the same text,
//! so frequency alone gives nothing away.

use electra_encoder::Encoder;
use electra_objective::{
    Batch, ModelConfig, Objective, Output, ReplacedHead, binary_cross_entropy, detection,
};
use tch::{Tensor, nn};

/// Moved token detection.
#[derive(Debug)]
pub(crate) struct MovedTokens {
    encoder: Encoder,
    head: ReplacedHead,
    weight: f64,
}

impl MovedTokens {
    /// Its parameters lie under `root / "main"`, where the trainer and an export look for them.
    pub(crate) fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
        Self {
            encoder: config.build_encoder(root),
            head: ReplacedHead::new(&(root / "main"), &config.encoder),
            weight: config.disc_weight,
        }
    }

    /// The text with each chosen token where the next chosen one was.
    fn moved(batch: &Batch) -> Tensor {
        let targets = batch.targets(); // [B, N]
        let next = targets.roll([1], [1]);
        let next_is_used = batch.masked_valid.roll([1], [1]);
        // Beside an unused slot a token stays where it is; an unused slot writes back what is there.
        let used = batch.masked_valid.logical_and(&next_is_used);
        batch.input_ids.scatter(1, &batch.masked_positions, &next.where_self(&used, &targets))
    }
}

impl Objective for MovedTokens {
    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn forward_t(&self, batch: &Batch, train: bool) -> Output {
        let input_ids = Self::moved(batch);
        let moved = input_ids.ne_tensor(&batch.input_ids);
        let hidden = self.encoder.forward_t(&batch.with_ids(&input_ids), train); // [B, L, D]
        let logits = self.head.forward(&hidden); // [B, L]
        let loss = binary_cross_entropy(&logits, &moved, &batch.attention_mask);
        let metrics = detection(&logits, &moved, &batch.attention_mask, &loss);
        Output { loss: loss * self.weight, metrics }
    }
}
