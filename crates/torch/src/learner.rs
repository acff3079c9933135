//! A training step: what becomes of parameters by the gradients of a loss.

use tch::{Device, Kind, Tensor, nn};

use crate::skips::{SkipCounts, Skips};
use crate::{
    AdamW, AdamWConfig, ClipResult, Error, Group, LearningRate, ParameterState, autocast, clip_grad_norm,
};

/// A parameter that is to learn, and how fast.
#[derive(Debug)]
pub struct Parameter {
    /// Its name in the `VarStore`.
    pub name: String,
    /// The leaf tensor, usually a shallow clone of the `VarStore`'s.
    pub tensor: Tensor,
    /// Factor on the learning rate: 1, or a layer's factor under layer-wise decay.
    pub lr_scale: f64,
}

impl Parameter {
    /// Every parameter that needs gradients, by name: a `VarStore` lists them in another order each time, and sums over
    /// them would differ.
    #[must_use]
    pub fn from_var_store(var_store: &nn::VarStore) -> Vec<Self> {
        let trainable = var_store.variables().into_iter().filter(|(_, tensor)| tensor.requires_grad());
        let mut parameters: Vec<Self> =
            trainable.map(|(name, tensor)| Self { name, tensor, lr_scale: 1.0 }).collect();
        parameters.sort_by(|first, second| first.name.cmp(&second.name));
        parameters
    }

    /// Whether weight decay applies: not to LayerNorm and not to biases (reference, `exclude_from_weight_decay`).
    #[must_use]
    pub fn is_decayed(&self) -> bool {
        !["LayerNorm", "layer_norm", "norm.weight", "bias"]
            .iter()
            .any(|excluded| self.name.contains(excluded))
    }
}

/// Settings of a [`Learner`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearnerConfig {
    /// Constants of the optimizer.
    pub adamw: AdamWConfig,
    /// λ of the decoupled decay, for the parameters that it applies to.
    pub weight_decay: f64,
    /// The most that the gradients' global norm may be.
    pub max_grad_norm: f64,
    /// Whether matrix products of the forward and backward pass are in bfloat16.
    pub bf16: bool,
    /// Whether steps may be recorded: then the learning rate is a scalar on the device, which a [`Graph`](crate::Graph)
    /// reads.
    pub is_recordable: bool,
}

/// Parameters that learn by AdamW: forward under autocast, backward, clip of the global norm, update. A step whose loss or
/// gradients are not finite changes nothing and is counted.
#[derive(Debug)]
pub struct Learner {
    device: Device,
    bf16: bool,
    max_grad_norm: f64,
    adamw: AdamW,
    /// In the optimizer's order.
    names: Vec<String>,
    rate: Rate,
    skips: Skips,
}

impl Learner {
    /// Parameters of one device. Those of one factor and one decay are updated together; the order of the parameters is
    /// kept otherwise, and with it the order of the sum that the norm is.
    ///
    /// # Errors
    ///
    /// A setting out of its range, a parameter that is not of a floating-point kind, or one that is given twice.
    pub fn new(parameters: Vec<Parameter>, device: Device, config: LearnerConfig) -> Result<Learner, Error> {
        let mut groups: Vec<(Group, Vec<String>)> = Vec::new();
        for parameter in parameters {
            let weight_decay = if parameter.is_decayed() { config.weight_decay } else { 0.0 };
            let Parameter { name, tensor, lr_scale } = parameter;
            let alike = |group: &Group| group.lr_scale == lr_scale && group.weight_decay == weight_decay;
            match groups.iter_mut().find(|(group, _)| alike(group)) {
                Some((group, names)) => {
                    group.parameters.push(tensor);
                    names.push(name);
                }
                None => {
                    groups.push((Group { parameters: vec![tensor], weight_decay, lr_scale }, vec![name]));
                }
            }
        }
        let (groups, names): (Vec<Group>, Vec<Vec<String>>) = groups.into_iter().unzip();
        Ok(Learner {
            device,
            bf16: config.bf16,
            max_grad_norm: config.max_grad_norm,
            adamw: AdamW::new(groups, config.adamw)?,
            names: names.concat(),
            rate: Rate::new(device, config.is_recordable)?,
            skips: Skips::new(SkipCounts::default(), 0, device),
        })
    }

