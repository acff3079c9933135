use crate::ffi;
use std::io::Write;

/// Ends the program at once, with nothing run that libtorch's libraries have for the end of a program: they
/// take apart what the system frees anyway.
///
/// What the program itself has for its end must have run before; standard output and error are flushed here.
pub fn exit(code: i32) -> ! {
    // Whoever reads them may be gone, and nobody is left to tell.
    let _ = std::io::stdout().flush();
    let _ = std::io::stderr().flush();
    ffi::exit(code)
}
