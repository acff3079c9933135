//! Dynamic masking: which positions of an example are masked, and what they become.

use crate::choose::{Chooser, Word};
use crate::{Choice, Error, KeyedRng, MaskRate, MaskingConfig, Shares, Stream, Vocabulary};

/// A masking rule made ready for a vocabulary and a length.
///
/// Masks are a pure function of (seed, step, example): the same whatever the batch size, the row, the
/// number of threads or ranks. The positions are drawn before what they become, so two rules that differ
/// in their [`Shares`] alone choose the same positions.
#[derive(Clone, Debug)]
pub struct Masker {
    config: MaskingConfig,
    vocabulary: Vocabulary,
    special: [u32; 5],
    /// Whether a token continues the word before it, by id; empty if every token is a word.
    continues_word: Vec<bool>,
    capacity: usize,
    seed: u64,
    /// T, where a rate that changes has so many steps for it.
    steps: Option<u64>,
}

/// Where masks go: a row, or the rows of a batch, as flat arrays in row-major order.
#[derive(Debug)]
pub struct MaskedRows<'a> {
    /// `[B, L]`, in: the original ids, each below the vocabulary's size; out: with the masks in.
    pub masked_input_ids: &'a mut [i64],
    /// `[B, N]`, out: positions within the row, ascending; 0 in unused slots.
    pub masked_positions: &'a mut [i64],
    /// `[B, N]`, out: whether the slot is used.
    pub masked_valid: &'a mut [bool],
}

/// Memory that masking uses again from example to example.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    pub(crate) candidates: Vec<u32>,
    pub(crate) chosen: Vec<u32>,
    pub(crate) words: Vec<Word>,
}

impl Masker {
    /// A masker for examples of at most `max_length` tokens.
    ///
    /// `continues_word` says by id whether a token continues the word before it (`##` in WordPiece); with
    /// an empty slice every token is a word of its own. Only [`Choice::WholeWord`] and [`Choice::NGram`]
    /// look at it.
    ///
    /// # Errors
    /// [`Error::Config`] if a setting is out of range, if the table has not one entry per token, or if
    /// whole words are asked for without it.
    pub fn new(
        config: MaskingConfig,
        vocabulary: &Vocabulary,
        continues_word: &[bool],
        max_length: usize,
        seed: u64,
    ) -> Result<Self, Error> {
        config.validate()?;
        vocabulary.validate()?;
        let by_word = config.choice != Choice::Token;
        if continues_word.len() != vocabulary.size as usize && (by_word || !continues_word.is_empty()) {
            return Err(Error::Config {
                field: "continues_word",
                found: format!("{} entries", continues_word.len()),
                expected: format!("one for each of the {} tokens", vocabulary.size),
            });
        }
        Ok(Self {
            capacity: config.capacity(max_length),
            special: vocabulary.special(),
            vocabulary: vocabulary.clone(),
            continues_word: continues_word.to_vec(),
            config,
            seed,
            steps: None,
        })
    }

    /// The masker of a run of `steps` steps, over which a rate that changes goes from its first value to its last. Without
    /// them it stays at the last, which is what to compare runs by.
    #[must_use]
    pub fn over(self, steps: u64) -> Self {
        Self { steps: Some(steps), ..self }
    }

    /// N, the number of slots for masked positions of an example.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The rule.
    #[must_use]
    pub fn config(&self) -> &MaskingConfig {
        &self.config
    }

    /// Masks one example; returns how many slots are used.
    ///
    /// `length` is the number of tokens before the padding, special tokens included. k is chosen of it by
    /// [`CountRule`](crate::CountRule); fewer positions are masked where fewer are maskable, and none where none is.
    ///
    /// # Panics
    /// If `length` exceeds the row, or the row's slots are not N.
    pub fn mask(
        &self,
        step: u64,
        example: u64,
        length: usize,
        row: &mut MaskedRows<'_>,
        scratch: &mut Scratch,
    ) -> usize {
        assert_eq!(row.masked_positions.len(), self.capacity, "N slots for positions");
        assert_eq!(row.masked_valid.len(), self.capacity, "N slots for validity");
        let mut rng = Stream::MASK.rng(self.seed, step, example);
        let ids = &row.masked_input_ids[..length];
        let k = self.drawn_count(step, example, ids).min(self.capacity);
        let chooser = Chooser { vocabulary: &self.vocabulary, continues_word: &self.continues_word };
        chooser.choose(&self.config, k, ids, &mut rng, scratch);

        let chosen = &scratch.chosen;
        row.masked_positions.fill(0);
        row.masked_valid.fill(false);
        row.masked_valid[..chosen.len()].fill(true);
        for (slot, &position) in row.masked_positions.iter_mut().zip(chosen) {
            *slot = i64::from(position);
        }
        self.corrupt(row.masked_input_ids, chosen, &mut rng);
        chosen.len()
    }

