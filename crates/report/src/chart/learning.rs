//! Learning curves: a thin line for each run, over the share of its budget.

use electra_analysis::{
    DETECTOR_AUC, Findings, Role, RunFacts, SHARE_OF_UNIGRAM, Threshold, family_by_share, scores_by_share,
};

use super::axis::{Plot, horizontal, vertical};
use super::figure::{Chart, Key, Panel};
use super::scale::Scale;
use super::svg::{Anchor, Svg, X};
use crate::format::{self, extent};
use crate::palette::{Style, styles};
use crate::sentences;
use crate::series::{self, title};

/// The least width of a panel, and the room to the left of its plot.
const LEAST: f64 = 360.0;
const LEFT: f64 = 40.0;
/// Where a panel's plot is.
const TOP: f64 = 24.0;
const BOTTOM: f64 = 224.0;

/// The diagnostics that tell whether a run learns, of those of [`series`].
const DIAGNOSTICS: [&str; 5] = ["disc_auc", "gate_auc", "main_masked_lm_loss", "masked_lm_loss", "lm_loss"];

/// A run's line.
struct Line<'a> {
    style: &'a Style<'a>,
    lost: bool,
    /// Shares of the budget and values.
    points: Vec<(f64, f64)>,
}

/// Lines of one kind.
struct Family<'a> {
    title: String,
    lines: Vec<Line<'a>>,
    /// Where a run counts as having taken off.
    limits: Vec<f64>,
}

/// One panel for the score, and one for each diagnostic that tells whether a run learns; none if no run has two points
/// of any.
pub(crate) fn chart(findings: &Findings) -> Option<Chart> {
    let styles = styles(findings);
    let arms: Vec<&Style<'_>> = styles.iter().filter(|style| style.arm.facts.role == Role::Arm).collect();
    let families: Vec<Family<'_>> = families(findings, &arms);
    let panels: Vec<Panel> = families.iter().filter_map(panel).collect();
    let drawn = |style: &&&Style<'_>| {
        let mut lines = families.iter().flat_map(|family| &family.lines);
        lines.any(|line| line.style.arm.facts.name == style.arm.facts.name)
    };
    let keys: Vec<Key<'_>> = arms.iter().filter(drawn).map(|style| Key::Arm(style)).collect();
    let titles: Vec<&str> = families.iter().map(|family| family.title.as_str()).collect();
    let description = sentences::describe_learning(&titles);
    (!panels.is_empty())
        .then(|| Chart::new("learning", "Learning curves of every run", description, &keys, panels, LEAST))
}

fn families<'a>(findings: &'a Findings, arms: &[&'a Style<'a>]) -> Vec<Family<'a>> {
    let is_scored = |name: &str| findings.arms.iter().any(|arm| arm.tasks.contains_key(name));
    let tasks: Vec<&str> =
        findings.tasks.iter().map(|task| task.name.as_str()).filter(|name| is_scored(name)).collect();
    let family = |title: String, limits: Vec<f64>, points: &dyn Fn(&RunFacts) -> Vec<(f64, f64)>| {
        let of_arm = |style: &'a Style<'a>| {
            let line = |run: &RunFacts| {
                let seed = style.arm.seeds.iter().find(|seed| seed.arm == run.arm && seed.seed == run.seed);
                let lost = seed.is_some_and(|seed| seed.took_off == Some(false));
                Line { style, lost, points: points(run) }
            };
            style.arm.runs.iter().map(line).collect::<Vec<_>>()
        };
        let lines =
            arms.iter().flat_map(|style| of_arm(style)).filter(|line| line.points.len() > 1).collect();
        Family { title, lines, limits }
    };
    let mut families =
        vec![family("Score (mean of tasks × 100)".into(), Vec::new(), &|run| scores_by_share(run, &tasks))];
    families.extend(findings.families.iter().map(|of_family| {
        let tasks: Vec<&str> = of_family.findings.tasks.iter().map(|task| task.name.as_str()).collect();
        let title = format!("{} (mean × 100)", of_family.title);
        family(title, Vec::new(), &|run| family_by_share(run, &of_family.name, &tasks))
    }));
    families.extend(
        DIAGNOSTICS
            .iter()
            .map(|name| family(title(name).into(), limits(findings, name), &|run| series::of_run(run, name))),
    );
    families.retain(|family| !family.lines.is_empty());
    families
}

/// Where a run counts as having taken off by a diagnostic. What token frequencies alone give differs between texts, so
/// that a share of it is a line only if all runs have the same text.
fn limits(findings: &Findings, name: &str) -> Vec<f64> {
    let planned = &findings.config.take_off;
    if !planned.is_empty() {
        let named = planned.iter().filter(|threshold| threshold.metric == name);
        let values = |threshold: &Threshold| [threshold.at_least, threshold.at_most];
        return named.flat_map(values).flatten().collect();
    }
    match name {
        "disc_auc" => vec![DETECTOR_AUC],
        "main_masked_lm_loss" | "masked_lm_loss" | "lm_loss" => {
            let losses = findings.arms.iter().flat_map(|arm| &arm.runs).filter_map(|run| run.unigram_loss);
            let same = extent(losses).filter(|(low, high)| (high - low).abs() < 1e-9);
            same.map(|(loss, _)| SHARE_OF_UNIGRAM * loss).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn panel(family: &Family<'_>) -> Option<Panel> {
    let points = || family.lines.iter().flat_map(|line| &line.points);
    let values = extent(points().map(|(_, value)| *value).chain(family.limits.iter().copied()))?;
    let mut svg = Svg::default();
    svg.label((X::Pixels(-LEFT), TOP - 10.0), Anchor::Start, "t panel", &family.title, LEAST);
    let plot = Plot { top: TOP, bottom: BOTTOM, least: LEAST - LEFT };
    let x = Scale::linear((0.0, 100.0), (0.0, 1.0), 4);
    let y = Scale::linear(values, (plot.bottom, plot.top), 5);
    vertical(&mut svg, plot, &y, |value| format::number(value, y.decimals()));
    horizontal(&mut svg, plot, &x, |value| format!("{} %", format::number(value, 0)), "Share of the budget");
    for limit in &family.limits {
        svg.line((X::Share(0.0), y.place(*limit)), (X::Share(1.0), y.place(*limit)), "chance");
    }
    let path = |line: &Line<'_>| {
        let place = |(share, value): &(f64, f64)| (x.place(100.0 * share), y.place(*value));
        let dash = match (line.lost, line.style.hollow) {
            (true, _) => " lost",
            (false, true) => " dotted",
            (false, false) => "",
        };
        (line.points.iter().map(place).collect(), format!("{} run{dash}", line.style.colour))
    };
    svg.stretched(plot.bottom, &family.lines.iter().map(path).collect::<Vec<_>>());
    Some(Panel { svg, height: plot.bottom + 40.0, left: LEFT, right: 4.0, beside: None })
}
