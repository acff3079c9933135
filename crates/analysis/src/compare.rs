//! Two arms at a time.

use crate::bootstrap::Bootstrap;
use crate::error::Error;
use crate::findings::{AnalysisConfig, ArmFindings, Comparison, Noise, Range, Verdict};
use crate::scores;
use crate::verdict::{self, Contrast};

/// Whether the seeds of two arms mean the same data and masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pairing {
    /// They do: differences are within seeds, where there are seeds in common.
    BySeed,
    /// They do not.
    None,
}

/// What is compared of an arm: its scores by seed, be they of one task or the mean of all.
#[derive(Clone, Debug)]
pub(crate) struct Scored<'a> {
    arm: &'a str,
    seeds: Vec<(u64, f64)>,
}

impl<'a> Scored<'a> {
    /// The mean of all tasks, of the complete runs.
    pub(crate) fn mean(arm: &'a ArmFindings) -> Self {
        let seeds = arm.seeds.iter().map(|seed| (seed.seed, seed.score)).collect();
        Self { arm: &arm.facts.name, seeds }
    }

    /// One task, of all runs that have it.
    pub(crate) fn on(arm: &'a ArmFindings, task: &str) -> Self {
        let seeds = scores::of_seeds(arm.runs.iter(), &[task]);
        Self { arm: &arm.facts.name, seeds: seeds.iter().map(|seed| (seed.seed, seed.score)).collect() }
    }

    fn score(&self, seed: u64) -> Option<f64> {
        self.seeds.iter().find(|(other, _)| *other == seed).map(|(_, score)| *score)
    }

    fn seeds(&self) -> Vec<u64> {
        self.seeds.iter().map(|(seed, _)| *seed).collect()
    }

    fn scores(&self) -> Vec<f64> {
        self.seeds.iter().map(|(_, score)| *score).collect()
    }
}

/// Each with each other, the later one first.
pub(crate) fn each_with_each<T: Copy>(arms: &[T]) -> Vec<(T, T)> {
    (0..arms.len()).flat_map(|low| (low + 1..arms.len()).map(move |high| (arms[high], arms[low]))).collect()
}

/// The noise that paired differences share, over the seeds that all arms with at least two runs have.
pub(crate) fn noise(arms: &[&Scored<'_>]) -> Option<Noise> {
    let several: Vec<&Scored<'_>> = arms.iter().copied().filter(|arm| arm.seeds.len() > 1).collect();
    let in_all = |seed: &u64| several.iter().all(|arm| arm.score(*seed).is_some());
    let seeds: Vec<u64> = several.first()?.seeds().into_iter().filter(in_all).collect();
    let block: Vec<Vec<f64>> =
        several.iter().map(|arm| seeds.iter().filter_map(|seed| arm.score(*seed)).collect()).collect();
    verdict::noise(&block)
}

/// A comparison without its verdict, and what that will be from: nothing with fewer than two seeds.
pub(crate) type Open = (Comparison, Option<(Contrast, Option<Range>)>);

/// Compares pairs (`a`, `b`).
pub(crate) fn compare(
    pairs: &[(&Scored<'_>, &Scored<'_>)],
    pairing: Pairing,
    noise: Option<&Noise>,
    bootstrap: &Bootstrap<'_>,
) -> Vec<Open> {
    let compared = pairs.iter().map(|(a, b)| {
        let comparison = differences(a, b, pairing);
        let contrast = if comparison.paired {
            Contrast::paired(&comparison.differences, noise)
        } else {
            Contrast::unpaired(&a.scores(), &b.scores())
        };
        let with_interval = contrast.map(|contrast| {
            let interval = if comparison.paired {
                bootstrap.paired(a.arm, b.arm, &comparison.seeds)
            } else {
                bootstrap.unpaired((a.arm, &a.seeds()), (b.arm, &b.seeds()))
            };
            (contrast, interval)
        });
        (comparison, with_interval)
    });
    compared.collect()
}

/// Gives the verdicts of one family.
///
/// # Errors
/// [`Error::Metrics`] if a statistic cannot be computed.
pub(crate) fn judge(family: Vec<Open>, config: &AnalysisConfig) -> Result<Vec<Comparison>, Error> {
    let contrasts: Vec<_> = family.iter().filter_map(|(_, contrast)| contrast.clone()).collect();
    let mut judged = verdict::family(&contrasts, config)?.into_iter();
    let with_verdict = family.into_iter().map(|(mut comparison, contrast)| {
        if contrast.is_some()
            && let Some((test, verdict)) = judged.next()
        {
            (comparison.test, comparison.verdict) = (Some(test), verdict);
        }
        comparison
    });
    Ok(with_verdict.collect())
}

fn differences(a: &Scored<'_>, b: &Scored<'_>, pairing: Pairing) -> Comparison {
    let common: Vec<(u64, f64)> = a
        .seeds
        .iter()
        .filter(|_| pairing == Pairing::BySeed)
        .filter_map(|(seed, score)| Some((*seed, score - b.score(*seed)?)))
        .collect();
    let paired = !common.is_empty();
    let (seeds, differences): (Vec<u64>, Vec<f64>) = common.into_iter().unzip();
    let difference = if paired {
        mean(&differences)
    } else {
        mean(&a.scores()).zip(mean(&b.scores())).map(|(a, b)| a - b)
    };
    Comparison {
        a: a.arm.into(),
        b: b.arm.into(),
        paired,
        seeds,
        difference,
        differences,
        test: None,
        verdict: Verdict::NoVerdict,
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
