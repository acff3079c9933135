//! How quantities grow, log over log: small panels beside lines of what a power would be.

use super::axis::{Plot, horizontal, vertical};
use super::figure::{Chart, Key, Panel};
use super::line::{Line, Point, lines};
use super::scale::Scale;
use super::svg::{Anchor, Svg, X, class_width};
use crate::format::extent;
use crate::palette::Shape;

/// The classes of the lines for the first and the second power.
const POWERS: [&str; 2] = ["chance", "majority"];
/// The least width of a panel, and the room to the left of its plot.
const LEAST: f64 = 200.0;
const LEFT: f64 = 52.0;

/// A quantity that grows with a size.
#[derive(Clone)]
pub struct GrowthPanel<'a> {
    /// The quantity.
    pub name: &'a str,
    /// The size, and what stays the same.
    pub over: &'a str,
    /// A number beside the name.
    pub note: String,
    /// Whether the number is as it should be.
    pub is_right: bool,
    /// Size and quantity, both positive, ascending in size.
    pub points: &'a [(f64, f64)],
    /// The point through which the lines of powers go.
    pub start: (f64, f64),
    /// The highest of these powers: 1 or 2.
    pub power: usize,
    /// Which colour the line has, from 0: one for each unit.
    pub colour: usize,
    /// How sizes are written.
    pub size: fn(f64) -> String,
    /// How the quantity is written.
    pub quantity: &'a dyn Fn(f64) -> String,
}

/// A chart of the growth of quantities, as an SVG of its own.
#[must_use]
pub fn growth_chart(title: &str, description: &str, panels: &[GrowthPanel<'_>]) -> String {
    let keys = [Key::Line(POWERS[0], "slope 1"), Key::Line(POWERS[1], "slope 2")];
    let drawn = panels.iter().filter_map(panel).collect();
    Chart::new("growth", title, description.into(), &keys, drawn, LEAST).standalone()
}

fn panel(growth: &GrowthPanel<'_>) -> Option<Panel> {
    let plot = Plot { top: 42.0, bottom: 150.0, least: LEAST - LEFT };
    let (low, high) = extent(growth.points.iter().map(|point| point.1))?;
    // Whole decades, so that a quantity that does not grow is drawn as a level line.
    let decades = (10_f64.powf((low.log10() - 0.05).floor()), 10_f64.powf((high.log10() + 0.05).ceil()));
    let x = Scale::logarithmic(extent(growth.points.iter().map(|point| point.0))?, (0.0, 1.0));
    let y = Scale::logarithmic(decades, (plot.bottom, plot.top));
    let mut svg = Svg::default();
    let note = if growth.is_right { "t num" } else { "t num wrong" };
    svg.label(
        (X::Pixels(-LEFT), 14.0),
        Anchor::Start,
        "t panel",
        growth.name,
        LEAST - class_width(&growth.note, note),
    );
    svg.text((X::Share(1.0), 14.0), Anchor::End, note, &growth.note);
    svg.label((X::Pixels(-LEFT), 30.0), Anchor::Start, "t small", growth.over, 1.5 * LEAST);
    vertical(&mut svg, plot, &y, growth.quantity);
    horizontal(&mut svg, plot, &x, growth.size, "");
    for (class, power) in POWERS.iter().take(growth.power).zip(1..) {
        let (from, to) = power_line(growth.start, power, growth.points, decades)?;
        let place = |(size, quantity): (f64, f64)| (X::Share(x.place(size)), y.place(quantity));
        svg.line(place(from), place(to), class);
    }
    let point = |(size, quantity): &(f64, f64)| {
        let place = y.place(*quantity);
        let tooltip = format!("{}: {}", (growth.size)(*size), (growth.quantity)(*quantity));
        Point { x: x.place(*size), y: place, spread: (place, place), tooltip }
    };
    let colour = ["c1", "c4"][growth.colour % 2];
    let points = growth.points.iter().map(point).collect();
    lines(
        &mut svg,
        plot.bottom,
        &[Line { colour, shape: Some(Shape::Circle), dashed: false, dotted: false, points }],
    );
    Some(Panel { svg, height: plot.bottom + 24.0, left: LEFT, right: 0.0, beside: None })
}

/// The ends of a line of a power through a point, within the sizes and the plotted quantities.
fn power_line(
    (size, quantity): (f64, f64),
    power: i32,
    points: &[(f64, f64)],
    (low, high): (f64, f64),
) -> Option<((f64, f64), (f64, f64))> {
    let at_size = |other: f64| quantity * (other / size).powi(power);
    let at_quantity = |other: f64| size * (other / quantity).powf(1.0 / f64::from(power));
    let from = points.first()?.0.max(at_quantity(low));
    let to = points.last()?.0.min(at_quantity(high));
    Some(((from, at_size(from)), (to, at_size(to))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_power_stays_within_its_plot() {
        let points: Vec<(f64, f64)> = (0..8).map(|exponent| (2_f64.powi(exponent), 1e-3)).collect();
        for power in [1, 2] {
            let (from, to) =
                power_line((64.0, 1e-3), power, &points, (1e-4, 1e-2)).expect("there are points");
            for (size, quantity) in [from, to] {
                assert!((1.0..=128.0).contains(&size) && (0.99e-4..=1.01e-2).contains(&quantity), "{size}");
            }
            let slope = (to.1 / from.1).ln() / (to.0 / from.0).ln();
            assert!((slope - f64::from(power)).abs() < 1e-9, "{slope}");
        }
    }
}
