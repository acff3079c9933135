//! The goals, with what was measured.

use super::job::{Job, OURS};
use super::{Group, bf16, classify, train};
use std::fmt::Write;

/// What of a job a goal is about.
#[derive(Clone, Copy)]
enum Measure {
    /// Times as fast as this side.
    Ratio(&'static str, &'static str),
    /// Times as fast as the faster of (b)'s two.
    Best,
    /// Our memory over that of the faster of (b)'s two; at most.
    Memory,
    /// The matrix products' time over the step's.
    Products,
}

struct Goal {
    group: Group,
    job: &'static str,
    measure: Measure,
    bound: f64,
}

const fn goal(group: Group, job: &'static str, measure: Measure, bound: f64) -> Goal {
    Goal { group, job, measure, bound }
}

const GOALS: [Goal; 21] = [
    goal(Group::Train, "tiny electra", Measure::Ratio(train::EAGER, "(a)"), 3.5),
    goal(Group::Train, "tiny electra", Measure::Best, 2.0),
    goal(Group::Train, "small electra", Measure::Ratio(train::EAGER, "(a)"), 1.7),
    goal(Group::Train, "small electra", Measure::Best, 1.3),
    goal(Group::Train, "small electra", Measure::Products, 0.65),
    goal(Group::Train, "base electra", Measure::Best, 1.2),
    goal(Group::Train, "base electra", Measure::Products, 0.75),
    goal(Group::Train, "small all-tokens-mlm", Measure::Best, 1.4),
    goal(Group::Train, "small all-tokens-mlm", Measure::Memory, 0.5),
    goal(Group::Train, "ettin-17m electra", Measure::Ratio(train::EAGER, "(a)"), 2.0),
    goal(Group::Train, "ettin-17m electra", Measure::Best, 1.2),
    goal(Group::Infer, "sst-2", Measure::Ratio(classify::PLAIN, "transformers"), 2.0),
    goal(Group::Data, "text to shards", Measure::Ratio("python", "Python"), 5.0),
    goal(Group::Bf16, "tiny electra", Measure::Ratio(bf16::FP32[0], "our fp32"), 1.5),
    goal(Group::Bf16, "4x256 electra", Measure::Ratio(bf16::FP32[0], "our fp32"), 3.0),
    goal(Group::Bf16, "small electra", Measure::Ratio(bf16::FP32[0], "our fp32"), 3.0),
    goal(Group::Bf16, "small electra", Measure::Best, 2.7),
    goal(Group::Bf16, "base electra", Measure::Ratio(bf16::FP32[0], "our fp32"), 3.0),
    goal(Group::Bf16, "base electra", Measure::Best, 2.0),
    goal(Group::Bf16, "finetune mnli", Measure::Ratio(bf16::FP32[0], "our fp32"), 2.0),
    goal(Group::Bf16, "infer mnli", Measure::Ratio(bf16::FP32[0], "our fp32"), 2.0),
];

impl Goal {
    fn work(&self) -> String {
        match self.group {
            Group::Data => self.job.to_owned(),
            Group::Train => format!("step of {}", self.job),
            Group::Finetune => format!("fine-tuning, lengths of {}", self.job),
            Group::Infer => format!("inference, lengths of {}", self.job),
            Group::Bf16 => format!("{} in bfloat16 (the goal is for AMX)", self.job),
        }
    }

    fn measured(&self, job: &Job) -> Option<f64> {
        let memory = |side| job.number(side, "peak_memory_bytes");
        match self.measure {
            Measure::Ratio(side, _) => Some(job.ratio(side)?.median),
            Measure::Best => Some(job.ratio(train::best(job)?)?.median),
            Measure::Memory => Some(memory(OURS)? / memory(train::best(job)?)?),
            Measure::Products => train::product_share(job),
        }
    }

    fn shown(&self, value: f64) -> String {
        match self.measure {
            Measure::Ratio(_, peer) => format!("{value:.2} × {peer}"),
            Measure::Best => format!("{value:.2} × (b)"),
            Measure::Memory => format!("{value:.2} × the memory of (b)"),
            Measure::Products => format!("{:.0} % of the product rate", 100.0 * value),
        }
    }

    fn is_met(&self, value: f64) -> bool {
        match self.measure {
            Measure::Memory => value <= self.bound,
            _ => value >= self.bound,
        }
    }
}

/// The goals of which something was measured, as Markdown.
pub(super) fn table(jobs: &[Job]) -> String {
    let mut table = String::from("| work | goal | measured | |\n|---|---|---|---|\n");
    for goal in &GOALS {
        let job = jobs.iter().find(|job| job.group == goal.group && job.name == goal.job);
        let Some(value) = job.and_then(|job| goal.measured(job)) else { continue };
        let sign = if matches!(goal.measure, Measure::Memory) { "≤" } else { "≥" };
        let verdict = if goal.is_met(value) { "met" } else { "not met" };
        let (work, bound, value) = (goal.work(), goal.shown(goal.bound), goal.shown(value));
        let _ = writeln!(table, "| {work} | {sign} {bound} | {value} | {verdict} |");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::job::tests::job;

    #[test]
    fn goals_are_met_or_not() {
        let tiny: [(&str, &[f64]); 4] =
            [(OURS, &[1.0]), (train::EAGER, &[3.5]), ("best", &[2.5]), ("compiled", &[1.9])];
        let jobs = [
            job(Group::Train, "tiny electra", &tiny),
            job(Group::Train, "small all-tokens-mlm", &tiny),
            job(Group::Train, "small electra", &tiny),
            job(Group::Data, "text to shards", &[(OURS, &[1.0]), ("python", &[13.0])]),
            // Of another group, and so none of the goals'.
            job(Group::Finetune, "sst-2", &[(OURS, &[1.0]), (classify::PLAIN, &[9.0])]),
        ];
        let table = table(&jobs);
        for row in [
            "| step of tiny electra | ≥ 3.50 × (a) | 3.50 × (a) | met |",
            "| step of tiny electra | ≥ 2.00 × (b) | 1.90 × (b) | not met |",
            "| step of small electra | ≥ 65 % of the product rate | 50 % of the product rate | not met |",
            "| step of small all-tokens-mlm | ≤ 0.50 × the memory of (b) | 1.00 × the memory of (b) | not met |",
            "| text to shards | ≥ 5.00 × Python | 13.00 × Python | met |",
        ] {
            assert!(table.contains(row), "{row}\n{table}");
        }
        // What was not measured has no row.
        assert!(!table.contains("base electra") && !table.contains("sst-2"), "{table}");
    }
}
