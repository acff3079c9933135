//! Which sizes are measured, and in which order.

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// What a leak is asked for by, beside the variables.
const LEAK: &str = "leak";

/// A size that is varied while all others stay.
#[derive(Debug)]
pub(super) struct Variable {
    /// As `--only` and points.json name it.
    pub(super) key: &'static str,
    /// What it is, and what stays.
    pub(super) title: &'static str,
    sizes: &'static [u64],
    work: fn(u64) -> Work,
}

/// What is done at a point.
#[derive(Clone, Debug)]
pub(super) enum Work {
    Step { objective: &'static str, length: u64, batch: u64, vocab_size: u64, hidden_size: u64 },
    Corpus { lines: u64, per_document: u64 },
}

/// A point to measure.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) variable: &'static str,
    pub(super) size: u64,
    pub(super) work: Work,
}

const VOCABULARIES: &[u64] = &[512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072];
/// Lines of all documents together where their number is varied.
const LINES: u64 = 160_000;

const ELECTRA: Step = Step { objective: "electra", length: 32, batch: 8, vocab_size: 1024, hidden_size: 64 };

/// The sizes of a step of which one is varied.
#[derive(Clone, Copy)]
struct Step {
    objective: &'static str,
    length: u64,
    batch: u64,
    vocab_size: u64,
    hidden_size: u64,
}

impl From<Step> for Work {
    fn from(step: Step) -> Self {
        let Step { objective, length, batch, vocab_size, hidden_size } = step;
        Self::Step { objective, length, batch, vocab_size, hidden_size }
    }
}

pub(super) const VARIABLES: &[Variable] = &[
    Variable {
        key: "L",
        title: "L, tokens in an example (B 4, V 1,024, D 64)",
        sizes: &[8, 16, 32, 64, 128, 256, 512, 1024],
        work: |length| Step { length, batch: 4, ..ELECTRA }.into(),
    },
    Variable {
        key: "B",
        title: "B, examples in a step (L 32, V 1,024, D 64)",
        sizes: &[1, 2, 4, 8, 16, 32, 64, 128, 256],
        work: |batch| Step { batch, ..ELECTRA }.into(),
    },
    Variable {
        key: "V",
        title: "V, tokens in the vocabulary (L 32, B 8, D 64)",
        sizes: VOCABULARIES,
        work: |vocab_size| Step { vocab_size, ..ELECTRA }.into(),
    },
    Variable {
        key: "V-all-tokens",
        title: "V in All-Tokens MLM (L 32, B 8, D 64)",
        sizes: VOCABULARIES,
        work: |vocab_size| Step { objective: "all-tokens-mlm", vocab_size, ..ELECTRA }.into(),
    },
    Variable {
        key: "D",
        title: "D, the width (L 32, B 8, V 512)",
        sizes: &[16, 32, 64, 128, 256, 512, 1024, 2048],
        work: |hidden_size| Step { hidden_size, vocab_size: 512, ..ELECTRA }.into(),
    },
    Variable {
        key: "corpus",
        title: "tokens of a corpus (20 lines in a document)",
        sizes: &[12_500, 25_000, 50_000, 100_000, 200_000, 400_000, 800_000, 1_600_000],
        work: |lines| Work::Corpus { lines, per_document: 20 },
    },
    Variable {
        key: "documents",
        title: "documents of a corpus of 3 million tokens",
        sizes: &[16, 50, 160, 500, 1_600, 5_000, 16_000, 40_000, 160_000],
        work: |documents| Work::Corpus { lines: LINES, per_document: LINES / documents },
    },
];

impl Work {
    /// The program's arguments.
    pub(super) fn arguments(&self, folder: &Path) -> Vec<String> {
        match *self {
            Self::Step { objective, length, batch, vocab_size, hidden_size } => [
                ["step", "--objective"].map(String::from).as_slice(),
                &[objective.into(), "--length".into(), length.to_string()],
                &["--batch".into(), batch.to_string(), "--vocab-size".into(), vocab_size.to_string()],
                &["--hidden-size".into(), hidden_size.to_string()],
            ]
            .concat(),
            Self::Corpus { lines, per_document } => {
                vec!["corpus".into(), shown(&text(folder, lines, per_document)), shown(&tokenizer(folder))]
            }
        }
    }

