//! What computes in which kind, and that the thread's state is put back.

use crate::{devices, numbers, parameter, same_bits, values};
use electra_torch::{autocast, grad};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tch::{Device, Kind, Tensor};

/// The kind that matrix products of float32 tensors come in.
fn product_kind(device: Device) -> Kind {
    let a = numbers(&[4, 4], 1, Kind::Float, device);
    a.matmul(&a).kind()
}

#[test]
fn products_are_narrow_and_losses_are_not() {
    for device in devices() {
        let (a, b) = (numbers(&[8, 16], 1, Kind::Float, device), numbers(&[16, 4], 2, Kind::Float, device));
        for kind in [Kind::BFloat16, Kind::Half] {
            let product = autocast(device, kind, true, || a.matmul(&b)).unwrap();
            assert!(same_bits(&product, &a.to_kind(kind).matmul(&b.to_kind(kind))), "{kind:?}");
        }
        let loss = autocast(device, Kind::BFloat16, true, || {
            let logits = a.matmul(&b);
            assert_eq!(logits.kind(), Kind::BFloat16);
            logits.mse_loss(&logits.zeros_like(), tch::Reduction::Mean)
        });
        assert_eq!(loss.unwrap().kind(), Kind::Float);
        assert_eq!(product_kind(device), Kind::Float);
    }
}

#[test]
fn switched_off_it_computes_as_without_it() {
    for device in devices() {
        let a = numbers(&[8, 8], 1, Kind::Float, device);
        let product = autocast(device, Kind::BFloat16, false, || a.matmul(&a)).unwrap();
        assert!(same_bits(&product, &a.matmul(&a)));
    }
}

#[test]
fn calls_nest() {
    for device in devices() {
        let kind = || product_kind(device);
        let seen = autocast(device, Kind::BFloat16, true, || {
            let half = autocast(device, Kind::Half, true, kind).unwrap();
            let between = kind();
            let off = autocast(device, Kind::Half, false, || {
                let off = kind();
                (off, autocast(device, Kind::Half, true, kind).unwrap(), kind())
            });
            (half, between, off.unwrap(), kind())
        });
        let (half, narrow, wide) = (Kind::Half, Kind::BFloat16, Kind::Float);
        assert_eq!(seen.unwrap(), (half, narrow, (wide, half, wide), narrow));
        assert_eq!(kind(), wide);
    }
}

#[test]
fn a_panic_puts_everything_back() {
    for device in devices() {
        let weight = parameter(&[4, 4], 1, Kind::Float, device);
        let product = || numbers(&[4, 4], 2, Kind::Float, device).matmul(&weight);
        let outer = autocast(device, Kind::BFloat16, true, || {
            let inner = catch_unwind(AssertUnwindSafe(|| {
                autocast(device, Kind::Half, false, || -> () { panic!("in the forward pass") })
            }));
            assert!(inner.is_err());
            product_kind(device)
        });
        assert_eq!(outer.unwrap(), Kind::BFloat16, "the outer call's state, after the inner one's panic");

        let panicked = catch_unwind(AssertUnwindSafe(|| {
            autocast(device, Kind::BFloat16, true, || -> () {
                assert_eq!(product().kind(), Kind::BFloat16);
                panic!("after a copy of the weight was kept");
            })
        }));
        assert_eq!(*panicked.unwrap_err().downcast::<&str>().unwrap(), "after a copy of the weight was kept");
        assert_eq!(product_kind(device), Kind::Float);
        // The copy is gone: what was kept of the old weight would be found again.
        let _ = tch::no_grad(|| weight.shallow_clone().zero_());
        let after = autocast(device, Kind::BFloat16, true, product).unwrap();
        assert_eq!(values(&after), [0.0; 16]);
    }
}

#[test]
fn copies_of_parameters_are_kept_to_the_end_of_the_outermost_call() {
    for device in devices() {
        let weight = parameter(&[4, 4], 1, Kind::Float, device);
        let input = numbers(&[4, 4], 2, Kind::Float, device);
        let product = || input.matmul(&weight);
        let (first, second) = autocast(device, Kind::BFloat16, true, || {
            let first = autocast(device, Kind::BFloat16, true, product).unwrap();
            // What the documentation forbids: a step of the optimizer within the call.
            let _ = tch::no_grad(|| weight.shallow_clone().zero_());
            (first, product())
        })
        .unwrap();
        assert!(same_bits(&first, &second), "the inner call's end keeps the copies");
        let third = autocast(device, Kind::BFloat16, true, product).unwrap();
        assert_eq!(values(&third), [0.0; 16]);
    }
}

#[test]
fn gradients_of_wide_parameters_are_wide() {
    for device in devices() {
        let weight = parameter(&[16, 4], 1, Kind::Float, device);
        let input = numbers(&[8, 16], 2, Kind::Float, device);
        let loss = autocast(device, Kind::BFloat16, true, || input.matmul(&weight).sum(Kind::Float)).unwrap();
        loss.backward();
        let gradient = grad(&weight).unwrap();
        assert_eq!(gradient.kind(), Kind::Float);
        // The gradient of each row of the weight is the input's column summed up.
        let expected = input.sum_dim_intlist(0, false, Kind::Float).unsqueeze(1).expand([16, 4], false);
        let difference = (gradient - expected).abs().max();
        assert!(crate::value(&difference) < 0.05, "{difference}");
    }
}

#[test]
fn other_threads_are_not_concerned() {
    let there = autocast(Device::Cpu, Kind::BFloat16, true, || {
        std::thread::scope(|scope| scope.spawn(|| product_kind(Device::Cpu)).join().unwrap())
    });
    assert_eq!(there.unwrap(), Kind::Float);
}

#[test]
fn what_it_gives_back_is_what_the_body_gave() {
    let text = autocast(Device::Cpu, Kind::BFloat16, true, || String::from("forward")).unwrap();
    assert_eq!(text, "forward");
}

#[test]
fn other_kinds_and_devices_are_refused() {
    let never = || -> Tensor { panic!("the body does not run") };
    let error = autocast(Device::Cpu, Kind::Double, true, never).unwrap_err();
    assert_eq!(error.to_string(), "autocast to Double: expected BFloat16 or Half");
    let error = autocast(Device::Mps, Kind::BFloat16, true, never).unwrap_err();
    assert_eq!(error.to_string(), "device Mps: expected CPU or CUDA");
}
