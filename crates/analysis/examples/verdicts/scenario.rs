//! Made-up studies whose truth is known, through the whole analysis: how often verdicts are false, how often all
//! intervals hold the truth, and how often a difference is found.

use std::collections::BTreeMap;

use electra_analysis::{
    AnalysisConfig, Comparison, DiagnosticPoint, Expectation, Findings, Measurements, Predictions, Role,
    TaskScore, Verdict, analyse,
};
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal};

use crate::random::Random;
use crate::table::{facts, measurements, run};

/// A score that no difference moves out of 0 to 100.
const MIDDLE: f64 = 50.0;
/// How far below the others a run scores that did not take off.
const PLATEAU: f64 = 20.0;
/// The standard deviation of examples' difficulty by itself, and for each arm, where a run's own luck with an
/// example has 1.
const DIFFICULTY: [f64; 2] = [1.0, 0.5];

/// A kind of study. Points are in units of a run's usual standard deviation.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Scenario {
    /// What is out of the ordinary.
    pub(crate) name: String,
    /// Planned runs of each arm.
    pub(crate) runs: usize,
    /// Each arm's true mean.
    pub(crate) means: Vec<f64>,
    /// Each arm's standard deviation of a run.
    pub(crate) spreads: Vec<f64>,
    /// The standard deviation of languages, where each seed has one of its own; none with one test set for all.
    pub(crate) languages: Option<f64>,
    /// How often a run fails.
    pub(crate) failures: f64,
    /// How often a run takes off.
    pub(crate) take_off: f64,
    /// Examples of the test set; few of them make ties.
    pub(crate) examples: usize,
    /// Whether runs have predictions of these examples.
    pub(crate) predictions: bool,
    /// Tasks whose mean is the score, with noise of their own.
    pub(crate) tasks: usize,
    /// Whether the last arm has a control that is the same, with as many runs.
    pub(crate) control: bool,
    /// The plan's margin.
    pub(crate) margin: Option<f64>,
}

impl Scenario {
    /// So many arms that do not differ and are equally noisy, with one test set.
    pub(crate) fn plain(name: &str, arms: usize, runs: usize) -> Self {
        Self {
            name: name.into(),
            runs,
            means: vec![0.0; arms],
            spreads: vec![1.0; arms],
            languages: None,
            failures: 0.0,
            take_off: 1.0,
            examples: 100_000,
            predictions: false,
            tasks: 1,
            control: false,
            margin: None,
        }
    }

    fn arm(index: usize) -> String {
        format!("arm-{index}")
    }

    /// One made-up study.
    fn study(&self, key: u64) -> Measurements {
        let mut study = measurements(&[("arm-0", &[])]);
        study.arms = (0..self.means.len()).map(|arm| facts(&Self::arm(arm), Role::Arm)).collect();
        let task = study.tasks.remove(0);
        study.tasks = (0..self.tasks)
            .map(|index| {
                let name = format!("task {index}");
                electra_analysis::TaskFacts { name, examples: self.examples, ..task.clone() }
            })
            .collect();
        let last = self.means.len() - 1;
        for arm in 0..=last {
            self.add_runs(&mut study, key, arm, &Self::arm(arm), 0);
        }
        if self.control {
            let role = Role::Control { arm: Self::arm(last), expects: Expectation::Same };
            study.arms.push(facts("again", role));
            self.add_runs(&mut study, key, last, "again", 100);
        }
        study
    }

    fn add_runs(&self, study: &mut Measurements, key: u64, arm: usize, name: &str, offset: u64) {
        for seed in 1..=self.runs as u64 {
            let mut random = Random::new(&[key, 1, arm as u64, seed + offset]);
            let (fails, took_off) = (random.uniform() < self.failures, random.uniform() < self.take_off);
            if fails {
                continue;
            }
            let mut made = run(name, seed + offset, 0.0);
            let language = self.languages.map(|deviation| {
                made.test_sets = format!("language {seed}");
                deviation * Random::new(&[key, 2, seed]).normal()
            });
            if self.take_off < 1.0 {
                let auc = BTreeMap::from([("disc_auc".to_owned(), if took_off { 0.9 } else { 0.5 })]);
                made.diagnostics = vec![DiagnosticPoint { step: 1, values: auc }];
            }
            let scores = &mut made.checkpoints[0].scores;
            let score = scores.remove(0);
            for task in 0..self.tasks {
                let luck = self.spreads[arm] * random.normal();
                let (points, predictions) = if self.predictions {
                    self.predicted(key, arm, task, luck, &mut random)
                } else {
                    let plateau = if took_off { 0.0 } else { PLATEAU };
                    let points = MIDDLE + self.means[arm] + language.unwrap_or(0.0) + luck - plateau;
                    let step = 100.0 / self.examples as f64;
                    ((points / step).round() * step, None)
                };
                let task = format!("task {task}");
                scores.push(TaskScore { task, score: points / 100.0, predictions, ..score.clone() });
            }
            study.runs.push(made);
        }
    }

