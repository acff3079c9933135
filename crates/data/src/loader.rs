//! Gathers a step's rows from the corpus and has a view fill its columns.

use std::ops::Range;

use crate::batch::{ATTENTION_MASK, Batch};
use crate::order::rank_rows;
use crate::view::{Column, ColumnData, ColumnKind, Key, Row, View};
use crate::{Corpus, Error, Order};

/// Makes the batches of a run: a pure function of (corpus, view, seed, step).
#[derive(Debug)]
pub struct Loader<'a> {
    corpus: &'a Corpus,
    view: &'a dyn View,
    columns: Vec<Column>,
    order: Order,
    seed: u64,
    batch_size: usize,
    rows: Range<usize>,
}

impl<'a> Loader<'a> {
    /// Batches of `batch_size` examples of a corpus.
    ///
    /// # Errors
    /// [`Error::Config`] if the batch is empty.
    pub fn new(corpus: &'a Corpus, view: &'a dyn View, batch_size: usize, seed: u64) -> Result<Self, Error> {
        Ok(Self {
            order: Order::new(corpus.examples(), batch_size, seed)?,
            columns: view.columns(corpus.max_length()),
            corpus,
            view,
            seed,
            batch_size,
            rows: 0..batch_size,
        })
    }

    /// Of the rows that this loader has, only those of one rank: all ranks together see the whole batch, in the same
    /// order. Applied twice, it gives a share of a share.
    ///
    /// # Errors
    /// [`Error::Config`] if there is no such rank, or the rows cannot be shared out evenly.
    pub fn for_rank(mut self, rank: usize, ranks: usize) -> Result<Self, Error> {
        let share = rank_rows(self.rows.len(), rank, ranks)?;
        self.rows = self.rows.start + share.start..self.rows.start + share.end;
        Ok(self)
    }

    /// Empty batches of the right sizes for [`fill`](Self::fill): this loader's rows in so many parts.
    ///
    /// # Errors
    /// [`Error::Config`] if the rows cannot be shared out evenly.
    pub fn empty_parts(&self, parts: usize) -> Result<Vec<Batch>, Error> {
        let rows = rank_rows(self.rows.len(), 0, parts)?.len();
        Ok((0..parts).map(|_| Batch::new(rows, self.corpus.max_length(), &self.columns)).collect())
    }

    /// Empty batches for [`fill`](Self::fill) of at most `rows` rows each: this loader's rows in parts that are as equal as
    /// can be, the last the smallest.
    ///
    /// # Errors
    /// [`Error::Config`] if `rows` is 0.
    pub fn empty_parts_of(&self, rows: usize) -> Result<Vec<Batch>, Error> {
        if rows == 0 {
            return Err(Error::Config { field: "rows", found: "0".into(), expected: "at least 1".into() });
        }
        let all = self.rows.len();
        let share = all.div_ceil(all.div_ceil(rows));
        let starts = (0..all).step_by(share);
        let length = self.corpus.max_length();
        Ok(starts.map(|start| Batch::new(share.min(all - start), length, &self.columns)).collect())
    }

    /// The batch of a step: all rows that this loader has.
    ///
    /// # Errors
    /// [`Error::Damaged`] if a block of the corpus is not what was written.
    pub fn batch(&self, step: u64) -> Result<Batch, Error> {
        let mut parts = self.empty_parts(1)?;
        self.fill(step, &mut parts)?;
        Ok(parts.pop().expect("one part"))
    }

    /// Fills the parts that [`empty_parts`](Self::empty_parts) or [`empty_parts_of`](Self::empty_parts_of) made, which
    /// together are this loader's rows of the step.
    ///
    /// Rows of other ranks are computed too, one after another in the same memory: what losses divide by is counted over
    /// the whole step.
    ///
    /// # Errors
    /// [`Error::Damaged`] if a block of the corpus is not what was written; the parts are then part old, part new.
    pub fn fill(&self, step: u64, parts: &mut [Batch]) -> Result<(), Error> {
        // Only the last may have fewer.
        let share = parts.first().map_or(0, |part| part.rows);
        let mut other = (self.rows.len() < self.batch_size)
            .then(|| Batch::new(1, self.corpus.max_length(), &self.columns));
        let mut tally = Tally::new(&self.columns);
        for (place, number) in self.order.rows(step, 0..self.batch_size as u64).enumerate() {
            let (batch, row) = if self.rows.contains(&place) {
                let own = place - self.rows.start;
                let batch = &mut parts[own / share];
                if own.is_multiple_of(share) {
                    (batch.first_row, batch.first_token) = (place, tally.tokens());
                }
                (batch, own % share)
            } else {
                (other.as_mut().expect("rows of other ranks have a batch"), 0)
            };
            let length = self.fill_row(step, number, batch, row)?;
            tally.add(length, &batch.columns, row);
        }
        for batch in parts {
            (batch.seed, batch.step) = (self.seed, step);
            batch.totals.clone_from(&tally.totals);
        }
        Ok(())
    }

    /// Fills a row with an example; gives its tokens.
    fn fill_row(&self, step: u64, number: u64, batch: &mut Batch, row: usize) -> Result<usize, Error> {
        let example = self.corpus.example(number)?;
        let length = example.length();
        let cells = row * batch.max_length..(row + 1) * batch.max_length;
        batch.examples[row] = number;

        let input_ids = &mut batch.input_ids[cells.clone()];
        example.copy_to(&mut input_ids[..length]);
        input_ids[length..].fill(i64::from(self.corpus.vocabulary().pad));
        let attention_mask = &mut batch.attention_mask[cells.clone()];
        attention_mask[..length].fill(true);
        attention_mask[length..].fill(false);
        let token_type_ids = &mut batch.token_type_ids[cells];
        token_type_ids.fill(0);
        token_type_ids[example.first_segment()..length].fill(1);

        let key = Key { seed: self.seed, step, example: number };
        let columns = &mut batch.columns;
        let mut row = Row { input_ids, token_type_ids, length, columns, index: row };
        self.view.fill(self.corpus, key, &mut row)?;
        Ok(length)
    }
}

/// Counts of a step's flags.
struct Tally {
    totals: Vec<(&'static str, u64)>,
}

impl Tally {
    fn new(columns: &[Column]) -> Self {
        let flags = columns.iter().filter(|column| column.kind == ColumnKind::Flags);
        let names = std::iter::once(ATTENTION_MASK).chain(flags.map(|column| column.name));
        Self { totals: names.map(|name| (name, 0)).collect() }
    }

    /// Tokens so far.
    fn tokens(&self) -> u64 {
        self.totals[0].1
    }

    fn add(&mut self, length: usize, columns: &[ColumnData], row: usize) {
        let counts = columns.iter().filter_map(|column| column.count(row));
        let counts = std::iter::once(length as u64).chain(counts);
        for ((_, total), count) in self.totals.iter_mut().zip(counts) {
            *total += count;
        }
    }
}
