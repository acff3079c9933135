//! What a study would take.

use std::io::Write;

use anyhow::Result;
use electra_study::{ArmEstimate, Estimate, Kind, Plan};
use indicatif::{BinaryBytes, HumanCount};

use crate::progress;

const KINDS: [Kind; 5] = [Kind::Data, Kind::Pretrain, Kind::Export, Kind::Replacements, Kind::Finetune];

pub(super) fn print(plan: &Plan) -> Result<()> {
    let estimate = electra_study::estimate(plan, electra_ablations::INFOS)?;
    let mut out = std::io::stdout().lock();
    write(&mut out, plan, &estimate)?;
    Ok(())
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
