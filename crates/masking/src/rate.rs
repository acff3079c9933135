//! The share of tokens that is masked.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// How finely the mean over a run is taken of counts that change on its way.
const POINTS: u32 = 4096;
const SHARE: &str = "a share above 0 and at most 1";

/// The share of tokens that is masked: a number, or a rule that gives one.
///
/// Written as a number, as `{ from = 0.3, to = 0.15 }`, or as `"uniform"`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum MaskRate {
    /// The same share of every example at every step.
    Fixed(f64),
    /// A share that changes linearly with the progress of the run (Yang et al., "Learning Better Masking for Better
    /// Language Model Pre-training", arXiv 2208.10806; Ankner et al., "Dynamic Masking Rate Schedules for MLM
    /// Pretraining", arXiv 2305.15096, where 0.30 to 0.15 is best).
    ///
    /// # Formula
    /// p(t) = from + (to − from) · t/T at step t of T.
    Linear {
        /// At the first step.
        from: f64,
        /// Where the run ends.
        to: f64,
    },
    /// A share of each example's own: of its m maskable tokens, 1, 2, … or m are masked, each number equally likely.
    /// That is masked diffusion (Nie et al., "Large Language Diffusion Models", arXiv 2502.09992, eq. 14).
    Uniform,
}

/// What a file says.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a share such as 0.15, { from = 0.3, to = 0.15 }, or \"uniform\"")]
enum Written {
    Fixed(f64),
    Linear(Linear),
    Uniform(Uniform),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Linear {
    from: f64,
    to: f64,
}

#[derive(Serialize, Deserialize)]
enum Uniform {
    #[serde(rename = "uniform")]
    Uniform,
}

impl From<Written> for MaskRate {
    fn from(written: Written) -> Self {
        match written {
            Written::Fixed(share) => Self::Fixed(share),
            Written::Linear(Linear { from, to }) => Self::Linear { from, to },
            Written::Uniform(Uniform::Uniform) => Self::Uniform,
        }
    }
}

impl From<MaskRate> for Written {
    fn from(rate: MaskRate) -> Self {
        match rate {
            MaskRate::Fixed(share) => Self::Fixed(share),
            MaskRate::Linear { from, to } => Self::Linear(Linear { from, to }),
            MaskRate::Uniform => Self::Uniform(Uniform::Uniform),
        }
    }
}

impl MaskRate {
    /// The share when `progress`, from 0 to 1, of a run is over; of examples that have shares of their own, the mean.
    #[must_use]
    pub fn at(self, progress: f64) -> f64 {
        match self {
            Self::Fixed(share) => share,
            Self::Linear { from, to } => from + (to - from) * progress.clamp(0.0, 1.0),
            Self::Uniform => 0.5,
        }
    }

    /// The mean over a run.
    #[must_use]
    pub fn mean(self) -> f64 {
        self.at(0.5)
    }

    /// The largest that an example can have.
    pub(crate) fn most(self) -> f64 {
        match self {
            Self::Fixed(share) => share,
            Self::Linear { from, to } => from.max(to),
            Self::Uniform => 1.0,
        }
    }

    /// The mean over a run of a count that follows from the share.
    pub(crate) fn mean_of(self, count: impl Fn(f64) -> usize) -> f64 {
        match self {
            Self::Linear { from, to } if from != to => {
                let at = |point: u32| self.at((f64::from(point) + 0.5) / f64::from(POINTS));
                (0..POINTS).map(|point| count(at(point)) as f64).sum::<f64>() / f64::from(POINTS)
            }
            _ => count(self.at(0.0)) as f64,
        }
    }

    pub(crate) fn validate(self) -> Result<(), Error> {
        let check = |field, share: f64| {
            let refused = || Error::Config { field, found: share.to_string(), expected: SHARE.into() };
            (share > 0.0 && share <= 1.0).then_some(()).ok_or_else(refused)
        };
        match self {
            Self::Fixed(share) => check("mask_prob", share),
            Self::Linear { from, to } => check("mask_prob.from", from).and(check("mask_prob.to", to)),
            Self::Uniform => Ok(()),
        }
    }
}

/// `0.15`, `0.3..0.15` or `uniform`.
impl fmt::Display for MaskRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(share) => write!(f, "{share}"),
            Self::Linear { from, to } => write!(f, "{from}..{to}"),
            Self::Uniform => f.write_str("uniform"),
        }
    }
}

/// As [`Display`](fmt::Display) writes it.
impl FromStr for MaskRate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || Error::Config {
            field: "mask_prob",
            found: text.to_owned(),
            expected: "a share such as 0.15, 0.3..0.15, or uniform".to_owned(),
        };
        let number = |text: &str| text.parse().map_err(|_| refused());
        let rate = match text.split_once("..") {
            Some((from, to)) => Self::Linear { from: number(from)?, to: number(to)? },
            None if text == "uniform" => Self::Uniform,
            None => Self::Fixed(number(text)?),
        };
        rate.validate().map(|()| rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_written_as_it_is_read() {
        for (rate, json, text) in [
            (MaskRate::Fixed(0.15), "0.15", "0.15"),
            (MaskRate::Linear { from: 0.3, to: 0.15 }, "{\"from\":0.3,\"to\":0.15}", "0.3..0.15"),
            (MaskRate::Uniform, "\"uniform\"", "uniform"),
        ] {
            assert_eq!(serde_json::to_string(&rate).unwrap(), json);
            assert_eq!(serde_json::from_str::<MaskRate>(json).unwrap(), rate);
            assert_eq!((rate.to_string(), text.parse()), (text.to_owned(), Ok(rate)));
        }
        assert_eq!(serde_json::from_str::<MaskRate>("1").unwrap(), MaskRate::Fixed(1.0));
        for wrong in ["\"even\"", "{\"from\":0.3}", "{\"from\":0.3,\"to\":0.1,\"by\":1}", "true"] {
            let message = serde_json::from_str::<MaskRate>(wrong).unwrap_err().to_string();
            assert!(message.contains("a share such as 0.15, { from = 0.3, to = 0.15 }, or"), "{message}");
        }
        for wrong in ["even", "0.3..", "0.3..1.5", "0", "-0.1..0.1", "NaN", "0.3...0.15"] {
            assert!(wrong.parse::<MaskRate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_mean_over_a_run_is_that_of_its_steps() {
        let linear = MaskRate::Linear { from: 0.3, to: 0.15 };
        assert_eq!((linear.at(0.0), linear.at(1.0), linear.at(7.0), linear.most()), (0.3, 0.15, 0.15, 0.3));
        assert!((linear.mean() - 0.225).abs() < 1e-12);
        // 1 below 1/4, and 2 above.
        let steps = MaskRate::Linear { from: 0.5, to: 0.1 }.mean_of(|share| if share < 0.25 { 1 } else { 2 });
        assert!((steps - (0.15 + 2.0 * 0.25) / 0.4).abs() < 1e-3, "{steps}");
    }
}
