use super::check;
use crate::Error;
use std::ffi::c_char;

unsafe extern "C" {
    fn electra_torch_bf16_unit(unit: *mut i32, fast: *mut bool) -> *mut c_char;
}

/// The shim's number of the unit, and whether it is fast.
pub(crate) fn bf16_unit() -> Result<(i32, bool), Error> {
    let (mut unit, mut fast) = (0, false);
    // SAFETY: both pointers are to live numbers, and C++ writes true or false to the second.
    check(unsafe { electra_torch_bf16_unit(&raw mut unit, &raw mut fast) })?;
    Ok((unit, fast))
}
