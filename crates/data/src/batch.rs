//! A batch: rows of the corpus with an objective's columns, as flat arrays ready to become tensors.

use electra_masking::{KeyedRng, Stream};

use crate::view::{Column, ColumnData, Data};

/// The rows of a step, or of one part of it: B rows of L positions, row-major.
///
/// Losses divide by counts of the whole step, whatever part of it a batch is: see [`total`](Self::total).
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// B, the number of rows.
    pub rows: usize,
    /// L, the length of a row.
    pub max_length: usize,
    /// The run's seed.
    pub seed: u64,
    /// The number of the step.
    pub step: u64,
    /// Rows of the step before this batch's first.
    pub first_row: usize,
    /// Tokens, padding left out, in those rows.
    pub first_token: u64,
    /// `[B]` the number of each row's example in the corpus.
    pub examples: Vec<u64>,
    /// `[B, L]` the original ids, padded with `[PAD]`.
    pub input_ids: Vec<i64>,
    /// `[B, L]` false on padding.
    pub attention_mask: Vec<bool>,
    /// `[B, L]` 0 in the first segment, 1 in the second, 0 on padding.
    pub token_type_ids: Vec<i64>,
    /// The columns of the objective's view, in its order.
    pub columns: Vec<ColumnData>,
    /// Of the whole step, by name: how many flags are true, `attention_mask` first.
    pub(crate) totals: Vec<(&'static str, u64)>,
}

/// The name under which tokens that are not padding are counted.
pub(crate) const ATTENTION_MASK: &str = "attention_mask";

impl Batch {
    pub(crate) fn new(rows: usize, max_length: usize, columns: &[Column]) -> Self {
        let cells = rows * max_length;
        Self {
            rows,
            max_length,
            seed: 0,
            step: 0,
            first_row: 0,
            first_token: 0,
            examples: vec![0; rows],
            input_ids: vec![0; cells],
            attention_mask: vec![false; cells],
            token_type_ids: vec![0; cells],
            columns: columns.iter().map(|&column| ColumnData::new(column, rows)).collect(),
            totals: Vec::new(),
        }
    }

    /// A whole step of the given rows, without a corpus: what another program made. `max_length` is L; the arrays are
    /// row-major.
    ///
    /// # Panics
    /// If an array does not have as many rows as the others.
    #[must_use]
    pub fn from_arrays(
        max_length: usize,
        input_ids: Vec<i64>,
        attention_mask: Vec<bool>,
        token_type_ids: Vec<i64>,
        columns: Vec<ColumnData>,
    ) -> Self {
        let rows = input_ids.len() / max_length;
        for length in [input_ids.len(), attention_mask.len(), token_type_ids.len()] {
            assert_eq!(length, rows * max_length, "B rows of L positions");
        }
        for column in &columns {
            assert_eq!(column.cells(), rows * column.column.width, "column {}", column.column.name);
        }
        let tokens = attention_mask.iter().map(|&token| u64::from(token)).sum();
        let flags = columns.iter().filter_map(|column| {
            let counts: Option<u64> = (0..rows).map(|row| column.count(row)).sum();
            Some((column.column.name, counts?))
        });
        let totals = std::iter::once((ATTENTION_MASK, tokens)).chain(flags).collect();
        Self {
            rows,
            max_length,
            seed: 0,
            step: 0,
            first_row: 0,
            first_token: 0,
            examples: (0..rows as u64).collect(),
            input_ids,
            attention_mask,
            token_type_ids,
            columns,
            totals,
        }
    }

    /// A column of ids, `[B, width]`.
    ///
    /// # Panics
    /// If there is none of that name and kind.
    #[must_use]
    pub fn ids(&self, name: &str) -> &[i64] {
        match &self.column(name).data {
            Data::Ids(ids) => ids,
            data => panic!("column {name} holds {data:?}, and not ids"),
        }
    }

    /// A column of flags, `[B, width]`.
    ///
    /// # Panics
    /// If there is none of that name and kind.
    #[must_use]
    pub fn flags(&self, name: &str) -> &[bool] {
        match &self.column(name).data {
            Data::Flags(flags) => flags,
            data => panic!("column {name} holds {data:?}, and not flags"),
        }
    }

    /// A column of reals, `[B, width]`.
    ///
    /// # Panics
    /// If there is none of that name and kind.
    #[must_use]
    pub fn reals(&self, name: &str) -> &[f32] {
        match &self.column(name).data {
            Data::Reals(reals) => reals,
            data => panic!("column {name} holds {data:?}, and not reals"),
        }
    }

    /// Cells of a column in a row.
    ///
    /// # Panics
    /// If there is no column of that name.
    #[must_use]
    pub fn width(&self, name: &str) -> usize {
        self.column(name).column.width
    }

    fn column(&self, name: &str) -> &ColumnData {
        let found = self.columns.iter().find(|data| data.column.name == name);
        found.unwrap_or_else(|| panic!("the batch has no column {name}"))
    }

    /// How many cells of `attention_mask`, or of a column of flags, are true in the whole step, of which this batch
    /// may be a part: what a loss divides by, so that the parts' losses add up to the step's.
    ///
    /// # Panics
    /// If there is no such column of flags.
    #[must_use]
    pub fn total(&self, name: &str) -> u64 {
        let found = self.totals.iter().find(|(column, _)| *column == name);
        found.unwrap_or_else(|| panic!("the batch has no flags {name}")).1
    }

    /// Every total of the step by its column's name.
    pub fn totals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.totals.iter().copied()
    }

    /// The generator of a stream at this step, the same for every part of it and on every rank.
    #[must_use]
    pub fn rng(&self, stream: Stream) -> KeyedRng {
        stream.rng(self.seed, self.step, 0)
    }

    /// The masked ids with the originals put back at the masked positions: the input again.
    ///
    /// # Panics
    /// If the batch has no masks.
    #[must_use]
    pub fn unmask(&self) -> Vec<i64> {
        let mut ids = self.ids("masked_input_ids").to_vec();
        let (positions, valid) = (self.ids("masked_positions"), self.flags("masked_valid"));
        let slots = self.width("masked_positions");
        for (slot, &position) in positions.iter().enumerate() {
            if valid[slot] {
                let cell = slot / slots * self.max_length + position as usize;
                ids[cell] = self.input_ids[cell];
            }
        }
        ids
    }
}
