//! `electra corpus synthesize`.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use electra_synthetic::{Language, NestedClauses, Sizes};
use indicatif::HumanCount;
use serde_json::json;

use crate::output;

/// Generate a language and write its text, tasks, minimal pairs and lexicon.
///
/// The same seed and sizes give the same bytes on every machine. The folder is written whole or not at all.
#[derive(Args)]
#[command(after_help = "Examples:
  electra corpus synthesize --output language
  electra corpus synthesize --seed 7 --documents 100000 --output language
  electra corpus synthesize --family nested-clauses --output nested
  electra finetune --model MODEL --task language/tasks/polarity --output polarity")]
pub(crate) struct Options {
    /// Seed of the words, the worlds, the documents and the tasks
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Documents of the text; each has about 39 words, or 160 in nested-clauses
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    documents: u64,
    /// The kind of language
    #[arg(long, value_enum, default_value = "worlds-of-facts")]
    family: Family,
    /// For worlds-of-facts: documents describe two different deeds, instead of one deed twice; words and tasks do not change
    #[arg(long)]
    told_once: bool,
    /// Examples of each task's train set
    #[arg(long, default_value_t = 2000, value_name = "N")]
    train: u64,
    /// Examples of each task's dev set
    #[arg(long, default_value_t = 1000, value_name = "N")]
    dev: u64,
    /// Examples of each task's test set
    #[arg(long, default_value_t = 2000, value_name = "N")]
    test: u64,
    /// Folder to write to; must be new or empty
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Family {
    /// Short documents about entities of worlds, whose facts the tasks ask for
    WorldsOfFacts,
    /// Long documents of nested clauses, with words by Zipf's law and of several senses; tasks for probes
    NestedClauses,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let Options { seed, family, documents, told_once, train, dev, test, output: ref folder, json } = *options;
    ensure!(!folder.is_file(), "{}: is a file; expected a folder that is new or empty", folder.display());
    let once = told_once && family == Family::NestedClauses;
    ensure!(!once, "--told-once: languages of the family nested-clauses tell nothing twice on purpose");
    let sizes = Sizes { documents, train, dev, test };
    let summary = match family {
        Family::WorldsOfFacts if told_once => Language::new(seed).telling_once().write(sizes, folder)?,
        Family::WorldsOfFacts => Language::new(seed).write(sizes, folder)?,
        Family::NestedClauses => NestedClauses::new(seed).write(sizes, folder)?,
    };
    if json {
        let family = family.to_possible_value().map(|name| name.get_name().to_owned());
        let result = json!({
            "family": family, "seed": seed, "told_twice": !told_once,
            "output": output::json_path(folder), "summary": summary
        });
        return output::line(format_args!("{result:#}"));
    }
    output::print(&format!(
        "{}: {} documents, {} words\n\
         given the rest of its document, a word is certain in {:.1} % of cases and open by {:.3} nats on average\n",
        output::shown(folder),
        HumanCount(documents),
        HumanCount(summary.words),
        100.0 * summary.certain,
        summary.entropy,
    ))
}
