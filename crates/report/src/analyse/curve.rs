//! Score against compute.

use super::scores::{estimate, is_on, mean_of_tasks, of_tasks};
use crate::{CheckpointFacts, CurvePoint, RunFacts, Schedule};

/// The points of an arm's curves: truncated runs, then runs of their own, each by share. A schedule of which there
/// is nothing but the end has no curve, unless it is the only one.
pub(crate) fn curve(runs: &[&RunFacts], tasks: &[&str], level: f64) -> Vec<CurvePoint> {
    let of = |schedule| points(runs, tasks, level, schedule);
    let (truncated, own) = (of(Schedule::Truncated), of(Schedule::Own));
    match (truncated.len() > 1, own.len() > 1) {
        (_, false) => truncated,
        (false, true) => own,
        (true, true) => [truncated, own].concat(),
    }
}

fn points(runs: &[&RunFacts], tasks: &[&str], level: f64, schedule: Schedule) -> Vec<CurvePoint> {
    let mut scored: Vec<(&CheckpointFacts, f64)> = runs
        .iter()
        .flat_map(|run| &run.checkpoints)
        .filter(|checkpoint| is_on(checkpoint, schedule))
        .filter_map(|checkpoint| Some((checkpoint, mean_of_tasks(&of_tasks(checkpoint), tasks)?)))
        .collect();
    scored.sort_by(|(a, _), (b, _)| a.share.total_cmp(&b.share));
    let same =
        |a: &(&CheckpointFacts, f64), b: &(&CheckpointFacts, f64)| (a.0.share - b.0.share).abs() < 1e-6;
    let groups = scored.chunk_by(same);
    groups
        .filter_map(|group| {
            let mean = |value: fn(&CheckpointFacts) -> f64| {
                group.iter().map(|(checkpoint, _)| value(checkpoint)).sum::<f64>() / group.len() as f64
            };
            let scores: Vec<f64> = group.iter().map(|(_, score)| *score).collect();
            Some(CurvePoint {
                schedule,
                share: group[0].0.share,
                step: mean(|checkpoint| checkpoint.step as f64),
                flops_paper: mean(|checkpoint| checkpoint.flops_paper),
                flops_executed: mean(|checkpoint| checkpoint.flops_executed),
                score: estimate(&scores, level)?,
            })
        })
        .collect()
}
