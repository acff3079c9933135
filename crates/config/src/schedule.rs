//! The learning rate.

use serde::{Deserialize, Serialize};

/// The learning rate as a function of the step: paper, appendix A; reference, `optimization.py`.
///
/// # Formula
/// lr(t) = base · (1 − t/T) · min(1, t/warmup): both factors at once. A run that goes on from another one, of whose schedule
/// a share b is over, has 1 − b − (1 − b) · t/T for 1 − t/T.
///
/// Step t of a run counts from 0, as the reference's does when it asks for the rate, so the first step has
/// rate 0 (it fills the optimizer's moments and moves nothing) and a rate of 0 at t = T is never reached.
///
/// `warmup` is `warmup_steps`, or `warmup_share` · T where that is less.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// The base rate.
    pub learning_rate: f64,
    /// Warm-up in steps; 0 for none.
    pub warmup_steps: u64,
    /// Warm-up as a share of the whole run at most; 0 for none.
    pub warmup_share: f64,
    /// b, how much of the decay an earlier run has had; 0 for a run that begins anew.
    pub begin: f64,
}

impl Schedule {
    /// The rate of step `t`, at a `progress` of t/T (of a run that is limited by time: of the share of the
    /// time that is over).
    #[must_use]
    pub fn lr(&self, t: u64, progress: f64) -> f64 {
        self.learning_rate
            * (1.0 - self.begin)
            * (1.0 - progress).max(0.0)
            * self.warmup(t, progress).min(1.0)
    }

    /// Whether the warm-up is over at step `t`.
    #[must_use]
    pub fn is_warm(&self, t: u64, progress: f64) -> bool {
        self.warmup(t, progress) >= 1.0
    }

    /// How much of the warm-up is over.
    fn warmup(&self, t: u64, progress: f64) -> f64 {
        let by_steps = ratio(t as f64, self.warmup_steps as f64);
        by_steps.max(ratio(progress, self.warmup_share))
    }
}

/// How much of a warm-up is over; one of length 0 always is.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rates of the golden sets' script: `lr * (1 - t/total) * min(1, t/warmup), t = 1, 2, 3`.
    #[test]
    fn both_factors_apply_at_once() {
        let schedule = Schedule { learning_rate: 0.002, warmup_steps: 2, warmup_share: 1.0, begin: 0.0 };
        let rates: Vec<f64> = (0..=10).map(|t| schedule.lr(t, t as f64 / 10.0)).collect();
        let golden = [0.0, 0.002 * 0.9 * 0.5, 0.002 * 0.8, 0.002 * 0.7];
        for (rate, golden) in rates.iter().zip(golden) {
            assert!((rate - golden).abs() < 1e-18, "{rate} {golden}");
        }
        assert_eq!(rates[10], 0.0);
    }

    #[test]
    fn the_shorter_warm_up_counts() {
        let schedule = Schedule { learning_rate: 1.0, warmup_steps: 10_000, warmup_share: 0.1, begin: 0.0 };
        // Of 100 steps a tenth is shorter; of a million, 10,000 are.
        assert_eq!(schedule.lr(5, 0.05), 0.95 * 0.5);
        assert_eq!(schedule.lr(10, 0.1), 0.9);
        assert_eq!(schedule.lr(5_000, 0.005), 0.995 * 0.5);
        assert_eq!(schedule.lr(10_000, 0.01), 0.99);
        assert!(!schedule.is_warm(9, 0.09) && schedule.is_warm(10, 0.1));
        assert!(!schedule.is_warm(9_999, 0.009_999) && schedule.is_warm(10_000, 0.01));
        let cold = Schedule { warmup_steps: 0, ..schedule };
        assert_eq!(cold.lr(0, 0.0), 1.0);
        assert_eq!(Schedule { warmup_share: 0.0, ..schedule }.lr(0, 0.0), 1.0);
    }

    #[test]
    fn time_that_is_overdrawn_gives_no_negative_rate() {
        let schedule = Schedule { learning_rate: 1.0, warmup_steps: 0, warmup_share: 0.1, begin: 0.0 };
        assert_eq!(schedule.lr(7, 1.01), 0.0);
    }

    #[test]
    fn a_run_that_goes_on_has_what_is_left_of_the_decay_and_a_warm_up_of_its_own() {
        let whole = Schedule { learning_rate: 0.5, warmup_steps: 10_000, warmup_share: 0.1, begin: 0.0 };
        let second = Schedule { begin: 0.25, ..whole };
        for progress in [0.1, 0.5, 0.9, 1.0] {
            // Where both are warm, the second has the rate that the first has at the same part of the whole.
            let (t, of_whole) = ((progress * 75.0) as u64, 0.25 + 0.75 * progress);
            let difference = second.lr(t, progress) - whole.lr(25 + t, of_whole);
            assert!(difference.abs() < 1e-12, "{progress}: {difference}");
        }
        assert_eq!(second.lr(0, 0.0), 0.0);
        assert!((second.lr(5, 0.05) - 0.5 * 0.75 * 0.95 * 0.5).abs() < 1e-12);
    }
}
