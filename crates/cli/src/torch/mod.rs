//! The commands that compute with networks, and what else of the program needs libtorch.

mod bars;
mod detect;
mod export;
mod finetune;
mod memory;
mod minimal_pairs;
mod predict;
mod pretrain;
mod probe;
mod replacements;
mod run_folder;

use clap::Subcommand;

use crate::failure::{FAILED, INTERRUPTED};

// A line here would take the place of the whole text that a command's options begin with.
#[derive(Subcommand)]
pub(crate) enum Command {
    Pretrain(pretrain::Options),
    Export(export::Options),
    Finetune(finetune::Options),
    Predict(predict::Options),
    MinimalPairs(minimal_pairs::Options),
    Probe(probe::Options),
    Detect(detect::Options),
    Replacements(replacements::Options),
}

pub(crate) fn run(command: &Command) -> anyhow::Result<()> {
    memory::caught(|| less_memory(command), || dispatch(command))
}

/// What takes less memory.
fn less_memory(command: &Command) -> String {
    match command {
        Command::Pretrain(options) => options.less_memory(),
        Command::Finetune(_) => "a smaller batch or max_length (--set) takes less".to_owned(),
        Command::Detect(_) => "a smaller --batch takes less".to_owned(),
        _ => "a machine with more memory, or fewer programs beside this one, would do".to_owned(),
    }
}

fn dispatch(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Pretrain(options) => pretrain::run(options),
        Command::Export(options) => export::run(options),
        Command::Finetune(options) => finetune::run(options),
        Command::Predict(options) => predict::run(options),
        Command::MinimalPairs(options) => minimal_pairs::run(options),
        Command::Probe(options) => probe::run(options),
        Command::Detect(options) => detect::run(options),
        Command::Replacements(options) => replacements::run(options),
    }
}

/// Fails where the program would compute with another libtorch or other kernels than it is asked to.
pub(crate) fn check_environment() -> anyhow::Result<()> {
    Ok(electra_torch::check_environment()?)
}

/// Says something that does not end the command.
fn note(text: Option<&str>) {
    if let Some(text) = text {
        crate::output::tell(&format!("note: {text}"));
    }
}

/// Succeeds: this program has what the jobs of a study need.
pub(crate) fn require(_purpose: &str) -> anyhow::Result<()> {
    Ok(())
}

pub(crate) use electra_torch::exit;

/// The exit code of an error of these commands.
pub(crate) fn exit_code(cause: &(dyn std::error::Error + 'static)) -> Option<i32> {
    if let Some(electra_trainer::Error::NonFinite { .. }) = cause.downcast_ref() {
        return Some(FAILED);
    }
    if cause.is::<memory::OutOfMemory>() {
        return Some(FAILED);
    }
    match cause.downcast_ref() {
        Some(electra_evaluation::Error::Interrupted) => return Some(INTERRUPTED),
        Some(electra_evaluation::Error::NonFinite { .. }) => return Some(FAILED),
        _ => {}
    }
    cause.is::<tch::TchError>().then_some(FAILED)
}
