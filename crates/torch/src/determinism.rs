use crate::{Error, ffi};

/// Makes libtorch choose algorithms that give the same result each time, and fail where it has none.
///
/// On CUDA, cuBLAS also needs `CUBLAS_WORKSPACE_CONFIG=:4096:8` in the environment of the program.
pub fn use_deterministic_algorithms(on: bool) -> Result<(), Error> {
    ffi::set_deterministic(on)
}

/// Whether libtorch is held to algorithms that give the same result each time.
pub fn are_deterministic_algorithms_enabled() -> Result<bool, Error> {
    ffi::deterministic()
}

/// Allows or forbids TF32, 10 bits of mantissa, in float32 matrix products and in cuDNN on CUDA.
pub fn allow_tf32(allowed: bool) -> Result<(), Error> {
    ffi::set_tf32(allowed)
}

/// Whether TF32 is allowed everywhere that [`allow_tf32`] allows it. A program starts with `false`: libtorch
/// allows it in cuDNN and not in matrix products.
pub fn is_tf32_allowed() -> Result<bool, Error> {
    let (matmul, cudnn) = ffi::tf32()?;
    Ok(matmul && cudnn)
}
