//! The small network that proposes replacements.

use electra_encoder::{Embeddings, Encoder, EncoderConfig, Select};
use tch::{Tensor, nn};

use crate::{DeviceBatch, Metrics, VocabularyHead, masked_lm_loss, prediction};

/// A masked language model: an encoder and a vocabulary head, evaluated at the masked positions only.
#[derive(Debug)]
pub struct Generator {
    encoder: Encoder,
    head: VocabularyHead,
    temperature: f64,
}

/// What a generator says of a batch.
#[derive(Debug)]
pub(crate) struct Predictions {
    /// `[B, N, V]`, divided by the temperature.
    pub(crate) logits: Tensor,
    /// The masked language modelling loss, a scalar.
    pub(crate) loss: Tensor,
    pub(crate) metrics: Metrics,
}

impl Generator {
    /// A generator under `p`, with embeddings of its own. `temperature` divides the logits that are sampled
    /// from, not those of the loss (paper: 1).
    #[must_use]
    pub fn new(p: &nn::Path<'_>, config: &EncoderConfig, temperature: f64) -> Self {
        let encoder = Encoder::new(&(p / "electra"), config);
        let head = VocabularyHead::new(p, config, encoder.embeddings().word_embeddings());
        Self { encoder, head, temperature }
    }

    /// The embeddings, to share with the main network.
    #[must_use]
    pub fn embeddings(&self) -> &Embeddings {
        self.encoder.embeddings()
    }

    /// The encoder.
    #[must_use]
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Logits of the vocabulary at the masked positions.
    ///
    /// # Shapes
    /// → `[B, N, V]`
    pub fn logits_t(&self, batch: &DeviceBatch, train: bool) -> Tensor {
        self.head.forward(&self.hidden_t(batch, train))
    }

    /// `[B, N, D]`
    fn hidden_t(&self, batch: &DeviceBatch, train: bool) -> Tensor {
        self.encoder.forward_select_t(
            &batch.masked(),
            Select::Positions(batch.column("masked_positions")),
            train,
        )
    }

    pub(crate) fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Predictions {
        let targets = batch.targets();
        let (log_p, logits) = self.head.log_likelihood(&self.hidden_t(batch, train), &targets); // [B, N], [B, N, V]
        let (valid, slots) = (batch.column("masked_valid"), batch.total("masked_valid"));
        let loss = masked_lm_loss(batch, &log_p);
        let metrics = prediction(&logits, &targets, valid, slots, &loss);
        let logits = if self.temperature == 1.0 { logits } else { logits / self.temperature };
        Predictions { logits, loss, metrics }
    }
}
