//! Input that other programs made: read where that can be, refused by name where not, and never half used.

use std::process::Command;

use electra_encoder::Weights;
use serde_json::Value;

use super::{detect, finetune};
use crate::support::{Bench, json_lines, names};

/// Fine-tuned for an epoch.
fn fine_tuned() -> Bench {
    let bench = finetune::bench();
    bench.run(&format!("{} --epochs 1", finetune::FINETUNE.replace(" --epochs 20", ""))).ok();
    bench
}

#[test]
fn a_blank_line_keeps_its_place_and_is_nothing_in_json_lines() {
    let (tuned, bench) = (fine_tuned(), detect::bench());
    let predict = "predict --model out/animals/seed-1/model";
    let text = b"\nthe cat sleeps\n\n \t\nthe dog sleeps\n";
    let json = b"\n{\"text\": \"the cat\"}\n\n \n{\"text\": \"the dog\", \"text_pair\": null}\n";
    for (bench, command) in [(&tuned, predict), (&bench, "detect --model model")] {
        let answers = bench.run_with(command, text).ok();
        let answered: Vec<bool> = answers.lines().map(|line| !line.is_empty()).collect();
        assert_eq!(answered, [false, true, false, false, true], "{command}");
        assert_eq!(
            json_lines(&bench.run_with(&format!("{command} --json"), json).ok()).len(),
            2,
            "{command}"
        );
    }
    // Lines are counted as they stand.
    let message = tuned.run_with(&format!("{predict} --json"), b"\n\n{\"text\": NaN}\n").refused();
    assert!(message.contains("standard input: line 3: "), "{message}");
}

#[test]
fn weights_that_are_not_numbers_give_no_result() {
    let bench = fine_tuned();
    let pairs = "{\"sentence_good\": \"the cat sleeps\", \"sentence_bad\": \"the cat sleep\"}\n";
    bench.write("pairs.jsonl", pairs);
    for folder in ["discriminator", "out/animals/seed-1/model"] {
        let path = bench.path(folder).join("model.safetensors");
        let weights = Weights::read(&path).unwrap();
        let tensors = weights.iter().map(|(name, tensor)| {
            let tensor = tensor.copy();
            if name == "electra.embeddings.LayerNorm.weight" {
                let _ = tensor.get(1).fill_(f64::NAN);
            }
            (name.to_owned(), tensor)
        });
        Weights::new(tensors.collect::<Vec<_>>()).save(&path).unwrap();
    }
    let before = bench.names();
    for command in [
        "detect --model discriminator the",
        "predict --model out/animals/seed-1/model",
        "predict --model out/animals/seed-1/model --task animals",
        "minimal-pairs --model discriminator --pairs pairs.jsonl",
        "probe --model discriminator --task animals --output probes",
        "finetune --model discriminator --task animals --output again",
    ] {
        let message = bench.run_with(command, b"the cat sleeps\n").refused();
        let expected =
            "model.safetensors: electra.embeddings.LayerNorm.weight has a value that is not a finite number";
        assert!(message.contains(expected), "{command}: {message}");
    }
    assert_eq!(bench.names(), before);
}

/// What a tokenizer puts around a text may be more than the network knows.
#[test]
fn a_tokenizer_that_the_network_does_not_know_is_refused() {
    let bench = detect::bench();
    let path = bench.path("model/tokenizer.json");
    let whole: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for (pointer, value, expected) in [
        (
            "/post_processor/single/0/SpecialToken/type_id",
            7,
            "tokenizer: 8 token types; expected at most the model's type_vocab_size, 2",
        ),
        (
            "/post_processor/pair/3/Sequence/type_id",
            2,
            "tokenizer: 3 token types; expected at most the model's type_vocab_size, 2",
        ),
        (
            "/post_processor/special_tokens/[SEP]/ids/0",
            205,
            "tokenizer.json: post_processor: of one text: found the id 205",
        ),
    ] {
        let mut changed = whole.clone();
        *changed.pointer_mut(pointer).unwrap() = value.into();
        std::fs::write(&path, changed.to_string()).unwrap();
        for command in ["detect --model model the", "finetune --model model --task none --output out"] {
            let message = bench.run(command).refused();
            assert!(message.contains(expected), "{command}: {message}");
        }
    }
}

#[test]
fn what_was_left_out_of_a_set_is_said() {
    let bench = finetune::bench();
    std::fs::create_dir_all(bench.path("GLUE/QQP")).unwrap();
    let row = |cells: &str| format!("{cells}\n");
    let rows = [
        "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate",
        "1\t1\t2\tthe cat sleeps\tthe old cat sleeps\t1",
        "2\t3\t4\tthe dog",
        "sleeps\tthe dog\t0",
        "3\t5\t6\tthe dog sleeps\tthe cat sleeps\t0",
    ];
    let set: String = rows.into_iter().map(row).collect();
    bench.write("GLUE/QQP/train.tsv", &set);
    bench.write("GLUE/QQP/dev.tsv", &set);
    let command =
        "finetune --model discriminator --data GLUE --task QQP --set threads=1 --epochs 1 --output out";
    let answer = bench.run(command);
    for set in ["train", "dev"] {
        let note = format!(
            "GLUE/QQP/{set}.tsv: 2 of 4 examples are broken and were left out, the first of them line 3"
        );
        assert!(answer.err.contains(&note), "{}", answer.err);
    }
    answer.ok();
    let results: Value =
        serde_json::from_slice(&std::fs::read(bench.path("out/QQP/results.json")).unwrap()).unwrap();
    assert_eq!(results["seeds"][0]["left_out"], serde_json::json!({ "train": 2, "dev": 2 }));
    let answer = bench.run("predict --model out/QQP/seed-1/model --data GLUE --task QQP --json");
    assert!(answer.err.contains("note: GLUE/QQP/dev.tsv: 2 of 4"), "{}", answer.err);
    assert_eq!(json_lines(&answer.ok()).last().unwrap()["left_out"], 2);
}

