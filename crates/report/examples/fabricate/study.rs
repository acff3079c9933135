//! Measurements that nobody measured: five objectives, three controls and the encoder from scratch, six seeds, six
//! tasks, seven checkpoints on the way and four by
//! schedules of their own.

use std::collections::BTreeMap;

use electra_analysis::{
    ArmFacts, CheckpointFacts, DetectionFacts, DiagnosticPoint, Expectation, Fact, Failure, Hash, KindFacts,
    LanguageFacts, Matched, Measurements, ObjectiveFacts, PlanFacts, Predictions, Provenance,
    ReplacementFacts, Role, RunFacts, Schedule, TaskFacts, TaskScore, Trial,
};

use crate::random::{Random, score};
use electra_metrics::Metric;

/// An arm as it is made up: objective, title, role, what the paper has, mean score, spread over seeds, FLOPs for those
/// of MLM.
pub(crate) type Made = (&'static str, &'static str, &'static str, Role, Option<f64>, f64, f64);

fn arms() -> Vec<Made> {
    let control = |arm: &str, expects| Role::Control { arm: arm.into(), expects };
    vec![
        ("mlm", "mlm", "MLM", Role::Arm, Some(82.2), 0.655, 1.0),
        ("replace-mlm", "replace-mlm", "Replace MLM", Role::Arm, Some(82.4), 0.638, 1.21),
        ("electra-15", "electra-15", "ELECTRA 15 %", Role::Arm, Some(82.4), 0.598, 1.13),
        ("all-tokens-mlm", "all-tokens-mlm", "All-Tokens MLM", Role::Arm, Some(84.3), 0.652, 1.62),
        ("electra", "electra", "ELECTRA", Role::Arm, Some(85.0), 0.693, 1.18),
        (
            "electra-again",
            "electra",
            "ELECTRA again",
            control("electra", Expectation::Same),
            None,
            0.693,
            1.18,
        ),
        (
            "electra-shuffled",
            "electra-shuffled",
            "ELECTRA, 30 % of labels shuffled",
            control("electra", Expectation::Worse),
            None,
            0.575,
            1.18,
        ),
        (
            "rtd-uniform",
            "rtd-uniform",
            "RTD, uniform replacements",
            control("electra", Expectation::Open),
            None,
            0.60,
            0.93,
        ),
        ("scratch", "none", "No pre-training", Role::Scratch, None, 0.47, 0.0),
    ]
}

const TASKS: [(&str, &str, Metric, f64, f64); 6] = [
    ("acceptability", "Acceptability", Metric::Matthews, -0.12, 0.0),
    ("polarity", "Polarity", Metric::Accuracy, 0.12, 0.5),
    ("paraphrase", "Paraphrase", Metric::F1, 0.08, 0.5),
    ("entailment", "Entailment", Metric::Accuracy, -0.02, 0.5),
    ("similarity", "Similarity", Metric::Spearman, -0.1, 0.0),
    ("topic", "Topic", Metric::Accuracy, 0.14, 0.25),
];

/// The whole study, of so many seeds and examples a task.
pub(crate) fn fabricated(seeds: u64, examples: usize) -> Measurements {
    let arms = arms();
    let mut runs = Vec::new();
    for (index, made) in arms.iter().enumerate() {
        for seed in 1..=seeds {
            runs.push(run(index as u64, made, seed, examples));
        }
    }
    let facts = |made: &Made| ArmFacts {
        name: made.0.into(),
        objective: made.1.into(),
        title: made.2.into(),
        role: made.3.clone(),
        settings: BTreeMap::from([
            ("learning rate".into(), if made.1 == "mlm" { "1e-3" } else { "5e-4" }.into()),
            ("generator".into(), if matches!(made.1, "mlm" | "none") { "–" } else { "width 32" }.into()),
        ]),
        paper_glue: made.4,
        flops_of: None,
        continues: None,
    };
    let objective = |made: &Made| ObjectiveFacts {
        name: made.1.into(),
        title: if made.1 == "mlm" { "BERT" } else { made.2 }.into(),
        paper_glue: made.4,
        masked_positions_alone: made.1 == "electra-15",
    };
    let task = |&(name, title, metric, _, chance): &(&str, &str, Metric, f64, f64)| TaskFacts {
        name: name.into(),
        title: title.into(),
        metric,
        positive: 1,
        examples,
        chance: Some(chance),
        units: None,
        majority: (metric == Metric::Accuracy).then_some(chance + 0.04),
    };
    Measurements {
        families: Vec::new(),
        title: "Five objectives on a language made up for them".into(),
        plan: plan(seeds),
        tasks: TASKS.iter().map(task).collect(),
        objectives: arms[..5].iter().map(objective).collect(),
        arms: arms.iter().map(facts).collect(),
        runs,
        language: Some(LanguageFacts { entropy: 0.6, certain: 0.81 }),
        failures: vec![Failure {
            job: "rtd-uniform, seed 2: 12.5 %, own schedule".into(),
            message: "the process was ended by signal 9 (out of memory?)".into(),
        }],
        provenance: provenance(),
    }
}

fn plan(seeds: u64) -> PlanFacts {
    PlanFacts {
        name: "fabricated".into(),
        proves_nothing: None,
        baseline: "mlm".into(),
        matched: Matched::Flops,
        budget: "1.2 × 10¹³ FLOPs, 6,000 steps of MLM".into(),
        pretraining_seeds: (1..=seeds).collect(),
        finetuning_seeds: vec![1, 2, 3],
        split: "test".into(),
        settings_chosen: "The learning rate of each objective is the best of four on development data, with two runs of a quarter of the budget each".into(),
        sweep: None,
        trials: trials(),
        fixed_in_writing: Some("Seeds, tasks and settings, before the first reported run, in the plan's file".into()),
        facts: vec![
            Fact { name: "Model".into(), value: "4 layers, width 128, 2 heads, vocabulary 2,048".into() },
            Fact { name: "Corpus".into(), value: "synthetic, 3.1 million tokens, seed 7".into() },
        ],
        file: Some("name = \"fabricated\"\nobjectives = [\"mlm\", \"replace-mlm\", \"electra-15\", \"all-tokens-mlm\", \"electra\"]\nmatch = \"flops\"\n".into()),
    }
}

/// Four learning rates for each objective, two runs each; the best of one is the highest.
fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (index, made) in arms().iter().take(5).enumerate() {
        let best = if made.0 == "electra-15" { 3 } else { 1 + index % 2 };
        for (place, rate) in ["0.00025", "0.0005", "0.001", "0.002"].into_iter().enumerate() {
            let score = |seed: u64| {
                let noise = 0.004 * Random::new(&[8, index as u64, place as u64, seed]).normal();
                made.5 - 0.08 - 0.03 * (place.abs_diff(best) as f64) + noise
            };
            trials.push(Trial {
                arm: made.0.into(),
                settings: BTreeMap::from([("optimizer.learning_rate".into(), rate.into())]),
                scores: vec![score(1), score(2)],
                chosen: place == best,
            });
        }
    }
    trials
}

