//! A batch on a device.

use electra_data::{Column, ColumnData, Data};
use electra_encoder::{Attention, Input};
use electra_masking::{KeyedRng, Stream};
use tch::{Device, Kind, Tensor};

/// A batch on a device: B rows of L positions, with the columns of an objective's view by their names.
///
/// It is a step's whole batch or a part of it. What losses divide by is counted over the whole step
/// ([`total`](Self::total)), so the losses of parts add up to the step's loss.
#[derive(Debug)]
pub struct DeviceBatch {
    /// `[B, L]` int64: the original ids, padded.
    pub input_ids: Tensor,
    /// `[B, L]` bool: false on padding.
    pub attention_mask: Tensor,
    /// `[B, L]` int64: the segment.
    pub token_type_ids: Tensor,
    /// The run's seed.
    pub seed: u64,
    /// The number of the step.
    pub step: u64,
    /// Rows of the step before this batch's first.
    pub first_row: u64,
    /// Tokens, padding left out, in those rows.
    pub first_token: u64,
    /// `[B]` the number of each row's example in the corpus.
    pub examples: Vec<u64>,
    columns: Vec<(&'static str, Tensor)>,
    totals: Vec<(&'static str, Tensor)>,
}

impl DeviceBatch {
    /// A loader's batch on a device.
    ///
    /// # Panics
    /// If there is no such device.
    #[must_use]
    pub fn new(batch: &electra_data::Batch, device: Device) -> Self {
        let send = |tensor: Tensor, width: usize| {
            let tensor = tensor.view([batch.rows as i64, width as i64]);
            electra_torch::send(&tensor, device).expect("the device is there")
        };
        let column = |ColumnData { column: Column { name, width, .. }, data }: &ColumnData| {
            let tensor = match data {
                Data::Ids(ids) => Tensor::from_slice(ids),
                Data::Flags(flags) => Tensor::from_slice(flags),
                Data::Reals(reals) => Tensor::from_slice(reals),
            };
            (*name, send(tensor, *width))
        };
        // A count of 0 must not become a division by 0: such a loss is an empty sum.
        let total = |count: u64| Tensor::from(count.max(1) as f32);
        let totals = batch.totals().map(|(name, count)| {
            (name, electra_torch::send(&total(count), device).expect("the device is there"))
        });
        Self {
            input_ids: send(Tensor::from_slice(&batch.input_ids), batch.max_length),
            attention_mask: send(Tensor::from_slice(&batch.attention_mask), batch.max_length),
            token_type_ids: send(Tensor::from_slice(&batch.token_type_ids), batch.max_length),
            seed: batch.seed,
            step: batch.step,
            first_row: batch.first_row as u64,
            first_token: batch.first_token,
            examples: batch.examples.clone(),
            columns: batch.columns.iter().map(column).collect(),
            totals: totals.collect(),
        }
    }

    /// A whole step of the given tensors, without a corpus: what another program computed, or a test. Columns are
    /// added by [`with`](Self::with).
    ///
    /// # Shapes
    /// `input_ids` int64, `attention_mask` bool, `token_type_ids` int64: `[B, L]`
    #[must_use]
    pub fn from_tensors(input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Self {
        let examples = (0..input_ids.size()[0] as u64).collect();
        let total = ("attention_mask", count(&attention_mask));
        Self {
            input_ids,
            attention_mask,
            token_type_ids,
            seed: 0,
            step: 0,
            first_row: 0,
            first_token: 0,
            examples,
            columns: Vec::new(),
            totals: vec![total],
        }
    }

    /// The batch with a column `[B, …]`, which takes the place of one of that name. Flags (bool) are counted.
    #[must_use]
    pub fn with(mut self, name: &'static str, column: Tensor) -> Self {
        self.columns.retain(|(other, _)| *other != name);
        self.totals.retain(|(other, _)| *other != name);
        if column.kind() == Kind::Bool {
            self.totals.push((name, count(&column)));
        }
        self.columns.push((name, column));
        self
    }

    /// A column of the objective's view, `[B, width]`: int64, bool or float32.
    ///
    /// # Panics
    /// If the view has no such column.
    pub fn column(&self, name: &str) -> &Tensor {
        self.get(name).unwrap_or_else(|| panic!("the batch has no column {name}"))
    }

    /// A column that not every batch has.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.columns.iter().find(|(column, _)| *column == name).map(|(_, tensor)| tensor)
    }

    /// How many cells of `attention_mask`, or of a column of flags, are true in the whole step, at least 1: a scalar,
    /// float32, on the batch's device.
    ///
    /// # Panics
    /// If the view has no such column of flags.
    pub fn total(&self, name: &str) -> &Tensor {
        let found = self.totals.iter().find(|(column, _)| *column == name);
        &found.unwrap_or_else(|| panic!("the batch has no flags {name}")).1
    }

    /// The generator of a stream at this step, the same for every part of it and on every rank. What belongs to a row
    /// is keyed by its example instead: `stream.rng(batch.seed, batch.step, batch.examples[row])`.
    #[must_use]
    pub fn rng(&self, stream: Stream) -> KeyedRng {
        stream.rng(self.seed, self.step, 0)
    }

    /// The original ids as an encoder takes them.
    #[must_use]
    pub fn original(&self) -> Input<'_> {
        self.with_ids(&self.input_ids)
    }

    /// The masked ids as an encoder takes them.
    ///
    /// # Panics
    /// If the view has no masks.
    #[must_use]
    pub fn masked(&self) -> Input<'_> {
        self.with_ids(self.column("masked_input_ids"))
    }

    /// Other ids, `[B, L]`, under this batch's padding and segments.
    #[must_use]
    pub fn with_ids<'a>(&'a self, input_ids: &'a Tensor) -> Input<'a> {
        let attention = Attention::Keys(&self.attention_mask);
        Input { input_ids, attention, token_type_ids: &self.token_type_ids }
    }

    /// The original tokens at the masked positions, `[B, N]` int64.
    ///
    /// # Panics
    /// If the view has no masks.
    pub fn targets(&self) -> Tensor {
        self.input_ids.gather(1, self.column("masked_positions"), false)
    }

    /// Overwrites the tensors of this batch with those of another of the same shape, so that what was recorded on them sees that one's.
    ///
    /// # Panics
    /// If the shapes or the columns differ.
    pub fn copy_(&mut self, other: &Self) {
        self.seed = other.seed;
        self.step = other.step;
        (self.first_row, self.first_token) = (other.first_row, other.first_token);
        self.examples.clone_from(&other.examples);
        self.input_ids.copy_(&other.input_ids);
        self.attention_mask.copy_(&other.attention_mask);
        self.token_type_ids.copy_(&other.token_type_ids);
        for (name, tensor) in &mut self.columns {
            tensor.copy_(other.column(name));
        }
        for (name, tensor) in &mut self.totals {
            tensor.copy_(other.total(name));
        }
    }
}

/// How many flags are true, at least 1.
fn count(flags: &Tensor) -> Tensor {
    flags.sum(Kind::Float).clamp_min(1.0)
}
