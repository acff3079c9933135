//! What a study does.

mod check;
mod read;

use std::collections::BTreeMap;
use std::path::PathBuf;

use electra_analysis::{AnalysisConfig, Expectation, Matched, Pilot, Threshold};
use electra_config::DeviceChoice;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// A study: what is compared, on what, by what.
///
/// A plan's file may also have a section `[quick]`: keys of the plan that take the place of the others when a
/// look is wanted and no result. With `extends` it names another plan, whose keys it has where it has none of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// A short name, such as `default`.
    pub name: String,
    /// The report's headline.
    pub title: String,
    /// Why the study proves nothing, as a sentence, if it is meant as a look only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proves_nothing: Option<String>,
    /// What was fixed in writing before the runs, as sentences for the report, which repeats them only where it is
    /// shown that the plan was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_in_writing: Option<String>,
    /// How the settings that all arms share were chosen, as sentences for the report.
    pub settings_chosen: String,
    /// Settings of pre-training that an earlier search found for each arm, by the arm's name and by their full keys, over
    /// those of `[pretrain]`. A control has those of its arm. A search of the plan's own comes before them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, BTreeMap<String, Value>>,
    /// All that this search tried, for the report: the `search.json` of its study's folder, or the name of a plan of the
    /// program that searches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trials: Option<PathBuf>,
    /// The objectives that are compared, each an arm of its own name.
    pub objectives: Vec<String>,
    /// The arm that the report's differences are against.
    pub baseline: String,
    /// Whether the same encoder is fine-tuned without pre-training too. Then all arms have encoders of the same sizes and
    /// initial weights.
    pub scratch: bool,
    /// Seeds of pre-training. One decides first weights, order, masks and samples: arms of one seed see the
    /// same examples and the same masked positions.
    pub pretraining_seeds: Vec<u64>,
    /// Seeds of fine-tuning, each for every task and encoder.
    pub finetuning_seeds: Vec<u64>,
    /// Shares of the budget at which a longer run as it was on its way is scored ("truncated").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<CheckpointsPlan>,
    /// Shares of the budget at which every run is scored without fine-tuning, as it was on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curves: Option<CurvesPlan>,
    /// Shares of the budget that get runs of their own, whose learning rate ends there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_schedule: Option<CheckpointsPlan>,
    /// Text and vocabulary.
    pub data: DataPlan,
    /// How long the runs are.
    pub budget: BudgetPlan,
    /// What the encoders are fine-tuned on.
    pub tasks: TasksPlan,
    /// Settings that are searched for each objective; all arms have the same if it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchPlan>,
    /// How the report judges; the usual way if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analysis: Option<AnalysisPlan>,
    /// An earlier study from whose spread `--dry-run` tells what this one can find.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pilot: Option<Pilot>,
    /// By which diagnostics a run has taken off: of several the first counts that a run has. Without any, a run that
    /// has `disc_auc` took off with .6 or more, and another with a masked-LM loss of at most 85 % of what token
    /// frequencies alone give.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub take_off: Vec<Threshold>,
    /// How jobs share the machine.
    pub run: RunPlan,
    /// What the estimate of time assumes.
    pub estimate: EstimatePlan,
    /// The settings of every run, in the form of `electra pretrain`'s file, without `objective`, `seed`,
    /// `data`, a limit of `budget`, and `checkpoint`, which the study sets.
    pub pretrain: Table,
    /// A setting of pre-training by its full key, such as `model.encoder.hidden_size`, that is a number in every arm: the
    /// report has a chart of the score against it. It changes no run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<String>,
    /// More arms: an objective under another name, with other settings, or as a control.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<ArmPlan>,
}

/// An arm that is not just an objective under its own name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmPlan {
    /// Its name, unique: letters, digits and `-`.
    pub name: String,
    /// Its objective's name.
    pub objective: String,
    /// As it is shown; the name if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The arm that it is a control of. A control takes that arm's searched settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_of: Option<String>,
    /// What has to come out for a control: `same`, `worse`, or `open` if nothing is known beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expects: Option<Expectation>,
    /// Added to each of the pre-training seeds: the same objective under two names needs runs of its own.
    #[serde(default)]
    pub seed_offset: u64,
    /// Settings of pre-training by their full keys, over those of `[pretrain]`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, Value>,
    /// The arm whose settings this one has too: its `set`, below this arm's own, and what a search found for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_of: Option<String>,
    /// The arm whose run this arm's run spends as many operations as, as the paper counts them, whatever `budget.match`
    /// says: it has the steps that come nearest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flops_of: Option<String>,
    /// The arm, before this one, from whose runs this one's go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<ContinuesPlan>,
    /// What its languages have otherwise than those of `[data.synthetic]`; the seeds are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synthetic: Option<ArmSyntheticPlan>,
}

