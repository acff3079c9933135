//! Training, fine-tuning and inference in bfloat16 on the CPU: beside our float32, with AVX-512 and with AVX2, and beside
//! the best PyTorch under autocast.

use super::job::{Job, OURS, cell};
use super::sides::{Sides, line};
use super::train::{self, BEST, Model, Objective};
use super::{Args, Group, classify};
use crate::commands;
use anyhow::Result;
use std::fmt::Write;

/// Our float32, and the same with the kernels that most machines have.
pub(super) const FP32: [&str; 2] = ["fp32", "fp32-avx2"];

pub(super) fn run(args: &Args, sides: &Sides) -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for model in args.models(|model| !model.is_modernbert()) {
        jobs.push(steps(model, args, sides)?);
    }
    for verb in ["finetune", "infer"] {
        jobs.push(classification(verb, args, sides)?);
    }
    Ok(jobs)
}

fn steps(model: Model, args: &Args, sides: &Sides) -> Result<Job> {
    let mut step = train::Step::new(model, Objective::Electra, args, sides);
    let mut job = Job::new(Group::Bf16, step.name());
    // The batches' folder bears the group's name too: `train` may have written its own.
    step.folder = sides.folder.join(format!("bf16 {}", job.name));
    commands::check(&mut step.ours("--save-batches"))?;
    for run in 1..=args.runs {
        for side in [OURS, FP32[0], FP32[1], BEST[0], BEST[1]] {
            crate::output::tell(format_args!("── {} in bf16: run {run} of {}, {side}", job.name, args.runs));
            let printed = if BEST.contains(&side) {
                line(step.python(side).arg("--bf16"))?
            } else {
                let mut ours = step.ours("--batches");
                if side == OURS {
                    ours.arg("--bf16");
                }
                if side == FP32[1] {
                    ours.env("ELECTRA_KERNELS", "avx2");
                }
                line(&mut ours)?
            };
            job.push(side, step.figure(printed)?);
        }
    }
    Ok(job)
}

fn classification(verb: &'static str, args: &Args, sides: &Sides) -> Result<Job> {
    let set = "mnli";
    let folder = classify::prepared(args, sides)?;
    let mut job = Job::new(Group::Bf16, format!("{verb} {set}"));
    let threads = args.threads.to_string();
    for run in 1..=args.runs {
        for side in [OURS, FP32[0], FP32[1]] {
            crate::output::tell(format_args!("── {} in bf16: run {run} of {}, {side}", job.name, args.runs));
            let mut ours = sides.ours("classify");
            ours.arg(verb).arg(&folder).args([set, "--threads", &threads]);
            if side == OURS {
                ours.arg("--bf16");
            }
            if side == FP32[1] {
                ours.env("ELECTRA_KERNELS", "avx2");
            }
            let mut printed = line(&mut ours)?;
            classify::logs(&mut printed);
            job.push(side, classify::figure(printed)?);
        }
    }
    Ok(job)
}

pub(super) fn table(jobs: &[&Job]) -> String {
    let mut table = String::from(
        "Tokens or examples a second; a ratio is another side's time over that of ours in bfloat16. (b) is the best PyTorch \
         that can be written in a day under autocast to bfloat16, eager and compiled. Of float32 with AVX2 the products are \
         the BLAS's, which takes what the machine has.\n\n\
         | work | bf16 | fp32 | fp32, AVX2 | (b) eager | (b) compiled | bf16 : fp32 | bf16 : fp32, AVX2 | bf16 : (b) eager | \
         bf16 : (b) compiled |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let others = [FP32[0], FP32[1], BEST[0], BEST[1]];
    for job in jobs {
        let rate = |side| cell(job.rate(side), |rate| format!("{rate:.0}"));
        let rates = std::iter::once(OURS).chain(others).map(rate).collect::<Vec<_>>().join(" | ");
        let ratios = others.map(|side| cell(job.ratio(side), |ratio| ratio.to_string())).join(" | ");
        let _ = writeln!(table, "| {} | {rates} | {ratios} |", job.name);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::job::tests::job;

    #[test]
    fn what_has_no_peer_has_a_dash() {
        let job = job(Group::Bf16, "infer mnli", &[(OURS, &[1.0]), (FP32[0], &[2.0]), (FP32[1], &[2.5])]);
        let table = table(&[&job]);
        let row = "| infer mnli | 4000000 | 2000000 | 1600000 | – | – | 2.00 (2.00–2.00) | 2.50 (2.50–2.50) | – | – |\n";
        assert!(table.ends_with(row), "{table}");
    }
}
