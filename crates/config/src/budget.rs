//! When a run ends.

use electra_store::Error;

use crate::{Convention, StepShape};

/// What ends a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Steps.
    Steps(u64),
    /// Tokens, padding included.
    Tokens(u64),
    /// Operations as the paper counts them.
    Flops(f64),
    /// Seconds of training.
    Seconds(f64),
}

/// What a step costs; the same for every step of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepCost {
    /// B · L, padding included.
    pub tokens: u64,
    /// Operations as the paper counts them.
    pub paper_flops: f64,
    /// Operations as they are executed.
    pub executed_flops: f64,
}

impl StepCost {
    /// The cost of a step of this shape; `flops` counts its operations.
    #[must_use]
    pub fn new(shape: StepShape, flops: impl Fn(StepShape, Convention) -> f64) -> Self {
        Self {
            tokens: shape.batch * shape.length,
            paper_flops: flops(shape, Convention::Paper),
            executed_flops: flops(shape, Convention::Executed),
        }
    }
}

/// Where the schedule ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Horizon {
    /// After T steps.
    Steps(u64),
    /// After so many seconds of training. The share of them that is over stands for t/T, so the rate
    /// reaches 0 with the time whatever the speed, and a change of speed on the way needs no guess.
    Seconds(f64),
}

impl Horizon {
    /// As many whole steps as the budget has room for.
    ///
    /// # Errors
    /// [`Error::Setting`] if it is less than a step.
    pub fn new(limit: Limit, cost: StepCost) -> Result<Self, Error> {
        let (key, found, steps, per_step) = match limit {
            Limit::Seconds(seconds) => return Ok(Self::Seconds(seconds)),
            Limit::Steps(steps) => return Ok(Self::Steps(steps)),
            Limit::Tokens(tokens) => {
                ("budget.tokens", tokens.to_string(), tokens / cost.tokens, cost.tokens.to_string())
            }
            Limit::Flops(flops) => {
                let steps = (flops / cost.paper_flops).floor() as u64;
                ("budget.flops", format!("{flops:e}"), steps, format!("{:.4e}", cost.paper_flops))
            }
        };
        if steps == 0 {
            return Err(Error::Setting {
                origin: "the budget".to_owned(),
                key: key.to_owned(),
                found,
                expected: format!("at least what one step takes, {per_step}"),
            });
        }
        Ok(Self::Steps(steps))
    }

    /// T, where it is known beforehand.
    #[must_use]
    pub fn steps(self) -> Option<u64> {
        match self {
            Self::Steps(steps) => Some(steps),
            Self::Seconds(_) => None,
        }
    }

    /// How much of the run is over: t/T.
    #[must_use]
    pub fn progress(self, step: u64, elapsed: f64) -> f64 {
        match self {
            Self::Steps(steps) => step as f64 / steps as f64,
            Self::Seconds(seconds) => elapsed / seconds,
        }
    }

    /// How many seconds are left, at `rate` steps a second.
    #[must_use]
    pub fn left(self, step: u64, elapsed: f64, rate: f64) -> f64 {
        match self {
            Self::Steps(steps) => steps.saturating_sub(step) as f64 / rate,
            Self::Seconds(seconds) => (seconds - elapsed).max(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: StepCost = StepCost { tokens: 1000, paper_flops: 2.5e9, executed_flops: 3.75e9 };

    #[test]
    fn a_budget_is_whole_steps() {
        for (limit, steps) in [
            (Limit::Steps(7), 7),
            (Limit::Tokens(2999), 2),
            (Limit::Tokens(3000), 3),
            (Limit::Flops(1e10), 4),
            (Limit::Flops(1.2e10), 4),
        ] {
            assert_eq!(Horizon::new(limit, COST).unwrap(), Horizon::Steps(steps), "{limit:?}");
        }
        let refused = Horizon::new(Limit::Tokens(999), COST).unwrap_err().to_string();
        assert_eq!(refused, "the budget: budget.tokens: 999; expected at least what one step takes, 1000");
        assert!(Horizon::new(Limit::Flops(2.4e9), COST).is_err());
    }

    #[test]
    fn time_passes_by_the_clock_and_steps_by_count() {
        assert_eq!(Horizon::Steps(8).progress(2, 1e9), 0.25);
        assert_eq!(Horizon::Seconds(60.0).progress(1_000_000, 15.0), 0.25);
        assert_eq!(Horizon::Steps(8).left(6, 0.0, 4.0), 0.5);
        assert_eq!(Horizon::Seconds(60.0).left(6, 50.0, 4.0), 10.0);
    }
}
