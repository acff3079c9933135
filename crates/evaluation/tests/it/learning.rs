//! Toy tasks are learned, through the whole path, and results are functions of their seeds.

use std::fs;

use crate::support::{TestJob, files, task, workplace};

#[test]
fn a_sequence_task_is_learned() {
    let (folder, encoder, task) = workplace();
    for (head, pooling, precision) in [
        ("paper", "cls", "fp32"),
        ("paper", "mean", "fp32"),
        ("transformers", "cls", "fp32"),
        ("transformers", "mean", "bf16"),
    ] {
        let output = folder.path().join(format!("{head}-{pooling}"));
        let set = [format!("head={head}"), format!("pooling={pooling}"), format!("precision={precision}")];
        let set = set.each_ref().map(String::as_str);
        let scores = TestJob { set: &set, ..TestJob::new(&encoder, &task, &output) }.run().unwrap();
        let accuracy = scores.scores["dev"]["accuracy"];
        assert!(accuracy >= 0.95, "{head}, {pooling}: {accuracy}");
        assert!(scores.scores["dev"]["matthews"] >= 0.9);
    }
}

#[test]
fn a_number_is_learned() {
    let (folder, encoder, _) = workplace();
    let rows = |from: usize, count: usize| {
        let mut text = "a\tb\tscore\n".to_owned();
        for number in from..from + count {
            let olds = number % 5;
            text += &format!("a {}cat\tthe dog sleeps\t{}\n", "old ".repeat(olds), olds as f64 / 2.0);
        }
        text
    };
    let definition = "kind = \"sequence\"\ntext = [\"a\", \"b\"]\nlabel = \"score\"\nregression = true\n\
        metrics = [\"spearman\", \"mean-squared-error\"]\n[files]\ntrain = \"train.tsv\"\ndev = \"dev.tsv\"\n";
    let task =
        task(folder.path(), "olds", definition, &[("train.tsv", rows(0, 100)), ("dev.tsv", rows(3, 25))]);
    let output = folder.path().join("out");
    let scores = TestJob::new(&encoder, &task, &output).run().unwrap();
    assert!(scores.scores["dev"]["spearman"] >= 0.9, "{scores:?}");
    let predictions = fs::read_to_string(output.join("predictions-dev.tsv")).unwrap();
    let squares = predictions.lines().skip(1).map(|line| {
        let numbers: Vec<f64> = line.split('\t').skip(1).map(|field| field.parse().unwrap()).collect();
        (numbers[0] - numbers[1]).powi(2)
    });
    let mean = squares.sum::<f64>() / 25.0;
    assert!((scores.scores["dev"]["mean-squared-error"] - mean).abs() < 1e-6 && mean < 0.2, "{scores:?}");
    assert_eq!(predictions.lines().next().unwrap(), "index\tprediction\tlabel");
    assert_eq!(predictions.lines().nth(1).unwrap().split('\t').nth(2).unwrap(), "1.5");
}

#[test]
fn words_are_labelled_however_long_the_sentence() {
    let (folder, encoder, _) = workplace();
    let rows = |from: usize, count: usize| {
        let mut text = String::new();
        for number in from..from + count {
            // The longest does not fit into a row of 24 tokens.
            for _ in 0..=number % 3 {
                for (word, label) in
                    [("the", "O"), ("old", "O"), ("cat", "ANIMAL"), ("unwalking", "O"), ("dogs", "ANIMAL")]
                {
                    text += &format!("{word}\t{label}\n");
                }
            }
            text += "\n";
        }
        text
    };
    let definition = "kind = \"tokens\"\nform = \"conll\"\nlabels = [\"O\", \"ANIMAL\"]\n\
        metrics = [\"accuracy\"]\n[files]\ntrain = \"train.txt\"\ndev = \"dev.txt\"\n";
    let task =
        task(folder.path(), "names", definition, &[("train.txt", rows(0, 60)), ("dev.txt", rows(1, 5))]);
    let output = folder.path().join("out");
    let scores = TestJob::new(&encoder, &task, &output).run().unwrap();
    assert!(scores.scores["dev"]["accuracy"] >= 0.95, "{scores:?}");
    let predictions = fs::read_to_string(output.join("predictions-dev.tsv")).unwrap();
    // 2 + 3 + 1 + 2 + 3 times five words.
    assert_eq!(predictions.lines().count(), 1 + 55);
    assert!(predictions.lines().nth(3).unwrap().starts_with("0:2\tANIMAL\tANIMAL\t"), "{predictions}");
}

