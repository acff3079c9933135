//! `cargo xtask ablate`.

use crate::{setup, workspace};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask ablate                 the paper's five objectives on a generated language, in some 10 minutes
  cargo xtask ablate --quick         every step of the way in 2 minutes; proves nothing
  cargo xtask ablate --plan long     five times as long, where ELECTRA is ahead, with controls: hours
  cargo xtask ablate --plan real --text wiki.txt books.txt --tasks GLUE
  cargo xtask ablate --plan evidence --text wiki.txt --tasks GLUE --dry-run
  cargo xtask ablate --set budget.steps=20000 --output longer

It sets up, builds the program and calls `electra ablate`. The same command goes on where it was interrupted.")]
pub(crate) struct Args {
    /// Plan: default, long, real, evidence, or a file
    #[arg(long, default_value = "default", value_name = "NAME|FILE")]
    plan: String,
    /// The plan's quick form, which proves nothing
    #[arg(long)]
    quick: bool,
    /// Folder of the study [default: ablate/NAME in cargo's target folder]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// A key of the plan, in place of its own
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Text files or folders
    #[arg(long, num_args = 1.., value_name = "FILE")]
    text: Vec<PathBuf>,
    /// Folder with the folders of the tasks
    #[arg(long, value_name = "DIR")]
    tasks: Option<PathBuf>,
    /// Tell jobs, operations, time and disk, and run nothing
    #[arg(long)]
    dry_run: bool,
}

/// Sets up, builds, and hands over to the program; returns only if that cannot be.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::quietly()?;
    workspace::check(workspace::cargo().args(["build", "--release", "--package", "electra-cli"]))?;
    let target = target_folder()?;
    let program = target.join("release").join(format!("electra{}", std::env::consts::EXE_SUFFIX));
    // In the caller's folder, not the workspace's: paths are as they were typed.
    hand_over(Command::new(&program).arg("ablate").args(args.options(&target)))
        .with_context(|| format!("cannot run {}", program.display()))
}

impl Args {
    fn options(&self, target: &Path) -> Vec<std::ffi::OsString> {
        let mut options: Vec<std::ffi::OsString> = vec!["--plan".into(), (&self.plan).into()];
        let mut add = |name: &str, values: &mut dyn Iterator<Item = std::ffi::OsString>| {
            options.push(name.into());
            options.extend(values);
        };
        let none = || std::iter::empty();
        if self.quick {
            add("--quick", &mut none());
        }
        if self.dry_run {
            add("--dry-run", &mut none());
        }
        for set in &self.set {
            add("--set", &mut std::iter::once(set.into()));
        }
        if !self.text.is_empty() {
            add("--text", &mut self.text.iter().map(Into::into));
        }
        if let Some(tasks) = &self.tasks {
            add("--tasks", &mut std::iter::once(tasks.into()));
        }
        let output = self.output.clone().unwrap_or_else(|| target.join("ablate").join(self.name()));
        add("--output", &mut std::iter::once(output.into()));
        options
    }

    /// What the study is called if nobody says where it is to be.
    fn name(&self) -> String {
        let plan = Path::new(&self.plan).file_stem().unwrap_or_default().to_string_lossy();
        if self.quick { format!("{plan}-quick") } else { plan.into_owned() }
    }
}

/// Where cargo builds, from cargo itself.
fn target_folder() -> Result<PathBuf> {
    let args = ["metadata", "--format-version=1", "--no-deps", "--locked"];
    let metadata = workspace::output(workspace::cargo().args(args))?;
    let metadata: Value = serde_json::from_slice(&metadata).context("cannot read `cargo metadata`")?;
    Ok(metadata["target_directory"].as_str().context("`cargo metadata` names no target_directory")?.into())
}

/// Becomes the program, so that Ctrl-C and the exit code are its own.
#[cfg(unix)]
fn hand_over(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn hand_over(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    std::process::exit(status.code().unwrap_or(1));
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn options(line: &str) -> String {
        let words = std::iter::once("ablate").chain(line.split_whitespace());
        let options = Cli::parse_from(words).args.options(Path::new("target"));
        options.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn options_are_handed_on() {
        let sep = std::path::MAIN_SEPARATOR;
        assert_eq!(options(""), format!("--plan default --output target{sep}ablate{sep}default"));
        let quick = options("--quick --plan my/plan.toml");
        assert_eq!(quick, format!("--plan my/plan.toml --quick --output target{sep}ablate{sep}plan-quick"));
        let all = "--plan real --quick --dry-run --set a=1 --set b=2 --text x y --tasks t --output out";
        assert_eq!(options(all), all);
    }
}
