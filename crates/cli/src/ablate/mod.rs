//! `electra ablate`.

mod child;
mod dry_run;
mod show;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use electra_ablations::INFOS;
use electra_study::{Ended, Plan, Study};

use crate::failure::{Ended as EndedWith, FAILED, INTERRUPTED};
use crate::hub::{self, Files};
use crate::output::{self, shown};
use crate::{interrupt, torch};

pub(crate) use child::end_with_study;

/// Compare pre-training objectives by a plan: pre-train, fine-tune, and write a report.
///
/// A plan is one of the program's (default, rates, long, real, evidence, sizes, rates-sizes, field, backbones) or a file. The folder holds
/// everything: plan.toml, data, runs, fine-tuned encoders, logs, and at the end report.html, report.md and results.json. After
/// an interruption the same command continues, and repeats no finished job. If a job fails, the command reports it and runs all
/// jobs that do not need it; the exit code is then 1.
#[derive(Args)]
#[command(after_help = "Examples:
  electra ablate --output study
  electra ablate --output look --quick
  electra ablate --plan real --text wiki.txt books.txt --tasks GLUE --output real
  electra ablate --plan default --set budget.steps=20000 --set 'pretraining_seeds=[1,2,3,4]' --output longer
  electra ablate --plan evidence --text wiki.txt --tasks GLUE --output evidence --dry-run
  electra ablate --plan default --print > my-plan.toml")]
pub(crate) struct Options {
    /// Plan: default, rates, long, real, evidence, sizes, rates-sizes, field, backbones, or a file
    #[arg(long, default_value = "default", value_name = "NAME|FILE")]
    plan: String,
    /// Folder of the study; a study with the same plan in it is continued
    #[arg(long, value_name = "DIR", required_unless_present_any = ["dry_run", "print"])]
    output: Option<PathBuf>,
    /// Run the plan's quick form, which shows that everything works but proves nothing
    #[arg(long)]
    quick: bool,
    /// Override a key of the plan; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Text files or folders, as --set data.text=[…]
    #[arg(long, num_args = 1.., value_name = "FILE")]
    text: Vec<PathBuf>,
    /// Folder with the folders of the tasks, as --set tasks.folder=…
    #[arg(long, value_name = "DIR")]
    tasks: Option<PathBuf>,
    /// Print jobs, operations, time and disk space, and run nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the plan's file, and run nothing
    #[arg(long, conflicts_with_all = ["dry_run", "quick", "set"])]
    print: bool,
}

/// Keys of a plan that name a model or a tokenizer.
const NAMING_MODELS: [(&str, Files); 3] = [
    ("data.tokenizer", Files::Tokenizer),
    ("pretrain.init.discriminator", Files::Model),
    ("pretrain.init.generator", Files::Model),
];

pub(crate) fn run(options: &Options) -> Result<()> {
    let text = Plan::text(&options.plan)?;
    if options.print {
        return output::print(&text);
    }
    let mut set = options.assignments()?;
    set.extend(local_models(&text, &set)?);
    let plan = Plan::read(&options.plan, &text, options.quick, &set, INFOS)?;
    let Some(folder) = options.output.as_ref().filter(|_| !options.dry_run) else {
        return dry_run::print(&plan);
    };
    torch::require("electra ablate without --dry-run")?;
    let stop = interrupt::flag("the jobs are saving");
    let program = std::env::current_exe().context("finding this program")?;
    let mut display = show::Display::new(plan.slots());
    let ended = electra_study::run(Study {
        plan: &plan,
        origin: &options.plan,
        objectives: INFOS,
        folder,
        program: &program,
        command: &options.command(),
        stop: &stop,
        observer: &mut |event| display.show(event),
    });
    display.end();
    match ended? {
        Ended::Interrupted => {
            output::tell("interrupted; the same command continues");
            Err(EndedWith(INTERRUPTED).into())
        }
        Ended::Finished { conclusion, failures } => {
            if let Some(conclusion) = conclusion {
                let answer = conclusion.opening.iter().chain(Some(&conclusion.ordering_sentence));
                for sentence in answer.filter(|sentence| !sentence.is_empty()) {
                    output::line(sentence)?;
                }
                output::line(format_args!("{}/report.html", shown(folder)))?;
            }
            if failures.is_empty() {
                next_steps(options.quick);
                return Ok(());
            }
            for failure in &failures {
                output::error(&format!("{}: {}", failure.job, failure.message));
            }
            let (jobs, them) = if failures.len() == 1 { ("job", "it") } else { ("jobs", "them") };
            let count = failures.len();
            output::tell(&format!("{count} {jobs} failed; the same command tries {them} again"));
            Err(EndedWith(FAILED).into())
        }
    }
}

