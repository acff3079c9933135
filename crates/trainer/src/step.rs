//! A step: the gradients of a batch, and what becomes of the parameters.

use std::collections::BTreeMap;

use electra_objective::{Batch, Metric, Objective};
use electra_torch::{ClipResult, Graph, LearningRate, autocast, clip_grad_norm};
use tch::{Device, Kind, Tensor};

use crate::Error;
use crate::optimizer::Optimizer;
use crate::skips::Skips;

/// Steps that are computed before one is recorded: libraries allocate what they need when they are first called, which is
/// not to be part of it.
const WARM_UP: u32 = 3;

/// What learns, and how it does.
pub(crate) struct Learner {
    pub(crate) device: Device,
    /// Whether matrix products of the forward and backward pass are in bfloat16.
    pub(crate) narrow: bool,
    /// The most that the gradients' norm may be.
    pub(crate) clip: f64,
    pub(crate) objective: Box<dyn Objective>,
    pub(crate) optimizer: Optimizer,
    pub(crate) skips: Skips,
    pub(crate) rate: Rate,
}

/// The learning rate of the step that is being taken.
#[derive(Debug)]
pub(crate) enum Rate {
    /// On the CPU.
    Number(f64),
    /// On a GPU, where a recorded step reads it.
    Scalar(Tensor),
}

impl Rate {
    pub(crate) fn new(device: Device) -> Self {
        match device {
            Device::Cpu => Self::Number(0.0),
            _ => Self::Scalar(Tensor::zeros([], (Kind::Float, device))),
        }
    }

    pub(crate) fn set(&mut self, lr: f64) -> Result<(), Error> {
        match self {
            Self::Number(number) => *number = lr,
            Self::Scalar(scalar) => drop(scalar.f_fill_(lr)?),
        }
        Ok(())
    }

    fn get(&self) -> LearningRate<'_> {
        match self {
            Self::Number(number) => LearningRate::Number(*number),
            Self::Scalar(scalar) => LearningRate::Scalar(scalar),
        }
    }
}

/// What a step is known by: scalars on the device.
#[derive(Debug)]
pub(crate) struct Numbers {
    pub(crate) loss: Tensor,
    pub(crate) grad_norm: Tensor,
    /// The objective's own.
    pub(crate) metrics: BTreeMap<String, Tensor>,
}

impl Learner {
    /// Leaves the gradients of a batch's loss with the parameters, added to what is there. Gives the loss, and metrics if
    /// they are asked for.
    pub(crate) fn learn(&self, batch: &Batch, with_metrics: bool) -> Result<(Tensor, Vec<Metric>), Error> {
        let output =
            autocast(self.device, Kind::BFloat16, self.narrow, || self.objective.forward_t(batch, true))?;
        let loss = output.loss.f_to_kind(Kind::Float)?;
        loss.f_backward()?;
        let mut metrics = if with_metrics { output.metrics.compute() } else { Vec::new() };
        for metric in &mut metrics {
            metric.value = metric.value.f_to_kind(Kind::Float)?;
        }
        Ok((loss.detach(), metrics))
    }

    /// Updates the parameters with their gradients, which are gone then. A step that is not finite changes none.
    pub(crate) fn update(&mut self, loss: &Tensor) -> Result<ClipResult, Error> {
        let clip = clip_grad_norm(self.optimizer.parameters(), self.clip)?.or_non_finite(loss)?;
        self.optimizer.step(self.rate.get(), &clip)?;
        self.optimizer.zero_grad()?;
        self.skips.count(clip.found_inf())?;
        Ok(clip)
    }
}

/// Steps that are recorded and replayed.
#[derive(Debug, Default)]
pub(crate) struct Replays {
    warm: u32,
    recorded: Option<Recorded>,
}

#[derive(Debug)]
struct Recorded {
    graph: Graph,
    /// What the graph reads.
    batch: Batch,
}

impl Replays {
    /// Takes a step on a whole batch.
    pub(crate) fn step(&mut self, learner: &mut Learner, batch: Batch) -> Result<(), Error> {
        let whole = |learner: &mut Learner, batch: &Batch| {
            let (loss, _) = learner.learn(batch, false)?;
            learner.update(&loss).map(drop)
        };
        if self.warm < WARM_UP {
            self.warm += 1;
            return whole(learner, &batch);
        }
        let recorded = match &mut self.recorded {
            Some(recorded) => {
                recorded.batch.copy_(&batch);
                recorded
            }
            none => {
                let (graph, ()) = Graph::record(learner.device, || whole(learner, &batch))?;
                none.insert(Recorded { graph, batch })
            }
        };
        Ok(recorded.graph.replay()?)
    }
}

#[cfg(test)]
mod tests {
    use electra_encoder::EncoderConfig;
    use electra_objective::{Electra, Mlm, ModelConfig};
    use tch::nn;

    use super::*;
    use crate::checkpoint::SkipCounts;
    use electra_config::{Config, Preset};

