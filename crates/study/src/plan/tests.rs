mod arms;

use super::*;
use crate::objectives::OBJECTIVES;
use crate::{Error, estimate};

const PLAN: &str = r#"
name = "small"
title = "Small"
settings_chosen = "Alike."
objectives = ["mlm", "replace-mlm", "electra"]
baseline = "mlm"
scratch = true
pretraining_seeds = [1, 2, 3]
finetuning_seeds = [1]
checkpoints = { shares = [0.5] }
data = { max_length = 64, segments = 1, vocab_size = 1000, synthetic = { seed = 1, documents = 100 } }
budget = { steps = 100, match = "steps", reference = "electra" }
tasks = { names = ["acceptability", "polarity"], evaluate = "test", preset = "practice" }
run = { parallel = 0, threads = 1 }
estimate = { flops_per_s = 1e10, job_seconds = 1.0, finetune_seconds = 1.0, machine = "none" }
pretrain = { preset = "tiny" }
"#;

fn small(set: &[&str]) -> Result<Plan, Error> {
    let set: Vec<String> = set.iter().map(ToString::to_string).collect();
    Plan::read("small", PLAN, false, &set, &OBJECTIVES)
}

#[test]
fn plans_that_ship_can_be() {
    for name in Plan::shipped() {
        let text = Plan::text(name).unwrap();
        let needs_text = !text.contains("[data.synthetic]");
        let set: &[&str] = if needs_text { &["data.text=[\"a.txt\"]", "tasks.folder=GLUE"] } else { &[] };
        let set: Vec<String> = set.iter().map(ToString::to_string).collect();
        let plan = Plan::read(name, &text, false, &set, &OBJECTIVES).unwrap();
        assert_eq!((plan.name.as_str(), plan.proves_nothing.is_none()), (name, true));
        // What is saved is what was read.
        assert_eq!(Plan::read("saved", &plan.to_toml(), false, &[], &OBJECTIVES).unwrap(), plan);
        if text.contains("[quick]") {
            let quick = Plan::read(name, &text, true, &set, &OBJECTIVES).unwrap();
            assert!(quick.proves_nothing.is_some(), "{name}");
            let seconds = |plan: &Plan| estimate(plan, &OBJECTIVES).unwrap().work_seconds;
            assert!(seconds(&quick) < seconds(&plan) / 5.0, "{name}");
        }
    }
}

#[test]
fn the_default_plan_compares_the_papers_five_by_six_seeds() {
    let plan = Plan::read("default", &Plan::text("default").unwrap(), false, &[], &OBJECTIVES).unwrap();
    assert_eq!(plan.objectives, ["mlm", "replace-mlm", "electra-15", "all-tokens-mlm", "electra"]);
    assert!(plan.pretraining_seeds.len() == 6 && plan.scratch);
    let trials = plan.trials().unwrap();
    for arm in &plan.objectives {
        let runs = trials.iter().filter(|trial| trial.arm == *arm).map(|trial| trial.scores.len());
        assert_eq!(runs.sum::<usize>(), 8, "{arm} had as many trials as any");
    }
}

#[test]
fn evidence_has_six_paired_seeds_equal_operations_and_both_controls() {
    let set = ["data.text=[\"a.txt\"]".to_owned(), "tasks.folder=GLUE".to_owned()];
    let plan = Plan::read("evidence", &Plan::text("evidence").unwrap(), false, &set, &OBJECTIVES).unwrap();
    assert_eq!((plan.pretraining_seeds.len(), plan.budget.matched), (6, Matched::Flops));
    let expected = |what| plan.arms.iter().filter(|arm| arm.expects == Some(what)).count();
    assert_eq!(
        (expected(Expectation::Same), expected(Expectation::Worse), expected(Expectation::Open)),
        (1, 1, 4)
    );
    let estimate = estimate(&plan, &OBJECTIVES).unwrap();
    let paper = |arm: &str| estimate.arms.iter().find(|entry| entry.arm == arm).unwrap().flops_paper;
    // Counting FLOPs, paper's appendix: 1.29e18 for ELECTRA-Small's million steps.
    assert_eq!(format!("{:.2e}", paper("electra")), "1.29e18");
    for arm in &estimate.arms {
        assert!((arm.flops_paper / paper("electra") - 1.0).abs() < 1e-5, "{arm:?}");
    }
}

