use super::by_kernels;
use crate::ffi;
use tch::{Kind, Reduction, Tensor};

/// Σ w·x / total, float32.
///
/// The kernel finds the gradient of the values while it computes the value, and none of weights and total:
/// where one of these is to have a gradient, the formula computes it.
///
/// # Shapes
/// `values` and `weights` (float32 or bool): one shape; `total` float32, a scalar → scalar
///
/// # Panics
/// If the shapes do not fit.
pub fn mean(values: &Tensor, weights: &Tensor, total: &Tensor) -> Tensor {
    by_kernels(|_| match learn(&[weights, total]) {
        true => Ok(None),
        false => ffi::losses::mean(values, weights, total),
    })
    .unwrap_or_else(|| (values.to_kind(Kind::Float) * weights.to_kind(Kind::Float)).sum(Kind::Float) / total)
}

/// −log σ(logit) where the target is 1 and −log σ(−logit) where it is 0, times the weights, summed and
/// divided by the total (paper §2, `L_Disc`). As of [`mean`], targets that are to have a gradient are the
/// formula's.
///
/// # Shapes
/// `logits`, `targets` and `weights` (both float32 or bool): one shape; `total` float32, a scalar → scalar
///
/// # Panics
/// If the shapes do not fit.
pub fn binary_cross_entropy(logits: &Tensor, targets: &Tensor, weights: &Tensor, total: &Tensor) -> Tensor {
    by_kernels(|_| match learn(&[targets, weights, total]) {
        true => Ok(None),
        false => ffi::losses::binary_cross_entropy(logits, targets, weights, total),
    })
    .unwrap_or_else(|| {
        let no_weights: Option<&Tensor> = None;
        let each = logits.to_kind(Kind::Float).binary_cross_entropy_with_logits(
            &targets.to_kind(Kind::Float),
            no_weights,
            no_weights,
            Reduction::None,
        );
        (each * weights.to_kind(Kind::Float)).sum(Kind::Float) / total
    })
}

/// Whether any is to have a gradient.
fn learn(tensors: &[&Tensor]) -> bool {
    tensors.iter().any(|tensor| tensor.requires_grad())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::levels::{assert_levels_agree, learnt, numbers};
    use crate::{KernelLevel, with_kernel_level};

    /// Values, weights that are 0 here and there, targets, and a total.
    fn inputs(&(rows, columns, seed): &(i64, i64, u64)) -> Vec<Tensor> {
        let shape = [rows, columns];
        let [values, weights, targets] = [0, 1, 2].map(|stream| numbers(&shape, seed + stream));
        vec![values * 8.0, weights.gt(-0.3), targets.gt(0.0)]
    }

    #[test]
    fn every_level_computes_the_formula() {
        let shapes = (1..20_i64, 1..50_i64, 0..u64::MAX / 2);
        let total = Tensor::from(7.5_f32);
        assert_levels_agree("mean", shapes.clone(), inputs, |_, p| mean(&p[0], &p[1], &total));
        assert_levels_agree("binary_cross_entropy", shapes, inputs, |_, p| {
            binary_cross_entropy(&p[0], &p[2], &p[1], &total)
        });
    }

    type Loss<'a> = &'a dyn Fn(&[Tensor]) -> Tensor;

    #[test]
    fn weights_and_targets_that_learn_have_their_gradients() {
        let wide = |tensor: Tensor| tensor.to_kind(Kind::Float) * 0.5;
        let [values, weights, targets] = [0, 1, 2].map(|stream| numbers(&[3, 5], stream));
        let inputs = [values, wide(weights.gt(0.0)), wide(targets.gt(0.0))];
        let total = Tensor::from(4.0_f32);
        let losses: [Loss<'_>; 2] = [
            // Of all inputs, as the other is.
            &|p| mean(&p[0], &p[1], &total) + p[2].sum(Kind::Float) * 0.0,
            &|p| binary_cross_entropy(&p[0], &p[2], &p[1], &total),
        ];
        for loss in losses {
            let at_level = |level| with_kernel_level(level, || learnt(&inputs, loss)).unwrap();
            let (found, exact) = (at_level(KernelLevel::Baseline), at_level(KernelLevel::Formula));
            crate::ops::levels::assert_near("a loss", &found, &exact);
            assert!(found[2].abs().max().double_value(&[]) > 0.01, "the weights learn");
        }
    }
}
