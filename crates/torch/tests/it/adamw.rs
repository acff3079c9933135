//! Updates against the formula in f64.

use crate::{assert_close, devices, numbers, parameter, same_bits, set_grad, values};
use electra_torch::{AdamW, AdamWConfig, Group, LearningRate, clip_grad_norm, grad, zero_grad};
use tch::nn::OptimizerConfig;
use tch::{Device, Kind, Tensor, nn};

const CONFIG: AdamWConfig = AdamWConfig { beta1: 0.9, beta2: 0.999, eps: 1e-6, bias_correction: false };
const CLIP: f64 = 1.0;

/// One parameter and its state as numbers, updated as the golden files' program does it.
struct Plain {
    theta: Vec<f64>,
    m: Vec<f64>,
    v: Vec<f64>,
    steps: i32,
}

impl Plain {
    fn new(parameter: &Tensor) -> Plain {
        let theta = values(parameter);
        Plain { m: vec![0.0; theta.len()], v: vec![0.0; theta.len()], theta, steps: 0 }
    }

    fn step(&mut self, gradient: &[f64], lr: f64, decay: f64, config: &AdamWConfig) {
        self.steps += 1;
        let correction = |beta: f64| if config.bias_correction { 1.0 - beta.powi(self.steps) } else { 1.0 };
        let (first, second) = (correction(config.beta1), correction(config.beta2));
        for (i, g) in gradient.iter().enumerate() {
            self.m[i] = config.beta1 * self.m[i] + (1.0 - config.beta1) * g;
            self.v[i] = config.beta2 * self.v[i] + (1.0 - config.beta2) * g * g;
            let update = self.m[i] / first / ((self.v[i] / second).sqrt() + config.eps);
            self.theta[i] -= lr * (update + decay * self.theta[i]);
        }
    }
}

/// Lists of one to many parameters, of none to three dimensions, longer and shorter than a vector register.
fn shapes() -> Vec<Vec<Vec<i64>>> {
    vec![
        vec![vec![]],
        vec![vec![1], vec![130, 33]],
        vec![vec![3, 5], vec![7], vec![], vec![2, 3, 4], vec![0, 4]],
        (1..60).map(|n| vec![n, 3]).collect(),
    ]
}

/// Three steps of two groups, clipped where the gradients are large, on every device.
fn three_steps(kind: Kind, config: AdamWConfig, tolerance: f64) {
    for device in devices() {
        for shapes in shapes() {
            let parameters: Vec<_> =
                (0..).zip(&shapes).map(|(seed, shape)| parameter(shape, seed, kind, device)).collect();
            let mut plain: Vec<_> = parameters.iter().map(Plain::new).collect();
            // CUDA's kernel takes 1 − β₂ in float32, which is 1.3e-5 off at .999.
            let tolerance = if device.is_cuda() && kind == Kind::Float { 2e-5 } else { tolerance };
            let decay = |index: usize| if index.is_multiple_of(2) { 0.01 } else { 0.0 };
            let group = |rest: usize, weight_decay: f64| Group {
                parameters: parameters.iter().skip(rest).step_by(2).map(Tensor::shallow_clone).collect(),
                weight_decay,
                lr_scale: 1.0,
            };
            let mut adamw = AdamW::new(vec![group(0, 0.01), group(1, 0.0)], config).unwrap();

            for (step, (lr, size)) in (0..).zip([(1e-3, 3.0), (2e-3, 1e-3), (5e-4, 100.0)]) {
                let gradients: Vec<_> = (1000 * (step + 1)..)
                    .zip(&shapes)
                    .map(|(seed, shape)| numbers(shape, seed, kind, device) * size)
                    .collect();
                for (parameter, gradient) in parameters.iter().zip(&gradients) {
                    set_grad(parameter, gradient);
                }
                let clip = clip_grad_norm(&parameters, CLIP).unwrap();
                // Every second rate as a scalar on the device.
                let scalar = Tensor::from(lr as f32).to_device(device);
                let rate =
                    if step % 2 == 1 { LearningRate::Scalar(&scalar) } else { LearningRate::Number(lr) };
                adamw.step(rate, &clip).unwrap();

                let norm = gradients.iter().flat_map(values).map(|g| g * g).sum::<f64>().sqrt();
                let scale = CLIP / norm.max(CLIP);
                for (index, (plain, gradient)) in plain.iter_mut().zip(&gradients).enumerate() {
                    let gradient: Vec<_> = values(gradient).iter().map(|g| g * scale).collect();
                    plain.step(&gradient, lr, decay(index), &config);
                }
            }

            for (index, (parameter, plain)) in parameters.iter().zip(&plain).enumerate() {
                let what = format!("{kind:?} on {device:?}, parameter {index} of {}", parameters.len());
                assert_close(&values(parameter), &plain.theta, tolerance, &what);
            }
            // Group after group: the even ones, then the odd ones.
            let order = (0..plain.len()).step_by(2).chain((1..plain.len()).step_by(2));
            for (state, index) in adamw.state().unwrap().iter().zip(order) {
                assert_close(&values(&state.exp_avg), &plain[index].m, tolerance, "exp_avg");
                assert_close(&values(&state.exp_avg_sq), &plain[index].v, tolerance, "exp_avg_sq");
                assert_eq!(state.steps, 3);
            }
        }
    }
}

