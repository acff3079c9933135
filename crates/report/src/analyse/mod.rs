//! From measurements to results.

mod bootstrap;
mod check;
mod compare;
mod curve;
mod draws;
mod scores;

use std::collections::BTreeMap;

use bootstrap::{Bootstrap, Resampled};
use compare::{Pairing, Scored, compare, each_with_each, judge, noise};

use crate::{
    AnalysisConfig, ArmResult, Control, Error, Expectation, FORMAT, Measurements, Noise, Results, Role,
    RunFacts, TaskComparisons, Verdict, conclusion,
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
    let resampled = Resampled::new(measurements, &tasks, config)?;
    let bootstrap = resampled.mean_of(&tasks);
    let mut arms: Vec<ArmResult> =
        measurements.arms.iter().map(|facts| arm(facts, measurements, &tasks, &bootstrap, config)).collect();
    arms.sort_by_key(place);
    arms.iter().for_each(|arm| missing(arm, measurements, &mut notes));

    let compared: Vec<&ArmResult> = arms.iter().filter(|arm| arm.facts.role == Role::Arm).collect();
    let means: Vec<Scored<'_>> = compared.iter().map(|arm| Scored::mean(arm)).collect();
    let means: Vec<&Scored<'_>> = means.iter().collect();
    let noise = noise(&means);
    let pairs = compare(&each_with_each(&means), Pairing::BySeed, noise.as_ref(), &bootstrap);
    let pairs = judge(pairs, config)?;
    let task_pairs = by_task(&compared, &tasks, &resampled, config)?;
    let controls = controls(&arms, noise.as_ref(), &bootstrap, config)?;
    let scratch = arms.iter().find(|arm| arm.facts.role == Role::Scratch).map(Scored::mean);
    let with_scratch: Vec<_> = means.iter().copied().zip(scratch.iter().cycle()).collect();
    let scratch = judge(compare(&with_scratch, Pairing::None, None, &bootstrap), config)?;

    let mut results = Results {
        format: FORMAT.into(),
        title: measurements.title.clone(),
        plan: measurements.plan.clone(),
        config: config.clone(),
        conclusion: conclusion::none(),
        tasks: measurements.tasks.clone(),
        noise,
        pairs,
        task_pairs,
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

/// Each arm with each other on each task: one family. Of one task it would be the mean's again.
fn by_task(
    arms: &[&ArmResult],
    tasks: &[&str],
    resampled: &Resampled<'_>,
    config: &AnalysisConfig,
) -> Result<Vec<TaskComparisons>, Error> {
    if tasks.len() < 2 || arms.len() < 2 {
        return Ok(Vec::new());
    }
    let (mut of_tasks, mut family) = (Vec::new(), Vec::new());
    for &task in tasks {
        let scored: Vec<Scored<'_>> = arms.iter().map(|arm| Scored::on(arm, task)).collect();
        let scored: Vec<&Scored<'_>> = scored.iter().collect();
        let (pairs, noise) = (each_with_each(&scored), noise(&scored));
        family.extend(compare(&pairs, Pairing::BySeed, noise.as_ref(), &resampled.mean_of(&[task])));
        of_tasks.push((task, noise, pairs.len()));
    }
    let mut judged = judge(family, config)?.into_iter();
    let with_verdicts = of_tasks.into_iter().map(|(task, noise, pairs)| TaskComparisons {
        task: task.into(),
        noise,
        pairs: judged.by_ref().take(pairs).collect(),
    });
    Ok(with_verdicts.collect())
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
            let other = arms.iter().find(|other| other.facts.name == *of);
            pairs.extend(other.map(|other| (Scored::mean(arm), Scored::mean(other))));
            expected.push(*expects);
        }
    }
    let pairs: Vec<_> = pairs.iter().map(|(arm, other)| (arm, other)).collect();
    let comparisons = judge(compare(&pairs, Pairing::BySeed, noise, bootstrap), config)?;
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
