//! What the analysis finds: numbers and verdicts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::measurements::{
    ArmFacts, Failure, LanguageFacts, ObjectiveFacts, PlanFacts, Provenance, RunFacts, Schedule, TaskFacts,
};

/// How to analyse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysisConfig {
    /// Level of the intervals.
    pub level: f64,
    /// How often at most, over a family of comparisons, a difference may be seen that is none.
    pub alpha: f64,
    /// How often a difference is to be seen for it to count as detectable.
    pub power: f64,
    /// Draws of the bootstrap; 0 leaves it out.
    pub draws: usize,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl AnalysisConfig {
    /// Level .95, alpha .05, power .8, 1,000 draws.
    #[must_use]
    pub fn standard() -> Self {
        Self { level: 0.95, alpha: 0.05, power: 0.8, draws: 1000, seed: 1 }
    }
}

/// All that was found, and the measurements that it was found from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Findings {
    /// The report's headline.
    pub title: String,
    /// What was planned.
    pub plan: PlanFacts,
    /// How it was analysed.
    pub config: AnalysisConfig,
    /// The tasks.
    pub tasks: Vec<TaskFacts>,
    /// The objectives, in the order in which their arms are shown and get their colours.
    #[serde(default)]
    pub objectives: Vec<ObjectiveFacts>,
    /// The arms, in the order in which they are shown: arms, then controls, then the encoder from scratch.
    pub arms: Vec<ArmFindings>,
    /// The noise of paired differences that all arms share; needs two arms with two seeds in common.
    pub noise: Option<Noise>,
    /// Each arm with each other.
    pub pairs: Vec<Comparison>,
    /// The same on each task alone, as one family of its own; none of a study with one task.
    #[serde(default)]
    pub task_pairs: Vec<TaskComparisons>,
    /// Each control with its arm.
    pub controls: Vec<Control>,
    /// Each arm with the encoder from scratch.
    pub scratch: Vec<Comparison>,
    /// What is known of the language itself, where it is a generated one.
    #[serde(default)]
    pub language: Option<LanguageFacts>,
    /// What did not come to its end.
    pub failures: Vec<Failure>,
    /// What is needed to do it again.
    pub provenance: Provenance,
}

impl Findings {
    /// An arm's title, or the name itself if no arm has it.
    #[must_use]
    pub fn title<'a>(&'a self, name: &'a str) -> &'a str {
        self.arms.iter().find(|arm| arm.facts.name == name).map_or(name, |arm| &arm.facts.title)
    }
}

/// One arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmFindings {
    /// What it is.
    pub facts: ArmFacts,
    /// Mean of tasks × 100 at the end of the budget; none if no run is complete.
    pub score: Option<Estimate>,
    /// The runs that the score is of.
    pub seeds: Vec<SeedScore>,
    /// Each task's score × 100, from all runs that have it.
    pub tasks: BTreeMap<String, Estimate>,
    /// Score by compute, in order of schedule and share; of a schedule's points, all are of the same seeds.
    pub curve: Vec<CurvePoint>,
    /// What was measured.
    pub runs: Vec<RunFacts>,
}

/// A run's score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedScore {
    /// The seed of pre-training.
    pub seed: u64,
    /// Mean of tasks × 100.
    pub score: f64,
    /// Each task's score × 100: the median over fine-tuning seeds.
    pub tasks: BTreeMap<String, f64>,
}

/// A mean over pre-training seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// How many seeds.
    pub seeds: usize,
    /// Their mean.
    pub mean: f64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// Their standard deviation (n − 1); needs two.
    pub standard_deviation: Option<f64>,
    /// Student's interval of the mean; needs two.
    pub interval: Option<Range>,
    /// The multi-bootstrap's interval over seeds and test examples; needs two seeds, and predictions.
    pub bootstrap: Option<Range>,
}

/// From a number to a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Range {
    /// The range of the negative values.
    #[must_use]
    pub fn turned(self) -> Self {
        Self { low: -self.high, high: -self.low }
    }

    /// Whether 0 is outside.
    #[must_use]
    pub fn excludes_0(self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// The score at a share of the budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// Whether the learning rate had come to its end here.
    pub schedule: Schedule,
    /// Share of the budget.
    pub share: f64,
    /// The step, as a mean over seeds.
    pub step: f64,
    /// FLOPs as the paper's program counts them, as a mean over seeds.
    pub flops_paper: f64,
    /// FLOPs as they were executed, as a mean over seeds.
    pub flops_executed: f64,
    /// Mean of tasks × 100.
    pub score: Estimate,
}

/// The noise of a paired difference of two arms, estimated from all arms together: see the crate's page.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// Standard deviation of a paired difference of one seed.
    pub standard_deviation: f64,
    /// Degrees of freedom.
    pub degrees: f64,
    /// Over how many arms.
    pub arms: usize,
    /// Over how many seeds.
    pub seeds: usize,
}

/// Two arms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The one.
    pub a: String,
    /// The other.
    pub b: String,
    /// Whether differences are within seeds. If not, the two have no seed in common.
    pub paired: bool,
    /// The seeds that both have; if not paired, none.
    pub seeds: Vec<u64>,
    /// `a − b` in points: of each seed if paired, else of the means alone.
    pub differences: Vec<f64>,
    /// `a − b` in points; none if one of them has no score.
    pub difference: Option<f64>,
    /// What the noise allows to say; none with fewer than two seeds.
    pub test: Option<Test>,
    /// The verdict on `a`.
    pub verdict: Verdict,
}

/// Each arm with each other on one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskComparisons {
    /// The task's name.
    pub task: String,
    /// The noise of paired differences on it that all arms share.
    pub noise: Option<Noise>,
    /// In the order of [`Findings::pairs`]. Holm's correction is over those of all tasks.
    pub pairs: Vec<Comparison>,
}

/// What the noise allows to say of a difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// Standard error of the difference.
    pub standard_error: f64,
    /// Degrees of freedom of Student's t.
    pub degrees: f64,
    /// Student's interval of the difference.
    pub interval: Range,
    /// The multi-bootstrap's interval over seeds and test examples; needs predictions.
    pub bootstrap: Option<Range>,
    /// Two-sided p of Student's t.
    pub p: f64,
    /// The same after Holm's correction over the family of comparisons.
    pub p_holm: f64,
    /// Two-sided p of the exact sign-flip test; none if not paired.
    pub p_sign_flip: Option<f64>,
    /// The least p that the sign-flip test can give with this many seeds.
    pub sign_flip_floor: Option<f64>,
    /// The difference that would be seen with the configured power.
    pub detectable: f64,
    /// How many seeds would see the observed difference with that power; none if beyond 1,000.
    pub seeds_needed: Option<usize>,
}

/// What can be said of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The first is better.
    Better,
    /// The first is worse.
    Worse,
    /// The data do not tell.
    NotDistinguishable,
    /// There is too little data to say even that: one seed, or none.
    NoVerdict,
}

impl Verdict {
    /// The verdict on the other of the two.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Better => Self::Worse,
            Self::Worse => Self::Better,
            same => same,
        }
    }

    /// Whether one of the two is better.
    #[must_use]
    pub fn is_apart(self) -> bool {
        matches!(self, Self::Better | Self::Worse)
    }
}

/// A control and whether it came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// The control (`a`) with its arm (`b`).
    pub comparison: Comparison,
    /// Whether what had to come out did; none if nothing had to, or if there is no verdict.
    pub passed: Option<bool>,
}
