//! What an encoder is made from.

use serde::{Deserialize, Serialize};

use crate::Error;

/// The sizes and rates of an encoder, under the names of the Hub's `config.json`.
///
/// The activation is always the exact GELU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// What is computed. Paper: electra.
    #[serde(default, skip_serializing_if = "Backbone::is_electra")]
    pub architecture: Backbone,
    /// V, tokens in the vocabulary. Paper: 30,522.
    pub vocab_size: i64,
    /// E, the size of the embeddings; projected to the hidden size where the two differ. Paper: 128 in
    /// Small, D in Base and Large.
    pub embedding_size: i64,
    /// D. Paper: 256 in Small, 768 in Base, 1024 in Large.
    pub hidden_size: i64,
    /// Layers. Paper: 12 in Small and Base, 24 in Large.
    pub num_hidden_layers: i64,
    /// H, which must divide D. Paper: D / 64.
    pub num_attention_heads: i64,
    /// F, the feed-forward size. Paper: 4 D.
    pub intermediate_size: i64,
    /// The most tokens in a row. Paper: 512.
    pub max_position_embeddings: i64,
    /// Segments. Paper: 2. `ModernBERT` has no table of them and reads none.
    pub type_vocab_size: i64,
    /// Dropout after the embeddings and after each dense layer that ends a sub-layer. Paper: 0.1. In `ModernBERT` it is
    /// `embedding_dropout` and `mlp_dropout`: after the embeddings, and within the feed-forward part. Published: 0.
    pub hidden_dropout_prob: f64,
    /// Dropout of the attention weights. Paper: 0.1. In `ModernBERT` it is `attention_dropout`, which is also of the
    /// attention's output. Published: 0.
    pub attention_probs_dropout_prob: f64,
    /// What LayerNorm adds to the variance. Reference: 1e-12. `ModernBERT`, `norm_eps`: 1e-5.
    pub layer_norm_eps: f64,
    /// Standard deviation of the normal distribution that the initial weights are drawn from, before it is
    /// cut at two of them. Paper: 0.02.
    pub initializer_range: f64,
    /// How many heads of the first layer attend to a token's neighbours from the start, by their initialization
    /// (`electra_encoder::initialise_neighbour_heads`). Nothing else depends on it. Paper: 0.
    #[serde(default)]
    pub neighbour_heads: i64,
    /// How the network knows where a token stands. Paper: absolute. `ModernBERT`: rotary, always.
    #[serde(default)]
    pub position_embedding_type: PositionEmbeddingType,
    /// The first layer and every so many after it attend to all tokens, the others to a window. `ModernBERT`: 3. ELECTRA: 1.
    #[serde(default = "every_layer", skip_serializing_if = "is_every_layer")]
    pub global_attn_every_n_layers: i64,
    /// The window: a token attends to those that are at most half of this away. `ModernBERT`: 128. 0, not said, in ELECTRA.
    #[serde(default, skip_serializing_if = "is_no_window")]
    pub local_attention: i64,
    /// θ of the rotary positions where attention is to all tokens. `ModernBERT`: 160,000. 0, not said, in ELECTRA.
    #[serde(default, skip_serializing_if = "is_no_theta")]
    pub global_rope_theta: f64,
    /// θ of the rotary positions where attention is to a window. `ModernBERT`: 10,000. 0, not said, in ELECTRA.
    #[serde(default, skip_serializing_if = "is_no_theta")]
    pub local_rope_theta: f64,
    /// The id of `[PAD]`. No computation here asks for it; the Hub's files name it.
    pub pad_token_id: i64,
}

/// What an encoder computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backbone {
    /// As BERT: `LayerNorm` after each sub-layer, biases, GELU.
    #[default]
    Electra,
    /// As `ModernBertModel` of transformers (Warner et al., 2024): `LayerNorm` before each sub-layer, no biases, rotary
    /// positions, a gated GELU, and attention to a window in most layers.
    ModernBert,
}

impl Backbone {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
    fn is_electra(&self) -> bool {
        *self == Self::Electra
    }
}

