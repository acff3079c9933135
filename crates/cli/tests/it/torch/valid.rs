//! Held-out text, and what a run says of itself.

use std::fmt::Write;

use crate::support::{Bench, json_lines};

/// Lines of fifteen words that are drawn one by one: nothing can be learnt but how frequent they are.
fn chance(seed: u64, lines: usize) -> String {
    let mut state = seed;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut text = String::new();
    for _ in 0..lines {
        for _ in 0..15 {
            write!(
                text,
                "{}{} ",
                ["ka", "lo", "mi", "tu"][below(4) as usize],
                ["n", "r", "s"][below(3) as usize]
            )
            .unwrap();
        }
        text.push('\n');
    }
    text
}

fn bench() -> Bench {
    let bench = Bench::new();
    for (name, seed, lines) in [("text.txt", 1, 400), ("held.txt", 2, 40), ("other.txt", 3, 100)] {
        bench.write(name, chance(seed, lines));
    }
    bench.run("tokenizer train --input text.txt --vocab-size 60 --output tokenizer").ok();
    bench.run("tokenizer train --input other.txt --vocab-size 40 --output other-tokenizer").ok();
    let build = "corpus build --documents line --segments one --max-length 20";
    for (tokenizer, input, output) in [
        ("tokenizer", "text.txt", "corpus"),
        ("tokenizer", "held.txt", "held-out"),
        ("other-tokenizer", "held.txt", "other"),
    ] {
        bench.run(&format!("{build} --tokenizer {tokenizer} --input {input} --output {output}")).ok();
    }
    bench.write(
        "run.toml",
        "preset = \"tiny\"\nobjective = \"electra\"\nseed = 1\n[data]\ncorpus = \"corpus\"\nvalid = \"held-out\"\n\
         valid_examples = 10\n[model.encoder]\nhidden_size = 16\nembedding_size = 16\nintermediate_size = 32\n\
         num_attention_heads = 2\n[budget]\nsteps = 4\nbatch = 4\n[log]\nvalid_every_steps = 2\n\
         [device]\ndevice = \"cpu\"\nthreads = 1\n",
    );
    bench
}

#[test]
fn every_objective_is_measured_on_held_out_text() {
    let bench = bench();
    for info in electra_ablations::INFOS {
        let name = info.name;
        let command = format!("pretrain --config run.toml --set objective={name} --run {name} --json");
        let out = bench.run(&command).ok();
        let report = &json_lines(&out)[0]["valid"];
        let text = std::fs::read_to_string(bench.path(name).join("metrics.jsonl")).unwrap();
        let lines = json_lines(&text);
        assert_eq!(lines.len(), 2, "{name}: {text}");
        let last = lines[1].as_object().unwrap();
        assert_eq!(report["step"], 4, "{name}");
        assert_eq!(report["loss"], last["valid/loss"], "{name}");
        assert!(last["valid/loss"].is_f64(), "{name}");
        for metric in ["masked_lm_loss", "disc_auc"] {
            let expected = last.get(&format!("valid/{metric}")).unwrap_or(&serde_json::Value::Null);
            assert_eq!(report[metric], *expected, "{name}: {metric}");
        }
        // What is measured of training is measured of held-out text.
        let names = |prefix: &str| -> Vec<String> {
            last.keys().filter_map(|key| key.strip_prefix(prefix)).map(str::to_owned).collect()
        };
        let own = ["step", "lr", "grad_norm", "tokens", "flops", "skipped"];
        let training = names("").into_iter().filter(|key| !own.contains(&key.as_str()) && !key.contains('/'));
        assert_eq!(names("valid/"), training.collect::<Vec<_>>(), "{name}");
        if name == "electra" {
            assert!(report["masked_lm_loss"].is_f64() && report["disc_auc"].is_f64(), "{report}");
        }
    }
}

#[test]
fn held_out_text_that_is_not_for_the_run_is_refused() {
    let bench = bench();
    for (set, expected) in [
        ("data.valid=other", "error: run.toml: data.valid: other was built with the tokenizer of sha256 "),
        (
            "data.valid=corpus",
            "error: run.toml: data.valid: corpus is the text that is trained on; expected text that is not trained on\n",
        ),
        ("data.valid=nowhere", "error: nowhere/corpus.json: "),
        ("data.valid=text.txt", "error: text.txt/corpus.json: "),
        ("data.valid_examples=0", "error: run.toml: data.valid_examples: 0; expected 1 to 1048576\n"),
        ("data.valid_examples=few", "error: --set data.valid_examples=few: expected a whole number\n"),
        ("log.valid_every_steps=0", "error: run.toml: log.valid_every_steps: 0; expected at least 1\n"),
        ("data.vallid=held-out", "error: --set: there is no key data.vallid; did you mean data.valid?\n"),
    ] {
        let message = bench.run(&format!("pretrain --config run.toml --set {set} --run run")).refused();
        assert!(message.starts_with(expected), "{set}: {message}");
        assert!(!bench.path("run").exists(), "{set}");
    }
}

#[test]
fn a_run_on_the_plateau_says_so() {
    let bench = bench();
    let command = "pretrain --config run.toml --set budget.steps=300 --set budget.batch=16 --set log.every_steps=1 \
                   --set optimizer.learning_rate=5e-3 --run run";
    let answer = bench.run(command);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let start = answer.err.lines().next().unwrap();
    // Twelve words that are all but alike.
    assert!(start.ends_with("; token frequencies alone give a loss of 2.48"), "{start}");
    let said = |text: &str| answer.err.lines().filter(|line| line.contains(text)).count();
    assert_eq!(said("on the unigram plateau since step "), 1, "{}", answer.err);
    assert_eq!(said("the discriminator calls every token original at step "), 1, "{}", answer.err);
    let remarks = std::fs::read_to_string(bench.path("run/remarks.jsonl")).unwrap();
    for remark in json_lines(&remarks) {
        assert!(answer.err.contains(remark["text"].as_str().unwrap()), "{remark}");
    }
    // Said once: a run that is over says nothing.
    assert!(!bench.run(command).err.contains("plateau"));
}
