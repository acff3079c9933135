//! What the machine has: its platform, a C++ compiler, an NVIDIA driver.

use super::cache::Variant;
use anyhow::{Result, bail};
use std::process::{Command, Stdio};

/// Refuses what is not supported before anything is done.
pub(crate) fn check_platform(cuda: bool) -> Result<()> {
    if cfg!(windows) {
        bail!("Windows is not supported: use Linux, or Linux inside WSL 2");
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
    let words: Vec<_> = words.collect();
    if answers(Command::new(program).args(&words).arg("--version")) {
        let mut asked = Command::new(program);
        asked.args(&words).args(["-dM", "-E", "-x", "c++", "/dev/null"]).stdin(Stdio::null());
        // What does not say is tried.
        let macros = asked.output().map(|output| output.stdout).unwrap_or_default();
        return match too_old(&String::from_utf8_lossy(&macros)) {
            Some(found) => {
                bail!("the C++ compiler `{name}` is {found}; install a newer one, or name yours in CXX")
            }
            None => Ok(()),
        };
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

/// The oldest compilers that know every level of instructions that electra-torch compiles its kernels for.
const OLDEST: [(&str, &str, u32); 2] = [("__clang_major__", "Clang", 12), ("__GNUC__", "GCC", 11)];

/// What a compiler is, and what was expected, where the macros that it defines say that it is too old.
fn too_old(macros: &str) -> Option<String> {
    let value = |name: &str| {
        let mut lines = macros.lines().filter_map(|line| line.strip_prefix("#define ")?.split_once(' '));
        lines.find(|(found, _)| *found == name)?.1.trim().parse::<u32>().ok()
    };
    // Clang defines GCC's macro as well.
    let (compiler, oldest, found) =
        OLDEST.iter().find_map(|(name, compiler, oldest)| Some((compiler, *oldest, value(name)?)))?;
    (found < oldest).then(|| format!("{compiler} {found}: expected {compiler} {oldest} or newer"))
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
    fn old_compilers_are_named_with_what_is_expected() {
        let gcc = |major: u32| format!("#define __GNUC_MINOR__ 4\n#define __GNUC__ {major}\n");
        assert_eq!(too_old(&gcc(10)).unwrap(), "GCC 10: expected GCC 11 or newer");
        assert_eq!(too_old(&gcc(11)), None);
        let clang = |major: u32| format!("{}#define __clang_major__ {major}\n", gcc(4));
        assert_eq!(too_old(&clang(11)).unwrap(), "Clang 11: expected Clang 12 or newer");
        assert_eq!(too_old(&clang(18)), None);
        assert_eq!(too_old(""), None);
    }

    #[test]
    fn an_answer_is_a_success() {
        assert!(answers(Command::new("cargo").arg("--version")));
        assert!(!answers(Command::new("cargo").arg("--no-such-flag")));
        assert!(!answers(&mut Command::new("a-program-that-is-not-there")));
    }
}