    fn learner(var_store: &nn::VarStore, objective: Box<dyn Objective>) -> Learner {
        let config = Config::preset(Preset::Tiny, "electra", 0, "corpus".into());
        crate::init::initialise(var_store, &config).unwrap();
        Learner {
            device: Device::Cpu,
            // Under autocast, operations of the CPU's own are not taken: what is left is what a GPU computes.
            narrow: true,
            clip: 1.0,
            objective,
            optimizer: Optimizer::new(var_store, &config.optimizer).unwrap(),
            skips: Skips::new(SkipCounts::default(), 0, Device::Cpu),
            rate: Rate::Scalar(Tensor::zeros([], (Kind::Float, Device::Cpu))),
        }
    }

    /// Four rows of eight positions with two slots each, another text for each number.
    fn batch(number: i64) -> Batch {
        let ids = |from: i64| {
            let text = Tensor::arange(32, (Kind::Int64, Device::Cpu)) * (number + 1) + from;
            text.remainder(45).view([4, 8]) + 5
        };
        let place = Tensor::arange(8, (Kind::Int64, Device::Cpu)).expand([4, 8], false);
        let uniforms = Tensor::full([4, 2], 0.1 + 0.2 * number as f64, (Kind::Float, Device::Cpu));
        Batch::from_tensors(ids(0), place.lt(4 + number), place.zeros_like())
            .with("masked_input_ids", ids(1))
            .with("masked_positions", Tensor::from_slice(&[1_i64, 3]).expand([4, 2], false).contiguous())
            .with("masked_valid", Tensor::from_slice(&[true, number == 0]).expand([4, 2], false).contiguous())
            .with("uniforms", uniforms)
    }

    /// What may be in a graph: a replay calls what was called when it was recorded, with the numbers of then.
    #[test]
    fn steps_are_the_same_operations_whatever_the_batch_and_none_waits() {
        let model = ModelConfig::paper(EncoderConfig { vocab_size: 50, ..EncoderConfig::tiny() }, 0.5);
        for name in ["mlm", "electra"] {
            let var_store = nn::VarStore::new(Device::Cpu);
            let root = var_store.root();
            let objective: Box<dyn Objective> = match name {
                "mlm" => Box::new(Mlm::new(&root, &model)),
                _ => Box::new(Electra::new(&root, &model)),
            };
            let mut learner = learner(&var_store, objective);
            let mut step = |number: i64| {
                learner.rate.set(1e-3 * (1 + number) as f64).unwrap();
                let batch = batch(number);
                let (learnt, mut list) = electra_torch::operations(|| learner.learn(&batch, false)).unwrap();
                // `Learner::update` looks at the CPU's numbers itself, which is cheaper there.
                let (updated, update) = electra_torch::operations(|| {
                    let clip = clip_grad_norm(learner.optimizer.parameters(), learner.clip)?;
                    learner.optimizer.step(learner.rate.get(), &clip)?;
                    learner.optimizer.zero_grad()
                })
                .unwrap();
                updated.unwrap();
                list.extend(update);
                (learnt.unwrap().0.double_value(&[]), list)
            };
            let steps: Vec<(f64, Vec<String>)> = (0..3).map(&mut step).collect();
            let losses: Vec<f64> = steps.iter().map(|(loss, _)| *loss).collect();
            assert!(losses[0] != losses[1] && losses[1] != losses[2], "{losses:?}");
            assert!(steps[0].1.len() > 100, "{:#?}", steps[0].1);
            for (_, list) in &steps {
                for (first, call) in steps[0].1.iter().zip(list) {
                    assert_eq!(first, call, "{name}");
                }
                assert_eq!(list.len(), steps[0].1.len(), "{name}");
                for waits in ["_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal "] {
                    let found = list.iter().find(|call| call.contains(waits));
                    assert_eq!(found, None, "{name} waits for the device");
                }
            }
        }
    }

    #[test]
    fn a_rate_on_the_device_is_the_rate() {
        // Without dropout, whose numbers other tests of this process draw from too.
        let encoder = EncoderConfig { vocab_size: 50, ..EncoderConfig::tiny().without_dropout() };
        let model = ModelConfig::paper(encoder, 0.5);
        let parameters = |rate: fn(Device) -> Rate| {
            let var_store = nn::VarStore::new(Device::Cpu);
            let objective = Box::new(Mlm::new(&var_store.root(), &model));
            let mut learner = learner(&var_store, objective);
            learner.rate = rate(Device::Cpu);
            for number in 0..3 {
                learner.rate.set(0.5_f64.powi(8 + number)).unwrap();
                tch::manual_seed(1);
                let (loss, _) = learner.learn(&batch(i64::from(number)), false).unwrap();
                learner.update(&loss).unwrap();
            }
            Tensor::cat(&learner.optimizer.parameters().iter().map(|p| p.view([-1])).collect::<Vec<_>>(), 0)
        };
        let number = parameters(Rate::new);
        let scalar = parameters(|device| Rate::Scalar(Tensor::zeros([], (Kind::Float, device))));
        assert!(number.equal(&scalar));
    }
}
