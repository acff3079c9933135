//! How a pre-trained network scores a sentence without fine-tuning.

use serde::{Deserialize, Serialize};

use crate::Architecture;

/// The field of `config.json` that says how a network scores a sentence, where its class alone does not.
pub const SCORING_FIELD: &str = "sentence_score";

/// How a sentence is scored. The scores of one kind do not compare with those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scoring {
    /// Σ log p(token | all others), each token masked in turn (Salazar, Liang, Nguyen, Kirchhoff, "Masked
    /// Language Model Scoring", 2020). Needs a vocabulary head that has seen `[MASK]`.
    PseudoLogLikelihood,
    /// Σ log p(token | all tokens), nothing masked: for a vocabulary head that has been trained on replaced
    /// tokens (Replace MLM, All-Tokens MLM) and has seen no `[MASK]`. A copy gate, which no folder in the
    /// Hub's layout holds, plays no part.
    Unmasked,
    /// Σ log P(original | all tokens), of a discriminator.
    Discriminator,
    /// Σ log p(token | the tokens before it): the exact log-likelihood of a causal language model, in one pass.
    LogLikelihood,
    /// Σ log p(token | all others), each token masked in turn and predicted from the position before it: of a vocabulary
    /// head that was trained to predict masked tokens so (GPT-BERT, arXiv 2410.24159).
    MaskedNextToken,
    /// Σ −E of the tokens, E being the energy that the head of a discriminator gives: a pseudo-log-likelihood in one pass
    /// (Electric, arXiv 2012.08561).
    Energy,
    /// Σ log p(token | all others), each token in turn the one query of a second stream (XLNet, arXiv 1906.08237), which begins
    /// with the embedding of `[MASK]`.
    TwoStream,
}

impl Scoring {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::PseudoLogLikelihood,
        Self::Unmasked,
        Self::Discriminator,
        Self::LogLikelihood,
        Self::MaskedNextToken,
        Self::Energy,
        Self::TwoStream,
    ];

    /// As serde writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PseudoLogLikelihood => "pseudo-log-likelihood",
            Self::Unmasked => "unmasked",
            Self::Discriminator => "discriminator",
            Self::LogLikelihood => "log-likelihood",
            Self::MaskedNextToken => "masked-next-token",
            Self::Energy => "energy",
            Self::TwoStream => "two-stream",
        }
    }

    /// The score of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scoring| scoring.name() == name)
    }

    /// The class of networks that it is a score of.
    #[must_use]
    pub fn architecture(self) -> Architecture {
        match self {
            Self::PseudoLogLikelihood | Self::Unmasked | Self::TwoStream => Architecture::MaskedLm,
            Self::Discriminator | Self::Energy => Architecture::PreTraining,
            Self::LogLikelihood | Self::MaskedNextToken => Architecture::CausalLm,
        }
    }

    /// The score of a class of networks where nothing else is known of them, the first of [`ALL`](Self::ALL); `None` of a class without a head that scores
    /// tokens.
    #[must_use]
    pub fn of_architecture(architecture: Architecture) -> Option<Self> {
        Self::ALL.into_iter().find(|scoring| scoring.architecture() == architecture)
    }
}
