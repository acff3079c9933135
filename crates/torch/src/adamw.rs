use crate::ffi::optimizer::{self, Lists, Scalars};
use crate::{ClipResult, Error};
use tch::{Device, Kind, Tensor};

/// A step count at which both bias corrections, 1 - βᵗ, are exactly 1: a power of two, so exact in f32, and
/// below 2⁶³ for kernels that read it as an integer. (1 - 2⁻²⁵)^(2⁶²) is 0 in f64.
const ENDLESS: f64 = (1_u64 << 62) as f64;

/// Nothing nearer to 1: a kernel that holds β in f32 would round it to 1, whose powers never vanish.
const MAX_BETA: f64 = 1.0 - f32::EPSILON as f64;

/// Parameters that are updated alike.
#[derive(Debug)]
pub struct Group {
    /// Leaf tensors, usually shallow clones of a `VarStore`'s, none of them in two groups.
    pub parameters: Vec<Tensor>,
    /// λ of the decoupled decay: a step takes lr · `lr_scale` · λ of a parameter away from it.
    pub weight_decay: f64,
    /// Factor on the learning rate: 1, or a layer's factor under layer-wise decay.
    pub lr_scale: f64,
}

/// The rate of a step.
#[derive(Debug, Clone, Copy)]
pub enum LearningRate<'a> {
    /// The CPU's number.
    Number(f64),
    /// A scalar in float32 on the parameters' device, which a step that was recorded reads anew: see
    /// [`Graph`](crate::Graph).
    Scalar(&'a Tensor),
}

impl From<f64> for LearningRate<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a Tensor> for LearningRate<'a> {
    fn from(scalar: &'a Tensor) -> Self {
        Self::Scalar(scalar)
    }
}

/// Constants of [`AdamW`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWConfig {
    /// Decay of the running mean of gradients, 0.9 in the paper.
    pub beta1: f64,
    /// Decay of the running mean of squared gradients, 0.999 in the paper.
    pub beta2: f64,
    /// Added outside the square root, 1e-6 in the paper.
    pub eps: f64,
    /// Whether both means are divided by 1 - βᵗ, as PyTorch does and the reference does not.
    pub bias_correction: bool,
}

impl AdamWConfig {
    /// The paper's constants, without bias correction.
    #[must_use]
    pub fn paper() -> AdamWConfig {
        AdamWConfig { beta1: 0.9, beta2: 0.999, eps: 1e-6, bias_correction: false }
    }
}

/// What [`AdamW`] remembers of one parameter.
#[derive(Debug)]
pub struct ParameterState {
    /// Running mean of the gradients, of the parameter's shape and kind.
    pub exp_avg: Tensor,
    /// Running mean of the squared gradients, of the parameter's shape and kind.
    pub exp_avg_sq: Tensor,
    /// Updates that the parameter had; steps without a gradient and skipped steps do not count.
    /// Counted in float32, so exact up to 2²⁴.
    pub steps: i64,
}

/// Parameters that one call of the kernel takes: of one group, one kind and one device.
#[derive(Debug)]
struct Part {
    indices: Vec<usize>,
    weight_decay: f64,
    lr_scale: f64,
    kind: Kind,
    device: Device,
    /// [`ENDLESS`] on the device, if the means are not corrected.
    fixed_step: Option<Tensor>,
}

/// AdamW over lists of tensors, a few kernel launches for all parameters together.
///
/// With gradient g, parameter θ and step count t, as the reference's `optimization.py` computes it:
///
/// ```text
/// m ← β₁·m + (1 - β₁)·g        v ← β₂·v + (1 - β₂)·g²        m, v = 0 before the first step
/// θ ← θ - lr·(m / (√v + ε) + λ·θ)
/// ```
///
/// With `bias_correction`, m / (1 - β₁ᵗ) and v / (1 - β₂ᵗ) stand for m and v in the last line.
///
/// A parameter without a gradient stays as it is, its state and its decay included, as in PyTorch.
/// Parameters are counted over all groups, in the order given.
#[derive(Debug)]
pub struct AdamW {
    config: AdamWConfig,
    parameters: Vec<Tensor>,
    exp_avgs: Vec<Tensor>,
    exp_avg_sqs: Vec<Tensor>,
    /// Scalars in float32, beside their parameters.
    steps: Vec<Tensor>,
    parts: Vec<Part>,
}

