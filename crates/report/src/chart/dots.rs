//! Rows of dots: one for each seed, their mean, and its interval.

use electra_analysis::Range;

use super::axis::{self, Plot};
use super::figure::Panel;
use super::scale::Scale;
use super::svg::{Anchor, Svg, X, text_width};
use crate::format;
use crate::palette::Shape;

/// A value.
pub(crate) struct Dot {
    pub(crate) value: f64,
    pub(crate) tooltip: String,
    pub(crate) shape: Shape,
}

/// A row of dots.
pub(crate) struct Row<'a> {
    pub(crate) label: String,
    /// The classes of its marks.
    pub(crate) class: String,
    pub(crate) dots: Vec<Dot>,
    pub(crate) mean: Option<f64>,
    pub(crate) interval: Option<Range>,
    /// Differences this near to 0 are within the margin.
    pub(crate) within: Option<f64>,
    /// Written at the right end.
    pub(crate) value: &'a str,
}

/// Where the labels of rows stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Labels {
    /// Above their rows on a phone, beside them on a wide screen.
    Above,
    /// To the left, in so many pixels.
    Beside(f64),
}

/// An axis, and lines across all rows with their classes.
pub(crate) struct Axis<'a> {
    pub(crate) domain: (f64, f64),
    pub(crate) title: &'a str,
    pub(crate) lines: &'a [(f64, &'static str)],
}

/// Rows under each other with their axis, below so many pixels for a title.
pub(crate) fn rows(rows: &[Row<'_>], labels: Labels, axis: &Axis<'_>, top: f64) -> Panel {
    // A row's height, the part of it above its middle, and the height of its marks.
    let (left, right, least, height, middle, marks) = match labels {
        Labels::Above => (0.0, 46.0, 290.0, 42.0, 0.7, 25.0),
        Labels::Beside(label) => (label, 6.0, 140.0, 20.0, 0.5, 20.0),
    };
    let mut svg = Svg::default();
    let plot = Plot { top, bottom: top + height * rows.len() as f64, least };
    let scale = Scale::linear(axis.domain, (0.0, 1.0), ((least / 50.0) as usize).max(3));
    let written = |value| format::number(value, scale.decimals());
    axis::horizontal(&mut svg, plot, &scale, written, axis.title);
    for (value, class) in axis.lines {
        let x = X::Share(scale.clamped(*value));
        svg.line((x, plot.top), (x, plot.bottom), class);
    }
    for (index, row) in rows.iter().enumerate() {
        let y = top + height * (index as f64 + middle);
        if let Some(margin) = row.within {
            let (low, high) = (scale.clamped(-margin), scale.clamped(margin));
            let half = marks * 0.34;
            svg.rectangle((X::Share(low), y - half), (X::Share(high - low), y + half), "within");
        }
        match labels {
            Labels::Above => {
                // The axis's lines stop at the name and go on below it.
                let (baseline, width) = (y - marks * 0.34 - 5.0, text_width(&row.label).min(least));
                svg.rectangle((X::Pixels(0.0), baseline - 11.0), (X::Pixels(width), baseline + 3.0), "page");
                svg.label((X::Pixels(0.0), baseline), Anchor::Start, "t label", &row.label, least + right);
            }
            Labels::Beside(label) => {
                svg.label((X::Pixels(-10.0), y + 4.0), Anchor::End, "t", &row.label, label - 10.0);
            }
        }
        draw(&mut svg, row, &scale, y, marks);
        if !row.value.is_empty() {
            svg.beyond(right, y + 4.0, "t num", row.value);
        }
    }
    let beside = match labels {
        Labels::Above => {
            Some(rows.iter().map(|row| text_width(&row.label)).fold(0.0, f64::max).min(290.0) + 16.0)
        }
        Labels::Beside(_) => None,
    };
    Panel { svg, height: plot.bottom + if axis.title.is_empty() { 22.0 } else { 40.0 }, left, right, beside }
}

fn draw(svg: &mut Svg, row: &Row<'_>, scale: &Scale, y: f64, height: f64) {
    svg.open(&row.class);
    if let Some(Range { low, high }) = row.interval {
        svg.line((X::Share(scale.clamped(low)), y), (X::Share(scale.clamped(high)), y), "interval");
    }
    let class = format!("{} seed", row.class);
    for dot in &row.dots {
        svg.mark(dot.shape, (X::Share(scale.clamped(dot.value)), y), 4.2, &class, &dot.tooltip);
    }
    if let Some(mean) = row.mean {
        let x = X::Share(scale.clamped(mean));
        svg.line((x, y - height * 0.32), (x, y + height * 0.32), "mean");
    }
    svg.close();
}
