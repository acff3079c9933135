mod continuing;

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::objectives::OBJECTIVES;
use crate::plan::{Family, Languages};
use crate::search::Points;

const PLAN: &str = r#"
name = "small"
title = "Small"
settings_chosen = "Alike."
objectives = ["mlm", "electra"]
baseline = "mlm"
scratch = true
pretraining_seeds = [1, 2]
finetuning_seeds = [1, 2, 3]
checkpoints = { shares = [0.25, 0.5], tasks = ["CoLA"], pretraining_seeds = [1], finetuning_seeds = [1] }
own_schedule = { shares = [0.5], pretraining_seeds = [2] }
arms = [{ name = "electra-again", objective = "electra", control_of = "electra", expects = "same", seed_offset = 100 }]
data = { max_length = 64, segments = 1, vocab_size = 1000, text = ["a.txt"] }
budget = { steps = 1000, match = "flops", reference = "electra" }
tasks = { names = ["CoLA", "RTE"], folder = "GLUE", evaluate = "dev", preset = "paper", set = { epochs = 2 } }
run = { parallel = 2, threads = 1 }
estimate = { flops_per_s = 1e10, job_seconds = 1.0, finetune_seconds = 1.0, machine = "none" }
pretrain = { preset = "tiny" }
search = { grid = { "optimizer.learning_rate" = [5e-4, 1e-3] }, pretraining_seeds = [9], finetuning_seeds = [4], share = 0.5 }
"#;

fn plan() -> Plan {
    Plan::read("test", PLAN, false, &[], &OBJECTIVES).unwrap()
}

fn scope(plan: &Plan) -> Scope<'_> {
    let vocab_sizes = plan.sources().into_iter().map(|source| (source, 1000)).collect();
    Scope::report(plan, "test", &OBJECTIVES, vocab_sizes)
}

/// The same plan on generated languages.
fn generated() -> Plan {
    let mut plan = plan();
    plan.data.text = None;
    plan.tasks.folder = None;
    let languages = Languages::EachSeed;
    plan.data.synthetic = Some(crate::SyntheticPlan {
        seed: 700,
        documents: 10,
        languages,
        told_twice: true,
        family: Family::WorldsOfFacts,
    });
    plan
}

fn find<'a>(graph: &'a Graph, id: &str) -> &'a Job {
    graph.jobs.iter().find(|job| job.id == id).unwrap_or_else(|| panic!("no job {id}"))
}

#[test]
fn needs_come_before_what_needs_them_and_ids_are_unique() {
    let plan = plan();
    let scope = scope(&plan);
    let search = search(&scope, &Points::new(&plan)).unwrap();
    let study = study(&scope, &BTreeMap::new()).unwrap();
    let mut seen = BTreeSet::new();
    for job in data(&plan).iter().chain(&search.jobs).chain(&study.jobs) {
        assert!(job.needs.iter().all(|need| seen.contains(need)), "{} needs {:?}", job.id, job.needs);
        assert!(seen.insert(job.id.clone()), "{} is there twice", job.id);
    }
    let count = |prefix: &str| study.jobs.iter().filter(|job| job.id.starts_with(prefix)).count();
    // 3 arms × 2 seeds, 3 of their own schedule, 2 from scratch; 3 × 2 more states of seed 1 are scored.
    assert_eq!((count("pretrain-"), count("export-"), count("finetune-")), (11, 17, 17));
    assert_eq!(
        search.jobs.len(),
        2 * 2 * 3,
        "two arms, two points, three jobs each; controls are not searched"
    );
}

