//! What a study would take.

use std::io::Write;

use anyhow::Result;
use electra_analysis::FEWEST_RUNS;
use electra_study::{ArmEstimate, Estimate, Kind, Plan, Power};
use indicatif::{BinaryBytes, HumanCount};

use crate::progress;

const KINDS: [Kind; 8] = [
    Kind::Data,
    Kind::Pretrain,
    Kind::Export,
    Kind::Replacements,
    Kind::Probe,
    Kind::Embed,
    Kind::Pairs,
    Kind::Finetune,
];

pub(super) fn print(plan: &Plan) -> Result<()> {
    let estimate = electra_study::estimate(plan, electra_ablations::INFOS)?;
    let mut out = std::io::stdout().lock();
    write(&mut out, plan, &estimate)?;
    Ok(write_power(&mut out, plan.power(electra_ablations::INFOS).as_ref())?)
}

fn write(out: &mut impl Write, plan: &Plan, estimate: &Estimate) -> std::io::Result<()> {
    writeln!(out, "{}: {}", plan.name, plan.title)?;
    writeln!(
        out,
        "\n{:<24}{:>5}{:>12}{:>18}{:>14}{:>14}{:>12}",
        "arm", "runs", "steps", "tokens", "FLOPs, paper", "executed", "hours"
    )?;
    for ArmEstimate { arm, steps, tokens, flops_paper, flops_executed, runs } in &estimate.arms {
        let hours = flops_executed / plan.estimate.flops_per_s / 3600.0;
        let (steps, tokens) = (HumanCount(*steps).to_string(), HumanCount(*tokens).to_string());
        writeln!(
            out,
            "{arm:<24}{runs:>5}{steps:>12}{tokens:>18}{flops_paper:>14.3e}{flops_executed:>14.3e}{hours:>12.2}"
        )?;
    }
    writeln!(out, "(of one run each, to the end of its budget)\n")?;
    for kind in KINDS {
        let jobs = || estimate.jobs.iter().filter(|job| job.kind == kind);
        if jobs().next().is_none() {
            continue;
        }
        let seconds = jobs().map(|job| job.seconds).sum();
        writeln!(out, "{:<14}{:>6} jobs  {:>14}", kind.name(), jobs().count(), progress::time(seconds))?;
    }
    writeln!(out, "\n{:<26}{:.3e} FLOPs as executed", "pre-training in all", estimate.flops_executed)?;
    writeln!(
        out,
        "{:<26}{} ({:.1} hours)",
        "work",
        progress::time(estimate.work_seconds),
        estimate.work_seconds / 3600.0
    )?;
    let side_by_side = match plan.slots() {
        1 => "one after another".to_owned(),
        slots => format!("{slots} side by side"),
    };
    writeln!(out, "{side_by_side:<26}{}", progress::time(estimate.seconds))?;
    writeln!(out, "{:<26}{}", "checkpoints on disk", BinaryBytes(estimate.bytes as u64))?;
    writeln!(
        out,
        "\nTimes are guesses: {:.2e} executed FLOP/s for a job ({}), {} s for each fine-tuning, {} s for each job.",
        plan.estimate.flops_per_s,
        plan.estimate.machine,
        plan.estimate.finetune_seconds,
        plan.estimate.job_seconds
    )
}

/// What the plan can find.
fn write_power(out: &mut impl Write, power: Option<&Power>) -> std::io::Result<()> {
    let Some(Power { record, runs, power, pairs, paper }) = power else {
        return writeln!(out, "\nThe plan names no pilot ([pilot]), so what it can find is not known.");
    };
    let percent = 100.0 * power;
    writeln!(out, "\nWith {runs} runs of each arm, and the spread of the pilot ({record}), in points:\n")?;
    let often = format!("found in {percent:.0} %");
    writeln!(out, "{:<40}{often:>16}{:>10}{:>12}", "pair", "pilot", "then found")?;
    for pair in pairs {
        let name = format!("{} − {}", pair.a, pair.b);
        let difference = pair.difference.map_or_else(|| "–".into(), |difference| format!("{difference:+.1}"));
        let found = pair.power.map_or_else(|| "–".into(), |power| format!("{:.0} %", 100.0 * power));
        writeln!(out, "{name:<40}{:>16.1}{difference:>10}{found:>12}", pair.detectable)?;
    }
    if *runs < FEWEST_RUNS {
        writeln!(out, "\nThere will be no verdict: it takes {FEWEST_RUNS} runs of each arm.")?;
    }
    let Some((all, large, expected)) = paper else { return Ok(()) };
    writeln!(
        out,
        "\nDifferences of the paper: {all}; that large in the pilot: {large}; expected to be found: {expected:.1}."
    )
}
