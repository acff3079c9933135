//! The input of the kept encoder: the original text with some tokens replaced.

use electra_torch::{sample, sample_cumulative};
use tch::{Kind, Tensor};

use crate::{DeviceBatch, Generator, Metrics};

/// Where replacements come from.
#[derive(Debug)]
pub enum Corruption {
    /// A generator, trained beside the main network by masked language modelling (paper §2).
    Generator(Box<Generator>),
    /// One distribution for every position, by its cumulative sum `[V]` float32: unigram or uniform. A
    /// control: nothing is learnt from the context (reference, `uniform_generator`).
    Fixed(Tensor),
}

/// A corrupted batch.
#[derive(Debug)]
pub struct Corrupted {
    /// `[B, L]` int64: the original ids with the samples in.
    pub input_ids: Tensor,
    /// `[B, L]` bool: where they differ from the original. A sample that equals the original replaces
    /// nothing (paper §2).
    pub replaced: Tensor,
    /// The generator's own loss, or this part's share of it, a scalar; none where nothing is trained.
    pub gen_loss: Option<Tensor>,
    /// `masked_lm_*` of the generator, `sampled_masked_lm_accuracy`, `replaced_rate`.
    pub metrics: Metrics,
}

impl Corrupted {
    /// `weight` times the generator's loss; 0 where nothing is trained.
    pub fn weighted_gen_loss(&self, weight: f64) -> Tensor {
        match &self.gen_loss {
            Some(loss) => loss * weight,
            None => Tensor::zeros([], (Kind::Float, self.input_ids.device())),
        }
    }
}

impl Corruption {
    /// Replaces the masked tokens of a batch by samples. No gradient goes through them.
    ///
    /// A column `sampled_ids` (int64 `[B, N]`) takes the place of samples: it is for computing again what another program
    /// computed.
    #[must_use]
    pub fn forward_t(&self, batch: &DeviceBatch, train: bool) -> Corrupted {
        let uniforms = batch.column("uniforms"); // [B, N]
        let (gen_loss, sampled, metrics) = match self {
            Self::Generator(generator) => {
                let predictions = generator.forward_t(batch, train);
                let sampled = batch.get("sampled_ids").map(Tensor::shallow_clone);
                let sampled =
                    sampled.unwrap_or_else(|| tch::no_grad(|| sample(&predictions.logits, uniforms)));
                (Some(predictions.loss), sampled, predictions.metrics)
            }
            Self::Fixed(cumulative) => {
                let size = uniforms.size();
                let rows = cumulative.unsqueeze(0).unsqueeze(0).expand([size[0], size[1], -1], false);
                (None, sample_cumulative(&rows, uniforms), Metrics::empty())
            }
        };
        let (targets, valid) = (batch.targets(), batch.column("masked_valid"));
        // An unused slot writes back the value at its position.
        let written = sampled.where_self(valid, &targets);
        let input_ids = batch.input_ids.scatter(1, batch.column("masked_positions"), &written);
        let replaced = input_ids.ne_tensor(&batch.input_ids);
        let rates = {
            let [valid, replaced] = [valid, &replaced].map(Tensor::shallow_clone);
            let [tokens, slots] =
                ["attention_mask", "masked_valid"].map(|name| batch.total(name).shallow_clone());
            Metrics::shares(move || {
                vec![
                    ("masked_rate", valid.sum(Kind::Float) / &tokens),
                    ("replaced_rate", replaced.sum(Kind::Float) / &tokens),
                    ("sampled_masked_lm_accuracy", crate::mean(&sampled.eq_tensor(&targets), &valid, &slots)),
                ]
            })
        };
        Corrupted { input_ids, replaced, gen_loss, metrics: metrics.and(rates) }
    }
}