fn provenance() -> Provenance {
    Provenance {
        command: "cargo run -p electra-report --example fabricate -- REPORT".into(),
        code_version: concat!("electra-report ", env!("CARGO_PKG_VERSION")).into(),
        date: None,
        hardware: "none: these numbers are made up".into(),
        threads: "1 a run, 2 runs side by side".into(),
        libtorch: "2.11.0".into(),
        seconds: 1146.0,
        hashes: ["corpus", "vocabulary", "tasks"]
            .map(|name| Hash {
                name: name.into(),
                sha256: format!("{:016x}", Random::new(&[name.len() as u64]).next()).repeat(4),
            })
            .into(),
        facts: vec![],
    }
}

/// One run stays on its plateau.
fn is_lost(arm: &str, seed: u64) -> bool {
    arm == "electra-15" && seed == 4
}

pub(crate) fn run(arm: u64, made: &Made, seed: u64, examples: usize) -> RunFacts {
    let (name, objective, level, cost) = (made.0, made.1, made.5, made.6);
    // The seed's own luck is shared by the arms; the run's is not.
    let luck = 0.008 * Random::new(&[1, seed]).normal() + 0.006 * Random::new(&[2, arm, seed]).normal();
    let lost = is_lost(name, seed);
    // At equal FLOPs a dearer objective makes fewer steps.
    let steps = if cost > 0.0 { (6000.0 / cost) as u64 } else { 0 };
    let shares: &[(f64, Schedule)] = if cost == 0.0 {
        &[(1.0, Schedule::Own)]
    } else if matches!(made.3, Role::Arm) {
        &[
            (0.03125, Schedule::Truncated),
            (0.0625, Schedule::Truncated),
            (0.125, Schedule::Truncated),
            (0.25, Schedule::Truncated),
            (0.5, Schedule::Truncated),
            (0.75, Schedule::Truncated),
            (0.125, Schedule::Own),
            (0.25, Schedule::Own),
            (0.5, Schedule::Own),
            (1.0, Schedule::Own),
        ]
    } else {
        &[(1.0, Schedule::Own)]
    };
    let flops = 2e9 * cost;
    let checkpoint = |&(share, schedule): &(f64, Schedule)| {
        let rise = if cost == 0.0 { 0.0 } else { (share.log2() / 4.0) * (0.7 + 0.1 * (arm as f64)) };
        let gain = if schedule == Schedule::Own { 0.006 } else { 0.0 };
        let level = if lost { 0.47 + luck } else { level + luck + (level - 0.46) * rise + gain };
        let step = (steps as f64 * share) as u64;
        CheckpointFacts {
            families: Default::default(),
            share,
            schedule,
            step,
            flops_paper: flops * step as f64,
            flops_executed: 1.5 * flops * step as f64,
            scores: scores(level, &[arm, seed, (share * 1e4) as u64, schedule as u64], examples),
        }
    };
    RunFacts {
        arm: name.into(),
        seed,
        test_sets: String::new(),
        steps,
        tokens: steps * 16 * 64,
        flops_paper: flops * steps as f64,
        flops_executed: 1.5 * flops * steps as f64,
        seconds: 31.0 * cost + luck * 100.0 + 2.0,
        checkpoints: shares.iter().map(checkpoint).collect(),
        diagnostics: diagnostics(objective, steps, lost, &[arm, seed]),
        unigram_loss: (steps > 0).then_some(6.4),
        replacements: replacements(objective, &[arm, seed]),
    }
}

