//! Score against a setting: the paper's Figure 4, where the setting is the hidden size.

use electra_analysis::{ArmFindings, Estimate, Findings, SeedScore};

use super::axis::{Plot, horizontal, vertical};
use super::figure::{Chart, Key, Panel};
use super::scale::Scale;
use super::scores::domain;
use super::svg::{Svg, X};
use crate::format::{self, extent, percent, points, size};
use crate::palette::{Shape, objective};
use crate::sentences;
use crate::tables::one_interval;
use crate::trials::short;

/// How far apart the arms of one value stand, and a mean from its runs: shares of the width.
const APART: f64 = 0.06;
const ASIDE: f64 = 0.008;

/// A series as it is drawn.
struct Drawn<'a> {
    title: String,
    colour: &'static str,
    shape: Shape,
    dashed: bool,
    arms: Vec<Mean<'a>>,
}

/// An arm's mean at its value.
struct Mean<'a> {
    value: f64,
    arm: &'a ArmFindings,
    score: &'a Estimate,
}

/// The chart, if the plan names a setting to show the score against.
pub(crate) fn chart(findings: &Findings) -> Option<Chart> {
    let sweep = findings.sweep()?;
    let drawn: Vec<Drawn<'_>> = sweep
        .series
        .iter()
        .map(|series| {
            let (colour, shape) = objective(findings, series.objective);
            Drawn {
                title: sentences::series(findings, &sweep, series),
                colour,
                shape,
                dashed: series.by_flops_of,
                arms: series.arms.iter().filter_map(|(value, arm)| mean(*value, arm)).collect(),
            }
        })
        .filter(|drawn| !drawn.arms.is_empty())
        .collect();
    let arms = || drawn.iter().flat_map(|series| &series.arms);
    let seeds = || arms().flat_map(|mean| &mean.arm.seeds);
    let runs = extent(seeds().map(|seed| seed.score))?;
    let heights = domain(runs, arms().filter_map(|mean| one_interval(mean.arm)), 0.5);

    let mut svg = Svg::default();
    let plot = Plot { top: 8.0, bottom: 330.0, least: 290.0 };
    let y = Scale::linear(heights, (plot.bottom, plot.top), 6);
    let x = Scale::of_values(&sweep.values, (0.0, 1.0));
    vertical(&mut svg, plot, &y, |value| format::number(value, y.decimals()));
    horizontal(&mut svg, plot, &x, size, &sentences::setting(&sweep));
    let middle = (drawn.len() as f64 - 1.0) / 2.0;
    for (place, series) in drawn.iter().enumerate() {
        draw(&mut svg, series, &x, &y, plot.bottom, APART * (place as f64 - middle));
    }
    let interval = format!("{} interval of a mean", percent(findings.config.level));
    let mut keys: Vec<Key<'_>> = drawn
        .iter()
        .map(|series| Key::Curve(series.colour, series.shape, series.dashed, &series.title))
        .collect();
    keys.push(Key::Line("apart interval", &interval));
    let any_lost = seeds().any(|seed| seed.took_off == Some(false));
    keys.extend(any_lost.then_some(Key::Cross("apart mark", "a run that did not take off")));
    let described: Vec<_> = drawn.iter().map(|series| (&*series.title, said(series))).collect();
    let description = sentences::describe_sweep(&sweep, &described);
    let panel = Panel { svg, height: plot.bottom + 40.0, left: 40.0, right: 8.0, beside: None };
    let title = format!("Score of every run by {}", short(sweep.setting));
    Some(Chart::new("sweep", &title, description, &keys, vec![panel], 300.0))
}

fn mean(value: f64, arm: &ArmFindings) -> Option<Mean<'_>> {
    Some(Mean { value, arm, score: arm.score.as_ref()? })
}

/// Values and means, for who cannot see them.
fn said(series: &Drawn<'_>) -> Vec<(f64, f64)> {
    series.arms.iter().map(|mean| (mean.value, mean.score.mean)).collect()
}

/// The line through the means below the intervals, the runs beside them, the means above all.
fn draw(svg: &mut Svg, series: &Drawn<'_>, x: &Scale, y: &Scale, height: f64, aside: f64) {
    let Drawn { title, colour, shape, dashed, arms } = series;
    let across = |mean: &Mean<'_>| x.place(mean.value) + aside + ASIDE;
    let (dash, mark) = if *dashed { (" dashed", "hollow") } else { ("", "mark") };
    if arms.len() > 1 {
        let line = arms.iter().map(|mean| (across(mean), y.place(mean.score.mean))).collect();
        svg.stretched(height, &[(line, format!("{colour} curve{dash}"))]);
    }
    for mean in arms {
        let place = X::Share(across(mean));
        if let Some(interval) = one_interval(mean.arm) {
            let ends = (y.clamped(interval.low), y.clamped(interval.high));
            svg.line((place, ends.0), (place, ends.1), &format!("{colour} interval"));
        }
        for seed in &mean.arm.seeds {
            let lost = seed.took_off == Some(false);
            let shape = if lost { Shape::Cross } else { *shape };
            let run = X::Share(across(mean) - 2.0 * ASIDE);
            let class = format!("{colour} {mark} seed");
            svg.mark(shape, (run, y.place(seed.score)), 3.2, &class, &tooltip(mean.arm, seed));
        }
        let said = format!("{title}, {}: {}", size(mean.value), points(mean.score.mean));
        svg.mark(*shape, (place, y.place(mean.score.mean)), 5.0, &format!("{colour} {mark}"), &said);
    }
}

fn tooltip(arm: &ArmFindings, seed: &SeedScore) -> String {
    let lost = if seed.took_off == Some(false) { ", did not take off" } else { "" };
    format!("{}, seed {}: {}{lost}", arm.facts.title, seed.seed, points(seed.score))
}
