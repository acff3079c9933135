//! Random numbers as a function of (seed, stream, step, example).

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// What a random number is drawn for. Two streams of one seed share nothing, so that, say, another
/// masking rate leaves the order of the examples as it was.
///
/// The value of a stream is its name in ASCII and is part of the numbers that come out: once released,
/// a name is never used for anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream(u64);

impl Stream {
    /// How documents are cut into examples: key (seed, document).
    pub const EXAMPLES: Stream = Stream::named(b"examples");
    /// The permutation of the examples: key (seed, epoch).
    pub const ORDER: Stream = Stream::named(b"order\0\0\0");
    /// Which positions are masked, and what they become: key (seed, step, example).
    pub const MASK: Stream = Stream::named(b"mask\0\0\0\0");
    /// How many tokens are masked where that is drawn, too: key (seed, step, example).
    pub const RATE: Stream = Stream::named(b"rate\0\0\0\0");
    /// Which token is sampled at each masked position: key (seed, step, example), a number a slot.
    pub const SAMPLE: Stream = Stream::named(b"sample\0\0");

    /// The stream of that name, for a use of one's own.
    #[must_use]
    pub const fn named(name: &[u8; 8]) -> Self {
        Self(u64::from_le_bytes(*name))
    }

    /// The generator of this stream at (seed, step, example).
    ///
    /// It is ChaCha8 with the four little-endian words (seed, stream, step, example) as its 256-bit key
    /// and a nonce and counter of zero, so its output can be made again by any ChaCha implementation.
    /// Nothing is shared between two keys and no state is carried: threads, ranks and what ran before
    /// cannot matter.
    #[must_use]
    pub fn rng(self, seed: u64, step: u64, example: u64) -> KeyedRng {
        let mut key = [0; 32];
        for (bytes, word) in key.chunks_exact_mut(8).zip([seed, self.0, step, example]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        KeyedRng(ChaCha8Rng::from_seed(key))
    }
}

/// A generator that [`Stream::rng`] has keyed.
#[derive(Debug)]
pub struct KeyedRng(ChaCha8Rng);

impl KeyedRng {
    /// The next 32 bits of the key stream.
    pub fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// The next 64 bits of the key stream.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..n`, each exactly equally likely.
    ///
    /// Lemire, "Fast random integer generation in an interval" (2019), over 32-bit words. Written out
    /// here because libraries of random distributions may change how many words they take, which would
    /// change every published mask.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn below(&mut self, n: u32) -> u32 {
        below(n, || self.next_u32())
    }

    /// A number in `[0, 1)`, a multiple of 2⁻³², each equally likely.
    pub fn unit(&mut self) -> f64 {
        f64::from(self.next_u32()) / 4_294_967_296.0
    }
}

/// [`KeyedRng::below`] on the words of any generator.
fn below(n: u32, mut word: impl FnMut() -> u32) -> u32 {
    assert!(n > 0, "a number below 0 was asked for");
    let mut product = u64::from(word()) * u64::from(n);
    // The low half is compared with 2^32 mod n only when it could be below it: the division is rare.
    if (product as u32) < n {
        let threshold = n.wrapping_neg() % n;
        while (product as u32) < threshold {
            product = u64::from(word()) * u64::from(n);
        }
    }
    (product >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::below;

    /// 2³² is 3 · 1,431,655,765 + 1, so of all words one has to be passed over: the first.
    #[test]
    fn a_word_too_many_is_passed_over() {
        let of_words = |words: &[u32]| {
            let mut words = words.iter().copied();
            (below(3, || words.next().expect("another word")), words.len())
        };
        assert_eq!(of_words(&[0, u32::MAX, 7]), (2, 1));
        for (word, number) in
            [(1, 0), (0x5555_5555, 0), (0x5555_5556, 1), (0xaaaa_aaaa, 1), (0xaaaa_aaab, 2), (u32::MAX, 2)]
        {
            assert_eq!(of_words(&[word, 0]), (number, 1), "{word:#x}");
        }
        assert_eq!(below(1, || 5), 0);
    }
}
