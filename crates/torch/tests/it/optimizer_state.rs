//! Steps that are skipped, state that is saved and put back, and what an optimizer refuses.

use crate::{devices, numbers, parameter, same_bits, set_grad, values};
use electra_torch::{AdamW, AdamWConfig, Error, Group, ParameterState, clip_grad_norm};
use tch::{Device, Kind, Tensor};

fn group(parameters: &[Tensor], weight_decay: f64) -> Group {
    Group { parameters: parameters.iter().map(Tensor::shallow_clone).collect(), weight_decay, lr_scale: 1.0 }
}

fn adamw(parameters: &[Tensor], bias_correction: bool) -> AdamW {
    let config = AdamWConfig { bias_correction, ..AdamWConfig::paper() };
    let (first, rest) = parameters.split_at(1);
    AdamW::new(vec![group(first, 0.01), group(rest, 0.0)], config).unwrap()
}

fn parameters(device: Device) -> Vec<Tensor> {
    (0..)
        .zip([vec![4, 3], vec![17], vec![]])
        .map(|(seed, s)| parameter(&s, seed, Kind::Float, device))
        .collect()
}

fn set_grads(parameters: &[Tensor], seed: u32) {
    for (n, parameter) in (0..).zip(parameters) {
        set_grad(parameter, &numbers(&parameter.size(), seed + n, Kind::Float, parameter.device()));
    }
}

fn clipped_step(adamw: &mut AdamW) {
    let clip = clip_grad_norm(adamw.parameters(), 1.0).unwrap();
    adamw.step(1e-2, &clip).unwrap();
}

/// Parameters and state as copies, and the step counts.
fn snapshot(adamw: &AdamW) -> (Vec<Tensor>, Vec<i64>) {
    let state = adamw.state().unwrap();
    let tensors = adamw.parameters().iter().chain(state.iter().flat_map(|s| [&s.exp_avg, &s.exp_avg_sq]));
    (tensors.map(|tensor| tensor.detach().copy()).collect(), state.iter().map(|s| s.steps).collect())
}

fn same(a: &(Vec<Tensor>, Vec<i64>), b: &(Vec<Tensor>, Vec<i64>)) -> bool {
    a.1 == b.1 && a.0.iter().zip(&b.0).all(|(a, b)| same_bits(a, b))
}

#[test]
fn a_gradient_that_is_not_finite_changes_nothing() {
    for device in devices() {
        for bias_correction in [false, true] {
            for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 3e38] {
                let [a, b] = [(); 2].map(|()| adamw(&parameters(device), bias_correction));
                let (mut disturbed, mut calm) = (a, b);
                for adamw in [&mut disturbed, &mut calm] {
                    set_grads(adamw.parameters(), 10);
                    clipped_step(adamw);
                }
                let before = snapshot(&disturbed);

                set_grads(disturbed.parameters(), 20);
                let gradient = numbers(&[17], 3, Kind::Float, device);
                // One element of one of three gradients.
                let _ = gradient.get(16).fill_(bad);
                set_grad(&disturbed.parameters()[1], &gradient);
                clipped_step(&mut disturbed);
                assert!(same(&snapshot(&disturbed), &before), "{bad} on {device:?}");

                // And the step after it is the one that would have been without it.
                for adamw in [&mut disturbed, &mut calm] {
                    set_grads(adamw.parameters(), 30);
                    clipped_step(adamw);
                }
                assert!(same(&snapshot(&disturbed), &snapshot(&calm)), "{bad} on {device:?}");
                assert!(!same(&snapshot(&disturbed), &before), "finite gradients change parameters");
            }
        }
    }
}

#[test]
fn a_loss_that_is_not_finite_changes_nothing() {
    for device in devices() {
        let mut adamw = adamw(&parameters(device), false);
        for (loss, changes) in [(f64::INFINITY, false), (f64::NAN, false), (2.5, true)] {
            set_grads(adamw.parameters(), 10);
            let before = snapshot(&adamw);
            let loss = Tensor::from(loss).to_device(device);
            let clip = clip_grad_norm(adamw.parameters(), 1.0).unwrap().or_non_finite(&loss).unwrap();
            adamw.step(1e-2, &clip).unwrap();
            assert_eq!(same(&snapshot(&adamw), &before), !changes);
        }
    }
}

#[test]
fn a_good_loss_does_not_hide_a_bad_gradient() {
    let mut adamw = adamw(&parameters(Device::Cpu), false);
    let theta = adamw.parameters()[2].shallow_clone();
    set_grad(&theta, &Tensor::from(f32::NAN));
    let before = snapshot(&adamw);
    let clip = clip_grad_norm(adamw.parameters(), 1.0).unwrap().or_non_finite(&Tensor::from(1.0)).unwrap();
    adamw.step(1e-2, &clip).unwrap();
    assert!(same(&snapshot(&adamw), &before));
}

