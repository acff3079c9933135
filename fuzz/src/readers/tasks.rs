//! Files of tasks: `task.toml`, each form of examples, and minimal pairs.

use std::io::Write;

use electra_tasks::{Answer, Content, Dataset, Kind, Label, Labels, Split, Task, find, minimal_pairs};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{Outcome, Reader, place};

/// `task.toml` and its one file.
pub(super) const DEFINITION: Reader = Reader { name: "task_toml", seeds: definitions, check: definition };
/// Examples between tabs, of tasks of one's own and of GLUE's.
pub(super) const TSV: Reader = Reader { name: "tsv", seeds: tsv_seeds, check: tsv };
/// Examples in JSON Lines.
pub(super) const JSONL: Reader = Reader { name: "jsonl", seeds: jsonl_seeds, check: jsonl };
/// Examples in CoNLL's form.
pub(super) const CONLL: Reader = Reader { name: "conll", seeds: conll_seeds, check: conll };
/// Examples in SQuAD's form.
pub(super) const SQUAD: Reader = Reader { name: "squad", seeds: squad_seeds, check: squad };
/// Minimal pairs in BLiMP's form.
pub(super) const PAIRS: Reader = Reader { name: "minimal_pairs", seeds: pair_seeds, check: pairs };

const FILES: &str = "[files]\ntrain = \"data\"\ndev = \"data\"\ntest = \"data\"\n";

const OF_TSV: [&str; 5] = [
    "kind = \"sequence\"\ntext = [\"a\", \"b\"]\nlabel = \"y\"\nlabels = [\"0\", \"1\"]\nbroken = \"skip\"\n",
    "kind = \"sequence\"\ntext = 1\nlabel = 2\nheader = false\nregression = true\nrange = [0.0, 5.0]\n",
    "kind = \"choice\"\ntext = \"a\"\nchoices = [\"b\", \"c\"]\nlabel = \"y\"\nindex = \"i\"\n",
    "kind = \"sequence\"\ntext = \"a\"\nlabel = \"y\"\nlabels = [\"0\", \"1\", \"\"]\nempty = \"keep\"\nmetrics = [\"macro-f1\"]\n",
    "kind = \"sequence\"\ntext = \"a\"\nlabel = \"y\"\nlabels = [\"0\", \"1\"]\nmulti_label = true\n",
];
const OF_JSONL: [&str; 3] = [
    "kind = \"choice\"\nform = \"jsonl\"\ntext = \"a\"\nchoices = \"c\"\nlabel = \"y\"\n",
    "kind = \"tokens\"\nform = \"jsonl\"\ntext = \"a\"\nlabel = \"y\"\nlabels = [\"0\", \"1\"]\n",
    "kind = \"sequence\"\nform = \"jsonl\"\ntext = [\"a\", \"b\"]\nlabel = \"y\"\nindex = \"i\"\nregression = true\n",
];
const OF_CONLL: [&str; 3] = [
    "kind = \"tokens\"\nlabels = [\"O\", \"B-X\", \"I-X\"]\nmetrics = [\"entity-f1\"]\n",
    "kind = \"tokens\"\ntext = 2\nlabel = 1\nlabels = [\"O\", \"B-X\"]\ncomments = [\"# \"]\n",
    "kind = \"tokens\"\nlabels = [\"O\", \"S-X\", \"E-X\", \"B-X\", \"I-X\"]\nscheme = \"bioes\"\nmetrics = [\"entity-f1\"]\n",
];
const OF_SQUAD: [&str; 2] =
    ["kind = \"spans\"\nunanswerable = true\nbroken = \"skip\"\n", "kind = \"spans\"\narticles = [\"a\"]\n"];

