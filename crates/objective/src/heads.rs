//! What is put on top of an encoder while it is pre-trained.

use electra_encoder::{EncoderConfig, LayerNorm, Linear};
use tch::{Kind, Tensor, nn};

/// A softmax over the vocabulary: dense D→E, GELU, LayerNorm, product with the word table, bias (reference,
/// `get_masked_lm_output`). The Hub's `generator_predictions` and `generator_lm_head`.
#[derive(Debug)]
pub struct VocabularyHead {
    dense: Linear,
    layer_norm: LayerNorm,
    /// `[V, E]`, tied to the word embeddings.
    table: Tensor,
    /// `[V]`
    bias: Tensor,
}

impl VocabularyHead {
    /// A head under `p`, the path of the whole network; `word_embeddings` `[V, E]` is the table it is tied to.
    #[must_use]
    pub fn new(p: &nn::Path<'_>, config: &EncoderConfig, word_embeddings: &Tensor) -> Self {
        let (hidden, embedding) = (config.hidden_size, config.embedding_size);
        let predictions = p / "generator_predictions";
        let vocab_size = word_embeddings.size()[0];
        Self {
            dense: Linear::new(&(&predictions / "dense"), hidden, embedding),
            layer_norm: LayerNorm::new(&(&predictions / "LayerNorm"), embedding, config.layer_norm_eps),
            table: word_embeddings.shallow_clone(),
            bias: electra_encoder::parameter(&(p / "generator_lm_head"), "bias", &[vocab_size], 0.0),
        }
    }

    /// The vectors that are compared with the word table.
    ///
    /// # Shapes
    /// `[…, D]` → `[…, E]`
    pub fn transform(&self, hidden: &Tensor) -> Tensor {
        let norm = &self.layer_norm;
        electra_torch::transform(hidden, self.dense.affine(), norm.affine(), norm.eps)
            .expect("the shapes are those that the head was made for")
            .unwrap_or_else(|| norm.forward(&self.dense.forward(hidden).gelu("none")))
    }

    /// Logits of the vocabulary.
    ///
    /// # Shapes
    /// `[…, D]` → `[…, V]`
    pub fn forward(&self, hidden: &Tensor) -> Tensor {
        self.transform(hidden).linear(&self.table, Some(&self.bias))
    }

    /// log softmax(logits) at the targets, and the logits, which have no graph.
    ///
    /// # Shapes
    /// `hidden` `[…, D]`, `targets` int64 `[…]` → `[…]`, `[…, V]`
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn log_likelihood(&self, hidden: &Tensor, targets: &Tensor) -> (Tensor, Tensor) {
        let (rows, ids) = (self.transform(hidden).flatten(0, -2), targets.flatten(0, -1)); // [R, E], [R]
        let fused = electra_torch::log_likelihood(&rows, &self.table, &self.bias, &ids)
            .expect("targets of the vocabulary, one a row");
        let (log_p, logits) = match fused {
            Some(fused) => (fused.log_p, fused.logits),
            None => {
                let logits = rows.linear(&self.table, Some(&self.bias)); // [R, V]
                (log_softmax_at(&logits, &ids), logits.detach())
            }
        };
        let mut shape = targets.size();
        shape.push(self.table.size()[0]);
        (log_p.view_as(targets), logits.view(shape.as_slice()))
    }

    /// The word table `[V, E]` and the bias `[V]`, for [`log_likelihood`] of rows that a caller transformed.
    pub fn table(&self) -> (&Tensor, &Tensor) {
        (&self.table, &self.bias)
    }
}

/// log softmax(rows · tableᵀ + bias) at the targets, where nobody needs the logits.
///
/// # Shapes
/// `rows` `[R, E]`, `table` `[V, E]`, `bias` `[V]`, `targets` int64 `[R]` → `[R]`
///
/// # Panics
/// If the shapes do not fit.
pub fn log_likelihood(rows: &Tensor, table: &Tensor, bias: &Tensor, targets: &Tensor) -> Tensor {
    electra_torch::log_likelihood_alone(rows, table, bias, targets)
        .expect("targets of the vocabulary, one a row")
        .unwrap_or_else(|| log_softmax_at(&rows.linear(table, Some(bias)), targets))
}

/// `logits` `[R, V]`, `targets` int64 `[R]` → `[R]` float32
fn log_softmax_at(logits: &Tensor, targets: &Tensor) -> Tensor {
    logits.log_softmax(-1, Kind::Float).gather(1, &targets.unsqueeze(-1), false).squeeze_dim(-1)
}

/// Whether a token was replaced: dense D→D, GELU, dense D→1 (reference, `get_discriminator_output`). The
/// Hub's `discriminator_predictions`; the logit is of "replaced", as there.
#[derive(Debug)]
pub struct ReplacedHead {
    dense: Linear,
    dense_prediction: Linear,
}

impl ReplacedHead {
    /// A head under `p`, the path of the whole network.
    #[must_use]
    pub fn new(p: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let p = p / "discriminator_predictions";
        Self {
            dense: Linear::new(&(&p / "dense"), config.hidden_size, config.hidden_size),
            dense_prediction: Linear::new(&(&p / "dense_prediction"), config.hidden_size, 1),
        }
    }

    /// Logits of "replaced".
    ///
    /// # Shapes
    /// `[…, D]` → `[…]`
    pub fn forward(&self, hidden: &Tensor) -> Tensor {
        electra_torch::detect(hidden, self.dense.affine(), self.dense_prediction.affine())
            .expect("the shapes are those that the head was made for")
            .unwrap_or_else(|| {
                self.dense_prediction.forward(&self.dense.forward(hidden).gelu("none")).squeeze_dim(-1)
            })
    }
}

/// Whether a token is copied: dense D→1 (paper §3.5; its shape is not given there).
#[derive(Debug)]
pub struct CopyGate(Linear);

impl CopyGate {
    /// A gate at `p / "gate"`.
    #[must_use]
    pub fn new(p: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        Self(Linear::new(&(p / "gate"), config.hidden_size, 1))
    }

    /// Logits of "copied".
    ///
    /// # Shapes
    /// `[…, D]` → `[…]`
    pub fn forward(&self, hidden: &Tensor) -> Tensor {
        self.0.forward(hidden).squeeze_dim(-1)
    }
}
