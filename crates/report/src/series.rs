//! The diagnostics of training as lines over steps.

use std::collections::{BTreeMap, BTreeSet};

use electra_analysis::{ArmFindings, Findings, RunFacts};

use crate::format::extent;

/// Names in the order in which they are shown, with their titles; others come after, as they are called.
const KNOWN: [(&str, &str); 25] = [
    ("loss", "Total loss"),
    ("main_loss", "Kept encoder's loss"),
    ("main_masked_lm_loss", "Kept encoder's masked-LM loss"),
    ("main_masked_lm_accuracy", "Kept encoder's masked-LM accuracy"),
    ("main_masked_lm_entropy", "Kept encoder's masked-LM entropy"),
    ("masked_lm_loss", "Masked-LM loss"),
    ("masked_lm_accuracy", "Masked-LM accuracy"),
    ("masked_lm_entropy", "Masked-LM entropy"),
    ("lm_loss", "LM loss"),
    ("lm_accuracy", "LM accuracy"),
    ("lm_entropy", "LM entropy"),
    ("sampled_masked_lm_accuracy", "Accuracy of the samples"),
    ("replaced_rate", "Share of replaced tokens"),
    ("masked_rate", "Share of masked tokens"),
    ("disc_loss", "Discriminator loss"),
    ("disc_label_entropy", "Entropy of its labels"),
    ("disc_auc", "Discriminator AUC"),
    ("disc_recall", "Discriminator recall"),
    ("disc_precision", "Discriminator precision"),
    ("disc_accuracy", "Discriminator accuracy"),
    ("gate_auc", "Copy gate AUC"),
    ("gate_on_original", "Copy gate on originals"),
    ("gate_on_replaced", "Copy gate on replaced"),
    ("gate_bias", "Copy gate bias"),
    ("grad_norm", "Gradient norm"),
];

/// The learning rate is the plan's, and no objective says it of itself.
const NOT_SHOWN: &str = "lr";

/// It is as was asked for throughout: its last value is in the table, and a panel of it would say no more.
pub(crate) const NOT_DRAWN: &str = "masked_rate";

/// Points of a line: more cannot be seen.
const MOST: usize = 60;

/// The title of a diagnostic.
pub(crate) fn title(name: &str) -> &str {
    KNOWN.iter().find(|(known, _)| *known == name).map_or(name, |(_, title)| title)
}

/// The diagnostics that any run has, in the order in which they are shown.
pub(crate) fn names(findings: &Findings) -> Vec<&str> {
    let points = findings.arms.iter().flat_map(|arm| &arm.runs).flat_map(|run| &run.diagnostics);
    let names: BTreeSet<&str> = points.flat_map(|point| point.values.keys().map(String::as_str)).collect();
    let place = |name: &str| KNOWN.iter().position(|(known, _)| *known == name).unwrap_or(KNOWN.len());
    let mut names: Vec<&str> = names.into_iter().filter(|name| *name != NOT_SHOWN).collect();
    names.sort_by_key(|name| place(name));
    names
}

/// A mean over seeds of the steps of a bin.
pub(crate) struct Bin {
    pub(crate) step: f64,
    pub(crate) mean: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

/// An arm's line: its steps in at most [`MOST`] bins, each run's mean of a bin, then mean, least and greatest over
/// the runs.
pub(crate) fn binned(arm: &ArmFindings, name: &str) -> Vec<Bin> {
    let points =
        || arm.runs.iter().flat_map(|run| run.diagnostics.iter().map(move |point| (run.seed, point)));
    let Some((first, last)) = extent(points().map(|(_, point)| point.step as f64)) else { return Vec::new() };
    let width = ((last - first) / MOST as f64).max(1e-9);
    let mut bins: BTreeMap<usize, BTreeMap<u64, Vec<(f64, f64)>>> = BTreeMap::new();
    for (seed, point) in points() {
        if let Some(value) = point.values.get(name) {
            let step = point.step as f64;
            let bin = (((step - first) / width) as usize).min(MOST - 1);
            bins.entry(bin).or_default().entry(seed).or_default().push((step, *value));
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    bins.into_values()
        .filter_map(|seeds| {
            let steps: Vec<f64> = seeds.values().flatten().map(|(step, _)| *step).collect();
            let means: Vec<f64> = seeds
                .values()
                .map(|values| mean(&values.iter().map(|(_, value)| *value).collect::<Vec<_>>()))
                .collect();
            let (least, greatest) = extent(means.iter().copied())?;
            Some(Bin { step: mean(&steps), mean: mean(&means), least, greatest })
        })
        .collect()
}

/// A run's line over the share of its budget, in at most [`MOST`] bins.
pub(crate) fn of_run(run: &RunFacts, name: &str) -> Vec<(f64, f64)> {
    let points = || run.diagnostics.iter().filter_map(|point| Some((point.step, *point.values.get(name)?)));
    let last = points().map(|(step, _)| step).max().unwrap_or(0).max(run.steps).max(1) as f64;
    let mut bins: BTreeMap<usize, Vec<(f64, f64)>> = BTreeMap::new();
    for (step, value) in points().filter(|(_, value)| value.is_finite()) {
        let share = step as f64 / last;
        bins.entry((share * MOST as f64) as usize).or_default().push((share, value));
    }
    let mean = |bin: Vec<(f64, f64)>| {
        let (share, value) = bin.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (share / bin.len() as f64, value / bin.len() as f64)
    };
    bins.into_values().map(mean).collect()
}
