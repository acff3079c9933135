use crate::{Error, ffi};
use tch::Tensor;

/// What a softmax over a vocabulary says of its targets.
#[derive(Debug)]
pub struct LogLikelihood {
    /// `[R]`: log softmax(x · tableᵀ + bias) at the target of each row.
    pub log_p: Tensor,
    /// `[R, V]`: the logits, without a graph.
    pub logits: Tensor,
}

/// The log-likelihood of a target in each row under a softmax over V, with the gradients of rows, table and bias.
///
/// Two passes over the logits where libtorch's operations make six, and no array of their size but the logits and their
/// gradient.
///
/// `None` where there are no kernels for it: see [`encoder_layers`](crate::encoder_layers).
///
/// # Shapes
/// `x` `[R, E]`, `table` `[V, E]`, `bias` `[V]`, `targets` int64 `[R]`
///
/// # Errors
///
/// Shapes that do not fit, or a target that is not below V.
pub fn log_likelihood(
    x: &Tensor,
    table: &Tensor,
    bias: &Tensor,
    targets: &Tensor,
) -> Result<Option<LogLikelihood>, Error> {
    let both = ffi::vocabulary::log_likelihood(x, table, bias, targets, true)?;
    Ok(both.map(|(log_p, logits)| LogLikelihood { log_p, logits }))
}

/// The same without the logits, whose memory the gradient takes over.
///
/// # Shapes
/// as [`log_likelihood`] → `[R]`
///
/// # Errors
///
/// As [`log_likelihood`].
pub fn log_likelihood_alone(
    x: &Tensor,
    table: &Tensor,
    bias: &Tensor,
    targets: &Tensor,
) -> Result<Option<Tensor>, Error> {
    Ok(ffi::vocabulary::log_likelihood(x, table, bias, targets, false)?.map(|(log_p, _)| log_p))
}

/// A sample of softmax(logits) in each row: the first token whose cumulative probability exceeds the row's number.
///
/// `None` where there are no kernels for it: see [`encoder_layers`](crate::encoder_layers).
///
/// # Shapes
/// `logits` `[R, V]`, `uniforms` `[R]` in `[0, 1)` → `[R]` int64
///
/// # Errors
///
/// Shapes that do not fit.
pub fn sample(logits: &Tensor, uniforms: &Tensor) -> Result<Option<Tensor>, Error> {
    ffi::vocabulary::sample(logits, uniforms)
}
