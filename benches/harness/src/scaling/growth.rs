//! What grows with what: the quantities of each variable, their exponents and bounds.

use super::Point;
use super::fit::{Bound, exponent, last_decade};
use super::plan::VARIABLES;
use std::collections::BTreeMap;

/// A unit that chart and tables write a quantity in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Bytes,
}

/// A quantity that is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quantity {
    pub(super) name: &'static str,
    pub(super) unit: Unit,
    /// Its value among those of a point.
    value: &'static str,
    bound: Bound,
}

/// Quantities over one size, in the chart a row of panels for each two.
struct Group {
    variable: &'static str,
    /// The value that stands for the size, with its title; none where the variable's own does.
    over: Option<(&'static str, &'static str)>,
    quantities: Vec<Quantity>,
}

fn step(variable: &'static str, bound: Bound) -> Group {
    let time = Quantity { name: "time of a step", unit: Unit::Seconds, value: "seconds", bound };
    let memory = Quantity { name: "peak memory", unit: Unit::Bytes, value: "memory_bytes", bound };
    Group { variable, over: None, quantities: vec![time, memory] }
}

fn corpus(variable: &'static str, over: Option<(&'static str, &'static str)>) -> Group {
    let time = |name, value, bound| Quantity { name, unit: Unit::Seconds, value, bound };
    let memory = Quantity {
        name: "memory to build it",
        unit: Unit::Bytes,
        value: "build_memory_bytes",
        bound: Bound::Linear,
    };
    let quantities = vec![
        time("building from text", "build_seconds", Bound::Linear),
        memory,
        // Rows lie all over the corpus: from a larger one they come from slower caches, the second time they do not.
        time("a batch's gather, mask", "batch_seconds", Bound::Caches),
        time("the same batch again", "batch_again_seconds", Bound::Constant),
        time("opening", "open_seconds", Bound::Linear),
    ];
    Group { variable, over, quantities }
}

fn groups() -> Vec<Group> {
    vec![
        // Attention's weights are L² numbers.
        step("L", Bound::Square),
        step("B", Bound::Linear),
        step("V", Bound::Linear),
        step("V-all-tokens", Bound::Linear),
        // Parameters are D² numbers; for each of them time and memory are not to grow.
        step("D", Bound::Square),
        Group { over: Some(("parameters", "parameters, as D grows")), ..step("D", Bound::Linear) },
        corpus("corpus", Some(("tokens", "tokens of a corpus (20 lines in a document)"))),
        corpus("documents", None),
    ]
}

/// A quantity over a size, and what its growth comes to.
#[derive(Debug)]
pub(super) struct Growth {
    /// What is varied, and what stays.
    pub(super) title: &'static str,
    pub(super) quantity: Quantity,
    /// Size and median over the rounds, ascending.
    pub(super) points: Vec<(f64, f64)>,
    pub(super) whole: f64,
    pub(super) last: f64,
}

impl Growth {
    pub(super) fn bound(&self) -> Bound {
        self.quantity.bound
    }

    /// Whether the last decade grows as it may at most.
    pub(super) fn holds(&self) -> bool {
        self.bound().holds(self.last)
    }

    pub(super) fn verdict(&self) -> &'static str {
        self.bound().verdict(self.last)
    }
}

/// Everything that the points tell, in the order of the chart.
pub(super) fn growths(points: &[Point]) -> Vec<Growth> {
    let mut growths = Vec::new();
    for group in groups() {
        let own = VARIABLES.iter().find(|variable| variable.key == group.variable);
        let title = group.over.map(|(_, title)| title).or(own.map(|variable| variable.title));
        for quantity in group.quantities {
            let points = medians(points, group.variable, group.over.map(|(value, _)| value), quantity.value);
            let exponents = (exponent(&points), exponent(last_decade(&points)));
            if let ((Some(whole), Some(last)), Some(title)) = (exponents, title) {
                growths.push(Growth { title, quantity, points, whole, last });
            }
        }
    }
    growths
}

