//! A report of made-up measurements, to look at: `cargo run -p electra-report --example fabricate -- REPORT`, and with
//! `sizes` after it one of two objectives at three sizes.

#![allow(clippy::print_stdout, reason = "an example")]

#[path = "../../../analysis/tests/it/random.rs"]
mod random;
mod sizes;
mod study;

use std::error::Error;
use std::path::PathBuf;

use electra_analysis::{AnalysisConfig, analyse};
use electra_report::{conclude, write};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("expected the folder to write to")?);
    let study = match std::env::args().nth(2).as_deref() {
        None => study::fabricated(6, 1000),
        Some("sizes") => sizes::fabricated(6),
        Some(other) => return Err(format!("{other}; expected sizes, or nothing").into()),
    };
    let findings = analyse(&study, &AnalysisConfig::standard())?;
    write(&findings, &folder)?;
    let conclusion = conclude(&findings);
    println!("{}\n{}", conclusion.opening.join("\n"), conclusion.ordering_sentence);
    println!("{}", folder.join("report.html").display());
    Ok(())
}