const TABLE: &str = "a\tb\ty\tc\ti\nfine\tsound\t1\tx\t7\nbad\tsad\t0\ty\t8\n";
const RECORDS: &str = "{\"a\": \"x\", \"b\": \"z\", \"c\": [\"u\", \"v\"], \"y\": 1, \"i\": 3}\n";
const WORDS: &str = "{\"a\": [\"x\", \"z\"], \"y\": [0, \"1\"]}\n";
const LABELS_FIRST: &str = "# id\nO Rain\nB-X Rome\n\nO It\n";
const QUESTIONS: &str = "{\"data\": [{\"paragraphs\": [{\"context\": \"It rains in Zürich today.\", \"qas\": [\
    {\"id\": \"1\", \"question\": \"Where?\", \"answers\": [{\"text\": \"Zürich\", \"answer_start\": 12}]},\
    {\"id\": 2, \"question\": \"When?\", \"is_impossible\": false, \"answers\": [{\"text\": \"today\", \"answer_start\": 19}]}]}]}]}";
const PAIR: &str = "{\"sentence_good\": \"It rains.\", \"sentence_bad\": \"It rain.\", \"UID\": \"agreement\", \"field\": \"syntax\"}\n";

fn definitions() -> Vec<Vec<u8>> {
    let seed = |text: &str, data: &str| place::join(&[format!("{text}{FILES}").as_bytes(), data.as_bytes()]);
    let regression = "fine\t4.5\nbad\t0\n";
    vec![
        seed(OF_TSV[0], TABLE),
        seed(OF_TSV[1], regression),
        seed(OF_TSV[2], TABLE),
        seed(OF_TSV[3], TABLE),
        seed(OF_TSV[4], TABLE),
        seed(OF_JSONL[0], RECORDS),
        seed(OF_JSONL[1], WORDS),
        seed(OF_JSONL[2], RECORDS),
        seed(OF_CONLL[1], LABELS_FIRST),
        seed(OF_SQUAD[0], QUESTIONS),
        seed(OF_SQUAD[1], QUESTIONS),
    ]
}

fn definition(bytes: &[u8]) -> Outcome {
    let [definition, data] = place::split::<2>(bytes);
    let place = place::files(&[("task.toml", definition), ("data", data)]);
    let name = place.path().to_str().expect("a temporary folder's name is text");
    let task = find(name, None).map_err(|error| error.to_string())?;
    assert!(!task.metrics.is_empty());
    let named = |split: &Split| *split == Split::Train || *split == Split::Dev || *split == Split::Test;
    if data.is_some() && task.splits().any(named) { read(&task) } else { Ok(()) }
}

/// Reads every set that there is; the outcome is the first's.
fn read(task: &Task) -> Outcome {
    let splits: Vec<Split> = task.splits().cloned().collect();
    let mut outcome = None;
    for split in splits {
        let dataset = task.read(&split).map_err(|error| error.to_string());
        if let Ok(dataset) = &dataset {
            check_dataset(task, &split, dataset);
        }
        let dataset = dataset.map(drop);
        if let Err(message) = &dataset {
            crate::check_message(message);
        }
        outcome.get_or_insert(dataset);
    }
    outcome.unwrap_or(Ok(()))
}

/// Reads a file as each task has it: plain, and the same in gzip. Fine if any task takes it.
fn under(definitions: &[&str], bytes: &[u8]) -> Outcome {
    let mut outcomes = Vec::new();
    for definition in definitions {
        let text = format!("name = \"task\"\n{definition}{FILES}");
        let of = |data: &[u8]| {
            let place = place::files(&[("task.toml", Some(text.as_bytes())), ("data", Some(data))]);
            let name = place.path().to_str().expect("a temporary folder's name is text").to_owned();
            let outcome = read(&find(&name, None).expect("the definition is a task's"));
            outcome.map_err(|message| message.replace(&name, &place::shown()))
        };
        let outcome = of(bytes);
        let is_packed = matches!(bytes, [0x1f, 0x8b, ..] | [0x28, 0xb5, ..] | [_, 0x2a, 0x4d, 0x18, ..]);
        if outcomes.is_empty() && !is_packed {
            assert_eq!(of(&gzip(bytes)), outcome, "in gzip");
        }
        outcomes.push(outcome);
    }
    outcomes.iter().find(|outcome| outcome.is_ok()).or(outcomes.first()).cloned().unwrap_or(Ok(()))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory can be written to");
    encoder.finish().expect("memory can be written to")
}

