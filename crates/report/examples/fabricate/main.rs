//! A report of made-up measurements, to look at: `cargo run -p electra-report --example fabricate -- REPORT`.

#[path = "../../../analysis/tests/it/random.rs"]
mod random;
mod study;

use std::error::Error;
use std::path::PathBuf;

use electra_analysis::{AnalysisConfig, analyse};
use electra_report::{conclude, write};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("expected the folder to write to")?);
    let findings = analyse(&study::fabricated(6, 1000), &AnalysisConfig::standard())?;
    write(&findings, &folder)?;
    let conclusion = conclude(&findings);
    println!("{}\n{}", conclusion.opening.join("\n"), conclusion.ordering_sentence);
    println!("{}", folder.join("report.html").display());
    Ok(())
}
