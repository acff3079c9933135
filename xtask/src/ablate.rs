//! `cargo xtask ablate`.

use crate::{output, setup, workspace};
use anyhow::{Context, Result};
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask ablate                 the paper's five objectives on a generated language, in 20 minutes
  cargo xtask ablate --quick         every step of the way in 2 minutes; proves nothing
  cargo xtask ablate --plan long     BERT and ELECTRA five times as long, with controls: about an hour
  cargo xtask ablate --plan real --text wiki.txt books.txt --tasks GLUE
  cargo xtask ablate --plan evidence --text wiki.txt --tasks GLUE --dry-run
  cargo xtask ablate --set budget.steps=20000 --output longer

It sets up, builds the program and calls `electra ablate`. The same command goes on where it was interrupted.")]
pub(crate) struct Args {
    /// Handed to `electra ablate`, which lists them with `cargo xtask ablate -- --help`. Without --output the study is in
    /// ablate/NAME in cargo's target folder
    #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
    args: Vec<OsString>,
}

/// Sets up, builds, and hands over to the program; returns only if that cannot be.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::quietly()?;
    let target = target_folder()?;
    let program = target.join("release").join(format!("electra{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        output::tell("compiling the program; the first time this takes several minutes");
    }
    workspace::check(workspace::cargo().args(["build", "--release", "--package", "electra-cli"]))?;
    // In the caller's folder, not the workspace's: paths are as they were typed.
    hand_over(Command::new(&program).arg("ablate").args(args.options(&target)))
        .with_context(|| format!("cannot run {}", program.display()))
}

impl Args {
    fn options(&self, target: &Path) -> Vec<OsString> {
        let mut options = self.args.clone();
        if self.value("--output").is_none() {
            options.extend(["--output".into(), target.join("ablate").join(self.name()).into()]);
        }
        options
    }

    /// What the study is called if nobody says where it is to be.
    fn name(&self) -> String {
        let plan = self.value("--plan").unwrap_or_else(|| "default".to_owned());
        let plan = Path::new(&plan).file_stem().unwrap_or_default().to_string_lossy();
        let is_quick = self.args.iter().any(|word| word == "--quick");
        if is_quick { format!("{plan}-quick") } else { plan.into_owned() }
    }

    /// The value of an option, after it or after its `=`.
    fn value(&self, option: &str) -> Option<String> {
        let words: Vec<_> = self.args.iter().map(|word| word.to_string_lossy()).collect();
        let mut values =
            words.iter().enumerate().filter_map(|(index, word)| match word.strip_prefix(option)? {
                "" => Some(words.get(index + 1).map(ToString::to_string).unwrap_or_default()),
                rest => rest.strip_prefix('=').map(ToOwned::to_owned),
            });
        values.next_back()
    }
}

/// Where cargo builds, from cargo itself.
pub(crate) fn target_folder() -> Result<PathBuf> {
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
        let output = |name: &str| format!("--output target{sep}ablate{sep}{name}");
        assert_eq!(options(""), output("default"));
        let quick = "--quick --plan my/plan.toml --set a=1";
        assert_eq!(options(quick), format!("{quick} {}", output("plan-quick")));
        assert_eq!(options("--plan=long"), format!("--plan=long {}", output("long")));
        let all = "--plan real --quick --dry-run --set a=1 --set b=2 --text x y --tasks t --output out";
        assert_eq!(options(all), all);
        assert_eq!(options("--output=out"), "--output=out");
    }
}
