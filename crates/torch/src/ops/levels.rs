//! What the tests of operations share: each level of kernels against the formula in float64.

use crate::{
    KernelLevel, Preceding, at_each_kernel_level, autocast, operations, with_dropout_keys, with_kernel_level,
};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tch::{Device, Kind, Tensor};

/// How far an operation in float32 may be from its formula in float64, in terms of the largest number of its
/// kind.
///
/// A float32 has a relative error of 6e-8. The sums here have up to some hundreds of terms, which every level
/// adds in another order, and two `LayerNorm`s after each other divide by deviations that are themselves such
/// sums: together some hundred roundings. The kernels' own exp and erfc are right to 1e-7.
pub(super) const TOLERANCE: f64 = 2e-5;

/// The gradient of a key's bias is 0 but for rounding, as a softmax does not see it: so a gradient's largest
/// number is taken for no less than this share of the largest of all gradients.
const SHARE: f64 = 0.02;

/// Calls `test` with cases of `strategy`, the same ones in every run.
pub(super) fn for_cases<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(&S::Value)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let run = TestRunner::new_with_rng(config, rng).run(strategy, |case| {
        test(&case);
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}

/// Numbers from −1 to 1 (SplitMix64, Steele, Lea, Flood, 2014).
pub(super) fn numbers(shape: &[i64], seed: u64) -> Tensor {
    let count = shape.iter().product::<i64>() as u64;
    let number = |index: u64| {
        let mut z = seed.wrapping_add((index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    Tensor::from_slice(&(0..count).map(number).collect::<Vec<_>>()).view(shape)
}

/// Whole numbers from 0 to below `end`.
pub(super) fn ids(shape: &[i64], end: i64, seed: u64) -> Tensor {
    ((numbers(shape, seed) + 1.0) * (end as f64 / 2.0)).floor().to_kind(Kind::Int64).clamp(0, end - 1)
}

/// What an operation gives and its gradients of all inputs that are floating-point numbers, weighted so that
/// no two elements count alike.
pub(super) fn learnt(inputs: &[Tensor], operation: impl Fn(&[Tensor]) -> Tensor) -> Vec<Tensor> {
    let leaf = |input: &Tensor| {
        let leaf = input.detach().copy();
        if leaf.is_floating_point() { leaf.set_requires_grad(true) } else { leaf }
    };
    let leaves: Vec<Tensor> = inputs.iter().map(leaf).collect();
    let output = operation(&leaves);
    let place = Tensor::arange(output.numel() as i64, (output.kind(), Device::Cpu)) + 1.0;
    let weights = place.sin().view_as(&output);
    (&output * weights).sum(output.kind()).backward();
    let gradients = leaves.iter().filter(|leaf| leaf.is_floating_point()).map(Tensor::grad);
    std::iter::once(output.detach()).chain(gradients).collect()
}

/// [`learnt`] of the same inputs in float64, which kernels leave to the formula.
fn learnt_in_float64(inputs: &[Tensor], operation: impl Fn(&[Tensor]) -> Tensor) -> Vec<Tensor> {
    let wide = |input: &Tensor| {
        if input.is_floating_point() { input.to_kind(Kind::Double) } else { input.shallow_clone() }
    };
    learnt(&inputs.iter().map(wide).collect::<Vec<_>>(), operation)
}

/// Panics where numbers differ by more than the tolerance from those that are exact: an output and its
/// gradients.
pub(super) fn assert_near(what: &str, found: &[Tensor], exact: &[Tensor]) {
    let largest = |tensor: &Tensor| {
        if tensor.numel() == 0 { 0.0 } else { tensor.abs().max().to_kind(Kind::Double).double_value(&[]) }
    };
    let of_all = exact[1..].iter().map(largest).fold(0.0, f64::max);
    assert_eq!(found.len(), exact.len());
    for (index, (found, exact)) in found.iter().zip(exact).enumerate() {
        assert_eq!(found.size(), exact.size(), "{what}: {index}");
        let scale = if index == 0 { largest(exact) } else { largest(exact).max(SHARE * of_all) };
        let apart = largest(&(found.to_kind(Kind::Double) - exact.to_kind(Kind::Double)));
        assert!(apart <= TOLERANCE * scale.max(1e-30), "{what}: {index} is off by {apart:e} of {scale:e}");
    }
}

/// Whether kernels compute `operation` at this level: they call fewer of libtorch's operations.
fn has_kernels(level: KernelLevel, inputs: &[Tensor], operation: impl Fn(&[Tensor]) -> Tensor) -> bool {
    let calls = |level| {
        let list =
            || operations(|| tch::no_grad(|| operation(inputs))).expect("no list within a list").1.len();
        with_kernel_level(level, list).expect("this machine has the level")
    };
    calls(level) < calls(KernelLevel::Formula)
}

/// An operation computes at each level what its formula computes in float64, values and gradients, in cases
/// of `strategy`.
pub(super) fn assert_levels_agree<S: Strategy>(
    name: &str,
    strategy: S,
    inputs: impl Fn(&S::Value) -> Vec<Tensor>,
    operation: impl Fn(&S::Value, &[Tensor]) -> Tensor,
) {
    at_each_kernel_level(name, |level| {
        for_cases(24, &strategy, |case| {
            let inputs = inputs(case);
            let exact = learnt_in_float64(&inputs, |inputs| operation(case, inputs));
            assert_near(
                &format!("{name} at {level}, {case:?}"),
                &learnt(&inputs, |inputs| operation(case, inputs)),
                &exact,
            );
            let kernels = has_kernels(level, &inputs, |inputs| operation(case, inputs));
            assert_eq!(kernels, level != KernelLevel::Formula, "{name} at {level}");
        });
    });
}

/// With dropout, an operation gives the same values and gradients at each level of kernels, in cases of `strategy` and at any
/// rate; formulas draw from libtorch's generator.
pub(super) fn assert_levels_drop<S: Strategy>(
    name: &str,
    strategy: S,
    inputs: impl Fn(&S::Value) -> Vec<Tensor>,
    seed: impl Fn(&S::Value) -> u64,
    operation: impl Fn(&S::Value, &[Tensor], f64) -> Tensor,
) {
    at_each_kernel_level(&format!("{name} with dropout"), |level| {
        if level == KernelLevel::Formula {
            return;
        }
        for_cases(24, &(&strategy, 0.01..0.9_f64), |(case, rate)| {
            let inputs = inputs(case);
            let run = || {
                learnt(&inputs, |inputs| {
                    let keyed = || operation(case, inputs, *rate);
                    with_dropout_keys(seed(case), Preceding::default(), keyed)
                        .expect("libtorch has no exception")
                })
            };
            let baseline = with_kernel_level(KernelLevel::Baseline, run).expect("every machine has it");
            assert_near(&format!("{name} at {level}, {case:?}, {rate}"), &run(), &baseline);
        });
    });
}

/// An operation computes in bfloat16, at each level of kernels, what its formula computes in float64 but for the rounding of
/// operands, in cases of `strategy`.
///
/// A bfloat16 has a relative error of up to 2⁻⁹. Over all gradients it averages out; the gradient of a bias or a `LayerNorm`
/// is a sum in which much cancels.
pub(super) fn assert_levels_round<S: Strategy>(
    name: &str,
    strategy: S,
    inputs: impl Fn(&S::Value) -> Vec<Tensor>,
    operation: impl Fn(&S::Value, &[Tensor]) -> Tensor,
) {
    let size = |tensor: &Tensor| tensor.to_kind(Kind::Double).square().sum(Kind::Double).double_value(&[]);
    at_each_kernel_level(&format!("{name} in bfloat16"), |level| {
        if level == KernelLevel::Formula {
            return;
        }
        for_cases(24, &strategy, |case| {
            let inputs = inputs(case);
            let exact = learnt_in_float64(&inputs, |inputs| operation(case, inputs));
            let found = learnt(&inputs, |inputs| {
                let narrow = || operation(case, inputs);
                autocast(Device::Cpu, Kind::BFloat16, true, narrow).expect("there is autocast to bfloat16")
            });
            let what = format!("{name} at {level}, {case:?}");
            let off = |found: &Tensor, exact: &Tensor| size(&(found.to_kind(Kind::Double) - exact));
            let (whole, error) =
                exact[1..].iter().zip(&found[1..]).fold((0.0, 0.0), |(whole, error), (exact, found)| {
                    assert_eq!(found.kind(), Kind::Float, "{what}");
                    (whole + size(exact), error + off(found, exact))
                });
            assert!(
                error <= (2e-2_f64).powi(2) * whole,
                "{what}: gradients are off by {}",
                (error / whole).sqrt()
            );
            let small = SHARE.powi(2) * whole;
            for (index, (found, exact)) in found.iter().zip(&exact).enumerate() {
                let scale = if index == 0 { size(exact) } else { size(exact).max(small) };
                let error = (off(found, exact) / scale.max(1e-30)).sqrt();
                assert!(error <= 5e-2, "{what}: {index} is off by {error}");
            }
        });
    });
}
