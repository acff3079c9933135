//! Lines: a mean over seeds, with the least and the greatest as a band.

use super::svg::{Anchor, Shape, Svg};

/// A line's place in pixels.
pub(crate) struct Line<'a> {
    /// The class that brings the colour.
    pub(crate) colour: &'a str,
    /// A mark at every point, if any.
    pub(crate) shape: Option<Shape>,
    /// Dashed, with hollow marks.
    pub(crate) dashed: bool,
    pub(crate) points: Vec<Point>,
}

/// A point of a line, in pixels.
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// The greatest and the least.
    pub(crate) spread: (f64, f64),
    pub(crate) tooltip: String,
}

/// Draws the bands of all lines first, so that none hides another's line.
pub(crate) fn lines(svg: &mut Svg, lines: &[Line<'_>]) {
    for line in lines {
        let upper: Vec<(f64, f64)> = line.points.iter().map(|point| (point.x, point.spread.0)).collect();
        let lower: Vec<(f64, f64)> = line.points.iter().map(|point| (point.x, point.spread.1)).collect();
        if line.points.iter().any(|point| (point.spread.0 - point.spread.1).abs() > 0.1) && upper.len() > 1 {
            svg.area(&upper, &lower, &format!("{} band", line.colour));
        }
    }
    for line in lines {
        let points: Vec<(f64, f64)> = line.points.iter().map(|point| (point.x, point.y)).collect();
        if points.len() > 1 {
            let dash = if line.dashed { " dashed" } else { "" };
            svg.path(&points, &format!("{} curve{dash}", line.colour));
        }
        let class = format!("{} {}", line.colour, if line.dashed { "hollow" } else { "mark" });
        // A single point with no mark would be nothing.
        let shape = line.shape.or((points.len() == 1).then_some(Shape::Circle));
        for point in &line.points {
            if let Some(shape) = shape {
                svg.mark(shape, (point.x, point.y), 4.0, &class, &point.tooltip);
            }
        }
    }
}

/// Names at the ends of lines, moved apart so that none covers another.
pub(crate) fn names(
    svg: &mut Svg,
    x: f64,
    (top, bottom): (f64, f64),
    names: &mut [(f64, String, &str)],
    width: f64,
) {
    const HEIGHT: f64 = 15.0;
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = top;
    for (y, ..) in names.iter_mut() {
        *y = y.max(free);
        free = *y + HEIGHT;
    }
    let mut free = bottom;
    for (y, ..) in names.iter_mut().rev() {
        *y = y.min(free);
        free = *y - HEIGHT;
    }
    for (y, name, colour) in names.iter() {
        svg.open(colour);
        svg.label((x, *y + 4.0), Anchor::Start, "t name", name, width);
        svg.close();
    }
}
