//! What a study measured: the input of the analysis. Nothing in here is computed.

use std::collections::BTreeMap;

use electra_metrics::Metric;
use serde::{Deserialize, Serialize};

use crate::check::at_end;

/// All that a study measured. What is missing is left out: a run that failed is a [`Failure`] instead of
/// [`RunFacts`], and [`PlanFacts::pretraining_seeds`] shows which planned runs are missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurements {
    /// The report's headline.
    pub title: String,
    /// What was planned.
    pub plan: PlanFacts,
    /// The tasks whose mean is the score, in the order in which they are shown.
    pub tasks: Vec<TaskFacts>,
    /// Other families of scores, such as those without fine-tuning. They are not part of the score; each is analysed by
    /// itself.
    #[serde(default)]
    pub families: Vec<FamilyFacts>,
    /// The objectives in the order in which their arms are shown and get their colours. It may hold more than the
    /// arms have. Objectives of arms that are not listed come after these.
    #[serde(default)]
    pub objectives: Vec<ObjectiveFacts>,
    /// What is compared: arms of one role are shown in the order of `objectives`, then in this order.
    pub arms: Vec<ArmFacts>,
    /// One for each arm and pre-training seed that came to its end.
    pub runs: Vec<RunFacts>,
    /// What is known of the language itself, where it is a generated one.
    #[serde(default)]
    pub language: Option<LanguageFacts>,
    /// What did not come to its end.
    pub failures: Vec<Failure>,
    /// What is needed to do it again.
    pub provenance: Provenance,
}

/// What the report repeats of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFacts {
    /// The plan's name, such as `default`.
    pub name: String,
    /// Why this run proves nothing, as a sentence, if it was planned so (`--quick`).
    pub proves_nothing: Option<String>,
    /// The arm that the differences of the main table are against.
    pub baseline: String,
    /// What was equal for all arms.
    pub matched: Matched,
    /// The budget of one run, in words: `2,000 steps of 64 × 128 tokens`.
    pub budget: String,
    /// The seeds of pre-training that every arm was to have.
    pub pretraining_seeds: Vec<u64>,
    /// The seeds of fine-tuning that every task was to have.
    pub finetuning_seeds: Vec<u64>,
    /// The examples that the scores come from: `dev` or `test`.
    pub split: String,
    /// How learning rates and other settings were chosen, as sentences.
    pub settings_chosen: String,
    /// The setting by its full key whose values the score is shown against, if the study has the same objectives at
    /// several of them. Every arm that is pre-trained has it as a number among its settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<String>,
    /// Every settings that was tried for each arm before, in the order in which it was.
    #[serde(default)]
    pub trials: Vec<Trial>,
    /// What was fixed in writing before the runs, and where that is, as sentences.
    pub fixed_in_writing: Option<String>,
    /// Anything else of the plan, in the order in which it is shown.
    pub facts: Vec<Fact>,
    /// The plan's file as it was read.
    pub file: Option<String>,
}

/// What was equal for all arms of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Matched {
    /// The number of steps.
    Steps,
    /// The number of floating-point operations.
    Flops,
}

/// Settings that a search tried for an arm, and how they did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The arm.
    pub arm: String,
    /// The settings by their full keys, such as `optimizer.learning_rate`.
    pub settings: BTreeMap<String, String>,
    /// The mean of tasks of each run, a share; what failed is not there.
    pub scores: Vec<f64>,
    /// Whether the arm's runs have these settings.
    pub chosen: bool,
}

/// A name and its value, shown as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskFacts {
    /// Unique.
    pub name: String,
    /// As it is shown.
    pub title: String,
    /// What its score is.
    pub metric: Metric,
    /// The class that F1 counts; 1 in GLUE. Other metrics do not look at it.
    pub positive: u32,
    /// How many examples are scored.
    pub examples: usize,
    /// The score of guessing at random.
    pub chance: Option<f64>,
    /// Which examples of a test set that all runs share belong together, by any number, such as those with one
    /// premise: they are drawn together. Each stands for itself if this is not said.
    #[serde(skip)]
    pub units: Option<Vec<u32>>,
    /// The score of the best constant answer: of always giving the commonest label, or the one that F1 counts.
    pub majority: Option<f64>,
}

/// Scores of another kind than the study's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamilyFacts {
    /// Unique, such as `probes`; [`CheckpointFacts::families`] names it.
    pub name: String,
    /// As it is shown.
    pub title: String,
    /// What is scored, in the order in which it is shown; the family's score is the mean.
    pub tasks: Vec<TaskFacts>,
}