    /// Arguments of what comes before: the texts and the tokenizer that several points share.
    pub(super) fn preparations(&self, folder: &Path) -> Vec<Vec<String>> {
        let Self::Corpus { lines, per_document } = *self else { return Vec::new() };
        let file = shown(&text(folder, lines, per_document));
        vec![
            vec!["tokenizer".into(), shown(&tokenizer(folder))],
            vec![
                "text".into(),
                file,
                "--lines".into(),
                lines.to_string(),
                "--per-document".into(),
                per_document.to_string(),
            ],
        ]
    }
}

fn text(folder: &Path, lines: u64, per_document: u64) -> PathBuf {
    folder.join(format!("{lines}-{per_document}.txt"))
}

fn tokenizer(folder: &Path) -> PathBuf {
    folder.join("tokenizer")
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The variables of `--only`, all by default, and whether a leak is looked for.
pub(super) fn chosen(only: &[String]) -> Result<(Vec<&'static Variable>, bool)> {
    let known: Vec<&str> = VARIABLES.iter().map(|variable| variable.key).chain([LEAK]).collect();
    if let Some(name) = only.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("--only: {name:?}; expected some of {}", known.join(", "));
    }
    let is_chosen = |key: &str| only.is_empty() || only.iter().any(|name| name == key);
    Ok((VARIABLES.iter().filter(|variable| is_chosen(variable.key)).collect(), is_chosen(LEAK)))
}

/// Every point of the variables, or of the least, a middle and the largest size of each.
pub(super) fn tasks(variables: &[&'static Variable], quick: bool) -> Vec<Task> {
    let mut tasks = Vec::new();
    for variable in variables {
        let sizes = variable.sizes;
        // Not the very middle: the two larger ones are to lie within a decade or close to it.
        let few = [sizes[0], sizes[sizes.len() - 4], sizes[sizes.len() - 1]];
        let chosen = if quick { &few[..] } else { sizes };
        tasks.extend(chosen.iter().map(|&size| Task {
            variable: variable.key,
            size,
            work: (variable.work)(size),
        }));
    }
    tasks
}

/// An order in which neither sizes nor variables follow one another: multiples of the golden ratio, modulo 1, are
/// far from their neighbours. Each round begins elsewhere in it, and every second goes backwards.
pub(super) fn shuffled(tasks: &[Task], round: u32) -> Vec<&Task> {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let start = f64::from(round) / 3.0;
    let mut keyed: Vec<_> = tasks
        .iter()
        .enumerate()
        .map(|(index, task)| (((index as f64 + 1.0) * GOLDEN + start).fract(), task))
        .collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    if round.is_multiple_of(2) {
        keyed.reverse();
    }
    keyed.into_iter().map(|(_, task)| task).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Task> {
        tasks(&chosen(&[]).unwrap().0, false)
    }

    #[test]
    fn every_variable_spans_two_orders_of_magnitude() {
        for variable in VARIABLES {
            let sizes = variable.sizes;
            assert!(sizes.is_sorted() && sizes[sizes.len() - 1] >= 100 * sizes[0], "{}", variable.key);
        }
    }

    #[test]
    fn documents_share_their_lines_evenly() {
        for task in all().iter().filter(|task| task.variable == "documents") {
            let Work::Corpus { lines, per_document } = task.work else { panic!("{task:?}") };
            assert_eq!(lines, task.size * per_document);
        }
    }

    #[test]
    fn a_round_has_each_point_once_and_no_ascent() {
        let tasks = all();
        for round in 1..=5 {
            let order = shuffled(&tasks, round);
            assert_eq!(order.len(), tasks.len());
            let mut seen: Vec<_> = order.iter().map(|task| (task.variable, task.size)).collect();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), tasks.len());
            for variable in VARIABLES {
                let sizes: Vec<_> =
                    order.iter().filter(|task| task.variable == variable.key).map(|task| task.size).collect();
                assert!(!sizes.is_sorted() && !sizes.is_sorted_by(|a, b| a > b), "{round} {sizes:?}");
            }
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let error = chosen(&["L".into(), "W".into()]).unwrap_err().to_string();
        assert_eq!(
            error,
            "--only: \"W\"; expected some of L, B, V, V-all-tokens, D, corpus, documents, leak"
        );
        let (variables, leak) = chosen(&["leak".into()]).unwrap();
        assert!(variables.is_empty() && leak);
    }
}