impl AdamW {
    /// State of zeros for every parameter.
    ///
    /// # Errors
    ///
    /// A constant out of its range, a parameter that is not of a floating-point kind, or one that is given
    /// twice.
    pub fn new(groups: Vec<Group>, config: AdamWConfig) -> Result<AdamW, Error> {
        for (name, beta) in [("beta1", config.beta1), ("beta2", config.beta2)] {
            expect(name, beta, (0.0..=MAX_BETA).contains(&beta), "from 0 to below 1")?;
        }
        expect("eps", config.eps, config.eps.is_finite() && config.eps >= 0.0, "at least 0")?;
        let mut adamw = AdamW {
            config,
            parameters: Vec::new(),
            exp_avgs: Vec::new(),
            exp_avg_sqs: Vec::new(),
            steps: Vec::new(),
            parts: Vec::new(),
        };
        for Group { parameters, weight_decay, lr_scale } in groups {
            for (name, value) in [("weight_decay", weight_decay), ("lr_scale", lr_scale)] {
                expect(name, value, value.is_finite() && value >= 0.0, "at least 0")?;
            }
            let first = adamw.parts.len();
            for parameter in parameters {
                let index = adamw.push(parameter)?;
                adamw.assign(index, first, weight_decay, lr_scale)?;
            }
        }
        Ok(adamw)
    }

    /// Takes a parameter in, with its state.
    fn push(&mut self, parameter: Tensor) -> Result<usize, Error> {
        let index = self.parameters.len();
        if !parameter.is_floating_point() {
            return Err(Error::ParameterKind { index, kind: parameter.kind() });
        }
        let same = |other: &Tensor| other.numel() > 0 && other.data_ptr() == parameter.data_ptr();
        if let Some(first) = self.parameters.iter().position(same) {
            return Err(Error::ParameterTwice { first, second: index });
        }
        let zeros = || tch::no_grad(|| parameter.f_zeros_like());
        self.exp_avgs.push(zeros()?);
        self.exp_avg_sqs.push(zeros()?);
        self.steps.push(Tensor::f_zeros([0; 0], (Kind::Float, parameter.device()))?);
        self.parameters.push(parameter);
        Ok(index)
    }

    /// Finds or makes the part of a group, whose parts begin at `first`, that a parameter belongs to.
    fn assign(&mut self, index: usize, first: usize, weight_decay: f64, lr_scale: f64) -> Result<(), Error> {
        let (kind, device) = (self.parameters[index].kind(), self.parameters[index].device());
        let own = self.parts[first..].iter_mut().find(|part| part.kind == kind && part.device == device);
        if let Some(part) = own {
            part.indices.push(index);
            return Ok(());
        }
        let fixed_step = if self.config.bias_correction {
            None
        } else {
            Some(Tensor::f_full([0; 0], ENDLESS, (Kind::Float, device))?)
        };
        self.parts.push(Part { indices: vec![index], weight_decay, lr_scale, kind, device, fixed_step });
        Ok(())
    }

    /// All parameters, in the order of the groups.
    pub fn parameters(&self) -> &[Tensor] {
        &self.parameters
    }

