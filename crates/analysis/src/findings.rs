//! What the analysis finds: numbers and verdicts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::measurements::{
    ArmFacts, Failure, LanguageFacts, ObjectiveFacts, PlanFacts, Provenance, RunFacts, Schedule, TaskFacts,
};
use crate::take_off::Threshold;

/// How to analyse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysisConfig {
    /// How often at least all intervals of a family hold the truth. One minus it is how often at most a difference
    /// is found that does not exist.
    pub level: f64,
    /// Two arms whose difference is surely smaller than this, in points, are called the same; none are without it.
    pub margin: Option<f64>,
    /// How often a difference is to be found for it to count as detectable.
    pub power: f64,
    /// Draws of test examples and of ranks; 0 leaves both out.
    pub draws: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// By which diagnostics a run has taken off; without any, a rule that suits most objectives.
    pub take_off: Vec<Threshold>,
    /// The pairs of arms that are compared, the first minus the second. Empty: each arm with each other. A question that
    /// was put before the runs needs no correction for the questions that were not put.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<[String; 2]>,
}

impl AnalysisConfig {
    /// Level .95, no margin, power .8, 1,000 draws, the usual rule of taking off, every pair of arms.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            level: 0.95,
            margin: None,
            power: 0.8,
            draws: 1000,
            seed: 1,
            take_off: Vec::new(),
            pairs: Vec::new(),
        }
    }

    /// The pairs of a family by the places of their arms. A pair of which an arm is not among the names is left out.
    pub(crate) fn family(&self, names: &[&str]) -> Vec<(usize, usize)> {
        let place = |arm: &String| names.iter().position(|name| name == arm);
        if self.pairs.is_empty() {
            return each_with_each(names.len());
        }
        self.pairs.iter().filter_map(|[a, b]| Some((place(a)?, place(b)?))).collect()
    }
}

/// Each with each other, the later one first.
fn each_with_each(count: usize) -> Vec<(usize, usize)> {
    (0..count).flat_map(|low| (low + 1..count).map(move |high| (high, low))).collect()
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
    /// Whether the runs share one test set.
    pub test_sets: TestSets,
    /// How the scores of the compared arms scatter.
    pub noise: Noise,
    /// Each arm with each other.
    pub pairs: Vec<Comparison>,
    /// Where each of the compared arms stands, the best first; none without draws.
    pub ranks: Vec<Rank>,
    /// The same on each task alone, as one family of its own; none of a study with one task.
    #[serde(default)]
    pub task_pairs: Vec<TaskComparisons>,
    /// Each control with its arm.
    pub controls: Vec<Control>,
    /// Each arm with the encoder from scratch.
    pub scratch: Vec<Comparison>,
    /// The same of each other family of scores.
    #[serde(default)]
    pub families: Vec<FamilyFindings>,
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

/// What was found by another family of scores than the study's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamilyFindings {
    /// Its name, such as `probes`.
    pub name: String,
    /// As it is shown.
    pub title: String,
    /// The findings, as if these were the study's scores. Their arms have no runs, as the study's have them already.
    pub findings: Findings,
}

/// One arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmFindings {
    /// What it is.
    pub facts: ArmFacts,
    /// Mean of tasks × 100 at the end of the budget; none if no run is complete.
    pub score: Option<Estimate>,
    /// The same of tasks as they are above chance, (score − chance) / (1 − chance): 0 is guessing, 100 is all
    /// right. None unless chance is known of every task.
    pub above_chance: Option<Estimate>,
    /// The runs that the score is of, those of [`Self::pooled`] among them.
    pub seeds: Vec<SeedScore>,
    /// Controls with the same objective that came out as expected, by name. Their runs count as this arm's.
    pub pooled: Vec<String>,
    /// How many of its runs took off; none where that is not known of all of them.
    pub take_off: Option<TakeOff>,
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
    /// The arm that the run was made for: a control's name if it is pooled with its arm.
    pub arm: String,
    /// The seed of pre-training.
    pub seed: u64,
    /// Which test sets the score comes from.
    pub test_sets: String,
    /// Mean of tasks × 100.
    pub score: f64,
    /// The same of tasks as they are above chance, if chance is known of every task.
    pub above_chance: Option<f64>,
    /// Whether the run took off, if anything tells.
    pub took_off: Option<bool>,
    /// Each task's score × 100: the median over fine-tuning seeds.
    pub tasks: BTreeMap<String, f64>,
}

