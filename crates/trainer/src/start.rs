//! The beginning of a run, or of a sitting that goes on with one.

use std::path::Path;

use electra_config::{Checkpoint, Config, DamagedCheckpoint, Horizon, StepCost, StepShape};
use electra_data::{Corpus, Error as DataError, Order};
use electra_objective::Given;
use electra_store::settings::Difference;
use electra_store::{Error as StoreError, read_to_string};
use tch::nn;

use crate::batches::BatchSource;
use crate::checkpoint::{self, LogLengths, State, TextHashes};
use crate::clock::Clock;
use crate::environment;
use crate::folder::OwnFolder;
use crate::health::Watch;
use crate::init::initialise;
use crate::log::Logs;
use crate::run::{Event, Run};
use crate::step::Replays;
use crate::training::Training;
use crate::validation::HeldOut;
use crate::{Error, optimizer};

/// The most rows of the product that is timed: beyond it, nothing gets faster.
const MEASURED_ROWS: u64 = 4096;

/// Whether the encoder can read the corpus, and the corpus gives such batches; `origin` is what messages name.
pub(crate) fn fits(config: &Config, corpus: &Corpus, origin: &str) -> Result<(), Error> {
    if let Err(DataError::Config { field: "batch_size", found, expected }) =
        Order::new(corpus.examples(), config.budget.batch, config.seed)
    {
        let (origin, key) = (origin.to_owned(), "budget.batch".to_owned());
        return Err(StoreError::Setting { origin, key, found, expected }.into());
    }
    let encoder = &config.model.encoder;
    for (field, found, needed) in [
        ("vocab_size", encoder.vocab_size, i64::from(corpus.vocabulary().size)),
        ("max_position_embeddings", encoder.max_position_embeddings, corpus.max_length() as i64),
        ("type_vocab_size", encoder.type_vocab_size, 2),
    ] {
        if found < needed {
            return Err(StoreError::Setting {
                origin: origin.to_owned(),
                key: format!("model.encoder.{field}"),
                found: found.to_string(),
                expected: format!("at least {needed}, as {} needs", config.data.corpus.display()),
            }
            .into());
        }
    }
    Ok(())
}

/// Whether the objective's steps can be computed in as many parts as the settings say.
pub(crate) fn parts_add_up(run: &Run<'_>) -> Result<(), Error> {
    let (info, parts) = (&run.objective.info, run.config.budget.accumulation);
    if parts == 1 || !info.couples_rows {
        return Ok(());
    }
    Err(StoreError::Setting {
        origin: "the settings".to_owned(),
        key: "budget.accumulation".to_owned(),
        found: parts.to_string(),
        expected: format!("1: in {} the rows of a batch enter each other's loss", info.name),
    }
    .into())
}

