//! What the objectives said of themselves during training.

use std::collections::{BTreeMap, BTreeSet};

use super::axis::{Key, Marks, horizontal, legend, vertical};
use super::dots::extent;
use super::line::{Line, Point, lines};
use super::palette::{Style, styles};
use super::scale::Scale;
use super::svg::{Anchor, Frame, Svg, in_two};
use super::{Chart, Form, panels};
use crate::{ArmResult, Results};

/// Names in the order in which they are shown, with their titles; others come after, as they are called.
const KNOWN: [(&str, &str); 22] = [
    ("loss", "Loss in all"),
    ("main_loss", "Kept encoder's loss"),
    ("main_masked_lm_loss", "Kept encoder's masked-LM loss"),
    ("main_masked_lm_accuracy", "Kept encoder's masked-LM accuracy"),
    ("main_masked_lm_entropy", "Kept encoder's masked-LM entropy"),
    ("masked_lm_loss", "Masked-LM loss"),
    ("masked_lm_accuracy", "Masked-LM accuracy"),
    ("masked_lm_entropy", "Masked-LM entropy"),
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
const NOT_DRAWN: &str = "masked_rate";

/// Points of a line: more cannot be seen.
const MOST: usize = 60;

/// The title of a diagnostic.
pub(crate) fn title_of(name: &str) -> &str {
    KNOWN.iter().find(|(known, _)| *known == name).map_or(name, |(_, title)| title)
}

/// The diagnostics that any run has, in the order in which they are shown.
pub(crate) fn names(results: &Results) -> Vec<&str> {
    let points = results.arms.iter().flat_map(|arm| &arm.runs).flat_map(|run| &run.diagnostics);
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
    least: f64,
    greatest: f64,
}

/// An arm's line: its steps in at most [`MOST`] bins, each run's mean of a bin, then mean, least and greatest over
/// the runs.
pub(crate) fn binned(arm: &ArmResult, name: &str) -> Vec<Bin> {
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
            let of_seeds: Vec<f64> = seeds
                .values()
                .map(|values| mean(&values.iter().map(|(_, value)| *value).collect::<Vec<_>>()))
                .collect();
            let (least, greatest) = extent(of_seeds.iter().copied())?;
            Some(Bin { step: mean(&steps), mean: mean(&of_seeds), least, greatest })
        })
        .collect()
}

