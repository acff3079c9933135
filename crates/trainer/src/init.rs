//! The initial weights of a run.

use std::path::Path;

use electra_config::{Config, InitConfig};
use electra_data::Corpus;
use electra_encoder::{EncoderConfig, HubFolder, Loader, Part, Weights};
use electra_objective::{Given, Spec};
use tch::{Device, nn};

use crate::{Error, start};

/// The heads that checkpoints have, each of which the run may lack, and a checkpoint too.
const HEADS: [&str; 3] = ["discriminator_predictions.", "generator_predictions.", "generator_lm_head."];

/// A run's parameters as they are before its first step, on the CPU, under the names that a checkpoint has them by. They are
/// functions of the settings, so they need no checkpoint: a run that begins has the same, bit for bit.
///
/// # Errors
/// If the corpus, or a checkpoint that the run begins with, cannot be read.
pub fn first_values(config: &Config, objective: &Spec, continues_word: &[bool]) -> Result<Weights, Error> {
    let corpus = Corpus::open(&config.data.corpus)?;
    start::fits(config, &corpus, "the settings")?;
    let model = config.model.model();
    let length = start::Length::new(config, objective, &corpus)?;
    let var_store = nn::VarStore::new(Device::Cpu);
    let given = Given {
        model: &model,
        masking: &config.masking,
        corpus: &corpus,
        continues_word,
        seed: config.seed,
        steps: length.horizon.steps(),
    };
    let _network = (objective.build)(&var_store.root(), &given).map_err(Error::Objective)?;
    initialise(&var_store, config)?;
    Ok(Weights::from_var_store(&var_store, Part::ALL))
}

/// Draws every parameter, then puts the checkpoints' tensors over them, if the run begins with checkpoints.
/// It returns notes about tensors that no network uses.
pub(crate) fn initialise(var_store: &nn::VarStore, config: &Config) -> Result<Vec<String>, Error> {
    let encoder = &config.model.encoder;
    electra_encoder::initialise(var_store, encoder.initializer_range, config.seed)?;
    electra_encoder::initialise_neighbour_heads(var_store, encoder)?;
    match &config.init {
        Some(init) => load(var_store, config, init),
        None => Ok(Vec::new()),
    }
}

/// Every tensor of an encoder must find its parameter, and every parameter of an encoder its tensor; heads
/// are taken where both sides have them, and a generator that is not given stays as it was drawn.
fn load(var_store: &nn::VarStore, config: &Config, init: &InitConfig) -> Result<Vec<String>, Error> {
    let model = config.model.model();
    let mut loader = Loader::new(var_store);
    let mut notes = Vec::new();
    // Tables that are added to the generator's follow from what those are.
    if let Some(generator) = &init.generator {
        notes.extend(fill(&mut loader, var_store, generator, &model.generator, Part::GENERATOR)?);
    }
    notes.extend(fill(&mut loader, var_store, &init.discriminator, &model.encoder, Part::MAIN)?);
    let names: Vec<String> = var_store.variables().into_keys().collect();
    // Whatever is beside the encoders is a head, an objective's own ones too.
    let fresh: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| {
            let of_encoder = name.starts_with("main.electra.")
                || (init.generator.is_some() && name.starts_with("generator.electra."));
            !of_encoder
        })
        .collect();
    loader.finish(&fresh)?;
    Ok(notes)
}

fn fill(
    loader: &mut Loader<'_>,
    var_store: &nn::VarStore,
    folder: &Path,
    configured: &EncoderConfig,
    part: Part<'_>,
) -> Result<Option<String>, Error> {
    let hub = HubFolder::read(folder)?;
    same_network(folder, &hub.config, configured)?;
    let variables = var_store.variables();
    let lacking = |head: &&str| {
        let full = format!("{}{head}", part.prefix);
        !variables.keys().any(|name| name.starts_with(&full))
    };
    let without: Vec<&str> = HEADS.into_iter().filter(lacking).collect();
    loader.fill(&hub.weights, part, &without)?;
    Ok(hub.weights.note())
}

/// Fields that change what the tensors mean without changing their shapes are compared too, such as the
/// number of heads. Dropout and the settings of the initialization are the run's own.
fn same_network(folder: &Path, found: &EncoderConfig, configured: &EncoderConfig) -> Result<(), Error> {
    let comparable = |config: &EncoderConfig| {
        let EncoderConfig { initializer_range, neighbour_heads, .. } = *configured;
        let config = EncoderConfig { initializer_range, neighbour_heads, ..config.without_dropout() };
        serde_json::to_value(config).expect("a configuration's keys are strings")
    };
    let (found, configured) = (comparable(found), comparable(configured));
    for (field, configured) in configured.as_object().into_iter().flatten() {
        if found[field.as_str()] != *configured {
            return Err(Error::Init {
                folder: folder.to_owned(),
                field: field.clone(),
                found: found[field.as_str()].to_string(),
                expected: configured.to_string(),
            });
        }
    }
    Ok(())
}
