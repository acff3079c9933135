//! Score against compute.

use crate::findings::CurvePoint;
use crate::measurements::{CheckpointFacts, RunFacts, Schedule};
use crate::scores::{by_task, estimate, is_on, mean_of_tasks, of_tasks};

/// A run's score × 100 by share of its budget, on its way and at its end, by share: the mean of these tasks. A
/// checkpoint that lacks a task is left out.
#[must_use]
pub fn scores_by_share(run: &RunFacts, tasks: &[&str]) -> Vec<(f64, f64)> {
    let scored = scored(run, tasks, Schedule::Truncated);
    scored.into_iter().map(|(checkpoint, score)| (checkpoint.share, score)).collect()
}

/// The same of a family of scores.
#[must_use]
pub fn family_by_share(run: &RunFacts, family: &str, tasks: &[&str]) -> Vec<(f64, f64)> {
    let on_the_way = run.checkpoints.iter().filter(|checkpoint| is_on(checkpoint, Schedule::Truncated));
    let score = |checkpoint: &CheckpointFacts| {
        Some((checkpoint.share, mean_of_tasks(&by_task(checkpoint.families.get(family)?), tasks)?))
    };
    let mut points: Vec<(f64, f64)> = on_the_way.filter_map(score).collect();
    points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    points
}

/// The points of an arm's curves: truncated runs, then runs of their own, each by share. A schedule of which there
/// is nothing but the end has no curve, unless it is the only one. A curve is of the same seeds throughout: from one
/// point to the next it rises by training, and not because other seeds were scored there.
pub(crate) fn curve(runs: &[&RunFacts], tasks: &[&str], level: f64) -> Vec<CurvePoint> {
    let of_schedule = |schedule| points(runs, tasks, level, schedule);
    let (truncated, own) = (of_schedule(Schedule::Truncated), of_schedule(Schedule::Own));
    match (truncated.len() > 1, own.len() > 1) {
        (_, false) => truncated,
        (false, true) => own,
        (true, true) => [truncated, own].concat(),
    }
}

fn points(runs: &[&RunFacts], tasks: &[&str], level: f64, schedule: Schedule) -> Vec<CurvePoint> {
    let scored: Vec<Scored<'_>> = runs.iter().map(|run| scored(run, tasks, schedule)).collect();
    // Most often some seeds are scored at the end alone. Of seeds of which none has all points, the fullest decides.
    let Some(fullest) = scored.iter().rev().max_by_key(|of_run| of_run.len()) else { return Vec::new() };
    let of_all: Vec<Vec<&(&CheckpointFacts, f64)>> = scored
        .iter()
        .filter_map(|of_run| fullest.iter().map(|(reference, _)| same(of_run, reference)).collect())
        .collect();
    (0..fullest.len())
        .filter_map(|index| {
            let group: Vec<_> = of_all.iter().map(|of_run| of_run[index]).collect();
            let mean = |value: fn(&CheckpointFacts) -> f64| {
                group.iter().map(|(checkpoint, _)| value(checkpoint)).sum::<f64>() / group.len() as f64
            };
            let scores: Vec<f64> = group.iter().map(|(_, score)| *score).collect();
            Some(CurvePoint {
                schedule,
                share: fullest[index].0.share,
                step: mean(|checkpoint| checkpoint.step as f64),
                flops_paper: mean(|checkpoint| checkpoint.flops_paper),
                flops_executed: mean(|checkpoint| checkpoint.flops_executed),
                score: estimate(&scores, level)?,
            })
        })
        .collect()
}

/// A run's checkpoints with their scores, by share.
type Scored<'a> = Vec<(&'a CheckpointFacts, f64)>;

fn scored<'a>(run: &'a RunFacts, tasks: &[&str], schedule: Schedule) -> Scored<'a> {
    let mut scored: Scored<'_> = run
        .checkpoints
        .iter()
        .filter(|checkpoint| is_on(checkpoint, schedule))
        .filter_map(|checkpoint| Some((checkpoint, mean_of_tasks(&of_tasks(checkpoint), tasks)?)))
        .collect();
    scored.sort_by(|(a, _), (b, _)| a.share.total_cmp(&b.share));
    scored
}

/// What a run has at the share of a checkpoint.
fn same<'a, 'b>(
    scored: &'b Scored<'a>,
    reference: &CheckpointFacts,
) -> Option<&'b (&'a CheckpointFacts, f64)> {
    scored.iter().find(|(checkpoint, _)| (checkpoint.share - reference.share).abs() < 1e-6)
}
