use crate::{Error, ffi};

/// Sets how many threads libtorch uses within one operation on the CPU.
///
/// Sums are cut into one piece a thread, so results on the CPU are the same bytes only for the same count.
pub fn set_num_threads(count: usize) -> Result<(), Error> {
    match i32::try_from(count) {
        Ok(count @ 1..) => ffi::set_num_threads(count),
        _ => Err(Error::ThreadCount { given: count }),
    }
}

/// How many threads libtorch uses within one operation on the CPU.
pub fn num_threads() -> Result<usize, Error> {
    Ok(ffi::num_threads()?.unsigned_abs() as usize)
}

/// How many threads libtorch uses to run operations beside one another.
pub fn num_interop_threads() -> Result<usize, Error> {
    Ok(ffi::num_interop_threads()?.unsigned_abs() as usize)
}
