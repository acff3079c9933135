//! What is put on top of an encoder while it is pre-trained.

use electra_encoder::{Backbone, EncoderConfig, LayerNorm, Linear};
use electra_torch::{LogLikelihood, log_likelihood};
use tch::{Tensor, nn};

/// A dense layer and a LayerNorm under `p`, which have biases unless the backbone is ModernBERT.
fn dense_and_norm(p: &nn::Path<'_>, config: &EncoderConfig, outputs: i64) -> (Linear, LayerNorm) {
    let (hidden, eps) = (config.hidden_size, config.layer_norm_eps);
    let (dense, norm) = (p / "dense", p / "LayerNorm");
    match config.architecture {
        Backbone::Electra => (Linear::new(&dense, hidden, outputs), LayerNorm::new(&norm, outputs, eps)),
        Backbone::ModernBert => {
            (Linear::without_bias(&dense, hidden, outputs), LayerNorm::without_bias(&norm, outputs, eps))
        }
    }
}

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
        let (dense, layer_norm) =
            dense_and_norm(&(p / "generator_predictions"), config, config.embedding_size);
        let vocab_size = word_embeddings.size()[0];
        Self {
            dense,
            layer_norm,
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
        let LogLikelihood { log_p, logits } = log_likelihood(&rows, &self.table, &self.bias, &ids);
        let mut shape = targets.size();
        shape.push(self.table.size()[0]);
        (log_p.view_as(targets), logits.view(shape.as_slice()))
    }

    /// The word table `[V, E]` and the bias `[V]`, for the likelihood of rows that a caller transformed.
    pub fn table(&self) -> (&Tensor, &Tensor) {
        (&self.table, &self.bias)
    }
}

/// Whether a token was replaced: dense D→D, GELU, dense D→1 (reference, `get_discriminator_output`). The
/// Hub's `discriminator_predictions`; the logit is of "replaced", as there. On ModernBERT a LayerNorm stands before the last
/// layer, as in `ModernBertForTokenClassification`.
#[derive(Debug)]
pub struct ReplacedHead {
    dense: Linear,
    layer_norm: Option<LayerNorm>,
    dense_prediction: Linear,
}

impl ReplacedHead {
    /// A head under `p`, the path of the whole network.
    #[must_use]
    pub fn new(p: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let p = p / "discriminator_predictions";
        let (dense, layer_norm) = match config.architecture {
            Backbone::Electra => (Linear::new(&(&p / "dense"), config.hidden_size, config.hidden_size), None),
            Backbone::ModernBert => {
                let (dense, norm) = dense_and_norm(&p, config, config.hidden_size);
                (dense, Some(norm))
            }
        };
        Self {
            dense,
            layer_norm,
            dense_prediction: Linear::new(&(&p / "dense_prediction"), config.hidden_size, 1),
        }
    }

    /// Logits of "replaced".
    ///
    /// # Shapes
    /// `[…, D]` → `[…]`
    pub fn forward(&self, hidden: &Tensor) -> Tensor {
        let Some(norm) = &self.layer_norm else {
            return electra_torch::detect(hidden, self.dense.affine(), self.dense_prediction.affine());
        };
        let x = electra_torch::transform(hidden, self.dense.affine(), norm.affine(), norm.eps); // [… D]
        // One column is not worth a product, which autocast would round.
        let Linear { weight, bias } = &self.dense_prediction;
        (x * weight.select(0, 0)).sum_dim_intlist(-1, false, None) + bias
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
