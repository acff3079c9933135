//! `electra probe`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use electra_config::{DeviceChoice, Precision};
use electra_encoder::Compute;
use electra_evaluation::{Prober, TaskData};
use electra_store::{NewFolder, require_vacant};
use electra_tasks::Split;
use serde_json::json;

use crate::hub::{self, Files};
use crate::{interrupt, output};

/// Measure what an encoder knows about a task without fine-tuning, by a linear map on frozen features.
///
/// The encoder is not changed. The features of a text are the mean and the maximum over its tokens, for each layer; a pair
/// also has the mean over its second text. A ridge regression in closed form maps the features to the labels. Nothing is
/// random, so there are no seeds and no noise of fine-tuning. The tasks are those of electra finetune that have labels or
/// numbers for whole texts. OUTPUT/TASK has scores.json and the predictions; the folder is written whole or not at all.
#[derive(Args)]
#[command(after_help = "Examples:
  electra probe --model export --data language/tasks --task entailment topic --evaluate test --output probes
  electra probe --model hf:google/electra-small-discriminator --data GLUE --task RTE --output probes --json")]
pub(crate) struct Options {
    /// Folder in the Hub's layout with its tokenizer, or hf:NAME[/FOLDER][@REVISION] of the Hub
    #[arg(long, value_name = "DIR|hf:NAME")]
    model: PathBuf,
    /// Task: a known name, or a folder with a task.toml
    #[arg(long, required = true, num_args = 1.., value_name = "NAME|DIR")]
    task: Vec<PathBuf>,
    /// Folder that holds the folders of the known tasks
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Sets to score; for a test set without labels, only predictions are written
    #[arg(long, value_delimiter = ',', default_value = "dev", value_name = "SET,…")]
    evaluate: Vec<Split>,
    /// Folder to write to; must be new or empty
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Threads [default: libtorch's]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "N")]
    threads: usize,
    /// Print the scores as JSON, one line for each task
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    require_vacant(&options.output)?;
    let model = hub::folder(&options.model, Files::Model)?;
    let stop = interrupt::flag("");
    let tasks = options.task.iter().map(|name| electra_tasks::find(name, options.data.as_deref()));
    let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
    let compute = Compute::set_up(DeviceChoice::Auto, options.threads, Precision::Fp32, false)?;
    let prober = Prober::read(&model, compute.device)?;
    super::note(prober.note());
    let new = NewFolder::create_all(&options.output)?;
    let mut lines = Vec::new();
    for task in tasks {
        let name = task.name.clone();
        let data = TaskData::read(task, &options.evaluate)?;
        data.notes().for_each(|note| super::note(Some(&note)));
        let scores =
            prober.probe(&data, &new.path().join(&name), &stop).with_context(|| format!("task {name}"))?;
        lines.push(if options.json { json!(scores).to_string() } else { line(&scores) });
    }
    new.finish()?;
    lines.iter().try_for_each(output::line)
}

fn line(scores: &electra_evaluation::ProbeScores) -> String {
    let metric = &scores.metric;
    let of_set = |(set, found): (&String, &electra_evaluation::Scores)| {
        let found = found.get(metric).copied().unwrap_or(f64::NAN);
        format!("{metric} {found:.4} ({set})")
    };
    let shown: Vec<String> = scores.scores.iter().map(of_set).collect();
    let shown = if shown.is_empty() { "no labels, so no score".to_owned() } else { shown.join(", ") };
    format!("{}: {shown}", output::escaped(&scores.task))
}
