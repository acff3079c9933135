//! What a plan can find, before it runs: from the spread of a pilot, by the rule of the verdict.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statrs::distribution::ContinuousCDF;
use statrs::distribution::Normal;
use statrs::function::gamma::ln_gamma;

use crate::findings::AnalysisConfig;
use crate::layout::Contrast;
use crate::mixed::Mixed;
use crate::verdict::{of_each, student};

/// Standard errors beyond which no difference is looked for.
const FARTHEST: f64 = 1000.0;
/// Steps of the integral over a variance's distribution.
const STEPS: usize = 2000;

/// An earlier study, as far as its scores tell what another can find. All in points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pilot {
    /// Where its numbers are.
    pub record: String,
    /// By arm: the standard deviation of its runs' scores.
    pub standard_deviations: BTreeMap<String, f64>,
    /// By arm: its score, if the pilot is to say how large differences may be.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scores: BTreeMap<String, f64>,
    /// The standard deviation of languages, where each seed is to have one of its own; that of a run if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub languages: Option<f64>,
}

/// What a plan can find of two arms.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedPair {
    /// The one.
    pub a: String,
    /// The other.
    pub b: String,
    /// The smallest difference that is found as often as the configured power says.
    pub detectable: f64,
    /// `a − b` in the pilot, if it has the scores.
    pub difference: Option<f64>,
    /// How often a difference of that size is found.
    pub power: Option<f64>,
}

/// What a plan of so many runs of each arm can find, pair by pair; pairs of which the pilot does not have both standard
/// deviations are left out. The choice of test examples is not in it.
///
/// With t the quantile of the interval (Šidák's, over all pairs) and T noncentral t with the degrees of freedom that the
/// layout has with these variances, a difference of δ standard errors is found with P(T(δ) > t).
#[must_use]
pub fn planned(
    arms: &[&str],
    runs: usize,
    language_each: bool,
    pilot: &Pilot,
    config: &AnalysisConfig,
) -> Vec<PlannedPair> {
    let known: Vec<(&str, f64)> =
        arms.iter().filter_map(|arm| Some((*arm, *pilot.standard_deviations.get(*arm)?))).collect();
    if runs < 2 {
        return Vec::new();
    }
    let family = config.family(arms).len();
    let variances: Vec<f64> = known.iter().map(|(_, deviation)| deviation.powi(2)).collect();
    let usual = (variances.iter().sum::<f64>() / variances.len() as f64).sqrt();
    let mixed = language_each
        .then(|| Mixed::planned(&variances, pilot.languages.unwrap_or(usual).powi(2), runs))
        .flatten();
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let pair = |(a, b): (usize, usize)| {
        let contrast = match &mixed {
            Some(mixed) => mixed.contrast(a, b),
            None => Some(welch(variances[a], variances[b], runs)),
        };
        let Contrast { variance, degrees, .. } = contrast?;
        let limit = student(degrees).inverse_cdf(1.0 - of_each(1.0 - config.level, family) / 2.0);
        let power = |points: f64| beyond(limit, degrees, points / variance.sqrt());
        let score = |place: usize| pilot.scores.get(names[place]).copied();
        let difference = score(a).zip(score(b)).map(|(a, b)| a - b);
        Some(PlannedPair {
            a: names[a].into(),
            b: names[b].into(),
            detectable: standard_errors(limit, degrees, config.power) * variance.sqrt(),
            difference,
            power: difference.map(|difference| power(difference.abs())),
        })
    };
    config.family(&names).into_iter().filter_map(pair).collect()
}

fn welch(a: f64, b: f64, runs: usize) -> Contrast {
    let n = runs as f64;
    let degrees = (n - 1.0) * (a + b).powi(2) / (a * a + b * b);
    Contrast { difference: 0.0, variance: (a + b) / n, degrees, deviation: 0.0 }
}

/// The shift of a noncentral t that is beyond a limit with a probability.
pub(crate) fn standard_errors(limit: f64, degrees: f64, power: f64) -> f64 {
    let (mut low, mut high) = (0.0, FARTHEST);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if beyond(limit, degrees, middle) < power { low = middle } else { high = middle }
    }
    high
}

/// P(T > limit) of a noncentral t: (Z + shift) / s, where s² is χ²/ν. The integral over s by Simpson's rule.
fn beyond(limit: f64, degrees: f64, shift: f64) -> f64 {
    let (normal, half) = (Normal::standard(), degrees / 2.0);
    let density = |s: f64| {
        if s <= 0.0 {
            return 0.0;
        }
        (2f64.ln() + half * half.ln() - ln_gamma(half) + (degrees - 1.0) * s.ln() - half * s * s).exp()
    };
    let farthest = 1.0 + 10.0 / degrees.sqrt();
    let step = farthest / STEPS as f64;
    let value = |index: usize| {
        let s = index as f64 * step;
        density(s) * normal.cdf(shift - limit * s)
    };
    let inner = (1..STEPS).map(|index| if index % 2 == 1 { 4.0 } else { 2.0 } * value(index)).sum::<f64>();
    (value(0) + inner + value(STEPS)) * step / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detectable_differences_are_those_of_scipys_noncentral_t() {
        let golden: serde_json::Value =
            serde_json::from_str(include_str!("../tests/golden/statistics.json")).unwrap();
        for case in golden["detectable"].as_array().unwrap() {
            let number = |key: &str| case[key].as_f64().unwrap();
            let limit = student(number("degrees")).inverse_cdf(1.0 - number("error") / 2.0);
            let found = standard_errors(limit, number("degrees"), 0.8);
            assert!((found / number("standard_errors") - 1.0).abs() < 1e-6, "{found}, {case}");
        }
    }
}
