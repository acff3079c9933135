//! From measurements to findings.

use std::collections::BTreeMap;

use crate::bootstrap::{Bootstrap, Resampled};
use crate::check;
use crate::compare::{Pairing, Scored, compare, each_with_each, judge, noise};
use crate::curve;
use crate::error::Error;
use crate::findings::{AnalysisConfig, ArmFindings, Control, Findings, Noise, TaskComparisons, Verdict};
use crate::measurements::{ArmFacts, Expectation, Measurements, ObjectiveFacts, Role, RunFacts};
use crate::objectives::completed;
use crate::scores;

/// Computes what can be found in measurements.
///
/// # Errors
/// [`Error::Empty`], [`Error::Twice`], [`Error::Unknown`], [`Error::Value`] and [`Error::Predictions`] if the
/// measurements are wrong; [`Error::Metrics`] if a statistic cannot be computed. A missing run is not an error.
pub fn analyse(measurements: &Measurements, config: &AnalysisConfig) -> Result<Findings, Error> {
    let shares = [("level", config.level), ("alpha", config.alpha), ("power", config.power)];
    check::check(measurements, &shares)?;
    let tasks = scored_tasks(measurements);
    let resampled = Resampled::new(measurements, &tasks, config)?;
    let bootstrap = resampled.mean_of(&tasks);
    let mut arms: Vec<ArmFindings> =
        measurements.arms.iter().map(|facts| arm(facts, measurements, &tasks, &bootstrap, config)).collect();
    let objectives = completed(&measurements.objectives, measurements.arms.iter());
    arms.sort_by_key(|arm| place(&arm.facts, &objectives));

    let compared: Vec<&ArmFindings> = arms.iter().filter(|arm| arm.facts.role == Role::Arm).collect();
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

    Ok(Findings {
        title: measurements.title.clone(),
        plan: measurements.plan.clone(),
        config: config.clone(),
        tasks: measurements.tasks.clone(),
        objectives,
        noise,
        pairs,
        task_pairs,
        controls,
        scratch,
        language: measurements.language,
        failures: measurements.failures.clone(),
        provenance: measurements.provenance.clone(),
        arms,
    })
}

/// The tasks that the score is the mean of: those that any run has at the end of its budget.
fn scored_tasks(measurements: &Measurements) -> Vec<&str> {
    let names = measurements.tasks.iter().map(|task| task.name.as_str());
    names.filter(|task| measurements.runs.iter().any(|run| end_has(run, task))).collect()
}

/// Whether a run has a score of a task at the end of its budget.
pub(crate) fn end_has(run: &RunFacts, task: &str) -> bool {
    scores::end(run).is_some_and(|end| end.scores.iter().any(|score| score.task == task))
}

fn arm(
    facts: &ArmFacts,
    measurements: &Measurements,
    tasks: &[&str],
    bootstrap: &Bootstrap<'_>,
    config: &AnalysisConfig,
) -> ArmFindings {
    let mut runs: Vec<&RunFacts> = measurements.runs.iter().filter(|run| run.arm == facts.name).collect();
    runs.sort_unstable_by_key(|run| run.seed);
    let seeds = scores::of_seeds(runs.iter().copied(), tasks);
    let values: Vec<f64> = seeds.iter().map(|seed| seed.score).collect();
    let mut score = scores::estimate(&values, config.level);
    if let Some(score) = &mut score {
        let numbers: Vec<u64> = seeds.iter().map(|seed| seed.seed).collect();
        score.bootstrap = bootstrap.arm(&facts.name, &numbers);
    }
    let of_task = |task: &str| {
        let values: Vec<f64> =
            runs.iter().filter_map(|run| scores::of_tasks(scores::end(run)?).get(task).copied()).collect();
        scores::estimate(&values, config.level)
    };
    ArmFindings {
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

/// Arms by their objectives, then controls, then the encoder from scratch; else as they came.
fn place(arm: &ArmFacts, objectives: &[ObjectiveFacts]) -> (usize, usize) {
    match &arm.role {
        Role::Arm => (0, objectives.iter().take_while(|objective| objective.name != arm.objective).count()),
        Role::Control { .. } => (1, 0),
        Role::Scratch => (2, 0),
    }
}

/// Each arm with each other on each task: one family. Of one task it would be the mean's again.
fn by_task(
    arms: &[&ArmFindings],
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
    arms: &[ArmFindings],
    noise: Option<&Noise>,
    bootstrap: &Bootstrap<'_>,
    config: &AnalysisConfig,
) -> Result<Vec<Control>, Error> {
    let mut pairs = Vec::new();
    let mut expected = Vec::new();
    for arm in arms {
        if let Role::Control { arm: compared_with, expects } = &arm.facts.role {
            let other = arms.iter().find(|other| other.facts.name == *compared_with);
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
