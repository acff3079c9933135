//! What the tests share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use electra_encoder::{
    Attention, Embeddings, Encoder, EncoderConfig, Input, LayerNorm, Linear, Tied, parameter,
};
use tch::{Device, Kind, Tensor, nn};

/// Held by a test that draws from libtorch's generator: there is one in the process, and tests are threads.
pub(crate) fn libtorch_generator() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    GENERATOR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Small, and of sizes that all differ, so that no two can be taken for one another.
pub(crate) fn config() -> EncoderConfig {
    EncoderConfig {
        vocab_size: 50,
        embedding_size: 10,
        hidden_size: 24,
        num_attention_heads: 3,
        intermediate_size: 40,
        max_position_embeddings: 16,
        ..EncoderConfig::tiny()
    }
}

pub(crate) fn generator_config() -> EncoderConfig {
    config().generator(0.5)
}

/// Generator and kept encoder with their heads, as an ELECTRA run has them.
pub(crate) struct Electra {
    pub(crate) var_store: nn::VarStore,
    pub(crate) generator: Encoder,
    pub(crate) main: Encoder,
}

pub(crate) fn electra(tied: Tied) -> Electra {
    let var_store = nn::VarStore::new(Device::Cpu);
    let (generator, main) = (var_store.root() / "generator", var_store.root() / "main");
    let small = Encoder::new(&(&generator / "electra"), &generator_config());
    let embeddings = small.embeddings().share(tied, &(&main / "electra" / "embeddings"), &config());
    let encoder = Encoder::with_embeddings(&(&main / "electra"), &config(), embeddings);
    vocabulary_head(&generator, &generator_config());
    discriminator_head(&main, &config());
    Electra { generator: small, main: encoder, var_store }
}

/// A kept encoder with a vocabulary head, as an MLM run has it.
pub(crate) fn mlm() -> nn::VarStore {
    let var_store = nn::VarStore::new(Device::Cpu);
    let main = var_store.root() / "main";
    let _ = Encoder::new(&(&main / "electra"), &config());
    vocabulary_head(&main, &config());
    var_store
}

pub(crate) struct DiscriminatorHead {
    dense: Linear,
    dense_prediction: Linear,
}

pub(crate) fn discriminator_head(p: &nn::Path<'_>, config: &EncoderConfig) -> DiscriminatorHead {
    let p = p / "discriminator_predictions";
    DiscriminatorHead {
        dense: Linear::new(&(&p / "dense"), config.hidden_size, config.hidden_size),
        dense_prediction: Linear::new(&(&p / "dense_prediction"), config.hidden_size, 1),
    }
}

impl DiscriminatorHead {
    /// [B, L, D] → [B, L]
    pub(crate) fn forward(&self, hidden: &Tensor) -> Tensor {
        self.dense_prediction.forward(&self.dense.forward(hidden).gelu("none")).squeeze_dim(-1)
    }
}

pub(crate) struct VocabularyHead {
    dense: Linear,
    layer_norm: LayerNorm,
    bias: Tensor,
}

pub(crate) fn vocabulary_head(p: &nn::Path<'_>, config: &EncoderConfig) -> VocabularyHead {
    let (lm_head, p) = (p / "generator_lm_head", p / "generator_predictions");
    VocabularyHead {
        dense: Linear::new(&(&p / "dense"), config.hidden_size, config.embedding_size),
        layer_norm: LayerNorm::new(&(&p / "LayerNorm"), config.embedding_size, config.layer_norm_eps),
        bias: parameter(&lm_head, "bias", &[config.vocab_size], 0.0),
    }
}

impl VocabularyHead {
    /// [B, L, D] → [B, L, V]
    pub(crate) fn forward(&self, hidden: &Tensor, embeddings: &Embeddings) -> Tensor {
        let hidden = self.layer_norm.forward(&self.dense.forward(hidden).gelu("none"));
        hidden.linear(embeddings.word_embeddings(), Some(&self.bias))
    }
}

/// The three tensors of a batch.
pub(crate) struct Rows {
    pub(crate) input_ids: Tensor,
    pub(crate) attention_mask: Tensor,
    pub(crate) token_type_ids: Tensor,
}

impl Rows {
    /// Rows of tokens, padded with id 0 to `length`; the second half of each is of the second segment.
    pub(crate) fn padded(rows: &[&[i64]], length: usize) -> Self {
        let (mut ids, mut mask, mut types) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            for place in 0..length {
                ids.push(row.get(place).copied().unwrap_or(0));
                mask.push(place < row.len());
                types.push(i64::from(place < row.len() && place >= row.len() / 2));
            }
        }
        let shape = [rows.len() as i64, length as i64];
        Self {
            input_ids: Tensor::from_slice(&ids).view(shape),
            attention_mask: Tensor::from_slice(&mask).view(shape),
            token_type_ids: Tensor::from_slice(&types).view(shape),
        }
    }

    pub(crate) fn input(&self) -> Input<'_> {
        Input {
            input_ids: &self.input_ids,
            attention: Attention::Keys(&self.attention_mask),
            token_type_ids: &self.token_type_ids,
        }
    }
}

/// The largest absolute difference.
pub(crate) fn difference(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    (a - b).abs().to_kind(Kind::Double).max().double_value(&[])
}
