//! Scores by seed, differences with their intervals, and tasks.

use electra_analysis::{Comparison, Estimate, Findings, Range, Role, SeedScore, TaskFacts};

use super::dots::{Axis, Dot, Labels, Row, rows};
use super::figure::{Chart, Key, Panel};
use super::svg::{Anchor, X, text_width};
use crate::format::{extent, points, signed};
use crate::palette::{Shape, Style, styles};
use crate::sentences;
use crate::tables::one_interval;

/// The least width of a task's panel.
const TASK: f64 = 272.0;

/// The dots' extent, and as much of the intervals as lies within as much again on each side: with two or three
/// seeds an interval can be many times as wide as what was seen.
pub(super) fn domain(dots: (f64, f64), intervals: impl Iterator<Item = Range>, least: f64) -> (f64, f64) {
    let room = (dots.1 - dots.0).max(least);
    let ends = intervals.fold(dots, |(low, high), interval| (low.min(interval.low), high.max(interval.high)));
    (ends.0.max(dots.0 - room), ends.1.min(dots.1 + room))
}

/// Every run's score.
pub(crate) fn scores(findings: &Findings) -> Option<Chart> {
    let styles = styles(findings);
    let scored: Vec<(&Style<'_>, &Estimate)> =
        styles.iter().filter_map(|style| Some((style, style.arm.score.as_ref()?))).collect();
    let extent = extent(scored.iter().flat_map(|(style, _)| style.arm.seeds.iter().map(|seed| seed.score)))?;
    let domain = domain(extent, scored.iter().filter_map(|(style, _)| one_interval(style.arm)), 0.5);
    let values: Vec<String> = scored.iter().map(|(_, score)| points(score.mean)).collect();
    let row = |((style, score), value): (&(&Style<'_>, &Estimate), _)| {
        let title = &style.arm.facts.title;
        let dot = |seed: &SeedScore| {
            let lost = seed.took_off == Some(false);
            let said = if lost { ", did not take off" } else { "" };
            let tooltip = format!("{title}, seed {}: {}{said}", seed.seed, points(seed.score));
            Dot { value: seed.score, tooltip, shape: if lost { Shape::Cross } else { style.shape } }
        };
        Row {
            label: title.clone(),
            class: style.mark(),
            dots: style.arm.seeds.iter().map(dot).collect(),
            mean: Some(score.mean),
            interval: one_interval(style.arm),
            within: None,
            value,
        }
    };
    let drawn: Vec<Row<'_>> = scored.iter().zip(values.iter().map(String::as_str)).map(row).collect();
    let axis = Axis { domain, title: "Score (mean of tasks × 100)", lines: &[] };
    let panel = rows(&drawn, Labels::Above, &axis, 0.0);
    let arms: Vec<_> = scored.iter().map(|(style, score)| (style.arm, *score)).collect();
    let description = sentences::describe_scores(&arms);
    let is_lost = |(style, _): &(&Style<'_>, _)| {
        style.arm.facts.role != Role::Scratch
            && style.arm.seeds.iter().any(|seed| seed.took_off == Some(false))
    };
    let mut keys = vec![Key::Line("apart mean", "mean"), Key::Line("apart interval", "its interval")];
    keys.extend(
        scored.iter().any(is_lost).then_some(Key::Cross("apart mark", "a run that did not take off")),
    );
    Some(Chart::new("scores", "Score of every run", description, &keys, vec![panel], 300.0))
}

/// Every pair's difference.
pub(crate) fn differences(findings: &Findings) -> Option<Chart> {
    let pairs: Vec<&Comparison> = findings.pairs.iter().filter(|pair| pair.difference.is_some()).collect();
    if pairs.is_empty() {
        return None;
    }
    let differences = extent(pairs.iter().filter_map(|pair| pair.difference).chain([0.0]))?;
    let margin = findings.config.margin;
    let intervals = pairs.iter().filter_map(|pair| Some(pair.test.as_ref()?.interval));
    let within = margin.map(|margin| Range { low: -margin, high: margin });
    let domain = domain(differences, intervals.chain(within), 1.0);
    let values: Vec<String> =
        pairs.iter().map(|pair| pair.difference.map_or_else(String::new, signed)).collect();
    let row = |(pair, value): (&&Comparison, _)| {
        let label = format!("{} − {}", findings.title(&pair.a), findings.title(&pair.b));
        let said = pair.difference.map(|difference| Dot {
            value: difference,
            tooltip: format!("{label}: {}, {}", signed(difference), sentences::verdict(pair.verdict)),
            shape: if pair.verdict.is_judged() { Shape::Circle } else { Shape::Cross },
        });
        Row {
            label,
            class: if pair.verdict.is_apart() { "apart mark" } else { "open hollow" }.into(),
            dots: said.into_iter().collect(),
            mean: None,
            interval: pair.test.as_ref().map(|test| test.interval),
            within: margin,
            value,
        }
    };
    let drawn: Vec<Row<'_>> = pairs.iter().zip(values.iter().map(String::as_str)).map(row).collect();
    let mut keys =
        vec![Key::Mark("apart mark", "significant"), Key::Mark("open hollow", "no difference found")];
    let any_unjudged = pairs.iter().any(|pair| !pair.verdict.is_judged());
    keys.extend(any_unjudged.then_some(Key::Cross("open mark", "no verdict")));
    keys.extend(margin.map(|_| Key::Box("within", "the margin")));
    let axis = Axis { domain, title: "Difference in points", lines: &[(0.0, "zero")] };
    let panel = rows(&drawn, Labels::Above, &axis, 0.0);
    let description = sentences::describe_differences(findings, &pairs);
    Some(Chart::new("differences", "Difference of every pair", description, &keys, vec![panel], 300.0))
}

/// Every task's scores.
pub(crate) fn tasks(findings: &Findings) -> Option<Chart> {
    let styles = styles(findings);
    let has_score = |task: &&TaskFacts| styles.iter().any(|style| style.arm.tasks.contains_key(&task.name));
    let shown: Vec<&TaskFacts> = findings.tasks.iter().filter(has_score).collect();
    if shown.is_empty() {
        return None;
    }
    let keys = [
        Key::Line("chance", "chance, where near"),
        Key::Line("majority", "best constant answer, where near"),
    ];
    let has_reference = shown.iter().any(|task| task.chance.is_some() || task.majority.is_some());
    let panels = shown.iter().filter_map(|task| panel(task, &styles)).collect();
    let description = sentences::describe_tasks(&shown);
    let keys = if has_reference { &keys[..] } else { &[] };
    Some(Chart::new("tasks", "Score by task", description, keys, panels, TASK))
}

fn panel(task: &TaskFacts, styles: &[Style<'_>]) -> Option<Panel> {
    let seeds = |style: &Style<'_>| -> Vec<(u64, f64)> {
        let seeds = style.arm.seeds.iter();
        seeds.filter_map(|seed| Some((seed.seed, *seed.tasks.get(&task.name)?))).collect()
    };
    let (low, high) = extent(styles.iter().flat_map(seeds).map(|(_, score)| score))?;
    // A reference far from all scores would press them together: the table has it.
    let room = 0.25 * (high - low).max(1.0);
    let references: Vec<(f64, &'static str)> = [(task.chance, "chance"), (task.majority, "majority")]
        .into_iter()
        .filter_map(|(value, class)| Some((100.0 * value?, class)))
        .filter(|(value, _)| (low - room..=high + room).contains(value))
        .collect();
    let domain = extent([low, high].into_iter().chain(references.iter().map(|(value, _)| *value)))?;
    let row = |style: &Style<'_>| {
        let title = &style.arm.facts.title;
        let dot = |(seed, score): (u64, f64)| Dot {
            value: score,
            tooltip: format!("{}, {title}, seed {seed}: {}", task.title, points(score)),
            shape: style.shape,
        };
        Row {
            label: title.clone(),
            class: style.mark(),
            dots: seeds(style).into_iter().map(dot).collect(),
            mean: style.arm.tasks.get(&task.name).map(|estimate| estimate.mean),
            interval: None,
            within: None,
            value: "",
        }
    };
    let labels = styles.iter().map(|style| text_width(&style.arm.facts.title));
    let label = (labels.fold(0.0, f64::max) + 16.0).min(122.0);
    let drawn: Vec<Row<'_>> = styles.iter().map(row).collect();
    let axis = Axis { domain, title: "", lines: &references };
    let mut panel = rows(&drawn, Labels::Beside(label), &axis, 22.0);
    let name = format!("{}  ({})", task.title, task.metric.name());
    panel.svg.label((X::Pixels(-label), 14.0), Anchor::Start, "t panel", &name, TASK);
    Some(panel)
}
