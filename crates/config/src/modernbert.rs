//! ModernBERT's sizes (Warner et al., 2024), and Ettin's (Weller et al., 2025), which are of the same architecture.

use crate::encoder::check;
use crate::{Backbone, EncoderConfig, Error, PositionEmbeddingType};

impl EncoderConfig {
    /// `answerdotai/ModernBERT-base`: 22 layers, D 768.
    #[must_use]
    pub fn modernbert_base() -> Self {
        Self {
            num_hidden_layers: 22,
            vocab_size: 50_368,
            max_position_embeddings: 8192,
            pad_token_id: 50_283,
            ..Self::base().as_modernbert()
        }
    }

    /// `jhu-clsp/ettin-encoder-17m`: 7 layers, D 256.
    #[must_use]
    pub fn ettin_17m() -> Self {
        Self {
            num_hidden_layers: 7,
            vocab_size: 50_368,
            max_position_embeddings: 7999,
            local_rope_theta: 160_000.0,
            pad_token_id: 50_283,
            ..Self::small().as_modernbert()
        }
    }

    /// For tests and first steps: 2 layers, D 64, 2 heads, 4,096 tokens, 128 positions.
    #[must_use]
    pub fn modern_tiny() -> Self {
        Self::tiny().as_modernbert()
    }

    /// An encoder of ModernBERT's architecture that has the same width, depth, heads and tables of words; the rest is
    /// ModernBERT's: F = 3/2 D, no dropout, two kinds of attention.
    #[must_use]
    pub fn as_modernbert(&self) -> Self {
        Self {
            architecture: Backbone::ModernBert,
            embedding_size: self.hidden_size,
            intermediate_size: self.hidden_size * 3 / 2,
            hidden_dropout_prob: 0.0,
            attention_probs_dropout_prob: 0.0,
            layer_norm_eps: 1e-5,
            neighbour_heads: 0,
            position_embedding_type: PositionEmbeddingType::Rotary,
            global_attn_every_n_layers: 3,
            local_attention: 128,
            global_rope_theta: 160_000.0,
            local_rope_theta: 10_000.0,
            ..self.clone()
        }
    }

    /// Whether it adds something for a token's type.
    #[must_use]
    pub fn has_token_types(&self) -> bool {
        self.architecture == Backbone::Electra
    }

    /// Whether a layer attends to all tokens, counted from 0.
    #[must_use]
    pub fn is_global(&self, layer: i64) -> bool {
        layer % self.global_attn_every_n_layers == 0
    }

    /// Checks the fields whose values are one backbone's.
    pub(crate) fn validate_backbone(&self) -> Result<(), Error> {
        match self.architecture {
            Backbone::Electra => self.validate_electra(),
            Backbone::ModernBert => self.validate_modernbert(),
        }
    }

    fn validate_electra(&self) -> Result<(), Error> {
        let as_electra = |value: &str| format!("{value}, as architecture is electra");
        for (field, found, value) in [
            ("global_attn_every_n_layers", self.global_attn_every_n_layers, 1),
            ("local_attention", self.local_attention, 0),
        ] {
            check(field, &found, found == value, || as_electra(&value.to_string()))?;
        }
        for (field, found) in
            [("global_rope_theta", self.global_rope_theta), ("local_rope_theta", self.local_rope_theta)]
        {
            check(field, &found, found == 0.0, || as_electra("0"))?;
        }
        Ok(())
    }