#[test]
fn answers_are_found_in_texts_longer_than_a_row() {
    let (folder, encoder, _) = workplace();
    let set = |from: usize, count: usize| {
        let questions = (from..from + count).map(|number| {
            // The answer is the animal; some texts have none, and some are longer than a row.
            let animal = ["cat", "dogs", ""][number % 3];
            let context = format!("{}the ({animal}) sleeps .", "the old , ".repeat(number % 8));
            let start = context.chars().position(|character| character == '(').unwrap() + 1;
            let answers = match animal {
                "" => serde_json::json!([]),
                animal => serde_json::json!([{ "text": animal, "answer_start": start }]),
            };
            let qa = serde_json::json!({
                "id": format!("q{number}"), "question": "who sleeps",
                "answers": answers, "is_impossible": animal.is_empty(),
            });
            serde_json::json!({ "context": context, "qas": [qa] })
        });
        let paragraphs: Vec<_> = questions.collect();
        serde_json::json!({ "version": "v2.0", "data": [{ "title": "t", "paragraphs": paragraphs }] })
            .to_string()
    };
    let definition = "kind = \"spans\"\nform = \"squad\"\nunanswerable = true\nmetrics = [\"exact-match\", \"token-f1\"]\n\
        [files]\ntrain = \"train.json\"\ndev = \"dev.json\"\n";
    let task =
        task(folder.path(), "animal", definition, &[("train.json", set(0, 120)), ("dev.json", set(3, 40))]);
    let output = folder.path().join("out");
    let job = TestJob { set: &["stride=8", "epochs=12"], ..TestJob::new(&encoder, &task, &output) };
    let scores = job.run().unwrap();
    assert!(scores.scores["dev"]["exact-match"] >= 0.9, "{scores:?}");
    let predictions = fs::read_to_string(output.join("predictions-dev.tsv")).unwrap();
    assert_eq!(predictions.lines().next().unwrap(), "index\tprediction\tlabel\tscore\tnone_margin");
    assert_eq!(predictions.lines().count(), 1 + 40);
}

#[test]
fn one_of_several_texts_is_chosen() {
    let (folder, encoder, _) = workplace();
    let rows = |from: usize, count: usize| {
        let mut text = String::new();
        for number in from..from + count {
            // Two choices or three; the right one has the dog.
            let mut choices = vec!["the cat sleeps", "a cat"];
            choices.truncate(1 + number / 3 % 2);
            let label = number % (choices.len() + 1);
            choices.insert(label, "the dog");
            text += &format!(
                "{}\n",
                serde_json::json!({ "text": "what sleeps", "choices": choices, "label": label })
            );
        }
        text
    };
    let definition = "kind = \"choice\"\nform = \"jsonl\"\ntext = [\"text\"]\nchoices = \"choices\"\nlabel = \"label\"\n\
        metrics = [\"accuracy\"]\n[files]\ntrain = \"train.jsonl\"\ndev = \"dev.jsonl\"\n";
    let task =
        task(folder.path(), "which", definition, &[("train.jsonl", rows(0, 96)), ("dev.jsonl", rows(1, 30))]);
    let output = folder.path().join("out");
    let scores = TestJob::new(&encoder, &task, &output).run().unwrap();
    assert!(scores.scores["dev"]["accuracy"] >= 0.95, "{scores:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let (folder, encoder, task) = workplace();
    let run = |name: &str, seed| {
        let output = folder.path().join(name);
        TestJob { seed, set: &["epochs=2"], ..TestJob::new(&encoder, &task, &output) }.run().unwrap();
        files(&output)
    };
    let (first, same, other) = (run("one", 5), run("same", 5), run("other", 6));
    assert_eq!(first.len(), same.len());
    for ((path, bytes), (_, again)) in first.iter().zip(&same) {
        assert!(bytes == again, "{}", path.display());
    }
    for name in ["predictions-dev.tsv", "curve.jsonl", "model/model.safetensors"] {
        let bytes_of = |files: &[(std::path::PathBuf, Vec<u8>)]| {
            files.iter().find(|(path, _)| path.ends_with(name)).unwrap().1.clone()
        };
        assert_ne!(bytes_of(&first), bytes_of(&other), "{name}");
    }
}

#[test]
fn the_best_epoch_is_the_one_that_scored_best() {
    let (folder, encoder, task) = workplace();
    let output = folder.path().join("best");
    // The rate is such that the score goes up and, at times, down.
    let set = ["checkpoint=best", "epochs=10", "learning_rate=0.01"];
    let scores = TestJob { set: &set, ..TestJob::new(&encoder, &task, &output) }.run().unwrap();
    let curve = fs::read_to_string(output.join("curve.jsonl")).unwrap();
    let lines = curve.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let epochs: Vec<f64> = lines.filter_map(|line| line["dev"]["accuracy"].as_f64()).collect();
    assert_eq!(epochs.len(), 10);
    let best = epochs.iter().copied().fold(0.0, f64::max);
    assert_eq!(scores.scores["dev"]["accuracy"], best);
    assert_eq!(scores.epoch as usize, 1 + epochs.iter().position(|&score| score == best).unwrap());
}
