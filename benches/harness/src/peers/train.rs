//! Steps of pre-training, against PyTorch.

use super::job::{Figure, Job, OURS, cell};
use super::sides::{Sides, line};
use super::{Args, Group};
use crate::commands;
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::Value;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

/// (a): transformers' models in the loop that people use.
pub(super) const EAGER: &str = "eager";
/// (b): the best PyTorch that can be written in a day, as it is and compiled.
pub(super) const BEST: [&str; 2] = ["best", "compiled"];

/// The models, by their names in `step --preset`.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    Tiny,
    /// 4 layers of Small's over 8,192 tokens: a size for text on a CPU
    #[value(name = "4x256")]
    Medium,
    Small,
    Base,
    /// ModernBERT, 2 layers of width 64
    ModernTiny,
    /// ModernBERT, 7 layers of width 256
    #[value(name = "ettin-17m")]
    Ettin17m,
}

/// The objectives that both sides have.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Objective {
    Electra,
    Mlm,
    AllTokensMlm,
}

/// What a model is trained with.
struct Setting {
    /// In the words of `step`.
    model: &'static [&'static str],
    batch: u32,
    length: u32,
    generator: f64,
    /// Chosen so that a side takes 10 to 40 seconds.
    steps: u32,
}

impl Model {
    /// What benches/python has of it.
    fn objectives(self) -> &'static [Objective] {
        if self.is_modernbert() { &[Objective::Electra, Objective::Mlm] } else { Objective::value_variants() }
    }

    /// The second backbone.
    pub(super) fn is_modernbert(self) -> bool {
        matches!(self, Self::ModernTiny | Self::Ettin17m)
    }

    fn setting(self) -> Setting {
        match self {
            Self::Tiny => {
                Setting { model: &["--preset", "tiny"], batch: 32, length: 64, generator: 0.25, steps: 100 }
            }
            Self::Medium => Setting {
                model: &["--preset", "small", "--layers", "4", "--vocab-size", "8192"],
                batch: 32,
                length: 128,
                generator: 0.25,
                steps: 12,
            },
            Self::Small => {
                Setting { model: &["--preset", "small"], batch: 16, length: 128, generator: 0.25, steps: 12 }
            }
            Self::Base => Setting {
                model: &["--preset", "base"],
                batch: 8,
                length: 128,
                generator: 1.0 / 3.0,
                steps: 6,
            },
            Self::ModernTiny => Setting {
                model: &["--preset", "modern-tiny"],
                batch: 32,
                length: 64,
                generator: 0.25,
                steps: 100,
            },
            Self::Ettin17m => Setting {
                model: &["--preset", "ettin-17m"],
                batch: 16,
                length: 128,
                generator: 0.25,
                steps: 12,
            },
        }
    }
}

fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Models with their objectives.
fn chosen(args: &Args) -> Result<Vec<(Model, Objective)>> {
    let mut chosen = Vec::new();
    for model in args.models(|model| *model != Model::Medium) {
        let by_default = match model {
            Model::Base | Model::Medium => &[Objective::Electra],
            _ => model.objectives(),
        };
        let objectives = if args.objectives.is_empty() { by_default } else { &args.objectives };
        for &objective in objectives {
            if !model.objectives().contains(&objective) {
                let has = model.objectives().iter().map(name).collect::<Vec<_>>().join(", ");
                let (model, objective) = (name(&model), name(&objective));
                bail!("--objectives: benches/python has no {objective} of {model}; expected {has}");
            }
            chosen.push((model, objective));
        }
    }
    Ok(chosen)
}

/// A model and an objective as both sides are called for them.
pub(super) struct Step<'a> {
    model: Model,
    objective: Objective,
    steps: String,
    threads: String,
    sides: &'a Sides,
    /// Of the batches that both train on.
    pub(super) folder: PathBuf,
}

impl<'a> Step<'a> {
    pub(super) fn new(model: Model, objective: Objective, args: &Args, sides: &'a Sides) -> Self {
        let steps = args.steps.unwrap_or(model.setting().steps).to_string();
        let folder = sides.folder.join(format!("{} {}", name(&model), name(&objective)));
        Self { model, objective, steps, threads: args.threads.to_string(), sides, folder }
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", name(&self.model), name(&self.objective))
    }

    /// Our side, which is told by `folder_is` what to do with the folder.
    pub(super) fn ours(&self, folder_is: &str) -> Command {
        let Setting { model, batch, length, generator, .. } = self.model.setting();
        let mut command = self.sides.ours("step");
        command.args(model).args(["--objective", &name(&self.objective), "--steps", &self.steps, "--json"]);
        command.args(["--batch", &batch.to_string(), "--max-length", &length.to_string()]);
        command.args(["--generator-multiplier", &generator.to_string(), "--threads", &self.threads]);
        command.arg(folder_is).arg(&self.folder);
        command
    }

    /// A side in PyTorch.
    pub(super) fn python(&self, side: &str) -> Command {
        let mut python = self.sides.python("train_steps.py");
        python.arg(&self.folder).args(["--peer", side, "--steps", &self.steps, "--threads", &self.threads]);
        python
    }

    pub(super) fn figure(&self, printed: Value) -> Result<Figure> {
        let Setting { batch, length, .. } = self.model.setting();
        figure(printed, u64::from(batch * length))
    }
}

