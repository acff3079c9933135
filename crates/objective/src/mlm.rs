//! Masked language modelling: BERT, the baseline (paper §3.1).

use electra_encoder::{Encoder, Select};
use tch::{Tensor, nn};

use crate::{Batch, Inspection, Metrics, ModelConfig, Objective, Output, VocabularyHead, mean, prediction};

/// Masked language modelling.
///
/// Some tokens are replaced by `[MASK]` (or kept, or made random: that is the masking's affair), and the
/// encoder predicts the original tokens there. The loss is −log p(x) averaged over the masked positions.
#[derive(Debug)]
pub struct Mlm {
    encoder: Encoder,
    head: VocabularyHead,
    weight: f64,
}

impl Mlm {
    /// Its parameters lie under `root / "main"`.
    #[must_use]
    pub fn new(root: &nn::Path<'_>, config: &ModelConfig) -> Self {
        let encoder = config.build_encoder(root);
        let table = encoder.embeddings().word_embeddings();
        let head = VocabularyHead::new(&(root / "main"), &config.encoder, table);
        Self { head, encoder, weight: config.softmax_weight }
    }

    /// Logits `[B, N, V]` at the masked positions, and the loss of them.
    fn predict(&self, batch: &Batch, targets: &Tensor, train: bool) -> (Tensor, Tensor) {
        let hidden =
            self.encoder.forward_select_t(&batch.masked(), Select::Positions(&batch.masked_positions), train); // [B, N, D]
        let (log_p, logits) = self.head.log_likelihood(&hidden, targets);
        (logits, -mean(&log_p, &batch.masked_valid))
    }
}

impl Objective for Mlm {
    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn forward_t(&self, batch: &Batch, train: bool) -> Output {
        let targets = batch.targets();
        let (logits, loss) = self.predict(batch, &targets, train);
        let metrics = prediction(&logits, &targets, &batch.masked_valid, &loss);
        Output { loss: loss * self.weight, metrics: metrics.and(masked_rate(batch)) }
    }

    fn inspect(&self, batch: &Batch) -> Option<Inspection> {
        let (_, loss) = tch::no_grad(|| self.predict(batch, &batch.targets(), false));
        Some(Inspection { masked_lm_loss: Some(loss), corrupted_ids: None, replaced_logits: None })
    }
}

fn masked_rate(batch: &Batch) -> Metrics {
    let (valid, real) = (batch.masked_valid.shallow_clone(), batch.attention_mask.shallow_clone());
    Metrics::new(move || vec![("masked_rate", valid.sum(tch::Kind::Float) / real.sum(tch::Kind::Float))])
}
