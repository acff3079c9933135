//! The settings of a pre-training run.

use electra_masking::{MaskRate, MaskingConfig};
use electra_store::{Error, settings};
use serde::{Deserialize, Serialize};

use crate::{
    BudgetConfig, CheckpointConfig, DataConfig, DeviceConfig, InitConfig, Limit, LogConfig, NetworkConfig,
    OptimizerConfig, Preset, Schedule,
};

/// The largest encoder that is trained, in parameters: some ten times the largest that is published.
const MOST_PARAMETERS: f64 = 1e11;
/// The most examples of held-out text.
const MOST_VALID_EXAMPLES: usize = 1 << 20;

/// All settings of a run. [`PartialConfig`](crate::PartialConfig) makes it of a file in which the preset stands for
/// what is not set; the run's folder holds it whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the settings were taken from where the file did not say otherwise.
    pub preset: Preset,
    /// The objective's name, for whoever makes it; the trainer itself only keeps it.
    pub objective: String,
    /// Seed of the initial weights, order, masks, samples and dropout.
    pub seed: u64,
    /// What is read.
    pub data: DataConfig,
    /// The networks.
    pub model: NetworkConfig,
    /// What is masked.
    pub masking: MaskingConfig,
    /// How parameters are updated.
    pub optimizer: OptimizerConfig,
    /// How long the run is.
    pub budget: BudgetConfig,
    /// When state is saved.
    pub checkpoint: CheckpointConfig,
    /// When numbers are written.
    pub log: LogConfig,
    /// What the run is computed on.
    pub device: DeviceConfig,
    /// Checkpoints that the weights come from; without it they are drawn at random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<InitConfig>,
}

