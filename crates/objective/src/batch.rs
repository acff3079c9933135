//! A masked batch on a device.

use electra_encoder::Input;
use electra_masking::Stream;
use tch::{Device, Tensor};

/// A masked batch on a device. B rows, L positions a row, N slots a row for masked positions.
#[derive(Debug)]
pub struct Batch {
    /// `[B, L]` int64: the original ids, padded.
    pub input_ids: Tensor,
    /// `[B, L]` bool: false on padding.
    pub attention_mask: Tensor,
    /// `[B, L]` int64: the segment.
    pub token_type_ids: Tensor,
    /// `[B, L]` int64: the ids with the masks in.
    pub masked_input_ids: Tensor,
    /// `[B, N]` int64: masked positions within the row; 0, which is `[CLS]`'s, in unused slots.
    pub masked_positions: Tensor,
    /// `[B, N]` bool: whether the slot is used.
    pub masked_valid: Tensor,
    /// `[B, N]` float32 in `[0, 1)`: one number a slot, which [`sample`](crate::sample) turns into a token.
    pub uniforms: Tensor,
    /// `[B, N]` int64: tokens to put into the slots instead of sampling them. None in training; it is for
    /// computing again what another program computed.
    pub sampled_ids: Option<Tensor>,
}

impl Batch {
    /// The batch of (seed, step) on a device.
    ///
    /// The numbers that sampling uses are functions of (seed, step, example), in the stream
    /// [`Stream::SAMPLE`]: an example gets the same samples on whichever rank, and in whichever batch, it
    /// is. Slots that masking with replacement gave the same position share one number, and so one sample.
    ///
    /// # Panics
    /// If there is no such device.
    #[must_use]
    pub fn new(batch: &electra_data::Batch, seed: u64, step: u64, device: Device) -> Self {
        let (rows, length, slots) = (batch.rows as i64, batch.max_length as i64, batch.max_masked as i64);
        let sent = |tensor: Tensor, columns| {
            electra_torch::send(&tensor.view([rows, columns]), device).expect("the device is there")
        };
        let (cells, slotted) = (|tensor| sent(tensor, length), |tensor| sent(tensor, slots));
        Self {
            input_ids: cells(Tensor::from_slice(&batch.input_ids)),
            attention_mask: cells(Tensor::from_slice(&batch.attention_mask)),
            token_type_ids: cells(Tensor::from_slice(&batch.token_type_ids)),
            masked_input_ids: cells(Tensor::from_slice(&batch.masked_input_ids)),
            masked_positions: slotted(Tensor::from_slice(&batch.masked_positions)),
            masked_valid: slotted(Tensor::from_slice(&batch.masked_valid)),
            uniforms: slotted(Tensor::from_slice(&uniforms(batch, seed, step))),
            sampled_ids: None,
        }
    }

    /// The original ids as an encoder takes them.
    #[must_use]
    pub fn original(&self) -> Input<'_> {
        self.with_ids(&self.input_ids)
    }

    /// The masked ids as an encoder takes them.
    #[must_use]
    pub fn masked(&self) -> Input<'_> {
        self.with_ids(&self.masked_input_ids)
    }

    /// Other ids, `[B, L]`, under this batch's padding and segments.
    #[must_use]
    pub fn with_ids<'a>(&'a self, input_ids: &'a Tensor) -> Input<'a> {
        Input { input_ids, attention_mask: &self.attention_mask, token_type_ids: &self.token_type_ids }
    }

    /// Overwrites this batch with another of the same shape, so that what was recorded on its tensors sees that one's.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn copy_(&mut self, other: &Self) {
        let Self {
            input_ids,
            attention_mask,
            token_type_ids,
            masked_input_ids,
            masked_positions,
            masked_valid,
            uniforms,
            sampled_ids: _,
        } = self;
        input_ids.copy_(&other.input_ids);
        attention_mask.copy_(&other.attention_mask);
        token_type_ids.copy_(&other.token_type_ids);
        masked_input_ids.copy_(&other.masked_input_ids);
        masked_positions.copy_(&other.masked_positions);
        masked_valid.copy_(&other.masked_valid);
        uniforms.copy_(&other.uniforms);
    }

    /// The original tokens at the masked positions, `[B, N]` int64.
    pub fn targets(&self) -> Tensor {
        self.input_ids.gather(1, &self.masked_positions, false)
    }

    /// The used slots, each position counted once though masking with replacement may have drawn it twice:
    /// `[B, N]` bool.
    pub fn counted_once(&self) -> Tensor {
        let slots = self.masked_positions.size()[1];
        if slots < 2 {
            return self.masked_valid.shallow_clone();
        }
        // Positions ascend, so a repetition follows its like; unused slots stand last and are not counted.
        let again = self.masked_positions.narrow(1, 1, slots - 1).eq_tensor(&self.masked_positions.narrow(
            1,
            0,
            slots - 1,
        ));
        let first = Tensor::cat(&[again.narrow(1, 0, 1).zeros_like(), again], 1).logical_not();
        first.logical_and(&self.masked_valid)
    }
}

/// One number a slot; slots of one position get the last one's.
fn uniforms(batch: &electra_data::Batch, seed: u64, step: u64) -> Vec<f32> {
    let slots = batch.max_masked;
    let mut uniforms = Vec::with_capacity(batch.rows * slots);
    for (row, &example) in batch.examples.iter().enumerate() {
        let mut rng = Stream::SAMPLE.rng(seed, step, example);
        // 24 bits: what a float32 below 1 holds exactly.
        uniforms.extend((0..slots).map(|_| (rng.next_u32() >> 8) as f32 / (1 << 24) as f32));
        let slots = row * slots..(row + 1) * slots;
        let positions = &batch.masked_positions[slots.clone()];
        let valid = &batch.masked_valid[slots.clone()];
        let numbers = &mut uniforms[slots];
        // Positions ascend, so equal ones are neighbours.
        for slot in (1..numbers.len()).rev() {
            if valid[slot] && positions[slot - 1] == positions[slot] {
                numbers[slot - 1] = numbers[slot];
            }
        }
    }
    uniforms
}
