//! The shim's functions, made safe.

pub(crate) mod allocator;
pub(crate) mod attention;
pub(crate) mod autocast;
pub(crate) mod detection;
pub(crate) mod device;
pub(crate) mod distributed;
pub(crate) mod dropout;
pub(crate) mod embeddings;
pub(crate) mod gradients;
pub(crate) mod graph;
pub(crate) mod layers;
pub(crate) mod level;
pub(crate) mod losses;
pub(crate) mod modernbert;
pub(crate) mod operations;
pub(crate) mod optimizer;
pub(crate) mod product;
pub(crate) mod terminate;
pub(crate) mod transform;
pub(crate) mod vocabulary;

use crate::Error;
use std::ffi::{CStr, CString, OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

unsafe extern "C" {
    fn electra_torch_free(text: *mut c_char);
    fn electra_torch_version(loaded: *mut u64, compiled: *mut u64) -> *mut c_char;
    fn electra_torch_cpu_library(path: *mut *const c_char) -> *mut c_char;
    fn electra_torch_load(path: *const c_char) -> *mut c_char;
    fn electra_torch_forbid_cudnn_attention() -> *mut c_char;
    fn electra_torch_exit(code: c_int) -> !;
    fn electra_torch_set_num_threads(count: c_int) -> *mut c_char;
    fn electra_torch_num_threads(count: *mut c_int) -> *mut c_char;
    fn electra_torch_num_interop_threads(count: *mut c_int) -> *mut c_char;
    fn electra_torch_keep_freed_memory() -> *mut c_char;
    fn electra_torch_set_deterministic(on: bool) -> *mut c_char;
    fn electra_torch_deterministic(on: *mut bool) -> *mut c_char;
    fn electra_torch_set_tf32(allowed: bool) -> *mut c_char;
    fn electra_torch_tf32(matmul: *mut bool, cudnn: *mut bool) -> *mut c_char;
}

/// Takes over what a function of the shim returned.
fn message(text: *mut c_char) -> Result<(), String> {
    if text.is_null() {
        return Ok(());
    }
    // SAFETY: the shim returns null or a string of its own with a closing zero, which is given back once.
    Err(unsafe { owned(text) })
}

/// Takes over a text of the shim's.
///
/// # Safety
/// It is closed by a zero, made by the shim, and not used after.
unsafe fn owned(text: *mut c_char) -> String {
    // SAFETY: as the caller says.
    unsafe {
        let copy = CStr::from_ptr(text).to_string_lossy().into_owned();
        electra_torch_free(text);
        copy
    }
}

fn check(text: *mut c_char) -> Result<(), Error> {
    message(text).map_err(|message| Error::Torch { message })
}

/// Packed versions of the libtorch that is loaded, and of the one that was compiled against.
pub(crate) fn versions() -> Result<(u64, u64), Error> {
    let (mut loaded, mut compiled) = (0, 0);
    // SAFETY: both pointers are to live integers.
    check(unsafe { electra_torch_version(&raw mut loaded, &raw mut compiled) })?;
    Ok((loaded, compiled))
}

/// The file that libtorch's CPU part was loaded from.
pub(crate) fn cpu_library() -> Result<Option<PathBuf>, Error> {
    let mut path = std::ptr::null();
    // SAFETY: the pointer is to a live pointer.
    check(unsafe { electra_torch_cpu_library(&raw mut path) })?;
    if path.is_null() {
        return Ok(None);
    }
    // SAFETY: the loader's own string, closed by a zero, which stays as long as the library is loaded.
    let path = unsafe { CStr::from_ptr(path) };
    Ok(Some(Path::new(OsStr::from_bytes(path.to_bytes())).to_path_buf()))
}

/// Ends the program without its exit handlers.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: nothing of this program runs after it.
    unsafe { electra_torch_exit(code) }
}

/// Loads a library for the rest of the program's life; the error is the loader's sentence.
pub(crate) fn load(library: &Path) -> Result<(), String> {
    let path = CString::new(library.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
    // SAFETY: the path is closed by a zero. The library's initialisers run: they are libtorch's own.
    message(unsafe { electra_torch_load(path.as_ptr()) })
}

pub(crate) fn forbid_cudnn_attention() -> Result<(), Error> {
    // SAFETY: no pointers.
    check(unsafe { electra_torch_forbid_cudnn_attention() })
}

pub(crate) fn set_num_threads(count: c_int) -> Result<(), Error> {
    // SAFETY: no pointers.
    check(unsafe { electra_torch_set_num_threads(count) })
}

pub(crate) fn num_threads() -> Result<c_int, Error> {
    let mut count = 0;
    // SAFETY: the pointer is to a live integer.
    check(unsafe { electra_torch_num_threads(&raw mut count) })?;
    Ok(count)
}

pub(crate) fn num_interop_threads() -> Result<c_int, Error> {
    let mut count = 0;
    // SAFETY: the pointer is to a live integer.
    check(unsafe { electra_torch_num_interop_threads(&raw mut count) })?;
    Ok(count)
}

pub(crate) fn keep_freed_memory() -> Result<(), Error> {
    // SAFETY: no pointers.
    check(unsafe { electra_torch_keep_freed_memory() })
}

pub(crate) fn set_deterministic(on: bool) -> Result<(), Error> {
    // SAFETY: no pointers.
    check(unsafe { electra_torch_set_deterministic(on) })
}

pub(crate) fn deterministic() -> Result<bool, Error> {
    let mut on = false;
    // SAFETY: the pointer is to a live bool, to which C++ writes true or false.
    check(unsafe { electra_torch_deterministic(&raw mut on) })?;
    Ok(on)
}

pub(crate) fn set_tf32(allowed: bool) -> Result<(), Error> {
    // SAFETY: no pointers.
    check(unsafe { electra_torch_set_tf32(allowed) })
}

/// Whether matrix products may use TF32, and whether cuDNN may.
pub(crate) fn tf32() -> Result<(bool, bool), Error> {
    let (mut matmul, mut cudnn) = (false, false);
    // SAFETY: both pointers are to live bools, to which C++ writes true or false.
    check(unsafe { electra_torch_tf32(&raw mut matmul, &raw mut cudnn) })?;
    Ok((matmul, cudnn))
}
