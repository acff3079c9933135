//! Files: the corpus, the tasks, the minimal pairs, the lexicon and the facts.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::Path;

use electra_store::{NewFile, NewFolder, create_folder, io, require_vacant, write as write_file};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;

use crate::language::Entry;
use crate::random::Random;
use crate::tasks::{Labels, PHENOMENA, Part, Scope, TASKS, Task, Units, pair};
use crate::{Error, Language};

/// The number of these files: raised whenever the same seed gives other bytes.
const VERSION: u32 = 3;
/// Documents that are made at a time.
const CHUNK: u64 = 1024;
/// Examples of a set differ, and the least productive kind of minimal pair has 2,048 of them.
const LARGEST: u64 = 2_000;

/// How much is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Documents of the corpus.
    pub documents: u64,
    /// Examples of each task's train set.
    pub train: u64,
    /// Examples of each task's dev set.
    pub dev: u64,
    /// Examples of each task's test set, and pairs of each phenomenon.
    pub test: u64,
}

impl Sizes {
    /// So many documents, and sets of 2,000, 1,000 and 2,000 examples.
    #[must_use]
    pub fn new(documents: u64) -> Self {
        Self { documents, train: 2000, dev: 1000, test: 2000 }
    }

    fn validate(self) -> Result<(), Error> {
        if self.documents == 0 {
            return Err(Error::Config { field: "documents", found: 0, expected: "1 or more" });
        }
        for (field, found) in [("train", self.train), ("dev", self.dev), ("test", self.test)] {
            if found == 0 || found > LARGEST {
                return Err(Error::Config { field, found, expected: "a number from 1 to 2,000" });
            }
        }
        Ok(())
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Documents of the corpus.
    pub documents: u64,
    /// Its words, full stops among them.
    pub words: u64,
    /// The mean of the logarithm of [`Word::alternatives`](crate::Word), in nats: the least cross-entropy of
    /// predicting one hidden word from the rest of its document.
    pub entropy: f64,
    /// The share of words that are certain, given the rest of the document and the world.
    pub certain: f64,
}

/// Writes a language into a folder, which has to be new or empty and appears whole or not at all: `corpus.txt` (a line
/// a sentence, an empty line between documents), `tasks/*/` (`task.toml`, `train.tsv`, `dev.tsv`, `test.tsv`),
/// `minimal-pairs/*.jsonl` in BLiMP's form, `lexicon.tsv`, `facts.tsv`, and `language.json` with the summary. The
/// same seed and sizes give the same bytes, on any number of threads.
///
/// # Errors
/// [`Error::Config`] if a size is out of range, [`Error::Store`] if the folder has something in it or a file cannot
/// be written.
pub fn write(language: &Language, sizes: Sizes, folder: &Path) -> Result<Summary, Error> {
    sizes.validate()?;
    require_vacant(folder)?;
    let new = NewFolder::create_all(folder)?;
    let summary = write_into(language, sizes, new.path())?;
    new.finish()?;
    Ok(summary)
}

fn write_into(language: &Language, sizes: Sizes, folder: &Path) -> Result<Summary, electra_store::Error> {
    let summary = corpus(language, sizes.documents, &folder.join("corpus.txt"))?;
    let scopes = Part::ALL.map(|part| Scope { language, units: Units::new(language, part) });
    for (number, task) in TASKS.iter().enumerate() {
        let of_task = folder.join("tasks").join(task.name);
        create_folder(&of_task)?;
        write_file(&of_task.join("task.toml"), definition(task))?;
        for ((part, scope), size) in
            Part::ALL.into_iter().zip(&scopes).zip([sizes.train, sizes.dev, sizes.test])
        {
            let stream = 3 * number as u64 + part as u64;
            let lines = examples(language.seed, task, scope, stream, size);
            write_file(&of_task.join(format!("{}.tsv", part.name())), &lines)?;
        }
    }
    let pairs = folder.join("minimal-pairs");
    create_folder(&pairs)?;
    for (number, phenomenon) in PHENOMENA.iter().enumerate() {
        let lines = minimal_pairs(language.seed, &scopes[Part::Test as usize], number, sizes.test);
        write_file(&pairs.join(format!("{phenomenon}.jsonl")), &lines)?;
    }
    let entries: Vec<String> = language.entries().iter().map(Entry::line).collect();
    write_file(&folder.join("lexicon.tsv"), format!("{}\n{}\n", Entry::HEADER, entries.join("\n")))?;
    let mut facts = String::from("name\trelation\tvalue\n");
    for (name, relation, value) in language.facts() {
        let _ = writeln!(facts, "{name}\t{relation}\t{value}");
    }
    write_file(&folder.join("facts.tsv"), &facts)?;
    let about = json!({
        "version": VERSION, "seed": language.seed, "told_twice": language.told_twice, "summary": summary
    });
    let about = serde_json::to_string_pretty(&about).expect("numbers with names") + "\n";
    write_file(&folder.join("language.json"), &about)?;
    Ok(summary)
}

fn corpus(language: &Language, documents: u64, path: &Path) -> Result<Summary, electra_store::Error> {
    let mut file = BufWriter::new(NewFile::create(path)?);
    let failed = || io(path, "writing it");
    let (mut words, mut nats, mut certain) = (0_u64, 0.0, 0_u64);
    for first in (0..documents).step_by(CHUNK as usize) {
        let chunk: Vec<_> = (first..documents.min(first + CHUNK))
            .into_par_iter()
            .map(|number| {
                let document = language.document(number);
                let open = |word: &crate::Word<'_>| f64::from(word.alternatives).ln();
                let counts = (
                    document.words().count() as u64,
                    document.words().map(open).sum::<f64>(),
                    document.words().filter(|word| word.alternatives == 1).count() as u64,
                );
                (document.text(), counts)
            })
            .collect();
        // Added up in order, so that the sums are the same on any number of threads.
        for (number, (text, counts)) in chunk.into_iter().enumerate() {
            if first + number as u64 > 0 {
                file.write_all(b"\n").map_err(failed())?;
            }
            file.write_all(text.as_bytes()).map_err(failed())?;
            words += counts.0;
            nats += counts.1;
            certain += counts.2;
        }
    }
    file.into_inner().map_err(|error| failed()(error.into_error()))?.finish()?;
    // To the digits that every machine's logarithm agrees on.
    let share = |amount: f64| (amount / words as f64 * 1e6).round() / 1e6;
    Ok(Summary { documents, words, entropy: share(nats), certain: share(certain as f64) })
}

/// A header and so many different lines.
fn examples(seed: u64, task: &Task, scope: &Scope<'_>, stream: u64, size: u64) -> String {
    let mut seen = HashSet::new();
    let mut lines = format!("{}\tlabel\n", task.texts.join("\t"));
    for number in 0.. {
        let example = (task.example)(scope, &mut Random::new(seed, b"examples", (stream << 32) + number));
        let texts = example.texts.join("\t");
        if seen.insert(texts.clone()) {
            let _ = writeln!(lines, "{texts}\t{}", example.label);
        }
        if seen.len() as u64 == size {
            break;
        }
    }
    lines
}

fn minimal_pairs(seed: u64, scope: &Scope<'_>, phenomenon: usize, size: u64) -> String {
    let mut seen = HashSet::new();
    let mut lines = String::new();
    for number in 0.. {
        let mut random = Random::new(seed, b"pairs\0\0\0", ((phenomenon as u64) << 32) + number);
        let [good, bad] = pair(scope, phenomenon, &mut random);
        if seen.insert(bad.clone()) {
            let uid = PHENOMENA[phenomenon];
            let _ = writeln!(lines, "{}", json!({ "sentence_good": good, "sentence_bad": bad, "UID": uid }));
        }
        if seen.len() as u64 == size {
            break;
        }
    }
    lines
}

/// A task's `task.toml`.
fn definition(task: &Task) -> String {
    let list = |names: &[&str]| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let labels = match task.labels {
        Labels::Classes(names) => format!("labels = [{}]", list(names)),
        Labels::Range(least, most) => format!("regression = true\nrange = [{least:.1}, {most:.1}]"),
    };
    format!(
        "name = \"{}\"\ntitle = \"{}\"\nkind = \"sequence\"\ntext = [{}]\nlabel = \"label\"\n{labels}\nmetrics = [{}]\n\n\
         [files]\ntrain = \"train.tsv\"\ndev = \"dev.tsv\"\ntest = \"test.tsv\"\n",
        task.name,
        task.title,
        list(task.texts),
        list(task.metrics),
    )
}
