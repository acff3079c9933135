//! What token frequencies alone tell of a text.

use std::path::Path;

use electra_data::Corpus;

use crate::Error;

/// Examples that frequencies are counted on, evenly over the corpus: more change no digit that matters.
const MOST: u64 = 20_000;

/// The loss, in nats, of predicting tokens of a corpus from their frequencies alone: the entropy of these, special
/// tokens left out.
pub(super) fn unigram_loss(corpus: &Path) -> Result<f64, Error> {
    let corpus = Corpus::open(corpus)?;
    let mut counts = vec![0_u64; corpus.vocabulary().size as usize];
    let step = corpus.examples().div_ceil(MOST).max(1);
    for example in (0..corpus.examples()).step_by(step as usize) {
        for id in corpus.example(example)?.input_ids() {
            counts[id as usize] += 1;
        }
    }
    for id in corpus.vocabulary().special() {
        counts[id as usize] = 0;
    }
    Ok(entropy(&counts))
}

fn entropy(counts: &[u64]) -> f64 {
    let all = counts.iter().sum::<u64>() as f64;
    let shares = counts.iter().filter(|count| **count > 0).map(|count| *count as f64 / all);
    -shares.map(|share| share * share.ln()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::entropy;

    #[test]
    fn frequencies_have_their_entropy() {
        assert!((entropy(&[5, 5, 0, 5, 5]) - 4_f64.ln()).abs() < 1e-12);
        assert_eq!(entropy(&[0, 7]), 0.0);
        // scipy.stats.entropy([1, 2, 5])
        assert!((entropy(&[1, 2, 5]) - 0.900_256_1).abs() < 1e-6);
    }
}
