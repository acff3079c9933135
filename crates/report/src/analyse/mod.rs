//! From measurements to results.

mod bootstrap;
mod check;
mod compare;
mod curve;
mod draws;
mod scores;

use std::collections::BTreeMap;

use bootstrap::Bootstrap;
use compare::{Pairing, compare};

use crate::{
    AnalysisConfig, ArmResult, Control, Error, Expectation, FORMAT, Measurements, Noise, Results, Role,
    RunFacts, Verdict, conclusion, verdict,
};

/// The paper's five, from the baseline to the full objective: Table 5 read from below.
pub(crate) const PAPER: [&str; 5] = ["mlm", "replace-mlm", "electra-15", "all-tokens-mlm", "electra"];

/// Computes all that the report shows.
///
/// # Errors
/// [`Error::Empty`], [`Error::Twice`], [`Error::Unknown`], [`Error::Value`] and [`Error::Predictions`] if the
/// measurements cannot be; [`Error::Metrics`] if a statistic cannot be computed. Missing runs are no error.
pub fn analyse(measurements: &Measurements, config: &AnalysisConfig) -> Result<Results, Error> {
    let shares = [("level", config.level), ("alpha", config.alpha), ("power", config.power)];
    check::check(measurements, &shares)?;
    let mut notes = Vec::new();
    let tasks = scored_tasks(measurements, &mut notes);
    let bootstrap = Bootstrap::new(measurements, &tasks, config)?;
    let mut arms: Vec<ArmResult> =
        measurements.arms.iter().map(|facts| arm(facts, measurements, &tasks, &bootstrap, config)).collect();
    arms.sort_by_key(place);
    arms.iter().for_each(|arm| missing(arm, measurements, &mut notes));

    let compared: Vec<&ArmResult> = arms.iter().filter(|arm| arm.facts.role == Role::Arm).collect();
    let noise = noise(&compared);
    let pairs: Vec<_> = (0..compared.len())
        .flat_map(|low| (low + 1..compared.len()).map(move |high| (high, low)))
        .map(|(high, low)| (compared[high], compared[low]))
        .collect();
    let pairs = compare(&pairs, Pairing::BySeed, noise.as_ref(), &bootstrap, config)?;
    let controls = controls(&arms, noise.as_ref(), &bootstrap, config)?;
    let scratch = arms.iter().find(|arm| arm.facts.role == Role::Scratch);
    let with_scratch: Vec<_> = compared.iter().copied().zip(scratch.into_iter().cycle()).collect();
    let scratch = compare(&with_scratch, Pairing::None, None, &bootstrap, config)?;

    let mut results = Results {
        format: FORMAT.into(),
        title: measurements.title.clone(),
        plan: measurements.plan.clone(),
        config: config.clone(),
        conclusion: conclusion::none(),
        tasks: measurements.tasks.clone(),
        noise,
        pairs,
        controls,
        scratch,
        language: measurements.language,
        notes,
        failures: measurements.failures.clone(),
        provenance: measurements.provenance.clone(),
        arms,
    };
    results.conclusion = conclusion::conclude(&results);
    Ok(results)
}

/// The tasks that the score is the mean of: those that any run has at the end of its budget.
fn scored_tasks<'a>(measurements: &'a Measurements, notes: &mut Vec<String>) -> Vec<&'a str> {
    let has = |run: &RunFacts, task: &str| {
        scores::end(run).is_some_and(|end| end.scores.iter().any(|score| score.task == task))
    };
    let (scored, left_out): (Vec<_>, Vec<_>) =
        measurements.tasks.iter().partition(|task| measurements.runs.iter().any(|run| has(run, &task.name)));
    if !scored.is_empty() {
        notes.extend(
            left_out
                .iter()
                .map(|task| format!("No run has a score of {}: it is left out of the mean.", task.title)),
        );
    }
    scored.iter().map(|task| task.name.as_str()).collect()
}

