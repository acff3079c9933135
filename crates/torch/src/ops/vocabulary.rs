use super::by_kernels;
use crate::ffi;
use tch::{Kind, Tensor};

/// What a softmax over a vocabulary says of its targets.
#[derive(Debug)]
pub struct LogLikelihood {
    /// `[R]`: log softmax(x · tableᵀ + bias) at the target of each row.
    pub log_p: Tensor,
    /// `[R, V]`: the logits, without a graph.
    pub logits: Tensor,
}

/// The log-likelihood of a target in each row under a softmax over V.
///
/// The kernels make two passes over the logits where the formula makes six, and no array of their size but
/// the logits and their gradient.
///
/// # Shapes
/// `x` `[R, E]`, `table` `[V, E]`, `bias` `[V]`, `targets` int64 `[R]`
///
/// # Panics
/// If the shapes do not fit, or a target is not below V.
pub fn log_likelihood(x: &Tensor, table: &Tensor, bias: &Tensor, targets: &Tensor) -> LogLikelihood {
    by_kernels(|level| ffi::vocabulary::log_likelihood(level, x, table, bias, targets, true))
        .map(|(log_p, logits)| LogLikelihood { log_p, logits })
        .unwrap_or_else(|| {
            let (log_p, logits) = formula(x, table, bias, targets);
            LogLikelihood { log_p, logits: logits.detach() }
        })
}

/// The same without the logits, whose memory the kernels' gradient takes over.
///
/// # Shapes
/// as [`log_likelihood`] → `[R]`
///
/// # Panics
/// As [`log_likelihood`].
pub fn log_likelihood_alone(x: &Tensor, table: &Tensor, bias: &Tensor, targets: &Tensor) -> Tensor {
    by_kernels(|level| ffi::vocabulary::log_likelihood(level, x, table, bias, targets, false))
        .map_or_else(|| formula(x, table, bias, targets).0, |(log_p, _)| log_p)
}

/// log p `[R]` float32, and the logits `[R, V]`.
fn formula(x: &Tensor, table: &Tensor, bias: &Tensor, targets: &Tensor) -> (Tensor, Tensor) {
    let logits = x.linear(table, Some(bias));
    let log_softmax = logits.log_softmax(-1, Kind::Float);
    (log_softmax.gather(1, &targets.unsqueeze(-1), false).squeeze_dim(-1), logits)
}

/// A sample of softmax(logits) in each row: the first token whose cumulative probability exceeds the row's
/// number.
///
/// # Shapes
/// `logits` `[…, V]`, `uniforms` `[…]` float32 in `[0, 1)` → `[…]` int64
///
/// # Panics
/// If the shapes do not fit.
pub fn sample(logits: &Tensor, uniforms: &Tensor) -> Tensor {
    let (rows, numbers) = (logits.flatten(0, -2), uniforms.flatten(0, -1));
    by_kernels(|level| ffi::vocabulary::sample(level, &rows, &numbers))
        .map(|sampled| sampled.view_as(uniforms))
        .unwrap_or_else(|| {
            sample_cumulative(&logits.softmax(-1, Kind::Float).cumsum(-1, Kind::Float), uniforms)
        })
}

