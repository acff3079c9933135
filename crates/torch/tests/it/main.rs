//! Each function against what tch sees of the same libtorch, or against the formula in f64.

#![allow(clippy::unwrap_used, reason = "clippy takes helpers of tests for other code")]

mod adamw;
mod attention;
mod autocast;
mod dropout;
mod embeddings;
mod golden;
mod gradients;
mod graph;
mod layers;
mod memory;
mod operations;
mod optimizer_state;
mod settings;
mod transfer;
mod vocabulary;

use electra_torch as torch;
use std::io::Write;
use std::process::Command;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use tch::{Device, Kind, Tensor};

/// Settings of libtorch belong to the whole program, so the tests that change them take turns.
static SETTINGS: Mutex<()> = Mutex::new(());

/// Loaded before any test asks libtorch for something, as a program should.
static CUDA: LazyLock<bool> = LazyLock::new(|| torch::load_cuda().expect("CUDA loads or is absent"));

fn turn() -> MutexGuard<'static, ()> {
    LazyLock::force(&CUDA);
    SETTINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Set in a process that runs one test.
const ALONE: &str = "ELECTRA_TORCH_TEST_ALONE";

/// Whether this process runs one test and no other; if not, runs that test in such a process, for what concerns the whole of
/// it: memory, or recording, beside which no other thread may use a GPU.
fn is_alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut alone = Command::new(std::env::current_exe().unwrap());
    let output = alone.args(["--exact", test]).env(ALONE, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "the process runs no test of this name: {text}");
    false
}

/// What a call panics with.
fn panics<T>(call: impl FnOnce() -> T) -> String {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
    let Err(payload) = result else { panic!("no panic") };
    payload.downcast_ref::<String>().expect("a formatted message").clone()
}

/// The CPU, and a GPU where there is one.
fn devices() -> Vec<Device> {
    LazyLock::force(&CUDA);
    if tch::Cuda::is_available() { vec![Device::Cpu, Device::Cuda(0)] } else { vec![Device::Cpu] }
}

/// The GPU; on a machine without one, a line that says that the test is skipped, which `cargo xtask test` counts.
fn gpu_or_skip(test: &str) -> Option<Device> {
    LazyLock::force(&CUDA);
    let device = tch::Cuda::is_available().then_some(Device::Cuda(0));
    if device.is_none() {
        // libtest holds back what `println!` prints in a test that passes.
        let mut out = std::io::stdout().lock();
        writeln!(out, "skipped: {test}: needs a CUDA device").unwrap();
    }
    device
}

/// Numbers between -1 and 1 that differ by element and by seed, without a random generator.
fn numbers(shape: &[i64], seed: u32, kind: Kind, device: Device) -> Tensor {
    let count: i64 = shape.iter().product();
    let phase = f64::from(seed) * 0.7;
    let angles = Tensor::arange(count, (Kind::Double, Device::Cpu)) * 1.3 + phase;
    angles.sin().reshape(shape).to_kind(kind).to_device(device)
}

/// A leaf tensor with a gradient of the same kind.
fn parameter(shape: &[i64], seed: u32, kind: Kind, device: Device) -> Tensor {
    numbers(shape, seed, kind, device).set_requires_grad(true)
}

/// Gives a parameter a gradient, as a backward pass would.
fn set_grad(parameter: &Tensor, gradient: &Tensor) {
    torch::zero_grad(&[parameter.shallow_clone()]).unwrap();
    (parameter * gradient).sum(parameter.kind()).backward();
}

/// All elements, as f64.
fn values(tensor: &Tensor) -> Vec<f64> {
    let flat = tensor.detach().to_device(Device::Cpu).to_kind(Kind::Double).reshape([-1]);
    Vec::try_from(flat).unwrap()
}

/// The one element.
fn value(tensor: &Tensor) -> f64 {
    assert_eq!(tensor.numel(), 1);
    values(tensor)[0]
}

/// The same bits; a NaN is equal to itself here.
fn same_bits(a: &Tensor, b: &Tensor) -> bool {
    let bits = |tensor: &Tensor| values(tensor).into_iter().map(f64::to_bits).collect::<Vec<_>>();
    a.kind() == b.kind() && a.size() == b.size() && bits(a) == bits(b)
}

/// Panics where two lists differ by more than `tolerance`, relative to the larger number or to 1e-2.
fn assert_close(given: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(given.len(), expected.len(), "{what}");
    for (index, (given, expected)) in given.iter().zip(expected).enumerate() {
        let scale = given.abs().max(expected.abs()).max(1e-2);
        assert!((given - expected).abs() <= tolerance * scale, "{what}[{index}]: {given} is not {expected}");
    }
}