    /// What a run has right of examples that all runs share: right if ability and luck exceed difficulty, which
    /// examples have for all arms, for each arm, and for each run.
    fn predicted(
        &self,
        key: u64,
        arm: usize,
        task: usize,
        luck: f64,
        random: &mut Random,
    ) -> (f64, Option<Predictions>) {
        let right = |example: usize| {
            let of_all = Random::new(&[key, 3, task as u64, example as u64]).normal();
            let of_arm = Random::new(&[key, 4, task as u64, example as u64, arm as u64]).normal();
            let difficulty = DIFFICULTY[0] * of_all + DIFFICULTY[1] * of_arm;
            f64::from(u8::from(self.means[arm] + luck + random.normal() > difficulty))
        };
        let right: Vec<f64> = (0..self.examples).map(right).collect();
        let points = 100.0 * right.iter().sum::<f64>() / self.examples as f64;
        (points, Some(Predictions::Scores(right)))
    }

    /// The true score of an arm, in points.
    fn truth(&self, arm: usize) -> f64 {
        if !self.predictions {
            return self.means[arm];
        }
        let all = (DIFFICULTY[0].powi(2) + DIFFICULTY[1].powi(2) + 1.0 + self.spreads[arm].powi(2)).sqrt();
        100.0 * Normal::standard().cdf(self.means[arm] / all)
    }

    /// Judges so many studies by their pairs of arms, on the mean of the tasks or on each of them.
    pub(crate) fn judge(&self, keys: std::ops::Range<u64>) -> Counts {
        let mut counts = Counts::default();
        let config = AnalysisConfig {
            draws: if self.predictions { 200 } else { 0 },
            margin: self.margin,
            ..AnalysisConfig::standard()
        };
        for key in keys {
            let findings = analyse(&self.study(key), &config).expect("made-up measurements are right");
            counts.add(self, &findings);
        }
        counts
    }
}

/// What was found in studies of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    studies: usize,
    /// Studies with any false verdict.
    false_verdicts: usize,
    /// Studies with intervals, and those of which all hold the truth.
    with_intervals: usize,
    covered: usize,
    /// Pairs that differ, and those of them that were found.
    different: usize,
    found: usize,
    /// Pairs that do not, and those of them that were called the same.
    equal: usize,
    called_same: usize,
    /// All pairs, and those that got a verdict from their interval.
    pairs: usize,
    judged: usize,
}

impl Counts {
    fn add(&mut self, scenario: &Scenario, findings: &Findings) {
        let on_tasks = findings.task_pairs.iter().flat_map(|task| &task.pairs);
        let pairs: Vec<&Comparison> =
            if scenario.tasks > 1 { on_tasks.collect() } else { findings.pairs.iter().collect() };
        let number =
            |name: &str| (0..scenario.means.len()).find(|arm| Scenario::arm(*arm) == name).unwrap_or(0);
        let (mut is_false, mut holds, mut any) = (false, true, false);
        for pair in pairs {
            let truth = scenario.truth(number(&pair.a)) - scenario.truth(number(&pair.b));
            is_false |= match pair.verdict {
                Verdict::Better => truth <= 0.0,
                Verdict::Worse => truth >= 0.0,
                Verdict::Same => scenario.margin.is_some_and(|margin| truth.abs() >= margin),
                _ => false,
            };
            if let Some(test) = &pair.test {
                any = true;
                holds &= (test.interval.low..=test.interval.high).contains(&truth);
            }
            self.pairs += 1;
            self.judged += usize::from(pair.verdict.is_judged());
            if truth == 0.0 {
                self.equal += 1;
                self.called_same += usize::from(pair.verdict == Verdict::Same);
            } else {
                let right = if truth > 0.0 { Verdict::Better } else { Verdict::Worse };
                self.different += 1;
                self.found += usize::from(pair.verdict == right);
            }
        }
        self.studies += 1;
        self.false_verdicts += usize::from(is_false);
        self.with_intervals += usize::from(any);
        self.covered += usize::from(any && holds);
    }

    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            studies: self.studies + other.studies,
            false_verdicts: self.false_verdicts + other.false_verdicts,
            with_intervals: self.with_intervals + other.with_intervals,
            covered: self.covered + other.covered,
            different: self.different + other.different,
            found: self.found + other.found,
            equal: self.equal + other.equal,
            called_same: self.called_same + other.called_same,
            pairs: self.pairs + other.pairs,
            judged: self.judged + other.judged,
        }
    }

    /// The shares.
    pub(crate) fn shares(self) -> Shares {
        let share = |part: usize, all: usize| (all > 0).then(|| part as f64 / all as f64);
        Shares {
            studies: self.studies,
            false_verdicts: share(self.false_verdicts, self.studies).unwrap_or(0.0),
            coverage: share(self.covered, self.with_intervals),
            power: share(self.found, self.different),
            same: share(self.called_same, self.equal),
            judged: share(self.judged, self.pairs).unwrap_or(0.0),
        }
    }
}

/// What a kind of study comes to.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Shares {
    pub(crate) studies: usize,
    /// Of studies: those with any false verdict.
    pub(crate) false_verdicts: f64,
    /// Of studies that have intervals: those in which all intervals hold the truth.
    pub(crate) coverage: Option<f64>,
    /// Of pairs that differ: those of which the verdict says so.
    pub(crate) power: Option<f64>,
    /// Of pairs that do not: those that are called the same.
    pub(crate) same: Option<f64>,
    /// Of all pairs: those that get a verdict from their interval.
    pub(crate) judged: f64,
}
