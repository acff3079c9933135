//! The loop of fine-tuning.

use std::sync::atomic::{AtomicBool, Ordering};

use electra_config::Schedule;
use electra_masking::Stream;
use electra_torch::{AdamWConfig, Learner, LearnerConfig, Parameter};
use tch::{Kind, Tensor};

use crate::Error;
use crate::batches::{self, Item};
use crate::config::Recipe;
use crate::network::TaskNetwork;

/// What dropout is seeded from: (seed, step).
const DROPOUT: Stream = Stream::named(b"finedrop");

/// A line of the curve.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    /// Steps that are done.
    pub(crate) step: u64,
    /// Epochs that are done, with the fraction of the one that is under way.
    pub(crate) epoch: f64,
    /// The rate of the last step.
    pub(crate) lr: f64,
    /// The mean loss of the steps since the line before.
    pub(crate) loss: f64,
}

/// An event of the loop.
pub(crate) enum Progress<'a> {
    /// A log step.
    Point(Point),
    /// A step is done.
    Step { step: u64, steps: u64 },
    /// An epoch is over.
    Epoch { epoch: u64, step: u64, network: &'a TaskNetwork },
}

/// Trains a network on items: batch, learning rate, forward, backward, clip, step, log.
pub(crate) fn train(
    network: &TaskNetwork,
    items: &[Item],
    recipe: &Recipe,
    seed: u64,
    stop: &AtomicBool,
    mut report: impl FnMut(Progress<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let lengths: Vec<usize> = items.iter().map(Item::length).collect();
    let per_epoch = items.len().div_ceil(recipe.batch) as u64;
    let steps = per_epoch * recipe.epochs;
    let schedule = Schedule {
        learning_rate: recipe.learning_rate,
        // The share alone decides.
        warmup_steps: steps,
        warmup_share: recipe.warmup_share,
        begin: 0.0,
    };
    let mut learner = learner(network, recipe)?;
    let scalar = || Tensor::f_zeros([0_i64; 0], (Kind::Float, network.device()));
    let (mut losses, mut logged) = (scalar()?, 0);
    let (mut step, mut skipped) = (0, 0);
    for epoch in 0..recipe.epochs {
        for chosen in batches::epoch(&lengths, recipe.batch, seed, epoch) {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            let lr = schedule.lr(step, step as f64 / steps as f64);
            // Dropout draws from libtorch's own generator: each step begins it anew.
            tch::manual_seed(DROPOUT.rng(seed, step, 0).next_u64() as i64);
            let chosen: Vec<&Item> = chosen.iter().map(|&index| &items[index]).collect();
            let batch = network.batch(&chosen);
            let labels = batch.labels.as_ref().expect("every example to train on has its label");
            learner.set_learning_rate(lr)?;
            let (loss, ()) =
                learner.learn(|| (network.loss(&network.forward_t(&batch, true), labels), ()))?;
            learner.update(&loss)?;
            step += 1;

            losses = losses.f_add(&loss)?;
            if step.is_multiple_of(recipe.log_every_steps) || step == steps {
                let loss = losses.f_double_value(&[])? / (step - logged) as f64;
                (losses, logged) = (scalar()?, step);
                report(Progress::Point(Point { step, epoch: step as f64 / per_epoch as f64, lr, loss }))?;
            }
            report(Progress::Step { step, steps })?;
        }
        let before = std::mem::replace(&mut skipped, learner.skipped()?.total);
        if skipped - before >= per_epoch as i64 {
            return Err(Error::NonFinite { seed, epoch: epoch + 1 });
        }
        report(Progress::Epoch { epoch: epoch + 1, step, network })?;
    }
    Ok(())
}

/// A learner of all parameters, with a rate for each layer.
pub(crate) fn learner(network: &TaskNetwork, recipe: &Recipe) -> Result<Learner, Error> {
    let layers = network.config().num_hidden_layers;
    let mut parameters = Parameter::from_var_store(network.var_store());
    for parameter in &mut parameters {
        parameter.lr_scale = recipe.lr_scale(&parameter.name, layers);
    }
    let [beta1, beta2] = recipe.betas;
    let config = LearnerConfig {
        adamw: AdamWConfig { beta1, beta2, eps: recipe.eps, bias_correction: recipe.bias_correction },
        weight_decay: recipe.weight_decay,
        max_grad_norm: recipe.clip,
        bf16: false,
        is_recordable: false,
    };
    Ok(Learner::new(parameters, network.device(), config)?)
}
