//! The view of masked language modelling, and of every objective with a generator.

use std::cell::RefCell;

use electra_masking::{MaskedRows, Masker, Scratch, Stream, Weighting};

use crate::view::{Cells, Column, Key, Row, View};
use crate::{Corpus, Error};

thread_local! {
    /// Memory that masking uses again from row to row: a view is shared, so it has none of its own.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Rows with masks in. L positions, and N slots for masked positions:
///
/// | column | | |
/// |---|---|---|
/// | `masked_input_ids` | `[L]` ids | the ids with the masks in |
/// | `masked_positions` | `[N]` ids | masked positions, ascending; 0, which is `[CLS]`'s, in unused slots |
/// | `masked_valid` | `[N]` flags | whether the slot is used |
/// | `masked_distinct` | `[N]` flags | the same, but each position once: masking with replacement may draw it twice |
/// | `uniforms` | `[N]` reals | a number in `[0, 1)` a slot, from which a sampled token follows |
///
/// With [`Weighting::InverseRate`] there are two more, of which a weighted loss is Σ weight · loss / Σ maskable:
///
/// | column | | |
/// |---|---|---|
/// | `masked_weights` | `[N]` reals | m/k, where k of the row's m maskable tokens are masked; 0 in unused slots |
/// | `maskable` | `[L]` flags | whether the token may be masked |
impl View for Masker {
    fn columns(&self, length: usize) -> Vec<Column> {
        let slots = self.capacity();
        let mut columns = vec![
            Column::ids("masked_input_ids", length),
            Column::ids("masked_positions", slots),
            Column::flags("masked_valid", slots),
            Column::flags("masked_distinct", slots),
            Column::reals("uniforms", slots),
        ];
        if self.config().weighting == Weighting::InverseRate {
            columns.extend([Column::reals("masked_weights", slots), Column::flags("maskable", length)]);
        }
        columns
    }

    fn fill(&self, corpus: &Corpus, key: Key, row: &mut Row<'_>) -> Result<(), Error> {
        if self.config().weighting == Weighting::Equal {
            fill_masks(self, key, row);
            return Ok(());
        }
        let (ids, length) = (row.input_ids, row.length);
        let (mut masks, [Cells::Reals(weights), Cells::Flags(maskable)]) = row.split() else {
            unreachable!("the kinds are those that `columns` gives")
        };
        let used = fill_masks(self, key, &mut masks);
        let vocabulary = corpus.vocabulary();
        maskable.fill(false);
        for (flag, &id) in maskable.iter_mut().zip(&ids[..length]) {
            *flag = vocabulary.is_maskable(id as u32);
        }
        let tokens = self.maskable(&ids[..length]);
        weights.fill(0.0);
        weights[..used].fill(tokens as f32 / used as f32);
        Ok(())
    }
}

/// Fills the first five columns; gives how many slots are used.
fn fill_masks(masker: &Masker, key: Key, row: &mut Row<'_>) -> usize {
    let (input_ids, length) = (row.input_ids, row.length);
    let [
        Cells::Ids(masked_input_ids),
        Cells::Ids(masked_positions),
        Cells::Flags(masked_valid),
        Cells::Flags(distinct),
        Cells::Reals(uniforms),
    ] = row.columns()
    else {
        unreachable!("the kinds are those that `columns` gives")
    };
    masked_input_ids.copy_from_slice(input_ids);
    let mut masked = MaskedRows { masked_input_ids, masked_positions, masked_valid };
    let used =
        SCRATCH.with_borrow_mut(|scratch| masker.mask(key.step, key.example, length, &mut masked, scratch));
    let MaskedRows { masked_positions, masked_valid, .. } = masked;
    draw_uniforms(key, masked_positions, masked_valid, uniforms);
    for slot in 0..distinct.len() {
        let repeats = slot > 0 && masked_positions[slot - 1] == masked_positions[slot];
        distinct[slot] = masked_valid[slot] && !repeats;
    }
    used
}

/// One number a slot, a function of (seed, step, example): an example gets the same samples on whichever rank, and in
/// whichever part of a batch, it is. Slots of one position share one number, the last one's, and so one sample.
fn draw_uniforms(key: Key, positions: &[i64], valid: &[bool], uniforms: &mut [f32]) {
    let mut rng = key.rng(Stream::SAMPLE);
    for number in uniforms.iter_mut() {
        // 24 bits: what a float32 below 1 holds exactly.
        *number = (rng.next_u32() >> 8) as f32 / (1 << 24) as f32;
    }
    // Positions ascend, so equal ones are neighbours.
    for slot in (1..uniforms.len()).rev() {
        if valid[slot] && positions[slot - 1] == positions[slot] {
            uniforms[slot - 1] = uniforms[slot];
        }
    }
}
