//! The settings of masking.

use serde::{Deserialize, Serialize};

use crate::Error;

/// How many positions of an example of n tokens are masked. n counts `[CLS]` and `[SEP]`, not padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CountRule {
    /// k = ⌈p·n⌉ (paper, §2; arXiv 2003.10555). N = ⌈p·L⌉.
    Ceil,
    /// k = max(1, min(N, round(p·n))), halves to even, in single precision; N = ⌊(p + 0.005)·L⌋ (reference).
    RoundHalfEven,
}

/// What is chosen at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Single tokens: k maskable positions, each set of k equally likely.
    Token,
    /// Whole words: words in uniformly random order, each taken if all of it fits what is left of k.
    /// At most k positions; none if no word is as short as k.
    WholeWord,
    /// Runs of up to `max` whole words, of n words with probability proportional to 1/n (as ALBERT does),
    /// starting at words in uniformly random order; a run that does not fit what is left of k, or that
    /// meets the end of the segment or a chosen word, is shortened until it fits. At most k positions.
    NGram {
        /// The longest run, in words; at least 1. ALBERT: 3.
        max: usize,
    },
}

/// What a chosen position becomes in the masked input; the shares sum to 1. Whatever it becomes, it is
/// predicted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shares {
    /// Share that becomes `[MASK]`.
    pub mask: f64,
    /// Share that becomes a random token: each token but the special ones equally likely. (The code of
    /// BERT draws from the whole vocabulary, special tokens and unused ones included.)
    pub random: f64,
    /// Share that stays as it is.
    pub keep: f64,
}

/// How examples are masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskingConfig {
    /// p, the share of tokens that is masked, above 0 and at most 1. Paper: 0.15 (Small, Base), 0.25 (Large).
    pub mask_prob: f64,
    /// How k follows from p and n.
    pub count: CountRule,
    /// Whether positions are drawn with replacement, so that one may be drawn twice and fill two slots
    /// (reference; at L = 128 about 17.7 of 19 are distinct). Single tokens only. The reference sums the
    /// two samples of such a position into one averaged id; here the last one wins.
    pub with_replacement: bool,
    /// What is chosen at once.
    pub choice: Choice,
    /// What chosen positions become.
    pub corruption: Shares,
}

impl MaskingConfig {
    /// ELECTRA as in the paper: ⌈0.15 n⌉ distinct tokens, all replaced by `[MASK]`.
    #[must_use]
    pub fn electra() -> Self {
        Self {
            mask_prob: 0.15,
            count: CountRule::Ceil,
            with_replacement: false,
            choice: Choice::Token,
            corruption: Shares { mask: 1.0, random: 0.0, keep: 0.0 },
        }
    }

    /// The paper's BERT baseline: the positions of [`electra`](Self::electra); 80 % `[MASK]`, 10 % random,
    /// 10 % unchanged (Devlin et al. 2019, §3.1).
    #[must_use]
    pub fn bert() -> Self {
        Self { corruption: Shares { mask: 0.8, random: 0.1, keep: 0.1 }, ..Self::electra() }
    }

    /// The released code, google-research/electra: its count, positions with replacement, 85 % `[MASK]`,
    /// 15 % unchanged.
    #[must_use]
    pub fn reference() -> Self {
        Self {
            count: CountRule::RoundHalfEven,
            with_replacement: true,
            corruption: Shares { mask: 0.85, random: 0.0, keep: 0.15 },
            ..Self::electra()
        }
    }

    /// Checks ranges and combinations.
    ///
    /// # Errors
    /// [`Error::Config`] names the first setting that is wrong.
    pub fn validate(&self) -> Result<(), Error> {
        let refuse = |field, found: String, expected: &str| {
            Err(Error::Config { field, found, expected: expected.into() })
        };
        if !(self.mask_prob > 0.0 && self.mask_prob <= 1.0) {
            return refuse("mask_prob", self.mask_prob.to_string(), "a share above 0 and at most 1");
        }
        let Shares { mask, random, keep } = self.corruption;
        for (field, share) in
            [("corruption.mask", mask), ("corruption.random", random), ("corruption.keep", keep)]
        {
            if !(0.0..=1.0).contains(&share) {
                return refuse(field, share.to_string(), "a probability from 0 to 1");
            }
        }
        let sum = mask + random + keep;
        if (sum - 1.0).abs() > 1e-6 {
            return refuse("corruption", format!("shares that sum to {sum}"), "mask + random + keep = 1");
        }
        if self.with_replacement && self.choice != Choice::Token {
            return refuse("with_replacement", "true with whole words".into(), "choice = \"token\"");
        }
        if self.choice == (Choice::NGram { max: 0 }) {
            return refuse("choice.n-gram.max", "0".into(), "at least 1 word");
        }
        Ok(())
    }

    /// k for an example of `length` tokens.
    #[must_use]
    pub fn count(&self, length: usize) -> usize {
        match self.count {
            // 0.07·100 is 7.000000000000001 in binary; a billionth is far below any real remainder.
            CountRule::Ceil => (self.mask_prob * length as f64 - 1e-9).ceil() as usize,
            CountRule::RoundHalfEven => {
                ((length as f32 * self.mask_prob as f32).round_ties_even() as usize).max(1)
            }
        }
    }

    /// N, the slots of an example of at most `max_length` tokens.
    #[must_use]
    pub fn capacity(&self, max_length: usize) -> usize {
        match self.count {
            CountRule::Ceil => self.count(max_length),
            CountRule::RoundHalfEven => (((self.mask_prob + 0.005) * max_length as f64) as usize).max(1),
        }
    }
}
