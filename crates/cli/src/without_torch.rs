//! What stands for `torch` in a program that is built without libtorch: its commands exist and say what they lack.

use std::ffi::OsString;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Not in this program: it needs libtorch
    Pretrain(Options),
    /// Not in this program: it needs libtorch
    Export(Options),
    /// Not in this program: it needs libtorch
    Finetune(Options),
    /// Not in this program: it needs libtorch
    Predict(Options),
    /// Not in this program: it needs libtorch
    MinimalPairs(Options),
    /// Not in this program: it needs libtorch
    Probe(Options),
    /// Not in this program: it needs libtorch
    Embed(Options),
    /// Not in this program: it needs libtorch
    Detect(Options),
    /// Not in this program: it needs libtorch
    Replacements(Options),
}

/// Whatever the command would take.
#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    _options: Vec<OsString>,
}

pub(crate) fn run(command: &Command) -> Result<()> {
    require(match command {
        Command::Pretrain(_) => "electra pretrain",
        Command::Export(_) => "electra export",
        Command::Finetune(_) => "electra finetune",
        Command::Predict(_) => "electra predict",
        Command::MinimalPairs(_) => "electra minimal-pairs",
        Command::Probe(_) => "electra probe",
        Command::Embed(_) => "electra embed",
        Command::Detect(_) => "electra detect",
        Command::Replacements(_) => "electra replacements",
    })
}

/// Fails, for `purpose` needs libtorch.
pub(crate) fn require(purpose: &str) -> Result<()> {
    bail!(
        "{purpose} needs libtorch, and this program was built without it: build electra-cli with the feature \
         `torch`, which is on by default"
    )
}

pub(crate) fn catch() {}

pub(crate) fn check_environment() -> Result<()> {
    Ok(())
}

pub(crate) use std::process::exit;

pub(crate) fn exit_code(_cause: &(dyn std::error::Error + 'static)) -> Option<i32> {
    None
}
