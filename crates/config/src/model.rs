//! The two networks of an objective.

use serde::{Deserialize, Serialize};

use crate::{EncoderConfig, Head, Network, Positions};

/// What a generator computes beside its encoder.
const GENERATOR_HEADS: &[Head] = &[Head::Vocabulary(Positions::Masked)];

/// Which embeddings the kept encoder has in common with the generator (paper §3.2). `embeddings_project`
/// never is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tied {
    /// Word, position and token type tables and their LayerNorm: the paper's and the reference's ELECTRA.
    #[default]
    AllEmbeddings,
    /// The word table alone.
    WordOnly,
    /// The kept encoder's tables are the generator's plus tables of its own, which begin at 0: the kept encoder's loss
    /// changes these alone, and the generator's loss the generator's alone (He et al., DeBERTaV3, arXiv 2111.09543, §3.3:
    /// `E_D = stopped(E_G) + E_Δ`). `E_Δ` decays as every table does, so that a token that is seen no more goes back to the
    /// generator's. Each network has a LayerNorm of its own. For objectives whose kept encoder has no vocabulary head.
    GradientDisentangled,
    /// Nothing.
    None,
}

/// The networks and the weights of the losses; what every objective is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The encoder that is kept.
    pub encoder: EncoderConfig,
    /// The generator's encoder, where the objective has one.
    pub generator: EncoderConfig,
    /// What the two have in common. Paper: all embeddings.
    pub tied: Tied,
    /// Weight of the generator's loss. Paper and reference (`gen_weight`): 1.
    pub gen_weight: f64,
    /// λ, the weight of a main loss that is a sigmoid's. Paper and reference (`disc_weight`): 50.
    pub disc_weight: f64,
    /// Weight of a main loss that is a softmax's; the paper does not give one. 1.
    pub softmax_weight: f64,
    /// What the generator's logits are divided by before sampling. Paper: 1.
    pub temperature: f64,
}

impl ModelConfig {
    /// The paper's: generator narrower by `generator_multiplier`, all embeddings tied, weights 1, 50 and 1.
    #[must_use]
    pub fn paper(encoder: EncoderConfig, generator_multiplier: f64) -> Self {
        Self {
            generator: encoder.generator(generator_multiplier),
            encoder,
            tied: Tied::AllEmbeddings,
            gen_weight: 1.0,
            disc_weight: 50.0,
            softmax_weight: 1.0,
            temperature: 1.0,
        }
    }

    /// The kept encoder with its heads, for counting operations.
    #[must_use]
    pub fn alone<'a>(&'a self, heads: &'a [Head]) -> [Network<'a>; 1] {
        [Network { encoder: &self.encoder, heads, positions: Positions::All }]
    }

    /// A generator, and the kept encoder with its heads, for counting operations.
    #[must_use]
    pub fn with_generator<'a>(&'a self, heads: &'a [Head]) -> [Network<'a>; 2] {
        [
            Network { encoder: &self.generator, heads: GENERATOR_HEADS, positions: Positions::All },
            Network { encoder: &self.encoder, heads, positions: Positions::All },
        ]
    }

    /// The kept encoder, and a second stream through it at the masked positions with its heads, for counting operations.
    #[must_use]
    pub fn two_streams<'a>(&'a self, heads: &'a [Head]) -> [Network<'a>; 2] {
        [
            Network { encoder: &self.encoder, heads: &[], positions: Positions::All },
            Network { encoder: &self.encoder, heads, positions: Positions::Masked },
        ]
    }
}
