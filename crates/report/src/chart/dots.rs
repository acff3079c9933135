//! Rows of dots: one for each seed, their mean, and its interval.

use super::axis::{self, Marks};
use super::scale::Scale;
use super::svg::{Anchor, Frame, Shape, Svg, text_width};
use crate::Range;

/// A row of dots.
pub(crate) struct Row<'a> {
    pub(crate) label: String,
    /// The classes of its marks.
    pub(crate) class: String,
    pub(crate) shape: Shape,
    /// A value and what its tooltip says.
    pub(crate) dots: Vec<(f64, String)>,
    pub(crate) mean: Option<f64>,
    pub(crate) interval: Option<Range>,
    /// Differences this near to 0 would have been missed.
    pub(crate) blind: Option<f64>,
    /// Written at the right end.
    pub(crate) value: &'a str,
}

/// How rows are laid out.
pub(crate) struct Layout {
    pub(crate) label: f64,
    pub(crate) value: f64,
    pub(crate) row: f64,
    pub(crate) radius: f64,
    /// Labels stand above their rows, as there is no room beside.
    pub(crate) above: bool,
}

/// Draws rows under each other from `top`, with their axis; gives the lower end.
pub(crate) fn rows(
    svg: &mut Svg,
    outer: Frame,
    layout: &Layout,
    rows: &[Row<'_>],
    domain: (f64, f64),
    (title, lines): (&str, &[(f64, &'static str)]),
) -> f64 {
    let bottom = outer.top + layout.row * rows.len() as f64;
    let label = if layout.above { 0.0 } else { layout.label };
    let frame = Frame { left: outer.left + label, right: outer.right - layout.value, bottom, ..outer };
    let marks = ((frame.width() / 55.0) as usize).clamp(3, 8);
    let scale = Scale::linear(domain, (frame.left, frame.right), marks);
    axis::horizontal(svg, frame, &scale, Marks::Number, title);
    for (value, class) in lines {
        let x = scale.clamped(*value);
        svg.line((x, frame.top), (x, frame.bottom), class);
    }
    for (index, row) in rows.iter().enumerate() {
        let middle = if layout.above { 0.7 } else { 0.5 };
        let y = outer.top + layout.row * (index as f64 + middle);
        let height = if layout.above { layout.row * 0.6 } else { layout.row };
        if let Some(blind) = row.blind {
            let (left, right) = (scale.clamped(-blind), scale.clamped(blind));
            let half = height * 0.34;
            svg.rectangle(Frame { left, right, top: y - half, bottom: y + half }, "blind");
        }
        if layout.above {
            // The axis's lines stop at the name and go on below it.
            let (baseline, right) =
                (y - height * 0.34 - 5.0, outer.right.min(frame.left + text_width(&row.label)));
            svg.rectangle(Frame { right, top: baseline - 12.0, bottom: baseline + 4.0, ..frame }, "page");
            svg.label((frame.left, baseline), Anchor::Start, "t", &row.label, outer.width());
        } else {
            svg.label((frame.left - 10.0, y + 4.0), Anchor::End, "t", &row.label, label - 10.0);
        }
        svg.open(&row.class);
        if let Some(Range { low, high }) = row.interval {
            svg.line((scale.clamped(low), y), (scale.clamped(high), y), "interval");
        }
        for (value, tooltip) in &row.dots {
            svg.mark(
                row.shape,
                (scale.clamped(*value), y),
                layout.radius,
                &format!("{} seed", row.class),
                tooltip,
            );
        }
        if let Some(mean) = row.mean {
            let x = scale.clamped(mean);
            let half = height * 0.32;
            svg.line((x, y - half), (x, y + half), "mean");
        }
        svg.close();
        if !row.value.is_empty() {
            svg.text((outer.right, y + 4.0), Anchor::End, "t num", row.value);
        }
    }
    bottom + if title.is_empty() { 22.0 } else { 40.0 }
}

/// The least and the greatest, none of nothing.
pub(crate) fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |extent, value| match extent {
        None => Some((value, value)),
        Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
    })
}
