//! `electra finetune`, `electra predict` and `electra minimal-pairs`.

use std::path::Path;

use serde_json::Value;

use crate::support::{Bench, json_lines};

/// A discriminator of a few words, of electra-evaluation's golden numbers.
fn model(bench: &Bench, name: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../evaluation/tests/golden/pairs").join(name);
    std::fs::create_dir(bench.path(name)).unwrap();
    for file in ["config.json", "model.safetensors", "vocab.txt"] {
        std::fs::copy(from.join(file), bench.path(name).join(file)).unwrap();
    }
}

/// A bench with a model and a task: cats against dogs.
pub(crate) fn bench() -> Bench {
    let bench = Bench::new();
    model(&bench, "discriminator");
    std::fs::create_dir(bench.path("animals")).unwrap();
    let definition = "name = \"animals\"\nkind = \"sequence\"\ntext = [\"text\"]\nlabel = \"label\"\n\
        labels = [\"feline\", \"canine\"]\nmetrics = [\"accuracy\"]\n\
        [files]\ntrain = \"train.tsv\"\ndev = \"dev.tsv\"\n";
    bench.write("animals/task.toml", definition);
    for (set, count) in [("train", 64), ("dev", 20)] {
        let mut rows = "text\tlabel\n".to_owned();
        for number in 0..count {
            let old = "old ".repeat(number / 2 % 4);
            rows += ["the {}cat sleeps\tfeline\n", "the {}dog sleeps\tcanine\n"][number % 2]
                .replace("{}", &old)
                .as_str();
        }
        bench.write(&format!("animals/{set}.tsv"), rows);
    }
    bench
}

pub(crate) const FINETUNE: &str = "finetune --model discriminator --task animals --output out --set threads=1 \
    --set dropout=0 --learning-rate 1e-2 --epochs 20";