#[test]
fn keys_are_set_from_outside() {
    let set = ["budget.tokens=2e6", "pretraining_seeds=[7]", "title=A title", "tasks.set.pooling=mean"];
    let error = small(&set).unwrap_err().to_string();
    assert_eq!(error, "--set budget.tokens=2e6: expected a whole number");
    let plan = small(&["budget.tokens=2000000", set[1], set[2], set[3]]).unwrap();
    assert_eq!((plan.budget.steps, plan.budget.tokens), (None, Some(2_000_000)));
    assert_eq!((plan.title.as_str(), plan.pretraining_seeds), ("A title", vec![7]));
    assert_eq!(plan.tasks.set["pooling"], Value::String("mean".into()));
}

#[test]
fn what_is_wrong_is_named_by_its_key() {
    let arm = |set: &str| format!("arms=[{{ name = \"x\", objective = \"mlm\", {set} }}]");
    for (set, expected) in [
        ("objectives=[]", "objectives and arms: an empty list; expected at least one"),
        ("objectives=[\"mlm\", \"mlm\"]", "objectives and arms: mlm twice; expected each once"),
        ("objectives=[\"elektra\"]", "baseline: mlm; expected elektra"),
        (
            "objectives=[\"mlm\", \"elektra\", \"electra\"]",
            "small: objective: there is none called \"elektra\"; there are mlm, ",
        ),
        ("baseline=bert", "baseline: bert; expected mlm, replace-mlm"),
        ("budget.reference=bert", "budget.reference: bert; expected mlm, replace-mlm"),
        ("pretraining_seeds=[]", "pretraining_seeds: an empty list; expected at least one"),
        ("finetuning_seeds=[1, 1]", "finetuning_seeds: 1 twice; expected each once"),
        ("budget.steps=0", "budget: 0; expected a number above 0"),
        ("budget.flops=-1.0", "budget: -1; expected a number above 0"),
        ("budget.match=time", "--set budget.match=time: expected steps or flops"),
        ("data.text=[\"a\"]", "data: synthetic and text; expected one of synthetic, text"),
        ("data.tokenizer=t", "data: vocab_size and tokenizer; expected one of vocab_size, tokenizer"),
        ("data.segments=3", "data.segments: 3; expected 1 or 2"),
        ("data.max_length=256", "max_position_embeddings: 128; expected at least data.max_length, 256"),
        ("data.synthetic.family=lojban", "--set data.synthetic.family=lojban: expected worlds-of-facts or"),
        (
            "data.synthetic.family=nested-clauses",
            "tasks.names: acceptability; expected subject-number, depth, word-in-context",
        ),
        ("data.synthetic.languages=two", "--set data.synthetic.languages=two: expected one or each-seed"),
        (
            "data.synthetic.seed=9223372036854775807",
            "data.synthetic.seed: 9223372036854775807; expected a sum with a seed of at most",
        ),
        ("data.synthetic.documents=0", "data.synthetic.documents: 0; expected at least 1"),
        ("tasks.names=[]", "tasks.names: an empty list"),
        (
            "tasks.names=[\"sorting\"]",
            "tasks.names: sorting; expected acceptability, polarity, paraphrase, entailment, similarity, topic",
        ),
        ("tasks.probes=[\"sorting\"]", "tasks.probes: sorting; expected acceptability, polarity"),
        ("tasks.probes=[\"topic\", \"topic\"]", "tasks.probes: topic twice; expected each once"),
        ("tasks.zero_shot=[\"facts\"]", "tasks.zero_shot: facts; expected gender, number, reflexive"),
        (
            "curves={ shares = [0.5] }",
            "curves: set; expected set with tasks.probes, tasks.embeddings or tasks.zero_shot",
        ),
        ("tasks.evaluate=train", "--set tasks.evaluate=train: expected dev or test"),
        (
            "checkpoints.shares=[0.3]",
            "checkpoints.shares: 0.3; expected above 0 and below 1, a multiple of 1/64",
        ),
        ("checkpoints.shares=[1.0]", "checkpoints.shares: 1; expected above 0 and below 1"),
        ("checkpoints.tasks=[\"sorting\"]", "checkpoints.tasks: sorting; expected acceptability, polarity"),
        ("checkpoints.pretraining_seeds=[9]", "checkpoints.pretraining_seeds: 9; expected 1, 2, 3"),
        ("own_schedule={ shares = [0.0] }", "own_schedule.shares: 0; expected above 0 and below 1"),
        ("run.threads=0", "run.threads: 0; expected 1 to 4096"),
        ("estimate.flops_per_s=0", "estimate.flops_per_s: 0; expected a number above 0"),
        ("pretrain.seed=3", "pretrain.seed: set; expected no such key: the study sets it"),
        ("pretrain.budget.steps=3", "pretrain.budget.steps: set; expected no such key"),
        (
            "pretrain.optimizer.rate=3",
            "small: pretrain.optimizer.rate: there is no such key; expected learning_rate, ",
        ),
        ("pretrain.optimizer.clip=0", "optimizer.clip: 0; expected a number above 0"),
        (
            "pretrain.preset=huge",
            "small: pretrain.preset: \"huge\"; expected tiny, small, base, large, roberta, modern-tiny, ettin-17m or modernbert-base",
        ),
        (
            &arm("seed_offset = 9223372036854775807"),
            "arms.x.seed_offset: 9223372036854775807; expected a sum",
        ),
        (&arm("control_of = \"y\", expects = \"same\""), "arms.x.control_of: y; expected mlm"),
        (&arm("control_of = \"mlm\""), "arms.x.expects: said of one and not the other"),
        (&arm("expects = \"same\""), "arms.x.expects: said of one and not the other"),
        (&arm("synthetic = { documents = 0 }"), "arms.x.synthetic.documents: 0; expected at least 1"),
        (&arm("synthetic = { seed = 3 }"), "there is no such key"),
        (&arm("set = { seed = 3 }"), "arms.x.set.seed: set; expected no such key"),
        (
            "arms=[{ name = \"a b\", objective = \"mlm\" }]",
            "arms.name: \"a b\"; expected letters, digits and -",
        ),
        ("arms=[{ name = \"scratch\", objective = \"mlm\" }]", "arms.name: \"scratch\"; expected"),
        ("learning_rate=1", "--set learning_rate=1: there is no such key; expected name, title, "),
        ("no equals sign", "--set no equals sign: expected key=value"),
    ] {
        let error = small(&[set]).expect_err(set).to_string();
        assert!(error.contains(expected), "{set}: {error}");
    }
}