/// How many of an arm's runs took off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeOff {
    /// All runs.
    pub runs: usize,
    /// Those that took off.
    pub took_off: usize,
    /// The share of runs that take off: the exact interval (Clopper and Pearson 1934).
    pub share: Range,
    /// The score of those that took off.
    pub score: Option<Estimate>,
}

impl TakeOff {
    /// Whether some runs took off and some did not, so that the arm has scores of two kinds.
    #[must_use]
    pub fn is_in_part(&self) -> bool {
        (1..self.runs).contains(&self.took_off)
    }
}

/// A mean over runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// How many runs.
    pub runs: usize,
    /// Their mean.
    pub mean: f64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// Their standard deviation (n − 1); needs two.
    pub standard_deviation: Option<f64>,
    /// Student's interval of the mean; needs two. It counts the choice of test examples as well where
    /// [`Self::examples`] is known.
    pub interval: Option<Range>,
    /// The standard deviation of the mean that comes from the choice of test examples, if all runs share these and
    /// have predictions.
    pub examples: Option<f64>,
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

/// Whether runs share a test set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestSets {
    /// All do. The choice of examples is one for all runs, so its noise is added to that between runs.
    Shared,
    /// Each language has its own, the same for all arms. The choice of examples is in the noise between runs already.
    OnePerLanguage,
}

/// How the scores of arms scatter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// By arm: the standard deviation of its runs, on one language; of arms with two runs.
    pub runs: BTreeMap<String, f64>,
    /// The standard deviation of languages, which arms share; none where all runs have one test set.
    pub languages: Option<f64>,
}

/// Where an arm stands among those that are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rank {
    /// The arm.
    pub arm: String,
    /// By its mean, from 1.
    pub rank: usize,
    /// The best rank within the interval.
    pub best: usize,
    /// The worst rank within the interval.
    pub worst: usize,
    /// The probability that its mean is the best of all, given these runs and no other knowledge.
    pub p_best: f64,
}

/// Two arms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The one.
    pub a: String,
    /// The other.
    pub b: String,
    /// Runs of `a` and of `b`; where each seed has a language of its own, languages.
    pub runs: (usize, usize),
    /// `a − b` in points; none if one of them has no score.
    pub difference: Option<f64>,
    /// What the noise allows to say; none with fewer than two runs of either, or where not all runs took off.
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
    /// How its scores scatter.
    pub noise: Noise,
    /// In the order of [`Findings::pairs`]. The intervals hold together over those of all tasks.
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
    /// The part of the standard error that comes from the choice of test examples; none if it is not added.
    pub examples: Option<f64>,
    /// The interval of the difference, wide enough for all of its family to hold together.
    pub interval: Range,
    /// Two-sided p of Student's t, of this pair alone.
    pub p: f64,
    /// The same, corrected for its family: below one minus the level where the interval leaves out 0.
    pub p_adjusted: f64,
    /// The p of two one-sided tests, corrected alike: below one minus the level where the interval is within the
    /// margin. None without a margin.
    pub p_same: Option<f64>,
    /// The difference in standard deviations of a run, pooled over both arms.
    pub effect: f64,
}

/// What can be said of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The first is better: the interval is above 0.
    Better,
    /// The first is worse: the interval is below 0.
    Worse,
    /// The same within the margin: the interval is within it, and holds 0.
    Same,
    /// The interval holds 0 and reaches beyond the margin, or there is no margin.
    NotDistinguishable,
    /// One of the two has fewer than five runs.
    TooFewRuns,
    /// Some runs of one of the two did not take off.
    NotAllTookOff,
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

    /// Whether the interval decides; else runs are missing, or some did not take off.
    #[must_use]
    pub fn is_judged(self) -> bool {
        !matches!(self, Self::TooFewRuns | Self::NotAllTookOff)
    }
}

/// A control and whether it came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// The control (`a`) with its arm (`b`).
    pub comparison: Comparison,
    /// Whether what had to come out did; none if nothing had to, or without a verdict.
    pub passed: Option<bool>,
}
