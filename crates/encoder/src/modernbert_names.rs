//! What tensors of ModernBERT are called in files, and here.
//!
//! The parameters of both backbones have the same prefixes and their heads the same names, so that objectives, the sharing of
//! embeddings and checkpoints need not know which backbone there is. Files have the names of transformers' classes.

use electra_config::Architecture;

use crate::part::ENCODER;
use crate::{Error, Weights};

/// What the names of an encoder's tensors begin with in files, except in those of the headless class.
pub(crate) const MODEL: &str = "model.";

/// In files, and here.
type Names = &'static [(&'static str, &'static str)];

/// The table is tied to the words', and in some files twice.
const VOCABULARY: Names = &[
    (MODEL, ENCODER),
    ("head.dense.", "generator_predictions.dense."),
    ("head.norm.", "generator_predictions.LayerNorm."),
    ("decoder.", "generator_lm_head."),
];

const DETECTOR: Names = &[
    (MODEL, ENCODER),
    ("head.dense.", "discriminator_predictions.dense."),
    ("head.norm.", "discriminator_predictions.LayerNorm."),
    ("classifier.", "discriminator_predictions.dense_prediction."),
];

const OTHERS: Names = &[(MODEL, ENCODER)];

fn names(architecture: Architecture) -> Names {
    match architecture {
        Architecture::MaskedLm | Architecture::CausalLm => VOCABULARY,
        Architecture::PreTraining => DETECTOR,
        _ => OTHERS,
    }
}

fn renamed(name: &str, from: &str, to: &str) -> Option<String> {
    name.strip_prefix(from).map(|rest| format!("{to}{rest}"))
}

/// The name in a file of the class.
pub(crate) fn in_file(architecture: Architecture, name: &str) -> String {
    let found = names(architecture).iter().find_map(|(file, here)| renamed(name, here, file));
    found.unwrap_or_else(|| name.to_owned())
}

/// Gives the tensors of a file the names that they have here.
pub(crate) fn mend(architecture: Architecture, weights: &mut Weights) {
    if architecture == Architecture::Encoder && !weights.iter().any(|(name, _)| name.starts_with(MODEL)) {
        weights.rename(|found| Some(format!("{MODEL}{found}")));
    }
    weights.rename(|found| names(architecture).iter().find_map(|(file, here)| renamed(found, file, here)));
}

/// An error about tensors, by the names that the file has.
pub(crate) fn of_file(architecture: Architecture, error: Error) -> Error {
    let in_file = |name: String| in_file(architecture, &name);
    match error {
        Error::Missing { paths, names } => {
            Error::Missing { paths, names: names.into_iter().map(in_file).collect() }
        }
        Error::Surplus { path, names } => {
            Error::Surplus { path, names: names.into_iter().map(in_file).collect() }
        }
        Error::NotFinite { path, name } => Error::NotFinite { path, name: in_file(name) },
        Error::Misshapen { path, mut tensors } => {
            tensors.iter_mut().for_each(|tensor| tensor.name = in_file(std::mem::take(&mut tensor.name)));
            Error::Misshapen { path, tensors }
        }
        other => other,
    }
}
