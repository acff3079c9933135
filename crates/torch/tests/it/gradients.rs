//! The global norm, the clip's factor, and gradients that are forgotten.

use crate::{assert_close, devices, numbers, parameter, same_bits, set_grad, value, values};
use electra_torch as torch;
use electra_torch::{clip_grad_norm, grad, zero_grad};
use tch::{Device, Kind, Tensor};

/// Parameters with gradients of the given shapes and kinds.
fn with_grads(shapes: &[(Vec<i64>, Kind)], size: f64, device: Device) -> Vec<Tensor> {
    let parameters = (0..).zip(shapes).map(|(seed, (shape, kind))| {
        let parameter = parameter(shape, seed, *kind, device);
        set_grad(&parameter, &(numbers(shape, 100 + seed, *kind, device) * size));
        parameter
    });
    parameters.collect()
}

fn plain_norm(parameters: &[Tensor]) -> f64 {
    parameters.iter().filter_map(grad).flat_map(|g| values(&g)).map(|g| g * g).sum::<f64>().sqrt()
}

#[test]
fn the_norm_is_that_of_all_gradients_together() {
    let lists = [
        vec![(vec![], Kind::Float)],
        vec![(vec![3, 5], Kind::Float), (vec![0], Kind::Float), (vec![2, 3, 4], Kind::Float)],
        vec![(vec![100, 33], Kind::BFloat16), (vec![9], Kind::BFloat16)],
        vec![(vec![7], Kind::Double), (vec![5], Kind::Double)],
        vec![
            (vec![7], Kind::Float),
            (vec![50], Kind::BFloat16),
            (vec![8], Kind::Half),
            (vec![3], Kind::Double),
        ],
        (1..80).map(|n| (vec![n, 3], Kind::Float)).collect(),
    ];
    for device in devices() {
        for list in &lists {
            for size in [1e-4, 1.0, 50.0] {
                let parameters = with_grads(list, size, device);
                let gradients: Vec<_> = parameters.iter().map(|p| grad(p).unwrap().copy()).collect();
                let clip = clip_grad_norm(&parameters, 1.0).unwrap();
                let norm = plain_norm(&parameters);
                assert_close(&[value(clip.norm())], &[norm], 1e-6, "norm");
                assert_close(&[value(clip.grad_scale())], &[norm.max(1.0)], 1e-6, "scale");
                assert_eq!(value(clip.found_inf()), 0.0);
                for scalar in [clip.norm(), clip.grad_scale(), clip.found_inf()] {
                    assert_eq!((scalar.kind(), scalar.device(), scalar.dim()), (Kind::Float, device, 0));
                }
                for (parameter, gradient) in parameters.iter().zip(&gradients) {
                    assert!(same_bits(&grad(parameter).unwrap(), gradient), "gradients stay as they are");
                }
            }
        }
    }
}

#[test]
fn many_squares_are_summed_without_losing_the_small() {
    for device in devices() {
        // An embedding table's gradient: four million numbers. Summed one after the other, 4e-5 are lost.
        let parameters =
            with_grads(&[(vec![30_522, 128], Kind::Float), (vec![5], Kind::Float)], 1e-3, device);
        let clip = clip_grad_norm(&parameters, 1.0).unwrap();
        assert_close(&[value(clip.norm())], &[plain_norm(&parameters)], 1e-6, "norm");
    }
}

#[test]
fn the_factor_is_that_of_the_reference() {
    // Norm 5. tf.clip_by_global_norm: clip / max(norm, clip), of which this is the inverse.
    let theta = parameter(&[2], 1, Kind::Float, Device::Cpu);
    set_grad(&theta, &Tensor::from_slice(&[3_f32, 4.0]));
    let scale =
        |max_norm: f64| value(clip_grad_norm(&[theta.shallow_clone()], max_norm).unwrap().grad_scale());
    assert_eq!(scale(1.0), 5.0);
    assert_eq!(scale(2.5), 2.0);
    assert_eq!(scale(5.0), 1.0);
    assert_eq!(scale(80.0), 1.0);
    assert_eq!(scale(f64::INFINITY), 1.0);
}