/// What an arm's runs go on from: of each seed the run of another arm, as it was when a share of its budget was spent and
/// its learning rate had that share of its decay behind it. What was spent counts as the arm's own, and its learning rate
/// goes down from there. The encoder goes on, and a head that both have; the optimizer's means begin anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContinuesPlan {
    /// The other arm's name.
    pub arm: String,
    /// Above 0 and below 1, a multiple of 1/64.
    pub share: f64,
}

/// What an arm's languages have otherwise than the plan's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmSyntheticPlan {
    /// Documents of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<u64>,
    /// Whether a document tells its deed twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_twice: Option<bool>,
}

/// Shares of the budget that are scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointsPlan {
    /// Above 0 and below 1, multiples of one 64th at the finest. The whole budget is always scored.
    pub shares: Vec<f64>,
    /// The tasks that they are scored on; all if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Vec<String>>,
    /// The seeds of pre-training that they are scored for; all if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretraining_seeds: Option<Vec<u64>>,
    /// The seeds of fine-tuning that they are scored with; all if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finetuning_seeds: Option<Vec<u64>>,
}

/// Shares of the budget at which every run is scored by what needs no fine-tuning: `tasks.zero_shot`, `tasks.probes`,
/// `tasks.embeddings`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvesPlan {
    /// Above 0 and below 1, multiples of one 64th at the finest. The whole budget is always scored.
    pub shares: Vec<f64>,
}

/// Text and vocabulary: `synthetic` or `text`, `vocab_size` or `tokenizer`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataPlan {
    /// Tokens in an example.
    pub max_length: usize,
    /// Segments in an example: 1, or 2 as in the paper.
    pub segments: usize,
    /// Tokens in the vocabulary that is trained on the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocab_size: Option<u64>,
    /// Whether that vocabulary keeps upper case and accents.
    #[serde(default)]
    pub cased: bool,
    /// The folder of a tokenizer to use instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<PathBuf>,
    /// Text files, or folders of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Vec<PathBuf>>,
    /// Whether every line of a plain text file is a document; else blank lines end one.
    #[serde(default)]
    pub line_documents: bool,
    /// The language that the program generates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synthetic: Option<SyntheticPlan>,
}

/// The languages that the program generates, with their tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyntheticPlan {
    /// The number of the language, or what is added to a seed of pre-training to have the number of its language. A
    /// language's number decides every word of it.
    pub seed: u64,
    /// Documents of text of each language.
    pub documents: u64,
    /// What kind of languages.
    #[serde(default)]
    pub family: Family,
    /// How many languages there are.
    #[serde(default)]
    pub languages: Languages,
    /// Whether a document tells its deed twice, in other words. It favours objectives that compare two mentions.
    #[serde(default = "yes")]
    pub told_twice: bool,
}

fn yes() -> bool {
    true
}

fn second() -> f64 {
    1.0
}

/// A kind of generated languages, with tasks and minimal pairs of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Short documents about entities of worlds, whose facts tasks ask for.
    #[default]
    WorldsOfFacts,
    /// Long documents of nested clauses with agreement over them, words by Zipf's law and of several senses. Its tasks are
    /// for probes and minimal pairs, not for fine-tuning.
    NestedClauses,
}

impl Family {
    /// As plans and the program have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WorldsOfFacts => "worlds-of-facts",
            Self::NestedClauses => "nested-clauses",
        }
    }

    /// The tasks that come with it.
    pub(crate) fn tasks(self) -> &'static [&'static str] {
        match self {
            Self::WorldsOfFacts => {
                &["acceptability", "polarity", "paraphrase", "entailment", "similarity", "topic"]
            }
            Self::NestedClauses => &["subject-number", "depth", "word-in-context"],
        }
    }

    /// The paradigms of its minimal pairs.
    pub(crate) fn paradigms(self) -> &'static [&'static str] {
        match self {
            Self::WorldsOfFacts => &["gender", "number", "reflexive", "selection", "order", "fact"],
            Self::NestedClauses => {
                &["agreement-1", "agreement-2", "inner-agreement", "selection", "sense", "pronoun", "order"]
            }
        }
    }
}

/// How many languages the runs of a study learn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Languages {
    /// One for all: verdicts are about this language.
    One,
    /// One for each seed of pre-training, the same for all arms: verdicts are about languages of this kind.
    #[default]
    EachSeed,
}

/// How long the runs are: one of `steps`, `tokens` and `flops`, of the reference arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetPlan {
    /// Steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Tokens, padding included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Floating-point operations as the paper counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flops: Option<f64>,
    /// What is equal for all arms: `steps`, or `flops` as the paper counts them.
    #[serde(rename = "match")]
    pub matched: Matched,
    /// The arm that the budget is said of.
    pub reference: String,
}

