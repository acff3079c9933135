//! `electra pretrain`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use electra_config::{Checkpoints, InitConfig, PartialConfig};
use electra_trainer::{Event, Outcome, Rates, Run, Valid, train};
use indicatif::{HumanCount, ProgressBar};
use serde_json::json;

use super::{bars, init, ranks, run_folder};
use crate::failure::{Ended, INTERRUPTED};
use crate::hub::{self, Files};
use crate::{interrupt, output, progress};

/// Pre-train an encoder, or continue a run that was interrupted.
///
/// Settings that are not in the file come from its preset (tiny, small, base, large, roberta, modern-tiny, ettin-17m,
/// modernbert-base), which has the paper's values. The run's folder holds settings, logs and checkpoints. The same command
/// continues from the newest complete checkpoint. On the CPU, with a fixed number of threads, a run that was killed and
/// continued ends with the same bytes as one that was not.
#[derive(Args)]
#[command(after_help = "Examples:
  electra pretrain --config run.toml --run runs/electra-1
  electra pretrain --config run.toml --set objective=mlm --set seed=2 --run runs/mlm-2
  electra pretrain --config run.toml --set budget.flops=1.3e15 --run runs/by-compute
  electra pretrain --config run.toml --run runs/two-gpus --ranks 2
  torchrun --standalone --nproc-per-node 8 --no-python -- electra pretrain --config run.toml --run runs/8

A file:
  preset = \"small\"
  objective = \"electra\"      # mlm, electra-15, replace-mlm, all-tokens-mlm, controls
  seed = 1
  [data]
  corpus = \"corpus\"
  tokenizer = \"tokenizer\"
  valid = \"held-out\"         # a corpus to evaluate on; optional
  [budget]
  steps = 1000               # or tokens, flops, seconds")]
pub(crate) struct Options {
    /// File of settings, TOML
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Override a setting of the file; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Folder of the run; a run with the same settings in it is continued
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    #[command(flatten)]
    ranks: ranks::RankOptions,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Options {
    /// The run's folder.
    pub(super) fn run(&self) -> &Path {
        &self.run
    }

    /// What a process is started with that takes part in this command.
    fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["pretrain".into()];
        arguments.extend(["--config".into(), self.config.clone().into()]);
        arguments.extend(["--run".into(), self.run.clone().into()]);
        arguments.extend(self.set.iter().flat_map(|set| ["--set".into(), set.into()]));
        arguments.extend(self.json.then(|| "--json".into()));
        arguments
    }
}

/// What takes less memory, and what is saved already.
pub(super) fn less_memory(run: &Path) -> String {
    let saved = Checkpoints::of_run(run).list().ok().and_then(|list| list.into_iter().next());
    let saved = saved.map_or(String::new(), |(step, _)| format!("; the checkpoint of step {step} is saved"));
    format!("a smaller budget.batch, or a larger budget.accumulation, takes less{saved}")
}

pub(crate) fn run(options: &Options) -> Result<()> {
    train_or_launch(options).inspect_err(ranks::tell_torchrun)
}

fn train_or_launch(options: &Options) -> Result<()> {
    let launched = options.ranks.to_launch()?;
    let masking = |name: &str| Ok((electra_ablations::info(name)?.masking)());
    let set = with_local_weights(options)?;
    let config = electra_trainer::read_config(&options.config, &set, masking)?;
    let continues_word = run_folder::continues_word(&config)?;
    init::check_tokenizer(&config)?;
    if let Some(ranks) = launched {
        return options.ranks.launch(ranks, options.arguments());
    }
    let ranks = options.ranks.meet()?;
    let is_first = ranks.rank() == 0;

    let stop = interrupt::flag(if is_first { "finishing the step and saving" } else { "" });
    let bar = bars::steps();
    let mut lines = bars::Lines::new();
    let mut valid = None;
    let mut observer = |event: &Event| {
        if let Event::Step { rates: Some(rates), .. } = event {
            valid = rates.valid;
        }
        if is_first {
            show(&bar, &mut lines, event);
        }
    };
    let outcome = train(Run {
        config: &config,
        folder: &options.run,
        objective: electra_ablations::objective(&config.objective)?,
        continues_word: &continues_word,
        ranks: &ranks,
        stop: &stop,
        observer: &mut observer,
    });
    bar.finish_and_clear();
    let outcome = outcome?;
    if is_first {
        report(options, outcome, valid)?;
    }
    match outcome {
        Outcome::Finished { .. } => Ok(()),
        Outcome::Interrupted { .. } => Err(Ended(INTERRUPTED).into()),
    }
}

