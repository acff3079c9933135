//! `electra pretrain`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use electra_config::Checkpoints;
use electra_trainer::{Event, Outcome, Run, train};
use indicatif::{HumanCount, ProgressBar};
use serde_json::json;

use super::{bars, run_folder};
use crate::failure::{Ended, INTERRUPTED};
use crate::{interrupt, output, progress};

/// Pre-train an encoder, or go on with a run that was interrupted.
///
/// What the file does not say comes from its preset (tiny, small, base, large), with the paper's values. The
/// run's folder holds settings, logs and checkpoints; the same command goes on from the newest whole one. On
/// the CPU, with a fixed number of threads, a run that was killed and continued ends with the same bytes as
/// one that was not.
#[derive(Args)]
#[command(after_help = "Examples:
  electra pretrain --config run.toml --run runs/electra-1
  electra pretrain --config run.toml --set objective=mlm --set seed=2 --run runs/mlm-2
  electra pretrain --config run.toml --set budget.flops=1.3e15 --run runs/by-compute

A file:
  preset = \"small\"
  objective = \"electra\"      # mlm, electra-15, replace-mlm, all-tokens-mlm, controls
  seed = 1
  [data]
  corpus = \"corpus\"
  tokenizer = \"tokenizer\"
  [budget]
  steps = 1000               # or tokens, flops, seconds")]
pub(crate) struct Options {
    /// Settings, TOML
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// A setting that takes the place of the file's
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Folder of the run; it is continued if it holds one of the same settings
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Options {
    /// The run's folder.
    pub(super) fn run(&self) -> &Path {
        &self.run
    }
}

/// What takes less memory, and what is saved already.
pub(super) fn less_memory(run: &Path) -> String {
    let saved = Checkpoints::of_run(run).list().ok().and_then(|list| list.into_iter().next());
    let saved = saved.map_or(String::new(), |(step, _)| format!("; the checkpoint of step {step} is saved"));
    format!("a smaller budget.batch, or a larger budget.accumulation, takes less{saved}")
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let masking = |name: &str| Ok((electra_ablations::info(name)?.masking)());
    let config = electra_trainer::read_config(&options.config, &options.set, masking)?;
    let continues_word = run_folder::continues_word(&config)?;

    let stop = interrupt::flag("finishing the step and saving");
    let bar = bars::steps();
    let mut lines = bars::Lines::new();
    let mut observer = |event: &Event| show(&bar, &mut lines, event);
    let outcome = train(Run {
        config: &config,
        folder: &options.run,
        objective: electra_ablations::objective(&config.objective)?,
        continues_word: &continues_word,
        stop: &stop,
        observer: &mut observer,
    });
    bar.finish_and_clear();
    let outcome = outcome?;
    report(options, outcome)?;
    match outcome {
        Outcome::Finished { .. } => Ok(()),
        Outcome::Interrupted { .. } => Err(Ended(INTERRUPTED).into()),
    }
}

fn show(bar: &ProgressBar, lines: &mut bars::Lines, event: &Event) {
    match event {
        Event::Warning(text) => bar.suspend(|| {
            output::warn(text);
        }),
        Event::Started { step, steps, parameters, peak_flops_per_s } => {
            bar.suspend(|| {
                let from = if *step > 0 {
                    format!("going on after step {}", HumanCount(*step))
                } else {
                    "new".into()
                };
                output::tell(&format!(
                    "{from}; {} parameters; matrix products at {:.0} GFLOP/s here",
                    HumanCount(*parameters),
                    peak_flops_per_s / 1e9
                ));
            });
            if let Some(steps) = steps {
                bar.set_prefix(format!("of {} steps", HumanCount(*steps)));
            }
        }
        Event::Step { step, progress, rates } => {
            bar.set_position((progress * progress::WHOLE as f64) as u64);
            let rates = rates.map_or_else(String::new, |rates| {
                format!(
                    "loss {:.3} · {} tokens/s · {:.0} % of peak · {} left",
                    rates.loss,
                    HumanCount(rates.tokens_per_s as u64),
                    100.0 * rates.peak_share,
                    progress::time(rates.seconds_left),
                )
            });
            bar.set_message(format!("step {} · {rates}", HumanCount(*step)));
            lines.print(bar);
        }
        // A save is not worth a line: the next step shows that it went well, and an error that it did not.
        _ => {}
    }
}

fn report(options: &Options, outcome: Outcome) -> Result<()> {
    let (step, finished) = match outcome {
        Outcome::Finished { step } => (step, true),
        Outcome::Interrupted { step } => (step, false),
    };
    let (run, steps) = (output::shown(&options.run), HumanCount(step));
    if options.json {
        let run = output::json_path(&options.run);
        output::line(json!({ "run": run, "step": step, "finished": finished }))
    } else if finished {
        output::line(format_args!(
            "{run}: finished, {steps} steps; take it on with: electra export --run {run} --output DIR"
        ))
    } else {
        output::line(format_args!(
            "{run}: interrupted after step {steps}, which is saved; the same command goes on"
        ))
    }
}
