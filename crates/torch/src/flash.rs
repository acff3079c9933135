use crate::{Error, ffi};
use tch::Tensor;

/// Where the sequences of a batch begin, for [`flash_attention`].
#[derive(Debug)]
pub struct Sequences(Tensor);

impl Sequences {
    /// The tokens of each row and its padding, as sequences of their own: so padding attends to padding and
    /// tokens to tokens, and every shape stays as it is, whatever the number of tokens.
    ///
    /// # Shapes
    /// `attention_mask` bool `[B, L]`, true at tokens → 2 B sequences, some of them empty
    ///
    /// # Errors
    ///
    /// A row whose padding does not come last. A GPU tells of it only when it is next waited for, as a
    /// device-side assert, after which this program cannot use it any more.
    pub fn of_tokens_and_padding(attention_mask: &Tensor) -> Result<Sequences, Error> {
        ffi::attention::sequences(attention_mask).map(Sequences)
    }

    /// The row among B · L at which each sequence begins, and behind the last: int32 `[n + 1]`.
    pub fn first(&self) -> &Tensor {
        &self.0
    }
}

/// softmax(Q Kᵀ / √A) V within each sequence, dropout in between, by libtorch's flash kernels: they keep no L
/// × L scores.
///
/// libtorch's `scaled_dot_product_attention` takes them only where nothing is masked, so not where there is
/// padding.
///
/// `None`, and nothing of `sequences`, where it would not take them either: on the CPU, in float32, for heads
/// that are too large, on old GPUs. There the caller masks.
///
/// # Shapes
/// `query`, `key`, `value` `[B, L, H, A]` → `[B, L, H, A]`
///
/// # Errors
///
/// Shapes that do not fit, or what `sequences` gives.
pub fn flash_attention<'s>(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    sequences: impl FnOnce() -> Result<&'s Sequences, Error>,
    dropout: f64,
) -> Result<Option<Tensor>, Error> {
    crate::error::expect_rate("dropout", dropout)?;
    if !ffi::attention::has_flash_attention(query, key, value, dropout)? {
        return Ok(None);
    }
    ffi::attention::flash_attention([query, key, value], sequences()?.first(), dropout).map(Some)
}
