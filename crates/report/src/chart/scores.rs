//! Scores by seed, differences with their intervals, and tasks.

use super::axis::{Key, legend};
use super::dots::{Layout, Row, extent, rows};
use super::palette::{Style, styles};
use super::svg::{Anchor, Frame, Shape, Svg, text_width};
use super::{Chart, Form, panels};
use crate::format::{plural, points, signed};
use crate::{Estimate, Range, Results, SeedScore, Verdict};

fn label_width<'a>(labels: impl Iterator<Item = &'a str>, most: f64) -> f64 {
    (labels.map(text_width).fold(0.0, f64::max) + 16.0).min(most)
}

/// The dots' extent, and as much of the intervals as lies within as much again on each side: with two or three
/// seeds an interval can be many times as wide as what was seen.
fn domain(dots: (f64, f64), intervals: impl Iterator<Item = Range>, least: f64) -> (f64, f64) {
    let room = (dots.1 - dots.0).max(least);
    let ends = intervals.fold(dots, |(low, high), interval| (low.min(interval.low), high.max(interval.high)));
    (ends.0.max(dots.0 - room), ends.1.min(dots.1 + room))
}

fn row<'a>(style: &Style<'_>, score: &Estimate, value: &'a str) -> Row<'a> {
    let title = &style.arm.facts.title;
    let dot = |seed: &SeedScore| (seed.score, format!("{title}, seed {}: {}", seed.seed, points(seed.score)));
    Row {
        label: title.clone(),
        class: style.mark(),
        shape: style.shape,
        dots: style.arm.seeds.iter().map(dot).collect(),
        mean: Some(score.mean),
        interval: score.interval,
        blind: None,
        value,
    }
}

