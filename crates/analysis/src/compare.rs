//! Two arms at a time.

use std::collections::BTreeSet;

use crate::examples::{Movement, Resampled};
use crate::findings::{AnalysisConfig, ArmFindings, Comparison, Noise, TakeOff, TestSets, Verdict};
use crate::layout::{Layout, Scores};
use crate::measurements::{RunFacts, TaskFacts};
use crate::scores::{of_seeds, rounding};
use crate::verdict::{FEWEST_RUNS, test, verdict};

/// What all comparisons of a study have in common.
pub(crate) struct Context<'a> {
    pub(crate) config: &'a AnalysisConfig,
    pub(crate) test_sets: TestSets,
    pub(crate) resampled: Resampled<'a>,
    /// The keys of the test sets, in order.
    pub(crate) keys: Vec<&'a str>,
}

impl Context<'_> {
    /// The pairs that are compared of these arms.
    pub(crate) fn family(&self, arms: &[&ArmFindings]) -> Vec<(usize, usize)> {
        let names: Vec<&str> = arms.iter().map(|arm| arm.facts.name.as_str()).collect();
        self.config.family(&names)
    }
}

/// What is compared of an arm: the scores of its runs, be they of one task or the mean of several.
pub(crate) struct Scored<'a> {
    pub(crate) name: &'a str,
    /// Each run's arm and seed.
    runs: Vec<(&'a str, u64)>,
    pub(crate) scores: Scores,
    /// Why there can be no verdict on this arm.
    pub(crate) gate: Option<Verdict>,
}

impl<'a> Scored<'a> {
    /// Of all runs of an arm that have these tasks, and of those of the controls that are pooled with it.
    pub(crate) fn new(
        arm: &'a ArmFindings,
        all: &[&'a RunFacts],
        tasks: &[&TaskFacts],
        context: &Context<'_>,
    ) -> Self {
        let counted: Vec<&'a RunFacts> = all
            .iter()
            .copied()
            .filter(|run| run.arm == arm.facts.name || arm.pooled.contains(&run.arm))
            .collect();
        let seeds = of_seeds(&counted, tasks, &[]);
        let run = |arm: &str, seed: u64| {
            let run = counted.iter().find(|run| run.arm == arm && run.seed == seed);
            run.map(|run| (run.arm.as_str(), run.seed))
        };
        let language = |key: &str| context.keys.iter().position(|other| *other == key).unwrap_or(0);
        let scores: Scores = seeds.iter().map(|seed| (language(&seed.test_sets), seed.score)).collect();
        let languages: BTreeSet<usize> = scores.iter().map(|(language, _)| *language).collect();
        let count = match context.test_sets {
            TestSets::Shared => scores.len(),
            TestSets::OnePerLanguage => languages.len(),
        };
        let is_mixture = arm.take_off.as_ref().is_some_and(TakeOff::is_in_part);
        Self {
            name: &arm.facts.name,
            runs: seeds.iter().filter_map(|seed| run(&seed.arm, seed.seed)).collect(),
            scores,
            gate: match (count < FEWEST_RUNS, is_mixture) {
                (true, _) => Some(Verdict::TooFewRuns),
                (false, true) => Some(Verdict::NotAllTookOff),
                (false, false) => None,
            },
        }
    }

    fn mean(&self) -> Option<f64> {
        let sum: f64 = self.scores.iter().map(|(_, score)| score).sum();
        (!self.scores.is_empty()).then(|| sum / self.scores.len() as f64)
    }

    /// How many runs count; where each seed has a language of its own, how many languages.
    fn count(&self, test_sets: TestSets) -> usize {
        let languages: BTreeSet<usize> = self.scores.iter().map(|(language, _)| *language).collect();
        if test_sets == TestSets::Shared { self.scores.len() } else { languages.len() }
    }
}

/// Arms that are looked at together, and their noise.
pub(crate) struct Group<'a, 'b> {
    pub(crate) arms: &'b [Scored<'a>],
    pub(crate) layout: Layout,
    /// By arm: how its mean moves with the draw of test examples, if that is added.
    pub(crate) movements: Vec<Option<Movement>>,
}

impl<'a, 'b> Group<'a, 'b> {
    pub(crate) fn new(arms: &'b [Scored<'a>], tasks: &[&TaskFacts], context: &Context<'_>) -> Self {
        // The scores of an arm of which some runs took off and some did not have no place in a model of normal noise.
        let scores: Vec<Scores> = arms
            .iter()
            .map(|arm| if arm.gate == Some(Verdict::NotAllTookOff) { Vec::new() } else { arm.scores.clone() })
            .collect();
        let layout = match context.test_sets {
            TestSets::Shared => Layout::one_way(&scores, rounding(tasks)),
            TestSets::OnePerLanguage => Layout::blocks(&scores, rounding(tasks)),
        };
        let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
        let movements = arms.iter().map(|arm| context.resampled.movement(&arm.runs, &names)).collect();
        Self { arms, layout, movements }
    }

    /// Compares pairs of a family of so many.
    pub(crate) fn compare(
        &self,
        pairs: &[(usize, usize)],
        family: usize,
        context: &Context<'_>,
    ) -> Vec<Comparison> {
        pairs.iter().map(|(a, b)| self.pair(*a, *b, family, context)).collect()
    }

    fn pair(&self, a: usize, b: usize, family: usize, context: &Context<'_>) -> Comparison {
        let (of_a, of_b) = (&self.arms[a], &self.arms[b]);
        let contrast = self.layout.contrast(a, b);
        let examples = match (&self.movements[a], &self.movements[b]) {
            (Some(a), Some(b)) => Some(a.variance_of_difference(b)),
            _ => None,
        };
        let test = contrast.map(|contrast| test(&contrast, examples, family, context.config));
        let gates = [of_a.gate, of_b.gate];
        let gate = |verdict| gates.contains(&Some(verdict)).then_some(verdict);
        let judged = || {
            test.as_ref().map_or(Verdict::TooFewRuns, |test| verdict(test.interval, context.config.margin))
        };
        Comparison {
            a: of_a.name.into(),
            b: of_b.name.into(),
            runs: (of_a.count(context.test_sets), of_b.count(context.test_sets)),
            difference: contrast
                .map(|contrast| contrast.difference)
                .or_else(|| Some(of_a.mean()? - of_b.mean()?)),
            verdict: gate(Verdict::TooFewRuns).or(gate(Verdict::NotAllTookOff)).unwrap_or_else(judged),
            test,
        }
    }

    /// How the scores scatter.
    pub(crate) fn noise(&self, context: &Context<'_>) -> Noise {
        let deviation = |(index, arm): (usize, &Scored<'_>)| {
            Some((arm.name.to_owned(), self.layout.run_deviation(index)?))
        };
        Noise {
            runs: self.arms.iter().enumerate().filter_map(deviation).collect(),
            languages: (context.test_sets == TestSets::OnePerLanguage)
                .then(|| self.layout.language_deviation()),
        }
    }
}
