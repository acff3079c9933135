//! A report of made-up measurements, to look at: `cargo run -p electra-report --example fabricate -- REPORT`.

mod study;

use std::error::Error;
use std::path::PathBuf;

use electra_report::{AnalysisConfig, analyse, write};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("expected the folder to write to")?);
    let results = analyse(&study::fabricated(3, 1000), &AnalysisConfig::standard())?;
    write(&results, &folder)?;
    println!("{}\n{}", results.conclusion.sentence, results.conclusion.ordering_sentence);
    println!("{}", folder.join("report.html").display());
    Ok(())
}
