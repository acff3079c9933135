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

/// A line's name and where the line ends.
pub(crate) struct End<'a> {
    pub(crate) at: (f64, f64),
    pub(crate) name: &'a str,
    /// The class that brings the colour.
    pub(crate) colour: &'a str,
}

/// Names at the ends of lines, from `x` on, moved apart so that none covers another; one that was moved away, or
/// whose line ends far off, is led to it.
pub(crate) fn names(svg: &mut Svg, x: f64, (top, bottom): (f64, f64), ends: &mut [End<'_>], width: f64) {
    const HEIGHT: f64 = 15.0;
    ends.sort_by(|a, b| a.at.1.total_cmp(&b.at.1));
    let mut heights: Vec<f64> = ends.iter().map(|end| end.at.1).collect();
    let mut free = top;
    for y in &mut heights {
        *y = y.max(free);
        free = *y + HEIGHT;
    }
    let mut free = bottom;
    for y in heights.iter_mut().rev() {
        *y = y.min(free);
        free = *y - HEIGHT;
    }
    for (end, y) in ends.iter().zip(heights) {
        svg.open(end.colour);
        if (y - end.at.1).abs() > 3.0 || x - end.at.0 > 80.0 {
            svg.path(&[(end.at.0 + 6.0, end.at.1), (x - 14.0, y), (x - 4.0, y)], "leader");
        }
        svg.label((x, y + 4.0), Anchor::Start, "t name", end.name, width);
        svg.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_apart_and_are_led_to_their_lines() {
        let end = |y, name| End { at: (50.0, y), name, colour: "o-mlm" };
        let mut svg = Svg::new(200.0);
        names(&mut svg, 80.0, (0.0, 100.0), &mut [end(98.0, "C"), end(97.0, "B"), end(20.0, "A")], 100.0);
        let texts: Vec<&str> = svg.body().split("<text").skip(1).collect();
        for (text, (y, name)) in texts.iter().zip([(24, "A"), (89, "B"), (104, "C")]) {
            assert!(text.contains(&format!("y=\"{y}\">{name}<")), "{text}");
        }
        // A stands where its line ends, and C but two pixels off.
        assert_eq!(svg.body().matches("leader").count(), 1);
        assert!(svg.body().contains("d=\"M56 97L66 85L76 85\""), "{}", svg.body());
    }
}
