//! The rule by which two arms are called better, worse or not distinguishable.
//!
//! Its parts are on the crate's page under "The verdict". Symbols: `y[a][s]` is the score of arm `a` with seed
//! `s`, k arms, n seeds.

use electra_metrics::{holm, sign_flip_test};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::error::Error;
use crate::findings::{AnalysisConfig, Noise, Range, Test, Verdict};

/// Beyond this, "how many seeds" is no plan.
const MOST_SEEDS: usize = 1000;

/// The noise of a paired difference, from a block of k arms × n seeds: the residual of the two-way layout with
/// arms and seeds (R. A. Fisher's randomised blocks), twice, as a difference has the noise of two arms.
///
/// The arms need not be equally noisy. With v(a) the residual variance of arm a, its degrees of freedom are
/// Satterthwaite's (1946), (n − 1) (k − 1)/k · (Σ v)² / Σ v²: (n − 1)(k − 1) if all arms are alike, about n − 1 if
/// one has all the noise; never less than n − 1.
pub(crate) fn noise(block: &[Vec<f64>]) -> Option<Noise> {
    let (arms, seeds) = (block.len(), block.first()?.len());
    if arms < 2 || seeds < 2 {
        return None;
    }
    let (k, n) = (arms as f64, seeds as f64);
    let of_arm: Vec<f64> = block.iter().map(|scores| scores.iter().sum::<f64>() / n).collect();
    let of_seed: Vec<f64> =
        (0..seeds).map(|s| block.iter().map(|scores| scores[s]).sum::<f64>() / k).collect();
    let all = of_arm.iter().sum::<f64>() / k;
    let variances: Vec<f64> = block
        .iter()
        .zip(&of_arm)
        .map(|(scores, arm)| {
            let residual = |(score, seed): (&f64, &f64)| (score - arm - seed + all).powi(2);
            scores.iter().zip(&of_seed).map(residual).sum::<f64>() / (n - 1.0)
        })
        .collect();
    let sum: f64 = variances.iter().sum();
    let squares: f64 = variances.iter().map(|v| v * v).sum();
    let degrees = if squares > 0.0 { (n - 1.0) * (k - 1.0) / k * sum * sum / squares } else { n - 1.0 };
    Some(Noise {
        standard_deviation: (2.0 * sum / (k - 1.0)).sqrt(),
        degrees: degrees.max(n - 1.0),
        arms,
        seeds,
    })
}

/// What two arms' scores are before the family they belong to is known.
#[derive(Clone, Debug)]
pub(crate) struct Contrast {
    /// `a − b`.
    pub(crate) difference: f64,
    /// Standard error of it.
    pub(crate) standard_error: f64,
    /// Degrees of freedom.
    pub(crate) degrees: f64,
    /// Seeds: of each arm, or of the one that has fewer.
    pub(crate) seeds: usize,
    /// The differences within seeds, if paired.
    paired: Option<Vec<f64>>,
}

impl Contrast {
    /// Of differences within seeds; needs two. The noise is the greater of the pair's own and the one that all
    /// arms share: a pair that happens to agree in all its seeds is no surer than the others.
    pub(crate) fn paired(differences: &[f64], shared: Option<&Noise>) -> Option<Self> {
        let n = differences.len() as f64;
        let (difference, own) = mean_and_variance(differences)?;
        let (variance, degrees) = match shared {
            Some(noise) => (own.max(noise.standard_deviation.powi(2)), noise.degrees),
            None => (own, n - 1.0),
        };
        Some(Self {
            difference,
            standard_error: (variance / n).sqrt(),
            degrees,
            seeds: differences.len(),
            paired: Some(differences.to_vec()),
        })
    }

    /// Of two arms without a seed in common (Welch 1947); needs two of each.
    pub(crate) fn unpaired(a: &[f64], b: &[f64]) -> Option<Self> {
        let ((mean_a, variance_a), (mean_b, variance_b)) = (mean_and_variance(a)?, mean_and_variance(b)?);
        let (of_a, of_b) = (variance_a / a.len() as f64, variance_b / b.len() as f64);
        let least = (a.len().min(b.len()) - 1) as f64;
        let below = of_a.powi(2) / (a.len() - 1) as f64 + of_b.powi(2) / (b.len() - 1) as f64;
        let degrees = if below > 0.0 { (of_a + of_b).powi(2) / below } else { least };
        Some(Self {
            difference: mean_a - mean_b,
            standard_error: (of_a + of_b).sqrt(),
            degrees,
            seeds: a.len().min(b.len()),
            paired: None,
        })
    }