    fn validate_modernbert(&self) -> Result<(), Error> {
        let as_modernbert = |value: &str| format!("{value}, as architecture is modernbert");
        let (embedding_size, hidden_size) = (self.embedding_size, self.hidden_size);
        check("embedding_size", &embedding_size, embedding_size == hidden_size, || {
            as_modernbert(&format!("hidden_size, {hidden_size}"))
        })?;
        let is_rotary = self.position_embedding_type == PositionEmbeddingType::Rotary;
        check("position_embedding_type", &"absolute", is_rotary, || as_modernbert("rotary"))?;
        let most = i64::from(i32::MAX);
        for (field, found) in [
            ("global_attn_every_n_layers", self.global_attn_every_n_layers),
            ("local_attention", self.local_attention),
        ] {
            check(field, &found, (1..=most).contains(&found), || as_modernbert(&format!("1 to {most}")))?;
        }
        for (field, found) in
            [("global_rope_theta", self.global_rope_theta), ("local_rope_theta", self.local_rope_theta)]
        {
            check(field, &found, found > 0.0 && found.is_finite(), || as_modernbert("a number above 0"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_the_published_networks() {
        let sizes = |config: &EncoderConfig| {
            (
                config.num_hidden_layers,
                config.hidden_size,
                config.intermediate_size,
                config.num_attention_heads,
                config.embedding_size,
            )
        };
        for (config, expected) in [
            (EncoderConfig::modernbert_base(), (22, 768, 1152, 12, 768)),
            (EncoderConfig::ettin_17m(), (7, 256, 384, 4, 256)),
            (EncoderConfig::modern_tiny(), (2, 64, 96, 2, 64)),
            (EncoderConfig::modernbert_base().generator(0.25), (6, 768, 1152, 12, 768)),
            (EncoderConfig::ettin_17m().generator(0.25), (2, 256, 384, 4, 256)),
            (EncoderConfig::modern_tiny().generator(0.25), (1, 64, 96, 2, 64)),
        ] {
            config.validate().unwrap();
            assert_eq!(sizes(&config), expected);
        }
        // The published model's tensors of two dimensions, of 149,014,272 parameters without its head.
        assert_eq!(
            EncoderConfig::modernbert_base().parameters(),
            50_368.0 * 768.0 + 22.0 * 768.0 * (4.0 * 768.0 + 3.0 * 1152.0)
        );
    }

    #[test]
    fn the_first_layer_and_every_third_after_it_attend_to_all_tokens() {
        let config = EncoderConfig::ettin_17m();
        let global: Vec<i64> = (0..7).filter(|layer| config.is_global(*layer)).collect();
        assert_eq!(global, [0, 3, 6]);
        assert!((0..12).all(|layer| EncoderConfig::small().is_global(layer)));
    }

    #[test]
    fn what_one_backbone_alone_has_is_refused_in_the_other_by_name() {
        let (tiny, modern) = (EncoderConfig::tiny(), EncoderConfig::modern_tiny());
        for (config, message) in [
            (
                EncoderConfig { local_attention: 128, ..tiny.clone() },
                "local_attention: 128; expected 0, as architecture is electra",
            ),
            (
                EncoderConfig { global_attn_every_n_layers: 3, ..tiny.clone() },
                "global_attn_every_n_layers: 3; expected 1, as architecture is electra",
            ),
            (
                EncoderConfig { local_rope_theta: 1e4, ..tiny },
                "local_rope_theta: 10000; expected 0, as architecture is electra",
            ),
            (
                EncoderConfig { embedding_size: 32, ..modern.clone() },
                "embedding_size: 32; expected hidden_size, 64, as architecture is modernbert",
            ),
            (
                EncoderConfig { position_embedding_type: PositionEmbeddingType::Absolute, ..modern.clone() },
                "position_embedding_type: absolute; expected rotary, as architecture is modernbert",
            ),
            (
                EncoderConfig { neighbour_heads: 1, ..modern.clone() },
                "neighbour_heads: 1; expected 0, as position_embedding_type is rotary",
            ),
            (
                EncoderConfig { global_attn_every_n_layers: 0, ..modern.clone() },
                "global_attn_every_n_layers: 0; expected 1 to 2147483647, as architecture is modernbert",
            ),
            (
                EncoderConfig { global_rope_theta: f64::NAN, ..modern.clone() },
                "global_rope_theta: NaN; expected a number above 0, as architecture is modernbert",
            ),
            (modern.generator(0.1), "num_hidden_layers: 0; expected 1 to 2147483647"),
        ] {
            assert_eq!(config.validate().unwrap_err().to_string(), message);
        }
    }
}
