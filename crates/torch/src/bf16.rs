use crate::{Error, KernelLevel, ffi, kernel_level};
use std::fmt;

/// How the CPU's kernels multiply in bfloat16: under [`autocast`](crate::autocast()) both operands are rounded, products
/// are summed in float32, and everything between two products is computed in float32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bf16 {
    /// What multiplies.
    pub unit: Bf16Unit,
    /// Whether such a machine was measured to be faster in bfloat16 than in float32: one with AMX, or with AVX512-BF16 by
    /// AMD. On Intel's processors AVX512-BF16 takes longer than float32.
    pub is_fast: bool,
}

/// What multiplies in bfloat16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bf16Unit {
    /// The BLAS in float32, on operands that were rounded to bfloat16: the same numbers, and slower than float32.
    Emulated,
    /// oneDNN's micro-kernel for AVX512-BF16.
    Avx512,
    /// oneDNN's micro-kernel for AMX.
    Amx,
}

impl fmt::Display for Bf16Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Emulated => "emulated in float32",
            Self::Avx512 => "AVX512-BF16",
            Self::Amx => "AMX",
        })
    }
}

/// What this machine has, at this thread's level of kernels: the instructions belong to [`KernelLevel::Avx512`].
///
/// # Errors
///
/// As [`kernel_level`], or an exception of libtorch.
pub fn bf16() -> Result<Bf16, Error> {
    if kernel_level()? != KernelLevel::Avx512 {
        return Ok(Bf16 { unit: Bf16Unit::Emulated, is_fast: false });
    }
    let (unit, is_fast) = ffi::product::bf16_unit()?;
    let unit = match unit {
        1 => Bf16Unit::Avx512,
        2 => Bf16Unit::Amx,
        _ => Bf16Unit::Emulated,
    };
    Ok(Bf16 { unit, is_fast })
}