    /// Two-sided p of Student's t.
    fn p(&self) -> f64 {
        if self.standard_error > 0.0 {
            let t = self.difference.abs() / self.standard_error;
            (2.0 * student(self.degrees).sf(t)).min(1.0)
        } else if self.difference == 0.0 {
            1.0
        } else {
            0.0
        }
    }

    /// The difference that a two-sided test at `alpha` sees with `power`, in standard errors: the usual sum of two
    /// quantiles, here of Student's t.
    fn detectable(alpha: f64, power: f64, degrees: f64) -> f64 {
        let t = student(degrees);
        t.inverse_cdf(1.0 - alpha / 2.0) + t.inverse_cdf(power)
    }

    fn seeds_needed(&self, alpha: f64, power: f64) -> Option<usize> {
        let n = self.seeds as f64;
        let of_one = self.standard_error * n.sqrt();
        let enough = |seeds: usize| {
            let degrees = self.degrees * (seeds as f64 - 1.0) / (n - 1.0);
            Self::detectable(alpha, power, degrees) * of_one / (seeds as f64).sqrt() <= self.difference.abs()
        };
        // More seeds detect less and less: the first that is enough is found by halving.
        if !enough(MOST_SEEDS) {
            return None;
        }
        let (mut low, mut high) = (1, MOST_SEEDS);
        while high - low > 1 {
            let middle = low.midpoint(high);
            if enough(middle) { high = middle } else { low = middle }
        }
        Some(high)
    }
}

/// Tests a family of comparisons: a verdict needs Holm's p at most alpha, and, where there is one, a bootstrap
/// interval without 0.
///
/// # Errors
/// [`Error::Metrics`] if a statistic cannot be computed.
pub(crate) fn family(
    contrasts: &[(Contrast, Option<Range>)],
    config: &AnalysisConfig,
) -> Result<Vec<(Test, Verdict)>, Error> {
    let p: Vec<f64> = contrasts.iter().map(|(contrast, _)| contrast.p()).collect();
    let corrected = holm(&p).map_err(|source| Error::Metrics { field: "p of a family".into(), source })?;
    // The level that Holm's first step asks for, so that what is called detectable would be seen alone as well.
    let strictest = config.alpha / contrasts.len().max(1) as f64;
    let tested = contrasts.iter().zip(p).zip(corrected).map(|(((contrast, bootstrap), p), p_holm)| {
        let half = student(contrast.degrees).inverse_cdf(0.5 + config.level / 2.0) * contrast.standard_error;
        let p_sign_flip =
            contrast.paired.as_ref().map(|differences| sign_flip(differences, config)).transpose()?;
        let test = Test {
            standard_error: contrast.standard_error,
            degrees: contrast.degrees,
            interval: Range { low: contrast.difference - half, high: contrast.difference + half },
            bootstrap: *bootstrap,
            p,
            p_holm,
            p_sign_flip,
            sign_flip_floor: p_sign_flip.map(|_| 2.0 / 2_f64.powi(contrast.seeds.min(1000) as i32)),
            detectable: Contrast::detectable(strictest, config.power, contrast.degrees)
                * contrast.standard_error,
            seeds_needed: contrast.seeds_needed(strictest, config.power),
        };
        let seen = p_holm <= config.alpha && bootstrap.is_none_or(Range::excludes_0);
        let verdict = match (seen, contrast.difference > 0.0) {
            (false, _) => Verdict::NotDistinguishable,
            (true, true) => Verdict::Better,
            (true, false) => Verdict::Worse,
        };
        Ok((test, verdict))
    });
    tested.collect()
}

fn sign_flip(differences: &[f64], config: &AnalysisConfig) -> Result<f64, Error> {
    sign_flip_test(differences, config.seed)
        .map_err(|source| Error::Metrics { field: "sign-flip test".into(), source })
}

pub(crate) fn student(degrees: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, degrees)
        .expect("degrees of freedom come from at least two seeds, so they are positive")
}

/// The mean and the variance (n − 1) of at least two numbers.
pub(crate) fn mean_and_variance(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    Some((mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)))
}
