//! A run that is under way: the training loop.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use electra_config::{Config, Horizon, StepCost};
use electra_masking::Stream;
use electra_objective::{DISC_AUC, DISC_RECALL, DeviceBatch, MASKED_LM_LOSS, Objective};
use electra_torch::{Learner, Preceding, with_dropout_keys};
use tch::{Device, nn};

use crate::Error;
use crate::batches::{BatchSource, Batches};
use crate::checkpoint::TextHashes;
use crate::clock::Clock;
use crate::flat::{Tree, gather, scatter};
use crate::health::{Health, Seen, Watch};
use crate::log::{Metrics, Timing};
use crate::ranks::Ranks;
use crate::run::{Event, Outcome, Rates, Valid};
use crate::step::{Numbers, Replays, Sums, learn};
use crate::validation::HeldOut;
use crate::writer::Writer;

/// What dropout is seeded from: (seed, step, part of the batch).
const DROPOUT: Stream = Stream::named(b"dropout\0");

/// A run that is under way.
pub(crate) struct Training<'r, 'c> {
    pub(crate) config: &'r Config,
    pub(crate) ranks: &'r Ranks,
    /// None on all ranks but the first.
    pub(crate) writer: Option<Writer>,
    /// Whether parts and ranks are added up as a tree, which gives the same bytes on any number of ranks.
    pub(crate) sums_as_tree: bool,
    pub(crate) texts: TextHashes,
    pub(crate) source: BatchSource<'c>,
    pub(crate) held_out: Option<HeldOut>,
    pub(crate) stop: &'r AtomicBool,
    pub(crate) observer: &'r mut dyn FnMut(&Event),
    pub(crate) var_store: nn::VarStore,
    pub(crate) objective: Box<dyn Objective>,
    pub(crate) learner: Learner,
    pub(crate) replays: Replays,
    pub(crate) horizon: Horizon,
    pub(crate) cost: StepCost,
    pub(crate) peak_flops_per_s: f64,
    pub(crate) watch: Watch,
    pub(crate) health: Health,
    /// Steps that are done, which is also the number of the next.
    pub(crate) step: u64,
    pub(crate) clock: Clock,
    pub(crate) rates: Option<Rates>,
    /// The last that was measured on held-out text in this sitting.
    pub(crate) valid: Option<Valid>,
}

impl Training<'_, '_> {
    /// Batch, learning rate, forward, backward, clip, step, log, save.
    pub(crate) fn run(&mut self, batches: &mut Batches) -> Result<Outcome, Error> {
        self.clock.start(self.step);
        loop {
            let is_stopped = self.agree()?;
            if self.progress() >= 1.0 {
                break;
            }
            if is_stopped {
                self.save()?;
                return Ok(Outcome::Interrupted { step: self.step });
            }
            let step = self.step;
            let lr = self.config.schedule().lr(step, self.progress());
            let is_last = self.horizon.steps() == Some(step + 1);
            let is_measured = self.held_out.is_some()
                && (is_last || (step + 1).is_multiple_of(self.config.log.valid_every_steps));
            let is_logged = is_last || is_measured || (step + 1).is_multiple_of(self.config.log.every_steps);
            let is_saved = (step + 1).is_multiple_of(self.config.checkpoint.every_steps);

            self.learner.set_learning_rate(lr)?;
            let parts = batches.next()?;
            let numbers = if self.is_replayed() && !is_logged {
                let batch = self.part(&parts, 0);
                self.replays.step(&*self.objective, &mut self.learner, batch)?;
                None
            } else {
                Some(self.take_step(&parts, is_logged)?)
            };
            batches.give_back(parts);
            self.step += 1;
            self.clock.tick();

            // A GPU is asked only when it is waited for in any case.
            if self.learner.device() == Device::Cpu || is_logged || is_saved {
                self.stop_if_stuck()?;
            }
            if let Some(numbers) = numbers.filter(|_| is_logged) {
                self.log(lr, &numbers, is_measured)?;
            }
            if is_saved {
                self.save()?;
            }
            let event =
                Event::Step { step: self.step, progress: self.progress().min(1.0), rates: self.rates };
            (self.observer)(&event);
        }
        self.save()?;
        Ok(Outcome::Finished { step: self.step })
    }

    /// Takes over the first rank's time, and gives whether any rank was asked to stop: one that did what it alone was asked
    /// to would leave the others waiting.
    fn agree(&mut self) -> Result<bool, Error> {
        let is_stopped = self.stop.load(Ordering::Relaxed);
        if !self.ranks.are_several() {
            return Ok(is_stopped);
        }
        let own_time = if self.ranks.is_first() { self.clock.elapsed() } else { 0.0 };
        let [is_stopped, time] = self.ranks.max([f64::from(u8::from(is_stopped)), own_time])?;
        self.clock.set(time);
        Ok(is_stopped > 0.0)
    }

    fn progress(&self) -> f64 {
        self.horizon.progress(self.step, self.clock.elapsed())
    }

    /// Whether steps are recorded and replayed.
    pub(crate) fn is_replayed(&self) -> bool {
        let is_cuda = self.learner.device().is_cuda();
        self.config.device.cuda_graphs && is_cuda && !self.objective.waits_for_device()
    }

    /// A part of the step's batch, on the device, and the seed of libtorch's own dropout set: the state of that generator
    /// cannot be saved, so each part begins anew.
    fn part(&self, parts: &[electra_data::Batch], part: usize) -> DeviceBatch {
        let before = self.ranks.rank() * parts.len();
        tch::manual_seed(self.dropout_seed(before + part) as i64);
        DeviceBatch::new(&parts[part], self.learner.device())
    }

