use crate::Error;
use crate::ffi::optimizer;
use tch::{Device, Kind, Tensor};

/// What [`clip_grad_norm`] found, for [`AdamW::step`](crate::AdamW::step). Scalars in float32 that stay on
/// the gradients' device: reading one waits for the device, so read at log steps.
#[derive(Debug)]
pub struct ClipResult {
    norm: Tensor,
    grad_scale: Tensor,
    found_inf: Tensor,
}

impl ClipResult {
    /// The gradients' global norm before the clip.
    pub fn norm(&self) -> &Tensor {
        &self.norm
    }

    /// What the gradients are to be divided by, max(norm, `max_norm`) / `max_norm`: 1 if there is nothing to
    /// clip.
    pub fn grad_scale(&self) -> &Tensor {
        &self.grad_scale
    }

    /// 1 if the step is to change nothing, else 0.
    pub fn found_inf(&self) -> &Tensor {
        &self.found_inf
    }

    /// The same, and a step that changes nothing if any element of `tensor`, such as the loss, is not finite.
    ///
    /// # Errors
    ///
    /// A tensor of another device.
    pub fn or_non_finite(self, tensor: &Tensor) -> Result<ClipResult, Error> {
        // Nothing is waited for on the CPU, where a look is cheaper than five operations.
        if tensor.device() == Device::Cpu && tensor.numel() == 1 && tensor.f_double_value(&[])?.is_finite() {
            return Ok(self);
        }
        let found_inf = tch::no_grad(|| {
            let finite = tensor.f_isfinite()?.f_all()?;
            self.found_inf.f_maximum(&finite.f_logical_not()?.f_to_kind(Kind::Float)?)
        })?;
        Ok(ClipResult { found_inf, ..self })
    }
}

/// The L2 norm over the gradients of all parameters together, and the factor that brings it down to
/// `max_norm`.
///
/// The gradients stay as they are: [`AdamW::step`](crate::AdamW::step) scales them on its way, so clipping
/// costs no pass of its own. No host synchronisation.
///
/// The factor is max / max(norm, max), as `tf.clip_by_global_norm` has it, and not PyTorch's max / (norm +
/// 1e-6). The squares are summed in float32 (float64 if a gradient is float64); a sum that overflows counts
/// as not finite. Parameters without a gradient are passed over. A `max_norm` of infinity clips nothing and
/// finds what is not finite.
///
/// # Errors
///
/// A `max_norm` that is not above 0, gradients on different devices, or an exception of libtorch.
pub fn clip_grad_norm(parameters: &[Tensor], max_norm: f64) -> Result<ClipResult, Error> {
    if max_norm.is_nan() || max_norm <= 0.0 {
        return Err(Error::Setting { name: "max_norm", given: max_norm, expected: "above 0" });
    }
    let [norm, grad_scale, found_inf] = optimizer::clip(parameters, max_norm)?;
    Ok(ClipResult { norm, grad_scale, found_inf })
}

/// The gradient of a leaf tensor, if it has one. The tensor is the live one.
pub fn grad(tensor: &Tensor) -> Option<Tensor> {
    let gradient = tensor.grad();
    gradient.defined().then_some(gradient)
}

/// Forgets the gradients: their memory is given back, and an optimizer passes the parameters over until the
/// next backward pass. (tch's `zero_grad` fills them with zeros, which an optimizer takes for gradients.)
///
/// # Errors
///
/// An exception of libtorch.
pub fn zero_grad(parameters: &[Tensor]) -> Result<(), Error> {
    optimizer::clear_grads(parameters)
}
