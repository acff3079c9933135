//! Runs that go on from a checkpoint of another run.

use std::collections::BTreeMap;

use electra_analysis::Matched;
use electra_config::StepCost;
use toml::Value;

use super::{Graph, PlannedRun, Scope};
use crate::arms::Arm;
use crate::budget;
use crate::{Error, Plan};

/// What a run goes on from: a state of another run, whose operations count as its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Before {
    /// The other run's arm.
    pub(crate) arm: String,
    /// The other run, by its folder under `runs`.
    pub(crate) run: String,
    /// Its steps that were done there.
    pub(crate) step: u64,
    /// Its steps to its end.
    pub(crate) steps: u64,
    /// What each of them costs.
    pub(crate) cost: StepCost,
}

impl Before {
    /// How much of the other run, and of the learning rate's schedule, is over.
    pub(crate) fn share(&self) -> f64 {
        self.step as f64 / self.steps as f64
    }

    pub(crate) fn tokens(&self) -> u64 {
        self.step * self.cost.tokens
    }

    pub(crate) fn flops_paper(&self) -> f64 {
        self.step as f64 * self.cost.paper_flops
    }

    pub(crate) fn flops_executed(&self) -> f64 {
        self.step as f64 * self.cost.executed_flops
    }

    /// The export that the run begins with, as scores of that state are of it.
    pub(crate) fn export(&self) -> String {
        format!("{}-at-{}", self.run, self.step)
    }
}

/// Shares of its budget at which a run of an arm is saved for this seed of the plan: those that are scored, and those that
/// another arm goes on from.
pub(crate) fn saved_shares(plan: &Plan, arm: &str, planned_seed: u64) -> Vec<f64> {
    let mut shares = scored_shares(plan, planned_seed);
    for continues in plan.arms.iter().filter_map(|arm| arm.continues.as_ref()) {
        if continues.arm == arm && !shares.contains(&continues.share) {
            shares.push(continues.share);
        }
    }
    shares
}

/// Shares of the budget at which a run is scored on its way.
pub(crate) fn scored_shares(plan: &Plan, planned_seed: u64) -> Vec<f64> {
    let truncated = plan.checkpoints.as_ref().filter(|checkpoints| {
        checkpoints.pretraining_seeds.as_ref().is_none_or(|seeds| seeds.contains(&planned_seed))
    });
    let mut shares = truncated.map_or_else(Vec::new, |checkpoints| checkpoints.shares.clone());
    for share in plan.curves.iter().flat_map(|curves| &curves.shares) {
        if !shares.contains(share) {
            shares.push(*share);
        }
    }
    shares
}

/// What a run of an arm goes on from, and its own steps: those that are left of the budget, of which `steps` would be the
/// whole. The other arm's run is in the graph.
pub(super) fn before(
    graph: &Graph,
    scope: &Scope<'_>,
    arm: &Arm,
    over: &BTreeMap<String, Value>,
    planned_seed: u64,
    steps: u64,
) -> Result<Option<(Before, u64)>, Error> {
    let Some(continues) = &arm.continues else { return Ok(None) };
    let plan = scope.plan;
    let name = format!("{}-{}", continues.arm, planned_seed + arm.seed_offset);
    let other: &PlannedRun =
        graph.runs.iter().find(|run| run.name == name).expect("an arm comes after the one that it continues");
    let shares = saved_shares(plan, &continues.arm, planned_seed);
    let place = shares.iter().position(|share| *share == continues.share).expect("it is saved there");
    let step = budget::checkpoints(other.steps, &shares).1[place];
    let before = Before { arm: continues.arm.clone(), run: name, step, steps: other.steps, cost: other.cost };
    let vocab_size = scope.vocab_sizes[&plan.source(arm, planned_seed)];
    let config = plan.run_config(scope.origin, scope.objectives, arm, over, vocab_size)?;
    let cost = budget::cost(scope.objectives, &config, plan.data.max_length)?;
    let own = match plan.budget.matched {
        Matched::Steps if arm.flops_of.is_none() => steps as f64 - step as f64,
        _ => (steps as f64 * cost.paper_flops - before.flops_paper()) / cost.paper_flops,
    };
    Ok(Some((before, (own.round() as u64).max(1))))
}
