//! What a reader has to know of the data, and what qualifies the verdicts.

use crate::analyse::end_has;
use crate::findings::{ArmFindings, Comparison, Control, Findings, TakeOff, TestSets, Verdict};
use crate::measurements::Role;

/// What a reader has to know of the data.
#[derive(Clone, Debug, PartialEq)]
pub enum Note<'a> {
    /// No run has a score of this task: it is left out of the mean.
    TaskLeftOut {
        /// The task's title.
        task: &'a str,
    },
    /// Runs that lack a task or the end of the budget are not counted.
    IncompleteRuns {
        /// The arm.
        arm: &'a ArmFindings,
        /// How many.
        runs: usize,
    },
    /// No run of the arm came to its end.
    NoRun {
        /// The arm.
        arm: &'a ArmFindings,
    },
    /// Fewer runs of the arm came to their end than were planned.
    FewerRuns {
        /// The arm.
        arm: &'a ArmFindings,
        /// How many were planned.
        planned: usize,
    },
}

/// What qualifies the verdicts.
#[derive(Clone, Debug, PartialEq)]
pub enum Caveat<'a> {
    /// A control did not come out.
    Control(&'a Control),
    /// Arms that are not seen to be better than the encoder without pre-training, by name.
    Unhelped(Vec<&'a str>),
    /// Some arms have a single run, so that their differences have no interval.
    OneRun,
    /// Arms of which some runs took off and some did not.
    NotAllTookOff(Vec<&'a ArmFindings>),
    /// Arms of which no run took off.
    NoneTookOff(Vec<&'a ArmFindings>),
    /// Some intervals count the choice of runs alone, and not that of test examples, as predictions are missing.
    WithoutExamples,
    /// So many jobs did not come to their end.
    Failures(usize),
}

impl Findings {
    /// What a reader has to know of the data: tasks that were left out, runs that are missing.
    #[must_use]
    pub fn notes(&self) -> Vec<Note<'_>> {
        let scored = |task: &str| self.arms.iter().flat_map(|arm| &arm.runs).any(|run| end_has(run, task));
        let left_out: Vec<&str> =
            self.tasks.iter().filter(|task| !scored(&task.name)).map(|task| task.title.as_str()).collect();
        let mut notes = Vec::new();
        if left_out.len() < self.tasks.len() {
            notes.extend(left_out.into_iter().map(|task| Note::TaskLeftOut { task }));
        }
        // Controls and the encoder from scratch may have seeds of their own, but not fewer.
        let planned = self.plan.pretraining_seeds.len();
        for arm in &self.arms {
            let counted = arm.seeds.iter().filter(|seed| seed.arm == arm.facts.name).count();
            // Findings from a file may have more scores than runs.
            let runs = arm.runs.len().saturating_sub(counted);
            if runs > 0 {
                notes.push(Note::IncompleteRuns { arm, runs });
            }
            match arm.runs.len() {
                0 => notes.push(Note::NoRun { arm }),
                found if found < planned => notes.push(Note::FewerRuns { arm, planned }),
                _ => {}
            }
        }
        notes
    }

    /// What qualifies the verdicts.
    #[must_use]
    pub fn caveats(&self) -> Vec<Caveat<'_>> {
        let failed = self.controls.iter().filter(|control| control.passed == Some(false));
        let mut caveats: Vec<Caveat<'_>> = failed.map(Caveat::Control).collect();
        let unhelped: Vec<&str> = self
            .scratch
            .iter()
            .filter(|pair| pair.verdict.is_judged() && pair.verdict != Verdict::Better)
            .map(|pair| pair.a.as_str())
            .collect();
        if !unhelped.is_empty() {
            caveats.push(Caveat::Unhelped(unhelped));
        }
        let is_single = |pair: &Comparison| pair.runs.0.min(pair.runs.1) == 1;
        if self.pairs.iter().any(|pair| pair.difference.is_some() && is_single(pair)) {
            caveats.push(Caveat::OneRun);
        }
        let arms_where = |holds: fn(&TakeOff) -> bool| -> Vec<&ArmFindings> {
            let arms = self.arms.iter().filter(|arm| arm.facts.role == Role::Arm);
            arms.filter(|arm| arm.take_off.as_ref().is_some_and(holds)).collect()
        };
        let in_part = arms_where(TakeOff::is_in_part);
        if !in_part.is_empty() {
            caveats.push(Caveat::NotAllTookOff(in_part));
        }
        let none = arms_where(|counted| counted.took_off == 0);
        if !none.is_empty() {
            caveats.push(Caveat::NoneTookOff(none));
        }
        let mut tests = self.pairs.iter().filter_map(|pair| pair.test.as_ref());
        if self.test_sets == TestSets::Shared && tests.any(|test| test.examples.is_none()) {
            caveats.push(Caveat::WithoutExamples);
        }
        if !self.failures.is_empty() {
            caveats.push(Caveat::Failures(self.failures.len()));
        }
        caveats
    }
}
