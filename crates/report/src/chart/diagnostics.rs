//! What the objectives said of themselves during training.

use electra_analysis::{Findings, Role};

use super::axis::{Plot, count, horizontal, vertical};
use super::figure::{Chart, Key, Panel};
use super::line::{Line, Point, lines};
use super::scale::Scale;
use super::svg::{Anchor, Svg, X, in_two};
use crate::format::{self, extent};
use crate::palette::{Style, styles};
use crate::sentences;
use crate::series::{self, Bin, NOT_DRAWN, title};

/// The least width of a panel, and the room to the left of its plot.
const LEAST: f64 = 150.0;
const LEFT: f64 = 38.0;
/// A title may reach over the gap beside its panel.
const TITLE: f64 = LEAST + 14.0;

/// The arms' lines of one diagnostic.
type Lines<'a> = Vec<(&'a Style<'a>, Vec<Bin>)>;

/// One small panel a diagnostic.
pub(crate) fn chart(findings: &Findings) -> Option<Chart> {
    let styles = styles(findings);
    let is_control = |style: &Style<'_>| matches!(style.arm.facts.role, Role::Control { .. });
    let has_diagnostics = |style: &&Style<'_>| style.arm.runs.iter().any(|run| !run.diagnostics.is_empty());
    let drawn: Vec<&Style<'_>> =
        styles.iter().filter(|style| !is_control(style)).filter(has_diagnostics).collect();
    let lines = |name: &str| -> Lines<'_> {
        let lines = drawn.iter().map(|style| (*style, series::binned(style.arm, name)));
        lines.filter(|(_, bins)| !bins.is_empty()).collect()
    };
    let names = series::names(findings).into_iter().filter(|name| *name != NOT_DRAWN);
    let shown: Vec<(&str, Lines<'_>)> =
        names.map(|name| (title(name), lines(name))).filter(|(_, lines)| !lines.is_empty()).collect();
    let steps =
        extent(shown.iter().flat_map(|(_, lines)| lines).flat_map(|(_, bins)| bins).map(|bin| bin.step))?;
    // All panels have room for a second line of their titles if any has one.
    let is_parted = |title: &str| !in_two(title, "t panel", TITLE).1.is_empty();
    let room = if shown.iter().any(|(title, _)| is_parted(title)) { 39.0 } else { 24.0 };
    let panels = shown.iter().filter_map(|(title, lines)| panel(title, lines, steps, room)).collect();
    let keys: Vec<Key<'_>> = drawn.iter().map(|style| Key::Arm(style)).collect();
    let titles: Vec<&str> = shown.iter().map(|(title, _)| *title).collect();
    let description = sentences::describe_diagnostics(&titles);
    Some(Chart::new("diagnostics", "Diagnostics over training", description, &keys, panels, LEAST))
}

fn panel(title: &str, drawn: &Lines<'_>, steps: (f64, f64), room: f64) -> Option<Panel> {
    let bins = || drawn.iter().flat_map(|(_, bins)| bins);
    let values = extent(bins().flat_map(|bin| [bin.least, bin.greatest]))?;
    let mut svg = Svg::default();
    // A title of one line stands next to its plot.
    let mut write = |above: f64, text: &str| {
        svg.label((X::Pixels(-LEFT), room - above), Anchor::Start, "t panel", text, TITLE);
    };
    match in_two(title, "t panel", TITLE) {
        (line, "") => write(10.0, line),
        (first, second) => {
            write(25.0, first);
            write(10.0, second);
        }
    }
    let plot = Plot { top: room, bottom: room + 112.0, least: LEAST - LEFT };
    let x = Scale::linear(steps, (0.0, 1.0), 3);
    let y = Scale::linear(values, (plot.bottom, plot.top), 4);
    vertical(&mut svg, plot, &y, |value| format::number(value, y.decimals()));
    horizontal(&mut svg, plot, &x, count, "");
    let point = |bin: &Bin| Point {
        x: x.place(bin.step),
        y: y.place(bin.mean),
        spread: (y.place(bin.greatest), y.place(bin.least)),
        tooltip: String::new(),
    };
    let line = |(style, bins): &(&Style<'_>, Vec<Bin>)| -> Line<'static> {
        let points = bins.iter().map(point).collect();
        Line { colour: style.colour, shape: None, dashed: false, dotted: style.hollow, points }
    };
    lines(&mut svg, plot.bottom, &drawn.iter().map(line).collect::<Vec<_>>());
    Some(Panel { svg, height: plot.bottom + 24.0, left: LEFT, right: 0.0, beside: None })
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
            let title = title(name);
            assert!(title != name && !title.contains('_'), "{name}");
            let (first, rest) = in_two(title, "t panel", TITLE);
            let widest =
                [first, rest].map(|line| class_width(line, "t panel")).into_iter().fold(0.0, f64::max);
            assert!(widest <= TITLE, "{title}: {widest}");
        }
        assert_eq!(title("of_ones_own"), "of_ones_own");
    }
}