/// Every run's score.
pub(crate) fn scores(results: &Results) -> Option<Chart> {
    let styles = styles(results);
    let scored: Vec<(&Style<'_>, &Estimate)> =
        styles.iter().filter_map(|style| Some((style, style.arm.score.as_ref()?))).collect();
    let extent = extent(scored.iter().flat_map(|(style, _)| style.arm.seeds.iter().map(|seed| seed.score)))?;
    let domain = domain(extent, scored.iter().filter_map(|(_, score)| score.interval), 0.5);
    let values: Vec<String> = scored.iter().map(|(_, score)| points(score.mean)).collect();
    let said: Vec<String> = scored
        .iter()
        .zip(&values)
        .map(|((style, score), value)| {
            let (title, seeds) = (&style.arm.facts.title, plural(score.seeds, "seed"));
            format!("{title} {value} ({} to {}, {seeds})", points(score.min), points(score.max))
        })
        .collect();
    let description =
        format!("Mean of tasks times 100, one mark a seed, with mean and interval: {}.", said.join("; "));
    let draw = |form: Form| {
        let mut svg = Svg::new(form.width());
        let label = label_width(scored.iter().map(|(style, _)| style.arm.facts.title.as_str()), 230.0);
        let layout = Layout {
            label,
            value: 44.0,
            row: form.pick(32.0, 46.0),
            radius: form.pick(5.0, 4.5),
            above: form == Form::Narrow,
        };
        let drawn: Vec<Row<'_>> =
            scored.iter().zip(&values).map(|((style, score), value)| row(style, score, value)).collect();
        let outer = Frame { left: 0.0, top: 4.0, right: svg.width, bottom: 0.0 };
        svg.height = rows(&mut svg, outer, &layout, &drawn, domain, ("Score (mean of tasks × 100)", &[]));
        svg
    };
    Some(Chart::new("scores", "Score of every run", description, draw))
}

/// Every pair's difference.
pub(crate) fn differences(results: &Results) -> Option<Chart> {
    let pairs: Vec<_> = results.pairs.iter().filter(|pair| !pair.differences.is_empty()).collect();
    let dots = extent(pairs.iter().flat_map(|pair| pair.differences.iter().copied()).chain([0.0]))?;
    if pairs.is_empty() {
        return None;
    }
    let tests = || pairs.iter().filter_map(|pair| pair.test.as_ref());
    let blind = tests().map(|test| Range { low: -test.detectable, high: test.detectable });
    let domain = domain(dots, tests().map(|test| test.interval).chain(blind), 1.0);
    let values: Vec<String> =
        pairs.iter().map(|pair| pair.difference.map_or_else(String::new, signed)).collect();
    let said: Vec<String> = pairs
        .iter()
        .zip(&values)
        .map(|(pair, value)| {
            format!(
                "{} minus {} {value}, {}",
                results.title(&pair.a),
                results.title(&pair.b),
                crate::tables::verdict(pair.verdict)
            )
        })
        .collect();
    let description =
        format!("Differences in points, one mark a seed, with mean and interval: {}.", said.join("; "));
    let draw = |form: Form| {
        let mut svg = Svg::new(form.width());
        let keys = [
            Key::Mark("told mark", "told apart"),
            Key::Mark("open hollow", "not distinguishable"),
            Key::Box("blind", "so small that it is often missed"),
        ];
        let top = legend(&mut svg, (0.0, 2.0), form.width(), &keys);
        let labels: Vec<String> = pairs
            .iter()
            .map(|pair| format!("{} − {}", results.title(&pair.a), results.title(&pair.b)))
            .collect();
        let label = label_width(labels.iter().map(String::as_str), 300.0);
        let layout = Layout {
            label,
            value: 46.0,
            row: form.pick(30.0, 46.0),
            radius: form.pick(4.2, 3.8),
            above: form == Form::Narrow,
        };
        let drawn: Vec<Row<'_>> = pairs
            .iter()
            .zip(labels)
            .zip(&values)
            .map(|((pair, label), value)| Row {
                label,
                class: match pair.verdict {
                    Verdict::Better | Verdict::Worse => "told mark".into(),
                    Verdict::NotDistinguishable | Verdict::NoVerdict => "open hollow".into(),
                },
                shape: Shape::Circle,
                dots: pair
                    .differences
                    .iter()
                    .enumerate()
                    .map(|(index, value)| {
                        let seed =
                            pair.seeds.get(index).map_or_else(String::new, |seed| format!("seed {seed}: "));
                        (*value, format!("{seed}{}", signed(*value)))
                    })
                    .collect(),
                mean: pair.difference,
                interval: pair.test.as_ref().map(|test| test.interval),
                blind: pair.test.as_ref().map(|test| test.detectable),
                value,
            })
            .collect();
        let outer = Frame { left: 0.0, top: top + 2.0, right: svg.width, bottom: 0.0 };
        svg.height =
            rows(&mut svg, outer, &layout, &drawn, domain, ("Difference in points", &[(0.0, "zero")]));
        svg
    };
    Some(Chart::new("differences", "Difference of every pair", description, draw))
}

/// Every task's scores.
pub(crate) fn tasks(results: &Results) -> Option<Chart> {
    let styles = styles(results);
    let shown: Vec<_> = results
        .tasks
        .iter()
        .filter(|task| styles.iter().any(|style| style.arm.tasks.contains_key(&task.name)))
        .collect();
    if shown.is_empty() {
        return None;
    }
    let titles: Vec<&str> = shown.iter().map(|task| task.title.as_str()).collect();
    let description = format!(
        "One panel a task, one row an objective, one mark a seed: {}. The table has the numbers.",
        titles.join(", ")
    );
    let draw = |form: Form| {
        let mut svg = Svg::new(form.width());
        let keys = [
            Key::Line("chance", "chance, where near"),
            Key::Line("majority", "best constant answer, where near"),
        ];
        let references = shown.iter().any(|task| task.chance.is_some() || task.majority.is_some());
        let top = if references { legend(&mut svg, (0.0, 2.0), form.width(), &keys) } else { 0.0 };
        let label =
            label_width(styles.iter().map(|style| style.arm.facts.title.as_str()), form.pick(118.0, 130.0));
        let layout = Layout {
            label,
            value: 6.0,
            row: form.pick(20.0, 24.0),
            radius: form.pick(3.4, 4.0),
            above: false,
        };
        let height = 28.0 + layout.row * styles.len() as f64 + 34.0;
        let columns = form.pick(3, 1);
        let places = panels(shown.len(), columns, svg.width, height, 18.0, top + 4.0);
        for (task, place) in shown.iter().zip(&places) {
            let seeds = |style: &Style<'_>| {
                let of_task =
                    style.arm.seeds.iter().filter_map(|seed| Some((seed.seed, *seed.tasks.get(&task.name)?)));
                of_task.collect::<Vec<_>>()
            };
            let references: Vec<(f64, &'static str)> = [(task.chance, "chance"), (task.majority, "majority")]
                .into_iter()
                .filter_map(|(value, class)| Some((100.0 * value?, class)))
                .collect();
            let all = styles.iter().flat_map(|style| seeds(style).into_iter().map(|(_, score)| score));
            let Some((low, high)) = extent(all) else { continue };
            // A reference far from all scores would press them together: the table has it.
            let room = 0.25 * (high - low).max(1.0);
            let near = |value: &f64| (low - room..=high + room).contains(value);
            let references: Vec<_> = references.into_iter().filter(|(value, _)| near(value)).collect();
            let Some(domain) =
                extent([low, high].into_iter().chain(references.iter().map(|(value, _)| *value)))
            else {
                continue;
            };
            let name = format!("{}  ({})", task.title, task.metric.name());
            svg.label((place.left, place.top + 14.0), Anchor::Start, "t panel", &name, place.width());
            let drawn: Vec<Row<'_>> = styles
                .iter()
                .map(|style| Row {
                    label: style.arm.facts.title.clone(),
                    class: style.mark(),
                    shape: style.shape,
                    dots: seeds(style)
                        .into_iter()
                        .map(|(seed, score)| {
                            (
                                score,
                                format!(
                                    "{}, {}, seed {seed}: {}",
                                    task.title,
                                    style.arm.facts.title,
                                    points(score)
                                ),
                            )
                        })
                        .collect(),
                    mean: style.arm.tasks.get(&task.name).map(|estimate| estimate.mean),
                    interval: None,
                    blind: None,
                    value: "",
                })
                .collect();
            let outer = Frame { top: place.top + 22.0, ..*place };
            rows(&mut svg, outer, &layout, &drawn, domain, ("", &references));
        }
        svg.height = places.last().map_or(0.0, |place| place.bottom);
        svg
    };
    Some(Chart::new("tasks", "Score by task", description, draw))
}
