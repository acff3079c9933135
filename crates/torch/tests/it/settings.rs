use crate::{CUDA, turn};
use electra_torch as torch;
use tch::{Device, Kind, Tensor};

#[test]
fn the_loaded_library_is_the_compiled_one() {
    let version = torch::version().unwrap();
    assert_eq!(version, torch::compiled_version().unwrap());
    assert_eq!(version.split('.').count(), 3, "{version}");
    assert!(version.starts_with("2."), "{version}");
}

#[test]
fn loading_cuda_decides_whether_tch_sees_it() {
    let _turn = turn();
    assert_eq!(torch::load_cuda().unwrap(), *CUDA, "a second call says the same");
    // The CUDA part says that it is there even on a machine without a GPU.
    assert_eq!(tch::utils::has_cudart(), *CUDA);
    if tch::Cuda::is_available() {
        let sum = Tensor::ones([64], (Kind::Float, Device::Cuda(0))).sum(Kind::Float);
        assert_eq!(f64::try_from(sum).unwrap(), 64.0);
    } else {
        assert!(!tch::utils::has_cuda());
    }
}

#[test]
fn thread_counts_are_those_of_tch() {
    let _turn = turn();
    let before = torch::num_threads().unwrap();
    for count in [1, 3, before] {
        torch::set_num_threads(count).unwrap();
        assert_eq!(torch::num_threads().unwrap(), count);
        assert_eq!(tch::get_num_threads() as usize, count);
    }
    assert_eq!(torch::num_interop_threads().unwrap(), tch::get_num_interop_threads() as usize);
}

#[test]
fn a_thread_count_of_nothing_is_refused() {
    let error = torch::set_num_threads(0).unwrap_err();
    assert_eq!(error.to_string(), "0 threads: expected at least 1 and at most 2147483647");
    assert!(torch::set_num_threads(usize::MAX).is_err());
}

/// `put_` without accumulation is among the operations that have no deterministic form.
fn put() -> Result<(), tch::TchError> {
    let mut tensor = Tensor::zeros([4], (Kind::Float, Device::Cpu));
    tensor.f_put_(&Tensor::from_slice(&[1_i64]), &Tensor::from_slice(&[5_f32]), false).map(drop)
}

#[test]
fn deterministic_algorithms_are_demanded_of_tch() {
    let _turn = turn();
    assert!(!torch::are_deterministic_algorithms_enabled().unwrap());
    put().unwrap();
    torch::use_deterministic_algorithms(true).unwrap();
    let (enabled, result) = (torch::are_deterministic_algorithms_enabled(), put());
    torch::use_deterministic_algorithms(false).unwrap();
    assert!(enabled.unwrap());
    let error = result.unwrap_err().to_string();
    assert!(error.contains("put_"), "{error}");
    put().unwrap();
}

#[test]
fn tf32_is_off_until_it_is_allowed() {
    let _turn = turn();
    assert!(!torch::is_tf32_allowed().unwrap());
    torch::allow_tf32(true).unwrap();
    assert!(torch::is_tf32_allowed().unwrap());
    torch::allow_tf32(false).unwrap();
    assert!(!torch::is_tf32_allowed().unwrap());
}
