//! Random numbers as a function of (seed, stream, draw, arm).

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// A ChaCha8 generator whose key is (seed, stream, draw, arm), so that a draw is the same on any number of threads.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64, stream: &[u8; 8], draw: u64, arm: u64) -> Self {
        let mut key = [0; 32];
        for (bytes, word) in key.chunks_exact_mut(8).zip([seed, u64::from_le_bytes(*stream), draw, arm]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// As many numbers in `0..n` as there are, with repetitions. The upper half of a product: the bias is below
    /// n / 2⁶⁴, which no number of draws could show.
    pub(crate) fn resample(&mut self, n: usize) -> Vec<usize> {
        (0..n).map(|_| ((u128::from(self.next()) * n as u128) >> 64) as usize).collect()
    }
}
