//! Whether a run left the plateau on which it knows nothing but how frequent tokens are.
//!
//! It is asked of diagnostics, not of tasks: a run can have learnt much of the language and still be at chance on a
//! task. An arm of which some runs took off and some did not has two kinds of scores. No interval of their mean is
//! right, so such an arm gets no verdict.

use serde::{Deserialize, Serialize};

use crate::findings::{SeedScore, TakeOff};
use crate::measurements::RunFacts;
use crate::scores::estimate;
use crate::verdict::clopper_pearson;

/// A kept encoder that detects has taken off with such an area under the curve or more, if the plan has no rule.
pub const DETECTOR_AUC: f64 = 0.6;
/// One that predicts has taken off with a loss of at most this share of what token frequencies alone give.
pub const SHARE_OF_UNIGRAM: f64 = 0.85;
/// The diagnostics of a kept encoder's predictions, the more telling first.
const LOSSES: [&str; 3] = ["main_masked_lm_loss", "masked_lm_loss", "lm_loss"];
/// The diagnostic of a kept encoder that detects.
const AUC: &str = "disc_auc";
/// The part of a run, from its end, over which a diagnostic is averaged.
const LAST: f64 = 0.1;

/// A diagnostic and the value with which a run has taken off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The diagnostic's name, such as `disc_auc`.
    pub metric: String,
    /// A run took off with this value or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// A run took off with this value or less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}

impl Threshold {
    fn holds(&self, value: f64) -> bool {
        self.at_least.is_none_or(|least| value >= least) && self.at_most.is_none_or(|most| value <= most)
    }
}

/// Whether a run took off; none where nothing tells.
///
/// Of the thresholds the first counts whose diagnostic the run has. Without any, a run that has `disc_auc` took off
/// with .6 or more, and another with a loss of masked or next tokens of at most 85 % of what token frequencies alone give.
pub(crate) fn took_off(run: &RunFacts, thresholds: &[Threshold]) -> Option<bool> {
    if !thresholds.is_empty() {
        return thresholds.iter().find_map(|threshold| Some(threshold.holds(last(run, &threshold.metric)?)));
    }
    if let Some(auc) = last(run, AUC) {
        return Some(auc >= DETECTOR_AUC);
    }
    let loss = LOSSES.iter().find_map(|name| last(run, name))?;
    Some(loss <= SHARE_OF_UNIGRAM * run.unigram_loss?)
}

/// The mean of a diagnostic over the last tenth of a run; at least its last value.
fn last(run: &RunFacts, name: &str) -> Option<f64> {
    let end = run.diagnostics.iter().map(|point| point.step).max()? as f64;
    let values = |from: f64| -> Vec<f64> {
        let points = run.diagnostics.iter().filter(|point| point.step as f64 >= from);
        points.filter_map(|point| point.values.get(name).copied()).filter(|value| value.is_finite()).collect()
    };
    let values = values(end * (1.0 - LAST));
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// How many of an arm's runs took off; none if that is not known of all of them.
pub(crate) fn counted(seeds: &[SeedScore], level: f64) -> Option<TakeOff> {
    let known: Option<Vec<(bool, f64)>> =
        seeds.iter().map(|seed| Some((seed.took_off?, seed.score))).collect();
    let known = known.filter(|known| !known.is_empty())?;
    let scores: Vec<f64> = known.iter().filter(|(took_off, _)| *took_off).map(|(_, score)| *score).collect();
    Some(TakeOff {
        runs: known.len(),
        took_off: scores.len(),
        share: clopper_pearson(scores.len(), known.len(), level),
        score: estimate(&scores, level),
    })
}