    /// Where the parameters are.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }

    /// All parameters, in the optimizer's order.
    pub fn parameters(&self) -> &[Tensor] {
        self.adamw.parameters()
    }

    /// Sets the learning rate of the steps from now on.
    ///
    /// # Errors
    ///
    /// An exception of libtorch.
    pub fn set_learning_rate(&mut self, lr: f64) -> Result<(), Error> {
        self.rate.set(lr)
    }

    /// Leaves the gradients of a loss with the parameters, added to what is there. `forward` computes the loss, and what
    /// else the caller has from it, under autocast. Gives the loss in float32, without a graph.
    ///
    /// # Errors
    ///
    /// An exception of libtorch.
    pub fn learn<T>(&self, forward: impl FnOnce() -> (Tensor, T)) -> Result<(Tensor, T), Error> {
        let (loss, output) = autocast(self.device, Kind::BFloat16, self.bf16, forward)?;
        let loss = loss.f_to_kind(Kind::Float)?;
        loss.f_backward()?;
        Ok((loss.detach(), output))
    }

    /// A loss that nothing learns from: `forward` computes it, and what else the caller has from it, under autocast and
    /// without gradients. Gives the loss in float32.
    ///
    /// # Errors
    ///
    /// An exception of libtorch.
    pub fn evaluate<T>(&self, forward: impl FnOnce() -> (Tensor, T)) -> Result<(Tensor, T), Error> {
        let (loss, output) = tch::no_grad(|| autocast(self.device, Kind::BFloat16, self.bf16, forward))?;
        Ok((loss.f_to_kind(Kind::Float)?, output))
    }

    /// Updates the parameters with their gradients, which are gone then, unless these or `loss` are not finite.
    ///
    /// # Errors
    ///
    /// A learning rate that is negative or not finite, or an exception of libtorch.
    pub fn update(&mut self, loss: &Tensor) -> Result<ClipResult, Error> {
        let clip = self.clip()?.or_non_finite(loss)?;
        self.apply(&clip)?;
        self.skips.count(clip.found_inf())?;
        Ok(clip)
    }

    /// The norm of the gradients that are there, and the factor that clips it.
    ///
    /// # Errors
    ///
    /// An exception of libtorch.
    pub fn clip(&self) -> Result<ClipResult, Error> {
        clip_grad_norm(self.adamw.parameters(), self.max_grad_norm)
    }

    /// The part of [`Learner::update`] that neither waits for the device nor counts skipped steps.
    ///
    /// # Errors
    ///
    /// As [`Learner::update`].
    pub fn apply(&mut self, clip: &ClipResult) -> Result<(), Error> {
        self.adamw.step(self.rate.get(), clip)?;
        self.adamw.zero_grad()
    }

    /// Counts of steps that were skipped. Reading them waits for the device.
    ///
    /// # Errors
    ///
    /// An exception of libtorch.
    pub fn skipped(&self) -> Result<SkipCounts, Error> {
        self.skips.read()
    }

    /// The optimizer's state by the names of the parameters. The tensors are the live ones: the next step changes them.
    ///
    /// # Errors
    ///
    /// An exception of libtorch.
    pub fn state(&self) -> Result<impl Iterator<Item = (&str, ParameterState)>, Error> {
        Ok(self.names.iter().map(String::as_str).zip(self.adamw.state()?))
    }