fn scores(level: f64, key: &[u64], examples: usize) -> Vec<TaskScore> {
    let mut scores = Vec::new();
    for (index, (task, _, metric, shift, chance)) in TASKS.iter().enumerate() {
        for finetune_seed in 1..=3 {
            let mut random = Random::new(&[&[3, index as u64, finetune_seed], key].concat());
            let wanted = (level + shift + 0.012 * random.normal()).clamp(0.02, 0.98);
            let classes = if *chance == 0.25 { 4 } else { 2 };
            let predictions = if *metric == Metric::Spearman {
                values(wanted, examples, index as u64, &mut random)
            } else {
                let right = if *metric == Metric::Matthews { f64::midpoint(1.0, wanted) } else { wanted };
                labels(right, classes, examples, index as u64, &mut random)
            };
            let score = score(*metric, &predictions);
            scores.push(TaskScore {
                task: (*task).into(),
                finetune_seed,
                score,
                metrics: BTreeMap::from([(metric.name().into(), score)]),
                predictions: Some(predictions),
            });
        }
    }
    scores
}

/// Examples are hard or easy for all alike.
fn labels(right: f64, classes: u32, examples: usize, task: u64, random: &mut Random) -> Predictions {
    let (mut labels, mut predictions) = (Vec::new(), Vec::new());
    for example in 0..examples {
        let mut fixed = Random::new(&[4, task, example as u64]);
        let label = (fixed.uniform() * f64::from(classes)) as u32;
        let hard = 0.7 * fixed.uniform() + 0.3 * random.uniform();
        // The mixture's distribution function, near enough.
        let wrong = hard > 0.15 + 0.7 * right;
        labels.push(label);
        predictions.push(if wrong { (label + 1) % classes } else { label });
    }
    Predictions::Classes { labels, predictions }
}

