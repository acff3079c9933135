//! The beginning of a run, or of a sitting that goes on with one.

use std::path::Path;

use electra_config::{Config, Horizon, Scoring, StepCost, StepShape};
use electra_data::{Corpus, Error as DataError, Order};
use electra_masking::Shares;
use electra_objective::{Given, Spec};
use electra_store::{Error as StoreError, read_to_string};
use tch::nn;

use crate::batches::BatchSource;
use crate::checkpoint::{self, LogLengths, TextHashes};
use crate::clock::Clock;
use crate::environment;
use crate::folder::OwnFolder;
use crate::health::{Predicted, Watch};
use crate::init::initialise;
use crate::log::Logs;
use crate::ranks::Place;
use crate::run::{Event, Run};
use crate::step::Replays;
use crate::training::Training;
use crate::validation::HeldOut;
use crate::writer::{Writer, newest, same_texts};
use crate::{Error, flat, optimizer};

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

/// How long a run is, and what its steps are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    shape: StepShape,
    cost: StepCost,
    pub(crate) horizon: Horizon,
}

impl Length {
    pub(crate) fn new(config: &Config, objective: &Spec, corpus: &Corpus) -> Result<Self, Error> {
        let length = corpus.max_length();
        let shape = StepShape {
            batch: config.budget.batch as u64,
            length: length as u64,
            masked: config.masking.expected_count(length),
        };
        let model = config.model.model();
        let cost = StepCost::new(shape, |shape, convention| objective.info.flops(&model, shape, convention));
        Ok(Self { shape, cost, horizon: Horizon::new(config.budget.limit("the settings")?, cost)? })
    }
}

/// Makes the objective and gives it the newest whole checkpoint's state or its first. The first rank takes the folder for it;
/// the others have all from that one.
pub(crate) fn begin<'r, 'c>(
    run: Run<'r>,
    source: BatchSource<'c>,
    held_out: Option<HeldOut>,
    given: &Given<'_>,
    Length { shape, cost, horizon }: Length,
) -> Result<Training<'r, 'c>, Error> {
    let Run { config, folder, objective: spec, ranks, stop, observer, .. } = run;
    let texts = texts(config)?;
    let (compute, environment) = environment::set_up(&config.device, ranks.local_rank())?;
    ranks.are_alike(&environment.program(), &texts, config)?;
    ranks.use_device(compute.device)?;
    let folder = ranks.is_first().then(|| OwnFolder::take(folder, config)).transpose()?;

    let var_store = nn::VarStore::new(compute.device);
    let objective = (spec.build)(&var_store.root(), given).map_err(Error::Objective)?;
    let mut learner = optimizer::learner(&var_store, config, compute)?;

    let saved = folder.as_ref().map(|folder| newest(folder, observer)).transpose()?.flatten();
    let state = match (&folder, &saved) {
        (Some(folder), Some(checkpoint)) => {
            let state = checkpoint::read_state(checkpoint)?;
            same_texts(folder, &state, &texts)?;
            checkpoint::read_model(checkpoint)?.load_into(&var_store)?;
            optimizer::resume(
                &mut learner,
                state.step,
                state.skipped,
                &checkpoint::read_optimizer(checkpoint)?,
            )?;
            Some(state)
        }
        (None, _) => None,
        (Some(_), None) => {
            let notes = initialise(&var_store, config)?;
            notes.into_iter().for_each(|note| observer(&Event::Warning(note)));
            None
        }
    };
    let place = state.as_ref().map_or_else(Place::default, |state| Place {
        step: state.step,
        elapsed: state.elapsed_seconds,
        skipped: state.skipped,
    });
    let Place { step, elapsed, .. } = ranks.share_state(place, &mut learner)?;
    let lengths = state.as_ref().map_or(LogLengths::default(), |state| state.logs);
    let unigram = if spec.info.has_generator || spec.info.reads_masks {
        Some((Predicted::Masked, source.corpus.unigram_loss(&config.masking.corruption)?))
    } else if spec.info.scoring == Scoring::LogLikelihood {
        // Nothing is seen of the next token, as of a token under [MASK].
        let unseen = Shares { mask: 1.0, random: 0.0, keep: 0.0 };
        Some((Predicted::Next, source.corpus.unigram_loss(&unseen)?))
    } else {
        None
    };
    let watch = Watch::new(unigram, (shape.batch as f64 * shape.masked).round() as u64);

    let rows = cost.tokens / (source.parts * ranks.size()) as u64;
    let rows = rows.min(MEASURED_ROWS) as i64;
    let measure = || environment::matmul_peak(compute, rows, config.model.encoder.hidden_size);
    let (peak_flops_per_s, change) = match &folder {
        Some(folder) => environment::record(folder.path(), step, &environment, measure)?,
        // Rank 0 says how fast the run is.
        None => (1.0, None),
    };
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
        unigram_loss: watch.unigram.map(|(_, loss)| loss),
    });
    let writer = match folder {
        Some(folder) => Some(Writer { logs: Logs::open(folder.path(), lengths)?, folder, saved }),
        None => None,
    };
    Ok(Training {
        ranks,
        writer,
        sums_as_tree: flat::is_tree(config, compute.device),
        clock: Clock::new(elapsed),
        rates: None,
        valid: None,
        watch,
        health: state.map(|state| state.health).unwrap_or_default(),
        config,
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
        peak_flops_per_s: peak_flops_per_s * ranks.size() as f64,
        step,
    })
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
