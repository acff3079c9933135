//! The settings of the paper's models.

use std::path::PathBuf;

use electra_masking::{MaskRate, MaskingConfig};
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
    /// RoBERTa's recipe at the sizes of Base (Liu et al., arXiv 1907.11692, Table 9): batch 8192, learning rate 6e-4, 24,000
    /// steps of warm-up but at most 6 % of the run, β₂ 0.98. It is meant for the objective `mlm`, whose masks are drawn anew
    /// at each step in every preset, and for a corpus of one segment. RoBERTa does not clip gradients and has a vocabulary of
    /// 50,000 byte pairs; here the norm is clipped at 1, and the vocabulary is the corpus's.
    Roberta,
    /// ModernBERT's architecture for first steps: 2 layers, width 64; the rest as `tiny`.
    ModernTiny,
    /// The network of `jhu-clsp/ettin-encoder-17m`: 7 layers, width 256; the rest as `small`.
    #[serde(rename = "ettin-17m")]
    Ettin17m,
    /// The network of `answerdotai/ModernBERT-base`: 22 layers, width 768; the rest as `base`.
    ModernbertBase,
}

impl Preset {
    fn encoder(self) -> EncoderConfig {
        match self {
            Self::Tiny => EncoderConfig::tiny(),
            Self::Small => EncoderConfig::small(),
            Self::Base | Self::Roberta => EncoderConfig::base(),
            Self::Large => EncoderConfig::large(),
            Self::ModernTiny => EncoderConfig::modern_tiny(),
            Self::Ettin17m => EncoderConfig::ettin_17m(),
            Self::ModernbertBase => EncoderConfig::modernbert_base(),
        }
    }

    /// Another share than the 15 % that masking has by default.
    pub(crate) fn mask_prob(self) -> Option<MaskRate> {
        (self == Self::Large).then_some(MaskRate::Fixed(0.25))
    }
}

impl Config {
    /// A preset's settings, on this corpus, for one step: the budget is the caller's to set, and so are
    /// `vocab_size` and `pad_token_id` of the encoder, which the corpus decides.
    #[must_use]
    pub fn preset(preset: Preset, objective: &str, seed: u64, corpus: PathBuf) -> Self {
        let (batch, learning_rate, generator_multiplier) = match preset {
            Preset::Tiny | Preset::ModernTiny => (32, 1e-3, 0.25),
            Preset::Small | Preset::Ettin17m => (128, 5e-4, 0.25),
            Preset::Base | Preset::ModernbertBase => (256, 2e-4, 1.0 / 3.0),
            Preset::Large => (2048, 2e-4, 0.25),
            Preset::Roberta => (8192, 6e-4, 1.0 / 3.0),
        };
        let (warmup_steps, warmup_share, betas) = match preset {
            Preset::Roberta => (24_000, 0.06, [0.9, 0.98]),
            _ => (10_000, 0.1, [0.9, 0.999]),
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
                warmup_steps,
                warmup_share,
                schedule_begin: 0.0,
                weight_decay: 0.01,
                betas,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn robertas_recipe_is_its_table_9() {
        let of = |preset| Config::preset(preset, "mlm", 1, PathBuf::from("corpus"));
        let (roberta, base) = (of(Preset::Roberta), of(Preset::Base));
        assert_eq!(roberta.model, base.model);
        assert_eq!((roberta.budget.batch, roberta.masking.clone()), (8192, base.masking));
        let OptimizerConfig { learning_rate, warmup_steps, betas, eps, weight_decay, .. } = roberta.optimizer;
        assert_eq!(
            (learning_rate, warmup_steps, betas, eps, weight_decay),
            (6e-4, 24_000, [0.9, 0.98], 1e-6, 0.01)
        );
        // 500,000 steps have the published warm-up, and short runs 6 %.
        let schedule = roberta.schedule();
        assert!(schedule.is_warm(24_000, 24e3 / 5e5) && !schedule.is_warm(23_999, 23_999.0 / 5e5));
        assert!(schedule.is_warm(60, 0.06) && !schedule.is_warm(59, 0.059));
        roberta.validate("run.toml").unwrap();
    }
}