/// Takes the folder, makes the objective, and gives it the newest whole checkpoint's state or its first.
pub(crate) fn begin<'r, 'c>(
    run: Run<'r>,
    source: BatchSource<'c>,
    held_out: Option<HeldOut>,
    given: &Given<'_>,
) -> Result<Training<'r, 'c>, Error> {
    let Run { config, folder, objective: spec, stop, observer, .. } = run;
    let folder = OwnFolder::take(folder, config)?;
    let texts = texts(config)?;
    let shape = StepShape {
        batch: config.budget.batch as u64,
        length: source.corpus.max_length() as u64,
        masked: config.masking.capacity(source.corpus.max_length()) as u64,
    };
    let cost = StepCost::new(shape, |shape, convention| spec.info.flops(given.model, shape, convention));
    let horizon = Horizon::new(config.budget.limit("the settings")?, cost)?;

    let (compute, environment) = environment::set_up(&config.device)?;
    let var_store = nn::VarStore::new(compute.device);
    let objective = (spec.build)(&var_store.root(), given).map_err(Error::Objective)?;
    let mut learner = optimizer::learner(&var_store, config, compute)?;

    let saved = newest(&folder, observer)?;
    let state = match &saved {
        Some(checkpoint) => {
            let state = checkpoint::read_state(checkpoint)?;
            same_texts(&folder, &state, &texts)?;
            checkpoint::read_model(checkpoint)?.load_into(&var_store)?;
            optimizer::resume(
                &mut learner,
                state.step,
                state.skipped,
                &checkpoint::read_optimizer(checkpoint)?,
            )?;
            Some(state)
        }
        None => {
            let notes = initialise(&var_store, config)?;
            notes.into_iter().for_each(|note| observer(&Event::Warning(note)));
            None
        }
    };
    let step = state.as_ref().map_or(0, |state| state.step);
    let elapsed = state.as_ref().map_or(0.0, |state| state.elapsed_seconds);
    let lengths = state.as_ref().map_or(LogLengths::default(), |state| state.logs);
    let is_predicted = spec.info.has_generator || spec.info.reads_masks;
    let unigram_loss = is_predicted.then(|| source.corpus.unigram_loss(&config.masking.corruption));
    let watch = Watch::new(unigram_loss.transpose()?, shape.batch * shape.masked);

    let rows = (cost.tokens / source.parts as u64).min(MEASURED_ROWS) as i64;
    let measure = || environment::matmul_peak(compute, rows, config.model.encoder.hidden_size);
    let (peak_flops_per_s, change) = environment::record(folder.path(), step, &environment, measure)?;
    if let Some(change) = change {
        observer(&Event::Warning(change));
    }
    let parameters = learner.parameters().iter().map(|parameter| parameter.numel() as u64).sum();
    observer(&Event::Started {
        step,
        steps: horizon.steps(),
        parameters,
        products: environment.products(),
        peak_flops_per_s,
        unigram_loss: watch.unigram_loss,
    });
    Ok(Training {
        logs: Logs::open(folder.path(), lengths)?,
        clock: Clock::new(elapsed),
        rates: None,
        valid: None,
        watch,
        health: state.map(|state| state.health).unwrap_or_default(),
        config,
        folder,
        texts,
        source,
        held_out,
        stop,
        observer,
        var_store,
        objective,
        learner,
        replays: Replays::default(),
        horizon,
        cost,
        peak_flops_per_s,
        step,
        saved,
    })
}

/// The newest whole checkpoint; damaged ones that are newer are named and set aside.
fn newest(folder: &OwnFolder, observer: &mut dyn FnMut(&Event)) -> Result<Option<Checkpoint>, Error> {
    let found = folder.checkpoints.find()?;
    let from = found.newest.as_ref().map_or(0, |newest| newest.step);
    for DamagedCheckpoint { folder, error } in found.damaged {
        let aside = checkpoint::set_aside(&folder)?;
        let warning = format!("{error}; it is now {}, and the run goes on from step {from}", aside.display());
        observer(&Event::Warning(warning));
    }
    Ok(found.newest)
}

/// Names the texts by what their manifests say, the hashes of their shards among it.
fn texts(config: &Config) -> Result<TextHashes, Error> {
    let hash = |folder: &Path| -> Result<String, Error> {
        let manifest = read_to_string(&folder.join("corpus.json"))?;
        Ok(checkpoint::hash(manifest.as_bytes()))
    };
    Ok(TextHashes {
        corpus: hash(&config.data.corpus)?,
        valid: config.data.valid.as_deref().map(hash).transpose()?,
    })
}

/// A folder may hold another corpus than it did.
fn same_texts(folder: &OwnFolder, state: &State, now: &TextHashes) -> Result<(), Error> {
    let before = TextHashes { corpus: state.corpus.clone(), valid: state.valid.clone() };
    if before == *now {
        return Ok(());
    }
    let (key, found, expected) = if before.corpus == now.corpus {
        ("data.valid", before.valid, now.valid.clone())
    } else {
        ("data.corpus", Some(before.corpus), Some(now.corpus.clone()))
    };
    let difference = Difference { key: format!("{key} (SHA-256 of its corpus.json)"), found, expected };
    Err(folder.differs(difference))
}