/// An objective, whether a study has arms of it or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveFacts {
    /// Unique; arms name it.
    pub name: String,
    /// As it is shown.
    pub title: String,
    /// What the paper reports for it: Base, GLUE dev, 0 to 100.
    pub paper_glue: Option<f64>,
    /// Whether its loss is computed at masked positions alone, so that it never learns what to say of the others.
    #[serde(default)]
    pub masked_positions_alone: bool,
}

/// One of the things that are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmFacts {
    /// Unique, such as `electra` or `electra-again`.
    pub name: String,
    /// The objective's name, which decides the colour.
    pub objective: String,
    /// As it is shown.
    pub title: String,
    /// What it is there for.
    pub role: Role,
    /// Settings in which arms may differ, such as the learning rate.
    pub settings: BTreeMap<String, String>,
    /// What the paper reports for it: Base, GLUE dev, 0 to 100.
    pub paper_glue: Option<f64>,
    /// The arm whose FLOPs its runs have, as the paper counts them, whatever is equal for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flops_of: Option<String>,
    /// The arm that its runs go on from, of the same seeds. What that one spent until then counts as its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<String>,
}

impl ArmFacts {
    /// A setting by its full key, if it is a number.
    #[must_use]
    pub fn number(&self, setting: &str) -> Option<f64> {
        self.settings.get(setting)?.parse().ok().filter(|value: &f64| value.is_finite())
    }
}

/// What an arm is there for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "role", deny_unknown_fields)]
pub enum Role {
    /// One of the objectives in question.
    Arm,
    /// It shows whether the study can tell what is known beforehand.
    Control {
        /// The arm that it is compared with.
        #[serde(rename = "of")]
        arm: String,
        /// What has to come out.
        expects: Expectation,
    },
    /// The same encoder without pre-training, fine-tuned alike: what pre-training is worth. Its seeds are those
    /// of the initialisation.
    Scratch,
}

/// What has to come out when a control is compared with its arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// Not distinguishable: the same thing under two names.
    Same,
    /// Worse: something is broken on purpose.
    Worse,
    /// Nothing is known beforehand.
    Open,
}

/// One pre-training run and all that was measured on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFacts {
    /// The arm's name.
    pub arm: String,
    /// The seed of pre-training: runs of two arms with the same seed saw the same data and the same masks.
    pub seed: u64,
    /// Which test sets its scores come from, such as a hash of them. Runs with the same key were scored on the same
    /// examples. In a study that has a language for each seed, the key says the language too. Runs of a study that
    /// has one test set for all have the same key, which may be empty.
    #[serde(default)]
    pub test_sets: String,
    /// Steps of pre-training; 0 without.
    pub steps: u64,
    /// Tokens seen in pre-training.
    pub tokens: u64,
    /// FLOPs of pre-training as the paper's program counts them.
    pub flops_paper: f64,
    /// FLOPs of pre-training as they were executed.
    pub flops_executed: f64,
    /// Seconds of pre-training.
    pub seconds: f64,
    /// The scores of this run's checkpoints, the end of the budget among them.
    pub checkpoints: Vec<CheckpointFacts>,
    /// What the objective said of itself during training, by step.
    pub diagnostics: Vec<DiagnosticPoint>,
    /// What predicting tokens of its text from their frequencies alone costs, in nats: the entropy of these
    /// frequencies. A masked-LM loss near it shows that the run has learnt nothing else.
    #[serde(default)]
    pub unigram_loss: Option<f64>,
    /// What it put in the place of masked tokens after training, if that was measured.
    #[serde(default)]
    pub replacements: Option<ReplacementFacts>,
}

impl RunFacts {
    /// The state at the end of the budget.
    #[must_use]
    pub fn end(&self) -> Option<&CheckpointFacts> {
        self.checkpoints.iter().find(|checkpoint| at_end(checkpoint))
    }

    /// The same, to be changed.
    pub fn end_mut(&mut self) -> Option<&mut CheckpointFacts> {
        self.checkpoints.iter_mut().find(|checkpoint| at_end(checkpoint))
    }
}

/// What a run put in the place of masked tokens after training, and which of it was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplacementFacts {
    /// Masked positions.
    pub masked: u64,
    /// Mean of −log p(original) at them in nats: the generator's, or the encoder's own; none where nothing predicts.
    pub masked_lm_loss: Option<f64>,
    /// The kinds of samples, in the order in which they are shown; none where nothing is replaced.
    pub kinds: Vec<KindFacts>,
    /// Over all kinds; none where nothing says what was replaced.
    pub detection: Option<DetectionFacts>,
}

/// Samples of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindFacts {
    /// Such as `right`, which replaces nothing, or `same-class`.
    pub kind: String,
    /// How many.
    pub count: u64,
    /// Of all masked positions.
    pub share: f64,
    /// Share of them that is called replaced.
    pub recall: Option<f64>,
    /// Probability that one of them looks more replaced than a token that is not.
    pub auc: Option<f64>,
}