#[test]
fn a_restored_state_goes_on_with_the_same_bits() {
    for device in devices() {
        for bias_correction in [false, true] {
            let mut whole = adamw(&parameters(device), bias_correction);
            for seed in [10, 20] {
                set_grads(whole.parameters(), seed);
                clipped_step(&mut whole);
            }
            let saved: Vec<_> = whole
                .state()
                .unwrap()
                .iter()
                .map(|state| ParameterState {
                    // As a checkpoint would: on the CPU, not the live tensors.
                    exp_avg: state.exp_avg.to_device(Device::Cpu).copy(),
                    exp_avg_sq: state.exp_avg_sq.to_device(Device::Cpu).copy(),
                    steps: state.steps,
                })
                .collect();
            let copies: Vec<_> =
                whole.parameters().iter().map(|p| p.detach().copy().set_requires_grad(true)).collect();
            let mut resumed = adamw(&copies, bias_correction);
            resumed.set_state(&saved).unwrap();
            for adamw in [&mut whole, &mut resumed] {
                set_grads(adamw.parameters(), 30);
                clipped_step(adamw);
            }
            assert!(same(&snapshot(&whole), &snapshot(&resumed)));
            assert_eq!(whole.state().unwrap()[0].steps, 3);
        }
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused_whole() {
    let mut adamw = adamw(&parameters(Device::Cpu), false);
    set_grads(adamw.parameters(), 10);
    clipped_step(&mut adamw);
    let before = snapshot(&adamw);
    // What fits is of another value, so that a half-done copy would show.
    let other = |adamw: &AdamW| -> Vec<_> {
        let states = adamw.state().unwrap();
        let twice = |tensor: &Tensor| tensor * 2.0;
        states
            .iter()
            .map(|s| ParameterState {
                exp_avg: twice(&s.exp_avg),
                exp_avg_sq: twice(&s.exp_avg_sq),
                steps: 7,
            })
            .collect()
    };
    let mut short = other(&adamw);
    short.pop();
    let mut misshapen = other(&adamw);
    misshapen[1].exp_avg_sq = Tensor::zeros([16], (Kind::Float, Device::Cpu));
    let mut narrow = other(&adamw);
    narrow[2].exp_avg = narrow[2].exp_avg.to_kind(Kind::Half);
    let mut negative = other(&adamw);
    negative[2].steps = -1;
    for (state, message) in [
        (short, "the state of 2 parameters: expected 3"),
        (misshapen, "exp_avg_sq of parameter 1 is (Float, [16]): expected (Float, [17])"),
        (narrow, "exp_avg of parameter 2 is (Half, []): expected (Float, [])"),
        (negative, "steps of parameter 2 is -1: expected at least 0"),
    ] {
        assert_eq!(adamw.set_state(&state).unwrap_err().to_string(), message);
        assert!(same(&snapshot(&adamw), &before), "{message}");
    }
    adamw.set_state(&other(&adamw)).unwrap();
    assert_eq!(adamw.state().unwrap()[2].steps, 7);
    let halved: Vec<_> = values(&adamw.state().unwrap()[1].exp_avg).iter().map(|m| m / 2.0).collect();
    // Behind the three parameters: exp_avg and exp_avg_sq of the first, exp_avg of the second.
    assert_eq!(halved, values(&before.0[5]));
}

#[test]
fn constants_out_of_range_are_refused() {
    let paper = AdamWConfig::paper();
    for (config, message) in [
        (AdamWConfig { beta1: 1.0, ..paper }, "beta1 1: expected from 0 to below 1"),
        (AdamWConfig { beta2: -0.1, ..paper }, "beta2 -0.1: expected from 0 to below 1"),
        (AdamWConfig { beta2: f64::NAN, ..paper }, "beta2 NaN: expected from 0 to below 1"),
        (AdamWConfig { eps: f64::INFINITY, ..paper }, "eps inf: expected at least 0"),
    ] {
        assert_eq!(AdamW::new(Vec::new(), config).unwrap_err().to_string(), message);
    }
    let decaying = |weight_decay| AdamW::new(vec![group(&[], weight_decay)], paper);
    assert_eq!(decaying(-1.0).unwrap_err().to_string(), "weight_decay -1: expected at least 0");
    assert!(decaying(0.0).is_ok());
    let scaled = Group { lr_scale: f64::NAN, ..group(&[], 0.0) };
    let error = AdamW::new(vec![scaled], paper).unwrap_err();
    assert_eq!(error.to_string(), "lr_scale NaN: expected at least 0");
    for lr in [-1e-3, f64::NAN, f64::INFINITY] {
        let error = adamw(&parameters(Device::Cpu), false).step_unclipped(lr).unwrap_err();
        assert!(matches!(error, Error::Setting { name: "lr", .. }), "{error}");
    }
}

#[test]
fn parameters_that_cannot_be_updated_are_refused() {
    let paper = AdamWConfig::paper();
    let thetas = parameters(Device::Cpu);
    let ids = Tensor::zeros([2], (Kind::Int64, Device::Cpu));
    let error = AdamW::new(vec![group(&thetas, 0.0), group(&[ids], 0.0)], paper).unwrap_err();
    assert_eq!(error.to_string(), "parameter 3 is Int64: expected a floating-point kind");
    let error = AdamW::new(vec![group(&thetas, 0.0), group(&thetas[1..], 0.0)], paper).unwrap_err();
    assert_eq!(error.to_string(), "parameters 1 and 3 are the same tensor: expected each once");
}

#[test]
fn a_parameter_that_changed_its_shape_is_refused() {
    let mut adamw = adamw(&parameters(Device::Cpu), false);
    let mut theta = adamw.parameters()[1].shallow_clone();
    // The kernel would read behind the end of the state.
    theta.set_data(&Tensor::zeros([40], (Kind::Float, Device::Cpu)));
    set_grad(&theta, &Tensor::ones([40], (Kind::Float, Device::Cpu)));
    let before = snapshot(&adamw);
    let error = adamw.step_unclipped(1e-2).unwrap_err().to_string();
    assert!(error.contains("exp_avg of parameter") && error.contains("expected"), "{error}");
    assert!(same(&snapshot(&adamw), &before));
}
