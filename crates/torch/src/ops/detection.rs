use super::{Affine, by_kernels};
use crate::ffi;
use tch::Tensor;

/// prediction(GELU(dense(x))) in each row: ELECTRA's head.
///
/// # Shapes
/// `x` `[…, D]`, `dense` D→D, `prediction` D→1 → `[…]`
///
/// # Panics
/// If the shapes do not fit.
pub fn detect(x: &Tensor, dense: Affine<'_>, prediction: Affine<'_>) -> Tensor {
    by_kernels(|level| ffi::detection::detect(level, x, dense, prediction))
        .unwrap_or_else(|| formula(x, dense, prediction))
}

fn formula(x: &Tensor, dense: Affine<'_>, prediction: Affine<'_>) -> Tensor {
    prediction.linear(&dense.linear(x).gelu("none")).squeeze_dim(-1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::levels::{assert_levels_agree, assert_levels_round, numbers};
    use proptest::prelude::*;

    type Case = (i64, i64, u64);

    fn cases() -> impl Strategy<Value = Case> {
        (1..200_i64, 1..50_i64, 0..u64::MAX / 2)
    }

    fn inputs(&(rows, d, seed): &Case) -> Vec<Tensor> {
        let shapes: [&[i64]; 5] = [&[rows, d], &[d, d], &[d], &[1, d], &[1]];
        shapes.iter().zip(seed..).map(|(shape, seed)| numbers(shape, seed)).collect()
    }

    fn output(_: &Case, p: &[Tensor]) -> Tensor {
        detect(&p[0], Affine { weight: &p[1], bias: &p[2] }, Affine { weight: &p[3], bias: &p[4] })
    }

    #[test]
    fn every_level_computes_the_formula() {
        assert_levels_agree("detect", cases(), inputs, output);
    }

    #[test]
    fn every_level_rounds_to_bfloat16_in_products_alone() {
        assert_levels_round("detect", cases(), inputs, output);
    }
}
