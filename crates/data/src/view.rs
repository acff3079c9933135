//! What an objective is fed beside the text: columns that a view fills row by row.

use electra_masking::{KeyedRng, Stream};

use crate::{Corpus, Error};

/// What an objective is fed. It runs on the loader's thread and is a pure function of (corpus, seed, step, example).
pub trait View: std::fmt::Debug + Send + Sync {
    /// The columns beside `input_ids`, `token_type_ids` and `attention_mask`, for rows of `length` positions.
    fn columns(&self, length: usize) -> Vec<Column>;

    /// Fills one row of every column. Each cell holds what an earlier batch left there. The corpus is there for views
    /// that look at other examples.
    ///
    /// # Errors
    /// [`Error::Damaged`] if another example cannot be read.
    fn fill(&self, corpus: &Corpus, key: Key, row: &mut Row<'_>) -> Result<(), Error>;
}

/// A column: so many cells in each row, of one kind, under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// How objectives ask for it.
    pub name: &'static str,
    /// Cells in a row.
    pub width: usize,
    /// What its cells hold.
    pub kind: ColumnKind,
}

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Token ids, positions and other whole numbers: int64.
    Ids,
    /// True or false. The loader counts the true ones of the whole step, which losses divide by.
    Flags,
    /// float32.
    Reals,
}

impl Column {
    /// A column of [`ColumnKind::Ids`].
    #[must_use]
    pub const fn ids(name: &'static str, width: usize) -> Self {
        Self { name, width, kind: ColumnKind::Ids }
    }

    /// A column of [`ColumnKind::Flags`].
    #[must_use]
    pub const fn flags(name: &'static str, width: usize) -> Self {
        Self { name, width, kind: ColumnKind::Flags }
    }

    /// A column of [`ColumnKind::Reals`].
    #[must_use]
    pub const fn reals(name: &'static str, width: usize) -> Self {
        Self { name, width, kind: ColumnKind::Reals }
    }
}

/// What a row is a function of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The run's seed.
    pub seed: u64,
    /// The number of the step.
    pub step: u64,
    /// The number of the example in the corpus.
    pub example: u64,
}

impl Key {
    /// The generator of a stream at this key.
    #[must_use]
    pub fn rng(self, stream: Stream) -> KeyedRng {
        stream.rng(self.seed, self.step, self.example)
    }
}

/// One row of a batch while a view fills it.
#[derive(Debug)]
pub struct Row<'a> {
    /// `[L]`: the original ids, padded.
    pub input_ids: &'a [i64],
    /// `[L]`: 0 in the first segment, 1 in the second, 0 on padding.
    pub token_type_ids: &'a [i64],
    /// Tokens before the padding, special tokens included.
    pub length: usize,
    pub(crate) columns: &'a mut [ColumnData],
    pub(crate) index: usize,
}

impl Row<'_> {
    /// The row of a view that this one is made of, and the last `N` columns, which are this view's own.
    ///
    /// # Panics
    /// If there are fewer than N columns.
    pub fn split<const N: usize>(&mut self) -> (Row<'_>, [Cells<'_>; N]) {
        let Self { input_ids, token_type_ids, length, index, .. } = *self;
        let (columns, own) = self.columns.split_at_mut(self.columns.len() - N);
        let own: &mut [ColumnData; N] = own.try_into().expect("N columns were split off");
        let own = own.each_mut().map(|column| column.row_mut(index));
        (Row { input_ids, token_type_ids, length, columns, index }, own)
    }

    /// This row of every column, in the order of [`View::columns`].
    ///
    /// # Panics
    /// If there are not N columns.
    pub fn columns<const N: usize>(&mut self) -> [Cells<'_>; N] {
        let count = self.columns.len();
        let columns: &mut [ColumnData; N] =
            self.columns.try_into().unwrap_or_else(|_| panic!("{count} columns; {N} were asked for"));
        columns.each_mut().map(|column| column.row_mut(self.index))
    }
}

/// The cells of one row of a column.
#[derive(Debug)]
pub enum Cells<'a> {
    /// Of a column of [`ColumnKind::Ids`].
    Ids(&'a mut [i64]),
    /// Of a column of [`ColumnKind::Flags`].
    Flags(&'a mut [bool]),
    /// Of a column of [`ColumnKind::Reals`].
    Reals(&'a mut [f32]),
}

/// A column of a whole batch, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnData {
    /// Its name, width and kind.
    pub column: Column,
    /// `[B, width]`
    pub data: Data,
}

/// Cells of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Of a column of [`ColumnKind::Ids`].
    Ids(Vec<i64>),
    /// Of a column of [`ColumnKind::Flags`].
    Flags(Vec<bool>),
    /// Of a column of [`ColumnKind::Reals`].
    Reals(Vec<f32>),
}

impl ColumnData {
    pub(crate) fn new(column: Column, rows: usize) -> Self {
        let cells = rows * column.width;
        let data = match column.kind {
            ColumnKind::Ids => Data::Ids(vec![0; cells]),
            ColumnKind::Flags => Data::Flags(vec![false; cells]),
            ColumnKind::Reals => Data::Reals(vec![0.0; cells]),
        };
        Self { column, data }
    }

    pub(crate) fn cells(&self) -> usize {
        match &self.data {
            Data::Ids(data) => data.len(),
            Data::Flags(data) => data.len(),
            Data::Reals(data) => data.len(),
        }
    }

    fn row_mut(&mut self, row: usize) -> Cells<'_> {
        let cells = row * self.column.width..(row + 1) * self.column.width;
        match &mut self.data {
            Data::Ids(data) => Cells::Ids(&mut data[cells]),
            Data::Flags(data) => Cells::Flags(&mut data[cells]),
            Data::Reals(data) => Cells::Reals(&mut data[cells]),
        }
    }

    /// How many flags of a row are true; none of a column of another kind.
    pub(crate) fn count(&self, row: usize) -> Option<u64> {
        let Data::Flags(flags) = &self.data else { return None };
        let cells = row * self.column.width..(row + 1) * self.column.width;
        Some(flags[cells].iter().map(|&flag| u64::from(flag)).sum())
    }
}
