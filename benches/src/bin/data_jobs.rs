//! The jobs of `benches/python/data_jobs.py`, done by this project, on the same files: see its docstring.
//!
//! `data_jobs prepare DIR` writes the inputs, `data_jobs run DIR` does the jobs and prints a JSON
//! object a job. The number of threads is rayon's (`RAYON_NUM_THREADS`).

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a measurement that nobody reads is over")]

use std::path::Path;
use std::time::Instant;

use electra_benches::{build, events, lines, mask_batches, tokenizer};
use electra_data::Corpus;
use electra_text::{Event, Inputs, ReadConfig, Reader, Separator};
use electra_tokenizer::{Tokenizer, TrainConfig, train_from_files};

/// V of the vocabularies.
const VOCAB_SIZE: usize = 30_522;
/// Batches that are gathered and masked.
const BATCHES: u64 = 200;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["prepare", folder] => prepare(Path::new(folder)),
        ["run", folder] => run(Path::new(folder)),
        _ => {
            eprintln!("usage: data_jobs prepare DIR | data_jobs run DIR");
            std::process::exit(2);
        }
    }
}

/// Writes `text.txt` and the tokenizer that both sides encode with.
fn prepare(folder: &Path) {
    let events = events();
    let mut text = String::new();
    for event in &events {
        if let Event::Line(line) = event {
            text += line;
        }
        text.push('\n');
    }
    std::fs::write(folder.join("text.txt"), text).expect("the folder can be written");
    let tokenizer = tokenizer(&lines(&events), VOCAB_SIZE);
    tokenizer.save(folder.join("tokenizer")).expect("the folder can be written");
}

fn run(folder: &Path) {
    let text = folder.join("text.txt").to_string_lossy().into_owned();
    let reading = || ReadConfig::new(Separator::BlankLine);
    let inputs = || Inputs::expand(&[&text]).expect("prepared");

    let trained = job("train vocabulary", || {
        let trained =
            train_from_files(&TrainConfig::uncased(VOCAB_SIZE), inputs(), reading()).expect("prepared");
        (trained.report.words, trained)
    });
    drop(trained);

    let tokenizer = Tokenizer::load(folder.join("tokenizer")).expect("prepared").special_tokens_as_text(true);
    let read =
        || Reader::new(inputs(), reading()).expect("prepared").collect::<Result<Vec<_>, _>>().expect("UTF-8");
    let events = read();
    let lines = lines(&events);
    job("encode", || {
        let ids = tokenizer.encode_batch(&lines);
        (ids.iter().map(|ids| ids.len() as u64).sum(), ids)
    });

    let corpus = folder.join("corpus");
    // A corpus of an earlier run; the first has none.
    let _ = std::fs::remove_dir_all(&corpus);
    job("text to shards", || {
        let corpus = build(read(), &tokenizer, &corpus);
        (corpus.manifest().counts.text_tokens, corpus)
    });

    let corpus = Corpus::open(&corpus).expect("just built");
    corpus.verify().expect("just built");
    job("gather and mask 128 × 128", || (mask_batches(&corpus, BATCHES), ()));
}

/// Times a job that says how many tokens it has dealt with.
fn job<T>(name: &str, work: impl FnOnce() -> (u64, T)) -> T {
    let started = Instant::now();
    let (tokens, result) = work();
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({ "job": name, "tokens": tokens, "seconds": seconds }));
    result
}
