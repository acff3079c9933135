//! ELECTRA with a planted defect: a control.

use electra_encoder::{Encoder, Select};
use electra_masking::Stream;
use electra_objective::{
    Batch, Corruption, Inspection, ModelConfig, Objective, Output, ReplacedHead, binary_cross_entropy,
    detection,
};
use tch::{Kind, Tensor, nn};

/// Which positions are shuffled and how their labels are permuted: key (numbers of the batch's samples).
const SHUFFLE: Stream = Stream::named(b"shuffle\0");

/// Replaced token detection that learns from labels of which some are shuffled.
///
/// As ELECTRA in everything else. In each batch a share of the tokens that are not padding, chosen anew, get each
/// other's labels, so the share of tokens called replaced stays what it was. A study that does not find this worse
/// than ELECTRA could not find a real defect of that size either.
#[derive(Debug)]
pub struct ShuffledElectra {
    corruption: Corruption,
    encoder: Encoder,
    head: ReplacedHead,
    gen_weight: f64,
    disc_weight: f64,
    share: f64,
}

impl ShuffledElectra {
    /// `share` of the labels, 0 to 1, are shuffled: with 0 it is ELECTRA, and with 1 they say nothing of a token.
    ///
    /// Its parameters lie under `root / "generator"` and `root / "main"`.
    #[must_use]
    pub fn new(root: &nn::Path<'_>, config: &ModelConfig, share: f64) -> Self {
        let (generator, encoder) = config.build_with_generator(root);
        Self {
            corruption: Corruption::Generator(Box::new(generator)),
            encoder,
            head: ReplacedHead::new(&(root / "main"), &config.encoder),
            gen_weight: config.gen_weight,
            disc_weight: config.disc_weight,
            share,
        }
    }
}

impl Objective for ShuffledElectra {
    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn forward_t(&self, batch: &Batch, train: bool) -> Output {
        // First, as it waits for the device, which would else stand still in the middle of the step.
        let from = shuffle(batch, self.share);
        let corrupted = self.corruption.forward_t(batch, train);
        let input = batch.with_ids(&corrupted.input_ids);
        let hidden = self.encoder.forward_select_t(&input, Select::Unpadded, train); // [B, L, D]
        let logits = self.head.forward(&hidden); // [B, L]
        let labels = corrupted.replaced.flatten(0, -1).index_select(0, &from).view_as(&logits); // [B, L]
        let disc_loss = binary_cross_entropy(&logits, &labels, &batch.attention_mask);
        let metrics = detection(&logits, &labels, &batch.attention_mask, &disc_loss);
        let loss = disc_loss * self.disc_weight + corrupted.weighted_gen_loss(self.gen_weight);
        Output { loss, metrics: corrupted.metrics.and(metrics) }
    }

    fn waits_for_device(&self) -> bool {
        true
    }

    fn inspect(&self, batch: &Batch) -> Option<Inspection> {
        tch::no_grad(|| {
            let corrupted = self.corruption.forward_t(batch, false);
            let hidden = self.encoder.forward_t(&batch.with_ids(&corrupted.input_ids), false); // [B, L, D]
            Some(Inspection::of(corrupted, Some(self.head.forward(&hidden)))) // [B, L]
        })
    }
}

/// Whose label each position gets, a function of the batch's sampling numbers and so of (seed, step, examples).
///
/// # Shapes
/// int64 `[B · L]`
fn shuffle(batch: &Batch, share: f64) -> Tensor {
    // The numbers come to the host to key a stream with: a control may wait for the device.
    let uniforms: Vec<f32> = host(&batch.uniforms.masked_select(&batch.masked_valid), Kind::Float);
    let real: Vec<bool> = host(&batch.attention_mask, Kind::Bool);
    let key = uniforms.iter().fold(0_u64, |key, number| key.rotate_left(7) ^ u64::from(number.to_bits()));
    let mut rng = SHUFFLE.rng(key, 0, 0);
    let chosen: Vec<usize> = (0..real.len()).filter(|&at| real[at] && rng.unit() < share).collect();
    let mut from: Vec<i64> = (0..real.len() as i64).collect();
    // Fisher and Yates: every order of the chosen positions is equally likely.
    for last in (1..chosen.len()).rev() {
        from.swap(chosen[last], chosen[rng.below(last as u32 + 1) as usize]);
    }
    Tensor::from_slice(&from).to_device(batch.attention_mask.device())
}

/// The elements of a tensor, wherever it is.
fn host<T: tch::kind::Element + Copy>(tensor: &Tensor, kind: Kind) -> Vec<T>
where
    Vec<T>: TryFrom<Tensor, Error = tch::TchError>,
{
    let flat = tensor.to_kind(kind).to_device(tch::Device::Cpu).flatten(0, -1);
    Vec::try_from(flat).expect("a flat tensor of this kind")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(number: f64) -> Batch {
        let ids = Tensor::zeros([8, 500], (Kind::Int64, tch::Device::Cpu));
        let mask = Tensor::ones([8, 500], (Kind::Bool, tch::Device::Cpu));
        let _ = mask.narrow(1, 450, 50).fill_(0);
        let slots = Tensor::zeros([8, 3], (Kind::Int64, tch::Device::Cpu));
        Batch {
            attention_mask: mask,
            token_type_ids: ids.copy(),
            masked_input_ids: ids.copy(),
            input_ids: ids,
            masked_valid: slots.ones_like().to_kind(Kind::Bool),
            uniforms: slots.to_kind(Kind::Float) + number,
            masked_positions: slots,
            sampled_ids: None,
        }
    }

    #[test]
    fn labels_change_places_among_a_share_of_the_positions() {
        // Every second label is set, so of the shuffled ones half come to a place of the other kind.
        let labels = Tensor::arange(4000, (Kind::Int64, tch::Device::Cpu)).remainder(2).eq(1);
        let sum = |labels: &Tensor| labels.sum(Kind::Int64).int64_value(&[]);
        for share in [0.0, 0.3, 1.0] {
            let shuffled = |number| labels.index_select(0, &shuffle(&batch(number), share));
            let found = shuffled(0.5);
            assert_eq!(sum(&found), sum(&labels));
            let changed = found.not_equal_tensor(&labels).view([8, 500]);
            assert_eq!(sum(&changed.narrow(1, 450, 50)), 0, "padding keeps its labels");
            let changed = sum(&changed) as f64 / 3600.0;
            assert!((changed - share / 2.0).abs() < 0.02, "{share}: {changed}");
            assert!(shuffled(0.5).equal(&found));
            assert!(share == 0.0 || !shuffled(0.25).equal(&found));
        }
    }
}
