//! A plan, what it would take, and what of it is refused.

use crate::support::Bench;

pub(crate) const PLAN: &str = r#"
name = "micro"
title = "Micro"
settings_chosen = "Both have the same."
objectives = ["mlm", "electra"]
baseline = "mlm"
scratch = true
pretraining_seeds = [1, 2]
finetuning_seeds = [1]
checkpoints = { shares = [0.5], pretraining_seeds = [1] }
data = { max_length = 16, segments = 1, vocab_size = 200, text = ["text.txt"] }
budget = { steps = 8, match = "flops", reference = "electra" }
tasks = { names = ["animals"], folder = "tasks", evaluate = "test", preset = "practice", set = { epochs = 1 } }
run = { parallel = 2, threads = 1 }
estimate = { flops_per_s = 1e10, job_seconds = 1.0, finetune_seconds = 1.0, machine = "a test's" }

[pretrain]
preset = "tiny"
budget = { batch = 4 }
device = { device = "cpu" }

[pretrain.model.encoder]
num_hidden_layers = 1
hidden_dropout_prob = 0.0
attention_probs_dropout_prob = 0.0
"#;

const TASK: &str = r#"
name = "animals"
kind = "sequence"
text = ["text"]
label = "label"
labels = ["cat", "dog"]
metrics = ["accuracy"]
[files]
train = "train.tsv"
dev = "dev.tsv"
test = "test.tsv"
"#;

pub(crate) fn bench() -> Bench {
    let bench = Bench::with_tokenizer();
    std::fs::create_dir_all(bench.path("tasks/animals")).unwrap();
    bench.write("plan.toml", PLAN);
    bench.write("tasks/animals/task.toml", TASK);
    let rows = |count: usize| -> String {
        let row = |number| {
            if number % 2 == 0 { "the cat sat on the mat\tcat\n" } else { "the dog sat on the log\tdog\n" }
        };
        "text\tlabel\n".to_owned() + &(0..count).map(row).collect::<String>()
    };
    for (set, count) in [("train", 24), ("dev", 8), ("test", 10)] {
        bench.write(&format!("tasks/animals/{set}.tsv"), rows(count));
    }
    bench
}

#[test]
fn the_tasks_of_the_generated_language_are_those_that_a_plan_may_name() {
    let bench = Bench::new();
    bench.run("corpus synthesize --documents 10 --output data").ok();
    let names = crate::support::names(&bench.path("data/tasks"));
    let plan = |names: &[String]| {
        let list: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
        bench.run(&format!("ablate --plan default --quick --set tasks.names=[{}] --dry-run", list.join(",")))
    };
    plan(&names).ok();
    let error = plan(&["sorting".to_owned()]).refused();
    assert!(error.contains("default: tasks.names: sorting; expected "), "{error}");
    assert!(names.iter().all(|name| error.contains(name)), "{error}");
}

#[test]
fn a_plan_is_estimated_and_printed_and_refused_by_its_keys() {
    let bench = bench();
    let out = bench.run("ablate --plan plan.toml --dry-run").ok();
    assert!(out.contains("electra                     2           8"), "{out}");
    assert!(out.contains("fine-tuning        8 jobs"), "{out}");
    assert!(out.contains("The plan names no pilot"), "{out}");
    bench.run("ablate --plan long --dry-run").ok();
    let out = bench.run("ablate --plan default --dry-run").ok();
    assert!(out.contains("electra − mlm ") && out.contains("Differences of the paper: 7; "), "{out}");
    let out = bench.run("ablate --plan sizes --dry-run").ok();
    assert!(out.contains("electra-256                 5      10,000"), "{out}");
    assert!(out.contains("mlm-256-compute             5      1"), "{out}");
    assert!(out.contains("electra-128 − mlm-128-compute ") && !out.contains("of the paper"), "{out}");
    bench.run("ablate --plan sizes --quick --dry-run").ok();
    bench.run("ablate --plan rates-sizes --dry-run").ok();
    bench.run("ablate --plan backbones --dry-run").ok();
    let out = bench.run("ablate --plan field --dry-run").ok();
    assert!(
        out.contains("mlm-then-electra            5") && out.contains("roberta                     5"),
        "{out}"
    );
    let arm = "[{name=\"x\",objective=\"mlm\",flops_of=\"y\"}]";
    let error = bench.run(&format!("ablate --plan plan.toml --set arms={arm} --dry-run")).refused();
    assert!(error.contains("plan.toml: arms.x.flops_of: y; expected mlm, electra"), "{error}");
    assert!(!bench.path("study").exists());
    let printed = bench.run("ablate --plan default --print").ok();
    assert!(printed.contains("name = \"default\""));
    let error = bench.run("ablate --plan real --output study").refused();
    assert!(error.contains("real: data: none of them; expected one of synthetic, text"), "{error}");
    let error = bench.run("ablate --plan plan.toml --quick --output study").refused();
    assert!(error.contains("there is no section [quick]"), "{error}");
    bench.run("ablate").refused();
}
