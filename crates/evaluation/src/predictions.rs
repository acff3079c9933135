//! From logits to predictions.

use std::sync::atomic::{AtomicBool, Ordering};

use tch::{Device, Kind};

use crate::Error;
use crate::batches::{Batch, Item, by_length, tokens_at_once};
use crate::data::{Part, Set};
use crate::heads::Problem;
use crate::network::Network;
use crate::spans::{self, Search};

/// What is predicted of an example.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Prediction {
    /// A class, or one of several choices, and the probability of each.
    Class {
        /// The likeliest.
        class: usize,
        /// softmax of the logits.
        probabilities: Vec<f32>,
    },
    /// A number.
    Value(f32),
    /// For each word its class and the probability of each.
    Words(Vec<(usize, Vec<f32>)>),
    /// An answer in the text.
    Span(Span),
}

/// An answer in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The answer; empty for "there is none".
    pub text: String,
    /// The sum of the logits of its start and end.
    pub score: f32,
    /// How much more the sum of "no answer" is than that of the best answer.
    pub none_margin: f32,
}

/// What a network says of a set, example by example.
pub(crate) fn predict(
    network: &Network,
    set: &Set<'_>,
    search: &Search,
    stop: &AtomicBool,
) -> Result<Vec<Prediction>, Error> {
    let logits = tch::no_grad(|| logits(network, &set.items, stop))?;
    let probabilities = |row: &Vec<f32>| softmax(&network.problem, row);
    Ok(match &network.problem {
        Problem::Value => logits.into_iter().map(|logits| Prediction::Value(logits[0])).collect(),
        Problem::Classes(_) | Problem::Choice => {
            let one =
                |probabilities: Vec<f32>| Prediction::Class { class: best(&probabilities), probabilities };
            logits.iter().map(probabilities).map(one).collect()
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
    let one = |logits: &[f32]| -> Vec<f32> {
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f64> = logits.iter().map(|logit| f64::from(logit - most).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.iter().map(|power| (power / sum) as f32).collect()
    };
    row.chunks(each.max(1)).flat_map(one).collect()
}

/// The first of the greatest.
fn best(values: &[f32]) -> usize {
    let mut best = 0;
    for (at, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = at;
        }
    }
    best
}

/// The logits of each item, flat, without those at padding and of choices that it lacks.
fn logits(network: &Network, items: &[Item], stop: &AtomicBool) -> Result<Vec<Vec<f32>>, Error> {
    let sizes: Vec<usize> = items.iter().map(|item| item.rows.len() * item.length()).collect();
    let mut all = vec![Vec::new(); items.len()];
    for batch in by_length(&sizes, tokens_at_once(network.device())) {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let chosen: Vec<&Item> = batch.iter().map(|&at| &items[at]).collect();
        let logits = network.forward_t(&Batch::of(&chosen, network), false);
        let each = logits.numel() / batch.len();
        let flat: Vec<f32> =
            Vec::try_from(&logits.f_to_kind(Kind::Float)?.f_to_device(Device::Cpu)?.f_reshape([-1])?)?;
        for ((at, item), row) in batch.into_iter().zip(&chosen).zip(flat.chunks(each)) {
            all[at] = row[..kept(&network.problem, item).min(each)].to_vec();
        }
    }
    Ok(all)
}

/// How many logits of an item count.
fn kept(problem: &Problem, item: &Item) -> usize {
    match problem {
        Problem::Classes(labels) => labels.len(),
        Problem::Value => 1,
        Problem::Choice => item.rows.len(),
        Problem::Words(labels) => item.length() * labels.len(),
        Problem::Spans => item.length() * 2,
    }
}
