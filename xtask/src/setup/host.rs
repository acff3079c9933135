//! What the machine has: its platform, a C++ compiler, an NVIDIA driver.

use super::cache::Variant;
use anyhow::{Result, bail};
use std::process::{Command, Stdio};

/// Refuses what is not supported before anything is done.
pub(crate) fn check_platform(cuda: bool) -> Result<()> {
    if cfg!(windows) {
        bail!("Windows is not supported: use Linux, macOS, or Linux inside WSL 2");
    }
    if cuda && cfg!(target_os = "macos") {
        bail!("--cuda: there is no CUDA on macOS; leave the flag out");
    }
    Ok(())
}

/// A C++ compiler is needed even where libtorch is there: torch-sys and electra-torch compile C++.
pub(crate) fn check_compiler() -> Result<()> {
    let name = std::env::var("CXX").ok().filter(|name| !name.is_empty());
    let is_named = name.is_some();
    let name = name.unwrap_or_else(|| "c++".into());
    // CXX may carry arguments, as in `ccache g++`.
    let mut words = name.split_whitespace();
    let program = words.next().unwrap_or("c++");
    if answers(Command::new(program).args(words).arg("--version")) {
        return Ok(());
    }
    let hint = if cfg!(target_os = "macos") {
        "run `xcode-select --install`"
    } else {
        "install one (Debian, Ubuntu: `apt install g++`; Fedora: `dnf install gcc-c++`)"
    };
    if is_named {
        bail!("no C++ compiler: CXX is `{name}`, which does not run; correct or unset it, or {hint}");
    }
    bail!("no C++ compiler: `c++` does not run; {hint}, or name yours in CXX")
}

/// CUDA where an NVIDIA driver answers.
pub(crate) fn variant() -> Variant {
    if !cfg!(target_os = "macos") && answers(&mut Command::new("nvidia-smi")) {
        Variant::Cuda
    } else {
        Variant::Cpu
    }
}

/// Whether a program runs and succeeds.
fn answers(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_success() {
        assert!(answers(Command::new("cargo").arg("--version")));
        assert!(!answers(Command::new("cargo").arg("--no-such-flag")));
        assert!(!answers(&mut Command::new("a-program-that-is-not-there")));
    }
}
