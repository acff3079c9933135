//! The rule by which two arms are called better, worse, the same or not distinguishable.
//!
//! Its parts are on the crate's page under "The verdict".

use statrs::distribution::{Beta, ContinuousCDF, StudentsT};

use crate::findings::{AnalysisConfig, Range, Test, Verdict};
use crate::layout::Contrast;

/// Fewer runs of an arm than these get no verdict: an interval of so few is too wide to be of use, and with three
/// it is off by more than this study of the rule allows.
pub const FEWEST_RUNS: usize = 5;

/// The interval and the p of a difference, one of a family of so many.
///
/// `examples` is the variance of the difference that comes from the choice of test examples, where all runs share
/// one test set. It is known from so many examples that it adds no uncertainty to the degrees of freedom.
pub(crate) fn test(
    contrast: &Contrast,
    examples: Option<f64>,
    family: usize,
    config: &AnalysisConfig,
) -> Test {
    let variance = contrast.variance + examples.unwrap_or(0.0);
    let degrees = contrast.degrees * (variance / contrast.variance).powi(2);
    let (standard_error, student) = (variance.sqrt(), student(degrees));
    let half = student.inverse_cdf(1.0 - of_each(1.0 - config.level, family) / 2.0) * standard_error;
    let beyond = |points: f64| student.sf(points / standard_error);
    let p = (2.0 * beyond(contrast.difference.abs())).min(1.0);
    // Two one-sided tests (Schuirmann 1987), each at half of the interval's error.
    let p_same = config
        .margin
        .map(|margin| of_any((2.0 * beyond(margin - contrast.difference.abs())).min(1.0), family));
    Test {
        standard_error,
        degrees,
        examples: examples.map(f64::sqrt),
        interval: Range { low: contrast.difference - half, high: contrast.difference + half },
        p,
        p_adjusted: of_any(p, family),
        p_same,
        effect: contrast.difference / contrast.deviation,
    }
}

/// The verdict that an interval gives.
pub(crate) fn verdict(interval: Range, margin: Option<f64>) -> Verdict {
    if interval.low > 0.0 {
        Verdict::Better
    } else if interval.high < 0.0 {
        Verdict::Worse
    } else if margin.is_some_and(|margin| interval.low > -margin && interval.high < margin) {
        Verdict::Same
    } else {
        Verdict::NotDistinguishable
    }
}

/// The error of each of so many intervals, so that all of them hold together (Šidák 1967): 1 − (1 − α)^(1/m).
pub(crate) fn of_each(error: f64, family: usize) -> f64 {
    -f64::exp_m1(f64::ln_1p(-error) / family as f64)
}

/// The p of one of so many tests, corrected by the same formula: 1 − (1 − p)^m.
fn of_any(p: f64, family: usize) -> f64 {
    -f64::exp_m1(family as f64 * f64::ln_1p(-p))
}

/// Beyond so many degrees of freedom t is normal in every digit that is shown, and its quantile is not found by statrs.
const MOST_DEGREES: f64 = 1e5;

pub(crate) fn student(degrees: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, degrees.min(MOST_DEGREES))
        .expect("degrees of freedom come from at least two runs, so they are positive")
}

/// The exact interval of a share (Clopper and Pearson 1934): k of n.
pub(crate) fn clopper_pearson(k: usize, n: usize, level: f64) -> Range {
    let tail = (1.0 - level) / 2.0;
    let quantile = |a: usize, b: usize, share: f64| {
        Beta::new(a as f64, b as f64).expect("both counts are above 0").inverse_cdf(share)
    };
    Range {
        low: if k == 0 { 0.0 } else { quantile(k, n - k + 1, tail) },
        high: if k == n { 1.0 } else { quantile(k + 1, n - k, 1.0 - tail) },
    }
}
