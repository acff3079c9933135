use super::{Affine, by_kernels};
use crate::ffi;
use tch::Tensor;

/// `LayerNorm`(GELU(dense(x))): what a head compares with its vocabulary.
///
/// # Shapes
/// `x` `[…, D]`, `dense` D→E → `[…, E]`
///
/// # Panics
/// If the shapes do not fit.
pub fn transform(x: &Tensor, dense: Affine<'_>, layer_norm: Affine<'_>, eps: f64) -> Tensor {
    by_kernels(|level| ffi::transform::transform(level, x, dense, layer_norm, eps))
        .unwrap_or_else(|| formula(x, dense, layer_norm, eps))
}

fn formula(x: &Tensor, dense: Affine<'_>, layer_norm: Affine<'_>, eps: f64) -> Tensor {
    layer_norm.layer_norm(&dense.linear(x).gelu("none"), eps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::levels::{assert_levels_agree, assert_levels_round, numbers};
    use proptest::prelude::*;

    type Case = (i64, i64, i64, i64, u64);

    fn cases() -> impl Strategy<Value = Case> {
        (1..4_i64, 1..60_i64, 1..50_i64, 2..40_i64, 0..u64::MAX / 2)
    }

    fn inputs(&(b, n, d, e, seed): &Case) -> Vec<Tensor> {
        let shapes: [&[i64]; 5] = [&[b, n, d], &[e, d], &[e], &[e], &[e]];
        shapes.iter().zip(seed..).map(|(shape, seed)| numbers(shape, seed)).collect()
    }

    fn output(_: &Case, p: &[Tensor]) -> Tensor {
        let (dense, layer_norm) =
            (Affine { weight: &p[1], bias: &p[2] }, Affine { weight: &p[3], bias: &p[4] });
        transform(&p[0], dense, layer_norm, 1e-3)
    }

    #[test]
    fn every_level_computes_the_formula() {
        assert_levels_agree("transform", cases(), inputs, output);
    }

    #[test]
    fn every_level_rounds_to_bfloat16_in_products_alone() {
        assert_levels_round("transform", cases(), inputs, output);
    }
}
