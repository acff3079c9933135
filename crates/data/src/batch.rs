//! A step's batch: gathered from the corpus and masked, as flat arrays ready to become tensors.

use std::ops::Range;

use electra_masking::{MaskedRows, Masker, MaskingConfig, Scratch};

use crate::order::rank_rows;
use crate::{Corpus, Error, Order};

/// One masked batch, row-major: B rows of L positions, and N slots a row for masked positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// B, the number of rows.
    pub rows: usize,
    /// L, the length of a row.
    pub max_length: usize,
    /// N, the slots for masked positions of a row.
    pub max_masked: usize,
    /// `[B]` the number of each row's example in the corpus.
    pub examples: Vec<u64>,
    /// `[B, L]` the original ids, padded with `[PAD]`.
    pub input_ids: Vec<i64>,
    /// `[B, L]` false on padding.
    pub attention_mask: Vec<bool>,
    /// `[B, L]` 0 in the first segment, 1 in the second, 0 on padding.
    pub token_type_ids: Vec<i64>,
    /// `[B, L]` the ids with the masks in.
    pub masked_input_ids: Vec<i64>,
    /// `[B, N]` masked positions within the row, ascending; 0 in unused slots.
    pub masked_positions: Vec<i64>,
    /// `[B, N]` whether the slot is used.
    pub masked_valid: Vec<bool>,
}

impl Batch {
    fn new(rows: usize, max_length: usize, max_masked: usize) -> Self {
        Self {
            rows,
            max_length,
            max_masked,
            examples: vec![0; rows],
            input_ids: vec![0; rows * max_length],
            attention_mask: vec![false; rows * max_length],
            token_type_ids: vec![0; rows * max_length],
            masked_input_ids: vec![0; rows * max_length],
            masked_positions: vec![0; rows * max_masked],
            masked_valid: vec![false; rows * max_masked],
        }
    }

    /// The masked ids with the originals put back at the masked positions: the input again.
    #[must_use]
    pub fn unmask(&self) -> Vec<i64> {
        let mut ids = self.masked_input_ids.clone();
        for (slot, &position) in self.masked_positions.iter().enumerate() {
            if self.masked_valid[slot] {
                let at = slot / self.max_masked * self.max_length + position as usize;
                ids[at] = self.input_ids[at];
            }
        }
        ids
    }
}

/// Makes the batches of a run: a pure function of (corpus, masking, seed, step).
#[derive(Debug)]
pub struct Loader<'a> {
    corpus: &'a Corpus,
    order: Order,
    masker: Masker,
    rows: Range<usize>,
}

impl<'a> Loader<'a> {
    /// Batches of `batch_size` examples of a corpus.
    ///
    /// `continues_word` as for [`Masker::new`]: it may be empty unless words are masked whole.
    ///
    /// # Errors
    /// [`Error::Config`] if the batch is empty or a masking setting is wrong.
    pub fn new(
        corpus: &'a Corpus,
        masking: MaskingConfig,
        continues_word: &[bool],
        batch_size: usize,
        seed: u64,
    ) -> Result<Self, Error> {
        let vocabulary = corpus.vocabulary();
        Ok(Self {
            order: Order::new(corpus.examples(), batch_size, seed)?,
            masker: Masker::new(masking, vocabulary, continues_word, corpus.max_length(), seed)?,
            corpus,
            rows: 0..batch_size,
        })
    }

    /// Only the rows of one rank: all ranks together see the whole batch, in the same order.
    ///
    /// # Errors
    /// [`Error::Config`] if there is no such rank, or the batch cannot be shared out evenly.
    pub fn for_rank(mut self, rank: usize, ranks: usize) -> Result<Self, Error> {
        self.rows = rank_rows(self.rows.len(), rank, ranks)?;
        Ok(self)
    }

    /// An empty batch of the right size, for [`fill`](Self::fill).
    #[must_use]
    pub fn empty_batch(&self) -> Batch {
        Batch::new(self.rows.len(), self.corpus.max_length(), self.masker.capacity())
    }

    /// The batch of a step.
    ///
    /// # Errors
    /// [`Error::Damaged`] if a block of the corpus is not what was written.
    pub fn batch(&self, step: u64) -> Result<Batch, Error> {
        let mut batch = self.empty_batch();
        self.fill(step, &mut batch, &mut Scratch::default())?;
        Ok(batch)
    }

    /// Fills a batch that [`empty_batch`](Self::empty_batch) made, without allocating.
    ///
    /// # Errors
    /// [`Error::Damaged`] if a block of the corpus is not what was written; the batch is then part old,
    /// part new.
    pub fn fill(&self, step: u64, batch: &mut Batch, scratch: &mut Scratch) -> Result<(), Error> {
        let (length, slots) = (batch.max_length, batch.max_masked);
        let pad = i64::from(self.corpus.vocabulary().pad);
        let rows = self.rows.start as u64..self.rows.end as u64;
        for (row, number) in self.order.rows(step, rows).enumerate() {
            let example = self.corpus.example(number)?;
            let n = example.length();
            let cells = row * length..(row + 1) * length;
            batch.examples[row] = number;

            let ids = &mut batch.input_ids[cells.clone()];
            example.copy_to(&mut ids[..n]);
            ids[n..].fill(pad);
            batch.attention_mask[cells.clone()][..n].fill(true);
            batch.attention_mask[cells.clone()][n..].fill(false);
            let types = &mut batch.token_type_ids[cells.clone()];
            types.fill(0);
            types[example.first_segment()..n].fill(1);

            batch.masked_input_ids[cells.clone()].copy_from_slice(&batch.input_ids[cells.clone()]);
            let mut masked = MaskedRows {
                masked_input_ids: &mut batch.masked_input_ids[cells],
                masked_positions: &mut batch.masked_positions[row * slots..(row + 1) * slots],
                masked_valid: &mut batch.masked_valid[row * slots..(row + 1) * slots],
            };
            self.masker.mask(step, number, n, &mut masked, scratch);
        }
        Ok(())
    }
}
