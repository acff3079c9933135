//! Measurements that nobody measured: two objectives at three hidden sizes, one of them at equal steps and at equal FLOPs.

use std::collections::BTreeMap;

use electra_analysis::{ArmFacts, Matched, Measurements, Role, RunFacts};

use crate::study::{self, Made};

/// The key of the setting.
pub(crate) const SETTING: &str = "model.encoder.hidden_size";
/// Examples of a task.
const EXAMPLES: usize = 60;

/// A step of ELECTRA in steps of MLM of the same size, and a step of each size in steps of the size before it.
const DEARER: f64 = 1.6;
const WIDER: f64 = 3.8;

/// An arm with its size, and the arm whose FLOPs it has.
type Sized = (Made, u64, Option<&'static str>);

fn arms() -> Vec<Sized> {
    let arm = |name, objective, title, level, cost| (name, objective, title, Role::Arm, None, level, cost);
    // As many steps as ELECTRA, and as many as have its FLOPs.
    let (steps, flops) = (DEARER, 1.0);
    vec![
        (arm("mlm-64", "mlm", "BERT-64", 0.62, steps), 64, None),
        (arm("mlm-64-compute", "mlm", "BERT-64 (equal FLOPs)", 0.628, flops), 64, Some("electra-64")),
        (arm("mlm-128", "mlm", "BERT-128", 0.66, steps), 128, None),
        (arm("mlm-128-compute", "mlm", "BERT-128 (equal FLOPs)", 0.668, flops), 128, Some("electra-128")),
        (arm("mlm-256", "mlm", "BERT-256", 0.69, steps), 256, None),
        (arm("mlm-256-compute", "mlm", "BERT-256 (equal FLOPs)", 0.706, flops), 256, Some("electra-256")),
        (arm("electra-64", "electra", "ELECTRA-64", 0.645, steps), 64, None),
        (arm("electra-128", "electra", "ELECTRA-128", 0.70, steps), 128, None),
        (arm("electra-256", "electra", "ELECTRA-256", 0.735, steps), 256, None),
    ]
}

/// A run whose steps cost what they do at its size.
fn run(index: u64, (made, size, _): &Sized, seed: u64) -> RunFacts {
    let mut run = study::run(index, made, seed, EXAMPLES);
    let of_objective = if made.1 == "mlm" { 1.0 } else { DEARER };
    let cost = of_objective * WIDER.powi((*size / 64).ilog2() as i32) / made.6;
    run.flops_paper *= cost;
    run.flops_executed *= cost;
    run.seconds *= cost;
    for checkpoint in &mut run.checkpoints {
        checkpoint.flops_paper *= cost;
        checkpoint.flops_executed *= cost;
    }
    run
}

/// The whole study, of so many seeds.
pub(crate) fn fabricated(seeds: u64) -> Measurements {
    let arms = arms();
    let facts = |((name, objective, title, ..), size, flops_of): &Sized| ArmFacts {
        name: (*name).into(),
        objective: (*objective).into(),
        title: (*title).into(),
        role: Role::Arm,
        settings: BTreeMap::from([(SETTING.into(), size.to_string())]),
        paper_glue: None,
        flops_of: flops_of.map(Into::into),
        continues: None,
    };
    let mut study = study::fabricated(seeds, EXAMPLES);
    study.title = "Two objectives at three sizes on a language made up for them".into();
    study.arms = arms.iter().map(facts).collect();
    study.runs = Vec::new();
    for (index, arm) in (0..).zip(&arms) {
        study.runs.extend((1..=seeds).map(|seed| run(index, arm, seed)));
    }
    study.plan.sweep = Some(SETTING.into());
    study.plan.baseline = "mlm-64".into();
    study.plan.matched = Matched::Steps;
    study.plan.budget = "3,750 steps for each arm whose FLOPs are not those of another".into();
    study.plan.trials.clear();
    study.failures.clear();
    study
}