/// What a set may say by its task.
fn check_dataset(task: &Task, split: &Split, dataset: &Dataset) {
    assert!(!dataset.examples.is_empty());
    let labelled = dataset.is_labelled();
    assert!(labelled || split.is_test());
    let is_class = |class: usize| match &task.labels {
        Labels::Classes(classes) => class < classes.len(),
        _ => false,
    };
    for example in &dataset.examples {
        assert_eq!(example.content.is_labelled(), labelled, "{example:?}");
        match &example.content {
            Content::Sequence { pair, label, .. } => {
                assert_eq!(task.kind, Kind::Sequence { pair: pair.is_some() });
                match (label, &task.labels) {
                    (None, _) => {}
                    (Some(Label::Class(class)), _) => assert!(is_class(*class)),
                    (Some(Label::Value(value)), Labels::Values { low, high }) => {
                        assert!(value.is_finite() && (low..=high).contains(&value), "{value}");
                    }
                    (Some(Label::MultiLabel(found)), Labels::MultiLabel(names)) => {
                        assert!(found.is_sorted() && found.iter().all(|label| *label < names.len()));
                    }
                    (Some(label), labels) => panic!("{label:?} where {labels:?} are expected"),
                }
            }
            Content::Tokens { words, labels } => {
                assert!(!words.is_empty() && words.iter().all(|word| !word.trim().is_empty()));
                if let Some(labels) = labels {
                    assert_eq!(labels.len(), words.len());
                    assert!(labels.iter().all(|label| is_class(*label)));
                }
            }
            Content::Spans { question, context, answers } => {
                assert!(!question.trim().is_empty() && !context.trim().is_empty());
                for Answer { text, start } in answers.iter().flatten() {
                    assert!(context.is_char_boundary(*start));
                    assert!(*split != Split::Train || context[*start..].starts_with(text.as_str()));
                }
            }
            Content::Choice { choices, label, .. } => {
                assert!(choices.len() >= 2 && label.is_none_or(|label| label < choices.len()));
            }
        }
    }
}

fn tsv_seeds() -> Vec<Vec<u8>> {
    [TABLE, "fine\t4.5\nbad\t0\n", "\u{feff}a\ty\r\n\t1\r\n"].map(|text| text.as_bytes().to_vec()).into()
}

fn tsv(bytes: &[u8]) -> Outcome {
    for name in ["CoLA", "STS-B", "MNLI", "QQP", "MRPC"] {
        let names = ["train.tsv", "dev.tsv", "test.tsv", "dev_matched.tsv", "msr_paraphrase_train.txt"];
        let place = place::files(&names.map(|name| (name, Some(bytes))));
        if let Ok(task) = find(name, Some(place.path())) {
            let _ = read(&task);
        }
    }
    under(&OF_TSV, bytes)
}

fn jsonl_seeds() -> Vec<Vec<u8>> {
    [RECORDS, WORDS].map(|text| text.as_bytes().to_vec()).into()
}

fn jsonl(bytes: &[u8]) -> Outcome {
    under(&OF_JSONL, bytes)
}

fn conll_seeds() -> Vec<Vec<u8>> {
    ["Rain\tO\nRome\tB-X\n\nIt\tO\n", LABELS_FIRST, "a O\r\nb B-X\r\n"]
        .map(|text| text.as_bytes().to_vec())
        .into()
}

fn conll(bytes: &[u8]) -> Outcome {
    under(&OF_CONLL, bytes)
}

fn squad_seeds() -> Vec<Vec<u8>> {
    vec![QUESTIONS.as_bytes().to_vec()]
}

fn squad(bytes: &[u8]) -> Outcome {
    under(&OF_SQUAD, bytes)
}

fn pair_seeds() -> Vec<Vec<u8>> {
    vec![PAIR.repeat(2).into_bytes()]
}

fn pairs(bytes: &[u8]) -> Outcome {
    let pairs = minimal_pairs(&place::file("pairs.jsonl", bytes)).map_err(|error| error.to_string())?;
    assert!(pairs.iter().all(|pair| !pair.good.trim().is_empty() && !pair.bad.trim().is_empty()));
    Ok(())
}
