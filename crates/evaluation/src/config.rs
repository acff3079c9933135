//! The settings of a fine-tuning.

use electra_config::{DeviceChoice, Precision};
use electra_encoder::EncoderConfig;
use electra_store::settings::{Assignment, Origin, to_table};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::Error;

/// Where a `--set` comes from, in messages.
const SET: &str = "--set";

/// Which values a recipe begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// The paper's Table 7, computed as the reference does: no bias correction.
    Paper,
    /// What Mosbach, Andriushchenko and Klakow ("On the Stability of Fine-tuning BERT", 2021) found to be
    /// stable: bias correction, and 20 epochs where there are few examples.
    Practice,
}

/// The exponents of the layer-wise decay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerwiseDecay {
    /// Head 0, layer i of n (from 0) n − i, embeddings n + 1.
    Paper,
    /// One more for all but the head, as the released code has it.
    Reference,
}

/// What is between the encoder and the classes of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadShape {
    /// Dropout, linear: the paper's.
    Paper,
    /// Dropout, dense, GELU, dropout, linear: `ElectraForSequenceClassification`'s.
    Transformers,
}

/// Which vector stands for a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// That of `[CLS]`.
    Cls,
    /// The mean over all tokens, special ones too.
    Mean,
}

/// The form of a sequence's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) head: HeadShape,
    pub(crate) pooling: Pooling,
}

/// Which epoch's parameters are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Epoch {
    /// The last epoch's.
    Last,
    /// Those with the best score on the dev set, the first of equals. The dev score is then a maximum over
    /// epochs and no longer an unbiased one.
    Best,
}

/// All settings of a fine-tuning but task and seed. Presets are constructors; [`Recipe::set`] changes one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What the others were taken from where nothing else was said.
    pub preset: Preset,
    /// The base of the schedule (1 − t/T) · min(1, t/warm-up). Paper: 3e-4 Small, 1e-4 Base, 5e-5 Large.
    pub learning_rate: f64,
    /// The factor on the learning rate from one layer to the one below; 1 for none. Paper: 0.8, Large 0.9.
    pub layer_decay: f64,
    /// The exponents of that factor.
    pub layerwise_decay: LayerwiseDecay,
    /// Warm-up as a share of all steps. Paper: 0.1.
    pub warmup_share: f64,
    /// Examples a step. Paper: 32.
    pub batch: usize,
    /// Passes over the training set. Paper: 10 for RTE and STS-B, 2 for SQuAD, 3 otherwise.
    pub epochs: u64,
    /// Decoupled weight decay, times the learning rate; none for LayerNorm and biases. Paper: 0.
    pub weight_decay: f64,
    /// Decay of the running means of gradients and of their squares. Reference: 0.9, 0.999.
    pub betas: [f64; 2],
    /// Added outside the square root. Reference: 1e-6.
    pub eps: f64,
    /// Whether the running means are corrected for their start at 0. Reference: no.
    pub bias_correction: bool,
    /// The global norm that gradients are clipped to. Reference: 1.
    pub clip: f64,
    /// Dropout in the encoder, on its attention and before the classifier. Paper: 0.1.
    pub dropout: f64,
    /// The head of a sequence task; the others have but one.
    pub head: HeadShape,
    /// The vector that the head of a sequence task sees. Paper: `[CLS]`.
    pub pooling: Pooling,
    /// Longest row in tokens; longer texts are cut. Reference: 128, for SQuAD 512.
    pub max_length: usize,
    /// Spans: tokens by which one window of a long text begins after the other. Reference: 128.
    pub stride: usize,
    /// Spans: longest answer in tokens. Reference: 30.
    pub max_answer: usize,
    /// Spans: starts and ends that are looked at for each window, the likeliest. Reference: 20.
    pub n_best: usize,
    /// Spans: how much more "no answer" has to score than the best answer to be the answer.
    pub none_threshold: f64,
    /// The parameters that are kept.
    pub checkpoint: Epoch,
    /// Whether the dev set is scored after every epoch, for the curve, and not at the end alone.
    pub score_epochs: bool,
    /// Steps between two lines of the curve.
    pub log_every_steps: u64,
    /// What it is computed on.
    pub device: DeviceChoice,
    /// What the encoder's matrix products are computed in; the head is in float32.
    #[serde(default = "fp32")]
    pub precision: Precision,
    /// Threads of libtorch; 0 for as many as there are cores. On the CPU the bytes of a result are a function
    /// of this number too.
    pub threads: usize,
}