#[test]
fn what_runs_on_a_generated_language_replace_is_measured_at_their_end() {
    let measured = |plan: &Plan| -> Vec<Job> {
        let jobs = study(&scope(plan), &BTreeMap::new()).unwrap().jobs;
        jobs.into_iter().filter(|job| job.kind == Kind::Replacements).collect()
    };
    assert_eq!(measured(&plan()), [], "other text has no lexicon");
    let plan = generated();
    let jobs = measured(&plan);
    // Each arm with each seed once; neither shorter runs of their own schedule nor what is not trained.
    let ids: Vec<&str> = jobs.iter().map(|job| &*job.id).collect();
    let runs = ["mlm-1", "electra-1", "electra-again-101", "mlm-2", "electra-2", "electra-again-102"];
    assert_eq!(ids, runs.map(|run| format!("replacements-{run}")));
    let electra = &jobs[1];
    assert_eq!(electra.needs, ["pretrain-electra-1"], "it waits for no export, and none for it");
    assert_eq!(
        electra.arguments.join(" "),
        "replacements --run runs/electra-1 --step 1000 --lexicon languages/701/data/lexicon.tsv --batches 64 \
         --output replacements/electra-1.json"
    );
    assert_eq!(electra.output, Path::new("replacements/electra-1.json"));
    // Two forward passes a batch of two networks cost more than one of one, and the start of the program.
    assert!(electra.seconds > jobs[0].seconds && jobs[0].seconds > plan.estimate.job_seconds);
    let graph = search(&scope(&plan), &Points::new(&plan)).unwrap();
    assert!(graph.jobs.iter().all(|job| job.kind != Kind::Replacements), "a search reports nothing");
}

#[test]
fn arms_spend_the_same_operations() {
    let plan = plan();
    let study = study(&scope(&plan), &BTreeMap::new()).unwrap();
    let flops = |name: &str| {
        let run = study.runs.iter().find(|run| run.name == name).unwrap();
        run.steps as f64 * run.cost.paper_flops
    };
    let electra = study.runs.iter().find(|run| run.name == "electra-1").unwrap();
    assert_eq!(electra.steps, 1000);
    assert!((flops("mlm-1") / flops("electra-1") - 1.0).abs() < 1e-3, "within half a step");
    assert_eq!(flops("electra-again-101"), flops("electra-1"));
    let mlm = study.runs.iter().find(|run| run.name == "mlm-1").unwrap();
    assert!(mlm.steps > 1000);
}

#[test]
fn checkpoints_are_saved_and_scored_where_the_plan_says() {
    let plan = plan();
    let study = study(&scope(&plan), &BTreeMap::new()).unwrap();
    let settings =
        |id: &str| -> toml::Table { find(&study, id).settings.as_ref().unwrap().1.parse().unwrap() };
    let first = settings("pretrain-electra-1");
    assert_eq!(first["checkpoint"]["every_steps"].as_integer(), Some(250));
    // Of 250, 500, 750 and 1000 all from the first that is scored, and one to spare.
    assert_eq!(first["checkpoint"]["keep"].as_integer(), Some(5));
    assert_eq!(settings("pretrain-electra-2")["checkpoint"]["keep"].as_integer(), Some(1));

    let finetuning = find(&study, "finetune-electra-1-at-250");
    assert_eq!(finetuning.needs, ["export-electra-1-at-250"]);
    let line = finetuning.arguments.join(" ");
    assert!(line.contains("--task CoLA --seeds 1 --output finetuned/electra-1-at-250"), "{line}");
    let end = find(&study, "finetune-electra-1").arguments.join(" ");
    assert!(
        end.contains("--task CoLA RTE --seeds 1,2,3 --output finetuned/electra-1 --preset paper"),
        "{end}"
    );
    assert!(end.contains("--set epochs=2 --set threads=1"), "{end}");

    let own = study.runs.iter().find(|run| run.name == "electra-2-own-500").unwrap();
    assert_eq!((own.steps, own.checkpoints[0].share, own.checkpoints[0].schedule), (500, 0.5, Schedule::Own));
    assert_eq!(own.title, "electra, seed 2, own schedule of 500 steps");
}

