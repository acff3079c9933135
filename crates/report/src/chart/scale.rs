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
        let ticks = round_between(low, high, round_step((high - low) / marks.max(1) as f64));
        Self { domain: (low, high), range, logarithmic: false, ticks }
    }

    /// Logarithmic over positive values. Marks are powers of ten; where they are few, the coarsest of ever finer
    /// round values of which there are enough.
    pub(crate) fn logarithmic(values: (f64, f64), range: (f64, f64)) -> Self {
        const FINER: [&[f64]; 3] = [
            &[1.0, 2.0, 5.0],
            &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
            &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        ];
        let (low, high) = (values.0.log10(), values.1.log10());
        let pad = if high - low > 1e-9 { (0.05 * (high - low)).max(0.02) } else { 0.3 };
        let (low, high) = (low - pad, high + pad);
        let between = |factors: &[f64]| -> Vec<f64> {
            let decades = low.floor() as i32..=high.ceil() as i32;
            let all =
                decades.flat_map(|decade| factors.iter().map(move |factor| factor * 10_f64.powi(decade)));
            all.filter(|tick| (low..=high).contains(&tick.log10())).collect()
        };
        let decades = Some(between(&[1.0])).filter(|ticks| ticks.len() >= 3);
        let finer = || FINER.iter().map(|factors| between(factors)).find(|ticks| ticks.len() >= 4);
        let even = || {
            let (low, high) = (10_f64.powf(low), 10_f64.powf(high));
            round_between(low, high, round_step((high - low) / 5.0))
        };
        let ticks = decades.or_else(finer).unwrap_or_else(even);
        Self { domain: (low, high), range, logarithmic: true, ticks }
    }

    /// Marked at these values alone, in ascending order, with room at both ends; logarithmic if all are positive.
    pub(crate) fn of_values(values: &[f64], range: (f64, f64)) -> Self {
        let logarithmic = values.iter().all(|value| *value > 0.0);
        let end = |value: Option<&f64>| {
            let value = value.copied().unwrap_or(1.0);
            if logarithmic { value.log10() } else { value }
        };
        let (low, high) = (end(values.first()), end(values.last()));
        let pad = if high > low { 0.2 * (high - low) } else { 1.0 };
        Self { domain: (low - pad, high + pad), range, logarithmic, ticks: values.to_vec() }
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

/// The multiples of a step from one value to another.
fn round_between(low: f64, high: f64, step: f64) -> Vec<f64> {
    let first = (low / step).ceil() as i64;
    let multiples = (first..).map(|index| index as f64 * step);
    multiples.take_while(|tick| *tick <= high + step * 1e-9).collect()
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
    }

    #[test]
    fn values_that_double_are_spaced_evenly() {
        let places = |values: &[f64]| {
            let scale = Scale::of_values(values, (0.0, 1.4));
            values.iter().map(|value| (1000.0 * scale.place(*value)).round()).collect::<Vec<f64>>()
        };
        assert_eq!(places(&[64.0, 128.0, 256.0]), [200.0, 700.0, 1200.0]);
        assert_eq!(places(&[-1.0, 0.0, 3.0]), [200.0, 450.0, 1200.0], "none is left out");
        assert_eq!((places(&[64.0]), places(&[0.0])), (vec![700.0], vec![700.0]));
    }

    #[test]
    fn a_logarithmic_axis_has_marks_however_short_it_is() {
        let ticks = |low, high| Scale::logarithmic((low, high), (0.0, 1.0)).ticks;
        assert_eq!(ticks(1e3, 5e4), [1e3, 2e3, 5e3, 1e4, 2e4, 5e4]);
        assert_eq!(ticks(1.5e12, 9e12), [1.5e12, 2e12, 3e12, 5e12, 7e12]);
        assert_eq!(ticks(250.0, 1000.0), [300.0, 500.0, 700.0, 1000.0]);
        assert_eq!(ticks(50.0, 100.0), [50.0, 60.0, 70.0, 80.0, 90.0, 100.0]);
        assert_eq!(ticks(460.0, 500.0), [440.0, 460.0, 480.0, 500.0, 520.0]);
        for width in 0..200 {
            let high = 3.7e11 * 1.02_f64.powi(width);
            let ticks = ticks(3.7e11, high);
            assert!((3..=10).contains(&ticks.len()), "{high}: {ticks:?}");
            assert!(ticks.is_sorted_by(|a, b| a < b));
        }
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