/// What of a task decides values of a preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskSize {
    /// Epochs that the paper or the task's file names.
    pub epochs: Option<u32>,
    /// Whether answers are spans of the text.
    pub is_spans: bool,
    /// Examples to train on.
    pub examples: usize,
}

/// What recipes were computed in before they said it.
fn fp32() -> Precision {
    Precision::Fp32
}

impl Recipe {
    /// The values of a preset for an encoder and a task.
    #[must_use]
    pub fn preset(preset: Preset, encoder: &EncoderConfig, task: TaskSize) -> Self {
        match preset {
            Preset::Paper => Self::paper(encoder, task),
            Preset::Practice => Self::practice(encoder, task),
        }
    }

    /// The paper's Table 7. An encoder narrower than Small takes Small's values.
    #[must_use]
    pub fn paper(encoder: &EncoderConfig, task: TaskSize) -> Self {
        let (learning_rate, layer_decay) = match encoder.hidden_size {
            1024.. => (5e-5, 0.9),
            768.. => (1e-4, 0.8),
            _ => (3e-4, 0.8),
        };
        let most = usize::try_from(encoder.max_position_embeddings).unwrap_or(usize::MAX);
        Self {
            preset: Preset::Paper,
            learning_rate,
            layer_decay,
            layerwise_decay: LayerwiseDecay::Paper,
            warmup_share: 0.1,
            batch: 32,
            epochs: match task {
                TaskSize { epochs: Some(epochs), .. } => epochs.into(),
                TaskSize { is_spans: true, .. } => 2,
                _ => 3,
            },
            weight_decay: 0.0,
            betas: [0.9, 0.999],
            eps: 1e-6,
            bias_correction: false,
            clip: 1.0,
            dropout: 0.1,
            head: HeadShape::Paper,
            pooling: Pooling::Cls,
            max_length: most.min(if task.is_spans { 512 } else { 128 }),
            stride: 128,
            max_answer: 30,
            n_best: 20,
            none_threshold: 0.0,
            checkpoint: Epoch::Last,
            score_epochs: true,
            log_every_steps: 10,
            device: DeviceChoice::Auto,
            precision: fp32(),
            threads: 0,
        }
    }

    /// The paper's, with bias correction, weight decay 0.01, and 20 epochs where there are fewer than 10,000
    /// examples. The last epoch's parameters are kept here too: a best epoch chosen on the dev set would
    /// flatter the dev score.
    #[must_use]
    pub fn practice(encoder: &EncoderConfig, task: TaskSize) -> Self {
        let paper = Self::paper(encoder, task);
        Self {
            preset: Preset::Practice,
            bias_correction: true,
            weight_decay: 0.01,
            epochs: if task.examples < 10_000 { 20 } else { paper.epochs },
            ..paper
        }
    }

    /// As a TOML table, every key said.
    #[must_use]
    pub fn to_table(&self) -> Table {
        to_table(self)
    }

    /// Puts `key=value` in. The value is TOML, or text that needs no quotes.
    ///
    /// # Errors
    /// If there is no `=`, the key is unknown, or the value is of another kind.
    pub fn set(&mut self, assignment: &str) -> Result<(), Error> {
        let mut table = self.to_table();
        let Assignment { key, mut value } = Assignment::parse(assignment, "epochs=5", |_| false)?;
        if !table.contains_key(&key) {
            let known = table.keys().cloned().collect();
            return Err(Error::UnknownKey { origin: SET.to_owned(), key, known });
        }
        // A whole number is a number: `learning_rate=1`.
        if let (Value::Float(_), Value::Integer(whole)) = (&table[&key], &value) {
            value = Value::Float(*whole as f64);
        }
        table.insert(key, value);
        *self = Origin { name: SET, text: None, set: &[assignment.to_owned()] }.read(table)?;
        Ok(())
    }

