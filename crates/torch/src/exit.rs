use crate::ffi;

/// Ends the program at once, with nothing run that libtorch's libraries have for the end of a program: they
/// take apart what the system frees anyway, and what threads that still compute need.
///
/// What the program itself has for its end must have run before. Standard output is not flushed: another thread may
/// hold it for as long as it waits for input.
pub fn exit(code: i32) -> ! {
    ffi::exit(code)
}
