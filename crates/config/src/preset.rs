//! The settings of the paper's models.

use std::path::PathBuf;

use electra_masking::MaskingConfig;
use serde::{Deserialize, Serialize};

use crate::{
    BudgetConfig, CheckpointConfig, Config, DataConfig, DeviceChoice, DeviceConfig, EncoderConfig, LogConfig,
    NetworkConfig, OptimizerConfig, Precision, Tied,
};

/// A model size with all that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Not of the paper, for first steps: 2 layers, width 64; batch 32, learning rate 1e-3, which is where
    /// replaced token detection was seen to take off at this size.
    Tiny,
    /// ELECTRA-Small: 12 layers, width 256; batch 128, learning rate 5e-4.
    Small,
    /// ELECTRA-Base: 12 layers, width 768; batch 256, learning rate 2e-4.
    Base,
    /// ELECTRA-Large: 24 layers, width 1024; batch 2048, learning rate 2e-4, 25 % masked.
    Large,
}

impl Preset {
    fn encoder(self) -> EncoderConfig {
        match self {
            Self::Tiny => EncoderConfig::tiny(),
            Self::Small => EncoderConfig::small(),
            Self::Base => EncoderConfig::base(),
            Self::Large => EncoderConfig::large(),
        }
    }

    /// Another share than the 15 % that masking has by default.
    pub(crate) fn mask_prob(self) -> Option<f64> {
        (self == Self::Large).then_some(0.25)
    }
}

impl Config {
    /// A preset's settings, on this corpus, for one step: the budget is the caller's to set, and so are
    /// `vocab_size` and `pad_token_id` of the encoder, which the corpus decides.
    #[must_use]
    pub fn preset(preset: Preset, objective: &str, seed: u64, corpus: PathBuf) -> Self {
        let (batch, learning_rate, generator_multiplier) = match preset {
            Preset::Tiny => (32, 1e-3, 0.25),
            Preset::Small => (128, 5e-4, 0.25),
            Preset::Base => (256, 2e-4, 1.0 / 3.0),
            Preset::Large => (2048, 2e-4, 0.25),
        };
        let mut masking = MaskingConfig::electra();
        masking.mask_prob = preset.mask_prob().unwrap_or(masking.mask_prob);
        Self {
            preset,
            objective: objective.to_owned(),
            seed,
            data: DataConfig {
                corpus,
                tokenizer: None,
                valid: None,
                valid_examples: DataConfig::default_valid_examples(),
            },
            model: NetworkConfig {
                generator_multiplier,
                tied: Tied::AllEmbeddings,
                gen_weight: 1.0,
                disc_weight: 50.0,
                softmax_weight: 1.0,
                temperature: 1.0,
                encoder: preset.encoder(),
            },
            masking,
            optimizer: OptimizerConfig {
                learning_rate,
                warmup_steps: 10_000,
                warmup_share: 0.1,
                weight_decay: 0.01,
                betas: [0.9, 0.999],
                eps: 1e-6,
                clip: 1.0,
                bias_correction: false,
                max_skipped: 10,
            },
            budget: BudgetConfig {
                steps: Some(1),
                tokens: None,
                flops: None,
                seconds: None,
                batch,
                accumulation: 1,
            },
            checkpoint: CheckpointConfig { every_steps: 1000, keep: 2 },
            log: LogConfig { every_steps: 10, valid_every_steps: LogConfig::default_valid_every_steps() },
            device: DeviceConfig {
                device: DeviceChoice::Auto,
                threads: 0,
                precision: Precision::Fp32,
                deterministic: false,
                cuda_graphs: false,
            },
            init: None,
        }
    }
}
