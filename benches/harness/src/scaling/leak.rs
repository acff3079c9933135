//! Whether memory grows in a long run.

use super::Program;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Those with a generator and with the largest head, whose losses do not share their code.
const OBJECTIVES: [&str; 2] = ["electra", "all-tokens-mlm"];
/// What an allocator may take in a run without a leak: 1 % of what is in use, or this.
const FEW_BYTES: i64 = 2 << 20;

/// Memory in use during a run.
#[derive(Debug, Serialize)]
pub(super) struct Leak {
    pub(super) objective: String,
    pub(super) readings: Vec<Reading>,
}

/// Memory in use after so many steps.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Reading {
    pub(super) step: u64,
    pub(super) resident_bytes: u64,
    /// Of live tensors, where there is a GPU.
    pub(super) device_bytes: Option<u64>,
}

/// Runs each objective for 10,000 steps, or 1,000 to see that it works.
pub(super) fn measure(program: &Program, quick: bool) -> Result<Vec<Leak>> {
    let (steps, every) = if quick { (1_000, 100) } else { (10_000, 1_000) };
    OBJECTIVES
        .into_iter()
        .map(|objective| {
            crate::output::tell(format_args!("{objective}, {steps} steps"));
            let (steps, every) = (steps.to_string(), every.to_string());
            let arguments = ["leak", "--objective", objective, "--steps", &steps, "--every", &every];
            let mut values = program.json(&arguments.map(String::from))?;
            let readings = values.remove("readings").context("the program gave no readings")?;
            Ok(Leak { objective: objective.into(), readings: serde_json::from_value(readings)? })
        })
        .collect()
}

impl Leak {
    /// The readings after a fifth of the run, when all that a run allocates once is there.
    pub(super) fn settled(&self) -> &[Reading] {
        let last = self.readings.last().map_or(0, |reading| reading.step);
        let from = self.readings.partition_point(|reading| 5 * reading.step < last);
        &self.readings[from..]
    }

    /// Bytes more at the end than at the first settled reading: of the program, and on the GPU.
    pub(super) fn growth(&self) -> (i64, Option<i64>) {
        let settled = self.settled();
        let (Some(first), Some(last)) = (settled.first(), settled.last()) else { return (0, None) };
        let more = |first: u64, last: u64| last as i64 - first as i64;
        (
            more(first.resident_bytes, last.resident_bytes),
            first.device_bytes.zip(last.device_bytes).map(|(first, last)| more(first, last)),
        )
    }

    pub(super) fn verdict(&self) -> &'static str {
        let Some(first) = self.settled().first() else { return "not measured" };
        let (resident, device) = self.growth();
        let within = |growth: i64, bytes: u64| growth <= FEW_BYTES.max(bytes as i64 / 100);
        let whole = within(resident, first.resident_bytes)
            && device.zip(first.device_bytes).is_none_or(|(growth, bytes)| within(growth, bytes));
        if whole { "no leak" } else { "**grows**" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Readings of a program of 100 MiB that grows from step 2,000 on.
    fn leak(resident_a_step: u64, device_a_step: Option<u64>) -> Leak {
        let readings = (1..=10).map(|index| {
            let (step, grown) = (1_000 * index, 1_000 * index.max(2));
            Reading {
                step,
                resident_bytes: (100 << 20) + grown * resident_a_step,
                device_bytes: device_a_step.map(|bytes| (1 << 20) + grown * bytes),
            }
        });
        Leak { objective: "electra".into(), readings: readings.collect() }
    }

    #[test]
    fn the_first_fifth_does_not_count() {
        let mut leak = leak(0, None);
        leak.readings[0].resident_bytes = 1 << 20;
        assert_eq!((leak.settled()[0].step, leak.growth()), (2_000, (0, None)));
        assert_eq!(leak.verdict(), "no leak");
    }

    #[test]
    fn half_a_kilobyte_a_step_is_a_leak() {
        assert_eq!(leak(100, None).verdict(), "no leak");
        assert_eq!(leak(512, None).verdict(), "**grows**");
        assert_eq!(leak(0, Some(512)).verdict(), "**grows**");
    }
}
