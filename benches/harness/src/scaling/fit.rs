//! The exponent of growth: the slope of log y over log x.

/// What noise may add to an exponent.
const NOISE: f64 = 0.1;

/// The slope of the line of least squares through the logarithms; none of fewer than two sizes.
pub(super) fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> =
        points.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0).map(|(x, y)| (x.ln(), y.ln())).collect();
    let n = logs.len() as f64;
    let (mean_x, mean_y) =
        (logs.iter().map(|(x, _)| x).sum::<f64>() / n, logs.iter().map(|(_, y)| y).sum::<f64>() / n);
    let above: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let below: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    (logs.len() >= 2 && below > 1e-12).then(|| above / below)
}

/// The points of the largest decade of x, ascending in x; two at least where there are two.
pub(super) fn last_decade(points: &[(f64, f64)]) -> &[(f64, f64)] {
    let Some(&(largest, _)) = points.last() else { return points };
    let from = points.partition_point(|&(x, _)| x < 0.099 * largest);
    &points[from.min(points.len().saturating_sub(2))..]
}

/// Growth that is expected at most, as an exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Constant,
    /// The same work on more memory: what it asks for is farther away, by one cache after another.
    Caches,
    Linear,
    Square,
}

impl Bound {
    pub(super) fn exponent(self) -> f64 {
        match self {
            Self::Constant => 0.0,
            Self::Caches => 0.15,
            Self::Linear => 1.0,
            Self::Square => 2.0,
        }
    }

    /// Whether an exponent keeps to it.
    pub(super) fn holds(self, exponent: f64) -> bool {
        exponent <= self.exponent() + NOISE
    }

    /// The verdict in words.
    pub(super) fn verdict(self, exponent: f64) -> &'static str {
        match (self, self.holds(exponent)) {
            (Self::Caches, true) if Self::Constant.holds(exponent) => "does not grow",
            (Self::Constant, true) => "does not grow",
            (Self::Caches, true) => "only as caches miss",
            (Self::Constant | Self::Caches, false) => "**grows**",
            (Self::Linear, true) => "no faster than linear",
            (Self::Linear, false) => "**faster than linear**",
            (Self::Square, true) => "no faster than the square",
            (Self::Square, false) => "**faster than the square**",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn power(exponent: f64) -> Vec<(f64, f64)> {
        (0..9).map(|power| 2f64.powi(power)).map(|x| (x, 3.0 * x.powf(exponent))).collect()
    }

    #[test]
    fn the_exponent_of_a_power_is_found() {
        for expected in [-0.5, 0.0, 1.0, 2.0] {
            let found = exponent(&power(expected)).unwrap();
            assert!((found - expected).abs() < 1e-12, "{found}");
        }
        assert_eq!(exponent(&[(1.0, 2.0)]), None);
        assert_eq!(exponent(&[(1.0, 2.0), (1.0, 3.0)]), None);
    }

    #[test]
    fn a_square_under_a_constant_shows_in_the_last_decade() {
        let points: Vec<_> = (0..10).map(|power| 2f64.powi(power)).map(|x| (x, 1e4 + x * x)).collect();
        let last = last_decade(&points);
        assert_eq!(last.iter().map(|(x, _)| *x).collect::<Vec<_>>(), [64.0, 128.0, 256.0, 512.0]);
        assert!(exponent(last).unwrap() > exponent(&points).unwrap());
    }

    #[test]
    fn the_last_decade_has_two_sizes() {
        let points = [(1.0, 1.0), (10.0, 1.0), (1000.0, 1.0)];
        assert_eq!(last_decade(&points), &points[1..]);
        assert_eq!(last_decade(&points[..1]), &points[..1]);
        assert_eq!(last_decade(&[]), &[]);
    }

    #[test]
    fn verdicts() {
        assert_eq!(Bound::Linear.verdict(1.09), "no faster than linear");
        assert_eq!(Bound::Linear.verdict(1.11), "**faster than linear**");
        assert_eq!(Bound::Square.verdict(1.6), "no faster than the square");
        assert_eq!(Bound::Constant.verdict(0.2), "**grows**");
        assert_eq!(
            (Bound::Caches.verdict(0.2), Bound::Caches.verdict(0.3)),
            ("only as caches miss", "**grows**")
        );
    }
}
