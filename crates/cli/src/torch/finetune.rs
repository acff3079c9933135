//! `electra finetune`.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use electra_encoder::Compute;
use electra_evaluation::{
    Event, Job, Keep, Prepared, Preset, Pretrained, Recipe, TaskData, TaskResult, finetune, write_results,
};
use electra_tasks::Split;
use indicatif::ProgressBar;
use serde_json::json;

use super::bars;
use crate::hub::{self, Files};
use crate::{interrupt, output, progress};

/// Fine-tune an encoder on tasks, with several seeds, and score it.
///
/// A task is a known name (CoLA, SST-2, MRPC, STS-B, QQP, MNLI, QNLI, RTE, WNLI, SQuAD-1.1, SQuAD-2.0) or a folder with a
/// task.toml. The files of a known task are in a folder of its name in --data. AX has only a test set: use electra predict
/// with a model of MNLI. The result of each seed is a folder OUTPUT/TASK/seed-N with predictions, scores, the curve, the
/// settings, and the model as transformers loads it. OUTPUT/TASK/results.json has all seeds and their median. Finished seeds
/// are not computed again, so the same command continues after an interruption.
///
/// --preset paper is the paper's recipe. --preset practice adds bias correction, weight decay and, for few examples, more
/// epochs. --set changes any setting of the recipe; config.toml in a result lists them all.
#[derive(Args)]
#[command(after_help = "Examples:
  electra finetune --model export --task RTE --data GLUE --seeds 1,2,3 --output results
  electra finetune --model export --task tasks/entailment --task tasks/polarity --seeds 1 --output results
  electra finetune --model export --task CoLA --data GLUE --set pooling=mean --set layer_decay=1 --output results")]
pub(crate) struct Options {
    /// Folder in the Hub's layout with its tokenizer, as electra export writes, or hf:NAME[/FOLDER][@REVISION] of the Hub
    #[arg(long, value_name = "DIR|hf:NAME")]
    model: PathBuf,
    /// Task: a known name, or a folder with a task.toml
    #[arg(long, required = true, num_args = 1.., value_name = "NAME|DIR")]
    task: Vec<PathBuf>,
    /// Folder that holds the folders of the known tasks
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Seeds; each is a separate fine-tuning
    #[arg(long, value_delimiter = ',', default_value = "1", value_name = "N,…")]
    seeds: Vec<u64>,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// The recipe to begin with
    #[arg(long, value_enum, default_value = "paper")]
    preset: PresetName,
    /// As --set learning_rate=X
    #[arg(long, value_name = "X")]
    learning_rate: Option<f64>,
    /// As --set epochs=N
    #[arg(long, value_name = "N")]
    epochs: Option<u64>,
    /// As --set batch=N
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Override a setting of the recipe; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Sets to score; for a test set without labels, only predictions are written
    #[arg(long, value_delimiter = ',', default_value = "dev", value_name = "SET,…")]
    evaluate: Vec<Split>,
    /// What to keep of a fine-tuning
    #[arg(long, value_enum, default_value = "model")]
    keep: KeepName,
    /// Print the results as JSON, one line for each task
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum PresetName {
    /// The paper's values
    Paper,
    /// Values that are stable in practice
    Practice,
}

#[derive(Clone, Copy, ValueEnum)]
enum KeepName {
    /// The model, predictions, scores, curve
    Model,
    /// Everything except the model
    Predictions,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let model = hub::folder(&options.model, Files::Model)?;
    let stop = interrupt::flag("");
    let pretrained = Pretrained::read(&model)?;
    super::note(pretrained.note().as_deref());
    let tasks = options.task.iter().map(|name| electra_tasks::find(name, options.data.as_deref()));
    let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
    // What is wrong with a task or its files is said before the first is computed for hours. They are read again when
    // it is their turn: all of GLUE at once is much memory for each job of a study.
    for task in tasks.iter().skip(1) {
        recipe(options, &pretrained, &TaskData::read(task.clone(), &options.evaluate)?)?;
    }
    let mut reported = Ok(());
    for task in tasks {
        let data = TaskData::read(task, &options.evaluate)?;
        data.notes().for_each(|note| super::note(Some(&note)));
        let recipe = recipe(options, &pretrained, &data)?;
        let prepared = Prepared::new(&pretrained, &data, &recipe)?;
        let (folder, result) = run_task(options, &pretrained, &prepared, &recipe, &stop)?;
        // Results are in files, too: the other tasks are computed though nobody reads this.
        reported = reported.and(report(options, &folder, &prepared, &result));
    }
    reported
}

fn recipe(options: &Options, pretrained: &Pretrained, data: &TaskData) -> Result<Recipe> {
    let preset = match options.preset {
        PresetName::Paper => Preset::Paper,
        PresetName::Practice => Preset::Practice,
    };
    let mut recipe = Recipe::preset(preset, pretrained.config(), data.size());
    for assignment in &options.set {
        recipe.set(assignment)?;
    }
    recipe.learning_rate = options.learning_rate.unwrap_or(recipe.learning_rate);
    recipe.epochs = options.epochs.unwrap_or(recipe.epochs);
    recipe.batch = options.batch.unwrap_or(recipe.batch);
    recipe.validate("the settings", pretrained.config())?;
    Ok(recipe)
}

fn run_task(
    options: &Options,
    pretrained: &Pretrained,
    prepared: &Prepared<'_>,
    recipe: &Recipe,
    stop: &AtomicBool,
) -> Result<(PathBuf, TaskResult)> {
    let name = prepared.task().name.clone();
    let folder = options.output.join(&name);
    let compute = Compute::set_up(recipe.device, recipe.threads, recipe.precision, false)?;
    let mut seeds = Vec::new();
    for &seed in &options.seeds {
        let bar = bars::steps();
        bar.set_prefix(format!("{name}, seed {seed}"));
        let scores = finetune(Job {
            pretrained,
            prepared,
            recipe,
            seed,
            folder: &folder.join(format!("seed-{seed}")),
            keep: match options.keep {
                KeepName::Model => Keep::Model,
                KeepName::Predictions => Keep::Predictions,
            },
            compute,
            stop,
            observer: &mut |event| show(&bar, event),
        });
        bar.finish_and_clear();
        seeds.push(scores.with_context(|| format!("task {name}, seed {seed}"))?);
    }
    let result = write_results(&folder, prepared, &seeds)?;
    Ok((folder, result))
}

fn show(bar: &ProgressBar, event: &Event) {
    match event {
        Event::Step { step, steps } => {
            bar.set_position(progress::WHOLE * step / steps);
        }
        Event::Scored { epoch, scores } => {
            let scores: Vec<String> =
                scores.iter().map(|(name, score)| format!("{name} {score:.3}")).collect();
            bar.set_message(format!("· after epoch {epoch}: {}", scores.join(", ")));
        }
        _ => {}
    }
}

fn report(options: &Options, folder: &Path, prepared: &Prepared<'_>, result: &TaskResult) -> Result<()> {
    let (task, TaskResult { seeds, median }) = (prepared.task(), result);
    let metric = task.score().name();
    if options.json {
        let line = json!({ "task": task.name, "metric": metric, "seeds": seeds, "median": median, "folder": output::json_path(folder) });
        return output::line(line);
    }
    let score = match median {
        Some(median) => format!("{metric} {median:.4}"),
        None => "no labels, so no score".to_owned(),
    };
    let count = if let [seed] = seeds[..] {
        format!("seed {seed}")
    } else {
        format!("median of {} seeds", seeds.len())
    };
    let name = output::escaped(&task.name);
    output::line(format_args!("{name}: {score} ({count}) · {}", output::shown(folder)))
}