#[test]
fn an_arm_has_no_languages_of_its_own_where_there_are_none() {
    let synthetic = "synthetic = { seed = 1, documents = 100 }";
    let text = PLAN.replace(synthetic, "text = [\"a.txt\"]");
    let arm = "arms=[{ name = \"x\", objective = \"mlm\", synthetic = { documents = 3 } }]";
    let set = ["tasks.folder=GLUE".to_owned(), arm.to_owned()];
    let error = Plan::read("small", &text, false, &set, &OBJECTIVES).unwrap_err().to_string();
    assert!(error.contains("arms.x.synthetic: set; expected no such key, where the text is not"), "{error}");
}

#[test]
fn a_plan_may_score_without_fine_tuning() {
    let without = ["tasks.names=[]", "tasks.probes=[\"topic\"]", "tasks.zero_shot=[\"fact\"]"];
    let curves = "curves={ shares = [0.25, 0.5] }";
    let plan = small(&[&without[..], &[curves]].concat()).unwrap();
    assert!(plan.tasks.names.is_empty() && plan.checkpoints.is_some());
    assert_eq!(Plan::read("saved", &plan.to_toml(), false, &[], &OBJECTIVES).unwrap(), plan);
    let error = |set: &str| small(&[&without[..], &[set]].concat()).unwrap_err().to_string();
    let wrong = error("curves={ shares = [0.3] }");
    assert!(
        wrong.contains("curves.shares: 0.3; expected above 0 and below 1, a multiple of 1/64"),
        "{wrong}"
    );
    assert!(error("tasks.pair_limit=0").contains("tasks.pair_limit: 0; expected at least 1"));
    let search = "search={ grid = { \"optimizer.clip\" = [1.0] }, pretraining_seeds = [9], finetuning_seeds = [1], share = 1.0 }";
    let wrong = error(search);
    assert!(wrong.contains("search: set; expected tasks.names, by which a search chooses"), "{wrong}");
}

