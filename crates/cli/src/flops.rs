//! `electra flops`.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use electra_config::{Config, Convention, StepShape};
use electra_masking::MaskRate;
use serde_json::json;

use crate::output;

/// Count the floating-point operations of a training step and of a whole run.
///
/// The command counts by two conventions. "paper" is the convention of the paper's tables: training is twice a forward pass,
/// an embedding look-up is a product with the table, and 5 of 32 tokens are masked whatever the mask rate. "executed" is what
/// a computer does: training is three forward passes, a look-up is free, and the mask rate is the preset's or --mask-prob. If
/// the rate changes during a run or is random, its mean counts.
#[derive(Args)]
#[command(after_help = "Examples:
  electra flops --preset small --objective electra
  electra flops --preset small --objective mlm --steps 1450000 --json
  electra flops --preset base --objective electra --generator-multiplier 0.5 --batch 64 --max-length 128
  electra flops --preset roberta --objective mlm --mask-prob 0.3..0.15")]
pub(crate) struct Options {
    /// Sizes, and what the paper trained them with
    #[arg(long, value_enum, value_name = "NAME")]
    preset: Preset,
    /// Objective, such as mlm, electra, electra-15, replace-mlm or all-tokens-mlm
    #[arg(long, value_name = "NAME")]
    objective: String,
    /// Width of the generator over width of the encoder [default: the preset's]
    #[arg(long, value_name = "X")]
    generator_multiplier: Option<f64>,
    /// Share of tokens that is masked: a number, two as in 0.3..0.15, or uniform; both conventions use it
    #[arg(long, value_name = "SHARE")]
    mask_prob: Option<MaskRate>,
    /// Rows in a step [default: the preset's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    batch: Option<u64>,
    /// Tokens in a row, padding included [default: the preset's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    max_length: Option<u64>,
    /// Steps of the run [default: the preset's for this objective]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Preset {
    /// 2 layers, width 64; not in the paper
    Tiny,
    /// 12 layers, width 256
    Small,
    /// 12 layers, width 768
    Base,
    /// 24 layers, width 1024
    Large,
    /// RoBERTa's recipe at the sizes of base
    Roberta,
    /// ModernBERT's architecture: 2 layers, width 64
    ModernTiny,
    /// The network of jhu-clsp/ettin-encoder-17m: 7 layers, width 256
    #[value(name = "ettin-17m")]
    Ettin17m,
    /// The network of answerdotai/ModernBERT-base: 22 layers, width 768
    ModernbertBase,
}

/// How long the paper trained a size, or the one that is nearest, on rows of which length (Table 6, and §3.4 for the steps that give BERT
/// and ELECTRA equal FLOPs).
struct Training {
    max_length: u64,
    bert_steps: u64,
    electra_steps: u64,
}

impl Preset {
    fn config(self, objective: &str) -> Config {
        let preset = match self {
            Self::Tiny => electra_config::Preset::Tiny,
            Self::Small => electra_config::Preset::Small,
            Self::Base => electra_config::Preset::Base,
            Self::Large => electra_config::Preset::Large,
            Self::Roberta => electra_config::Preset::Roberta,
            Self::ModernTiny => electra_config::Preset::ModernTiny,
            Self::Ettin17m => electra_config::Preset::Ettin17m,
            Self::ModernbertBase => electra_config::Preset::ModernbertBase,
        };
        Config::preset(preset, objective, 0, PathBuf::new())
    }

    fn training(self) -> Training {
        let (max_length, bert_steps, electra_steps) = match self {
            Self::Tiny | Self::ModernTiny => (128, 1000, 1000),
            Self::Small | Self::Ettin17m => (128, 1_450_000, 1_000_000),
            Self::Base | Self::ModernbertBase => (512, 1_000_000, 766_000),
            Self::Large => (512, 464_000, 400_000),
            Self::Roberta => (512, 500_000, 500_000),
        };
        Training { max_length, bert_steps, electra_steps }
    }
}

/// One convention's numbers.
struct Count {
    name: &'static str,
    /// Masked positions in a row, on average.
    masked: f64,
    step: f64,
    total: f64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut config = options.preset.config(&options.objective);
    let training = options.preset.training();
    if let Some(multiplier) = options.generator_multiplier {
        config.model.generator_multiplier = multiplier;
    }
    let model = config.model.model();
    let objective = electra_ablations::info(&options.objective)?;
    let has_generator = objective.has_generator;
    if has_generator {
        model.generator.validate().context("--generator-multiplier")?;
    }
    ensure!(
        has_generator || options.generator_multiplier.is_none(),
        "--generator-multiplier: the objective {} has no generator",
        options.objective
    );

    let trained = if objective.reads_masks { training.bert_steps } else { training.electra_steps };
    let steps = options.steps.unwrap_or(trained);
    let batch = options.batch.unwrap_or(config.budget.batch as u64);
    let length = options.max_length.unwrap_or(training.max_length);
    if let Some(rate) = options.mask_prob {
        config.masking.mask_prob = rate;
    }
    let masked = config.masking.expected_count(length as usize);
    let count = |name, convention: Convention, masked| {
        let step = objective.flops(&model, StepShape { batch, length, masked }, convention);
        Count { name, masked, step, total: step * steps as f64 }
    };
    let counts = [
        // The reference's program has this share as a constant, and the paper's Large, which masks 25 %, too.
        count("paper", Convention::Paper, options.mask_prob.map_or((length * 5 / 32) as f64, |_| masked)),
        count("executed", Convention::Executed, masked),
    ];
    if options.json {
        let mut report = json!({
            "objective": options.objective,
            "generator_multiplier": has_generator.then_some(config.model.generator_multiplier),
            "batch": batch,
            "max_length": length,
            "steps": steps,
        });
        for Count { name, masked, step, total } in counts {
            let masked = if masked.fract() == 0.0 { json!(masked as u64) } else { json!(masked) };
            report[name] = json!({ "masked": masked, "flops_per_step": step, "flops": total });
        }
        return output::line(report);
    }
    let mut text = format!(
        "{steps} steps of {batch} × {length} tokens\n{:<12}{:>8}{:>12}{:>12}\n",
        "convention", "masked", "per step", "in total"
    );
    for Count { name, masked, step, total } in counts {
        let (step, total) = (format!("{step:.3e}"), format!("{total:.3e}"));
        let masked = if masked.fract() == 0.0 { format!("{masked}") } else { format!("{masked:.1}") };
        text.push_str(&format!("{name:<12}{masked:>8}{step:>12}{total:>12}\n"));
    }
    output::print(&text)
}
