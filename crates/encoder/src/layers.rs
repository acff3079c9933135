//! The layers that the encoder and every head are made of.
//!
//! Nothing here is random: parameters are created as NaN (biases 0, LayerNorm weights 1), and
//! [`initialise`](crate::initialise()) or a checkpoint gives them their values. So a parameter that both
//! forgot shows at once, in a loss that is not a number.

use electra_torch::Affine;
use tch::{Kind, Tensor, nn};

/// A trainable parameter called `name` under `p`.
///
/// # Panics
/// If there is one already: `tch` would create another and call it `name__N`, which no checkpoint knows.
pub fn parameter(p: &nn::Path<'_>, name: &str, shape: &[i64], value: f64) -> Tensor {
    assert!(p.get(name).is_none(), "there is a parameter {}.{name} already", path(p));
    p.var(name, shape, nn::Init::Const(value))
}

fn path(p: &nn::Path<'_>) -> String {
    p.components().collect::<Vec<_>>().join(".")
}

/// y = x Wᵀ + b.
#[derive(Debug)]
pub struct Linear {
    /// `[outputs, inputs]`
    pub weight: Tensor,
    /// `[outputs]`
    pub bias: Tensor,
}

impl Linear {
    /// Parameters `weight` and `bias` under `p`.
    #[must_use]
    pub fn new(p: &nn::Path<'_>, inputs: i64, outputs: i64) -> Self {
        Self {
            weight: parameter(p, "weight", &[outputs, inputs], f64::NAN),
            bias: parameter(p, "bias", &[outputs], 0.0),
        }
    }

    /// Parameter `weight` under `p`. The bias is 0 and no parameter: it is not learned, and no file has it.
    #[must_use]
    pub fn without_bias(p: &nn::Path<'_>, inputs: i64, outputs: i64) -> Self {
        Self { weight: matrix(p, inputs, outputs), bias: zeros(p, outputs) }
    }

    /// # Shapes
    /// `[…, inputs]` → `[…, outputs]`
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight, Some(&self.bias))
    }

    /// Weight and bias as electra-torch takes them.
    #[must_use]
    pub fn affine(&self) -> Affine<'_> {
        Affine { weight: &self.weight, bias: &self.bias }
    }
}

/// y = (x − mean(x)) / √(var(x) + eps) · weight + bias over the last dimension, the variance being the
/// biased one (Ba, Kiros, Hinton, "Layer Normalization", 2016).
#[derive(Debug)]
pub struct LayerNorm {
    /// `[dimension]`
    pub weight: Tensor,
    /// `[dimension]`
    pub bias: Tensor,
    /// Added to the variance.
    pub eps: f64,
}

impl LayerNorm {
    /// Parameters `weight` and `bias` under `p`, whose last component is to be `LayerNorm`: by that name
    /// initialisation and weight decay know it.
    #[must_use]
    pub fn new(p: &nn::Path<'_>, dimension: i64, eps: f64) -> Self {
        let weight = parameter(p, "weight", &[dimension], 1.0);
        Self { weight, bias: parameter(p, "bias", &[dimension], 0.0), eps }
    }

    /// Parameter `weight` under `p`, whose last component is to end in `norm`, by which name initialisation and weight decay
    /// know it. The bias is 0 and no parameter.
    #[must_use]
    pub fn without_bias(p: &nn::Path<'_>, dimension: i64, eps: f64) -> Self {
        Self { weight: ones(p, dimension), bias: zeros(p, dimension), eps }
    }

    /// A second owner of the same two parameters.
    #[must_use]
    pub fn share(&self) -> Self {
        Self { weight: self.weight.shallow_clone(), bias: self.bias.shallow_clone(), eps: self.eps }
    }

    /// # Shapes
    /// `[…, dimension]` → the same
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.layer_norm(self.weight.size(), Some(&self.weight), Some(&self.bias), self.eps, true)
    }

    /// Weight and bias as electra-torch takes them.
    #[must_use]
    pub fn affine(&self) -> Affine<'_> {
        Affine { weight: &self.weight, bias: &self.bias }
    }
}

/// A parameter `weight`, `[outputs, inputs]`, under `p`.
pub(crate) fn matrix(p: &nn::Path<'_>, inputs: i64, outputs: i64) -> Tensor {
    parameter(p, "weight", &[outputs, inputs], f64::NAN)
}

/// The weights of a LayerNorm: a parameter `weight`, `[dimension]`, under `p`.
pub(crate) fn ones(p: &nn::Path<'_>, dimension: i64) -> Tensor {
    parameter(p, "weight", &[dimension], 1.0)
}

/// What stands for a bias that there is not, on the parameters' device.
fn zeros(p: &nn::Path<'_>, dimension: i64) -> Tensor {
    Tensor::zeros([dimension], (Kind::Float, p.device()))
}

/// The table of an embedding: a parameter `weight`, `[rows, dimension]`, under `p`.
pub(crate) fn table(p: &nn::Path<'_>, rows: i64, dimension: i64) -> Tensor {
    parameter(p, "weight", &[rows, dimension], f64::NAN)
}

/// Sets each element to 0 with the given probability and scales the others so that the mean stays; without
/// training, or at probability 0, nothing is done and no random number is drawn.
///
/// # Shapes
/// any → the same
pub fn dropout(x: Tensor, probability: f64, train: bool) -> Tensor {
    if train && probability > 0.0 { x.dropout(probability, true) } else { x }
}
