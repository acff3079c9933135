//! A run's settings, made whole by its corpus.

use std::path::Path;

use electra_config::{Config, Defaults, PartialConfig};
use electra_data::Corpus;
use electra_masking::MaskingConfig;

use crate::{BoxError, Error, start, validation};

/// Reads a file of settings, puts `set` (`key=value`, as after `--set`) over it, and takes what neither sets from the
/// preset, from the corpus (`vocab_size`, `pad_token_id`), from the checkpoint that the run begins with (the
/// encoder), and from `masking`, the masking of an objective by its name.
///
/// # Errors
/// If a key is unknown or missing, a value is wrong, or the corpus cannot be opened.
pub fn read_config(
    path: &Path,
    set: &[String],
    masking: impl FnOnce(&str) -> Result<MaskingConfig, BoxError>,
) -> Result<Config, Error> {
    let partial = PartialConfig::read(path, set)?;
    let is_objective = |set: &&String| set.split('=').next().is_some_and(|key| key.trim() == "objective");
    let place = || match set.iter().rfind(is_objective) {
        Some(assignment) => format!("--set {assignment}"),
        None => path.display().to_string(),
    };
    let masking = masking(partial.objective())
        .map_err(|error| Error::Objective(format!("{}: {error}", place()).into()))?;
    let corpus = Corpus::open(partial.corpus())?;
    let vocabulary = corpus.vocabulary();
    let defaults = Defaults { vocab_size: vocabulary.size, pad_token_id: vocabulary.pad, masking };
    let config = partial.resolve(&defaults)?;
    let origin = path.display().to_string();
    start::fits(&config, &corpus, &origin)?;
    validation::open(&config, &corpus, &origin)?;
    Ok(config)
}
