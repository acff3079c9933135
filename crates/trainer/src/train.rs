//! A run, from its settings to its end.

use electra_data::Corpus;
use electra_objective::Given;

use crate::batches::{BatchSource, Batches};
use crate::run::{Outcome, Run};
use crate::validation::HeldOut;
use crate::{Error, parts, start, validation};

/// Trains until the budget is used up, from the newest whole checkpoint of the run's folder or from the
/// beginning.
///
/// The objective's parameters get their values as functions of the seed and of their names, or from a checkpoint.
///
/// Several processes train one run together where `run.ranks` says so. Each computes its rows of every step; the first writes.
///
/// # Errors
/// If the settings are wrong, another rank ends or was started for another run, the folder holds another run or is in use, no checkpoint in it is whole, the
/// corpus cannot be read, state cannot be saved, or too many steps in a row are not finite.
pub fn train(run: Run<'_>) -> Result<Outcome, Error> {
    let ranks = run.ranks;
    let outcome = train_as_rank(run).and_then(|outcome| ranks.leave().map(|()| outcome));
    outcome.map_err(|error| ranks.explain(error))
}

fn train_as_rank(run: Run<'_>) -> Result<Outcome, Error> {
    let ranks = run.ranks;
    run.config.validate("the settings")?;
    let corpus = Corpus::open(&run.config.data.corpus)?;
    start::fits(run.config, &corpus, "the settings")?;
    let valid = validation::open(run.config, &corpus, "the settings")?;
    let parts = parts::of_rank(run.config, &run.objective.info, ranks.size(), "the settings")?;
    let model = run.config.model.model();
    let length = start::Length::new(run.config, run.objective, &corpus)?;
    let given = Given {
        model: &model,
        masking: &run.config.masking,
        corpus: &corpus,
        continues_word: run.continues_word,
        seed: run.config.seed,
        steps: length.horizon.steps(),
    };
    let view = (run.objective.view)(&given).map_err(Error::Objective)?;
    let source = BatchSource {
        corpus: &corpus,
        view: &*view,
        batch_size: run.config.budget.batch,
        parts,
        seed: run.config.seed,
        share: (ranks.rank(), ranks.size()),
    };
    let held_out = valid.map(|valid| HeldOut::new(&valid, run.objective, &given, run.config)).transpose()?;
    let mut training = start::begin(run, source, held_out, &given, length)?;
    std::thread::scope(|scope| {
        let mut batches = Batches::start(scope, source, training.step)?;
        if !training.is_replayed() {
            return training.run(&mut batches);
        }
        electra_torch::on_side_stream(training.learner.device(), || training.run(&mut batches))
    })
}
