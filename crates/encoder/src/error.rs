use std::fmt;
use std::path::{Path, PathBuf};

/// What can go wrong with configurations and weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A configuration is not one of an encoder.
    #[error(transparent)]
    Config(#[from] electra_config::Error),
    /// A file or folder could not be read or written.
    #[error(transparent)]
    Store(#[from] electra_store::Error),
    /// A file is damaged, or of another kind.
    #[error("{}: {what}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found, and what was expected.
        what: String,
    },
    /// A folder holds no weights.
    #[error("{}: no model.safetensors and no model.safetensors.index.json in it", folder.display())]
    NoWeights {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder holds its weights as a pickle alone.
    #[error(
        "{}: a pickle can run any code, so it is not loaded; if you trust it, convert it: \
         python -c \"from transformers import {architecture} as M; \
         M.from_pretrained('{folder}').save_pretrained('{folder}')\" writes model.safetensors beside it",
        file.display(), folder = file.parent().unwrap_or(Path::new(".")).display()
    )]
    Pickle {
        /// The `pytorch_model.bin`.
        file: PathBuf,
        /// The class of transformers that reads it.
        architecture: String,
    },
    /// Tensors that no parameter is waiting for.
    #[error("{}: tensors that this network does not have: {}", path.display(), few(names))]
    Surplus {
        /// The file.
        path: PathBuf,
        /// The tensors.
        names: Vec<String>,
    },
    /// Tensors whose names all have a prefix that the Hub's have not.
    #[error("{}: every name begins with {prefix}; expected {expected}…", path.display())]
    Wrapped {
        /// The file.
        path: PathBuf,
        /// The prefix, such as `module.`.
        prefix: String,
        /// The Hub's.
        expected: &'static str,
    },
    /// A value is NaN or infinite.
    #[error("{}: {name} has a value that is not a finite number, so every result of the network would be meaningless", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The first tensor with such a value.
        name: String,
    },
    /// Parameters for which no file had a tensor.
    #[error("{}: no tensors for these parameters: {}", list(paths), few(names))]
    Missing {
        /// The files that were looked into.
        paths: Vec<PathBuf>,
        /// The parameters.
        names: Vec<String>,
    },
    /// Tensors of another shape than their parameters.
    #[error("{}: tensors of another shape: {}", path.display(), separated(tensors))]
    Misshapen {
        /// The file.
        path: PathBuf,
        /// The tensors.
        tensors: Vec<Misshapen>,
    },
    /// One parameter that two files give different values.
    #[error(
        "{name}: {} and {} differ in it, and in this run it is one parameter of both networks",
        first.display(), second.display()
    )]
    Conflict {
        /// The parameter.
        name: String,
        /// The file that gave its value.
        first: PathBuf,
        /// The file that gave another.
        second: PathBuf,
    },
    /// A parameter that [`initialise`](crate::initialise()) has no law for.
    #[error("{name}: a parameter of shape {shape:?}; expected a bias, a LayerNorm or a matrix")]
    NoLaw {
        /// The parameter.
        name: String,
        /// Its shape.
        shape: Vec<i64>,
    },
    /// libtorch threw an exception; the text is its own.
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
    /// CUDA where there is none.
    #[error(
        "device \"cuda\": there is no CUDA device{}; expected \"cpu\" or \"auto\"",
        electra_torch::why_no_cuda()
    )]
    NoCuda,
    /// A CUDA device that is not there.
    #[error("device \"cuda:{index}\": this machine has {count} CUDA devices, numbered from 0")]
    NoSuchGpu {
        /// The number that was asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// libtorch could not be set up.
    #[error(transparent)]
    SetUp(#[from] electra_torch::Error),
}

/// A tensor of another shape than its parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misshapen {
    /// The tensor.
    pub name: String,
    /// Its shape.
    pub found: Vec<i64>,
    /// The parameter's.
    pub expected: Vec<i64>,
}

impl fmt::Display for Misshapen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {:?}, expected {:?}", self.name, self.found, self.expected)
    }
}

fn separated(tensors: &[Misshapen]) -> String {
    shortened(tensors, "; ")
}

/// The first of many names, and how many more there are.
pub(crate) fn few(names: &[String]) -> String {
    shortened(names, ", ")
}

/// Base has two hundred tensors: the first say what is wrong with all.
fn shortened(items: &[impl ToString], between: &str) -> String {
    const SHOWN: usize = 3;
    let shown = items.iter().take(SHOWN).map(ToString::to_string).collect::<Vec<_>>().join(between);
    match items.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl Error {
    pub(crate) fn format(path: &Path, what: impl Into<String>) -> Self {
        Self::Format { path: path.to_owned(), what: what.into() }
    }
}
