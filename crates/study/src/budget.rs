//! How many steps each arm has.

use std::collections::BTreeMap;

use electra_analysis::Matched;
use electra_config::{Config, ObjectiveInfo, StepCost, StepShape};
use electra_store::Error as StoreError;

use crate::{Error, Plan};

/// What a step of a run costs: the same numbers as the trainer counts for these settings.
pub(crate) fn cost(
    objectives: &[&ObjectiveInfo],
    config: &Config,
    max_length: usize,
) -> Result<StepCost, Error> {
    let objective = ObjectiveInfo::find(objectives, &config.objective)?;
    let model = config.model.model();
    let shape = StepShape {
        batch: config.budget.batch as u64,
        length: max_length as u64,
        masked: config.masking.expected_count(max_length),
    };
    Ok(StepCost::new(shape, |shape, convention| objective.flops(&model, shape, convention)))
}

/// The steps of the reference arm.
pub(crate) fn reference_steps(plan: &Plan, cost: &StepCost) -> Result<u64, Error> {
    let budget = &plan.budget;
    let (key, found, steps) = match (budget.steps, budget.tokens, budget.flops) {
        (Some(steps), ..) => ("budget.steps", steps.to_string(), steps),
        (_, Some(tokens), _) => ("budget.tokens", tokens.to_string(), tokens / cost.tokens),
        (_, _, flops) => {
            let flops = flops.unwrap_or(0.0);
            ("budget.flops", format!("{flops:e}"), (flops / cost.paper_flops).floor() as u64)
        }
    };
    if steps > 0 {
        return Ok(steps);
    }
    Err(StoreError::Setting {
        origin: plan.name.clone(),
        key: key.into(),
        found,
        expected: format!(
            "what a step of {} takes: {} tokens, {:.4e} FLOPs",
            budget.reference, cost.tokens, cost.paper_flops
        ),
    }
    .into())
}

/// The steps of each arm, where one step costs `costs` and the reference arm makes `reference` of them: as many,
/// or as many as come nearest to its operations as the paper counts them. `flops_of` names for some arms another
/// one, whose operations they have instead.
pub(crate) fn matched(
    matched: Matched,
    reference: (u64, &StepCost),
    costs: &BTreeMap<String, StepCost>,
    flops_of: &BTreeMap<String, String>,
) -> BTreeMap<String, u64> {
    let (steps, reference) = reference;
    let nearest = |steps: u64, from: &StepCost, to: &StepCost| {
        ((steps as f64 * from.paper_flops / to.paper_flops).round() as u64).max(1)
    };
    let of_budget = |cost: &StepCost| match matched {
        Matched::Steps => steps,
        Matched::Flops => nearest(steps, reference, cost),
    };
    let steps_of = |arm: &String, cost: &StepCost| match flops_of.get(arm).and_then(|other| costs.get(other))
    {
        Some(other) => nearest(of_budget(other), other, cost),
        None => of_budget(cost),
    };
    costs.iter().map(|(arm, cost)| (arm.clone(), steps_of(arm, cost))).collect()
}

/// How a run of `steps` steps is saved so that shares of it can be scored: after every so many steps, and the
/// step nearest to each share.
pub(crate) fn checkpoints(steps: u64, shares: &[f64]) -> (u64, Vec<u64>) {
    // The coarsest grid that has all shares on it; the plan was checked to have them on one of 64ths.
    let on = |n: u64| shares.iter().all(|share| (share * n as f64).fract() == 0.0);
    let parts = [1, 2, 4, 8, 16, 32, 64].into_iter().find(|n| on(*n)).unwrap_or(64);
    let every = ((steps as f64 / parts as f64).round() as u64).max(1);
    let step = |share: &f64| ((share * parts as f64).round() as u64 * every).clamp(1, steps);
    (every, shares.iter().map(step).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(paper_flops: f64) -> StepCost {
        StepCost { tokens: 1000, paper_flops, executed_flops: 1.5 * paper_flops }
    }

    #[test]
    fn arms_spend_the_references_operations() {
        let costs = BTreeMap::from([("mlm".to_owned(), cost(2e9)), ("electra".to_owned(), cost(3e9))]);
        let none = BTreeMap::new();
        let steps = |how| matched(how, (1000, &costs["electra"]), &costs, &none);
        assert_eq!(steps(Matched::Steps), BTreeMap::from([("mlm".into(), 1000), ("electra".into(), 1000)]));
        assert_eq!(steps(Matched::Flops), BTreeMap::from([("mlm".into(), 1500), ("electra".into(), 1000)]));
    }

    #[test]
    fn an_arm_may_have_the_operations_of_another_whatever_the_budget_matches() {
        let name = String::from;
        let costs = BTreeMap::from([
            (name("electra-64"), cost(3e9)),
            (name("electra-128"), cost(11e9)),
            (name("mlm-128-compute"), cost(7e9)),
            (name("tiny"), cost(1e20)),
        ]);
        let flops_of = BTreeMap::from([
            (name("mlm-128-compute"), name("electra-128")),
            (name("tiny"), name("electra-64")),
        ]);
        let steps = |how| matched(how, (1000, &costs["electra-64"]), &costs, &flops_of);
        let of = |how, arm: &str| steps(how)[arm];
        assert_eq!((of(Matched::Steps, "electra-128"), of(Matched::Steps, "mlm-128-compute")), (1000, 1571));
        // 3e12 operations each: 272.7 steps of the one, and 428.6 of the other, which is nearest to 273 of the first.
        assert_eq!((of(Matched::Flops, "electra-128"), of(Matched::Flops, "mlm-128-compute")), (273, 429));
        assert_eq!(of(Matched::Steps, "tiny"), 1, "a run has a step at least");
    }

    #[test]
    fn shares_are_saved_at_the_nearest_steps() {
        assert_eq!(checkpoints(1600, &[0.0625, 0.125, 0.25, 0.5]), (100, vec![100, 200, 400, 800]));
        // 1000/16 is 62.5: what is scored is at 6.3 %, and the report says at which step.
        assert_eq!(checkpoints(1000, &[0.0625, 0.5]), (63, vec![63, 504]));
        assert_eq!(checkpoints(1000, &[0.5]), (500, vec![500]));
        assert_eq!(checkpoints(10, &[0.015625]), (1, vec![1]));
        assert_eq!(checkpoints(1000, &[]), (1000, vec![]));
    }
}
