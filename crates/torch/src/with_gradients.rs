use crate::{Error, ffi};
use tch::Tensor;

/// The scalar `value` as a function of `inputs` whose gradients are these: what backward passes through it
/// multiply.
///
/// For what takes its gradient while it computes its value, so that nothing has to be kept for later. The
/// gradients are given up: a backward pass overwrites them.
///
/// # Errors
///
/// Another number of gradients than inputs, a gradient of another shape than its input, or an exception of
/// libtorch.
pub fn with_gradients(value: &Tensor, inputs: &[&Tensor], gradients: &[Tensor]) -> Result<Tensor, Error> {
    if inputs.len() != gradients.len() {
        return Err(Error::Gradients { inputs: inputs.len(), gradients: gradients.len() });
    }
    ffi::gradients::with_gradients(value, inputs, gradients)
}