#[test]
fn three_steps_are_the_formula_in_float32() {
    three_steps(Kind::Float, CONFIG, 2e-6);
}

#[test]
fn three_steps_are_the_formula_in_float64() {
    // The clip's factor is float32, whatever the parameters are.
    three_steps(Kind::Double, CONFIG, 2e-7);
}

#[test]
fn three_steps_are_the_formula_in_bfloat16() {
    three_steps(Kind::BFloat16, CONFIG, 2e-2);
}

#[test]
fn three_steps_with_bias_correction_are_the_formula() {
    three_steps(Kind::Float, AdamWConfig { bias_correction: true, ..CONFIG }, 2e-6);
    three_steps(Kind::Double, AdamWConfig { bias_correction: true, ..CONFIG }, 2e-7);
}

fn single(parameter: &Tensor, config: AdamWConfig) -> AdamW {
    let group = Group { parameters: vec![parameter.shallow_clone()], weight_decay: 0.1, lr_scale: 1.0 };
    AdamW::new(vec![group], config).unwrap()
}

#[test]
fn the_corrections_are_exactly_one() {
    for device in devices() {
        let theta = parameter(&[37], 1, Kind::Double, device);
        let mut plain = Plain::new(&theta);
        let mut adamw = single(&theta, CONFIG);
        for step in 0..5 {
            let gradient = numbers(&[37], 10 + step, Kind::Double, device);
            set_grad(&theta, &gradient);
            adamw.step_unclipped(1e-3).unwrap();
            plain.step(&values(&gradient), 1e-3, 0.1, &CONFIG);
        }
        // 1 - βᵗ a hair from 1 would show: at step 1 it is 0.1 and 0.001.
        assert_close(&values(&theta), &plain.theta, 1e-14, "θ");
    }
}

#[test]
fn with_bias_correction_it_is_the_adamw_of_tch() {
    for device in devices() {
        let store = nn::VarStore::new(device);
        let theirs = store.root().add("theta", numbers(&[5, 9], 1, Kind::Float, device), true);
        let settings = nn::AdamW { beta1: 0.9, beta2: 0.999, wd: 0.1, eps: 1e-6, amsgrad: false };
        let mut their_adamw = settings.build(&store, 1e-3).unwrap();
        let ours = parameter(&[5, 9], 1, Kind::Float, device);
        let mut our_adamw = single(&ours, AdamWConfig { bias_correction: true, ..CONFIG });
        for step in 0..4 {
            let gradient = numbers(&[5, 9], 10 + step, Kind::Float, device);
            for theta in [&theirs, &ours] {
                set_grad(theta, &gradient);
            }
            their_adamw.step();
            our_adamw.step_unclipped(1e-3).unwrap();
        }
        assert_close(&values(&ours), &values(&theirs), 2e-6, "θ");
    }
}

#[test]
fn a_parameter_without_a_gradient_is_passed_over() {
    let config = AdamWConfig { bias_correction: true, ..CONFIG };
    for device in devices() {
        let thetas = [1, 2].map(|seed| parameter(&[4, 3], seed, Kind::Float, device));
        let group = Group {
            parameters: thetas.each_ref().map(Tensor::shallow_clone).into(),
            weight_decay: 0.1,
            lr_scale: 1.0,
        };
        let mut adamw = AdamW::new(vec![group], config).unwrap();
        let mut plain = thetas.each_ref().map(Plain::new);
        let before = thetas[1].detach().copy();
        for (step, with_gradient) in (0..).zip([1, 1, 2]) {
            zero_grad(&thetas).unwrap();
            for (index, theta) in thetas.iter().enumerate().take(with_gradient) {
                let gradient = numbers(&[4, 3], 10 + step, Kind::Float, device);
                set_grad(theta, &gradient);
                plain[index].step(&values(&gradient), 1e-2, 0.1, &config);
            }
            adamw.step_unclipped(1e-2).unwrap();
            assert_eq!(with_gradient == 1, same_bits(&thetas[1], &before), "step {step}");
        }
        // The second parameter's first gradient meets its first bias correction, not the third.
        for (theta, plain) in thetas.iter().zip(&plain) {
            assert_close(&values(theta), &plain.theta, 2e-6, "θ");
        }
        let steps: Vec<_> = adamw.state().unwrap().iter().map(|state| state.steps).collect();
        assert_eq!(steps, [3, 1]);
    }
}

