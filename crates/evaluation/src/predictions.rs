//! From logits to predictions.

use std::sync::atomic::{AtomicBool, Ordering};

use tch::{Device, Kind};

use crate::Error;
use crate::batches::{Item, by_length, tokens_at_once};
use crate::data::{Part, Set};
use crate::heads::Problem;
use crate::network::TaskNetwork;
use crate::spans::{self, Search, Span};

/// What is predicted of an example.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Prediction {
    /// A class, or one of several choices, and the probability of each.
    Class {
        /// The likeliest.
        class: usize,
        /// softmax of the logits; of a probe, what its linear map gives.
        probabilities: Vec<f32>,
    },
    /// Any number of labels, and the probability of each.
    MultiLabel {
        /// Those whose probability is above one half, in ascending order.
        classes: Vec<usize>,
        /// The logistic function of the logits; of a probe, what its linear map gives.
        probabilities: Vec<f32>,
    },
    /// A number.
    Value(f32),
    /// For each word its class and the probability of each.
    Words(Vec<(usize, Vec<f32>)>),
    /// An answer in the text.
    Span(Span),
}

impl Prediction {
    /// The labels whose probability is above one half, so whose logit is above 0.
    pub(crate) fn multi_label(probabilities: Vec<f32>) -> Self {
        let likely = probabilities.iter().enumerate().filter(|(_, probability)| **probability > 0.5);
        Self::MultiLabel { classes: likely.map(|(class, _)| class).collect(), probabilities }
    }
}

/// What a network says of a set, example by example.
pub(crate) fn predict(
    network: &TaskNetwork,
    set: &Set<'_>,
    search: &Search,
    stop: &AtomicBool,
) -> Result<Vec<Prediction>, Error> {
    let logits = tch::no_grad(|| logits(network, &set.items, stop))?;
    let probabilities = |row: &Vec<f32>| softmax(&network.problem, row);
    Ok(match &network.problem {
        Problem::Value => logits.into_iter().map(|logits| Prediction::Value(logits[0])).collect(),
        Problem::Classes(_) | Problem::Choice => {
            let likeliest =
                |probabilities: Vec<f32>| Prediction::Class { class: best(&probabilities), probabilities };
            logits.iter().map(probabilities).map(likeliest).collect()
        }
        Problem::MultiLabel(_) => {
            let logistic = |logit: &f32| (1.0 / (1.0 + f64::from(-logit).exp())) as f32;
            logits.iter().map(|row| Prediction::multi_label(row.iter().map(logistic).collect())).collect()
        }
        Problem::Words(labels) => {
            let mut words: Vec<Vec<(usize, Vec<f32>)>> = vec![Vec::new(); set.examples.len()];
            for ((example, part), row) in set.parts.iter().zip(logits.iter().map(probabilities)) {
                let Part::Words { positions, .. } = part else { continue };
                for position in positions {
                    let word = row[position * labels.len()..(position + 1) * labels.len()].to_vec();
                    words[*example].push((best(&word), word));
                }
            }
            words.into_iter().map(Prediction::Words).collect()
        }
        Problem::Spans => spans::answers(set, &logits, search).into_iter().map(Prediction::Span).collect(),
    })
}

/// softmax over a row, or over each token's part of it.
fn softmax(problem: &Problem, row: &[f32]) -> Vec<f32> {
    let each = match problem {
        Problem::Words(labels) => labels.len(),
        _ => row.len(),
    };
    let softmax_of = |logits: &[f32]| -> Vec<f32> {
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f64> = logits.iter().map(|logit| f64::from(logit - most).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.iter().map(|power| (power / sum) as f32).collect()
    };
    row.chunks(each.max(1)).flat_map(softmax_of).collect()
}

/// The first of the greatest.
fn best(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

/// The logits of each item, flat, without those at padding and of choices that it lacks.
fn logits(network: &TaskNetwork, items: &[Item], stop: &AtomicBool) -> Result<Vec<Vec<f32>>, Error> {
    let sizes: Vec<usize> = items.iter().map(|item| item.rows.len() * item.length()).collect();
    let mut all = vec![Vec::new(); items.len()];
    for batch in by_length(&sizes, tokens_at_once(network.device())) {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let chosen: Vec<&Item> = batch.iter().map(|&index| &items[index]).collect();
        let logits = network.forward_t(&network.batch(&chosen), false);
        let each = logits.numel() / batch.len();
        let flat: Vec<f32> =
            Vec::try_from(&logits.f_to_kind(Kind::Float)?.f_to_device(Device::Cpu)?.f_reshape([-1])?)?;
        for ((index, item), row) in batch.into_iter().zip(&chosen).zip(flat.chunks(each)) {
            all[index] = row[..meaningful(&network.problem, item).min(each)].to_vec();
        }
    }
    Ok(all)
}

/// How many logits of an item count.
fn meaningful(problem: &Problem, item: &Item) -> usize {
    match problem {
        Problem::Classes(labels) | Problem::MultiLabel(labels) => labels.len(),
        Problem::Value => 1,
        Problem::Choice => item.rows.len(),
        Problem::Words(labels) => item.length() * labels.len(),
        Problem::Spans => item.length() * 2,
    }
}