    /// Checks every setting; `origin` is what messages name, `encoder` what the rows have to fit.
    ///
    /// # Errors
    /// [`Error::Setting`] for the first that is wrong.
    pub fn validate(&self, origin: &str, encoder: &EncoderConfig) -> Result<(), Error> {
        let setting = |key: &str, found: &dyn ToString, right: bool, expected: &str| {
            let refused = || Error::Setting {
                origin: origin.to_owned(),
                key: key.to_owned(),
                found: found.to_string(),
                expected: expected.to_owned(),
            };
            right.then_some(()).ok_or_else(refused)
        };
        let not_below_0 = |key: &str, value: f64| {
            setting(key, &value, value >= 0.0 && value.is_finite(), "a number of at least 0")
        };
        let at_least_1 = |key: &str, value: u64| setting(key, &value, value >= 1, "at least 1");

        not_below_0("learning_rate", self.learning_rate)?;
        not_below_0("weight_decay", self.weight_decay)?;
        not_below_0("eps", self.eps)?;
        let decay = self.layer_decay;
        setting("layer_decay", &decay, decay > 0.0 && decay <= 1.0, "a number above 0 and at most 1")?;
        let share = self.warmup_share;
        setting("warmup_share", &share, (0.0..=1.0).contains(&share), "a share from 0 to 1")?;
        for beta in self.betas {
            setting("betas", &beta, (0.0..1.0).contains(&beta), "two numbers from 0 to below 1")?;
        }
        let threshold = self.none_threshold;
        setting("none_threshold", &threshold, !threshold.is_nan(), "a number")?;
        setting("clip", &self.clip, self.clip > 0.0, "a number above 0")?;
        let dropout = self.dropout;
        setting("dropout", &dropout, (0.0..1.0).contains(&dropout), "at least 0 and below 1")?;
        at_least_1("batch", self.batch as u64)?;
        at_least_1("epochs", self.epochs)?;
        at_least_1("stride", self.stride as u64)?;
        at_least_1("max_answer", self.max_answer as u64)?;
        at_least_1("n_best", self.n_best as u64)?;
        at_least_1("log_every_steps", self.log_every_steps)?;
        let most = encoder.max_position_embeddings;
        let fits = self.max_length >= 4 && self.max_length as i64 <= most;
        let expected = format!("4 to {most}, the encoder's max_position_embeddings");
        setting("max_length", &self.max_length, fits, &expected)?;
        setting("threads", &self.threads, self.threads <= 4096, "0 for all cores, or a number up to 4096")
    }

    /// The encoder with this recipe's dropout.
    pub(crate) fn encoder(&self, encoder: &EncoderConfig) -> EncoderConfig {
        EncoderConfig {
            hidden_dropout_prob: self.dropout,
            attention_probs_dropout_prob: self.dropout,
            ..encoder.clone()
        }
    }

    /// The form of a sequence's head.
    pub(crate) fn form(&self) -> Form {
        Form { head: self.head, pooling: self.pooling }
    }

