//! The commands that compute with networks, and what else of the program needs libtorch.

mod bars;
mod detect;
mod embed;
mod export;
mod finetune;
mod init;
mod memory;
mod minimal_pairs;
mod predict;
mod pretrain;
mod probe;
mod ranks;
mod replacements;
mod run_folder;

use clap::Subcommand;
use electra_config::Precision;

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
    Embed(embed::Options),
    Detect(detect::Options),
    Replacements(replacements::Options),
}

pub(crate) fn run(command: &Command) -> anyhow::Result<()> {
    memory::caught(less_memory(command), || dispatch(command))
}

/// What takes less memory.
fn less_memory(command: &Command) -> Box<dyn Fn() -> String + Send + Sync> {
    let fixed = |advice: &'static str| Box::new(move || advice.to_owned());
    match command {
        Command::Pretrain(options) => {
            let run = options.run().to_owned();
            Box::new(move || pretrain::less_memory(&run))
        }
        Command::Finetune(_) => fixed("a smaller batch or max_length (--set) takes less"),
        Command::Detect(_) => fixed("a smaller --batch takes less"),
        _ => fixed(memory::ADVICE),
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
        Command::Embed(options) => embed::run(options),
        Command::Detect(options) => detect::run(options),
        Command::Replacements(options) => replacements::run(options),
    }
}

/// From now on memory that runs out, and whatever else libtorch throws, ends the program in one line.
pub(crate) use memory::catch;

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

/// A precision, as an option names it.
fn precision(name: &str) -> Result<Precision, String> {
    match name {
        "fp32" => Ok(Precision::Fp32),
        "bf16" => Ok(Precision::Bf16),
        "auto" => Ok(Precision::Auto),
        _ => Err("expected fp32, bf16 or auto".to_owned()),
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
    if let Some(electra_trainer::Error::LostRank { .. } | electra_trainer::Error::Parted { .. }) =
        cause.downcast_ref()
    {
        return Some(FAILED);
    }
    if cause.is::<memory::Thrown>() {
        return Some(FAILED);
    }
    if let Some(electra_torch::Error::Torch { .. } | electra_torch::Error::Load { .. }) = cause.downcast_ref()
    {
        return Some(FAILED);
    }
    match cause.downcast_ref() {
        Some(electra_evaluation::Error::Interrupted) => return Some(INTERRUPTED),
        Some(electra_evaluation::Error::NonFinite { .. }) => return Some(FAILED),
        _ => {}
    }
    cause.is::<tch::TchError>().then_some(FAILED)
}
