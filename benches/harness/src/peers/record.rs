//! A record of a comparison: the tables, and every figure.

use super::job::Job;
use super::sides::{Sides, line};
use super::{Args, Group};
use crate::commands::benches;
use anyhow::{Context, Result};
use clap::ValueEnum;
use serde_json::{Value, json};

pub(super) fn write(
    args: &Args,
    name: &str,
    jobs: &[Job],
    tables: &str,
    warnings: &[String],
    load: Option<f64>,
    sides: &Sides,
) -> Result<()> {
    let machine = line(&mut sides.python("machine.py"))?;
    let say = |field: &str| machine[field].as_str().map_or_else(|| machine[field].to_string(), String::from);
    let folder = benches().join("records").join(format!("{}-{name}", say("date")));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let busy: String = warnings.iter().map(|warning| format!("**Warning:** {warning}.\n\n")).collect();
    let readme = format!(
        "# The same jobs here and in Python\n\n`{}`, {}\n\n{} ({} cores), {}; Python {}, {}\n\n{busy}\
         Medians of {} runs of each side in turn, {} threads where a side uses several, float32, dropout 0.1 in \
         training. `benches/python` describes the jobs and has the peers. A ratio is a peer's time over ours in the \
         same run, with the least and the most of the runs.\n\n{tables}\nEvery figure is in `figures.json`.\n",
        command(args, name),
        say("date"),
        say("cpu"),
        say("cores"),
        say("system"),
        say("python"),
        packages(&machine),
        args.runs,
        args.threads,
    );
    let figures =
        json!({ "machine": machine, "load_average_at_start": load, "warnings": warnings, "jobs": jobs });
    std::fs::write(folder.join("README.md"), readme)?;
    std::fs::write(folder.join("figures.json"), serde_json::to_string_pretty(&figures)? + "\n")?;
    crate::output::tell(format_args!("written to {}", folder.display()));
    Ok(())
}

fn packages(machine: &Value) -> String {
    let Some(packages) = machine["packages"].as_object() else { return String::new() };
    let version = |(name, version): (&String, &Value)| format!("{name} {}", version.as_str().unwrap_or("?"));
    packages.iter().map(version).collect::<Vec<_>>().join(", ")
}

/// The call that does it again. A text is named without its folder.
fn command(args: &Args, name: &str) -> String {
    fn names<T: ValueEnum>(values: &[T], separator: &str) -> String {
        let name = |value: &T| value.to_possible_value().map(|value| value.get_name().to_owned());
        values.iter().filter_map(name).collect::<Vec<_>>().join(separator)
    }
    let mut words = vec!["cargo xtask bench peers".to_owned()];
    if !args.groups.is_empty() {
        words.push(names(&args.groups, " "));
    }
    let groups = args.groups();
    if groups.contains(&Group::Train) {
        words.push(format!("--models {}", names(&args.models, ",")));
        if !args.objectives.is_empty() {
            words.push(format!("--objectives {}", names(&args.objectives, ",")));
        }
        words.extend(args.steps.map(|steps| format!("--steps {steps}")));
    }
    if groups.contains(&Group::Finetune) || groups.contains(&Group::Infer) {
        words.push(format!("--examples {}", args.examples));
    }
    if groups.contains(&Group::Data) {
        let file = args.text.as_ref().and_then(|text| text.file_name());
        words.extend(file.map(|file| format!("--text {}", file.to_string_lossy())));
    }
    words.push(format!("--runs {} --threads {} --record {name}", args.runs, args.threads));
    words.join(" ")
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

    #[test]
    fn the_command_is_said_without_folders() {
        let said = |words: &[&str]| command(&Cli::parse_from([&["peers"], words].concat()).args, "x");
        assert_eq!(
            said(&["data", "--text", "/somewhere/wiki.txt", "--runs", "2"]),
            "cargo xtask bench peers data --text wiki.txt --runs 2 --threads 2 --record x"
        );
        assert_eq!(
            said(&[
                "train",
                "infer",
                "--models",
                "tiny",
                "--objectives",
                "mlm,all-tokens-mlm",
                "--steps",
                "3"
            ]),
            "cargo xtask bench peers train infer --models tiny --objectives mlm,all-tokens-mlm --steps 3 --examples \
             512 --runs 5 --threads 2 --record x"
        );
    }
}
