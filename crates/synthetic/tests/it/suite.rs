//! The files of a language, read as any user would read them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use electra_synthetic::{Language, Sizes};
use tempfile::TempDir;

pub(crate) struct Row {
    pub(crate) texts: Vec<String>,
    pub(crate) label: String,
}

pub(crate) struct Suite {
    pub(crate) folder: TempDir,
    /// By word: the columns of `lexicon.tsv` that are not empty.
    pub(crate) lexicon: HashMap<String, HashMap<String, String>>,
    /// By name and relation.
    pub(crate) facts: HashMap<(String, usize), String>,
}

impl Suite {
    pub(crate) fn new(seed: u64, sizes: Sizes) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Language::new(seed).write(sizes, &folder.path().join("language")).unwrap();
        let lexicon = table(&folder.path().join("language/lexicon.tsv"))
            .into_iter()
            .map(|entry| (entry["word"].clone(), entry))
            .collect();
        let mut relations: Vec<String> = Vec::new();
        let mut facts = HashMap::new();
        for fact in table(&folder.path().join("language/facts.tsv")) {
            if !relations.contains(&fact["relation"]) {
                relations.push(fact["relation"].clone());
            }
            let relation = relations.iter().position(|name| *name == fact["relation"]).unwrap();
            facts.insert((fact["name"].clone(), relation), fact["value"].clone());
        }
        Self { folder, lexicon, facts }
    }

    pub(crate) fn rows(&self, task: &str, set: &str) -> Vec<Row> {
        let path = self.folder.path().join(format!("language/tasks/{task}/{set}.tsv"));
        let text = fs::read_to_string(path).unwrap();
        let rows = text.lines().skip(1).map(|line| {
            let mut texts: Vec<String> = line.split('\t').map(str::to_owned).collect();
            let label = texts.pop().unwrap();
            Row { texts, label }
        });
        rows.collect()
    }

    /// The minimal pairs of a phenomenon: the right sentence, the wrong one.
    pub(crate) fn pairs(&self, phenomenon: &str) -> Vec<[Row; 2]> {
        let path = self.folder.path().join(format!("language/minimal-pairs/{phenomenon}.jsonl"));
        let text = fs::read_to_string(path).unwrap();
        let pair = |line: &str| {
            let pair: serde_json::Value = serde_json::from_str(line).unwrap();
            [("sentence_good", "yes"), ("sentence_bad", "no")].map(|(key, label)| Row {
                texts: vec![pair[key].as_str().unwrap().to_owned()],
                label: label.to_owned(),
            })
        };
        text.lines().map(pair).collect()
    }

    /// A column of the lexicon for a word, if it applies.
    pub(crate) fn get(&self, word: &str, column: &str) -> Option<&str> {
        self.lexicon[word].get(column).map(String::as_str)
    }

    pub(crate) fn class(&self, word: &str) -> &str {
        self.get(word, "class").unwrap()
    }
}

fn table(path: &Path) -> Vec<HashMap<String, String>> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let row = |line: &str| {
        let fields = header.iter().zip(line.split('\t')).filter(|(_, field)| !field.is_empty());
        fields.map(|(name, field)| ((*name).to_owned(), field.to_owned())).collect()
    };
    lines.map(row).collect()
}
