//! The sections of a run's settings.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{EncoderConfig, Limit, ModelConfig, Tied};

/// What is read. Paths are as a command's arguments: from the folder where the program is started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// A folder of `electra corpus build`.
    pub corpus: PathBuf,
    /// The tokenizer's folder, which an export takes along; the trainer itself reads the corpus only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<PathBuf>,
    /// A folder of `electra corpus build` with text that is not trained on, by the same tokenizer. The run measures there
    /// what it measures of its own batches, without dropout; the training does not change by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<PathBuf>,
    /// How many examples of it are read each time, all if it has fewer. They, their masks and the samples that replace
    /// them are the same each time and in every run. 256.
    #[serde(default = "DataConfig::default_valid_examples")]
    pub valid_examples: usize,
}

impl DataConfig {
    pub(crate) fn default_valid_examples() -> usize {
        256
    }
}

/// The networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Width of the generator over width of the encoder. Paper, Table 6: 1/4 (Small, Large), 1/3 (Base).
    pub generator_multiplier: f64,
    /// What the two have in common. Paper: all embeddings.
    pub tied: Tied,
    /// Weight of the generator's loss. Paper: 1.
    pub gen_weight: f64,
    /// λ, the weight of a main loss that is a sigmoid's. Paper: 50.
    pub disc_weight: f64,
    /// Weight of a main loss that is a softmax's; the paper gives none. 1.
    pub softmax_weight: f64,
    /// What the generator's logits are divided by before sampling. Paper: 1.
    pub temperature: f64,
    /// The encoder that is kept. Not said, `vocab_size` and `pad_token_id` are the corpus's.
    pub encoder: EncoderConfig,
}

impl NetworkConfig {
    /// What objectives are made from.
    #[must_use]
    pub fn model(&self) -> ModelConfig {
        ModelConfig {
            tied: self.tied,
            gen_weight: self.gen_weight,
            disc_weight: self.disc_weight,
            softmax_weight: self.softmax_weight,
            temperature: self.temperature,
            ..ModelConfig::paper(self.encoder.clone(), self.generator_multiplier)
        }
    }
}

/// How parameters are updated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// The base of the schedule. Paper, Table 6: 5e-4 (Small), 2e-4 (Base, Large).
    pub learning_rate: f64,
    /// Warm-up in steps; 0 for none. Paper: 10,000.
    pub warmup_steps: u64,
    /// Warm-up as a share of the whole run at most. 0.1, so that a run of 1,000 steps is not all warm-up;
    /// the paper's runs are long enough for it not to matter.
    pub warmup_share: f64,
    /// How much of the schedule is over where the run begins, from 0 to below 1: of a run that goes on from a checkpoint
    /// whose learning rate had not come to its end. The rate goes down from there; the warm-up is the run's own. 0.
    #[serde(default, skip_serializing_if = "is_0")]
    pub schedule_begin: f64,
    /// Decoupled weight decay, times the learning rate; none for LayerNorm and biases. Paper: 0.01.
    pub weight_decay: f64,
    /// Decay of the running means of gradients and of their squares. Paper: 0.9, 0.999.
    pub betas: [f64; 2],
    /// Added outside the square root. Paper: 1e-6.
    pub eps: f64,
    /// The global norm that gradients are clipped to, of all parameters together. Reference: 1.
    pub clip: f64,
    /// Whether the running means are corrected for their start at 0. Reference: no.
    pub bias_correction: bool,
    /// How many steps in a row may have a loss or gradient that is not finite before the run stops.
    pub max_skipped: u64,
}

// Settings from before there was a choice do not say it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_0(value: &f64) -> bool {
    *value == 0.0
}

/// How long the run is: one of `steps`, `tokens`, `flops` and `seconds`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetConfig {
    /// Steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Tokens: rows · L for each step, padding included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Floating-point operations as the paper counts them; a number, or text such as "1.3e15".
    #[serde(default, deserialize_with = "number_or_text", skip_serializing_if = "Option::is_none")]
    pub flops: Option<f64>,
    /// Seconds of training, over all sittings together; what is lost by a kill does not count. Such a run
    /// ends with other bytes each time, as its learning rate follows the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// B, examples of a step. Paper, Table 6: 128 (Small), 256 (Base), 2048 (Large).
    pub batch: usize,
    /// In how many parts, one after another, a step's batch is computed, for less memory. Losses divide by the counts of the
    /// whole step, so the parts change nothing but rounding.
    pub accumulation: usize,
}