#[test]
fn what_is_fine_tuned_predicts() {
    let bench = bench();
    let line = json_lines(&bench.run(&format!("{FINETUNE} --seeds 1,2,3 --json")).ok()).remove(0);
    assert_eq!((&line["task"], &line["metric"]), (&"animals".into(), &"accuracy".into()));
    assert!(line["median"].as_f64().unwrap() >= 0.95, "{line}");
    let results: Value =
        serde_json::from_slice(&std::fs::read(bench.path("out/animals/results.json")).unwrap()).unwrap();
    assert_eq!(results["seeds"].as_array().unwrap().len(), 3);
    assert_eq!(results["median"], line["median"]);

    let predict = "predict --model out/animals/seed-2/model";
    let answers = bench.run_with(predict, b"the cat sleeps\nthe old dog sleeps\n").ok();
    let labels: Vec<&str> = answers.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(labels, ["feline", "canine"]);
    let answers =
        json_lines(&bench.run_with(&format!("{predict} --json"), b"{\"text\": \"the cat sleeps\"}\n").ok());
    assert_eq!(answers[0]["label"], "feline");
    let probability = |answers: &[Value]| answers[0]["probabilities"]["feline"].as_f64().unwrap();
    assert!(probability(&answers) > 0.5);
    // Rounded operands give other digits and the same answer.
    let input = b"{\"text\": \"the cat sleeps\"}\n";
    let rounded = json_lines(&bench.run_with(&format!("{predict} --json --precision bf16"), input).ok());
    let apart = (probability(&answers) - probability(&rounded)).abs();
    assert!(apart > 0.0 && apart < 0.02, "{answers:?}, {rounded:?}");
    let message = bench.run(&format!("{predict} --precision fp16")).refused();
    assert!(message.contains("expected fp32, bf16 or auto"), "{message}");
    // What could be read before a bad line is answered.
    let answer =
        bench.run_with(&format!("{predict} --json"), b"{\"text\": \"a cat\"}\n{\"words\": [\"cat\"]}\n");
    assert_eq!((answer.code, answer.out.lines().count()), (2, 1));
    assert!(answer.err.contains("standard input: line 2: expected text"), "{}", answer.err);

    // The same model on a set of a task.
    let answer = bench.run("predict --model out/animals/seed-2/model --task animals");
    let score = &results["seeds"][1]["scores"]["dev"]["accuracy"];
    let expected = format!("animals, 20 examples of the dev set: accuracy {:.4}\n", score.as_f64().unwrap());
    assert_eq!(answer.err, expected);
    let answers = |table: &str| -> Vec<String> {
        // The head is written in another form, so the last digits of the scores are others.
        table.lines().map(|line| line.split('\t').take(3).collect::<Vec<_>>().join(" ")).collect()
    };
    let written = std::fs::read_to_string(bench.path("out/animals/seed-2/predictions-dev.tsv")).unwrap();
    assert_eq!(answers(&answer.ok()), answers(&written));
    let lines = json_lines(&bench.run(&format!("{predict} --task animals --evaluate train --json")).ok());
    assert_eq!((lines.len(), &lines[3]["index"], &lines[64]["set"]), (65, &"3".into(), &"train".into()));
    assert!(lines[3]["probabilities"]["canine"].is_number() && lines[64]["scores"]["accuracy"].is_number());
    let message = bench.run(&format!("{predict} --task animals --evaluate test")).refused();
    assert!(message.contains("no test set of the task animals"), "{message}");

    // What has another shape than it was fine-tuned on is no input.
    let refused = |options: &str, input: &str| {
        let answer = bench.run_with(&format!("{predict} {options}"), input.as_bytes());
        assert_eq!(answer.code, 2, "{}", answer.err);
        answer.err
    };
    for (options, input, message) in [
        (
            "",
            "a cat\na cat\ta dog\n",
            "line 2: expected one text, as the model was fine-tuned on one each; found two",
        ),
        ("", "a\tb\tc\td\n", "line 1: 4 fields with tabs between them; expected one text"),
        ("--json", "{\"text\": \"a\", \"text_pair\": \"b\"}\n", "line 1: expected one text, as the model"),
    ] {
        let err = refused(options, input);
        assert!(err.contains(message), "{err}");
    }
    let message =
        bench.run("minimal-pairs --model out/animals/seed-2/model --pairs animals/dev.tsv").refused();
    assert!(message.contains("animals/dev.tsv"), "{message}");
    bench.write("pairs.jsonl", "{\"sentence_good\": \"a cat\", \"sentence_bad\": \"cat a\"}\n");
    let message = bench.run("minimal-pairs --model out/animals/seed-2/model --pairs pairs.jsonl").refused();
    let expected = "architectures: ElectraForSequenceClassification; expected a network with a head that scores words, \
        one of ElectraForPreTraining, ElectraForMaskedLM, ElectraForCausalLM";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_model_of_pairs_wants_pairs_and_choices_have_their_names() {
    let bench = bench();
    for (name, definition, header, row) in [
        (
            "pair",
            "kind = \"sequence\"\ntext = [\"a\", \"b\"]\nlabel = \"label\"\nlabels = [\"no\", \"yes\"]",
            "a\tb\tlabel",
            "a cat\ta dog\tno\na cat\ta cat\tyes\n",
        ),
        (
            "which",
            "kind = \"choice\"\ntext = \"text\"\nchoices = [\"a\", \"b\"]\nlabel = \"label\"\nlabels = [\"A\", \"B\"]",
            "text\ta\tb\tlabel",
            "the\tcat\tsleeps\tA\nthe\tsleeps\tcat\tB\n",
        ),
    ] {
        std::fs::create_dir(bench.path(name)).unwrap();
        let files = "[files]\ntrain = \"data.tsv\"\ndev = \"data.tsv\"\n";
        bench.write(&format!("{name}/task.toml"), format!("{definition}\n{files}"));
        bench.write(&format!("{name}/data.tsv"), format!("{header}\n{}", row.repeat(8)));
    }
    let finetune = "finetune --model discriminator --output out --set threads=1 --epochs 1";
    bench.run(&format!("{finetune} --task pair which")).ok();
    let pair = "predict --model out/pair/seed-1/model";
    assert_eq!(bench.run_with(pair, b"a cat\ta dog\n").ok().lines().count(), 1);
    let answer = bench.run_with(pair, b"a cat\ta dog\na cat\n");
    assert_eq!((answer.code, answer.out.lines().count()), (2, 1));
    let expected = "line 2: expected two texts, as the model was fine-tuned on pairs; found one";
    assert!(answer.err.contains(expected), "{}", answer.err);
    let err = bench.run_with(pair, b"a\tb\tc\n").err;
    assert!(
        err.contains("line 1: 3 fields with tabs between them; expected two texts with a tab between them"),
        "{err}"
    );

    let which = "predict --model out/which/seed-1/model";
    let answer = bench.run_with(which, b"the\tcat\tsleeps\tdog\n").ok();
    assert!(["A\t", "B\t", "2\t"].iter().any(|begin| answer.starts_with(begin)), "{answer}");
    let line = b"{\"text\": \"the\", \"choices\": [\"cat\", \"sleeps\", \"dog\"]}\n";
    let answer = json_lines(&bench.run_with(&format!("{which} --json"), line).ok()).remove(0);
    let mut names: Vec<_> = answer["probabilities"].as_object().unwrap().keys().cloned().collect();
    names.sort();
    assert_eq!(names, ["2", "A", "B"], "the third has no name, and is called by its place");
    let line = b"{\"text\": \"the\", \"choices\": [\"cat\", \"sleeps\"]}\n";
    let answer = json_lines(&bench.run_with(&format!("{which} --json"), line).ok()).remove(0);
    assert!(answer["choice"] == "A" || answer["choice"] == "B", "{answer}");
    assert!(answer["probabilities"]["A"].is_number(), "{answer}");

    // A file that is wrong is found before anything is fine-tuned.
    bench.write("which/data.tsv", "text\ta\tb\tlabel\nthe\tcat\tsleeps\tC\n");
    let message = bench.run(&format!("{finetune} --task pair which --seeds 2")).refused();
    assert!(
        message.contains("which/data.tsv: line 2") && !bench.path("out/pair/seed-2").exists(),
        "{message}"
    );
}

#[test]
fn a_command_goes_on_and_refuses_other_settings() {
    let bench = bench();
    bench.run(&format!("{FINETUNE} --seeds 1 --keep predictions")).ok();
    let written =
        || std::fs::metadata(bench.path("out/animals/seed-1/scores.json")).unwrap().modified().unwrap();
    let before = written();
    bench.run(&format!("{FINETUNE} --seeds 1,2 --keep predictions")).ok();
    assert_eq!(written(), before);
    assert!(bench.path("out/animals/seed-2/scores.json").exists());
    let message = bench.run(&format!("{FINETUNE} --seeds 1 --keep predictions --batch 16")).refused();
    assert!(message.contains("recipe.batch = 32 (wanted: 16)"), "{message}");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_computed() {
    let bench = bench();
    let message = bench.run(&format!("{FINETUNE} --set lr=1")).refused();
    assert!(message.contains("--set: there is no key lr; there are preset, learning_rate"), "{message}");
    let message = bench.run(&format!("{FINETUNE} --set pooling=max")).refused();
    assert_eq!(message, "error: --set pooling=max: expected cls or mean\n");
    let message =
        bench.run("finetune --model discriminator --task animals --output out --epochs 0").refused();
    assert_eq!(message, "error: the settings: epochs: 0; expected at least 1\n");
    let message = bench.run("finetune --model discriminator --task animals RTF --output out").refused();
    assert!(message.contains("no task \"RTF\"; did you mean RTE?"), "{message}");
    let message = bench.run("predict --model discriminator").refused();
    assert!(
        message.contains("architectures: ElectraForPreTraining; expected a fine-tuned network"),
        "{message}"
    );
    assert!(!bench.path("out").exists());
}

#[test]
fn minimal_pairs_are_told_apart_by_two_kinds_of_network() {
    let bench = bench();
    model(&bench, "mlm");
    // The second differs in words that the vocabulary lacks, so it is a tie.
    let pairs = "{\"sentence_good\": \"the cat sleeps .\", \"sentence_bad\": \"the cats sleeps .\", \"UID\": \"number\"}\n\
        {\"sentence_good\": \"a zebra\", \"sentence_bad\": \"a gnu\", \"UID\": \"unknown\"}\n";
    bench.write("pairs.jsonl", pairs);
    for (model, score) in [("discriminator", "discriminator"), ("mlm", "pseudo-log-likelihood")] {
        let line = bench.run(&format!("minimal-pairs --model {model} --pairs pairs.jsonl --json")).ok();
        let result = json_lines(&line).remove(0);
        assert_eq!(result["score"], score);
        assert_eq!(result["paradigms"]["unknown"]["accuracy"], 0.5);
        assert_eq!(result["paradigms"]["unknown"]["ties"], 1);
        let number = result["paradigms"]["number"]["accuracy"].as_f64().unwrap();
        assert_eq!(result["overall"]["accuracy"].as_f64().unwrap(), (number + 0.5) / 2.0);
    }
    // Some of them, with what came out of each.
    let call = "minimal-pairs --model mlm --pairs pairs.jsonl --paradigm unknown --limit 1 --output out.json";
    let text = bench.run(call).ok();
    assert!(text.starts_with("unknown  0.5000  1 pairs, 1 ties\n") && !text.contains("number"), "{text}");
    let written = std::fs::read_to_string(bench.path("out.json")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["outcomes"], serde_json::json!({ "unknown": [0.5] }));
    assert_eq!(written["overall"]["pairs"], 1);
    let twice =
        format!("{pairs}{{\"sentence_good\": \"a\", \"sentence_bad\": \"a\", \"UID\": \"unknown\"}}\n");
    bench.write("more.jsonl", &twice);
    let text = bench.run("minimal-pairs --model mlm --pairs more.jsonl --paradigm unknown --skip 1").ok();
    assert!(text.starts_with("unknown  0.5000  1 pairs, 1 ties\n"), "{text}");
    let message = bench.run("minimal-pairs --model mlm --pairs more.jsonl --skip 1").refused();
    assert_eq!(message, "error: --skip 1: more.jsonl: expected less than the 1 pairs of number\n");
    let message = bench.run("minimal-pairs --model mlm --pairs pairs.jsonl --paradigm nouns").refused();
    assert!(message.contains("there is no paradigm \"nouns\"; expected number, unknown"), "{message}");
    let message = bench.run("minimal-pairs --model mlm --pairs pairs.jsonl --score discriminator").refused();
    assert!(message.contains("expected ElectraForPreTraining, for the score discriminator"), "{message}");
}

#[test]
fn a_probe_writes_its_folder_whole_and_a_second_one_is_refused() {
    let bench = bench();
    let call = "probe --model discriminator --task animals --evaluate dev --output probes";
    let text = bench.run(call).ok();
    assert!(text.starts_with("animals: accuracy 1.0000 (dev)"), "{text}");
    let scores = std::fs::read_to_string(bench.path("probes/animals/scores.json")).unwrap();
    let scores: serde_json::Value = serde_json::from_str(&scores).unwrap();
    assert_eq!(scores["scores"]["dev"]["accuracy"], 1.0);
    assert!(bench.path("probes/animals/predictions-dev.tsv").exists());
    let message = bench.run(call).refused();
    assert!(message.contains("probes"), "{message}");
    let message = bench.run("probe --model discriminator --task nosuch --output other").refused();
    assert!(message.contains("nosuch") && !bench.path("other").exists(), "{message}");
}
