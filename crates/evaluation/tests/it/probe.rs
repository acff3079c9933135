//! Frozen probes, from files to files.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use electra_evaluation::{Error, ProbeScores, Prober, TaskData};
use electra_tasks::Split;
use tch::Device;

use crate::support::{files, task, workplace};

fn probe(encoder: &Path, task: &Path, output: &Path) -> Result<ProbeScores, Error> {
    let evaluate = [Split::Dev, Split::Test];
    let task = electra_tasks::find(task.to_str().unwrap(), None)?;
    let evaluate = if task.name == "animals" { &evaluate[..] } else { &evaluate[..1] };
    let data = TaskData::read(task, evaluate)?;
    Prober::read(encoder, Device::Cpu)?.probe(&data, output, &AtomicBool::new(false))
}

#[test]
fn what_words_tell_is_found_and_nothing_is_drawn() {
    let (folder, encoder, task) = workplace();
    let weights = fs::read(encoder.join("model.safetensors")).unwrap();
    let outputs = ["one", "again"].map(|name| folder.path().join(name));
    let [scores, again] = [0, 1].map(|index| probe(&encoder, &task, &outputs[index]).unwrap());
    assert!(scores.scores["dev"]["accuracy"] >= 0.95, "{scores:?}");
    // Embeddings and two layers, each with a mean and a maximum of 32 numbers.
    assert_eq!((scores.features, scores.examples["train"]), (3 * 2 * 32, 96));
    assert_eq!((&scores.task[..], &scores.metric[..]), ("animals", "accuracy"));
    assert!(!scores.scores.contains_key("test"), "it has no labels");
    assert_eq!(scores, again);
    assert_eq!(files(&outputs[0]), files(&outputs[1]));
    let predictions = fs::read_to_string(outputs[0].join("predictions-dev.tsv")).unwrap();
    let header = predictions.lines().next().unwrap();
    assert_eq!(header, "index\tprediction\tlabel\tscore_canine\tscore_feline");
    assert_eq!(fs::read(encoder.join("model.safetensors")).unwrap(), weights);
}

#[test]
fn numbers_of_pairs_are_found() {
    let (folder, encoder, _) = workplace();
    let rows = |from: usize, count: usize| {
        let row = |number: usize| {
            let olds = number * 7 % 5;
            format!("the dog {}\ta {}cat\t{olds}\n", ["sleeps", "walk"][number % 2], "old ".repeat(olds))
        };
        "a\tb\tscore\n".to_owned() + &(from..from + count).map(row).collect::<String>()
    };
    let definition = "kind = \"sequence\"\ntext = [\"a\", \"b\"]\nlabel = \"score\"\nregression = true\n\
        metrics = [\"spearman\", \"pearson\"]\n[files]\ntrain = \"train.tsv\"\ndev = \"dev.tsv\"\n";
    let task =
        task(folder.path(), "olds", definition, &[("train.tsv", rows(0, 100)), ("dev.tsv", rows(3, 25))]);
    let scores = probe(&encoder, &task, &folder.path().join("out")).unwrap();
    assert!(scores.scores["dev"]["pearson"] >= 0.99, "{scores:?}");
    assert_eq!(scores.features, 3 * 3 * 32, "pairs have the mean over the second text as well");
}

#[test]
fn labels_of_words_are_not_probed() {
    let (folder, encoder, _) = workplace();
    let definition = "kind = \"tokens\"\nform = \"conll\"\nlabels = [\"O\", \"X\"]\nmetrics = [\"accuracy\"]\n\
        [files]\ntrain = \"train.txt\"\ndev = \"dev.txt\"\n";
    let rows = || "the\tO\ncat\tX\n\n".to_owned();
    let task = task(folder.path(), "words", definition, &[("train.txt", rows()), ("dev.txt", rows())]);
    let output = folder.path().join("out");
    let error = probe(&encoder, &task, &output).unwrap_err().to_string();
    let expected =
        "task words: its labels are not of whole texts; a probe expected classes or numbers of these";
    assert_eq!(error, expected);
    assert!(!output.exists());
}
