//! From values to places, and round values to mark.

/// A stretch of values onto a stretch of pixels.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    domain: (f64, f64),
    range: (f64, f64),
    logarithmic: bool,
    pub(crate) ticks: Vec<f64>,
}

impl Scale {
    /// Linear over values, with about so many round marks; the domain grows a little around the values.
    pub(crate) fn linear(values: (f64, f64), range: (f64, f64), marks: usize) -> Self {
        let (low, high) = widened(values);
        let step = round_step((high - low) / marks.max(1) as f64);
        let first = (low / step).ceil() as i64;
        let ticks = (first..)
            .map(|index| index as f64 * step)
            .take_while(|tick| *tick <= high + step * 1e-9)
            .collect();
        Self { domain: (low, high), range, logarithmic: false, ticks }
    }

    /// Logarithmic over positive values. Marks are powers of ten, with 2 and 5 between if there are few.
    pub(crate) fn logarithmic(values: (f64, f64), range: (f64, f64)) -> Self {
        let (low, high) = (values.0.log10(), values.1.log10());
        let pad = if high - low > 1e-9 { 0.05 * (high - low) } else { 0.3 };
        let (low, high) = (low - pad, high + pad);
        let between = |factors: &[f64]| -> Vec<f64> {
            let decades = low.floor() as i32..=high.ceil() as i32;
            let all =
                decades.flat_map(|decade| factors.iter().map(move |factor| factor * 10_f64.powi(decade)));
            all.filter(|tick| (low..=high).contains(&tick.log10())).collect()
        };
        let decades = between(&[1.0]);
        let ticks = if decades.len() >= 3 { decades } else { between(&[1.0, 2.0, 5.0]) };
        Self { domain: (low, high), range, logarithmic: true, ticks }
    }

    /// The place of a value.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let value = if self.logarithmic { value.log10() } else { value };
        let share = (value - self.domain.0) / (self.domain.1 - self.domain.0);
        self.range.0 + share * (self.range.1 - self.range.0)
    }

    /// The place of a value, or the end of the scale that is nearest to it.
    pub(crate) fn clamped(&self, value: f64) -> f64 {
        let (low, high) = (self.range.0.min(self.range.1), self.range.0.max(self.range.1));
        self.place(value).clamp(low, high)
    }

    /// How many decimals the marks need.
    pub(crate) fn decimals(&self) -> usize {
        let is_round = |decimals: &i32| {
            let power = 10_f64.powi(*decimals);
            self.ticks.iter().all(|tick| (tick * power - (tick * power).round()).abs() < 1e-6)
        };
        (0..6).find(is_round).unwrap_or(6) as usize
    }
}

fn widened((low, high): (f64, f64)) -> (f64, f64) {
    let wide = high - low;
    let pad = if wide > 1e-9 * high.abs().max(1e-6) { 0.06 * wide } else { high.abs().max(1.0) * 0.1 };
    (low - pad, high + pad)
}

/// 1, 2 or 5 times a power of ten: the nearest by ratio.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = step / power;
    // The boundaries are the geometric means of neighbours.
    let boundaries = [(1.0, 2_f64.sqrt()), (2.0, 10_f64.sqrt()), (5.0, 50_f64.sqrt())];
    let round = boundaries.into_iter().find(|(_, boundary)| factor < *boundary);
    round.map_or(10.0, |(round, _)| round) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_inside() {
        let scale = Scale::linear((51.3, 62.8), (0.0, 100.0), 5);
        assert_eq!(scale.ticks, [52.0, 54.0, 56.0, 58.0, 60.0, 62.0]);
        assert_eq!(Scale::linear((0.0, 1.0), (0.0, 100.0), 5).ticks.len(), 6);
        assert_eq!(Scale::linear((-0.3, 0.3), (0.0, 1.0), 6).decimals(), 1);
        assert_eq!(Scale::logarithmic((1e12, 1e16), (0.0, 1.0)).ticks, [1e12, 1e13, 1e14, 1e15, 1e16]);
        assert_eq!(Scale::logarithmic((1.5e12, 9e12), (0.0, 1.0)).ticks, [2e12, 5e12]);
    }

    #[test]
    fn places_are_finite_for_a_single_value() {
        for value in [0.0, 5.0, -3.0, 1e18] {
            let place = Scale::linear((value, value), (10.0, 20.0), 4).place(value);
            assert!((place - 15.0).abs() < 1e-6, "{value}: {place}");
        }
        assert!((Scale::logarithmic((1e9, 1e9), (10.0, 20.0)).place(1e9) - 15.0).abs() < 1e-9);
        assert_eq!(Scale::linear((0.0, 1.0), (0.0, 10.0), 4).clamped(99.0), 10.0);
    }
}
