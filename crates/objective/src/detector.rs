//! What objectives of replaced token detection have in common.

use electra_encoder::Encoder;
use tch::{Tensor, nn};

use crate::{
    Corrupted, Corruption, DeviceBatch, Inspection, ModelConfig, Output, ReplacedHead, binary_cross_entropy,
    build_with_generator, detection,
};

/// What corrupts a text, and an encoder with the head that says of a token whether it was replaced.
#[derive(Debug)]
pub struct Detector {
    /// What puts other tokens at the masked positions.
    pub corruption: Corruption,
    /// The encoder that is kept.
    pub encoder: Encoder,
    /// Logits of "replaced".
    pub head: ReplacedHead,
    gen_weight: f64,
    disc_weight: f64,
}

impl Detector {
    /// With a generator. Its parameters lie under `root / "generator"` and `root / "main"`.
    #[must_use]
    pub fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
        let (generator, encoder) = build_with_generator(root, config);
        Self::with(Corruption::Generator(Box::new(generator)), encoder, root, config)
    }

    /// With another corruption; the head's parameters lie under `root / "main"`.
    #[must_use]
    pub fn with(corruption: Corruption, encoder: Encoder, root: &nn::Path<'_>, config: &ModelConfig) -> Self {
        let head = ReplacedHead::new(&(root / "main"), &config.encoder);
        Self { corruption, encoder, head, gen_weight: config.gen_weight, disc_weight: config.disc_weight }
    }

    /// `gen_weight`·`L_MLM` + λ·`L_Disc`, where `L_Disc` is the binary cross-entropy of `logits` and `labels` (1 where
    /// replaced) where `counted` is true, over `total`, their number in the whole step.
    ///
    /// # Shapes
    /// `logits`, `labels` and `counted` are of one shape.
    #[must_use]
    pub fn output(
        &self,
        corrupted: Corrupted,
        logits: &Tensor,
        labels: &Tensor,
        counted: &Tensor,
        total: &Tensor,
    ) -> Output {
        let disc_loss = binary_cross_entropy(logits, labels, counted, total);
        let metrics = detection(logits, labels, counted, total, &disc_loss);
        let loss = disc_loss * self.disc_weight + corrupted.weighted_gen_loss(self.gen_weight);
        Output { loss, metrics: corrupted.metrics.and(metrics) }
    }

    /// Samples at every masked position, and logits of all tokens.
    #[must_use]
    pub fn inspect(&self, batch: &DeviceBatch) -> Inspection {
        tch::no_grad(|| {
            let corrupted = self.corruption.forward_t(batch, false);
            let hidden = self.encoder.forward_t(&batch.with_ids(&corrupted.input_ids), false); // [B, L, D]
            Inspection::new(corrupted, Some(self.head.forward(&hidden))) // [B, L]
        })
    }
}
