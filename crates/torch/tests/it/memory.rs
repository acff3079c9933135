//! Memory of the CPU and of a GPU, where there is one.

use crate::{devices, is_alone};
use electra_torch::{memory, reset_peak_memory, synchronize};
use tch::{Device, Kind, Tensor};

/// A block to be seen, and what else may come and go beside it, such as pages of libtorch itself.
const BLOCK: u64 = 512 << 20;
const ROOM: u64 = 128 << 20;

/// On the CPU the whole process is counted, and the tests beside this one use memory too: so in one of its own.
#[test]
fn a_block_is_seen_while_it_lives_and_in_the_peak_after() {
    if is_alone("memory::a_block_is_seen_while_it_lives_and_in_the_peak_after") {
        watch_a_block();
    }
}

fn watch_a_block() {
    for device in devices() {
        // Whatever the device needs of its own is there before the first look.
        drop(Tensor::ones([8], (Kind::Float, device)));
        let before = memory(device).unwrap();
        assert!(before.peak >= before.current);
        let block = Tensor::ones([i64::try_from(BLOCK).unwrap()], (Kind::Uint8, device));
        synchronize(device).unwrap();
        let during = memory(device).unwrap();
        assert!(during.current + ROOM > before.current + BLOCK, "{before:?} {during:?}");
        assert!(during.current < before.current + BLOCK + ROOM, "{before:?} {during:?}");
        drop(block);
        let after = memory(device).unwrap();
        assert!(after.current < before.current + ROOM, "{before:?} {after:?}");
        assert!(after.peak + ROOM > before.current + BLOCK, "{before:?} {after:?}");

        reset_peak_memory(device).unwrap();
        let reset = memory(device).unwrap();
        assert!(reset.peak < before.current + ROOM, "{before:?} {reset:?}");
        assert!(reset.peak >= reset.current, "{reset:?}");
    }
}

#[test]
fn the_cpu_is_always_done() {
    synchronize(Device::Cpu).unwrap();
}

#[test]
fn a_gpu_that_is_not_there_is_an_error() {
    devices();
    let device = Device::Cuda(99);
    for result in [memory(device).map(drop), reset_peak_memory(device), synchronize(device)] {
        let error = result.unwrap_err().to_string();
        assert!(error.starts_with("libtorch: "), "{error}");
        assert!(!error.contains("INTERNAL ASSERT"), "{error}");
    }
    for result in [memory(Device::Mps).map(drop), reset_peak_memory(Device::Vulkan), synchronize(Device::Mps)]
    {
        assert!(result.unwrap_err().to_string().ends_with("expected CPU or CUDA"));
    }
}