#[test]
fn arms_of_one_seed_differ_in_nothing_but_their_objective() {
    let plan = plan();
    let study = study(&scope(&plan), &BTreeMap::new()).unwrap();
    let settings =
        |id: &str| -> toml::Table { find(&study, id).settings.as_ref().unwrap().1.parse().unwrap() };
    let (mut mlm, mut electra) = (settings("pretrain-mlm-1"), settings("pretrain-electra-1"));
    for table in [&mut mlm, &mut electra] {
        // What follows from equal operations.
        table.retain(|key, _| !["objective", "budget", "checkpoint", "log"].contains(&key));
    }
    assert_eq!(mlm, electra);
    assert_eq!(settings("pretrain-electra-again-101")["seed"].as_integer(), Some(101));
    // The encoder without pre-training is the same run's first state: a step that moves nothing.
    let scratch = settings("pretrain-scratch-1");
    assert_eq!(scratch["optimizer"]["learning_rate"].as_float(), Some(0.0));
    assert_eq!(scratch["budget"]["steps"].as_integer(), Some(1));
}

#[test]
fn what_a_search_chose_is_what_runs_and_controls_follow_their_arm() {
    let plan = plan();
    let rate = |rate: f64| BTreeMap::from([("optimizer.learning_rate".to_owned(), Value::Float(rate))]);
    let chosen = BTreeMap::from([("mlm".to_owned(), rate(0.5)), ("electra".to_owned(), rate(0.25))]);
    let study = study(&scope(&plan), &chosen).unwrap();
    let rate = |id: &str| {
        let table: toml::Table = find(&study, id).settings.as_ref().unwrap().1.parse().unwrap();
        table["optimizer"]["learning_rate"].as_float()
    };
    assert_eq!(rate("pretrain-mlm-1"), Some(0.5));
    assert_eq!(rate("pretrain-electra-2-own-500"), Some(0.25));
    assert_eq!(rate("pretrain-electra-again-101"), Some(0.25));
    assert_eq!(rate("pretrain-scratch-1"), Some(0.0));
}

#[test]
fn an_arm_without_settings_is_left_out_with_its_controls() {
    let plan = plan();
    let mut graph = study(&scope(&plan), &BTreeMap::new()).unwrap();
    let before = graph.jobs.len();
    let count = |graph: &Graph, name: &str| graph.jobs.iter().filter(|job| job.id.contains(name)).count();
    let (mlm, electra, scratch) =
        (count(&graph, "-mlm-"), count(&graph, "-electra-"), count(&graph, "-scratch-"));
    graph.leave_out(&["electra".to_owned()]);
    assert_eq!(
        (count(&graph, "-mlm-"), count(&graph, "-electra-"), count(&graph, "-scratch-")),
        (mlm, 0, scratch)
    );
    assert_eq!(graph.jobs.len(), before - electra);
    assert!(graph.runs.iter().all(|run| run.arm.objective != "electra"));
}

#[test]
fn a_search_has_its_share_of_the_budget_and_seeds_of_its_own() {
    let plan = plan();
    let search = search(&scope(&plan), &Points::new(&plan)).unwrap();
    let run = search.runs.iter().find(|run| run.name == "search-electra-2-9").unwrap();
    assert_eq!((run.steps, run.seed), (500, 9));
    let table: toml::Table =
        find(&search, "pretrain-search-electra-2-9").settings.as_ref().unwrap().1.parse().unwrap();
    assert_eq!(table["optimizer"]["learning_rate"].as_float(), Some(1e-3));
    let line = find(&search, "finetune-search-electra-2-9").arguments.join(" ");
    assert!(line.contains("--seeds 4 ") && line.contains("--evaluate dev"), "{line}");
}

#[test]
fn generated_data_is_made_before_its_vocabulary() {
    let ids = |plan: &Plan| data(plan).iter().map(|job| job.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&plan()), ["tokenizer", "corpus"]);
    let mut plan = generated();
    plan.data.synthetic.as_mut().unwrap().languages = Languages::One;
    assert_eq!(ids(&plan), ["data-700", "tokenizer-700", "corpus-700"]);
    assert_eq!(data(&plan)[1].needs, ["data-700"]);
    plan.data.vocab_size = None;
    plan.data.tokenizer = Some("/tokenizer".into());
    assert_eq!(ids(&plan), ["data-700", "corpus-700"]);
}

