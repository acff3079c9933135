//! Two arms at a time.

use super::bootstrap::Bootstrap;
use crate::verdict::{self, Contrast};
use crate::{AnalysisConfig, ArmResult, Comparison, Error, Noise, Verdict};

/// Whether the seeds of two arms mean the same data and masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pairing {
    /// They do: differences are within seeds, where there are seeds in common.
    BySeed,
    /// They do not.
    None,
}

/// Compares pairs (`a`, `b`) as one family.
///
/// # Errors
/// [`Error::Metrics`] if a statistic cannot be computed.
pub(crate) fn compare(
    pairs: &[(&ArmResult, &ArmResult)],
    pairing: Pairing,
    noise: Option<&Noise>,
    bootstrap: &Bootstrap<'_>,
    config: &AnalysisConfig,
) -> Result<Vec<Comparison>, Error> {
    let mut comparisons = Vec::new();
    let mut family = Vec::new();
    for (index, (a, b)) in pairs.iter().enumerate() {
        let comparison = differences(a, b, pairing);
        let contrast = if comparison.paired {
            Contrast::paired(&comparison.differences, noise)
        } else {
            Contrast::unpaired(&scores(a), &scores(b))
        };
        if let Some(contrast) = contrast {
            let (name_a, name_b) = (a.facts.name.as_str(), b.facts.name.as_str());
            let interval = if comparison.paired {
                bootstrap.paired(name_a, name_b, &comparison.seeds)
            } else {
                bootstrap.unpaired((name_a, &seeds(a)), (name_b, &seeds(b)))
            };
            family.push((index, (contrast, interval)));
        }
        comparisons.push(comparison);
    }
    let (indices, contrasts): (Vec<usize>, Vec<_>) = family.into_iter().unzip();
    for (index, (test, verdict)) in indices.into_iter().zip(verdict::family(&contrasts, config)?) {
        comparisons[index].test = Some(test);
        comparisons[index].verdict = verdict;
    }
    Ok(comparisons)
}

fn differences(a: &ArmResult, b: &ArmResult, pairing: Pairing) -> Comparison {
    let of_b = |seed: u64| b.seeds.iter().find(|other| other.seed == seed);
    let common: Vec<(u64, f64)> = a
        .seeds
        .iter()
        .filter(|_| pairing == Pairing::BySeed)
        .filter_map(|one| Some((one.seed, one.score - of_b(one.seed)?.score)))
        .collect();
    let of_means = || Some(a.score.as_ref()?.mean - b.score.as_ref()?.mean);
    let paired = !common.is_empty();
    let (seeds, differences): (Vec<u64>, Vec<f64>) = common.into_iter().unzip();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    Comparison {
        a: a.facts.name.clone(),
        b: b.facts.name.clone(),
        paired,
        seeds,
        difference: if paired { Some(mean) } else { of_means() },
        differences,
        test: None,
        verdict: Verdict::NoVerdict,
    }
}

fn seeds(arm: &ArmResult) -> Vec<u64> {
    arm.seeds.iter().map(|seed| seed.seed).collect()
}

fn scores(arm: &ArmResult) -> Vec<f64> {
    arm.seeds.iter().map(|seed| seed.score).collect()
}
