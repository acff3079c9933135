//! Lines: a mean over seeds, with the least and the greatest as a band.

use super::svg::{Svg, X};
use crate::palette::Shape;

/// A line.
pub(crate) struct Line<'a> {
    /// The class that brings the colour.
    pub(crate) colour: &'a str,
    /// A mark at every point, if any.
    pub(crate) shape: Option<Shape>,
    /// Dashed, with hollow marks.
    pub(crate) dashed: bool,
    /// Dotted, with hollow marks.
    pub(crate) dotted: bool,
    pub(crate) points: Vec<Point>,
}

/// A point of a line: a share of the width, and pixels down.
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// The greatest and the least.
    pub(crate) spread: (f64, f64),
    pub(crate) tooltip: String,
}

/// Draws the bands of all lines first, so that none hides another's line.
pub(crate) fn lines(svg: &mut Svg, height: f64, lines: &[Line<'_>]) {
    let has_band = |line: &&Line<'_>| {
        line.points.len() > 1 && line.points.iter().any(|point| (point.spread.0 - point.spread.1).abs() > 0.1)
    };
    let band = |line: &Line<'_>| {
        let upper = line.points.iter().map(|point| (point.x, point.spread.0));
        let lower = line.points.iter().rev().map(|point| (point.x, point.spread.1));
        (upper.chain(lower).collect(), format!("{} band", line.colour))
    };
    let curve = |line: &Line<'_>| {
        let dash = match (line.dashed, line.dotted) {
            (true, _) => " dashed",
            (false, true) => " dotted",
            (false, false) => "",
        };
        (line.points.iter().map(|point| (point.x, point.y)).collect(), format!("{} curve{dash}", line.colour))
    };
    let bands = lines.iter().filter(has_band).map(band);
    let curves = lines.iter().filter(|line| line.points.len() > 1).map(curve);
    svg.stretched(height, &bands.chain(curves).collect::<Vec<_>>());
    for line in lines {
        let class = format!("{} {}", line.colour, if line.dashed || line.dotted { "hollow" } else { "mark" });
        // A single point with no mark would be nothing.
        let shape = line.shape.or((line.points.len() == 1).then_some(Shape::Circle));
        for point in &line.points {
            if let Some(shape) = shape {
                svg.mark(shape, (X::Share(point.x), point.y), 4.0, &class, &point.tooltip);
            }
        }
    }
}
