//! Measurements from a table of scores: one task, no predictions.

use std::collections::BTreeMap;

use electra_analysis::{
    AnalysisConfig, ArmFacts, CheckpointFacts, Findings, Matched, Measurements, ObjectiveFacts, PlanFacts,
    Provenance, Role, RunFacts, Schedule, TaskFacts, TaskScore, analyse,
};
use electra_metrics::Metric;

/// The paper's objectives and their titles.
pub(crate) const PAPER: [(&str, &str); 5] = [
    ("mlm", "MLM"),
    ("replace-mlm", "Replace MLM"),
    ("electra-15", "ELECTRA 15 %"),
    ("all-tokens-mlm", "All-Tokens MLM"),
    ("electra", "ELECTRA"),
];

/// The same as the paper's table has them.
pub(crate) fn paper() -> Vec<ObjectiveFacts> {
    let scores = [82.2, 82.4, 82.4, 84.3, 85.0];
    let objective = |((name, title), glue): (&(&str, &str), f64)| ObjectiveFacts {
        name: (*name).into(),
        title: if *name == "mlm" { "BERT" } else { *title }.into(),
        paper_glue: Some(glue),
        masked_positions_alone: *name == "electra-15",
    };
    PAPER.iter().zip(scores).map(objective).collect()
}

/// An arm of the paper by its name, or another of that name.
pub(crate) fn facts(name: &str, role: Role) -> ArmFacts {
    let title = PAPER.iter().find(|(paper, _)| *paper == name).map_or(name, |(_, title)| title);
    ArmFacts {
        name: name.into(),
        objective: name.into(),
        title: title.into(),
        role,
        settings: BTreeMap::new(),
        paper_glue: None,
        flops_of: None,
        continues: None,
    }
}

/// A run of seed `seed` that scored so many points.
pub(crate) fn run(arm: &str, seed: u64, points: f64) -> RunFacts {
    let score = TaskScore {
        task: "task".into(),
        finetune_seed: 1,
        score: points / 100.0,
        metrics: BTreeMap::new(),
        predictions: None,
    };
    RunFacts {
        arm: arm.into(),
        seed,
        test_sets: String::new(),
        steps: 100,
        tokens: 6400,
        flops_paper: 1e12,
        flops_executed: 1.5e12,
        seconds: 10.0,
        checkpoints: vec![CheckpointFacts {
            families: Default::default(),
            share: 1.0,
            schedule: Schedule::Own,
            step: 100,
            flops_paper: 1e12,
            flops_executed: 1.5e12,
            scores: vec![score],
        }],
        diagnostics: vec![],
        unigram_loss: None,
        replacements: None,
    }
}

/// Arms of the role [`Role::Arm`] with a score for each of the seeds 1, 2, …
pub(crate) fn measurements(arms: &[(&str, &[f64])]) -> Measurements {
    let most = arms.iter().map(|(_, scores)| scores.len()).max().unwrap_or(0);
    let runs = arms.iter().flat_map(|(name, scores)| {
        scores.iter().enumerate().map(|(index, score)| run(name, index as u64 + 1, *score))
    });
    Measurements {
        families: Vec::new(),
        title: "A table".into(),
        plan: PlanFacts {
            name: "table".into(),
            proves_nothing: None,
            baseline: arms[0].0.into(),
            matched: Matched::Steps,
            budget: "100 steps".into(),
            pretraining_seeds: (1..=most as u64).collect(),
            finetuning_seeds: vec![1],
            split: "dev".into(),
            settings_chosen: "the same for all".into(),
            sweep: None,
            trials: Vec::new(),
            fixed_in_writing: None,
            facts: vec![],
            file: None,
        },
        tasks: vec![TaskFacts {
            name: "task".into(),
            title: "Task".into(),
            metric: Metric::Accuracy,
            positive: 1,
            examples: 1000,
            chance: None,
            units: None,
            majority: None,
        }],
        objectives: paper(),
        arms: arms.iter().map(|(name, _)| facts(name, Role::Arm)).collect(),
        runs: runs.collect(),
        language: None,
        failures: vec![],
        provenance: Provenance {
            command: "none".into(),
            code_version: "0".into(),
            date: None,
            hardware: "none".into(),
            threads: "1".into(),
            libtorch: "none".into(),
            seconds: 0.0,
            hashes: vec![],
            facts: vec![],
        },
    }
}

pub(crate) fn results(arms: &[(&str, &[f64])]) -> Findings {
    analyse(&measurements(arms), &AnalysisConfig::standard()).unwrap()
}
