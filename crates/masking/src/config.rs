//! The settings of masking.

use serde::{Deserialize, Serialize};

use crate::{Error, MaskRate};

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

/// What a masked position weighs in a loss of masked language modelling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// Every masked position of a step the same (Devlin et al. 2019). The loss is a mean over masked positions.
    #[default]
    Equal,
    /// 1/t, where t is the share of an example's maskable tokens that is masked: m/k for k of m. The loss is a mean over
    /// maskable tokens; with [`MaskRate::Uniform`] it bounds −log p of a token from above (Nie et al., "Large Language
    /// Diffusion Models", arXiv 2502.09992, eq. 14).
    InverseRate,
}

impl Weighting {
    // Settings from before there was a choice do not say it.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
    fn is_equal(&self) -> bool {
        *self == Self::Equal
    }
}

/// How examples are masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskingConfig {
    /// p, the share of tokens that is masked. Paper: 0.15 (Small, Base), 0.25 (Large).
    pub mask_prob: MaskRate,
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
    /// What masked positions weigh in a loss of masked language modelling.
    #[serde(default, skip_serializing_if = "Weighting::is_equal")]
    pub weighting: Weighting,
}

impl MaskingConfig {
    /// ELECTRA as in the paper: ⌈0.15 n⌉ distinct tokens, all replaced by `[MASK]`.
    #[must_use]
    pub fn electra() -> Self {
        Self {
            mask_prob: MaskRate::Fixed(0.15),
            count: CountRule::Ceil,
            with_replacement: false,
            choice: Choice::Token,
            corruption: Shares { mask: 1.0, random: 0.0, keep: 0.0 },
            weighting: Weighting::Equal,
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
        self.mask_prob.validate()?;
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
        // Both would make some numbers of masked tokens likelier than others.
        let is_plain = self.choice == Choice::Token && !self.with_replacement;
        if self.mask_prob == MaskRate::Uniform && (self.count != CountRule::Ceil || self.with_replacement) {
            let expected = "count = \"ceil\" and with_replacement = false";
            return refuse("mask_prob", "\"uniform\" with another count".into(), expected);
        }
        if self.weighting == Weighting::InverseRate && !is_plain {
            let expected = "choice = \"token\" and with_replacement = false";
            return refuse("weighting", "\"inverse-rate\" with another choice".into(), expected);
        }
        Ok(())
    }

    /// k for an example of `length` tokens of which a share is masked.
    #[must_use]
    pub fn count(&self, share: f64, length: usize) -> usize {
        match self.count {
            // 0.07·100 is 7.000000000000001 in binary; a billionth is far below any real remainder.
            CountRule::Ceil => (share * length as f64 - 1e-9).ceil() as usize,
            CountRule::RoundHalfEven => ((length as f32 * share as f32).round_ties_even() as usize).max(1),
        }
    }

    /// N, the slots of an example of at most `max_length` tokens: as many as can be masked at any step of a run.
    #[must_use]
    pub fn capacity(&self, max_length: usize) -> usize {
        self.slots(self.mask_prob.most(), max_length)
    }

    /// How many of `max_length` tokens are masked on average over a run. A rate of each example's own is taken to be over
    /// all of them, special tokens too.
    #[must_use]
    pub fn expected_count(&self, max_length: usize) -> f64 {
        match self.mask_prob {
            MaskRate::Uniform => (max_length as f64 + 1.0) / 2.0,
            rate => rate.mean_of(|share| self.slots(share, max_length)),
        }
    }

    fn slots(&self, share: f64, max_length: usize) -> usize {
        match self.count {
            CountRule::Ceil => self.count(share, max_length),
            CountRule::RoundHalfEven => (((share + 0.005) * max_length as f64) as usize).max(1),
        }
    }
}