/// What to do after a study. Commands are given by their options, since the study may have been started through cargo.
fn next_steps(quick: bool) {
    output::tell("What next:");
    let study = "the study itself; --dry-run says how long";
    let quick = quick.then_some(("without --quick", study));
    let rest = [
        ("--plan long", "BERT and ELECTRA, five times as long"),
        ("--plan real --text FILE --tasks FOLDER", "the same comparison on your own text"),
    ];
    output::tell("  open the report in a browser, and see docs/guides/reading-a-report.md");
    for (options, what) in quick.into_iter().chain(rest) {
        output::tell(&format!("  {options:<40}{what}"));
    }
}

/// Settings that put the folder of the Hub's cache in the place of each model that the plan, or `set` over it, names.
fn local_models(text: &str, set: &[String]) -> Result<Vec<String>> {
    // Whoever reads the plan says what is wrong with it.
    let plan: toml::Table = text.parse().unwrap_or_default();
    let in_plan = |key: &str| {
        let (section, name) = key.rsplit_once('.')?;
        let table = section.split('.').try_fold(&plan, |table, part| table.get(part)?.as_table())?;
        table.get(name)?.as_str().map(str::to_owned)
    };
    let in_set = |key: &str| {
        let assigned = set.iter().rev().filter_map(|assignment| assignment.split_once('='));
        let mut values = assigned.filter(|(name, _)| name.trim() == key);
        values.next().map(|(_, value)| value.trim().trim_matches('"').to_owned())
    };
    let mut local = Vec::new();
    for (key, files) in NAMING_MODELS {
        let Some(named) = in_set(key).or_else(|| in_plan(key)).map(PathBuf::from) else { continue };
        let folder = hub::folder(&named, files)?;
        if *folder != named {
            local.push(format!("{key}={}", toml::Value::from(folder.to_string_lossy().into_owned())));
        }
    }
    Ok(local)
}

impl Options {
    /// Every `--set`, those of the shorter options last.
    fn assignments(&self) -> Result<Vec<String>> {
        let text = |path: &PathBuf| match path.to_str() {
            Some(path) => Ok(toml::Value::from(path)),
            None => bail!("{}: the path is not UTF-8, as all is that a plan holds", path.display()),
        };
        let mut set = self.set.clone();
        if !self.text.is_empty() {
            let paths = self.text.iter().map(text).collect::<Result<_>>()?;
            set.push(format!("data.text={}", toml::Value::Array(paths)));
        }
        if let Some(folder) = &self.tasks {
            set.push(format!("tasks.folder={}", text(folder)?));
        }
        Ok(set)
    }

    /// The command that makes this study, without the folder it is in: that is whose machine it is.
    fn command(&self) -> String {
        let mut command = format!("electra ablate --plan {}", self.plan);
        if self.quick {
            command.push_str(" --quick");
        }
        for set in &self.set {
            command.push_str(&format!(" --set '{set}'"));
        }
        if !self.text.is_empty() {
            command.push_str(" --text …");
        }
        if self.tasks.is_some() {
            command.push_str(" --tasks …");
        }
        command + " --output …"
    }
}