    /// Goes on before a step, with the optimizer's state of each name and the counts of then.
    ///
    /// # Errors
    ///
    /// What `state` fails with, or a state that does not fit its parameter; nothing changes then.
    pub fn resume<E: From<Error>>(
        &mut self,
        step: u64,
        skipped: SkipCounts,
        state: impl FnMut(&str) -> Result<ParameterState, E>,
    ) -> Result<(), E> {
        let state = self.names.iter().map(String::as_str).map(state).collect::<Result<Vec<_>, E>>()?;
        self.adamw.set_state(&state)?;
        self.skips = Skips::new(skipped, step, self.device);
        Ok(())
    }
}

/// The learning rate of the step that is being taken.
#[derive(Debug)]
enum Rate {
    /// On the CPU.
    Number(f64),
    /// On the device, where a recorded step reads it.
    Scalar(Tensor),
}

impl Rate {
    fn new(device: Device, is_recordable: bool) -> Result<Self, Error> {
        match is_recordable {
            false => Ok(Self::Number(0.0)),
            true => Ok(Self::Scalar(Tensor::f_zeros([0_i64; 0], (Kind::Float, device))?)),
        }
    }

    fn set(&mut self, lr: f64) -> Result<(), Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> LearnerConfig {
        LearnerConfig {
            adamw: AdamWConfig::paper(),
            weight_decay: 0.01,
            max_grad_norm: 1.0,
            bf16: false,
            is_recordable: false,
        }
    }

    fn parameter(name: &str, values: &[f32], lr_scale: f64) -> Parameter {
        Parameter {
            name: name.to_owned(),
            tensor: Tensor::from_slice(values).set_requires_grad(true),
            lr_scale,
        }
    }

    fn values(learner: &Learner) -> Vec<f32> {
        let flat: Vec<Tensor> = learner.parameters().iter().map(|tensor| tensor.reshape([-1])).collect();
        Vec::try_from(Tensor::cat(&flat, 0)).unwrap()
    }

    #[test]
    fn layer_norms_and_biases_do_not_decay() {
        for (name, is_decayed) in [
            ("main.electra.encoder.layer.0.attention.self.query.weight", true),
            ("main.electra.encoder.layer.0.attention.self.query.bias", false),
            ("main.electra.encoder.layer.0.output.LayerNorm.weight", false),
            ("main.electra.encoder.layer.0.output.layer_norm.weight", false),
            ("main.electra.layers.0.mlp_norm.weight", false),
            ("main.electra.layers.0.mlp.Wo.weight", true),
            ("classifier.weight", true),
        ] {
            assert_eq!(parameter(name, &[], 1.0).is_decayed(), is_decayed, "{name}");
        }
        // A gradient of 0 moves what decays, and nothing else: by lr · factor · λ of it.
        let parameters = vec![parameter("a.weight", &[1.0], 1.0), parameter("a.bias", &[1.0], 1.0)];
        let parameters: Vec<Parameter> =
            parameters.into_iter().chain([parameter("b.weight", &[1.0], 0.5)]).collect();
        let mut learner = Learner::new(parameters, Device::Cpu, config()).unwrap();
        learner.set_learning_rate(1.0).unwrap();
        let sum = |learner: &Learner| {
            let sums: Vec<Tensor> =
                learner.parameters().iter().map(|tensor| (tensor * 0.0).sum(Kind::Float)).collect();
            Tensor::stack(&sums, 0).sum(Kind::Float)
        };
        let (loss, ()) = learner.learn(|| (sum(&learner), ())).unwrap();
        learner.update(&loss).unwrap();
        for (found, expected) in values(&learner).into_iter().zip([0.99, 1.0, 0.995]) {
            assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
        }
    }

