//! Ridge regression in closed form: a linear map that has no seed, no rate and no epochs.
//!
//! Shapes: N examples, F features, T targets.

use tch::{Kind, Tensor};

use crate::Error;

/// A linear map from standardised features to targets.
#[derive(Debug)]
pub(crate) struct Ridge {
    mean: Tensor,      // [F]
    deviation: Tensor, // [F]
    weights: Tensor,   // [F, T]
    bias: Tensor,      // [T]
}

impl Ridge {
    /// The W that minimises ‖X W + b − Y‖² / N + λ ‖W‖², where X are the features, each with mean 0 and deviation 1, and
    /// b is the mean of Y (Hoerl and Kennard 1970). In float64. With fewer examples than features the same W is
    /// computed from the products of examples, which are fewer.
    ///
    /// # Shapes
    /// `[N, F]`, `[N, T]`
    pub(crate) fn fit(features: &Tensor, targets: &Tensor, penalty: f64) -> Result<Self, Error> {
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
        let scaled = penalty * examples as f64;
        let regular = |products: &Tensor, size: i64| -> Result<Tensor, Error> {
            let diagonal = Tensor::f_eye(size, (Kind::Double, products.device()))? * scaled;
            Ok((products + diagonal).f_linalg_cholesky(false)?)
        };
        let weights = if width <= examples {
            let factor = regular(&x.f_tr()?.f_matmul(&x)?, width)?;
            x.f_tr()?.f_matmul(&y)?.f_cholesky_solve(&factor, false)?
        } else {
            let factor = regular(&x.f_matmul(&x.f_tr()?)?, examples)?;
            x.f_tr()?.f_matmul(&y.f_cholesky_solve(&factor, false)?)?
        };
        Ok(Self { mean, deviation, weights, bias })
    }

    /// # Shapes
    /// `[N, F]` → `[N, T]`
    pub(crate) fn predict(&self, features: &Tensor) -> Result<Tensor, Error> {
        let x = (features.f_to_kind(Kind::Double)? - &self.mean) / &self.deviation;
        Ok(x.f_matmul(&self.weights)? + &self.bias)
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
            let ridge = Ridge::fit(&x, &y, 0.1).unwrap();
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
        let ridge = Ridge::fit(&x, &y, 0.5).unwrap();
        let deviation = (14.0_f64 / 9.0).sqrt();
        let weight = (4.0 / 3.0 / deviation) / 4.5;
        assert!((numbers(&ridge.weights)[0] - weight).abs() < 1e-14);
        let found = numbers(&ridge.predict(&Tensor::from_slice(&[3.0]).view([1, 1])).unwrap())[0];
        assert!((found - (2.0 / 3.0 + weight * (3.0 - 7.0 / 3.0) / deviation)).abs() < 1e-14);
    }

    #[test]
    fn a_feature_that_never_changes_says_nothing() {
        let x = Tensor::cat(
            &[random(3, [20, 2]), Tensor::full([20, 1], 5.0, (Kind::Double, tch::Device::Cpu))],
            1,
        );
        let y = random(4, [20, 1]);
        let with = Ridge::fit(&x, &y, 0.1).unwrap().predict(&x).unwrap();
        let without = x.narrow(1, 0, 2);
        let without = Ridge::fit(&without, &y, 0.1).unwrap().predict(&without).unwrap();
        assert!((with - without).abs().max().double_value(&[]) < 1e-12);
    }
}