/// How well replaced tokens are told from the others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionFacts {
    /// Share of replaced tokens that is called replaced.
    pub recall: Option<f64>,
    /// Probability that a replaced token looks more replaced than another.
    pub auc: Option<f64>,
    /// Share of the others that is called replaced.
    pub false_alarms: Option<f64>,
    /// The AUC at masked positions alone.
    #[serde(default)]
    pub masked_auc: Option<f64>,
    /// The AUC there of one who knows nothing but the class of the original word.
    #[serde(default)]
    pub class_auc: Option<f64>,
    /// By how much the first of the two exceeds the other.
    #[serde(default)]
    pub excess: Option<f64>,
}

/// What the grammar of a generated language knows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageFacts {
    /// The least cross-entropy, in nats, of predicting one hidden word from the rest of its document.
    pub entropy: f64,
    /// Share of words that are certain then.
    pub certain: f64,
}

/// A state of the encoder that was fine-tuned and scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointFacts {
    /// Share of the budget: above 0, and 1 at the end.
    pub share: f64,
    /// Whether the learning rate had come to its end here. At share 1 it has, whatever this says.
    pub schedule: Schedule,
    /// The step.
    pub step: u64,
    /// FLOPs until here, as the paper's program counts them.
    pub flops_paper: f64,
    /// FLOPs until here, as they were executed.
    pub flops_executed: f64,
    /// One for each task and fine-tuning seed; none where it was not fine-tuned.
    pub scores: Vec<TaskScore>,
    /// By the name of a family of scores. What has no fine-tuning has 0 for its seed.
    #[serde(default)]
    pub families: BTreeMap<String, Vec<TaskScore>>,
}

/// Where the learning rate stood at a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// A longer run as it was on its way.
    Truncated,
    /// A run of its own that was planned to end here.
    Own,
}

/// A task's score after one fine-tuning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskScore {
    /// The task's name.
    pub task: String,
    /// The seed of fine-tuning.
    pub finetune_seed: u64,
    /// The task's metric; a share, not times 100.
    pub score: f64,
    /// All metrics by name.
    pub metrics: BTreeMap<String, f64>,
    /// What was predicted: it lets the intervals count the test examples' chance as well. Not kept in
    /// `results.json`.
    #[serde(skip)]
    pub predictions: Option<Predictions>,
}

/// Predictions of a test set, example by example in the file's order.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictions {
    /// Of classes, numbered from 0.
    Classes {
        /// What is right.
        labels: Vec<u32>,
        /// What was predicted.
        predictions: Vec<u32>,
    },
    /// Of a number.
    Values {
        /// What is right.
        labels: Vec<f64>,
        /// What was predicted.
        predictions: Vec<f64>,
    },
    /// Each example's own score, where the task's is their mean: exact match, minimal pairs.
    Scores(Vec<f64>),
}

impl Predictions {
    /// How many examples they are of.
    #[must_use]
    pub fn examples(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Values { labels, .. } => labels.len(),
            Self::Scores(scores) => scores.len(),
        }
    }

    /// Whether both may be of the same examples, as far as labels tell.
    pub(crate) fn same_labels(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Classes { labels, .. }, Self::Classes { labels: others, .. }) => labels == others,
            (Self::Values { labels, .. }, Self::Values { labels: others, .. }) => labels == others,
            (Self::Scores(scores), Self::Scores(others)) => scores.len() == others.len(),
            _ => false,
        }
    }
}

/// What an objective said of itself at a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiagnosticPoint {
    /// The step.
    pub step: u64,
    /// By name. A value that is not finite is a gap in the line.
    pub values: BTreeMap<String, f64>,
}

/// A job that did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The job: `electra, seed 2: pre-training`.
    pub job: String,
    /// What it said.
    pub message: String,
}

/// What is needed to do a study again, and to judge it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The command that makes this report.
    pub command: String,
    /// The program's version and commit.
    pub code_version: String,
    /// When the report was made.
    pub date: Option<String>,
    /// Processor, accelerator, memory.
    pub hardware: String,
    /// Threads of one run, and runs side by side, in words.
    pub threads: String,
    /// The version of libtorch.
    pub libtorch: String,
    /// Seconds of work, summed over all jobs.
    pub seconds: f64,
    /// Data, vocabulary and other files by their hash.
    pub hashes: Vec<Hash>,
    /// Anything else, in the order in which it is shown.
    pub facts: Vec<Fact>,
}

/// The hash of something that went into a study.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hash {
    /// What it is of: `corpus`, `vocabulary`, `task acceptability`.
    #[serde(rename = "of")]
    pub name: String,
    /// Its hexadecimal digits.
    pub sha256: String,
}
