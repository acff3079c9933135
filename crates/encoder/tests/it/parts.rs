//! A batch that is computed in parts drops what the whole batch drops.

use std::collections::BTreeMap;

use electra_encoder::{Encoder, EncoderConfig, Select, initialise};
use electra_torch::{KernelLevel, Preceding, at_each_kernel_level, with_dropout_keys};
use tch::{Device, Kind, Tensor, nn};

use crate::support::{Rows, config, difference, libtorch_generator};

const LENGTHS: [usize; 8] = [16, 1, 9, 2, 12, 3, 16, 5];
const LENGTH: usize = 16;
const SEED: u64 = 0x5EED_0000_0001;

fn rows() -> Rows {
    let texts: Vec<Vec<i64>> = LENGTHS
        .iter()
        .enumerate()
        .map(|(row, &length)| (0..length).map(|place| ((row * 7 + place * 3) % 45 + 4) as i64).collect())
        .collect();
    Rows::padded(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>(), LENGTH)
}

impl Rows {
    fn part(&self, start: i64, count: i64) -> Rows {
        let cut = |tensor: &Tensor| tensor.narrow(0, start, count);
        Rows {
            input_ids: cut(&self.input_ids),
            attention_mask: cut(&self.attention_mask),
            token_type_ids: cut(&self.token_type_ids),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Head {
    All,
    Unpadded,
    Positions,
}

struct Computed {
    states: Tensor,
    gradients: BTreeMap<String, Tensor>,
}

/// Forward and backward in parts of so many rows each.
fn compute(parameters: &nn::VarStore, encoder: &Encoder, head: Head, parts: &[i64], keyed: bool) -> Computed {
    let rows = rows();
    // Each row has three positions, one of them twice.
    let positions =
        Tensor::from_slice(&LENGTHS.map(|length| [0, length as i64 / 2, length as i64 / 2]).concat())
            .view([LENGTHS.len() as i64, 3]);
    let (mut start, mut tokens, mut states) = (0, 0, Vec::new());
    for &count in parts {
        let part = rows.part(start, count);
        let chosen = positions.narrow(0, start, count);
        let select = match head {
            Head::All => Select::All,
            Head::Unpadded => Select::Unpadded,
            Head::Positions => Select::Positions(&chosen),
        };
        let preceding = Preceding { examples: start as u64, tokens };
        let forward = || encoder.forward_select_t(&part.input(), select, true);
        tch::manual_seed(SEED as i64);
        let mut output = if keyed { with_dropout_keys(SEED, preceding, forward).unwrap() } else { forward() };
        if !matches!(head, Head::Positions) {
            output *= part.attention_mask.unsqueeze(-1);
        }
        let place = Tensor::arange(output.size()[1..].iter().product::<i64>(), (Kind::Float, Device::Cpu));
        let weight = place.view([1, output.size()[1], output.size()[2]]).sin();
        (&output * weight).sum(Kind::Float).backward();
        states.push(output.detach());
        start += count;
        tokens += part.attention_mask.sum(Kind::Int64).int64_value(&[]) as u64;
    }
    assert_eq!(start as usize, LENGTHS.len());
    let gradients = parameters.variables().into_iter().map(|(name, parameter)| {
        let gradient = parameter.grad().copy();
        electra_torch::zero_grad(&[parameter]).unwrap();
        (name, gradient)
    });
    let gradients = gradients.collect();
    Computed { states: Tensor::cat(&states, 0), gradients }
}

/// The largest difference of states and of gradients, these in terms of the largest of all.
fn apart(first: &Computed, other: &Computed) -> (f64, f64) {
    let largest =
        first.gradients.values().map(|gradient| gradient.abs().max().double_value(&[])).fold(0.0, f64::max);
    let gradients =
        first.gradients.iter().map(|(name, gradient)| difference(gradient, &other.gradients[name]));
    (difference(&first.states, &other.states), gradients.fold(0.0, f64::max) / largest)
}

#[test]
fn parts_drop_what_the_whole_batch_drops() {
    let _alone = libtorch_generator();
    // Heads of eight numbers, which BLAS multiplies, and of sixteen, for which there is a kernel.
    for config in [config(), EncoderConfig { hidden_size: 48, ..config() }] {
        assert_eq!((config.hidden_dropout_prob, config.attention_probs_dropout_prob), (0.1, 0.1));
        let parameters = nn::VarStore::new(Device::Cpu);
        let encoder = Encoder::new(&(parameters.root() / "electra"), &config);
        initialise(&parameters, 0.2, 1).unwrap();
        at_each_kernel_level("parts_drop_what_the_whole_batch_drops", |level| {
            for head in [Head::All, Head::Unpadded, Head::Positions] {
                let compute = |parts: &[i64], keyed| compute(&parameters, &encoder, head, parts, keyed);
                let (whole, unkeyed) = (compute(&[8], true), compute(&[8], false));
                assert_eq!(whole.states, unkeyed.states, "{level}, {head:?}: one part is what it was");
                for parts in [[3, 5].as_slice(), &[1, 7], &[1; 8]] {
                    let (states, gradients) = apart(&whole, &compute(parts, true));
                    if level == KernelLevel::Formula {
                        // What formulas drop is drawn row after row.
                        assert!(states > 1e-2, "{head:?}, {parts:?}: {states}");
                    } else {
                        assert!(states < 1e-5, "{level}, {head:?}, {parts:?}: states differ by {states}");
                        assert!(
                            gradients < 1e-5,
                            "{level}, {head:?}, {parts:?}: gradients differ by {gradients}"
                        );
                    }
                    let (states, _) = apart(&whole, &compute(parts, false));
                    assert!(states > 1e-2, "{level}, {head:?}, {parts:?}: without keys the parts differ");
                }
            }
        });
    }
}