#[test]
fn what_is_wrong_in_a_search_is_named() {
    let search = |grid: &str, seeds: &str, share: &str| {
        format!(
            "search={{ grid = {grid}, pretraining_seeds = {seeds}, finetuning_seeds = [1], share = {share} }}"
        )
    };
    let grid = "{ \"optimizer.learning_rate\" = [5e-4, 1e-3] }";
    small(&[&search(grid, "[101]", "0.5")]).unwrap();
    let grow =
        |grow: &str| search(grid, "[101]", "0.5").replace(", share", &format!(", grow = {grow}, share"));
    small(&[&grow("{ \"optimizer.learning_rate\" = 2 }")]).unwrap();
    for (set, expected) in [
        (search("{}", "[101]", "0.5"), "search.grid: nothing; expected settings"),
        (
            search("{ \"optimizer.learning_rate\" = [] }", "[101]", "1"),
            "search.grid.optimizer.learning_rate: an empty",
        ),
        (search("{ seed = [1] }", "[101]", "0.5"), "search.grid.seed: set; expected no such key"),
        (search("{ \"optimizer.clip\" = [1.0, 0.0] }", "[101]", "0.5"), "optimizer.clip: 0; expected"),
        (grow("{ seed = 2 }"), "search.grow.seed: set; expected a setting of search.grid"),
        (
            grow("{ \"optimizer.learning_rate\" = 1 }"),
            "search.grow.optimizer.learning_rate: 1; expected a factor above 1",
        ),
        (search(grid, "[1]", "0.5"), "search.pretraining_seeds: 1; expected seeds that are not reported"),
        (search(grid, "[101]", "1.5"), "search.share: 1.5; expected above 0 and at most 1"),
    ] {
        let error = small(&[&set]).expect_err(&set).to_string();
        assert!(error.contains(expected), "{set}: {error}");
    }
}

#[test]
fn what_is_wrong_in_a_file_is_named_by_its_line() {
    let read = |text: &str| Plan::read("a.toml", text, false, &[], &OBJECTIVES).unwrap_err().to_string();
    let text = PLAN.replace("scratch = true", "scrach = true");
    assert!(read(&text).starts_with("a.toml: line 7: scrach: there is no such key; did you mean scratch?"));
    let text = PLAN.replace("steps = 100", "steps = \"many\"");
    assert_eq!(read(&text), "a.toml: line 12: budget.steps: \"many\"; expected a whole number");
    let text = PLAN.replace("baseline = \"mlm\"\n", "");
    assert_eq!(read(&text), "a.toml: baseline: missing");
}

#[test]
fn a_plan_that_is_no_text_is_not_taken_for_a_missing_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml").display().to_string();
    std::fs::write(&path, b"name = 'a'\ntitle = '\xff'\n").unwrap();
    let error = Plan::text(&path).unwrap_err().to_string();
    assert_eq!(error, format!("{path}: line 2: not UTF-8; expected a plan, a text file in TOML"));
    let error = Plan::text(&folder.path().display().to_string()).unwrap_err().to_string();
    assert!(error.contains(": reading it: ") && !error.contains("no plan of the program"), "{error}");
}

#[test]
fn a_plan_without_a_quick_form_says_so() {
    let error = Plan::read("small", PLAN, true, &[], &OBJECTIVES).unwrap_err().to_string();
    assert_eq!(error, "small: there is no section [quick], so there is no quick form of this plan");
    let error = Plan::text("no-such-plan").unwrap_err().to_string();
    assert!(
        error.starts_with("no-such-plan: reading it (it is no file, and no plan of the program"),
        "{error}"
    );
}

#[test]
fn an_arm_has_the_settings_that_were_found_for_it_and_its_controls_too() {
    let set = |key: &str, value: f64| BTreeMap::from([(key.to_owned(), Value::Float(value))]);
    let again =
        "arms=[{ name = \"again\", objective = \"electra\", control_of = \"electra\", expects = \"same\" }]";
    let settings = "settings={ electra = { \"optimizer.learning_rate\" = 2e-3 } }";
    let plan = small(&[again, settings]).unwrap();
    let arm =
        |plan: &Plan, name: &str| plan.pretrained_arms().into_iter().find(|arm| arm.name == name).unwrap();
    assert_eq!(arm(&plan, "electra").set, set("optimizer.learning_rate", 2e-3));
    assert_eq!(arm(&plan, "again").set, set("optimizer.learning_rate", 2e-3));
    assert!(arm(&plan, "mlm").set.is_empty());
    // What a search of the plan's own looks for, it finds anew.
    let search = "search={ grid = { \"optimizer.learning_rate\" = [1e-3] }, pretraining_seeds = [9], \
                  finetuning_seeds = [1], share = 1.0 }";
    assert!(arm(&small(&[again, settings, search]).unwrap(), "electra").set.is_empty());
    for (set, expected) in [
        (
            "settings={ again = { seed = 1 } }",
            "settings.again: set; expected the name of an arm that is no control and has no settings_of",
        ),
        ("settings={ mlm = { seed = 1 } }", "settings.mlm.seed: set; expected no such key"),
        ("settings={ mlm = { \"optimizer.clip\" = 0.0 } }", "optimizer.clip: 0; expected"),
    ] {
        let error = small(&[again, set]).expect_err(set).to_string();
        assert!(error.contains(expected), "{set}: {error}");
    }
}