#[test]
fn a_layer_has_its_own_learning_rate() {
    let thetas = [1, 1].map(|seed| parameter(&[6], seed, Kind::Double, Device::Cpu));
    let group = |theta: &Tensor, lr_scale| Group {
        parameters: vec![theta.shallow_clone()],
        weight_decay: 0.1,
        lr_scale,
    };
    let mut adamw = AdamW::new(vec![group(&thetas[0], 1.0), group(&thetas[1], 0.8)], CONFIG).unwrap();
    let gradient = numbers(&[6], 2, Kind::Double, Device::Cpu);
    let mut plain = thetas.each_ref().map(Plain::new);
    for (theta, (plain, lr)) in thetas.iter().zip(plain.iter_mut().zip([1e-2, 8e-3])) {
        set_grad(theta, &gradient);
        plain.step(&values(&gradient), lr, 0.1, &CONFIG);
    }
    adamw.step_unclipped(1e-2).unwrap();
    for (theta, plain) in thetas.iter().zip(&plain) {
        assert_close(&values(theta), &plain.theta, 1e-14, "θ");
    }
}

#[test]
fn a_clip_that_clips_nothing_changes_no_bit() {
    for device in devices() {
        let thetas = [1, 1].map(|seed| parameter(&[50], seed, Kind::Float, device));
        let gradient = numbers(&[50], 2, Kind::Float, device) * 1e-3;
        for theta in &thetas {
            set_grad(theta, &gradient);
        }
        single(&thetas[0], CONFIG).step_unclipped(1e-2).unwrap();
        let clip = clip_grad_norm(&thetas[1..], CLIP).unwrap();
        single(&thetas[1], CONFIG).step(1e-2, &clip).unwrap();
        assert!(same_bits(&thetas[0], &thetas[1]));
        assert!(same_bits(&grad(&thetas[1]).unwrap(), &gradient));
    }
}

#[test]
fn the_clipped_gradients_are_left_behind() {
    for device in devices() {
        let theta = parameter(&[50], 1, Kind::Float, device);
        set_grad(&theta, &(numbers(&[50], 2, Kind::Float, device) * 10.0));
        let clip = clip_grad_norm(&[theta.shallow_clone()], CLIP).unwrap();
        single(&theta, CONFIG).step(1e-2, &clip).unwrap();
        let squares: f64 = values(&grad(&theta).unwrap()).iter().map(|g| g * g).sum();
        assert_close(&[squares.sqrt()], &[CLIP], 1e-6, "norm");
    }
}

#[test]
fn memory_order_does_not_matter() {
    for device in devices() {
        let rows = |seed| numbers(&[5, 8], seed, Kind::Float, device);
        let columns = |seed| rows(seed).transpose(0, 1).contiguous().transpose(0, 1);
        let [plain, both, mixed] =
            [rows(1), columns(1), columns(1)].map(|theta| theta.detach().copy().set_requires_grad(true));
        for theta in [&plain, &both, &mixed] {
            set_grad(theta, &rows(2));
        }
        // As a backward pass of its own accord would not leave it.
        grad(&mixed).unwrap().set_data(&rows(2));
        assert_eq!(both.stride(), grad(&both).unwrap().stride());
        assert_ne!(mixed.stride(), grad(&mixed).unwrap().stride());
        for theta in [&plain, &both, &mixed] {
            single(theta, CONFIG).step_unclipped(1e-2).unwrap();
        }
        assert!(same_bits(&plain, &both));
        assert!(same_bits(&plain, &mixed));
    }
}

#[test]
fn a_parameter_with_holes_in_memory_is_refused() {
    let whole = numbers(&[6, 4], 1, Kind::Float, Device::Cpu);
    let theta = whole.slice(1, 0, 4, 2).detach().set_requires_grad(true);
    set_grad(&theta, &Tensor::ones([6, 2], (Kind::Float, Device::Cpu)));
    let error = single(&theta, CONFIG).step_unclipped(1e-2).unwrap_err().to_string();
    assert!(error.contains("parameter 0 is not dense in memory"), "{error}");
    assert!(same_bits(&whole, &numbers(&[6, 4], 1, Kind::Float, Device::Cpu)));
}

#[test]
fn nothing_to_update_is_no_error() {
    let clip = clip_grad_norm(&[], CLIP).unwrap();
    let empty = || Group { parameters: Vec::new(), weight_decay: 0.0, lr_scale: 1.0 };
    for groups in [vec![], vec![empty(), empty()]] {
        let mut adamw = AdamW::new(groups, CONFIG).unwrap();
        adamw.step(1e-3, &clip).unwrap();
        assert!(adamw.state().unwrap().is_empty());
    }
    let theta = parameter(&[3], 1, Kind::Float, Device::Cpu);
    let before = theta.detach().copy();
    let mut adamw = single(&theta, CONFIG);
    adamw.step(1e-3, &clip_grad_norm(adamw.parameters(), CLIP).unwrap()).unwrap();
    assert!(same_bits(&theta, &before), "without a gradient there is no decay either");
}
