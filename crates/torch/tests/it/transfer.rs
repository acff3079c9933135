//! Copies to a device.

use crate::{devices, numbers, same_bits};
use electra_torch::send;
use tch::{Device, Kind};

#[test]
fn what_is_sent_arrives_while_the_device_is_busy() {
    for device in devices() {
        let busy = numbers(&[512, 512], 1, Kind::Float, device);
        for seed in 0..64 {
            let _product = busy.matmul(&busy);
            let tensor = numbers(&[33, 7], seed, Kind::Float, Device::Cpu);
            let sent = send(&tensor, device).unwrap();
            assert_eq!(sent.device(), device);
            assert!(same_bits(&sent.to_device(Device::Cpu), &tensor));
        }
        let mask = numbers(&[5], 1, Kind::Float, Device::Cpu).gt(0.0);
        assert!(same_bits(&send(&mask, device).unwrap().to_device(Device::Cpu), &mask));
    }
}

#[test]
fn a_device_that_is_not_there_is_an_error() {
    devices();
    let error = send(&numbers(&[2], 1, Kind::Float, Device::Cpu), Device::Cuda(99)).unwrap_err().to_string();
    assert!(error.starts_with("libtorch: "), "{error}");
}