/// The settings of the options, with the folder of the Hub's cache in the place of a model that the run begins with. The
/// folder's name has the commit, so that the run's settings say which weights these were.
fn with_local_weights(options: &Options) -> Result<Vec<String>> {
    let mut set = options.set.clone();
    let init = PartialConfig::read(&options.config, &set)?.init()?;
    for (key, named) in init.into_iter().flat_map(|InitConfig { discriminator, generator }| {
        [("init.discriminator", Some(discriminator)), ("init.generator", generator)]
    }) {
        let Some(named) = named else { continue };
        let local = hub::folder(&named, Files::Model)?;
        if *local != named {
            set.push(format!("{key}={}", local.display()));
        }
    }
    Ok(set)
}

fn show(bar: &ProgressBar, lines: &mut bars::Lines, event: &Event) {
    match event {
        Event::Warning(text) => bar.suspend(|| {
            output::warn(text);
        }),
        Event::Remark(remark) => bar.suspend(|| output::tell(&remark.text)),
        Event::Started { step, steps, parameters, products, peak_flops_per_s, unigram_loss } => {
            bar.suspend(|| {
                let from = if *step > 0 {
                    format!("continuing after step {}", HumanCount(*step))
                } else {
                    "new".into()
                };
                let frequencies = unigram_loss.map_or_else(String::new, |loss| {
                    format!("; token frequencies alone give a loss of {loss:.2}")
                });
                output::tell(&format!(
                    "{from}; {} parameters; matrix products in {products} at {:.0} GFLOP/s here{frequencies}",
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
            let rates = rates.as_ref().map_or_else(String::new, numbers);
            bar.set_message(format!("step {} · {rates}", HumanCount(*step)));
            lines.print(bar);
        }
        // A save is not worth a line: the next step shows that it went well, and an error that it did not.
        _ => {}
    }
}

/// How a run is doing, in a line.
fn numbers(rates: &Rates) -> String {
    let valid = rates.valid.map_or_else(String::new, |valid| {
        // Of masked language modelling alone the two are one loss.
        let masked_lm_loss = valid.masked_lm_loss.filter(|loss| *loss != valid.loss);
        let masked_lm_loss = masked_lm_loss.map_or_else(String::new, |loss| format!(", masked LM {loss:.3}"));
        let auc = valid.disc_auc.map_or_else(String::new, |auc| format!(", AUC {auc:.3}"));
        format!(" · valid {:.3}{masked_lm_loss}{auc}", valid.loss)
    });
    format!(
        "loss {:.3}{valid} · {} tokens/s · {:.0} % of peak · {} left",
        rates.loss,
        HumanCount(rates.tokens_per_s as u64),
        100.0 * rates.peak_share,
        progress::time(rates.seconds_left),
    )
}

fn report(options: &Options, outcome: Outcome, valid: Option<Valid>) -> Result<()> {
    let (step, finished) = match outcome {
        Outcome::Finished { step } => (step, true),
        Outcome::Interrupted { step } => (step, false),
    };
    let (run, steps) = (output::shown(&options.run), HumanCount(step));
    if options.json {
        let run = output::json_path(&options.run);
        let mut report = json!({ "run": run, "step": step, "finished": finished });
        if let Some(Valid { step, loss, masked_lm_loss, disc_auc }) = valid {
            report["valid"] = json!({
                "step": step,
                "loss": loss,
                "masked_lm_loss": masked_lm_loss,
                "disc_auc": disc_auc,
            });
        }
        output::line(report)
    } else if finished {
        output::line(format_args!(
            "{run}: finished, {steps} steps; next: electra export --run {run} --output DIR"
        ))
    } else {
        output::line(format_args!(
            "{run}: interrupted after step {steps}, which is saved; the same command continues it"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_numbers_of_held_out_text() {
        let rates =
            |valid| Rates { loss: 20.5, valid, tokens_per_s: 12_345.6, peak_share: 0.5, seconds_left: 61.0 };
        let rest = "12,345 tokens/s · 50 % of peak · 1 min 1 s left";
        assert_eq!(numbers(&rates(None)), format!("loss 20.500 · {rest}"));
        let valid = Valid { step: 3, loss: 21.25, masked_lm_loss: Some(6.5), disc_auc: Some(0.75) };
        let shown = format!("loss 20.500 · valid 21.250, masked LM 6.500, AUC 0.750 · {rest}");
        assert_eq!(numbers(&rates(Some(valid))), shown);
        let valid = Valid { masked_lm_loss: Some(21.25), disc_auc: None, ..valid };
        assert_eq!(numbers(&rates(Some(valid))), format!("loss 20.500 · valid 21.250 · {rest}"));
    }
}
