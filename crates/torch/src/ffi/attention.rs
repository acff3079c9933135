use super::check;
use crate::Error;
use std::ffi::c_char;
use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn electra_torch_has_flash_attention(
        query: *const C_tensor,
        key: *const C_tensor,
        value: *const C_tensor,
        dropout: f64,
        has: *mut bool,
    ) -> *mut c_char;
    fn electra_torch_sequences(mask: *const C_tensor, first: *mut *mut C_tensor) -> *mut c_char;
    fn electra_torch_flash_attention(
        query: *const C_tensor,
        key: *const C_tensor,
        value: *const C_tensor,
        first: *const C_tensor,
        dropout: f64,
        attended: *mut *mut C_tensor,
    ) -> *mut c_char;
}

pub(crate) fn has_flash_attention(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    dropout: f64,
) -> Result<bool, Error> {
    let mut has = false;
    // SAFETY: the pointers are to live tensors, and the last to a live bool, to which C++ writes true or
    // false.
    check(unsafe {
        electra_torch_has_flash_attention(query.as_ptr(), key.as_ptr(), value.as_ptr(), dropout, &raw mut has)
    })?;
    Ok(has)
}

/// Where tokens and padding of each row of a mask begin.
pub(crate) fn sequences(mask: &Tensor) -> Result<Tensor, Error> {
    let mut first = std::ptr::null_mut();
    // SAFETY: the first pointer is to a live tensor, the second to a live pointer.
    check(unsafe { electra_torch_sequences(mask.as_ptr(), &raw mut first) })?;
    // SAFETY: without an exception the shim made a new tensor, which is owned from here on.
    Ok(unsafe { Tensor::from_ptr(first) })
}

pub(crate) fn flash_attention(
    [query, key, value]: [&Tensor; 3],
    first: &Tensor,
    dropout: f64,
) -> Result<Tensor, Error> {
    let mut attended = std::ptr::null_mut();
    // SAFETY: the pointers are to live tensors, and the last to a live pointer.
    check(unsafe {
        electra_torch_flash_attention(
            query.as_ptr(),
            key.as_ptr(),
            value.as_ptr(),
            first.as_ptr(),
            dropout,
            &raw mut attended,
        )
    })?;
    // SAFETY: without an exception the shim made a new tensor, which is owned from here on.
    Ok(unsafe { Tensor::from_ptr(attended) })
}
