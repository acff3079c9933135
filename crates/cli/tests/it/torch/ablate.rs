//! A study from its plan to its report, killed on the way.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::plan::{PLAN, bench};
use crate::support::Bench;

fn results(bench: &Bench) -> Value {
    serde_json::from_slice(&std::fs::read(bench.path("study/results.json")).unwrap()).unwrap()
}

#[test]
fn a_study_comes_to_its_report_and_does_nothing_twice() {
    let bench = bench();
    // Killed as soon as a run is done: its jobs end with it.
    let mut study = bench
        .command("ablate --plan plan.toml --output study")
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !bench.path("study/done/pretrain-mlm-1.json").exists() && begun.elapsed() < Duration::from_secs(300)
    {
        assert!(study.try_wait().unwrap().is_none(), "it ended before its first run");
        std::thread::sleep(Duration::from_millis(5));
    }
    study.kill().unwrap();
    study.wait().unwrap();
    assert!(!bench.path("study/report.html").exists());
    let first = std::fs::read(bench.path("study/done/pretrain-mlm-1.json")).unwrap();

    // What it left running needs a moment to end, and until then the run is in use: a failure that is told.
    let mut again = bench.run("ablate --plan plan.toml --output study");
    while again.code == 1 && begun.elapsed() < Duration::from_secs(300) {
        assert!(again.err.contains("another process is "), "{}", again.err);
        again = bench.run("ablate --plan plan.toml --output study");
    }
    let told = again.err.clone();
    let out = again.ok();
    // The answer, a sentence a line, and where the report is.
    let found = results(&bench);
    let mut answer: Vec<_> = found["conclusion"]["opening"].as_array().unwrap().clone();
    answer.push(found["conclusion"]["ordering_sentence"].clone());
    answer.push("study/report.html".into());
    assert_eq!(
        out.lines().collect::<Vec<_>>(),
        answer.iter().map(|line| line.as_str().unwrap()).collect::<Vec<_>>()
    );
    assert!(told.contains("\nWhat next:\n  open the report "), "{told}");
    assert_eq!(
        std::fs::read(bench.path("study/done/pretrain-mlm-1.json")).unwrap(),
        first,
        "it was done again"
    );

    let arms = found["arms"].as_array().unwrap();
    let names: Vec<_> = arms.iter().map(|arm| arm["facts"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["mlm", "electra", "scratch"]);
    for arm in arms {
        assert_eq!(arm["seeds"].as_array().unwrap().len(), 2);
        assert!(arm["seeds"][0]["tasks"]["animals"].is_number());
    }
    // Two seeds; of the first, half of the budget is scored as well.
    let mlm = &arms[0]["runs"];
    let scored = |run: usize| mlm[run]["checkpoints"].as_array().unwrap().len();
    assert_eq!((scored(0), scored(1)), (2, 1));
    let spent = |arm: usize| arms[arm]["runs"][0]["flops_paper"].as_f64().unwrap();
    assert!((spent(0) / spent(1) - 1.0).abs() < 0.1, "equal operations, within half a step of eight");
    assert_eq!(spent(2), 0.0);
    assert!(mlm[0]["diagnostics"].as_array().unwrap().len() > 3);
    assert_eq!(found["failures"].as_array().unwrap().len(), 0);
    assert!(
        found["language"].is_null() && mlm[0]["replacements"].is_null(),
        "only a generated one has a lexicon"
    );

    // The report can be made anew from what was measured, and says the same.
    let read = |path: &str| std::fs::read_to_string(bench.path(path)).unwrap();
    bench.run("report study --output again").ok();
    assert!(read("again/report.html") == read("study/report.html"), "another report");
    let predictions = read("study/predictions/run-0/task-0.json");
    assert!(predictions.contains("\"kind\":\"classes\""), "{predictions}");
    std::fs::write(bench.path("study/predictions/run-0/task-0.json"), predictions.replacen("1.0", "0.0", 1))
        .unwrap();
    let error = bench.run("report study --output again").refused();
    assert!(error.contains("task-0.json: its SHA-256 is "), "{error}");
    // No commit holds the plan of a folder without git, and the report says so.
    assert!(
        read("study/start.json").contains("\"plan_commit\": null")
            && found["plan"]["fixed_in_writing"].is_null()
    );

    // Nothing is left to do.
    let again = bench.run("ablate --plan plan.toml --output study");
    assert!(!again.err.contains("pre-training"), "{}", again.err);
    again.ok();
    // Another plan is refused, key by key.
    let error = bench.run("ablate --plan plan.toml --set budget.steps=9 --output study").refused();
    assert!(
        error.contains("holds a study of another plan") && error.contains("budget.steps = 8 (wanted: 9)"),
        "{error}"
    );
}

#[test]
fn a_job_that_fails_is_told_and_the_rest_goes_on() {
    let bench = bench();
    // Its learning rate sends the run to infinity, which the trainer refuses.
    let plan = PLAN.replace(
        "scratch = true",
        "scratch = false\narms = [{ name = \"broken\", objective = \"mlm\", set = { \"optimizer.learning_rate\" = 1e30, \"optimizer.max_skipped\" = 1 } }]",
    );
    bench.write("plan.toml", plan);
    let answer = bench.run("ablate --plan plan.toml --output study");
    assert_eq!(answer.code, 1, "{}", answer.err);
    assert!(answer.err.contains("broken, seed 1: pre-training: exit status: 1"), "{}", answer.err);
    assert!(answer.err.contains("broken, seed 1: fine-tuning: it needs what failed"), "{}", answer.err);
    let found = results(&bench);
    let failed: Vec<_> =
        found["failures"].as_array().unwrap().iter().map(|entry| entry["job"].as_str().unwrap()).collect();
    assert!(failed.contains(&"broken, seed 2: pre-training"), "{failed:?}");
    let arms = found["arms"].as_array().unwrap();
    let whole = |name: &str| {
        let arm = arms.iter().find(|arm| arm["facts"]["name"] == name).unwrap();
        arm["seeds"].as_array().unwrap().len()
    };
    assert_eq!((whole("mlm"), whole("electra"), whole("broken")), (2, 2, 0));
}

#[test]
fn an_arm_that_a_search_finds_no_settings_for_sinks_no_study() {
    let bench = bench();
    let arm = "{ name = \"broken\", objective = \"mlm\", set = { \"optimizer.learning_rate\" = 1e30, \"optimizer.max_skipped\" = 1 } }";
    let plan = PLAN
        .replace("scratch = true", &format!("scratch = false\narms = [{arm}]"))
        .replace("pretraining_seeds = [1, 2]", "pretraining_seeds = [1]")
        .replace("objectives = [\"mlm\", \"electra\"]", "objectives = [\"mlm\"]")
        .replace("reference = \"electra\"", "reference = \"mlm\"")
        .replace("checkpoints = { shares = [0.5], pretraining_seeds = [1] }\n", "");
    let search = "[search]\ngrid = { \"masking.mask_prob\" = [0.15, 0.2] }\npretraining_seeds = [9]\n\
        finetuning_seeds = [1]\nshare = 0.5\n";
    bench.write("plan.toml", format!("{plan}\n{search}"));
    let answer = bench.run("ablate --plan plan.toml --output study");
    assert_eq!(answer.code, 1, "{}", answer.err);
    // All jobs count from the first line on, and the search's.
    let first = answer.err.lines().next().unwrap();
    assert!(first.starts_with("[0/20] 20 jobs, 0 of them done · ") && first.ends_with(" left"), "{first}");
    assert!(answer.err.contains("broken: none, as no settings have all their runs"), "{}", answer.err);
    let lost = "broken: no settings of the search have all their runs, so none can be chosen";
    assert!(answer.err.contains(lost), "{}", answer.err);
    let found = results(&bench);
    assert_eq!(found["arms"][0]["seeds"].as_array().unwrap().len(), 1);
    assert_eq!(found["arms"][1]["runs"], Value::Array(vec![]));
    let failed = found["failures"].as_array().unwrap();
    assert!(failed.iter().any(|entry| entry["job"] == "broken"), "{failed:?}");
    let search: Value =
        serde_json::from_slice(&std::fs::read(bench.path("study/search.json")).unwrap()).unwrap();
    let chosen = |arm: &str| {
        search.as_array().unwrap().iter().any(|entry| entry["arm"] == arm && entry["chosen"] == true)
    };
    assert!(chosen("mlm") && !chosen("broken"));
    let log = std::fs::read_to_string(bench.path("study/logs/pretrain-search-broken-1-9.log")).unwrap();
    assert_eq!(log.matches("error:").count(), 1, "it was tried again: {log}");
    // What went in is told by its hash: the set that is learnt from, too.
    let hashes = found["provenance"]["hashes"].as_array().unwrap();
    let names: Vec<&str> = hashes.iter().map(|hash| hash["of"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["text text.txt", "corpus", "vocabulary", "task animals, train set", "task animals, test set"]
    );
    let facts = serde_json::to_string(&found["provenance"]["facts"]).unwrap();
    assert!(!facts.contains("FLOPs"), "the report adds them up itself: {facts}");
}

#[test]
fn what_is_missing_is_said_before_a_folder_is_made() {
    let bench = bench();
    for (options, message) in [
        ("--text nosuch.txt", "nosuch.txt: no such file or folder"),
        ("--tasks nosuch", "nosuch: No such file or directory"),
        ("--set tasks.names=[\"sorting\"]", "no task \"sorting\""),
        ("--set budget.steps=abc", "error: --set budget.steps=abc: expected a whole number\n"),
        (
            "--set budgets.steps=3",
            "error: --set budgets.steps=3: budgets: there is no such key; did you mean budget?",
        ),
    ] {
        let error = bench.run(&format!("ablate --plan plan.toml --output study {options}")).refused();
        assert!(error.contains(message) && !bench.path("study").exists(), "{options}: {error}");
    }
    let plan = PLAN.replace("vocab_size = 200", "tokenizer = \"nosuch\"");
    bench.write("other.toml", plan);
    let error = bench.run("ablate --plan other.toml --output study").refused();
    assert!(error.contains("nosuch") && !bench.path("study").exists(), "{error}");
    std::fs::remove_file(bench.path("tasks/animals/train.tsv")).unwrap();
    let error = bench.run("ablate --plan plan.toml --output study").refused();
    assert!(error.contains("no train set of the task animals") && !bench.path("study").exists(), "{error}");
}

#[test]
fn a_study_of_a_generated_language_measures_what_is_replaced() {
    let bench = bench();
    let plan = PLAN
        .replace("text = [\"text.txt\"]", "synthetic = { seed = 3, documents = 60 }")
        .replace("tasks = { names = [\"animals\"], folder = \"tasks\",", "tasks = { names = [\"polarity\"], probes = [\"topic\"], embeddings = [\"similarity\"], zero_shot = [\"fact\"], pair_limit = 20,")
        .replace("checkpoints = {", "curves = { shares = [0.25, 0.75] }\ncheckpoints = {")
        .replace("vocab_size = 200", "vocab_size = 1000");
    bench.write("plan.toml", plan);
    let output = bench.run("ablate --plan plan.toml --dry-run").ok();
    assert!(output.contains("data               6 jobs"), "{output}");
    assert!(output.contains("replacements       4 jobs"), "{output}");
    bench.run("ablate --plan plan.toml --output study").ok();
    let found = results(&bench);
    // A language for each seed, and what the report says of them is their mean.
    let json = |path: &str| -> Value {
        serde_json::from_slice(&std::fs::read(bench.path(&format!("study/{path}"))).unwrap()).unwrap()
    };
    let entropies = ["4", "5"].map(|number| {
        json(&format!("languages/{number}/data/language.json"))["summary"]["entropy"].as_f64().unwrap()
    });
    assert_ne!(entropies[0], entropies[1]);
    let mean = found["language"]["entropy"].as_f64().unwrap();
    assert!((mean - (entropies[0] + entropies[1]) / 2.0).abs() < 1e-12);
    let hashes = found["provenance"]["hashes"].as_array().unwrap();
    let named = |name: &str| hashes.iter().find(|hash| hash["of"] == name).map(|hash| &hash["sha256"]);
    for name in ["text", "corpus", "vocabulary", "task polarity, test set"] {
        let [first, second] = [4, 5].map(|number| named(&format!("language {number}: {name}")));
        assert!(first.is_some() && second.is_some() && first != second, "{name}: {hashes:?}");
    }
    let test_sets = |arm: usize, run: usize| &found["arms"][arm]["runs"][run]["test_sets"];
    assert_eq!(test_sets(0, 0), test_sets(2, 0));
    assert_ne!(test_sets(0, 0), test_sets(0, 1));
    // Of every run a quarter, three quarters and the end are scored without fine-tuning, of seed 1 the half as well.
    let checkpoints = |run: usize| found["arms"][1]["runs"][run]["checkpoints"].as_array().unwrap();
    let scored = |run: usize| -> Vec<(f64, usize, [usize; 3])> {
        let scores =
            |checkpoint: &Value, family: &str| checkpoint["families"][family].as_array().map_or(0, Vec::len);
        let of_checkpoint = |checkpoint: &Value| {
            let tuned = checkpoint["scores"].as_array().unwrap().len();
            let share = checkpoint["share"].as_f64().unwrap();
            (share, tuned, ["probes", "embeddings", "zero-shot"].map(|family| scores(checkpoint, family)))
        };
        let mut scored: Vec<_> = checkpoints(run).iter().map(of_checkpoint).collect();
        scored.sort_by(|a, b| a.0.total_cmp(&b.0));
        scored
    };
    assert_eq!(scored(0), [(0.25, 0, [1; 3]), (0.5, 1, [1; 3]), (0.75, 0, [1; 3]), (1.0, 1, [1; 3])]);
    assert_eq!(scored(1), [(0.25, 0, [1; 3]), (0.75, 0, [1; 3]), (1.0, 1, [1; 3])]);
    let families = found["families"].as_array().unwrap();
    let names: Vec<&str> = families.iter().map(|family| family["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["probes", "embeddings", "zero-shot"]);
    let tasks = |family: usize| &families[family]["findings"]["tasks"];
    assert_eq!((&tasks(0)[0]["name"], &tasks(2)[0]["examples"]), (&"topic".into(), &20.into()));
    assert_eq!((&tasks(1)[0]["name"], &tasks(1)[0]["metric"]), (&"similarity".into(), &"spearman".into()));
    let settings = std::fs::read_to_string(bench.path("study/settings/scratch-2.toml")).unwrap();
    assert!(settings.contains("languages/5/corpus"), "{settings}");
    let run = |arm: usize| &found["arms"][arm]["runs"][0]["replacements"];
    assert!(run(0)["masked_lm_loss"].is_number() && run(0)["kinds"] == Value::Array(vec![]), "{}", run(0));
    let electra: Value =
        serde_json::from_slice(&std::fs::read(bench.path("study/replacements/electra-1.json")).unwrap())
            .unwrap();
    assert_eq!(electra["step"], 8);
    assert_eq!(*run(1), electra["replacements"]);
    assert_eq!(run(1)["kinds"].as_array().unwrap().len(), 5);
    assert!(run(1)["detection"]["auc"].is_number() && run(2).is_null());
    let detection = |name: &str| run(1)["detection"][name].as_f64().unwrap();
    assert!((detection("excess") - detection("masked_auc") + detection("class_auc")).abs() < 1e-12);
    assert!(detection("class_auc") >= 0.5);
    let report = std::fs::read_to_string(bench.path("study/report.md")).unwrap();
    assert!(report.contains("## What the generator offers and what is found"));
    assert!(report.contains("## Without fine-tuning") && report.contains("Frozen probes"));

    // What is lost is measured again, and nothing else is done.
    std::fs::remove_file(bench.path("study/replacements/electra-1.json")).unwrap();
    let again = bench.run("ablate --plan plan.toml --output study");
    assert!(again.err.contains("electra, seed 1: replacements"), "{}", again.err);
    assert!(!again.err.contains("pre-training") && !again.err.contains("fine-tuning"), "{}", again.err);
    again.ok();
    assert_eq!(results(&bench)["arms"], found["arms"]);
}

#[test]
fn a_study_without_fine_tuning_has_its_probes_for_its_score() {
    let bench = bench();
    let plan = PLAN
        .replace(
            "text = [\"text.txt\"]",
            "synthetic = { seed = 3, documents = 20, family = \"nested-clauses\" }",
        )
        .replace(
            "tasks = { names = [\"animals\"], folder = \"tasks\",",
            "tasks = { names = [], probes = [\"depth\"], zero_shot = [\"sense\"], pair_limit = 10,",
        )
        .replace("checkpoints = { shares = [0.5], pretraining_seeds = [1] }\n", "")
        .replace("vocab_size = 200", "vocab_size = 1200");
    bench.write("plan.toml", plan);
    let output = bench.run("ablate --plan plan.toml --output study");
    assert!(
        output.err.contains("mlm, seed 1: probes") && !output.err.contains("fine-tuning"),
        "{}",
        output.err
    );
    output.ok();
    let found = results(&bench);
    assert_eq!(found["tasks"][0]["name"], "depth");
    let probed = &found["arms"][0]["runs"][0]["checkpoints"][0];
    assert!(
        probed["scores"][0]["score"].is_number() && probed["families"]["zero-shot"][0]["score"].is_number()
    );
    assert!(probed["families"]["probes"].is_null(), "they are the study's own");
    assert!(found["arms"][0]["seeds"][0]["tasks"]["depth"].is_number());
}

/// Arms of the second backbone are trained, exported, fine-tuned and scored in every way that a study has.
#[test]
fn a_study_has_arms_of_two_backbones() {
    let bench = bench();
    let mut plan = PLAN
        .replace("text = [\"text.txt\"]", "synthetic = { seed = 3, documents = 60 }")
        .replace("tasks = { names = [\"animals\"], folder = \"tasks\",", "tasks = { names = [\"polarity\"], probes = [\"topic\"], embeddings = [\"similarity\"], zero_shot = [\"fact\"], pair_limit = 20,")
        .replace("checkpoints = { shares = [0.5], pretraining_seeds = [1] }\n", "")
        .replace("pretraining_seeds = [1, 2]", "pretraining_seeds = [1]")
        .replace("scratch = true", "scratch = false")
        // The generator on ModernBERT has half of the layers.
        .replace("num_hidden_layers = 1", "num_hidden_layers = 2")
        .replace("vocab_size = 200", "vocab_size = 1000");
    for objective in ["mlm", "electra"] {
        plan += &format!(
            "[[arms]]\nname = \"{objective}-modernbert\"\nobjective = \"{objective}\"\n\
             set = {{ \"model.encoder.architecture\" = \"modernbert\" }}\n"
        );
    }
    bench.write("plan.toml", plan);
    bench.run("ablate --plan plan.toml --output study").ok();
    let found = results(&bench);
    let arms = found["arms"].as_array().unwrap();
    assert_eq!(arms.len(), 4);
    let flops = |arm: &Value| arm["runs"][0]["flops_paper"].as_f64().unwrap();
    let electra = arms.iter().find(|arm| arm["facts"]["name"] == "electra").unwrap();
    for arm in arms {
        let (name, run) = (arm["facts"]["name"].as_str().unwrap(), &arm["runs"][0]);
        let end = &run["checkpoints"][0];
        assert!(end["scores"][0]["score"].is_number(), "{name}: {end}");
        for family in ["probes", "embeddings", "zero-shot"] {
            assert!(end["families"][family][0]["score"].is_number(), "{name}: {family}: {end}");
        }
        assert!(run["replacements"]["masked_lm_loss"].is_number(), "{name}: {run}");
        assert_eq!(
            run["replacements"]["detection"]["auc"].is_number(),
            name.starts_with("electra"),
            "{name}"
        );
        let of_a_step = flops(arm) / run["steps"].as_f64().unwrap();
        assert!((flops(arm) - flops(electra)).abs() <= of_a_step / 2.0, "{name}");
        let config = std::fs::read(bench.path(&format!("study/exports/{name}-1/config.json"))).unwrap();
        let config: Value = serde_json::from_slice(&config).unwrap();
        let expected = if name.ends_with("modernbert") { "modernbert" } else { "electra" };
        assert_eq!(config["model_type"], expected, "{name}");
    }
}

/// One job at a time on each device, and a line that says on which.
#[test]
fn a_study_shares_its_jobs_out_to_devices() {
    let bench = bench();
    let line =
        "ablate --plan plan.toml --set run.parallel=0 --set run.devices=[\"cpu\",\"cpu\"] --output study";
    let answer = bench.run(line);
    assert_eq!(answer.code, 0, "{}", answer.err);
    for place in ["on cpu, place 1 of 2 · ", "on cpu, place 2 of 2 · "] {
        assert!(answer.err.contains(place), "{}", answer.err);
    }
    let record = std::fs::read_to_string(bench.path("study/done/pretrain-mlm-1.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert!(record["device"].as_str().unwrap().starts_with("cpu, place "), "{record}");
    let config = std::fs::read_to_string(bench.path("study/runs/mlm-1/config.toml")).unwrap();
    assert!(config.contains("\ndevice = \"cpu\"\n"), "{config}");
    // Other devices of the same kind go on with it; a GPU and the CPU are not on equal terms.
    let more = line.replace("\"cpu\",\"cpu\"", "\"cpu\"");
    assert!(bench.run(&more).ok().ends_with("study/report.html\n"));
    let mixed = line.replace("\"cpu\",\"cpu\"", "\"cpu\",\"cuda:0\"");
    let message = bench.run(&mixed).refused();
    assert!(message.contains("run.devices: cpu, cuda:0; expected GPUs, each once"), "{message}");
}