impl BudgetConfig {
    /// The one limit that is set; `origin` is what messages name.
    ///
    /// # Errors
    /// If none is set, or more than one.
    pub fn limit(&self, origin: &str) -> Result<Limit, electra_store::Error> {
        let set = [
            self.steps.map(Limit::Steps),
            self.tokens.map(Limit::Tokens),
            self.flops.map(Limit::Flops),
            self.seconds.map(Limit::Seconds),
        ];
        let mut set = set.into_iter().flatten();
        let expected = "one of budget.steps, budget.tokens, budget.flops and budget.seconds";
        match (set.next(), set.count()) {
            (Some(limit), 0) => Ok(limit),
            (None, _) => {
                Err(electra_store::Error::MissingKey { origin: origin.to_owned(), key: "budget", expected })
            }
            (Some(_), more) => Err(electra_store::Error::Setting {
                origin: origin.to_owned(),
                key: "budget".to_owned(),
                found: format!("{} limits", more + 1),
                expected: expected.to_owned(),
            }),
        }
    }
}

/// `1.3e15` or `"1.3e15"`.
fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a number, or a number as text such as \"1.3e15\"")]
    enum Written {
        Number(f64),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Number(number) => Ok(Some(number)),
        Written::Text(text) => text.trim().parse().map(Some).map_err(|_| {
            serde::de::Error::custom(format!("budget.flops: {text:?}; expected a number such as \"1.3e15\""))
        }),
    }
}

/// When state is saved. The end of a run and an interrupt are saved in any case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointConfig {
    /// After every so many steps.
    pub every_steps: u64,
    /// How many checkpoints are kept, the newest.
    pub keep: usize,
}

/// When numbers are written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// After every so many steps.
    pub every_steps: u64,
    /// After every so many steps, and after the last, `data.valid` is measured too, if there is one: these are log steps
    /// as well. 100.
    #[serde(default = "LogConfig::default_valid_every_steps")]
    pub valid_every_steps: u64,
}

impl LogConfig {
    pub(crate) fn default_valid_every_steps() -> u64 {
        100
    }
}

/// What the run is computed on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceConfig {
    /// `cpu`, `cuda`, `cuda:1` and so on, or `auto`: CUDA where there is a device.
    pub device: DeviceChoice,
    /// libtorch's threads on the CPU; 0 for as many as there are cores. The bytes that a run ends with
    /// depend on it.
    pub threads: usize,
    /// What matrix products of the forward and backward pass are computed in.
    pub precision: Precision,
    /// Deterministic algorithms on CUDA too, where some functions have none and refuse, and products ask for
    /// `CUBLAS_WORKSPACE_CONFIG=:4096:8` in the environment. On the CPU they are always used; there it also makes the bytes
    /// independent of the number of processes, which `budget.accumulation` parts are then shared out to.
    pub deterministic: bool,
    /// On CUDA, a step is recorded once and then started as a whole, which is for sizes whose kernels take longer to start
    /// than to compute. Nothing else changes; logged steps are computed as ever. The CPU has none of it.
    #[serde(default)]
    pub cuda_graphs: bool,
}

/// A device, or how to choose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceChoice {
    /// `auto`: CUDA where there is a device, the CPU elsewhere.
    Auto,
    /// `cpu`.
    Cpu,
    /// `cuda`: the first CUDA device; of several processes of a machine that train one run, each has its own.
    Cuda,
    /// `cuda:N`: the CUDA device of that number, from 0.
    CudaAt(usize),
}

impl TryFrom<String> for DeviceChoice {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            other => {
                let index = other
                    .strip_prefix("cuda:")
                    .filter(|index| index.starts_with(|c: char| c.is_ascii_digit()));
                let index = index.and_then(|index| index.parse().ok()).map(Self::CudaAt);
                index.ok_or_else(|| format!("{name:?}; expected auto, cpu, cuda, or cuda:N such as cuda:1"))
            }
        }
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> Self {
        choice.to_string()
    }
}

impl std::fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda => f.write_str("cuda"),
            Self::CudaAt(index) => write!(f, "cuda:{index}"),
        }
    }
}

/// A kind of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// float32 throughout.
    Fp32,
    /// Matrix products in bfloat16, their sums, parameters, optimizer and losses in float32. On the CPU everything
    /// between two products is in float32 too; on CUDA it is as autocast has it.
    Bf16,
    /// `bf16` where it was measured to be faster: on CUDA, and on processors with AMX or, by AMD, AVX512-BF16. Elsewhere
    /// `fp32`.
    Auto,
}

/// Weights to begin with, from folders in the Hub's layout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitConfig {
    /// Folder of the encoder, and of its head if the objective has the same head.
    pub discriminator: PathBuf,
    /// Folder of the generator. Without it, the generator is drawn at random, except for the parameters that it shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generator: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_the_names_of_pytorch() {
        let read = |name: &str| DeviceChoice::try_from(name.to_owned());
        for name in ["auto", "cpu", "cuda", "cuda:0", "cuda:13"] {
            assert_eq!(read(name).unwrap().to_string(), name);
        }
        assert_eq!(read("cuda:2"), Ok(DeviceChoice::CudaAt(2)));
        for name in ["gpu", "cuda:", "cuda:-1", "cuda:+1", "cuda:x", "Cuda"] {
            let message = read(name).unwrap_err();
            assert_eq!(message, format!("{name:?}; expected auto, cpu, cuda, or cuda:N such as cuda:1"));
        }
    }
}