#[test]
fn pairs_are_of_two_arms_that_are_compared() {
    let read = |pairs: &str| small(&[&format!("analysis={{ pairs = {pairs} }}")]);
    let plan = read("[[\"electra\", \"mlm\"]]").unwrap();
    assert_eq!(plan.analysis_config().pairs, [["electra", "mlm"].map(str::to_owned)]);
    for (pairs, expected) in [
        ("[[\"electra\", \"bert\"]]", "analysis.pairs[0]: bert; expected mlm, "),
        ("[[\"mlm\", \"mlm\"]]", "analysis.pairs[0]: [\"mlm\", \"mlm\"]; expected two different arms"),
        (
            "[[\"electra\", \"mlm\"], [\"mlm\", \"electra\"]]",
            "analysis.pairs[1]: [\"mlm\", \"electra\"]; expected a pair that is not there before",
        ),
        ("[[\"electra\"]]", "analysis.pairs"),
    ] {
        let error = read(pairs).expect_err(pairs).to_string();
        assert!(error.contains(expected), "{pairs}: {error}");
    }
}

#[test]
fn the_trials_of_an_earlier_search_are_read_with_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("search.json");
    let set = format!("trials={:?}", path.display().to_string());
    let trials = "[{\"arm\": \"mlm\", \"settings\": {\"optimizer.learning_rate\": \"0.001\"}, \"scores\": [0.5, 0.25], \
                   \"chosen\": true}]";
    std::fs::write(&path, trials).unwrap();
    let found = small(&[&set]).unwrap().trials().unwrap();
    assert_eq!((found.len(), found[0].arm.as_str(), &found[0].scores[..]), (1, "mlm", &[0.5, 0.25][..]));
    std::fs::write(&path, "{}").unwrap();
    let error = small(&[&set]).unwrap_err().to_string();
    assert!(error.contains("search.json") && error.contains("expected the trials of a search"), "{error}");
    std::fs::remove_file(&path).unwrap();
    assert!(small(&[&set]).unwrap_err().to_string().contains("search.json"));
}

#[test]
fn a_plan_may_be_written_over_another() {
    let read = |text: &str| Plan::read("mine", text, false, &[], &OBJECTIVES);
    let default = Plan::read("default", &Plan::text("default").unwrap(), false, &[], &OBJECTIVES).unwrap();
    let mine = read("extends = \"default\"\nname = \"mine\"\n[budget]\nsteps = 7\n").unwrap();
    let mut expected = Plan { name: "mine".into(), ..default };
    expected.budget.steps = Some(7);
    assert_eq!(mine, expected);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("round.toml");
    let text = format!("extends = {:?}\n", path.display().to_string());
    std::fs::write(&path, &text).unwrap();
    for (text, expected) in [
        (text.as_str(), "goes round in a circle"),
        ("extends = 1\n", "extends: 1; expected the name of a plan"),
        ("extends = \"no-such-plan\"\n", "no-such-plan: reading it"),
    ] {
        let error = read(text).expect_err(text).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn combinations_are_all_of_the_grid() {
    let grid = |key: &str, values: &[i64]| {
        (key.to_owned(), values.iter().map(|value| Value::Integer(*value)).collect())
    };
    let search = SearchPlan {
        grid: BTreeMap::from([grid("a", &[1, 2]), grid("b", &[3, 4])]),
        grow: BTreeMap::new(),
        pretraining_seeds: vec![9],
        finetuning_seeds: vec![1],
        share: 1.0,
        tasks: None,
    };
    let found: Vec<String> = search
        .combinations()
        .iter()
        .map(|entry| entry.iter().map(|(key, value)| format!("{key}{value}")).collect())
        .collect();
    assert_eq!(found, ["a1b3", "a1b4", "a2b3", "a2b4"]);
}
