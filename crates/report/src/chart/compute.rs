//! Score against compute: the paper's Figures 1 and 4.

use electra_analysis::{ArmFindings, CurvePoint, FamilyFindings, Findings, Role, Schedule};

use super::axis::{Plot, count, horizontal, vertical};
use super::figure::{Chart, Key, Panel};
use super::line::{Line, Point, lines};
use super::scale::Scale;
use super::svg::{Svg, X};
use crate::format::{self, extent, percent, plural, points, scientific};
use crate::palette::{Style, styles};
use crate::sentences;

/// What compute is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compute {
    /// FLOPs as the paper's program counts them.
    Flops,
    /// Steps.
    Steps,
}

impl Compute {
    fn value(self, point: &CurvePoint) -> f64 {
        match self {
            Self::Flops => point.flops_paper,
            Self::Steps => point.step,
        }
    }

    /// The chart's file, its title, and the axis's.
    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Flops => ("compute-flops", "Score against FLOPs", "Pre-training FLOPs (logarithmic)"),
            Self::Steps => ("compute-steps", "Score against steps", "Pre-training steps (logarithmic)"),
        }
    }
}

/// An arm with the points of its curves.
type Curve<'a> = (&'a Style<'a>, Vec<&'a CurvePoint>);

/// The chart, if any arm has a point with compute.
pub(crate) fn chart(findings: &Findings, compute: Compute) -> Option<Chart> {
    let (id, title, _) = compute.names();
    named(findings, compute, id.into(), title)
}

/// The chart of another family of scores, against steps.
pub(crate) fn of_family(family: &FamilyFindings) -> Option<Chart> {
    // Of one point there is no curve.
    let has_curve = |arm: &ArmFindings| arm.curve.len() > 1;
    let title = format!("{} against steps", family.title);
    let drawn = family.findings.arms.iter().any(has_curve);
    drawn.then(|| named(&family.findings, Compute::Steps, format!("steps-{}", family.name), &title)).flatten()
}

fn named(findings: &Findings, compute: Compute, id: String, title: &str) -> Option<Chart> {
    let styles = styles(findings);
    let arms = styles.iter().filter(|style| style.arm.facts.role == Role::Arm);
    let drawn: Vec<Curve<'_>> = arms
        .map(|style| (style, style.arm.curve.iter().filter(|point| compute.value(point) > 0.0).collect()))
        .filter(|(_, points): &Curve<'_>| !points.is_empty())
        .collect();
    let all = || drawn.iter().flat_map(|(_, points)| points.iter().copied());
    let values = extent(all().map(|point| compute.value(point)))?;
    let scratch = styles.iter().find(|style| style.arm.facts.role == Role::Scratch);
    let reference = scratch.and_then(|style| Some(style.arm.score.as_ref()?.mean));
    let heights = extent(all().flat_map(|point| [point.score.min, point.score.max]).chain(reference))?;

    let mut keys: Vec<Key<'_>> = drawn.iter().map(|(style, _)| Key::Arm(style)).collect();
    for (schedule, key) in [
        (Schedule::Truncated, Key::Line("apart curve", "longer run on its way (truncated)")),
        (Schedule::Own, Key::Line("apart curve dashed", "run of its own (own schedule)")),
    ] {
        keys.extend(all().any(|point| point.schedule == schedule).then_some(key));
    }
    keys.extend(reference.map(|_| Key::Line("scratch", "without pre-training")));

    let (.., axis) = compute.names();
    let mut svg = Svg::default();
    let plot = Plot { top: 8.0, bottom: 330.0, least: 290.0 };
    let y = Scale::linear(heights, (plot.bottom, plot.top), 6);
    let x = Scale::logarithmic(values, (0.0, 1.0));
    vertical(&mut svg, plot, &y, |value| format::number(value, y.decimals()));
    match compute {
        Compute::Flops => horizontal(&mut svg, plot, &x, format::tick, axis),
        Compute::Steps => horizontal(&mut svg, plot, &x, count, axis),
    }
    if let Some(mean) = reference {
        svg.line((X::Share(0.0), y.place(mean)), (X::Share(1.0), y.place(mean)), "scratch");
    }
    let place = |style: &Style<'_>, point: &CurvePoint| Point {
        x: x.place(compute.value(point)),
        y: y.place(point.score.mean),
        spread: (y.place(point.score.max), y.place(point.score.min)),
        tooltip: format!(
            "{}, {} of the budget, {} FLOPs: {} ({})",
            style.arm.facts.title,
            percent(point.share),
            scientific(point.flops_paper),
            points(point.score.mean),
            plural(point.score.runs, "seed"),
        ),
    };
    let curve = |(style, points): &Curve<'_>, schedule| {
        let points = points.iter().filter(|point| point.schedule == schedule);
        let points = points.map(|point| place(style, point)).collect();
        let (dashed, dotted) = (schedule == Schedule::Own, style.hollow);
        Line { colour: style.colour, shape: Some(style.shape), dashed, dotted, points }
    };
    let schedules = [Schedule::Own, Schedule::Truncated];
    let curves: Vec<Line<'_>> =
        drawn.iter().flat_map(|arm| schedules.map(|schedule| curve(arm, schedule))).collect();
    lines(&mut svg, plot.bottom, &curves);
    let panel = Panel { svg, height: plot.bottom + 40.0, left: 40.0, right: 8.0, beside: None };
    let description = sentences::describe_curves(
        &drawn.iter().map(|(style, points)| (style.arm, points.as_slice())).collect::<Vec<_>>(),
    );
    Some(Chart::new(id, title, description, &keys, vec![panel], 300.0))
}