/// What the encoders are fine-tuned on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TasksPlan {
    /// GLUE's names, or names of folders with a `task.toml`, in the report's order. Without any, the study's score is that
    /// of the probes, or where there are none that of the embeddings, or else that of the minimal pairs.
    pub names: Vec<String>,
    /// Tasks for which a linear map is fitted to each frozen encoder, too (`electra probe`): a family of scores beside the
    /// others, without noise of fine-tuning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<String>,
    /// Tasks of pairs of texts with numbers, such as STS-B, for which the cosines of each frozen encoder's embeddings are
    /// compared with the numbers (`electra embed`): another family.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embeddings: Vec<String>,
    /// Paradigms of minimal pairs that each encoder's own head is asked (`electra minimal-pairs`): another family.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zero_shot: Vec<String>,
    /// The folder of the pairs; the generated language's if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairs: Option<PathBuf>,
    /// Pairs of each paradigm that are passed over, the first ones: those that settings were chosen on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair_skip: Option<u64>,
    /// Pairs of each paradigm at most, the first ones of the rest; all if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair_limit: Option<u64>,
    /// The folder that they are in; the synthetic suite's if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The examples that the scores come from: `dev` or `test`.
    pub evaluate: Split,
    /// Values to begin with: `paper` or `practice`.
    pub preset: String,
    /// Settings of fine-tuning by their keys, over the preset's.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub set: Table,
}

/// Examples that are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// For choosing settings.
    Dev,
    /// For the report.
    Test,
}

impl Split {
    /// As the program's option has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Test => "test",
        }
    }
}

/// A search over settings, the same for every objective, on examples that are not reported: the dev sets where
/// the report has the test sets, else a part of the train sets that is held out for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchPlan {
    /// Values of settings of pre-training by their full keys. Every combination is tried for every objective.
    pub grid: BTreeMap<String, Vec<Value>>,
    /// Settings whose values go on where the best of an arm stands at an edge of them, each value this factor beyond the
    /// last, until the best is between two others. The rule is the same for every objective, the number of trials is not:
    /// the report counts them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grow: BTreeMap<String, f64>,
    /// Seeds of pre-training; none of the study's.
    pub pretraining_seeds: Vec<u64>,
    /// Seeds of fine-tuning.
    pub finetuning_seeds: Vec<u64>,
    /// Share of the budget that a run of the search has.
    pub share: f64,
    /// The tasks that are scored; all if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Vec<String>>,
}

/// How the report judges. It changes no run, so a study goes on though this is another than before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysisPlan {
    /// How often at least all intervals of a family hold the truth; .95 if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<f64>,
    /// Points within which two arms are called the same. Without it none are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// How often a difference is to be found for the plan to be able to find it; .8 if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<f64>,
    /// The pairs of arms that are compared, the first minus the second; each arm with each other if not said. The fewer
    /// questions, the narrower the interval of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<[String; 2]>,
}

/// How jobs share the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunPlan {
    /// Jobs side by side; 0 for as many as there are cores for. It changes no result.
    pub parallel: usize,
    /// Threads of a job. The bytes of a result depend on it.
    pub threads: usize,
    /// GPUs, `["cuda:0", "cuda:1"]`, each of which takes one job at a time; or as many times `cpu` as jobs are to run side by
    /// side. Runs and fine-tuning are then told to use such a device. Not said, their settings say what they use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceChoice>,
}

/// What an estimate of time assumes before anything has run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstimatePlan {
    /// Executed operations a second of one job.
    pub flops_per_s: f64,
    /// Seconds that a job takes for anything else.
    pub job_seconds: f64,
    /// Seconds of fine-tuning on one task with one seed.
    pub finetune_seconds: f64,
    /// Seconds of the probe of one task, or of the pairs of one paradigm.
    #[serde(default = "second")]
    pub score_seconds: f64,
    /// Of what machine that is, and what share of its peak, in words.
    pub machine: String,
}

impl Plan {
    /// How the report judges.
    #[must_use]
    pub fn analysis_config(&self) -> AnalysisConfig {
        let usual = AnalysisConfig::standard();
        let own = self.analysis.as_ref();
        AnalysisConfig {
            level: own.and_then(|own| own.level).unwrap_or(usual.level),
            margin: own.and_then(|own| own.margin),
            power: own.and_then(|own| own.power).unwrap_or(usual.power),
            take_off: self.take_off.clone(),
            pairs: own.map(|own| own.pairs.clone()).unwrap_or_default(),
            ..usual
        }
    }
}

impl SearchPlan {
    /// Every combination of the grid's values, the last setting changing fastest.
    pub(crate) fn combinations(&self) -> Vec<BTreeMap<String, Value>> {
        let mut combinations = vec![BTreeMap::new()];
        for (key, values) in &self.grid {
            let with = |settings: &BTreeMap<String, Value>, value: &Value| {
                let mut settings = settings.clone();
                settings.insert(key.clone(), value.clone());
                settings
            };
            combinations = combinations
                .iter()
                .flat_map(|settings| values.iter().map(move |value| with(settings, value)))
                .collect();
        }
        combinations
    }
}

#[cfg(test)]
mod tests;