#[test]
fn each_seed_has_a_language_that_its_arms_share_and_the_search_has_others() {
    let plan = generated();
    let made: Vec<String> = data(&plan).iter().map(|job| job.output.display().to_string()).collect();
    let expected = ["701", "702", "709"]
        .map(|number| ["data", "tokenizer", "corpus"].map(|folder| format!("languages/{number}/{folder}")));
    assert_eq!(made, expected.concat());
    assert_eq!(data(&plan)[0].arguments[2..4], ["--seed", "701"]);

    let graph = study(&scope(&plan), &BTreeMap::new()).unwrap();
    for (run, number) in [
        ("mlm-1", 701),
        ("electra-2", 702),
        ("electra-again-102", 702),
        ("electra-2-own-500", 702),
        ("scratch-1", 701),
    ] {
        let job = find(&graph, &format!("pretrain-{run}"));
        assert_eq!(job.needs, [format!("corpus-{number}")], "{run}");
        let table: toml::Table = job.settings.as_ref().unwrap().1.parse().unwrap();
        let corpus = format!("languages/{number}/corpus");
        assert_eq!(table["data"]["corpus"].as_str(), Some(corpus.as_str()), "{run}");
        assert_eq!(
            table["data"]["tokenizer"].as_str(),
            Some(format!("{corpus}/tokenizer").as_str()),
            "{run}"
        );
        let finetuning = find(&graph, &format!("finetune-{run}")).arguments.join(" ");
        assert!(finetuning.contains(&format!("--data languages/{number}/data/tasks ")), "{finetuning}");
    }
    let search = search(&scope(&plan), &Points::new(&plan)).unwrap();
    assert!(
        search.jobs.iter().filter(|job| job.kind == Kind::Pretrain).all(|job| job.needs == ["corpus-709"])
    );
}

#[test]
fn a_language_of_nested_clauses_is_asked_for_by_its_family() {
    let mut plan = generated();
    plan.data.synthetic.as_mut().unwrap().family = Family::NestedClauses;
    let arguments = data(&plan)[0].arguments.join(" ");
    assert!(arguments.ends_with("--output languages/701/data --family nested-clauses"), "{arguments}");
}

#[test]
fn an_arm_with_other_text_has_languages_of_the_same_numbers() {
    let mut plan = generated();
    plan.arms[0].synthetic = Some(crate::ArmSyntheticPlan { documents: Some(5), told_twice: Some(false) });
    let graph = study(&scope(&plan), &BTreeMap::new()).unwrap();
    assert_eq!(find(&graph, "pretrain-electra-again-101").needs, ["corpus-701-documents-5-told-once"]);
    assert_eq!(find(&graph, "pretrain-electra-1").needs, ["corpus-701"]);
    let data = data(&plan);
    let own = data.iter().find(|job| job.id == "data-701-documents-5-told-once").unwrap();
    assert_eq!(
        own.arguments[2..],
        [
            "--seed",
            "701",
            "--documents",
            "5",
            "--output",
            "languages/701-documents-5-told-once/data",
            "--told-once"
        ]
    );
    // A value that does not differ from the plan's is the plan's.
    plan.arms[0].synthetic = Some(crate::ArmSyntheticPlan { documents: Some(10), told_twice: None });
    assert_eq!(plan.sources().len(), 3);
}

