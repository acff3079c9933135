//! `electra report`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use electra_analysis::{AnalysisConfig, analyse};
use electra_report::{conclude, read_measurements, write};

use crate::output;

/// Make a study's report again, from its measurements and predictions.
///
/// FOLDER is a study's folder, or a folder with a copy of its measurements.json and predictions. Level and margin come from the
/// results.json in FOLDER, unless they are given.
#[derive(Args)]
#[command(after_help = "Examples:
  electra report study --output again
  electra report study --margin 2 --output with-a-margin")]
pub(crate) struct Options {
    /// Folder with measurements.json and predictions
    folder: PathBuf,
    /// Folder for the report
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Level at which all intervals of a family hold together, such as 0.95
    #[arg(long, value_name = "SHARE")]
    level: Option<f64>,
    /// Margin in points within which two arms count as the same
    #[arg(long, value_name = "POINTS")]
    margin: Option<f64>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let measurements = read_measurements(&options.folder)?;
    let results = options.folder.join("results.json");
    let before =
        if results.exists() { electra_report::read(&results)?.config } else { AnalysisConfig::standard() };
    let config = AnalysisConfig {
        level: options.level.unwrap_or(before.level),
        margin: options.margin.or(before.margin),
        ..before
    };
    config.check()?;
    let file = || options.folder.join("measurements.json").display().to_string();
    let findings = analyse(&measurements, &config).with_context(file)?;
    write(&findings, &options.output)?;
    let sentence = conclude(&findings).sentence;
    output::print(&format!("{sentence}\n{}/report.html\n", output::shown(&options.output)))
}
