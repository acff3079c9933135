//! The view of masked language modelling, and of every objective with a generator.

use std::cell::RefCell;

use electra_masking::{MaskedRows, Masker, Scratch, Stream};

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
impl View for Masker {
    fn columns(&self, length: usize) -> Vec<Column> {
        let slots = self.capacity();
        vec![
            Column::ids("masked_input_ids", length),
            Column::ids("masked_positions", slots),
            Column::flags("masked_valid", slots),
            Column::flags("masked_distinct", slots),
            Column::reals("uniforms", slots),
        ]
    }

    fn fill(&self, _corpus: &Corpus, key: Key, row: &mut Row<'_>) -> Result<(), Error> {
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
        SCRATCH.with_borrow_mut(|scratch| self.mask(key.step, key.example, length, &mut masked, scratch));
        let MaskedRows { masked_positions, masked_valid, .. } = masked;
        draw_uniforms(key, masked_positions, masked_valid, uniforms);
        for slot in 0..distinct.len() {
            let repeats = slot > 0 && masked_positions[slot - 1] == masked_positions[slot];
            distinct[slot] = masked_valid[slot] && !repeats;
        }
        Ok(())
    }
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