    /// Updates the parameters with their clipped gradients; where the clip met a number that is not finite,
    /// nothing changes but the gradients. No host synchronisation.
    ///
    /// The kernel clips on its way, and leaves the clipped gradients behind.
    ///
    /// # Errors
    ///
    /// A number as learning rate that is negative or not finite, a scalar of another kind or device, a clip
    /// of another device, or an exception of libtorch.
    pub fn step<'a>(&mut self, lr: impl Into<LearningRate<'a>>, clip: &ClipResult) -> Result<(), Error> {
        self.update(lr.into(), Some((clip.grad_scale(), clip.found_inf())))
    }

    /// As [`AdamW::step`], with the gradients as they are, finite or not.
    ///
    /// # Errors
    ///
    /// As [`AdamW::step`].
    pub fn step_unclipped<'a>(&mut self, lr: impl Into<LearningRate<'a>>) -> Result<(), Error> {
        self.update(lr.into(), None)
    }

    fn update(&mut self, lr: LearningRate<'_>, scaled: Option<(&Tensor, &Tensor)>) -> Result<(), Error> {
        let (lr, rate) = match lr {
            LearningRate::Number(lr) => {
                expect("lr", lr, lr.is_finite() && lr >= 0.0, "at least 0")?;
                (lr, None)
            }
            // What it is multiplied by.
            LearningRate::Scalar(rate) => (1.0, Some(rate)),
        };
        for part in &self.parts {
            let rows = part.indices.iter().map(|&index| {
                [&self.parameters[index], &self.exp_avgs[index], &self.exp_avg_sqs[index], &self.steps[index]]
            });
            let scalars = Scalars {
                lr: lr * part.lr_scale,
                beta1: self.config.beta1,
                beta2: self.config.beta2,
                weight_decay: part.weight_decay,
                eps: self.config.eps,
            };
            optimizer::adamw(&Lists::new(rows), part.fixed_step.as_ref(), &scalars, rate, scaled)?;
        }
        Ok(())
    }

    /// Forgets the gradients of all parameters.
    ///
    /// # Errors
    ///
    /// An exception of libtorch.
    pub fn zero_grad(&mut self) -> Result<(), Error> {
        crate::zero_grad(&self.parameters)
    }

    /// The state of every parameter, for a checkpoint. The tensors are the live ones: the next step changes
    /// them.
    ///
    /// # Errors
    ///
    /// An exception of libtorch while the step counts are read.
    pub fn state(&self) -> Result<Vec<ParameterState>, Error> {
        let rows = self.exp_avgs.iter().zip(&self.exp_avg_sqs).zip(&self.steps);
        rows.map(|((exp_avg, exp_avg_sq), steps)| {
            Ok(ParameterState {
                exp_avg: exp_avg.shallow_clone(),
                exp_avg_sq: exp_avg_sq.shallow_clone(),
                steps: steps.f_int64_value(&[])?,
            })
        })
        .collect()
    }

    /// Copies a state in, from whatever device; nothing changes if any of it does not fit.
    ///
    /// # Errors
    ///
    /// Another number of parameters than this optimizer's, or a tensor of another shape or kind.
    pub fn set_state(&mut self, state: &[ParameterState]) -> Result<(), Error> {
        if state.len() != self.parameters.len() {
            return Err(Error::StateLength { given: state.len(), expected: self.parameters.len() });
        }
        for (index, (given, parameter)) in state.iter().zip(&self.parameters).enumerate() {
            fits(index, "exp_avg", &given.exp_avg, parameter)?;
            fits(index, "exp_avg_sq", &given.exp_avg_sq, parameter)?;
            if given.steps < 0 {
                return Err(Error::StateSteps { index, given: given.steps });
            }
        }
        tch::no_grad(|| {
            for (index, given) in state.iter().enumerate() {
                self.exp_avgs[index].f_copy_(&given.exp_avg)?;
                self.exp_avg_sqs[index].f_copy_(&given.exp_avg_sq)?;
                let _ = self.steps[index].f_fill_(given.steps)?;
            }
            Ok(())
        })
    }
}

fn expect(name: &'static str, given: f64, holds: bool, expected: &'static str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::Setting { name, given, expected }) }
}

fn fits(index: usize, name: &'static str, given: &Tensor, parameter: &Tensor) -> Result<(), Error> {
    if given.size() == parameter.size() && given.kind() == parameter.kind() {
        return Ok(());
    }
    Err(Error::State {
        index,
        name,
        given: (given.kind(), given.size()),
        expected: (parameter.kind(), parameter.size()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endless_step_leaves_nothing_to_correct() {
        assert_eq!(f64::from(ENDLESS as f32), ENDLESS, "exact in the tensor's float32");
        for beta in [0.0, 0.9, 0.999, 0.9999, MAX_BETA] {
            // As the CPU's kernel computes it, and as one that holds everything in float32 would.
            assert_eq!(1.0 - beta.powf(ENDLESS), 1.0, "{beta}");
            assert_eq!(1.0 - (beta as f32).powf(ENDLESS as f32), 1.0, "{beta}");
        }
    }
}