    /// How many of an example's tokens are to be masked.
    fn drawn_count(&self, step: u64, example: u64, ids: &[i64]) -> usize {
        match self.config.mask_prob {
            MaskRate::Uniform => match self.maskable(ids) {
                0 => 0,
                tokens => 1 + Stream::RATE.rng(self.seed, step, example).below(tokens as u32) as usize,
            },
            rate => {
                let progress = self.steps.map_or(1.0, |steps| step as f64 / steps as f64);
                self.config.count(rate.at(progress), ids.len())
            }
        }
    }

    /// m, how many of the ids may be masked.
    #[must_use]
    pub fn maskable(&self, ids: &[i64]) -> usize {
        ids.iter().filter(|&&id| self.vocabulary.is_maskable(id as u32)).count()
    }

    /// Masks the rows of a batch, each as [`mask`](Self::mask) masks it alone; returns how many slots are
    /// used in all.
    ///
    /// `examples` holds the number of each row's example, and `lengths` how many of its tokens come before
    /// the padding. L follows from the arrays: the ids' number by the rows'.
    ///
    /// # Panics
    /// If the arrays have not the shapes that [`MaskedRows`] gives, or a length exceeds L.
    pub fn mask_batch(
        &self,
        step: u64,
        examples: &[u64],
        lengths: &[usize],
        batch: &mut MaskedRows<'_>,
    ) -> usize {
        let rows = examples.len();
        assert_eq!(lengths.len(), rows, "a length for each example");
        assert_eq!(batch.masked_positions.len(), rows * self.capacity, "N slots a row for positions");
        assert_eq!(batch.masked_valid.len(), rows * self.capacity, "N slots a row for validity");
        if rows == 0 {
            assert!(batch.masked_input_ids.is_empty(), "ids without an example");
            return 0;
        }
        let max_length = batch.masked_input_ids.len() / rows;
        assert_eq!(batch.masked_input_ids.len(), rows * max_length, "L ids a row");
        let mut scratch = Scratch::default();
        let mut used = 0;
        for (row, (&example, &length)) in examples.iter().zip(lengths).enumerate() {
            let slots = row * self.capacity..(row + 1) * self.capacity;
            let mut masked = MaskedRows {
                masked_input_ids: &mut batch.masked_input_ids[row * max_length..(row + 1) * max_length],
                masked_positions: &mut batch.masked_positions[slots.clone()],
                masked_valid: &mut batch.masked_valid[slots],
            };
            used += self.mask(step, example, length, &mut masked, &mut scratch);
        }
        used
    }

    /// What the chosen positions become. A position that was drawn twice becomes what its last draw says.
    fn corrupt(&self, ids: &mut [i64], chosen: &[u32], rng: &mut KeyedRng) {
        let Shares { mask, random, .. } = self.config.corruption;
        let mask_id = i64::from(self.vocabulary.mask);
        if mask >= 1.0 {
            for &position in chosen {
                ids[position as usize] = mask_id;
            }
            return;
        }
        let original: Vec<i64> = chosen.iter().map(|&position| ids[position as usize]).collect();
        for (&position, original) in chosen.iter().zip(original) {
            let share = rng.unit();
            ids[position as usize] = if share < mask {
                mask_id
            } else if share < mask + random {
                i64::from(self.random_token(rng))
            } else {
                original
            };
        }
    }

    /// A token that is not special, each equally likely.
    fn random_token(&self, rng: &mut KeyedRng) -> u32 {
        let mut id = rng.below(self.vocabulary.size - self.special.len() as u32);
        for &special in &self.special {
            if id >= special {
                id += 1;
            }
        }
        id
    }
}
