//! A step: the gradients of a batch, and what becomes of the parameters.

use std::collections::BTreeMap;

use electra_objective::{DeviceBatch, Metric, Metrics, Objective, Over};
use electra_torch::{Graph, Learner};
use tch::{Device, Kind, Tensor};

use crate::Error;

/// Steps that are computed before one is recorded: libraries allocate what they need when they are first called, which is
/// not to be part of it.
const WARM_UP: u32 = 3;

/// What a step is known by: scalars on the device.
#[derive(Debug)]
pub(crate) struct Numbers {
    pub(crate) sums: Sums,
    pub(crate) grad_norm: Tensor,
}

/// What the parts of a step, or the batches of a text, add up to: scalars on the device.
#[derive(Debug)]
pub(crate) struct Sums {
    pub(crate) loss: Tensor,
    pub(crate) metrics: BTreeMap<String, Tensor>,
}

impl Sums {
    pub(crate) fn new(device: Device) -> Result<Self, Error> {
        Ok(Self { loss: Tensor::f_zeros([0_i64; 0], (Kind::Float, device))?, metrics: BTreeMap::new() })
    }

    /// Adds a part. `parts` is the rows of all parts over those of this one: how many parts there are, where they are equal.
    pub(crate) fn add(&mut self, loss: &Tensor, metrics: Vec<Metric>, parts: f64) -> Result<(), Error> {
        self.loss = self.loss.f_add(loss)?;
        for Metric { name, value, over } in metrics {
            let value = match over {
                Over::Step => value,
                Over::Part => value.f_div_scalar(parts)?,
            };
            let sum = match self.metrics.get(&name) {
                Some(sum) => sum.f_add(&value)?,
                None => value,
            };
            self.metrics.insert(name, sum);
        }
        Ok(())
    }
}

/// Leaves the gradients of a batch's loss with the parameters, added to what is there. Gives the loss, and metrics if they
/// are asked for.
pub(crate) fn learn(
    objective: &dyn Objective,
    learner: &Learner,
    batch: &DeviceBatch,
    with_metrics: bool,
) -> Result<(Tensor, Vec<Metric>), Error> {
    let (loss, metrics) = learner.learn(|| {
        let output = objective.forward_t(batch, true);
        (output.loss, output.metrics)
    })?;
    Ok((loss, if with_metrics { computed(metrics)? } else { Vec::new() }))
}

/// Metrics, float32.
pub(crate) fn computed(metrics: Metrics) -> Result<Vec<Metric>, Error> {
    let mut metrics = metrics.compute();
    for metric in &mut metrics {
        metric.value = metric.value.f_to_kind(Kind::Float)?;
    }
    Ok(metrics)
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
    batch: DeviceBatch,
}

impl Replays {
    /// Takes a step on a whole batch.
    pub(crate) fn step(
        &mut self,
        objective: &dyn Objective,
        learner: &mut Learner,
        batch: DeviceBatch,
    ) -> Result<(), Error> {
        let whole = |learner: &mut Learner, batch: &DeviceBatch| -> Result<(), Error> {
            let (loss, _) = learn(objective, learner, batch, false)?;
            Ok(learner.update(&loss).map(drop)?)
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
            empty => {
                let (graph, ()) = Graph::record(learner.device(), || whole(learner, &batch))?;
                empty.insert(Recorded { graph, batch })
            }
        };
        Ok(recorded.graph.replay()?)
    }
}

#[cfg(test)]
mod tests {
    use electra_encoder::EncoderConfig;
    use electra_objective::{Electra, Mlm, ModelConfig};
    use electra_torch::{AdamWConfig, KernelLevel, LearnerConfig, with_kernel_level};
    use tch::nn;

    use super::*;
    use crate::optimizer;
    use electra_config::{Config, Preset};

    /// A learner as on a GPU.
    fn learner(var_store: &nn::VarStore) -> Learner {
        let config = Config::preset(Preset::Tiny, "electra", 0, "corpus".into());
        crate::init::initialise(var_store, &config).unwrap();
        let settings = LearnerConfig {
            adamw: AdamWConfig::paper(),
            weight_decay: 0.01,
            max_grad_norm: 1.0,
            bf16: true,
            is_recordable: true,
        };
        Learner::new(optimizer::parameters(var_store), Device::Cpu, settings).unwrap()
    }

    /// Four rows of eight positions with two slots each, another text for each number.
    fn batch(number: i64) -> DeviceBatch {
        let ids = |from: i64| {
            let text = Tensor::arange(32, (Kind::Int64, Device::Cpu)) * (number + 1) + from;
            text.remainder(45).view([4, 8]) + 5
        };
        let place = Tensor::arange(8, (Kind::Int64, Device::Cpu)).expand([4, 8], false);
        let uniforms = Tensor::full([4, 2], 0.1 + 0.2 * number as f64, (Kind::Float, Device::Cpu));
        DeviceBatch::from_tensors(ids(0), place.lt(4 + number), place.zeros_like())
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
            let mut learner = learner(&var_store);
            let mut step = |number: i64| {
                learner.set_learning_rate(1e-3 * (1 + number) as f64).unwrap();
                let batch = batch(number);
                let learn = || learn(&*objective, &learner, &batch, false);
                let formula = || with_kernel_level(KernelLevel::Formula, learn).unwrap();
                let (learnt, mut list) = electra_torch::operations(formula).unwrap();
                // `Learner::update` looks at the CPU's numbers itself, which is cheaper there.
                let (updated, update) = electra_torch::operations(|| {
                    let clip = learner.clip()?;
                    learner.apply(&clip)
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
}