    /// The factor on the learning rate of a parameter, by its Hub name, in an encoder of `layers` layers.
    ///
    /// # Formula
    /// d^k with k = 0 for the head, n − i for layer i of n, n + 1 for embeddings and their projection (paper,
    /// appendix A), and 1 for the LayerNorm behind `ModernBERT`'s layers; with [`LayerwiseDecay::Reference`] k is one more for all but the head.
    #[must_use]
    pub fn lr_scale(&self, name: &str, layers: i64) -> f64 {
        let Some(name) = name.strip_prefix("electra.") else { return 1.0 };
        // ELECTRA's layers, and ModernBERT's.
        let of_layer = name.strip_prefix("encoder.layer.").or_else(|| name.strip_prefix("layers."));
        let layer: Option<i32> = of_layer.and_then(|rest| rest.split('.').next()?.parse().ok());
        let exponent = match layer {
            None if name.starts_with("final_norm.") => 1,
            Some(layer) => layers - i64::from(layer),
            None => layers + 1,
        };
        let slip = match self.layerwise_decay {
            LayerwiseDecay::Paper => 0,
            LayerwiseDecay::Reference => 1,
        };
        self.layer_decay.powi((exponent + slip) as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: TaskSize = TaskSize { epochs: None, is_spans: false, examples: 2490 };

    #[test]
    fn the_papers_values_by_size_and_task() {
        for (encoder, expected) in [
            (EncoderConfig::tiny(), (3e-4, 0.8)),
            (EncoderConfig::small(), (3e-4, 0.8)),
            (EncoderConfig::base(), (1e-4, 0.8)),
            (EncoderConfig::large(), (5e-5, 0.9)),
        ] {
            let recipe = Recipe::paper(&encoder, TASK);
            assert_eq!((recipe.learning_rate, recipe.layer_decay), expected);
            assert_eq!((recipe.epochs, recipe.weight_decay, recipe.bias_correction), (3, 0.0, false));
            recipe.validate("it", &encoder).unwrap();
        }
        let small = EncoderConfig::small();
        assert_eq!(Recipe::paper(&small, TaskSize { epochs: Some(10), ..TASK }).epochs, 10);
        assert_eq!(Recipe::paper(&small, TaskSize { is_spans: true, ..TASK }).epochs, 2);
    }

    #[test]
    fn practice_takes_longer_over_small_sets() {
        let small = EncoderConfig::small();
        let few = Recipe::practice(&small, TASK);
        assert_eq!((few.epochs, few.bias_correction, few.checkpoint), (20, true, Epoch::Last));
        assert_eq!(Recipe::practice(&small, TaskSize { examples: 67_349, ..TASK }).epochs, 3);
    }

    #[test]
    fn rates_of_layers_are_exact() {
        let mut recipe = Recipe { layer_decay: 0.5, ..Recipe::paper(&EncoderConfig::small(), TASK) };
        let scale = |recipe: &Recipe, name: &str| recipe.lr_scale(name, 12);
        let cases = [
            ("classifier.weight", 0),
            ("electra.encoder.layer.11.output.dense.bias", 1),
            ("electra.encoder.layer.1.attention.self.key.weight", 11),
            ("electra.encoder.layer.0.attention.self.key.weight", 12),
            ("electra.embeddings_project.weight", 13),
            ("electra.layers.11.mlp.Wo.weight", 1),
            ("electra.layers.0.mlp.Wo.weight", 12),
            ("electra.final_norm.weight", 1),
            ("electra.embeddings.tok_embeddings.weight", 13),
            ("electra.embeddings.word_embeddings.weight", 13),
        ];
        for (name, exponent) in cases {
            assert_eq!(scale(&recipe, name), 0.5_f64.powi(exponent), "{name}");
        }
        recipe.layerwise_decay = LayerwiseDecay::Reference;
        for (name, exponent) in cases {
            let slip = i32::from(exponent > 0);
            assert_eq!(scale(&recipe, name), 0.5_f64.powi(exponent + slip), "{name}");
        }
    }

    #[test]
    fn a_key_takes_a_value_of_its_kind() {
        let mut recipe = Recipe::paper(&EncoderConfig::small(), TASK);
        recipe.set("learning_rate = 1").unwrap();
        recipe.set("checkpoint=best").unwrap();
        recipe.set("betas=[0.9, 0.98]").unwrap();
        assert_eq!((recipe.learning_rate, recipe.checkpoint, recipe.betas), (1.0, Epoch::Best, [0.9, 0.98]));
        let before = recipe.clone();
        for (wrong, expected) in [
            ("epochs=-1", "a whole number of at least 0"),
            ("epochs=1.5", "a whole number"),
            ("epochs=many", "a whole number"),
            ("dropout=much", "a number"),
            ("betas=[0.9]", "a list of 2"),
            ("pooling = max", "cls or mean"),
            ("score_epochs=1", "true or false"),
            ("epochs", "key=value, such as epochs=5"),
        ] {
            let message = recipe.set(wrong).unwrap_err().to_string();
            assert_eq!(message, format!("--set {wrong}: expected {expected}"));
            assert_eq!(recipe, before);
        }
    }
}
