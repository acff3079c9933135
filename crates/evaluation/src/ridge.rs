//! Ridge regression in closed form: a linear map that has no seed, no rate and no epochs.
//!
//! Shapes: N examples, F features, T targets.

use tch::{Kind, Tensor};

use crate::Error;

/// What a fit may take as λ, half a decade apart.
const PENALTIES: [f64; 9] = [1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

/// A linear map from standardised features to targets.
#[derive(Debug)]
pub(crate) struct Ridge {
    mean: Tensor,      // [F]
    deviation: Tensor, // [F]
    weights: Tensor,   // [F, T]
    bias: Tensor,      // [T]
    /// λ.
    pub(crate) penalty: f64,
}

impl Ridge {
    /// [`Ridge::fit_with`] with the λ of nine from 0.001 to 10 that has the least squared error where each example is left
    /// out in turn. So λ needs no other examples, and nobody chooses it.
    ///
    /// # Shapes
    /// `[N, F]`, `[N, T]`
    pub(crate) fn fit(features: &Tensor, targets: &Tensor) -> Result<Self, Error> {
        let fit = Fit::new(features, targets)?;
        let mut best = (f64::INFINITY, PENALTIES[0]);
        for penalty in PENALTIES {
            let error = fit.left_out_errors(penalty)?.f_square()?.f_mean(Kind::Double)?.f_double_value(&[])?;
            if error < best.0 {
                best = (error, penalty);
            }
        }
        fit.ridge(best.1)
    }

    /// The W that minimises ‖X W + b − Y‖² / N + λ ‖W‖², where X are the features, each with mean 0 and deviation 1, and
    /// b is the mean of Y (Hoerl and Kennard 1970). In float64.
    ///
    /// # Shapes
    /// `[N, F]`, `[N, T]`
    #[cfg(test)]
    fn fit_with(features: &Tensor, targets: &Tensor, penalty: f64) -> Result<Self, Error> {
        Fit::new(features, targets)?.ridge(penalty)
    }

    /// # Shapes
    /// `[N, F]` → `[N, T]`
    pub(crate) fn predict(&self, features: &Tensor) -> Result<Tensor, Error> {
        let x = (features.f_to_kind(Kind::Double)? - &self.mean) / &self.deviation;
        Ok(x.f_matmul(&self.weights)? + &self.bias)
    }
}

/// What the fits of all λ share: `X Xᵀ` or `XᵀX`, whichever is smaller, in its eigenvectors.
struct Fit {
    mean: Tensor,
    deviation: Tensor,
    bias: Tensor,
    /// What W is made of: X's right singular vectors where there are at least as many examples as features, else Xᵀ times
    /// the left ones over the singular values. `[F, K]`
    directions: Tensor,
    /// X · directions. `[N, K]`
    projected: Tensor,
    /// Its squares. `[N, K]`
    squares: Tensor,
    /// projectedᵀ · Y. `[K, T]`
    along: Tensor,
    /// Squares of the singular values. `[K]`
    values: Tensor,
    /// Y − b. `[N, T]`
    y: Tensor,
}

impl Fit {
    fn new(features: &Tensor, targets: &Tensor) -> Result<Self, Error> {
        let features = features.f_to_kind(Kind::Double)?;
        let targets = targets.f_to_kind(Kind::Double)?;
        let mean = features.f_mean_dim(0, false, None::<Kind>)?;
        // A feature that is the same in every example says nothing.
        let deviation = features.f_std_dim(0, false, false)?;
        let deviation = deviation.f_where_self(&deviation.gt(1e-9), &deviation.f_ones_like()?)?;
        let bias = targets.f_mean_dim(0, false, None::<Kind>)?;
        let x = (features - &mean) / &deviation; // [N, F]
        let y = targets - &bias; // [N, T]
        let (examples, width) = x.size2()?;
        let transposed = x.f_tr()?;
        let (values, directions) = if width <= examples {
            transposed.f_matmul(&x)?.f_linalg_eigh("L")?
        } else {
            let (values, left) = x.f_matmul(&transposed)?.f_linalg_eigh("L")?;
            // A direction of no length at all is rounding: it is 0 here instead of 0 / 0.
            let least = values.f_max()? * 1e-12;
            let scale =
                values.f_rsqrt()?.f_where_self(&values.f_gt_tensor(&least)?, &values.f_zeros_like()?)?;
            let directions = transposed.f_matmul(&(left * scale))?;
            (values, directions)
        };
        let projected = x.f_matmul(&directions)?;
        let (squares, along) = (projected.f_square()?, projected.f_tr()?.f_matmul(&y)?);
        let values = values.f_clamp_min(0.0)?;
        Ok(Self { mean, deviation, bias, directions, projected, squares, along, values, y })
    }

    /// 1 / (s² + N λ). `[K]`
    fn shrinkage(&self, penalty: f64) -> Result<Tensor, Error> {
        let scaled = penalty * self.y.size()[0] as f64;
        Ok((&self.values + scaled).f_reciprocal()?)
    }

    /// By how much each example's targets are missed by the fit of all others: (y − ŷ) / (1 − h), where h is the example's
    /// leverage, the mean's 1 / N in it (Allen 1974). Means and deviations of features are those of all. `[N, T]`
    fn left_out_errors(&self, penalty: f64) -> Result<Tensor, Error> {
        let shrinkage = self.shrinkage(penalty)?.f_unsqueeze(1)?; // [K, 1]
        let fitted = self.projected.f_matmul(&(&self.along * &shrinkage))?; // [N, T]
        let leverage = self.squares.f_matmul(&shrinkage)?; // [N, 1]
        let examples = self.y.size()[0] as f64;
        Ok((&self.y - fitted) / (1.0 - 1.0 / examples - leverage))
    }

    fn ridge(self, penalty: f64) -> Result<Ridge, Error> {
        let along = self.shrinkage(penalty)?.f_unsqueeze(1)? * self.along;
        let weights = self.directions.f_matmul(&along)?;
        Ok(Ridge { mean: self.mean, deviation: self.deviation, weights, bias: self.bias, penalty })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(seed: i64, shape: [i64; 2]) -> Tensor {
        // Sines of far arguments: numbers enough that nothing is special about.
        let size = shape[0] * shape[1];
        let steps = Tensor::arange(size, (Kind::Double, tch::Device::Cpu));
        ((steps * 12.9898 + seed as f64) * 1.7).sin().view(shape)
    }

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        tensor.contiguous().view([-1]).try_into().unwrap()
    }

    #[test]
    fn weights_are_where_the_gradient_is_zero_whichever_products_are_taken() {
        for (examples, features) in [(40, 7), (7, 40)] {
            let (x, y) = (random(1, [examples, features]), random(2, [examples, 3]));
            let ridge = Ridge::fit_with(&x, &y, 0.1).unwrap();
            let standard = (&x - &ridge.mean) / &ridge.deviation;
            let error = ridge.predict(&x).unwrap() - &y;
            let gradient = standard.tr().matmul(&error) / examples as f64 + &ridge.weights * 0.1;
            let largest = gradient.abs().max().double_value(&[]);
            assert!(largest < 1e-12, "{examples} × {features}: {largest}");
        }
    }

    /// `numpy`: x = [1, 2, 4], y = [0, 1, 1]; standardised x; w = xᵀ(y − ȳ) / (xᵀx + 3 λ) with λ = 0.5.
    #[test]
    fn one_feature_gives_what_is_computed_by_hand() {
        let x = Tensor::from_slice(&[1.0, 2.0, 4.0]).view([3, 1]);
        let y = Tensor::from_slice(&[0.0, 1.0, 1.0]).view([3, 1]);
        let ridge = Ridge::fit_with(&x, &y, 0.5).unwrap();
        let deviation = (14.0_f64 / 9.0).sqrt();
        let weight = (4.0 / 3.0 / deviation) / 4.5;
        assert!((numbers(&ridge.weights)[0] - weight).abs() < 1e-14);
        let found = numbers(&ridge.predict(&Tensor::from_slice(&[3.0]).view([1, 1])).unwrap())[0];
        assert!((found - (2.0 / 3.0 + weight * (3.0 - 7.0 / 3.0) / deviation)).abs() < 1e-14);
    }

    /// A target that equals its prediction pulls a fit nowhere, so that prediction is what the other examples give. As
    /// predictions are linear in the target, two fits find it.
    #[test]
    fn errors_of_examples_left_out_are_those_of_fits_without_them() {
        for (examples, features) in [(30, 6), (9, 25)] {
            let (x, y) = (random(5, [examples, features]), random(6, [examples, 2]));
            let errors = Fit::new(&x, &y).unwrap().left_out_errors(0.03).unwrap();
            for left_out in 0..examples {
                let predicted = |target: f64| {
                    let targets = y.copy();
                    let _ = targets.get(left_out).fill_(target);
                    Ridge::fit_with(&x, &targets, 0.03).unwrap().predict(&x).unwrap().get(left_out)
                };
                let (zero, unit) = (predicted(0.0), predicted(1.0));
                let from_others = &zero / (1.0 - (unit - &zero));
                let found = numbers(&(y.get(left_out) - from_others));
                let expected = numbers(&errors.get(left_out));
                let same = found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9 * b.abs().max(1.0));
                assert!(same, "{examples} × {features}, example {left_out}: {found:?}, {expected:?}");
            }
        }
    }

    #[test]
    fn noise_takes_the_largest_penalty_and_a_law_a_small_one() {
        let x = random(7, [60, 4]);
        let law = x.matmul(&random(8, [4, 1]));
        assert!(Ridge::fit(&x, &law).unwrap().penalty < 0.002);
        assert!(Ridge::fit(&x, &random(9, [60, 1])).unwrap().penalty > 0.5);
    }

    #[test]
    fn a_feature_that_never_changes_says_nothing() {
        let x = Tensor::cat(
            &[random(3, [20, 2]), Tensor::full([20, 1], 5.0, (Kind::Double, tch::Device::Cpu))],
            1,
        );
        let y = random(4, [20, 1]);
        let with = Ridge::fit_with(&x, &y, 0.1).unwrap().predict(&x).unwrap();
        let without = x.narrow(1, 0, 2);
        let without = Ridge::fit_with(&without, &y, 0.1).unwrap().predict(&without).unwrap();
        assert!((with - without).abs().max().double_value(&[]) < 1e-12);
    }
}