fn arm(
    facts: &crate::ArmFacts,
    measurements: &Measurements,
    tasks: &[&str],
    bootstrap: &Bootstrap<'_>,
    config: &AnalysisConfig,
) -> ArmResult {
    let mut runs: Vec<&RunFacts> = measurements.runs.iter().filter(|run| run.arm == facts.name).collect();
    runs.sort_unstable_by_key(|run| run.seed);
    let seeds = scores::of_seeds(runs.iter().copied(), tasks);
    let values: Vec<f64> = seeds.iter().map(|seed| seed.score).collect();
    let mut score = scores::estimate(&values, config.level);
    if let Some(score) = &mut score {
        let of: Vec<u64> = seeds.iter().map(|seed| seed.seed).collect();
        score.bootstrap = bootstrap.arm(&facts.name, &of);
    }
    let of_task = |task: &str| {
        let values: Vec<f64> =
            runs.iter().filter_map(|run| scores::of_tasks(scores::end(run)?).get(task).copied()).collect();
        scores::estimate(&values, config.level)
    };
    ArmResult {
        facts: facts.clone(),
        score,
        tasks: tasks
            .iter()
            .filter_map(|task| Some(((*task).to_owned(), of_task(task)?)))
            .collect::<BTreeMap<_, _>>(),
        curve: curve::curve(&runs, tasks, config.level),
        seeds,
        runs: runs.into_iter().cloned().map(without_gaps).collect(),
    }
}

/// JSON has no word for what is not finite: such a value of a diagnostic is left out.
fn without_gaps(mut run: RunFacts) -> RunFacts {
    for point in &mut run.diagnostics {
        point.values.retain(|_, value| value.is_finite());
    }
    for score in run.checkpoints.iter_mut().flat_map(|checkpoint| &mut checkpoint.scores) {
        score.predictions = None;
    }
    run
}

/// The paper's five, other arms, controls, from scratch; else as they came.
fn place(arm: &ArmResult) -> usize {
    match &arm.facts.role {
        Role::Arm => PAPER.iter().position(|name| *name == arm.facts.objective).unwrap_or(PAPER.len()),
        Role::Control { .. } => PAPER.len() + 1,
        Role::Scratch => PAPER.len() + 2,
    }
}

fn has_seeds(arm: &ArmResult) -> bool {
    arm.seeds.len() > 1
}

/// Says which runs an arm lacks. Controls and the encoder from scratch may have seeds of their own.
fn missing(arm: &ArmResult, measurements: &Measurements, notes: &mut Vec<String>) {
    let planned = measurements.plan.pretraining_seeds.len();
    let title = &arm.facts.title;
    let incomplete = arm.runs.len() - arm.seeds.len();
    if incomplete > 0 {
        let (runs, lack) = if incomplete == 1 { ("run", "lacks") } else { ("runs", "lack") };
        notes.push(format!(
            "{title}: {incomplete} {runs} {lack} a task or the end of the budget, and {} not counted.",
            if incomplete == 1 { "is" } else { "are" }
        ));
    }
    if arm.runs.is_empty() {
        notes.push(format!("{title}: no run came to its end."));
    } else if arm.runs.len() < planned {
        notes.push(format!("{title}: {} of {planned} planned runs came to their end.", arm.runs.len()));
    }
}

/// The noise that paired differences share, over the seeds that all arms with at least two runs have.
fn noise(arms: &[&ArmResult]) -> Option<Noise> {
    let several: Vec<&ArmResult> = arms.iter().copied().filter(|arm| has_seeds(arm)).collect();
    let score =
        |arm: &ArmResult, seed: u64| arm.seeds.iter().find(|one| one.seed == seed).map(|one| one.score);
    let seeds: Vec<u64> = several
        .first()?
        .seeds
        .iter()
        .map(|one| one.seed)
        .filter(|seed| several.iter().all(|arm| score(arm, *seed).is_some()))
        .collect();
    let block: Vec<Vec<f64>> =
        several.iter().map(|arm| seeds.iter().filter_map(|seed| score(arm, *seed)).collect()).collect();
    verdict::noise(&block)
}

fn controls(
    arms: &[ArmResult],
    noise: Option<&Noise>,
    bootstrap: &Bootstrap<'_>,
    config: &AnalysisConfig,
) -> Result<Vec<Control>, Error> {
    let mut pairs = Vec::new();
    let mut expected = Vec::new();
    for arm in arms {
        if let Role::Control { of, expects } = &arm.facts.role {
            pairs.extend(arms.iter().find(|other| other.facts.name == *of).map(|other| (arm, other)));
            expected.push(*expects);
        }
    }
    let comparisons = compare(&pairs, Pairing::BySeed, noise, bootstrap, config)?;
    let judged = comparisons.into_iter().zip(expected).map(|(comparison, expects)| {
        let passed = match (expects, comparison.verdict) {
            (Expectation::Open, _) | (_, Verdict::NoVerdict) => None,
            (Expectation::Same, verdict) => Some(verdict == Verdict::NotDistinguishable),
            (Expectation::Worse, verdict) => Some(verdict == Verdict::Worse),
        };
        Control { comparison, passed }
    });
    Ok(judged.collect())
}
