use crate::dropout::with_keys;
use crate::{Affine, Error, ffi};
use tch::Tensor;

/// The parameters of BERT's embeddings, under the names of a checkpoint.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddingParameters<'a> {
    /// `word_embeddings`, `[V, E]`.
    pub word: &'a Tensor,
    /// `token_type_embeddings`, `[T, E]`.
    pub token_type: &'a Tensor,
    /// `position_embeddings`, `[P, E]`, P ≥ L.
    pub position: &'a Tensor,
    /// `LayerNorm`.
    pub layer_norm: Affine<'a>,
}

/// dropout(LayerNorm(word + token type + position)) as one operation. What is dropped is a function of one number from
/// libtorch's generator of the CPU; at rate 0 none is drawn.
///
/// `None` where there are no kernels for it: see [`encoder_layers`](crate::encoder_layers).
///
/// # Shapes
/// `input_ids` and `token_type_ids` int64 `[B, L]` → `[B, L, E]`
///
/// # Errors
///
/// Shapes that do not fit, ids beyond their table, or a rate that is not from 0 to below 1.
pub fn embed(
    input_ids: &Tensor,
    token_type_ids: &Tensor,
    eps: f64,
    dropout: f64,
    parameters: EmbeddingParameters<'_>,
) -> Result<Option<Tensor>, Error> {
    crate::error::expect_rate("dropout", dropout)?;
    let EmbeddingParameters { word, token_type, position, layer_norm } = parameters;
    let list = [word, token_type, position, layer_norm.weight, layer_norm.bias];
    with_keys(|keys| ffi::embeddings::embed(keys, input_ids, token_type_ids, eps, dropout, list))
}
