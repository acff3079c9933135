use crate::KernelLevel;
use std::path::PathBuf;
use tch::{Device, Kind};

/// What can go wrong between this crate and libtorch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// libtorch threw an exception; the text is its own.
    #[error("libtorch: {message}")]
    Torch {
        /// What the exception says.
        message: String,
    },
    /// The library was exchanged after the build.
    #[error("libtorch {loaded} is loaded: expected {compiled}, which this program was compiled against")]
    Version {
        /// The version that is loaded.
        loaded: String,
        /// The version whose headers the program was compiled with.
        compiled: String,
    },
    /// A thread count that no pool of threads can have.
    #[error("{given} threads: expected at least 1 and at most {}", i32::MAX)]
    ThreadCount {
        /// The count that was asked for.
        given: usize,
    },
    /// The CUDA part of libtorch is there, and the system's loader refuses it for another reason than a
    /// missing CUDA library.
    #[error("cannot load {}: {message}", library.display())]
    Load {
        /// The library that was to be loaded.
        library: PathBuf,
        /// What the system's loader says.
        message: String,
    },
    /// A number that a function cannot work with.
    #[error("{name} {given}: expected {expected}")]
    Setting {
        /// The setting, as it is called in the code.
        name: &'static str,
        /// The number that was given.
        given: f64,
        /// The range, in words.
        expected: &'static str,
    },
    /// A parameter for an optimizer that has no gradients by its kind.
    #[error("parameter {index} is {kind:?}: expected a floating-point kind")]
    ParameterKind {
        /// Its place over all groups.
        index: usize,
        /// Its kind.
        kind: Kind,
    },
    /// Gradients that are not one for each input.
    #[error("{gradients} gradients: expected one for each of {inputs} inputs")]
    Gradients {
        /// How many inputs there are.
        inputs: usize,
        /// How many gradients.
        gradients: usize,
    },
    /// The same memory given as two parameters, which one step would update twice.
    #[error("parameters {first} and {second} are the same tensor: expected each once")]
    ParameterTwice {
        /// The place of the one over all groups.
        first: usize,
        /// The place of the other.
        second: usize,
    },
    /// A state of another number of parameters.
    #[error("the state of {given} parameters: expected {expected}")]
    StateLength {
        /// Parameters of the state.
        given: usize,
        /// Parameters of the optimizer.
        expected: usize,
    },
    /// A tensor of a state that does not fit its parameter.
    #[error("{name} of parameter {index} is {given:?}: expected {expected:?}")]
    State {
        /// The parameter's place over all groups.
        index: usize,
        /// `exp_avg` or `exp_avg_sq`.
        name: &'static str,
        /// Kind and shape of the tensor.
        given: (Kind, Vec<i64>),
        /// Kind and shape of the parameter.
        expected: (Kind, Vec<i64>),
    },
    /// A step count below zero.
    #[error("steps of parameter {index} is {given}: expected at least 0")]
    StateSteps {
        /// The parameter's place over all groups.
        index: usize,
        /// The count.
        given: i64,
    },
    /// A device that the function does not know.
    #[error("device {device:?}: expected CPU or CUDA")]
    Device {
        /// The device that was given.
        device: Device,
    },
    /// A device that records no graphs.
    #[error("device {device:?} cannot record graphs: expected CUDA")]
    NoGraph {
        /// The device that was given.
        device: Device,
    },
    /// A name that is not a level of kernels.
    #[error("ELECTRA_KERNELS is {given:?}: expected formula, baseline, avx2 or avx512")]
    KernelLevel {
        /// The name that was given.
        given: String,
    },
    /// A level of kernels whose instructions this machine lacks.
    #[error(
        "ELECTRA_KERNELS is \"{level}\", and this machine lacks its instructions: expected {}",
        available()
    )]
    NoKernels {
        /// The level that was asked for.
        level: KernelLevel,
    },
    /// A kind that autocast cannot compute in.
    #[error("autocast to {kind:?}: expected BFloat16 or Half")]
    AutocastKind {
        /// The kind that was given.
        kind: Kind,
    },
    /// What the operating system says of the process's memory cannot be read or reset.
    #[error("{}: {source}", path.display())]
    ProcessMemory {
        /// The file of Linux's that tells it.
        path: PathBuf,
        /// What is wrong with it.
        source: std::io::Error,
    },
}

impl From<tch::TchError> for Error {
    fn from(error: tch::TchError) -> Error {
        Error::Torch { message: error.to_string() }
    }
}

/// The levels that this machine has, as a sentence lists them.
fn available() -> String {
    let levels: Vec<_> = KernelLevel::ALL.into_iter().filter(|level| level.is_available()).collect();
    let names: Vec<_> = levels.iter().map(|level| level.name()).collect();
    names.join(", ")
}

/// A rate of dropout is from 0 to below 1.
pub(crate) fn expect_rate(name: &'static str, given: f64) -> Result<(), Error> {
    if (0.0..1.0).contains(&given) {
        Ok(())
    } else {
        Err(Error::Setting { name, given, expected: "from 0 to below 1" })
    }
}
