//! The masked-LM loss that token frequencies alone can reach.

use crate::{Shares, Vocabulary};

/// The loss, in nats, of the best prediction of masked tokens by somebody who knows how frequent tokens are and sees the
/// token that stands at the masked position, but nothing beside it: the entropy H(w | x) of the original w given what it
/// became, x. Every training of a masked language model comes by this loss, and some stay at it.
///
/// With `[MASK]` at every masked position it is the entropy of the token frequencies. Positions that keep their token make
/// it lower: somebody who sees a token other than `[MASK]` there can repeat it, unless it is more likely a random one.
///
/// `counts` are by id. Tokens that are never masked (`[PAD]`, `[CLS]`, `[SEP]`, `[MASK]`) do not count. 0 if none is left.
///
/// # Panics
/// If there is not a count for each token.
#[must_use]
pub fn unigram_loss(counts: &[u64], vocabulary: &Vocabulary, shares: &Shares) -> f64 {
    assert_eq!(counts.len(), vocabulary.size as usize, "a count for each token");
    let maskable: Vec<(u32, u64)> =
        (0_u32..).zip(counts.iter().copied()).filter(|(id, _)| vocabulary.is_maskable(*id)).collect();
    let total = maskable.iter().map(|(_, count)| count).sum::<u64>() as f64;
    if total == 0.0 {
        return 0.0;
    }
    // Masking draws random tokens from these, each equally likely.
    let special = vocabulary.special();
    let ordinary = f64::from(vocabulary.size) - special.len() as f64;
    let drawn = shares.random / ordinary;
    // Σ p·ln p of: frequencies; pairs of original and token seen, where it is not [MASK]; tokens seen.
    let (mut frequencies, mut pairs, mut seen) = (0.0, 0.0, 0.0);
    for (id, count) in maskable {
        let share = count as f64 / total;
        // [UNK] is masked, but never drawn.
        let (itself, others) = if special.contains(&id) { (0.0, ordinary) } else { (drawn, ordinary - 1.0) };
        frequencies += x_ln_x(share);
        pairs += x_ln_x(share * (shares.keep + itself)) + others * x_ln_x(share * drawn);
        seen += x_ln_x(share * shares.keep + itself);
    }
    // H(w | x) = H(w, x) − H(x), and H(w) where x is [MASK].
    -shares.mask * frequencies - pairs + seen
}

fn x_ln_x(x: f64) -> f64 {
    if x > 0.0 { x * x.ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOCABULARY: Vocabulary = Vocabulary { size: 9, pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 };
    const COUNTS: [u64; 9] = [99, 1, 99, 99, 99, 50, 30, 0, 19];

    fn loss(mask: f64, random: f64, keep: f64) -> f64 {
        unigram_loss(&COUNTS, &VOCABULARY, &Shares { mask, random, keep })
    }

    /// ```python
    /// import numpy as np
    /// from scipy.stats import entropy
    /// p = np.array([1, 50, 30, 0, 19]) / 100  # [UNK], then the ordinary tokens
    /// def loss(mask, random, keep):
    ///     joint = keep * np.diag(p)  # [original, seen]
    ///     joint[:, 1:] += random / 4 * p[:, None]
    ///     joint = np.hstack([joint, mask * p[:, None]])
    ///     return entropy(joint.ravel()) - entropy(joint.sum(0))
    /// print(loss(1, 0, 0), loss(.8, .1, .1), loss(.85, 0, .15), loss(0, .5, .5), loss(0, 1, 0))
    /// ```
    #[test]
    fn losses_are_those_of_scipy() {
        let golden = [
            1.069_356_062_733_748_2,
            1.016_217_834_952_386,
            0.908_952_653_323_686,
            0.803_664_923_826_936_7,
            1.069_356_062_733_747_7,
        ];
        let found = [(1.0, 0.0, 0.0), (0.8, 0.1, 0.1), (0.85, 0.0, 0.15), (0.0, 0.5, 0.5), (0.0, 1.0, 0.0)]
            .map(|(mask, random, keep)| loss(mask, random, keep));
        for (found, golden) in found.into_iter().zip(golden) {
            assert!((found - golden).abs() < 1e-12, "{found}, not {golden}");
        }
    }

    #[test]
    fn special_tokens_and_empty_counts() {
        let uniform = unigram_loss(&[7; 9], &VOCABULARY, &Shares { mask: 1.0, random: 0.0, keep: 0.0 });
        assert!((uniform - 5_f64.ln()).abs() < 1e-12, "{uniform}");
        let bert = Shares { mask: 0.8, random: 0.1, keep: 0.1 };
        assert_eq!(unigram_loss(&[0; 9], &VOCABULARY, &bert), 0.0);
        assert!(unigram_loss(&[9, 0, 9, 9, 9, 0, 3, 0, 0], &VOCABULARY, &bert).abs() < 1e-12);
    }
}
