use crate::{Error, ffi};
use std::path::Path;
use std::sync::OnceLock;

static MISSING: OnceLock<String> = OnceLock::new();

/// Loads the CUDA part of libtorch, if it is there, from beside its CPU part.
///
/// Gives `false` where there is none, or where the CUDA libraries that it needs are not installed. After
/// `true`, whether there is a GPU is for `tch::Cuda::is_available()` to tell.
///
/// cuDNN's attention is switched off: kernels of it round the rate of dropout to sixteenths (PyTorch's pull
/// request 174245).
///
/// To be called before anything else of libtorch: it looks for its CUDA part once, at the first question
/// about CUDA, and keeps the answer.
///
/// # Errors
///
/// A library that is there and cannot be loaded.
pub fn load_cuda() -> Result<bool, Error> {
    let Some(cpu) = ffi::cpu_library()? else { return Ok(false) };
    load_beside(&cpu)
}

/// Why [`load_cuda`] gave `false`, in parentheses to be put behind a message; nothing before, and after
/// `true`.
#[must_use]
pub fn why_no_cuda() -> String {
    MISSING.get().map_or_else(String::new, |why| format!(" ({why})"))
}

fn missing(why: String) -> bool {
    MISSING.get_or_init(|| why);
    false
}

fn load_beside(cpu: &Path) -> Result<bool, Error> {
    let library = cpu.with_file_name("libtorch_cuda.so");
    if !library.exists() {
        return Ok(missing(format!("there is no {}", library.display())));
    }
    match ffi::load(&library) {
        Ok(()) => ffi::forbid_cudnn_attention().map(|()| true),
        // How glibc and musl say that a library which this one needs is not there.
        Err(message)
            if message.contains("cannot open shared object file")
                || message.contains("Error loading shared library") =>
        {
            Ok(missing(message))
        }
        Err(message) => Err(Error::Load { library, message }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cuda_library_is_no_error() {
        let folder = std::env::temp_dir().join("there-is-no-such-folder");
        assert!(!load_beside(&folder.join("libtorch_cpu.so")).unwrap());
        assert!(why_no_cuda().ends_with("there-is-no-such-folder/libtorch_cuda.so)"));
    }

    #[test]
    fn a_broken_cuda_library_is_named() {
        let folder = std::env::temp_dir().join(format!("electra-torch-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("libtorch_cuda.so"), "no library").unwrap();
        let result = load_beside(&folder.join("libtorch_cpu.so"));
        std::fs::remove_dir_all(&folder).unwrap();
        let error = result.unwrap_err().to_string();
        assert!(error.contains("libtorch_cuda.so: "), "{error}");
    }
}
