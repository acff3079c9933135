//! Files: the corpus, the tasks, the minimal pairs, the lexicon and the facts.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::Path;

use electra_store::{NewFile, NewFolder, create_folder, io, require_vacant, write as write_file};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;

use crate::Error;
use crate::language::Entry;
use crate::random::Random;
use crate::tasks::{Example, Labels, Part, Task};

/// The number of these files: raised whenever the same seed gives other bytes.
const VERSION: u32 = 4;
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

/// A document as it is written, and what of its words is open.
pub(crate) struct MeasuredDocument {
    pub(crate) text: String,
    pub(crate) words: u64,
    /// The sum over the words of the entropy of what could stand there.
    pub(crate) nats: f64,
    /// Words that are certain.
    pub(crate) certain: u64,
}

/// Draws a minimal pair: the good sentence, the bad one.
pub(crate) type PairMaker<'a> = Box<dyn Fn(&mut Random) -> [String; 2] + 'a>;

/// What a kind of language has to give for its files.
pub(crate) trait Family: Sync {
    /// What `language.json` says beside version and summary.
    fn about(&self) -> serde_json::Value;
    fn seed(&self) -> u64;
    fn measured_document(&self, number: u64) -> MeasuredDocument;
    fn tasks(&self) -> &'static [Task];
    /// What makes examples of the task of this number.
    fn examples(&self, task: usize, part: Part) -> Box<dyn Fn(&mut Random) -> Example + '_>;
    fn paradigms(&self) -> &'static [&'static str];
    /// What makes pairs of the paradigm of this number: the good sentence, the bad one.
    fn pairs(&self, paradigm: usize) -> PairMaker<'_>;
    fn entries(&self) -> Vec<Entry>;
    /// `facts.tsv`, if there are any.
    fn facts(&self) -> Option<String>;
}

pub(crate) fn write(language: &impl Family, sizes: Sizes, folder: &Path) -> Result<Summary, Error> {
    sizes.validate()?;
    require_vacant(folder)?;
    let new = NewFolder::create_all(folder)?;
    let summary = write_into(language, sizes, new.path())?;
    new.finish()?;
    Ok(summary)
}

fn write_into(language: &impl Family, sizes: Sizes, folder: &Path) -> Result<Summary, electra_store::Error> {
    let summary = corpus(language, sizes.documents, &folder.join("corpus.txt"))?;
    for (number, task) in language.tasks().iter().enumerate() {
        let of_task = folder.join("tasks").join(task.name);
        create_folder(&of_task)?;
        write_file(&of_task.join("task.toml"), definition(task))?;
        for (part, size) in Part::ALL.into_iter().zip([sizes.train, sizes.dev, sizes.test]) {
            let lines = examples(language, number, part, size);
            write_file(&of_task.join(format!("{}.tsv", part.name())), &lines)?;
        }
    }
    let pairs = folder.join("minimal-pairs");
    create_folder(&pairs)?;
    for (number, paradigm) in language.paradigms().iter().enumerate() {
        write_file(&pairs.join(format!("{paradigm}.jsonl")), minimal_pairs(language, number, sizes.test))?;
    }
    let entries: Vec<String> = language.entries().iter().map(Entry::line).collect();
    write_file(&folder.join("lexicon.tsv"), format!("{}\n{}\n", Entry::HEADER, entries.join("\n")))?;
    if let Some(facts) = language.facts() {
        write_file(&folder.join("facts.tsv"), &facts)?;
    }
    let mut about = language.about();
    about["version"] = json!(VERSION);
    about["summary"] = json!(summary);
    let about = serde_json::to_string_pretty(&about).expect("numbers with names") + "\n";
    write_file(&folder.join("language.json"), &about)?;
    Ok(summary)
}

fn corpus(language: &impl Family, documents: u64, path: &Path) -> Result<Summary, electra_store::Error> {
    let mut file = BufWriter::new(NewFile::create(path)?);
    let failed = || io(path, "writing it");
    let (mut words, mut nats, mut certain) = (0_u64, 0.0, 0_u64);
    for first in (0..documents).step_by(CHUNK as usize) {
        let chunk: Vec<_> = (first..documents.min(first + CHUNK))
            .into_par_iter()
            .map(|number| language.measured_document(number))
            .collect();
        // Added up in order, so that the sums are the same on any number of threads.
        for (number, document) in chunk.into_iter().enumerate() {
            if first + number as u64 > 0 {
                file.write_all(b"\n").map_err(failed())?;
            }
            file.write_all(document.text.as_bytes()).map_err(failed())?;
            words += document.words;
            nats += document.nats;
            certain += document.certain;
        }
    }
    file.into_inner().map_err(|error| failed()(error.into_error()))?.finish()?;
    // To the digits that every machine's logarithm agrees on.
    let share = |amount: f64| (amount / words as f64 * 1e6).round() / 1e6;
    Ok(Summary { documents, words, entropy: share(nats), certain: share(certain as f64) })
}

/// A header and so many different lines.
fn examples(language: &impl Family, task: usize, part: Part, size: u64) -> String {
    let stream = (Part::ALL.len() * task) as u64 + part as u64;
    let mut seen = HashSet::new();
    let make = language.examples(task, part);
    let mut lines = format!("{}\tlabel\n", language.tasks()[task].texts.join("\t"));
    for number in 0.. {
        let mut random = Random::new(language.seed(), b"examples", (stream << 32) + number);
        let example = make(&mut random);
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

fn minimal_pairs(language: &impl Family, paradigm: usize, size: u64) -> String {
    let mut seen = HashSet::new();
    let mut lines = String::new();
    let (uid, make) = (language.paradigms()[paradigm], language.pairs(paradigm));
    for number in 0.. {
        let mut random = Random::new(language.seed(), b"pairs\0\0\0", ((paradigm as u64) << 32) + number);
        let [good, bad] = make(&mut random);
        if seen.insert(bad.clone()) {
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