pub(super) fn run(args: &Args, sides: &Sides) -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for (model, objective) in chosen(args)? {
        let step = Step::new(model, objective, args, sides);
        let mut job = Job::new(Group::Train, step.name());
        commands::check(&mut step.ours("--save-batches"))?;
        for run in 1..=args.runs {
            for side in [OURS, EAGER, BEST[0], BEST[1]] {
                crate::output::tell(format_args!("── {}: run {run} of {}, {side}", job.name, args.runs));
                let printed = match side {
                    OURS => line(&mut step.ours("--batches"))?,
                    _ => line(&mut step.python(side))?,
                };
                job.push(side, step.figure(printed)?);
            }
        }
        jobs.push(job);
    }
    Ok(jobs)
}

fn figure(printed: Value, tokens: u64) -> Result<Figure> {
    let number = |name: &str| printed[name].as_f64().with_context(|| format!("no {name} in {printed}"));
    // A side whose training fell apart computes other things than one whose did not.
    if !(number("loss_first")?.is_finite() && number("loss_last")?.is_finite()) {
        bail!("the losses are not finite: {printed}");
    }
    Ok(Figure { seconds: number("step_s")?, work: Some(tokens), printed })
}

/// The faster of (b)'s two.
pub(super) fn best(job: &Job) -> Option<&'static str> {
    job.faster(&BEST)
}

/// The matrix products alone over the step, by our side.
pub(super) fn product_share(job: &Job) -> Option<f64> {
    job.number(OURS, "product_share")
}

pub(super) fn table(jobs: &[&Job]) -> String {
    let mut table = String::from(
        "Tokens a second; memory at most in MiB. (a) is transformers' models in the loop that people use, (b) the best \
         PyTorch that can be written in a day, eager and compiled, of which the faster counts. `products` is the time \
         of our step's matrix products alone over that of the step.\n\n\
         | model, objective | ours | (a) | (b) eager | (b) compiled | ours : (a) | ours : (b) | memory ours | (a) | \
         (b) eager | (b) compiled | products |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for job in jobs {
        let sides = [OURS, EAGER, BEST[0], BEST[1]];
        let rates = sides.map(|side| cell(job.rate(side), |rate| format!("{rate:.0}"))).join(" | ");
        let memory = |side| job.number(side, "peak_memory_bytes");
        let memory = sides.map(|side| cell(memory(side), |b| format!("{:.0}", b / 1_048_576.0))).join(" | ");
        let to_eager = cell(job.ratio(EAGER), |ratio| ratio.to_string());
        let to_best = cell(best(job).and_then(|side| job.ratio(side)), |ratio| ratio.to_string());
        let products = cell(product_share(job), |share| format!("{:.0} %", 100.0 * share));
        let _ =
            writeln!(table, "| {} | {rates} | {to_eager} | {to_best} | {memory} | {products} |", job.name);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::job::tests::job;
    use clap::Parser;
    use serde_json::json;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn chosen_by(words: &[&str]) -> Vec<String> {
        let cli = Cli::parse_from([&["peers"], words].concat());
        chosen(&cli.args)
            .unwrap()
            .iter()
            .map(|(model, objective)| format!("{} {}", name(model), name(objective)))
            .collect()
    }

    #[test]
    fn base_has_electra_alone_unless_others_are_asked_for() {
        let all = chosen_by(&[]);
        assert_eq!(all.len(), 11);
        assert_eq!((all[2].as_str(), all[6].as_str()), ("tiny all-tokens-mlm", "base electra"));
        assert_eq!((all[7].as_str(), all[10].as_str()), ("modern-tiny electra", "ettin-17m mlm"));
        assert_eq!(chosen_by(&["--models", "base", "--objectives", "mlm"]), ["base mlm"]);
    }

    #[test]
    fn what_python_lacks_is_refused() {
        let words = ["peers", "--models", "ettin-17m", "--objectives", "all-tokens-mlm"];
        let error = chosen(&Cli::parse_from(words).args).unwrap_err().to_string();
        assert_eq!(
            error,
            "--objectives: benches/python has no all-tokens-mlm of ettin-17m; expected electra, mlm"
        );
    }

    #[test]
    fn the_faster_of_the_best_counts() {
        let sides: [(&str, &[f64]); 4] =
            [(OURS, &[1.0, 2.0]), (EAGER, &[4.0, 8.0]), ("best", &[3.0, 6.0]), ("compiled", &[2.0, 6.0])];
        let job = job(Group::Train, "tiny electra", &sides);
        let table = table(&[&job]);
        let row = "| tiny electra | 3000000 | 750000 | 1000000 | 1333333 | 4.00 (4.00–4.00) | 2.50 (2.00–3.00) | 1024 | \
                   1024 | 1024 | 1024 | 50 % |\n";
        assert!(table.ends_with(row), "{table}");
    }

    #[test]
    fn losses_that_are_no_numbers_are_refused() {
        assert!(figure(json!({ "step_s": 1.0, "loss_first": 2.0, "loss_last": 1.0 }), 1).is_ok());
        // What Python prints of NaN is no JSON; what serde_json prints is null.
        let error = figure(json!({ "step_s": 1.0, "loss_first": 2.0, "loss_last": null }), 1).unwrap_err();
        assert!(error.to_string().starts_with("no loss_last"), "{error}");
    }
}