    #[test]
    fn a_step_that_is_not_finite_changes_nothing_and_is_counted() {
        let mut learner = Learner::new(vec![parameter("w", &[2.0], 1.0)], Device::Cpu, config()).unwrap();
        learner.set_learning_rate(0.1).unwrap();
        let mut step = |factor: f64| {
            let (loss, ()) =
                learner.learn(|| ((&learner.parameters()[0] * factor).sum(Kind::Float), ())).unwrap();
            learner.update(&loss).unwrap();
            (values(&learner)[0], learner.skipped().unwrap())
        };
        let (first, skipped) = step(1.0);
        assert_eq!((first < 2.0, skipped.total), (true, 0));
        let (second, skipped) = step(f64::NAN);
        assert_eq!((second, skipped.total, skipped.longest_end), (first, 1, 1));
        let (third, skipped) = step(1.0);
        assert_eq!((third < second, skipped.total, skipped.consecutive), (true, 1, 0));
    }

    #[test]
    fn what_is_evaluated_is_not_learnt_from() {
        for bf16 in [false, true] {
            let mut learner = Learner::new(
                vec![parameter("w", &[2.0, 3.0], 1.0)],
                Device::Cpu,
                LearnerConfig { bf16, ..config() },
            )
            .unwrap();
            learner.set_learning_rate(0.1).unwrap();
            let product = |learner: &Learner| {
                let row = learner.parameters()[0].view([1, 2]);
                row.matmul(&row.tr()).sum(row.kind())
            };
            let (loss, ()) = learner.evaluate(|| (product(&learner), ())).unwrap();
            assert_eq!((loss.double_value(&[]), loss.kind()), (13.0, Kind::Float));
            assert!(!loss.requires_grad() && !learner.parameters()[0].grad().defined());
            let (_, ()) = learner.learn(|| (product(&learner), ())).unwrap();
            learner.update(&loss).unwrap();
            assert_ne!(values(&learner), [2.0, 3.0]);
        }
    }

    #[test]
    fn a_learner_that_goes_on_ends_as_one_that_was_not_interrupted() {
        let fresh = |values: &[f32]| {
            let parameters =
                vec![parameter("b", &values[..1], 1.0), parameter("a.weight", &values[1..], 0.5)];
            Learner::new(parameters, Device::Cpu, config()).unwrap()
        };
        let step = |learner: &mut Learner, number: u64| {
            learner.set_learning_rate(0.1 / (1 + number) as f64).unwrap();
            let (loss, ()) = learner
                .learn(|| {
                    let squares =
                        learner.parameters().iter().map(|tensor| (tensor * tensor).sum(Kind::Float));
                    (Tensor::stack(&squares.collect::<Vec<_>>(), 0).sum(Kind::Float), ())
                })
                .unwrap();
            learner.update(&loss).unwrap();
        };
        let mut whole = fresh(&[1.0, -2.0, 3.0]);
        (0..3).for_each(|number| step(&mut whole, number));
        let mut second = fresh(&values(&whole));
        let mut state: Vec<(String, ParameterState)> =
            whole.state().unwrap().map(|(name, state)| (name.to_owned(), state)).collect();
        let mut take = |name: &str| {
            let place = state.iter().position(|(other, _)| other == name).expect("a state by this name");
            Ok::<_, Error>(state.remove(place).1)
        };
        second.resume(3, whole.skipped().unwrap(), &mut take).unwrap();
        for learner in [&mut whole, &mut second] {
            (3..6).for_each(|number| step(learner, number));
        }
        assert_eq!(values(&whole), values(&second));
    }

    #[test]
    fn a_rate_on_the_device_is_the_rate() {
        let after = |is_recordable| {
            let config = LearnerConfig { is_recordable, ..config() };
            let mut learner =
                Learner::new(vec![parameter("w", &[2.0, 3.0], 0.5)], Device::Cpu, config).unwrap();
            for number in 0..3 {
                learner.set_learning_rate(0.5_f64.powi(8 + number)).unwrap();
                let (loss, ()) =
                    learner.learn(|| (learner.parameters()[0].square().sum(Kind::Float), ())).unwrap();
                learner.update(&loss).unwrap();
            }
            values(&learner)
        };
        assert_eq!(after(true), after(false));
    }
}
