//! Score against compute: the paper's Figures 1 and 4.

use super::axis::{Key, Marks, horizontal, legend, vertical};
use super::dots::extent;
use super::line::{End, Line, Point, lines, names};
use super::palette::{Style, styles};
use super::scale::Scale;
use super::svg::{Frame, Svg, class_width};
use super::{Chart, Form};
use crate::format::{percent, plural, points, scientific};
use crate::{CurvePoint, Results, Role, Schedule};

/// What compute is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// FLOPs as the paper's program counts them.
    Flops,
    /// Steps.
    Steps,
}

impl By {
    fn of(self, point: &CurvePoint) -> f64 {
        match self {
            Self::Flops => point.flops_paper,
            Self::Steps => point.step,
        }
    }
}

/// The chart, if any arm has a point with compute.
pub(crate) fn chart(results: &Results, by: By) -> Option<Chart> {
    let styles = styles(results);
    let drawn: Vec<(&Style<'_>, Vec<&CurvePoint>)> = styles
        .iter()
        .filter(|style| style.arm.facts.role == Role::Arm)
        .map(|style| (style, style.arm.curve.iter().filter(|point| by.of(point) > 0.0).collect::<Vec<_>>()))
        .filter(|(_, points)| !points.is_empty())
        .collect();
    let all = || drawn.iter().flat_map(|(_, points)| points.iter().copied());
    let compute = extent(all().map(|point| by.of(point)))?;
    let scratch = styles.iter().find(|style| style.arm.facts.role == Role::Scratch);
    let reference = scratch.and_then(|style| Some((style, style.arm.score.as_ref()?.mean)));
    let heights = all().flat_map(|point| [point.score.min, point.score.max]);
    let heights = extent(heights.chain(reference.map(|(_, mean)| mean)))?;

    let draw = |form: Form| {
        let mut svg = Svg::new(form.width());
        let mut keys: Vec<Key<'_>> = match form {
            Form::Wide => Vec::new(),
            Form::Narrow => drawn.iter().map(|(style, _)| Key::Arm(style)).collect(),
        };
        if has(&drawn, Schedule::Truncated) {
            keys.push(Key::Line("told curve", "longer run on its way (truncated)"));
        }
        if has(&drawn, Schedule::Own) {
            keys.push(Key::Line("told curve dashed", "run of its own (own schedule)"));
        }
        keys.extend(reference.map(|_| Key::Line("scratch", "without pre-training")));
        let top = legend(&mut svg, (0.0, 2.0), form.width(), &keys);
        let widths = drawn.iter().map(|(style, _)| class_width(&style.arm.facts.title, "t name"));
        let side = form.pick((widths.fold(0.0, f64::max) + 16.0).min(220.0), 10.0);
        let frame = Frame {
            left: 40.0,
            top: top + 8.0,
            right: svg.width - side,
            bottom: top + form.pick(380.0, 270.0),
        };
        let y = Scale::linear(heights, (frame.bottom, frame.top), 6);
        let (x, marks, title) = match by {
            By::Flops => (
                Scale::logarithmic(compute, (frame.left, frame.right)),
                Marks::PowerOfTen,
                form.pick(
                    "Pre-training FLOPs, as the paper counts them (logarithmic)",
                    "Pre-training FLOPs (logarithmic)",
                ),
            ),
            By::Steps => (
                Scale::logarithmic(compute, (frame.left, frame.right)),
                Marks::Count,
                "Pre-training steps (logarithmic)",
            ),
        };
        vertical(&mut svg, frame, &y, Marks::Number);
        horizontal(&mut svg, frame, &x, marks, title);
        if let Some((_, mean)) = reference {
            svg.line((frame.left, y.place(mean)), (frame.right, y.place(mean)), "scratch");
        }
        let place = |style: &Style<'_>, point: &CurvePoint| Point {
            x: x.place(by.of(point)),
            y: y.place(point.score.mean),
            spread: (y.place(point.score.max), y.place(point.score.min)),
            tooltip: format!(
                "{}, {} of the budget, {} FLOPs: {} ({})",
                style.arm.facts.title,
                percent(point.share),
                scientific(point.flops_paper),
                points(point.score.mean),
                plural(point.score.seeds, "seed"),
            ),
        };
        let mut curves = Vec::new();
        for (style, points) in &drawn {
            for schedule in [Schedule::Own, Schedule::Truncated] {
                curves.push(Line {
                    colour: style.colour,
                    shape: Some(style.shape),
                    dashed: schedule == Schedule::Own,
                    points: points
                        .iter()
                        .filter(|point| point.schedule == schedule)
                        .map(|point| place(style, point))
                        .collect(),
                });
            }
        }
        lines(&mut svg, &curves);
        if form == Form::Wide {
            let mut ends: Vec<End<'_>> = drawn
                .iter()
                .filter_map(|(style, points)| {
                    let last = points.last()?;
                    let at = (x.place(by.of(last)), y.place(last.score.mean));
                    Some(End { at, name: &style.arm.facts.title, colour: style.colour })
                })
                .collect();
            names(
                &mut svg,
                frame.right + 10.0,
                (frame.top + 4.0, frame.bottom - 4.0),
                &mut ends,
                side - 10.0,
            );
        }
        svg.height = frame.bottom + 40.0;
        svg
    };
    let (id, title) = match by {
        By::Flops => ("compute-flops", "Score against FLOPs"),
        By::Steps => ("compute-steps", "Score against steps"),
    };
    let said: Vec<String> = drawn
        .iter()
        .map(|(style, curve)| {
            let steps: Vec<String> = curve
                .iter()
                .map(|point| format!("{} at {}", points(point.score.mean), percent(point.share)))
                .collect();
            format!("{}: {}", style.arm.facts.title, steps.join(", "))
        })
        .collect();
    let description = format!(
        "Lines of the mean over the same seeds throughout; bands from the lowest to the highest seed. {}.",
        said.join(". ")
    );
    Some(Chart::new(id, title, description, draw))
}

fn has(drawn: &[(&Style<'_>, Vec<&CurvePoint>)], schedule: Schedule) -> bool {
    drawn.iter().any(|(_, points)| points.iter().any(|point| point.schedule == schedule))
}