#[test]
fn frozen_scores_are_of_every_run_at_every_share_of_the_curves() {
    let mut plan = generated();
    plan.tasks.probes = vec!["entailment".into(), "topic".into()];
    plan.tasks.embeddings = vec!["similarity".into()];
    plan.tasks.zero_shot = vec!["fact".into()];
    (plan.tasks.pair_skip, plan.tasks.pair_limit) = (Some(200), Some(300));
    plan.curves = Some(crate::CurvesPlan { shares: vec![0.125, 0.25, 0.75] });
    let study = study(&scope(&plan), &BTreeMap::new()).unwrap();
    let count = |prefix: &str| study.jobs.iter().filter(|job| job.id.starts_with(prefix)).count();
    // 6 runs at three shares and the end, and seed 1 at half as well; 3 of their own schedule, 2 from scratch.
    let states = 6 * 4 + 3 + 3 + 2;
    for what in ["export-", "probe-", "embed-", "pairs-"] {
        assert_eq!(count(what), states, "{what}");
    }
    // What is fine-tuned is as the plan says of its checkpoints, and no more.
    assert_eq!(count("finetune-"), 17);

    let probe = find(&study, "probe-electra-2-at-750");
    assert_eq!(probe.needs, ["export-electra-2-at-750"]);
    assert_eq!(
        probe.arguments.join(" "),
        "probe --model exports/electra-2-at-750 --data languages/702/data/tasks --evaluate dev --threads 1 \
         --output probes/electra-2-at-750 --task entailment topic"
    );
    assert_eq!(
        find(&study, "embed-mlm-1").arguments.join(" "),
        "embed --model exports/mlm-1 --data languages/701/data/tasks --evaluate dev --threads 1 --output embeddings/mlm-1 \
         --task similarity"
    );
    let pairs = |run: &str| find(&study, &format!("pairs-{run}")).arguments.join(" ");
    assert_eq!(
        pairs("electra-1"),
        "minimal-pairs --model exports/electra-1 --pairs languages/701/data/minimal-pairs --score discriminator \
         --threads 1 --output pairs/electra-1.json --skip 200 --limit 300 --paradigm fact"
    );
    assert!(pairs("mlm-1").contains("--score pseudo-log-likelihood"));
    // All that is scored is kept until it is exported: from an eighth to the end on a grid of eighths.
    let table: toml::Table = find(&study, "pretrain-electra-2").settings.as_ref().unwrap().1.parse().unwrap();
    assert_eq!(table["checkpoint"]["keep"].as_integer(), Some(9));
    let search = search(&scope(&plan), &Points::new(&plan)).unwrap();
    assert!(
        search.jobs.iter().all(|job| ![Kind::Probe, Kind::Embed, Kind::Pairs].contains(&job.kind)),
        "none is reported"
    );

    // Without fine-tuning.
    plan.tasks.names.clear();
    plan.search = None;
    plan.checkpoints = None;
    plan.own_schedule = None;
    let study = super::study(&scope(&plan), &BTreeMap::new()).unwrap();
    assert!(study.jobs.iter().all(|job| job.kind != Kind::Finetune));
    assert!(find(&study, "probe-mlm-1").needs == ["export-mlm-1"]);
}

#[test]
fn a_vocabulary_head_that_has_seen_no_masks_is_asked_without_them() {
    let mut plan = generated();
    plan.tasks.zero_shot = vec!["fact".into()];
    plan.objectives = ["mlm", "replace-mlm", "electra-15", "all-tokens-mlm"].map(String::from).to_vec();
    plan.arms.clear();
    plan.baseline = "mlm".into();
    plan.budget.reference = "mlm".into();
    let study = study(&scope(&plan), &BTreeMap::new()).unwrap();
    let score = |run: &str| -> String {
        let arguments = &find(&study, &format!("pairs-{run}")).arguments;
        arguments[1 + arguments.iter().position(|argument| argument == "--score").unwrap()].clone()
    };
    let scores = ["mlm-1", "replace-mlm-1", "electra-15-1", "all-tokens-mlm-1", "scratch-1"].map(score);
    assert_eq!(
        scores,
        ["pseudo-log-likelihood", "unmasked", "discriminator", "unmasked", "pseudo-log-likelihood"]
    );
}

#[test]
fn what_neither_masks_nor_replaces_is_not_asked_for_its_replacements() {
    let mut plan = generated();
    plan.objectives = ["mlm", "clm", "rts"].map(String::from).to_vec();
    plan.arms.clear();
    (plan.baseline, plan.budget.reference) = ("mlm".into(), "mlm".into());
    let study = study(&scope(&plan), &BTreeMap::new()).unwrap();
    let is_asked = |run: &str| study.jobs.iter().any(|job| job.id == format!("replacements-{run}"));
    assert_eq!(["mlm-1", "clm-1", "rts-1"].map(is_asked), [true, false, true]);
}