#[test]
fn what_is_not_finite_is_found() {
    for device in devices() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 3e38] {
            let parameters = with_grads(&[(vec![40], Kind::Float), (vec![2, 9], Kind::Float)], 1.0, device);
            let _ = grad(&parameters[1]).unwrap().get(1).get(7).fill_(bad);
            for max_norm in [1.0, f64::INFINITY] {
                let clip = clip_grad_norm(&parameters, max_norm).unwrap();
                assert_eq!(value(clip.found_inf()), 1.0, "{bad}");
            }
        }
    }
}

#[test]
fn any_element_of_a_loss_counts() {
    let clip = || clip_grad_norm(&[], 1.0).unwrap();
    let found =
        |losses: &[f32]| value(clip().or_non_finite(&Tensor::from_slice(losses)).unwrap().found_inf());
    assert_eq!(found(&[1.0, -2.0]), 0.0);
    assert_eq!(found(&[1.0, f32::INFINITY]), 1.0);
    assert_eq!(found(&[f32::NAN, 1.0]), 1.0);
    let loss = Tensor::from(f32::NAN).set_requires_grad(true);
    assert!(!clip().or_non_finite(&loss).unwrap().found_inf().requires_grad());
}

#[test]
fn no_gradients_have_the_norm_zero() {
    for device in devices() {
        let without = parameter(&[3], 1, Kind::Float, device);
        for parameters in [vec![], vec![without]] {
            let clip = clip_grad_norm(&parameters, 1.0).unwrap();
            assert_eq!([clip.norm(), clip.grad_scale(), clip.found_inf()].map(value), [0.0, 1.0, 0.0]);
        }
    }
}

#[test]
fn a_clip_to_nothing_is_refused() {
    for (max_norm, shown) in [(0.0, "0"), (-1.0, "-1"), (f64::NAN, "NaN")] {
        let error = clip_grad_norm(&[], max_norm).unwrap_err();
        assert_eq!(error.to_string(), format!("max_norm {shown}: expected above 0"));
    }
}

#[test]
fn forgotten_gradients_are_none_and_come_anew() {
    for device in devices() {
        let parameters = with_grads(&[(vec![2, 2], Kind::Float), (vec![3], Kind::Float)], 1.0, device);
        let third = parameter(&[1], 1, Kind::Float, device);
        assert!(grad(&third).is_none());
        assert!(parameters.iter().all(|parameter| grad(parameter).is_some()));
        zero_grad(&[parameters[0].shallow_clone(), third]).unwrap();
        assert!(grad(&parameters[0]).is_none());
        assert!(grad(&parameters[1]).is_some(), "it was not in the list");
        for times in [1.0, 2.0] {
            // Accumulated until they are forgotten, as usual.
            (&parameters[0] * 3.0).sum(Kind::Float).backward();
            assert_eq!(values(&grad(&parameters[0]).unwrap()), [3.0 * times; 4]);
        }
        zero_grad(&[]).unwrap();
    }
}

#[test]
fn a_value_passes_on_the_gradients_that_it_was_given() {
    for device in devices() {
        let (a, b) = (parameter(&[3], 1, Kind::Float, device), parameter(&[2, 2], 2, Kind::Float, device));
        let known = [numbers(&[3], 3, Kind::Float, device), numbers(&[2, 2], 4, Kind::Float, device)];
        let expected: Vec<f64> = known.iter().flat_map(values).map(|g| -2.0 * g).collect();
        let given = known.map(|tensor| tensor.copy());
        let sum = torch::with_gradients(&(a.detach().sum(Kind::Float)), &[&a, &b], &given).unwrap();
        assert_eq!(value(&sum), value(&a.sum(Kind::Float)));
        (sum * -2.0).backward();
        let found: Vec<f64> = [&a, &b].iter().flat_map(|p| values(&grad(p).unwrap())).collect();
        assert_close(&found, &expected, 1e-6, "gradients");

        let one = || numbers(&[3], 3, Kind::Float, device);
        let error = |inputs: &[&Tensor], gradients: &[Tensor]| {
            torch::with_gradients(&a.sum(Kind::Float), inputs, gradients).unwrap_err().to_string()
        };
        assert_eq!(error(&[&a, &b], &[one()]), "1 gradients: expected one for each of 2 inputs");
        assert!(error(&[&b], &[one()]).contains("gradient 0 is [3]: expected [2, 2]"));
    }
}