#[test]
fn entities_are_scored_as_a_whole() {
    let bench = finetune::bench();
    std::fs::create_dir(bench.path("names")).unwrap();
    let definition = "kind = \"tokens\"\nlabels = [\"O\", \"B-CAT\", \"I-CAT\"]\nmetrics = [\"entity-f1\", \"accuracy\"]\n\
        scheme = \"iob2\"\n[files]\ntrain = \"train.conll\"\ndev = \"train.conll\"\n";
    bench.write("names/task.toml", definition);
    bench.write("names/train.conll", "the O\nold B-CAT\ncat I-CAT\nsleeps O\n\n".repeat(40));
    let command = "finetune --model discriminator --task names --set threads=1 --set dropout=0 --learning-rate 1e-2 \
        --epochs 20 --output out --json";
    let line = json_lines(&bench.run(command).ok()).remove(0);
    assert_eq!((&line["metric"], &line["median"]), (&"entity-f1".into(), &1.0.into()), "{line}");
}

/// A corpus of `text.txt`, with settings of a short run.
fn corpus() -> Bench {
    let bench = Bench::with_tokenizer();
    bench.run("corpus build --tokenizer tokenizer --input text.txt --max-length 16 --output corpus").ok();
    let settings = "preset = \"tiny\"\nobjective = \"mlm\"\nseed = 5\n[data]\ncorpus = \"corpus\"\n\
        [budget]\nsteps = 2\nbatch = 2\n[device]\nthreads = 1\n\
        [model.encoder]\nhidden_size = 32\nembedding_size = 16\nintermediate_size = 48\n";
    bench.write("run.toml", settings);
    bench
}

#[test]
fn a_tokenizer_of_another_corpus_is_refused_before_the_first_step() {
    let bench = corpus();
    bench.write("other.txt", "a quite different text of other words\n".repeat(50));
    bench.run("tokenizer train --input other.txt --vocab-size 60 --output other").ok();
    for set in ["", "--set masking.choice=whole-word"] {
        let line = format!("pretrain --config run.toml --set data.tokenizer=other {set} --run run");
        let message = bench.run(&line).refused();
        assert!(
            message.contains("other: another tokenizer than the corpus was built with: its sha256 is"),
            "{message}"
        );
        assert!(!bench.path("run").exists());
    }
    bench.run("pretrain --config run.toml --set data.tokenizer=tokenizer --set masking.choice=whole-word --run run").ok();
}

#[cfg(unix)]
#[test]
fn a_folder_that_somebody_else_made_cannot_make_us_write_elsewhere() {
    let bench = corpus();
    bench.run("pretrain --config run.toml --run run").ok();
    bench.write("thesis.tex", "theirs");
    let mut logs: Vec<String> =
        names(&bench.path("run")).into_iter().filter(|name| name.contains("tfevents")).collect();
    logs.extend([".lock", "metrics.jsonl", "timing.jsonl"].map(str::to_owned));
    assert_eq!(logs.len(), 4);
    for name in logs {
        let path = bench.path("run").join(&name);
        let aside = bench.path("aside");
        std::fs::rename(&path, &aside).unwrap();
        std::os::unix::fs::symlink(bench.path("thesis.tex"), &path).unwrap();
        let answer = bench.run("pretrain --config run.toml --run run");
        assert_ne!(answer.code, 0, "{name}");
        assert!(
            answer.err.contains(&format!("run/{name}: opening it, without following links")),
            "{}",
            answer.err
        );
        assert_eq!(std::fs::read_to_string(bench.path("thesis.tex")).unwrap(), "theirs");
        std::fs::rename(&aside, &path).unwrap();
    }
    bench.run("pretrain --config run.toml --run run").ok();
}

#[cfg(target_os = "linux")]
#[test]
fn memory_that_runs_out_is_one_line() {
    let bench = corpus();
    let set = "--set budget.batch=400000 --set budget.steps=1";
    let line = format!("ulimit -v 3000000; exec \"$0\" pretrain --config run.toml {set} --run run");
    let mut command = Command::new("sh");
    command.args(["-c", &line, env!("CARGO_BIN_EXE_electra")]).current_dir(bench.path("."));
    let output = command.env("OMP_NUM_THREADS", "1").output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    let last = errors.lines().last().unwrap();
    assert!(
        last.starts_with("error: memory ran out: ") && last.contains(" bytes were asked for at once; "),
        "{errors}"
    );
    assert!(
        last.ends_with("a smaller budget.batch, or a larger budget.accumulation, takes less"),
        "{errors}"
    );
    assert!(!errors.contains("panicked"), "{errors}");
}