    fn dropout_seed(&self, part: usize) -> u64 {
        DROPOUT.rng(self.config.seed, self.step, part as u64).next_u64()
    }

    /// Takes a step. Each part's loss is its share of the step's, so that the parts' gradients add up.
    fn take_step(&mut self, parts: &[electra_data::Batch], with_metrics: bool) -> Result<Numbers, Error> {
        let mut sums = Sums::new(self.learner.device())?;
        let mut tree = Tree::default();
        let all_parts = parts.len() * self.ranks.size();
        let as_tree = self.sums_as_tree && all_parts > 1;
        for part in 0..parts.len() {
            if as_tree {
                electra_torch::zero_grad(self.learner.parameters())?;
                sums = Sums::new(self.learner.device())?;
            }
            let batch = self.part(parts, part);
            // What the kernels drop is keyed by the step's rows, so that parts drop what the whole batch would.
            let preceding = Preceding { examples: batch.first_row, tokens: batch.first_token };
            let forward_and_backward = || learn(&*self.objective, &self.learner, &batch, with_metrics);
            let (loss, metrics) = with_dropout_keys(self.dropout_seed(0), preceding, forward_and_backward)??;
            sums.add(&loss, metrics, all_parts as f64)?;
            if as_tree {
                tree.push(gather(self.learner.parameters(), &sums)?)?;
            }
        }
        if as_tree || self.ranks.are_several() {
            let parameters = self.learner.parameters();
            let mut flat = if as_tree { tree.finish()? } else { gather(parameters, &sums)? };
            self.ranks.sum(&mut flat, as_tree)?;
            scatter(&flat, parameters, &mut sums)?;
        }
        let clip = self.learner.update(&sums.loss)?;
        Ok(Numbers { sums, grad_norm: clip.norm().shallow_clone() })
    }

    /// Reads the step's numbers, which waits for the device, measures held-out text if that is asked for, and writes all.
    fn log(&mut self, lr: f64, numbers: &Numbers, is_measured: bool) -> Result<(), Error> {
        let step = self.step;
        let (loss, objective) = read(&numbers.sums)?;
        let held_out = self.held_out.as_ref().filter(|_| is_measured);
        let sums =
            held_out.map(|text| text.measure(&*self.objective, &self.learner, self.ranks)).transpose()?;
        let valid = sums.as_ref().map(read).transpose()?;
        let metrics = Metrics {
            step,
            loss,
            lr,
            grad_norm: numbers.grad_norm.f_double_value(&[])?,
            tokens: step * self.cost.tokens,
            flops: step as f64 * self.cost.paper_flops,
            skipped: self.learner.skipped()?.total,
            objective,
            valid: valid.as_ref().map(|(loss, metrics)| valid_lines(*loss, metrics)).unwrap_or_default(),
        };
        if let Some((loss, metrics)) = &valid {
            let metric = |name: &str| metrics.get(name).copied();
            self.valid = Some(Valid {
                step,
                loss: *loss,
                masked_lm_loss: metric(MASKED_LM_LOSS),
                disc_auc: metric(DISC_AUC),
            });
        }
        let steps_per_s = self.clock.lap(step);
        let rates = Rates {
            loss: metrics.loss,
            valid: self.valid,
            tokens_per_s: steps_per_s * self.cost.tokens as f64,
            peak_share: steps_per_s * self.cost.executed_flops / self.peak_flops_per_s,
            seconds_left: self.horizon.left(step, self.clock.elapsed(), steps_per_s),
        };
        let timing = Timing {
            step,
            elapsed_seconds: self.clock.elapsed(),
            tokens_per_s: rates.tokens_per_s,
            peak_share: rates.peak_share,
            peak_memory_bytes: electra_torch::memory(self.learner.device()).ok().map(|memory| memory.peak),
        };
        self.rates = Some(rates);
        if let Some(writer) = &mut self.writer {
            writer.logs.write(&metrics, &timing)?;
        }
        self.remark(&metrics)
    }

    /// Says what the curves say of the run, once each.
    fn remark(&mut self, metrics: &Metrics) -> Result<(), Error> {
        let metric = |name: &str| metrics.objective.get(name).copied();
        let seen = Seen {
            step: self.step,
            is_warm: self.config.schedule().is_warm(self.step, self.progress()),
            loss: self.watch.unigram.and_then(|(predicted, _)| metric(predicted.metric())),
            recall: metric(DISC_RECALL),
        };
        for remark in self.health.take(&self.watch, &seen) {
            if let Some(writer) = &mut self.writer {
                writer.logs.remark(&remark)?;
            }
            (self.observer)(&Event::Remark(remark));
        }
        Ok(())
    }
}

/// Loss and metrics as numbers, which waits for the device.
fn read(sums: &Sums) -> Result<(f64, BTreeMap<String, f64>), Error> {
    let metrics = sums.metrics.iter().map(|(name, value)| Ok((name.clone(), value.f_double_value(&[])?)));
    Ok((sums.loss.f_double_value(&[])?, metrics.collect::<Result<_, tch::TchError>>()?))
}

/// The numbers of held-out text under their names in the logs: `valid/loss`, `valid/masked_lm_loss` and so on.
fn valid_lines(loss: f64, metrics: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let named = metrics.iter().map(|(name, value)| (name.as_str(), *value)).chain([("loss", loss)]);
    named.map(|(name, value)| (format!("valid/{name}"), value)).collect()
}
