//! Random numbers as a function of (seed, stream, index).

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// A ChaCha8 generator whose key is (seed, stream, index, 0), so that every document and every example can be
/// made by itself and is the same on any number of threads.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64, stream: &[u8; 8], index: u64) -> Self {
        let mut key = [0; 32];
        for (bytes, word) in key.chunks_exact_mut(8).zip([seed, u64::from_le_bytes(*stream), index, 0]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number in `0..n`. The product of a 32-bit word with `n`, without rejection: no number here is large
    /// enough for the difference to be seen.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "a number below 0 was asked for");
        ((u64::from(self.0.next_u32()) * n as u64) >> 32) as usize
    }

    /// True in one of `n` draws.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// One of the forms of a word.
    pub(crate) fn form<'a>(&mut self, items: &'a [String]) -> &'a str {
        &items[self.below(items.len())]
    }

    /// One of a list of references.
    pub(crate) fn one_of<'a, T>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    /// One that is not what `unwanted` says; there has to be one.
    pub(crate) fn one_of_but<'a, T>(&mut self, items: &[&'a T], unwanted: impl Fn(&T) -> bool) -> &'a T {
        loop {
            let found = self.one_of(items);
            if !unwanted(found) {
                return found;
            }
        }
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