/// One small panel a diagnostic.
pub(crate) fn chart(results: &Results) -> Option<Chart> {
    let styles = styles(results);
    let drawn: Vec<&Style<'_>> = styles
        .iter()
        .filter(|style| !style.hollow && style.arm.runs.iter().any(|run| !run.diagnostics.is_empty()))
        .collect();
    let shown: Vec<(&str, Panel<'_>)> = names(results)
        .into_iter()
        .filter(|name| *name != NOT_DRAWN)
        .map(|name| {
            let lines = drawn.iter().map(|style| (*style, binned(style.arm, name)));
            (name, lines.filter(|(_, bins)| !bins.is_empty()).collect::<Vec<_>>())
        })
        .filter(|(_, lines)| !lines.is_empty())
        .collect();
    if shown.is_empty() {
        return None;
    }
    let titles: Vec<&str> = shown.iter().map(|(name, _)| title_of(name)).collect();
    let description = format!(
        "One panel a diagnostic over the steps of training, one line an objective: {}. The table has the last values.",
        titles.join(", ")
    );
    let draw = |form: Form| {
        let mut svg = Svg::new(form.width());
        let keys: Vec<Key<'_>> = drawn.iter().map(|style| Key::Arm(style)).collect();
        let top = legend(&mut svg, (0.0, 2.0), form.width(), &keys);
        let steps =
            extent(shown.iter().flat_map(|(_, lines)| lines).flat_map(|(_, bins)| bins).map(|bin| bin.step));
        let (columns, gap) = form.pick((3, 26.0), (2, 14.0));
        let width = (form.width() - gap * f64::from(columns - 1)) / f64::from(columns);
        let parted = |name| in_two(title_of(name), "t panel", width);
        // All panels have room for a second line of their titles if any has one.
        let second = if shown.iter().any(|(name, _)| !parted(name).1.is_empty()) { 15.0 } else { 0.0 };
        let height = form.pick(186.0, 142.0) + second;
        let places = panels(shown.len(), columns as usize, svg.width, height, gap, top + 4.0);
        for ((name, panel), place) in shown.iter().zip(&places) {
            let (first, rest) = parted(name);
            // A title of one line stands next to its panel.
            let lines =
                if rest.is_empty() { vec![(second, first)] } else { vec![(0.0, first), (second, rest)] };
            for (below, line) in lines {
                let at = (place.left, place.top + 14.0 + below);
                svg.label(at, Anchor::Start, "t panel", line, place.width());
            }
            let place = Frame { top: place.top + second, ..*place };
            draw_panel(&mut svg, panel, steps.unwrap_or_default(), place, form);
        }
        svg.height = places.last().map_or(0.0, |place| place.bottom);
        svg
    };
    Some(Chart::new("diagnostics", "Diagnostics over training", description, draw))
}

/// The arms' lines of one diagnostic.
type Panel<'a> = Vec<(&'a Style<'a>, Vec<Bin>)>;

fn draw_panel(svg: &mut Svg, panel: &[(&Style<'_>, Vec<Bin>)], steps: (f64, f64), place: Frame, form: Form) {
    let bins = || panel.iter().flat_map(|(_, bins)| bins);
    let Some(values) = extent(bins().flat_map(|bin| [bin.least, bin.greatest])) else { return };
    let frame =
        Frame { left: place.left + 38.0, top: place.top + 24.0, bottom: place.bottom - 32.0, ..place };
    let x = Scale::linear(steps, (frame.left, frame.right), form.pick(4, 2));
    let y = Scale::linear(values, (frame.bottom, frame.top), form.pick(4, 3));
    vertical(svg, frame, &y, Marks::Number);
    horizontal(svg, frame, &x, Marks::Count, "");
    let of = |bin: &Bin| Point {
        x: x.place(bin.step),
        y: y.place(bin.mean),
        spread: (y.place(bin.greatest), y.place(bin.least)),
        tooltip: String::new(),
    };
    let curves: Vec<Line<'_>> = panel
        .iter()
        .map(|(style, bins)| Line {
            colour: style.colour,
            shape: None,
            dashed: false,
            points: bins.iter().map(of).collect(),
        })
        .collect();
    lines(svg, &curves);
}

#[cfg(test)]
mod tests {
    use super::super::svg::class_width;
    use super::*;

    /// What the objectives and the training loop write into `metrics.jsonl`, but for counts and the learning rate.
    const WRITTEN: [&str; 22] = [
        "loss",
        "grad_norm",
        "masked_rate",
        "replaced_rate",
        "sampled_masked_lm_accuracy",
        "masked_lm_loss",
        "masked_lm_accuracy",
        "masked_lm_entropy",
        "main_loss",
        "main_masked_lm_loss",
        "main_masked_lm_accuracy",
        "main_masked_lm_entropy",
        "disc_loss",
        "disc_accuracy",
        "disc_precision",
        "disc_recall",
        "disc_auc",
        "disc_label_entropy",
        "gate_on_original",
        "gate_on_replaced",
        "gate_bias",
        "gate_auc",
    ];

    #[test]
    fn every_diagnostic_has_words_that_fit() {
        for name in WRITTEN {
            let title = title_of(name);
            assert!(title != name && !title.contains('_'), "{name}");
            for (width, lines) in [(276.0, 1), (164.0, 2)] {
                let (first, rest) = in_two(title, "t panel", width);
                let widest =
                    [first, rest].map(|line| class_width(line, "t panel")).into_iter().fold(0.0, f64::max);
                assert!(widest <= width && (lines == 2 || rest.is_empty()), "{title} in {width}");
            }
        }
        assert_eq!(title_of("of_ones_own"), "of_ones_own");
    }
}