fn every_layer() -> i64 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn is_every_layer(layers: &i64) -> bool {
    *layers == every_layer()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn is_no_window(window: &i64) -> bool {
    *window == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn is_no_theta(theta: &f64) -> bool {
    *theta == 0.0
}

/// How the network knows where a token stands, under the Hub's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PositionEmbeddingType {
    /// A table of positions, which is learned and added to the words'.
    #[default]
    Absolute,
    /// Queries and keys are turned by their positions (Su et al., `RoFormer`, 2021), θ = 10,000, pairs of numbers side by
    /// side. No class `Electra…` of transformers computes it.
    Rotary,
}

impl EncoderConfig {
    /// ELECTRA-Small: 12 layers, D 256, E 128 (paper, Table 6).
    #[must_use]
    pub fn small() -> Self {
        Self { embedding_size: 128, ..Self::wide(256, 12) }
    }

    /// BERT-Base and ELECTRA-Base: 12 layers, D 768 (paper, Table 6).
    #[must_use]
    pub fn base() -> Self {
        Self::wide(768, 12)
    }

    /// BERT-Large and ELECTRA-Large: 24 layers, D 1024 (paper, Table 6).
    #[must_use]
    pub fn large() -> Self {
        Self::wide(1024, 24)
    }

    /// For tests and first steps, not of the paper: 2 layers, D 64, 2 heads, 4,096 tokens, 128 positions.
    #[must_use]
    pub fn tiny() -> Self {
        Self {
            vocab_size: 4096,
            num_attention_heads: 2, // so that no test passes by there being one head only
            max_position_embeddings: 128,
            ..Self::wide(64, 2)
        }
    }

    /// All that follows from a width and a depth in the paper.
    fn wide(hidden_size: i64, num_hidden_layers: i64) -> Self {
        Self {
            architecture: Backbone::Electra,
            vocab_size: 30_522,
            embedding_size: hidden_size,
            hidden_size,
            num_hidden_layers,
            num_attention_heads: (hidden_size / 64).max(1),
            intermediate_size: 4 * hidden_size,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            layer_norm_eps: 1e-12,
            initializer_range: 0.02,
            neighbour_heads: 0,
            position_embedding_type: PositionEmbeddingType::Absolute,
            global_attn_every_n_layers: every_layer(),
            local_attention: 0,
            global_rope_theta: 0.0,
            local_rope_theta: 0.0,
            pad_token_id: 0,
        }
    }

    /// The generator of this encoder: width round(D · `multiplier`), feed-forward 4 × that, as many heads of this
    /// encoder's size D / H (64 in all of the paper's) as its width holds, one at least; depth, E and everything
    /// else as here. Paper, Table 6: 1/4 for Small and Large, 1/3 for Base.
    /// ([`Self::validate`] refuses the result where the multiplier gives no width, or one that its heads do
    /// not divide.)
    ///
    /// `ModernBERT` has nothing between its embeddings and its layers, so that encoders of two widths have no embeddings
    /// in common. Its generator has the encoder's width and round(layers · `multiplier`) layers, as in `DeBERTaV3` (He et
    /// al., 2021).
    #[must_use]
    pub fn generator(&self, multiplier: f64) -> Self {
        if self.architecture == Backbone::ModernBert {
            let num_hidden_layers = (self.num_hidden_layers as f64 * multiplier).round() as i64;
            return Self { num_hidden_layers, ..self.clone() };
        }
        let hidden_size = (self.hidden_size as f64 * multiplier).round() as i64;
        let num_attention_heads = self.heads(hidden_size);
        Self {
            hidden_size,
            intermediate_size: hidden_size.saturating_mul(4),
            num_attention_heads,
            neighbour_heads: self.neighbour_heads.min(num_attention_heads),
            ..self.clone()
        }
    }

    /// How many heads of this encoder's size D / H a width holds, one at least.
    #[must_use]
    pub fn heads(&self, hidden_size: i64) -> i64 {
        let head_size = (self.hidden_size / self.num_attention_heads.max(1)).max(1);
        (hidden_size / head_size).max(1)
    }

    /// Parameters, biases and layer normalizations left out.
    pub(crate) fn parameters(&self) -> f64 {
        let [v, e, d, f, p, t] = [
            self.vocab_size,
            self.embedding_size,
            self.hidden_size,
            self.intermediate_size,
            self.max_position_embeddings,
            self.type_vocab_size,
        ]
        .map(|size| size as f64);
        if self.architecture == Backbone::ModernBert {
            return d * v + self.num_hidden_layers as f64 * d * (4.0 * d + 3.0 * f);
        }
        e * (v + p + t + d) + self.num_hidden_layers as f64 * d * (4.0 * d + 2.0 * f)
    }

    /// The same with both dropout rates 0.
    #[must_use]
    pub fn without_dropout(&self) -> Self {
        Self { hidden_dropout_prob: 0.0, attention_probs_dropout_prob: 0.0, ..self.clone() }
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Encoder`] naming the field, its value and what it has to be.
    pub fn validate(&self) -> Result<(), Error> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("embedding_size", self.embedding_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("type_vocab_size", self.type_vocab_size),
        ];
        // Beyond 2³¹ - 1 a product of two sizes would no longer fit libtorch's.
        let most = i64::from(i32::MAX);
        for (field, size) in sizes {
            check(field, &size, (1..=most).contains(&size), || format!("1 to {most}"))?;
        }
        let heads = self.num_attention_heads;
        check("hidden_size", &self.hidden_size, self.hidden_size % heads == 0, || {
            format!("a multiple of num_attention_heads, {heads}")
        })?;
        check("pad_token_id", &self.pad_token_id, (0..self.vocab_size).contains(&self.pad_token_id), || {
            format!("0 to {}", self.vocab_size - 1)
        })?;
        let rates = [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            ("attention_probs_dropout_prob", self.attention_probs_dropout_prob),
        ];
        for (field, rate) in rates {
            check(field, &rate, (0.0..1.0).contains(&rate), || "at least 0 and below 1".to_owned())?;
        }
        for (field, value) in
            [("layer_norm_eps", self.layer_norm_eps), ("initializer_range", self.initializer_range)]
        {
            check(field, &value, value > 0.0 && value.is_finite(), || "a number above 0".to_owned())?;
        }
        let neighbours = self.neighbour_heads;
        check("neighbour_heads", &neighbours, (0..=heads).contains(&neighbours), || {
            format!("0 to num_attention_heads, {heads}")
        })?;
        if self.position_embedding_type == PositionEmbeddingType::Rotary {
            check("neighbour_heads", &neighbours, neighbours == 0, || {
                "0, as position_embedding_type is rotary".to_owned()
            })?;
            check("hidden_size", &self.hidden_size, self.hidden_size / heads % 2 == 0, || {
                format!("{heads} heads of an even size, as position_embedding_type is rotary")
            })?;
        }
        self.validate_backbone()?;
        let has_waves = neighbours == 0 || (self.embedding_size >= 8 && self.hidden_size >= 2 * heads);
        check("neighbour_heads", &neighbours, has_waves, || {
            "0, as they need an embedding_size of at least 8 and heads of at least 2 numbers".to_owned()
        })?;
        Ok(())
    }
}

pub(crate) fn check(
    field: &'static str,
    found: &impl ToString,
    right: bool,
    expected: impl FnOnce() -> String,
) -> Result<(), Error> {
    if right { Ok(()) } else { Err(Error::Encoder { field, found: found.to_string(), expected: expected() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_valid_and_the_papers() {
        let sizes = |config: &EncoderConfig| {
            (
                config.num_hidden_layers,
                config.hidden_size,
                config.intermediate_size,
                config.num_attention_heads,
            )
        };
        for (config, expected, embedding) in [
            (EncoderConfig::small(), (12, 256, 1024, 4), 128),
            (EncoderConfig::base(), (12, 768, 3072, 12), 768),
            (EncoderConfig::large(), (24, 1024, 4096, 16), 1024),
            (EncoderConfig::tiny(), (2, 64, 256, 2), 64),
            (EncoderConfig::small().generator(0.25), (12, 64, 256, 1), 128),
            (EncoderConfig::base().generator(1.0 / 3.0), (12, 256, 1024, 4), 768),
            (EncoderConfig::large().generator(0.25), (24, 256, 1024, 4), 1024),
            (EncoderConfig::tiny().generator(0.5), (2, 32, 128, 1), 64),
            (EncoderConfig::tiny().generator(1.0), (2, 64, 256, 2), 64),
        ] {
            config.validate().unwrap();
            assert_eq!((sizes(&config), config.embedding_size), (expected, embedding));
        }
    }

    #[test]
    fn what_no_encoder_can_be_is_refused_by_name() {
        let tiny = EncoderConfig::tiny();
        for (config, message) in [
            (tiny.generator(0.0), "hidden_size: 0; expected 1 to 2147483647"),
            (tiny.generator(f64::NAN), "hidden_size: 0; expected 1 to 2147483647"),
            (
                EncoderConfig { hidden_size: 63, ..tiny.clone() },
                "hidden_size: 63; expected a multiple of num_attention_heads, 2",
            ),
            (EncoderConfig { pad_token_id: 4096, ..tiny.clone() }, "pad_token_id: 4096; expected 0 to 4095"),
            (
                EncoderConfig { hidden_dropout_prob: 1.0, ..tiny.clone() },
                "hidden_dropout_prob: 1; expected at least 0 and below 1",
            ),
            (
                EncoderConfig { layer_norm_eps: f64::NAN, ..tiny.clone() },
                "layer_norm_eps: NaN; expected a number above 0",
            ),
        ] {
            assert_eq!(config.validate().unwrap_err().to_string(), message);
        }
    }
}
