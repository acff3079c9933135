use crate::ffi;

/// From now on an exception that nothing catches, such as one on a thread of libtorch's, does not abort the program: it
/// ends with `ends`, which gets the exception's text.
pub fn on_terminate(ends: fn(&str) -> !) {
    ffi::terminate::on_terminate(ends);
}