impl Config {
    /// The learning rate's course.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        Schedule {
            learning_rate: self.optimizer.learning_rate,
            warmup_steps: self.optimizer.warmup_steps,
            warmup_share: self.optimizer.warmup_share,
            begin: self.optimizer.schedule_begin,
        }
    }

    /// As TOML, every setting said.
    #[must_use]
    pub fn to_toml(&self) -> String {
        settings::to_toml(self)
    }

    /// Checks every setting; `origin` is what messages name.
    ///
    /// # Errors
    /// [`Error::Setting`] or [`Error::MissingKey`] for the first that is wrong.
    pub fn validate(&self, origin: &str) -> Result<(), Error> {
        let Self { data, optimizer, budget, checkpoint, log, device, model, .. } = self;
        let setting = |key: &str, found: &dyn ToString, right: bool, expected: &str| {
            let refused = || Error::Setting {
                origin: origin.to_owned(),
                key: key.to_owned(),
                found: found.to_string(),
                expected: expected.to_owned(),
            };
            right.then_some(()).ok_or_else(refused)
        };
        let above_0 = |key: &str, value: f64| {
            setting(key, &value, value > 0.0 && value.is_finite(), "a number above 0")
        };
        let not_below_0 = |key: &str, value: f64| {
            setting(key, &value, value >= 0.0 && value.is_finite(), "a number of at least 0")
        };
        let at_least_1 = |key: &str, value: u64| setting(key, &value, value >= 1, "at least 1");

        above_0("model.generator_multiplier", model.generator_multiplier)?;
        above_0("model.temperature", model.temperature)?;
        not_below_0("model.gen_weight", model.gen_weight)?;
        not_below_0("model.disc_weight", model.disc_weight)?;
        not_below_0("model.softmax_weight", model.softmax_weight)?;
        not_below_0("optimizer.learning_rate", optimizer.learning_rate)?;
        not_below_0("optimizer.weight_decay", optimizer.weight_decay)?;
        not_below_0("optimizer.eps", optimizer.eps)?;
        above_0("optimizer.clip", optimizer.clip)?;
        for beta in optimizer.betas {
            setting("optimizer.betas", &beta, (0.0..1.0).contains(&beta), "two numbers from 0 to below 1")?;
        }
        let share = optimizer.warmup_share;
        setting("optimizer.warmup_share", &share, (0.0..=1.0).contains(&share), "a share from 0 to 1")?;
        let begin = optimizer.schedule_begin;
        let is_before_the_end = (0.0..1.0).contains(&begin);
        setting("optimizer.schedule_begin", &begin, is_before_the_end, "a share from 0 to below 1")?;
        at_least_1("optimizer.max_skipped", optimizer.max_skipped)?;

        match budget.limit(origin)? {
            Limit::Steps(steps) => at_least_1("budget.steps", steps)?,
            Limit::Tokens(tokens) => at_least_1("budget.tokens", tokens)?,
            Limit::Flops(flops) => above_0("budget.flops", flops)?,
            Limit::Seconds(seconds) => above_0("budget.seconds", seconds)?,
        }
        at_least_1("budget.batch", budget.batch as u64)?;
        at_least_1("budget.accumulation", budget.accumulation as u64)?;
        let even = budget.batch.is_multiple_of(budget.accumulation);
        let expected = format!("a number that divides budget.batch, {}", budget.batch);
        setting("budget.accumulation", &budget.accumulation, even, &expected)?;
        at_least_1("checkpoint.every_steps", checkpoint.every_steps)?;
        at_least_1("checkpoint.keep", checkpoint.keep as u64)?;
        at_least_1("log.every_steps", log.every_steps)?;
        at_least_1("log.valid_every_steps", log.valid_every_steps)?;
        // They are kept in memory.
        let examples = data.valid_examples;
        let expected = format!("1 to {MOST_VALID_EXAMPLES}");
        let is_possible = (1..=MOST_VALID_EXAMPLES).contains(&examples);
        setting("data.valid_examples", &examples, is_possible, &expected)?;
        let threads = device.threads;
        setting("device.threads", &threads, threads <= 4096, "0 for all cores, or a number up to 4096")?;
        let whole = !device.cuda_graphs || budget.accumulation == 1;
        setting("device.cuda_graphs", &true, whole, "false, or budget.accumulation = 1")?;
        // TOML's integers end at 2⁶³ - 1.
        let most = i64::MAX as u64;
        setting("seed", &self.seed, self.seed <= most, &format!("0 to {most}"))?;
        let located = |section: &str, message: &dyn ToString| Error::Toml {
            origin: origin.to_owned(),
            message: format!("{section}{}", message.to_string()),
        };
        self.masking.validate().map_err(|error| located("masking.", &error))?;
        let rate = self.masking.mask_prob;
        let is_timed = budget.seconds.is_some() && matches!(rate, MaskRate::Linear { .. });
        let expected = "one rate, or a budget of steps, tokens or flops: masks are no function of the time";
        setting("masking.mask_prob", &rate, !is_timed, expected)?;
        model.encoder.validate().map_err(|error| located("model.encoder.", &error))?;
        // A folder's sizes are compared with its weights; here nothing else stands in the way of a slip.
        let encoder = &model.encoder;
        for (field, size, most) in [
            ("num_hidden_layers", encoder.num_hidden_layers, 1 << 10),
            ("vocab_size", encoder.vocab_size, 1 << 24),
            ("max_position_embeddings", encoder.max_position_embeddings, 1 << 20),
            ("type_vocab_size", encoder.type_vocab_size, 1 << 16),
        ] {
            let key = format!("model.encoder.{field}");
            setting(&key, &size, size <= most, &format!("1 to {most}"))?;
        }
        let generator = model.model().generator;
        let valid = generator.validate();
        valid.map_err(|error| located("the generator of model.generator_multiplier: ", &error))?;
        for (key, parameters) in
            [("model.encoder", encoder.parameters()), ("model.generator_multiplier", generator.parameters())]
        {
            let expected = format!("sizes that give at most {MOST_PARAMETERS:e}");
            let found = format!("{parameters:e} parameters");
            setting(key, &found, parameters <= MOST_PARAMETERS, &expected)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_no_machine_holds_are_refused_before_anything_is_made() {
        let refused = |change: fn(&mut crate::EncoderConfig)| {
            let mut config = Config::preset(Preset::Tiny, "mlm", 1, "corpus".into());
            config.budget.steps = Some(1);
            config.validate("run.toml").unwrap();
            change(&mut config.model.encoder);
            config.validate("run.toml").unwrap_err().to_string()
        };
        for (change, expected) in [
            (
                (|encoder| encoder.num_hidden_layers = 2_147_483_647) as fn(&mut crate::EncoderConfig),
                "num_hidden_layers: 2147483647; expected 1 to 1024",
            ),
            (|encoder| encoder.vocab_size = 2_147_483_647, "vocab_size: 2147483647; expected 1 to 16777216"),
            (
                |encoder| encoder.max_position_embeddings = 1 << 21,
                "max_position_embeddings: 2097152; expected 1 to 1048576",
            ),
            (|encoder| encoder.type_vocab_size = 1 << 30, "type_vocab_size: 1073741824; expected 1 to 65536"),
        ] {
            assert_eq!(refused(change), format!("run.toml: model.encoder.{expected}"));
        }
        for change in [
            (|encoder| encoder.embedding_size = 2_147_483_647) as fn(&mut crate::EncoderConfig),
            |encoder| encoder.intermediate_size = 2_147_483_647,
            |encoder| encoder.hidden_size = 1 << 20,
        ] {
            let message = refused(change);
            let end = " parameters; expected sizes that give at most 1e11";
            assert!(message.starts_with("run.toml: model.encoder: ") && message.ends_with(end), "{message}");
        }
        let mut config = Config::preset(Preset::Tiny, "electra", 1, "corpus".into());
        config.budget.steps = Some(1);
        config.model.generator_multiplier = 1e6;
        let message = config.validate("run.toml").unwrap_err().to_string();
        assert!(message.starts_with("run.toml: model.generator_multiplier: "), "{message}");
    }
}