/// Samples by inverting cumulative distributions: the first token whose cumulative probability exceeds u
/// times the whole.
///
/// The same law as adding Gumbel noise and taking the largest (reference, `sample_from_softmax`), from one
/// number a sample instead of V, so that the number can be a function of (seed, step, example).
///
/// # Shapes
/// `cumulative` `[…, V]` float32, ascending along V; `uniforms` `[…]` float32 in `[0, 1)` → `[…]` int64
///
/// # Panics
/// If the shapes do not fit.
pub fn sample_cumulative(cumulative: &Tensor, uniforms: &Tensor) -> Tensor {
    let last = cumulative.size().last().expect("a dimension of the vocabulary") - 1;
    let whole = cumulative.narrow(-1, last, 1); // […, 1]
    let thresholds = uniforms.unsqueeze(-1) * whole;
    let no_sorter: Option<&Tensor> = None;
    let found = thresholds.searchsorted(&cumulative.contiguous(), false, true, "right", no_sorter); // […, 1]
    // u times the whole may round up to the whole, past the last token.
    found.squeeze_dim(-1).clamp_max(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::levels::{assert_levels_agree, assert_levels_round, for_cases, ids, numbers};
    use crate::{KernelLevel, at_each_kernel_level, autocast};
    use proptest::prelude::*;
    use tch::Device;

    const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

    #[test]
    fn every_level_computes_the_formula() {
        let shapes = (1..60_i64, 1..40_i64, 1..600_i64, 0..u64::MAX / 2);
        let inputs = |&(rows, e, v, seed): &(i64, i64, i64, u64)| {
            let [x, table, bias]: [&[i64]; 3] = [&[rows, e], &[v, e], &[v]];
            vec![
                numbers(x, seed),
                numbers(table, seed + 1),
                numbers(bias, seed + 2),
                ids(&[rows], v, seed + 3),
            ]
        };
        assert_levels_agree("log_likelihood", shapes.clone(), inputs, |_, p| {
            log_likelihood(&p[0], &p[1], &p[2], &p[3]).log_p
        });
        let alone = |_: &_, p: &[Tensor]| log_likelihood_alone(&p[0], &p[1], &p[2], &p[3]);
        assert_levels_agree("log_likelihood_alone", shapes.clone(), inputs, alone);
        assert_levels_round("log_likelihood_alone", shapes, inputs, alone);
    }

    #[test]
    fn products_in_bfloat16_are_of_rounded_operands_and_summed_in_float32() {
        at_each_kernel_level("log_likelihood in bfloat16", |level| {
            if level == KernelLevel::Formula {
                return;
            }
            // Many a sum, and blocks that are whole or not in each dimension.
            let shapes = (1..200_i64, prop_oneof![1..40_i64, 500..1200_i64], 1..300_i64, 0..u64::MAX / 2);
            for_cases(24, &shapes, |&(rows, e, v, seed)| {
                let (x, table) = (numbers(&[rows, e], seed), numbers(&[v, e], seed + 1));
                let (bias, targets) =
                    (Tensor::zeros([v], FLOAT), Tensor::zeros([rows], (Kind::Int64, Device::Cpu)));
                let narrow = || log_likelihood(&x, &table, &bias, &targets).logits;
                let found = autocast(Device::Cpu, Kind::BFloat16, true, narrow).unwrap();
                let rounded = |x: &Tensor| x.to_kind(Kind::BFloat16).to_kind(Kind::Double);
                let exact = rounded(&x).matmul(&rounded(&table).tr());
                let apart = (found.to_kind(Kind::Double) - exact).abs().max().double_value(&[]);
                assert!(apart < 1e-6 * e as f64, "{level}, {rows} × {e} → {v}: {apart}");
            });
        });
    }

    #[test]
    fn every_level_samples_alike() {
        at_each_kernel_level("sample", |level| {
            let shapes = (1..4_i64, 1..300_i64, 1..2000_i64, 0..u64::MAX / 2);
            for_cases(24, &shapes, |&(b, n, v, seed)| {
                let logits = numbers(&[b, n, v], seed) * 4.0;
                let uniforms = (numbers(&[b, n], seed + 1) + 1.0) / 2.0;
                let found = sample(&logits, &uniforms);
                let cumulative = logits.softmax(-1, Kind::Double).cumsum(-1, Kind::Double);
                let exact = sample_cumulative(&cumulative, &uniforms.to_kind(Kind::Double));
                assert_eq!(found.size(), [b, n]);
                // Sums that are rounded differently put a few numbers on the other side of a boundary: never
                // further than the sums differ, which is over tokens that are less likely than that.
                let other = found.ne_tensor(&exact).sum(Kind::Int64).int64_value(&[]);
                assert!(other <= 1 + b * n / 100, "{level}: {other} of {}", b * n);
                let before = |ids: &Tensor| cumulative.gather(-1, &ids.unsqueeze(-1), false);
                let apart = (before(&found) - before(&exact)).abs().max().double_value(&[]);
                assert!(apart < 0.02, "{level}: {apart}");
            });
        });
    }
}
