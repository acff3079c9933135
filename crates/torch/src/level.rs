use crate::{Error, ffi};
use std::cell::Cell;
use std::fmt;
use std::io::Write;
use std::str::FromStr;
use std::sync::OnceLock;

/// Names the level for the whole program.
const VARIABLE: &str = "ELECTRA_KERNELS";

/// What the operations of the CPU are computed with: libtorch's own operations, which say what each of them
/// is, or kernels that were compiled for a level of vector instructions. Their numbers differ by rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum KernelLevel {
    /// libtorch's operations, with no kernel.
    Formula,
    /// Kernels for any machine.
    Baseline,
    /// Kernels for AVX2, FMA and BMI2.
    Avx2,
    /// Kernels for AVX-512 F, BW, CD, DQ and VL.
    Avx512,
}

thread_local! {
    /// The level that this thread uses instead of the program's.
    static CHOSEN: Cell<Option<KernelLevel>> = const { Cell::new(None) };
}

impl KernelLevel {
    /// All of them, the best last.
    pub const ALL: [Self; 4] = [Self::Formula, Self::Baseline, Self::Avx2, Self::Avx512];

    /// How `ELECTRA_KERNELS` calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Formula => "formula",
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this machine has its instructions.
    #[must_use]
    pub fn is_available(self) -> bool {
        ffi::level::is_available(self)
    }

    /// The best that this machine has.
    fn best() -> Self {
        let mut levels = Self::ALL.into_iter().rev();
        levels.find(|level| level.is_available()).expect("every machine has the formula")
    }

    /// This level, if the machine has it.
    fn expect_available(self) -> Result<Self, Error> {
        if self.is_available() { Ok(self) } else { Err(Error::NoKernels { level: self }) }
    }

    /// The level that this thread uses, if it has kernels.
    pub(crate) fn of_kernels() -> Result<Option<Self>, Error> {
        kernel_level().map(|level| (level != Self::Formula).then_some(level))
    }
}

impl fmt::Display for KernelLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for KernelLevel {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let mut levels = Self::ALL.into_iter();
        levels.find(|level| level.name() == name).ok_or_else(|| Error::KernelLevel { given: name.to_owned() })
    }
}

/// The level of this thread: the one that [`with_kernel_level`] chose, else the one that the environment's
/// `ELECTRA_KERNELS` named when it was first asked for, else the best of this machine.
///
/// # Errors
///
/// `ELECTRA_KERNELS` is not a level, or is one that this machine lacks.
pub fn kernel_level() -> Result<KernelLevel, Error> {
    static PROGRAM: OnceLock<Result<KernelLevel, (Option<KernelLevel>, String)>> = OnceLock::new();
    if let Some(level) = CHOSEN.get() {
        return Ok(level);
    }
    let level = PROGRAM.get_or_init(|| {
        let Some(name) = std::env::var_os(VARIABLE) else { return Ok(KernelLevel::best()) };
        let name = name.to_string_lossy().into_owned();
        match name.parse::<KernelLevel>() {
            Ok(level) if level.is_available() => Ok(level),
            level => Err((level.ok(), name)),
        }
    });
    match level {
        Ok(level) => Ok(*level),
        Err((Some(level), _)) => Err(Error::NoKernels { level: *level }),
        Err((None, name)) => Err(Error::KernelLevel { given: name.clone() }),
    }
}

/// Calls `body` while this thread computes at `level`. What was computed forward at a level is computed
/// backward at the same one, whatever the level is by then; other threads are not concerned.
///
/// # Errors
///
/// A level that this machine lacks.
pub fn with_kernel_level<T>(level: KernelLevel, body: impl FnOnce() -> T) -> Result<T, Error> {
    struct Restore(Option<KernelLevel>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CHOSEN.set(self.0);
        }
    }
    let _restore = Restore(CHOSEN.replace(Some(level.expect_available()?)));
    Ok(body())
}

/// Calls `body` at each level that this machine has, and writes to standard output which ran and which could
/// not: for tests, where that line is shown also when they pass.
pub fn at_each_kernel_level(test: &str, mut body: impl FnMut(KernelLevel)) {
    let (has, lacks): (Vec<_>, Vec<_>) = KernelLevel::ALL.into_iter().partition(|level| level.is_available());
    for &level in &has {
        with_kernel_level(level, || body(level)).expect("this machine has the level");
    }
    let names =
        |levels: &[KernelLevel]| levels.iter().map(|level| level.name()).collect::<Vec<_>>().join(", ");
    let could_not = match lacks.len() {
        0 => String::new(),
        count => format!(", {count} could not ({})", names(&lacks)),
    };
    let ran = format!("{} ran ({})", has.len(), names(&has));
    // Not by `println!`, which the test harness keeps to itself. Nobody is left to tell where it fails.
    let _ = writeln!(std::io::stdout(), "kernel levels of {test}: {ran}{could_not}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_known_by_its_name() {
        for level in KernelLevel::ALL {
            assert_eq!(level.name().parse::<KernelLevel>().unwrap(), level);
        }
        let error = "sse9".parse::<KernelLevel>().unwrap_err();
        let expected = "ELECTRA_KERNELS is \"sse9\": expected formula, baseline, avx2 or avx512";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_level_that_the_machine_lacks_is_an_error_that_names_those_it_has() {
        let error = Error::NoKernels { level: KernelLevel::Avx512 }.to_string();
        let start = "ELECTRA_KERNELS is \"avx512\", and this machine lacks its instructions: expected formula, baseline";
        assert!(error.starts_with(start), "{error}");
        for level in KernelLevel::ALL {
            let tried = with_kernel_level(level, kernel_level);
            match tried {
                Ok(chosen) => assert_eq!(chosen.unwrap(), level),
                Err(error) => assert!(!level.is_available(), "{error}"),
            }
        }
    }

    #[test]
    fn a_level_ends_with_its_body_and_is_the_threads_own() {
        let before = kernel_level().unwrap();
        with_kernel_level(KernelLevel::Formula, || {
            assert_eq!(kernel_level().unwrap(), KernelLevel::Formula);
            let other = std::thread::spawn(|| kernel_level().unwrap()).join().unwrap();
            assert_eq!(other, before);
        })
        .unwrap();
        assert_eq!(kernel_level().unwrap(), before);
        let panicked = std::panic::catch_unwind(|| {
            with_kernel_level(KernelLevel::Formula, || panic!("in the body")).unwrap();
        });
        assert!(panicked.is_err());
        assert_eq!(kernel_level().unwrap(), before);
    }
}