fn values(correlation: f64, examples: usize, task: u64, random: &mut Random) -> Predictions {
    let labels: Vec<f64> =
        (0..examples).map(|example| Random::new(&[5, task, example as u64]).normal()).collect();
    let noise = (1.0 - correlation * correlation).sqrt();
    let predictions = labels.iter().map(|label| correlation * label + noise * random.normal()).collect();
    Predictions::Values { labels, predictions }
}

fn diagnostics(objective: &str, steps: u64, lost: bool, key: &[u64]) -> Vec<DiagnosticPoint> {
    let mut random = Random::new(&[&[6], key].concat());
    let every = (steps / 150).max(1);
    let mut point = |step: u64| {
        let t = step as f64 / 6000.0;
        let mut noisy = |value: f64| value * (1.0 + 0.015 * random.normal());
        let generator = noisy(2.6 + 0.06 * key[0] as f64 + 4.6 * (-9.0 * t).exp());
        let most = if lost { 0.02 } else { 1.0 };
        let taken_off = most / (1.0 + (-(t - 0.2 - 0.03 * key[0] as f64) * 22.0).exp());
        let mut values = BTreeMap::from([
            ("masked_lm_loss".to_owned(), generator),
            ("masked_lm_accuracy".to_owned(), noisy(0.46 * (1.0 - (-6.0 * t).exp()) + 0.02)),
            ("masked_rate".to_owned(), noisy(0.152)),
            ("grad_norm".to_owned(), noisy(0.9 + 2.0 * (-8.0 * t).exp())),
        ]);
        if objective != "mlm" {
            values.insert(
                "replaced_rate".into(),
                noisy(0.15 - (0.07 - 0.006 * key[0] as f64) * (1.0 - (-6.0 * t).exp())),
            );
        }
        if objective.starts_with("electra") || objective.starts_with("rtd") {
            values.insert("disc_auc".into(), noisy(0.5 + 0.38 * taken_off).min(1.0));
            values.insert("disc_loss".into(), noisy(0.37 - 0.19 * taken_off));
        }
        if objective == "all-tokens-mlm" {
            values.insert("gate_auc".into(), noisy(0.5 + 0.3 * taken_off).min(1.0));
        }
        let main = values.get("disc_loss").map_or(generator, |loss| 50.0 * loss + generator);
        values.insert("loss".into(), main);
        DiagnosticPoint { step, values }
    };
    (1..=steps / every).map(|index| point(index * every)).collect()
}

/// MLM replaces nothing, Replace MLM says nothing of it, and without pre-training nothing was measured.
fn replacements(objective: &str, key: &[u64]) -> Option<ReplacementFacts> {
    const MASKED: u64 = 10_000;
    const RECALL: f64 = 0.4;
    let mut random = Random::new(&[&[7], key].concat());
    let detects = objective.starts_with("electra") || objective.starts_with("rtd");
    let shares = [
        ("right", 0.48),
        ("same-features", 0.11),
        ("same-class", 0.3),
        ("other-class", 0.1),
        ("unlisted", 0.01),
    ];
    let kinds = shares.iter().enumerate().map(|(place, (kind, share))| {
        let noise = 0.02 * random.uniform();
        let found = |value: f64| (detects && place > 0).then_some(value + noise);
        KindFacts {
            kind: (*kind).into(),
            count: (share * MASKED as f64) as u64,
            share: *share,
            recall: found(RECALL + 0.12 * place as f64),
            auc: found(0.6 + 0.08 * place as f64),
        }
    });
    let kinds: Vec<KindFacts> = kinds.collect();
    let detection = DetectionFacts {
        recall: Some(RECALL),
        auc: Some(0.75),
        false_alarms: Some(0.02),
        masked_auc: Some(0.9),
        class_auc: Some(0.86),
        excess: Some(0.04),
    };
    (objective != "none").then(|| ReplacementFacts {
        masked: MASKED,
        masked_lm_loss: (!objective.starts_with("rtd")).then_some(2.6),
        kinds: if objective == "mlm" { vec![] } else { kinds },
        detection: detects.then_some(detection),
    })
}
