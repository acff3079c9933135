use super::{Affine, by_kernels, check_rate, dropout};
use crate::dropout::with_keys;
use crate::ffi;
use tch::Tensor;

/// The parameters of BERT's embeddings, under the names of a checkpoint.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddingParameters<'a> {
    /// `word_embeddings`, `[V, E]`.
    pub word: &'a Tensor,
    /// `token_type_embeddings`, `[T, E]`.
    pub token_type: &'a Tensor,
    /// `position_embeddings`, `[P, E]`, P ≥ L; none where the attention knows positions.
    pub position: Option<&'a Tensor>,
    /// `LayerNorm`.
    pub layer_norm: Affine<'a>,
}

/// dropout(LayerNorm(word + token type + position)).
///
/// What the kernels drop is a function of one number from libtorch's generator of the CPU, or as
/// [`with_dropout_keys`](crate::with_dropout_keys) says; at rate 0 none is drawn.
///
/// # Shapes
/// `input_ids` and `token_type_ids` int64 `[B, L]` → `[B, L, E]`
///
/// # Panics
/// If the shapes do not fit, ids are beyond their table, or the rate is not from 0 to below 1.
pub fn embed(
    input_ids: &Tensor,
    token_type_ids: &Tensor,
    eps: f64,
    rate: f64,
    parameters: EmbeddingParameters<'_>,
) -> Tensor {
    check_rate("dropout", rate);
    let EmbeddingParameters { word, token_type, position, layer_norm } = parameters;
    by_kernels(|level| {
        // The kernels add three tables.
        let none = position
            .is_none()
            .then(|| word.new_zeros([input_ids.size()[1], word.size()[1]], (word.kind(), word.device())));
        let position = position.or(none.as_ref()).expect("one or the other is there");
        let list = [word, token_type, position, layer_norm.weight, layer_norm.bias];
        with_keys(|keys| ffi::embeddings::embed(level, keys, input_ids, token_type_ids, eps, rate, list))
    })
    .unwrap_or_else(|| formula(input_ids, token_type_ids, eps, rate, parameters))
}

fn formula(
    input_ids: &Tensor,
    token_type_ids: &Tensor,
    eps: f64,
    rate: f64,
    parameters: EmbeddingParameters<'_>,
) -> Tensor {
    // No row stands apart: with padding_idx the row of [PAD] would never learn, and the reference's does.
    let look_up = |table: &Tensor, ids: &Tensor| Tensor::embedding(table, ids, -1, false, false);
    let word = look_up(parameters.word, input_ids); // [B, L, E]
    let token_type = look_up(parameters.token_type, token_type_ids); // [B, L, E]
    let mut sum = word + token_type;
    if let Some(position) = parameters.position {
        sum += position.narrow(0, 0, input_ids.size()[1]); // [L, E]
    }
    dropout(parameters.layer_norm.layer_norm(&sum, eps), rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::levels::{assert_levels_agree, for_cases, ids, learnt, numbers};
    use crate::{KernelLevel, Preceding, at_each_kernel_level, with_dropout_keys, with_kernel_level};
    use tch::Kind;

    type Shape = (i64, i64, i64, i64, u64);

    fn inputs(&(b, l, v, e, seed): &Shape) -> Vec<Tensor> {
        let shapes: [&[i64]; 5] = [&[v, e], &[2, e], &[l + 2, e], &[e], &[e]];
        let tables = shapes.iter().zip(seed..).map(|(shape, seed)| numbers(shape, seed));
        let ids = [(v, seed + 5), (2, seed + 6)].map(|(end, seed)| ids(&[b, l], end, seed));
        tables.chain(ids).collect()
    }

    fn embedded(p: &[Tensor], rate: f64) -> Tensor {
        let layer_norm = Affine { weight: &p[3], bias: &p[4] };
        let position = (p[0].size()[0] % 4 != 0).then_some(&p[2]);
        let parameters = EmbeddingParameters { word: &p[0], token_type: &p[1], position, layer_norm };
        // So that what is not looked at has a gradient, of 0.
        embed(&p[5], &p[6], 1e-3, rate, parameters) + p[2].sum(None) * 0.0
    }

    fn shapes() -> impl proptest::strategy::Strategy<Value = Shape> {
        (1..5_i64, 1..60_i64, 1..50_i64, 2..40_i64, 0..u64::MAX / 2)
    }

    #[test]
    fn every_level_computes_the_formula() {
        assert_levels_agree("embed", shapes(), inputs, |_, p| embedded(p, 0.0));
    }

    #[test]
    fn kernels_drop_the_same_at_every_level_and_scale_the_rest() {
        at_each_kernel_level("embed with dropout", |level| {
            if level == KernelLevel::Formula {
                return;
            }
            for_cases(24, &(shapes(), 0.01..0.9_f64), |(shape, rate)| {
                let inputs = inputs(shape);
                let dropped = |p: &[Tensor]| {
                    with_dropout_keys(shape.4, Preceding::default(), || embedded(p, *rate)).unwrap()
                };
                let found = learnt(&inputs, dropped);
                let first = with_kernel_level(KernelLevel::Baseline, || learnt(&inputs, dropped)).unwrap();
                let stays = first[0].ne(0.0).to_kind(Kind::Float) / (1.0 - rate);
                let exact = learnt(&inputs, |p| embedded(p, 0.0) * &stays);
                crate::ops::levels::assert_near(&format!("{level}, {shape:?}"), &found, &exact);
            });
        });
    }
}
