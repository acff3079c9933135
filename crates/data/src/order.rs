//! Which examples a step sees.

use crate::Error;
use electra_masking::Stream;

/// How often the two halves of a number are mixed. Four rounds of a random function make a good
/// permutation (Luby and Rackoff 1988); eight leave room for a round function that is only nearly random.
const ROUNDS: usize = 8;

/// A permutation of `0..n` that is computed, not stored: a Feistel network over the next power of two,
/// walked until it lands inside `0..n` (Black and Rogaway 2002). Its key is (seed, epoch).
#[derive(Clone, Debug)]
pub struct Permutation {
    n: u64,
    low_bits: u32,
    high_bits: u32,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// The permutation of `0..n` for an epoch.
    ///
    /// # Panics
    /// If `n` is 0.
    #[must_use]
    pub fn new(n: u64, seed: u64, epoch: u64) -> Self {
        assert!(n > 0, "there is nothing to permute");
        let bits = (u64::BITS - (n - 1).leading_zeros()).max(2);
        let mut rng = Stream::ORDER.rng(seed, epoch, 0);
        Self {
            n,
            low_bits: bits / 2,
            high_bits: bits - bits / 2,
            keys: std::array::from_fn(|_| rng.next_u64()),
        }
    }

    /// Where `index` goes.
    ///
    /// # Panics
    /// If `index` is not below `n`.
    #[must_use]
    pub fn apply(&self, index: u64) -> u64 {
        assert!(index < self.n, "index {index} of a permutation of {}", self.n);
        let mut value = self.network(index);
        // The network permutes at most 2n numbers (4 for tiny n), so this ends after two rounds on average.
        while value >= self.n {
            value = self.network(value);
        }
        value
    }

    fn network(&self, value: u64) -> u64 {
        let (low_mask, high_mask) = (ones(self.low_bits), ones(self.high_bits));
        let (mut low, mut high) = (value & low_mask, value >> self.low_bits);
        for pair in self.keys.chunks_exact(2) {
            high ^= scramble(low ^ pair[0]) & high_mask;
            low ^= scramble(high ^ pair[1]) & low_mask;
        }
        high << self.low_bits | low
    }
}

fn ones(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// A bijection of 64 bits in which every bit of the input moves half of the output's: the finaliser of
/// MurmurHash3 with Stafford's constants ("variant 13", as in SplitMix64), xor-folded once more.
fn scramble(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// More than anybody trains with, and little enough that a batch's arrays can be asked for.
const MAX_BATCH: usize = 1 << 22;

/// Which examples each step sees, as a pure function of (seed, step, batch size).
///
/// The run is one sequence of examples: epoch after epoch, each a keyed permutation of the corpus. Step
/// `s` sees the places `s·B .. (s+1)·B` of it, so a batch may begin in one epoch and end in the next, and
/// no example is left out. Rank `r` of `R` sees the rows `r·B/R .. (r+1)·B/R` of each batch: however many
/// ranks there are, together they see the same rows in the same order.
#[derive(Clone, Debug)]
pub struct Order {
    examples: u64,
    batch_size: u64,
    seed: u64,
}

impl Order {
    /// The order of a corpus of `examples` examples in global batches of `batch_size`.
    ///
    /// # Errors
    /// [`Error::Config`] if one of the two is 0, or the batch is absurdly large.
    pub fn new(examples: u64, batch_size: usize, seed: u64) -> Result<Self, Error> {
        if examples == 0 {
            return Err(Error::Config {
                field: "examples",
                found: "0".into(),
                expected: "at least 1".into(),
            });
        }
        if !(1..=MAX_BATCH).contains(&batch_size) {
            return Err(Error::Config {
                field: "batch_size",
                found: batch_size.to_string(),
                expected: format!("1 to {MAX_BATCH} examples"),
            });
        }
        Ok(Self { examples, batch_size: batch_size as u64, seed })
    }

    /// The examples of a whole step, in the order of the batch's rows.
    pub fn step(&self, step: u64) -> impl Iterator<Item = u64> + use<> {
        self.rows(step, 0..self.batch_size)
    }

    /// The examples of one rank at a step: its rows of the batch.
    ///
    /// # Errors
    /// [`Error::Config`] if there is no such rank, or the batch cannot be shared out evenly.
    pub fn rank(
        &self,
        step: u64,
        rank: usize,
        ranks: usize,
    ) -> Result<impl Iterator<Item = u64> + use<>, Error> {
        let rows = rank_rows(self.batch_size as usize, rank, ranks)?;
        Ok(self.rows(step, rows.start as u64..rows.end as u64))
    }

    /// The examples in some rows of a step's batch.
    pub(crate) fn rows(&self, step: u64, rows: std::ops::Range<u64>) -> impl Iterator<Item = u64> + use<> {
        let (examples, seed) = (self.examples, self.seed);
        let first = u128::from(step) * u128::from(self.batch_size);
        // Places are u128: a step close to u64::MAX is odd, but must not repeat a batch.
        let place = move |row: u64| first + u128::from(row);
        let mut epoch = (place(rows.start) / u128::from(examples)) as u64;
        let mut permutation = Permutation::new(examples, seed, epoch);
        rows.map(move |row| {
            let place = place(row);
            let now = (place / u128::from(examples)) as u64;
            if now != epoch {
                epoch = now;
                permutation = Permutation::new(examples, seed, epoch);
            }
            permutation.apply((place % u128::from(examples)) as u64)
        })
    }
}

/// The rows of a batch that one rank sees.
pub(crate) fn rank_rows(
    batch_size: usize,
    rank: usize,
    ranks: usize,
) -> Result<std::ops::Range<usize>, Error> {
    if rank >= ranks {
        return Err(Error::Config {
            field: "rank",
            found: format!("{rank} of {ranks}"),
            expected: "0 ≤ rank < ranks".into(),
        });
    }
    if !batch_size.is_multiple_of(ranks) {
        return Err(Error::Config {
            field: "batch_size",
            found: format!("{batch_size} on {ranks} ranks"),
            expected: format!("a multiple of {ranks}"),
        });
    }
    let share = batch_size / ranks;
    Ok(rank * share..(rank + 1) * share)
}