fn medians(points: &[Point], variable: &str, over: Option<&str>, value: &str) -> Vec<(f64, f64)> {
    let mut sizes: BTreeMap<u64, (f64, Vec<f64>)> = BTreeMap::new();
    for point in points.iter().filter(|point| point.variable == variable) {
        let number = |name: &str| point.values.get(name).and_then(serde_json::Value::as_f64);
        let x = over.map_or(Some(point.size as f64), number);
        if let (Some(x), Some(y)) = (x, number(value)) {
            sizes.entry(point.size).or_insert((x, Vec::new())).1.push(y);
        }
    }
    sizes.into_values().map(|(x, ys)| (x, median(ys))).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

/// A number in its unit, three digits.
pub(super) fn shown(value: f64, unit: Unit) -> String {
    let scales: &[(f64, &str)] = match unit {
        Unit::Seconds => &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")],
        Unit::Bytes => &[(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")],
    };
    // A decade that rounding leaves a hair too small is still of its unit.
    let scale = scales.iter().find(|(scale, _)| value >= 0.999_999 * scale);
    let (scale, name) = scale.unwrap_or(&scales[scales.len() - 1]);
    let number = value / scale;
    let digits = if number < 9.995 { 2 } else { usize::from(number < 99.95) };
    format!("{number:.digits$} {name}")
}

/// A size or a count, in thousands and millions.
pub(super) fn count(value: f64) -> String {
    let (scale, name) = match value {
        _ if value >= 999_999.0 => (1e6, "M"),
        _ if value >= 999.9 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let number = value / scale;
    let text = if number < 9.95 { format!("{number:.1}") } else { format!("{number:.0}") };
    format!("{}{name}", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn point(variable: &'static str, size: u64, round: u32, values: serde_json::Value) -> Point {
        let serde_json::Value::Object(values) = values else { panic!("not an object") };
        Point { variable, size, round, values }
    }

    #[test]
    fn one_slow_round_of_three_does_not_count() {
        let measured =
            |size: u64, round, seconds: f64| point("B", size, round, json!({ "seconds": seconds }));
        let points: Vec<_> = [1, 10, 100]
            .into_iter()
            .flat_map(|size| {
                let x = size as f64;
                [
                    measured(size, 1, x),
                    measured(size, 2, if size == 100 { 1e4 } else { x }),
                    measured(size, 3, x),
                ]
            })
            .collect();
        let growths = growths(&points);
        assert_eq!(growths.len(), 1);
        assert!((growths[0].whole - 1.0).abs() < 1e-12 && growths[0].holds(), "{growths:?}");
    }

    #[test]
    fn time_over_parameters_is_beside_time_over_d() {
        let points: Vec<_> = [16, 160, 1600]
            .into_iter()
            .map(|size| {
                let parameters = (12 * size * size) as f64;
                point("D", size, 1, json!({ "seconds": parameters * 1e-9, "parameters": parameters }))
            })
            .collect();
        let growths = growths(&points);
        let verdicts: Vec<_> = growths.iter().map(|growth| (growth.last.round(), growth.verdict())).collect();
        assert_eq!(verdicts, [(2.0, "no faster than the square"), (1.0, "no faster than linear")]);
    }

    #[test]
    fn every_variable_has_a_group() {
        for variable in VARIABLES {
            assert!(groups().iter().any(|group| group.variable == variable.key), "{}", variable.key);
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(shown(0.01424, Unit::Seconds), "14.2 ms");
        assert_eq!(shown(1e-3, Unit::Seconds), "1.00 ms");
        assert_eq!(shown(421_519_360.0, Unit::Bytes), "422 MB");
        assert_eq!(
            [1.0, 512.0, 1024.0, 2500.0, 131_072.0, 1e6, 30_500_900.0].map(count),
            ["1", "512", "1k", "2.5k", "131k", "1M", "31M"]
        );
    }
}
