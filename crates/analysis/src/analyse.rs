//! From measurements to findings.

use std::collections::{BTreeMap, BTreeSet};

use crate::check;
use crate::compare::{Context, Group, Scored};
use crate::curve;
use crate::error::Error;
use crate::examples::Resampled;
use crate::families::families;
use crate::findings::{
    AnalysisConfig, ArmFindings, Comparison, Control, Findings, TaskComparisons, TestSets, Verdict,
};
use crate::measurements::{ArmFacts, Expectation, Measurements, ObjectiveFacts, Role, RunFacts, TaskFacts};
use crate::objectives::completed;
use crate::ranks::ranks;
use crate::scores;
use crate::take_off;

/// Computes what can be found in measurements.
///
/// # Errors
/// [`Error::Empty`], [`Error::Twice`], [`Error::Unknown`], [`Error::Value`] and [`Error::Predictions`] if the
/// measurements are wrong; [`Error::Metrics`] if a statistic cannot be computed. A missing run is not an error.
pub fn analyse(measurements: &Measurements, config: &AnalysisConfig) -> Result<Findings, Error> {
    check::check(measurements, config)?;
    let tasks = scored_tasks(measurements);
    let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
    let keys: BTreeSet<&str> = measurements.runs.iter().map(|run| run.test_sets.as_str()).collect();
    let test_sets = if keys.len() > 1 { TestSets::OnePerLanguage } else { TestSets::Shared };
    let resampled = Resampled::new(measurements, &names, test_sets, config)?;
    let context = Context { config, test_sets, resampled, keys: keys.into_iter().collect() };

    let objectives = completed(&measurements.objectives, measurements.arms.iter());
    let mut facts: Vec<&ArmFacts> = measurements.arms.iter().collect();
    facts.sort_by_key(|facts| place(facts, &objectives));
    let arms = |pooled: &BTreeMap<String, Vec<String>>| -> Vec<ArmFindings> {
        let of_arm = |facts: &&ArmFacts| {
            let pooled = pooled.get(&facts.name).cloned().unwrap_or_default();
            arm(facts, pooled, measurements, &tasks, &context)
        };
        facts.iter().map(of_arm).collect()
    };
    // Controls are judged with each arm's own runs; those that came out then count as their arms'.
    let study = Study { runs: measurements.runs.iter().collect(), tasks: &tasks, context: &context };
    let alone = arms(&BTreeMap::new());
    let controls = study.controls(&alone);
    let pooled = pooled(&controls, measurements);
    let arms = if pooled.is_empty() { alone } else { arms(&pooled) };

    let compared: Vec<&ArmFindings> = arms.iter().filter(|arm| arm.facts.role == Role::Arm).collect();
    let scored = study.scored(&compared, &tasks);
    let group = Group::new(&scored, &tasks, &context);
    let family = context.family(&compared);
    Ok(Findings {
        title: measurements.title.clone(),
        plan: measurements.plan.clone(),
        config: config.clone(),
        tasks: measurements.tasks.clone(),
        objectives,
        test_sets,
        noise: group.noise(&context),
        pairs: group.compare(&family, family.len(), &context),
        ranks: ranks(&group, config),
        task_pairs: study.by_task(&compared),
        controls,
        scratch: study.scratch(&arms),
        families: families(measurements, config)?,
        language: measurements.language,
        failures: measurements.failures.clone(),
        provenance: measurements.provenance.clone(),
        arms,
    })
}

/// The tasks that the score is the mean of: those that any run has at the end of its budget.
fn scored_tasks(measurements: &Measurements) -> Vec<&TaskFacts> {
    let has = |task: &&TaskFacts| measurements.runs.iter().any(|run| end_has(run, &task.name));
    measurements.tasks.iter().filter(has).collect()
}

/// Whether a run has a score of a task at the end of its budget.
pub(crate) fn end_has(run: &RunFacts, task: &str) -> bool {
    run.end().is_some_and(|end| end.scores.iter().any(|score| score.task == task))
}

fn arm(
    facts: &ArmFacts,
    pooled: Vec<String>,
    measurements: &Measurements,
    tasks: &[&TaskFacts],
    context: &Context<'_>,
) -> ArmFindings {
    let level = context.config.level;
    let of = |names: &[&str]| -> Vec<&RunFacts> {
        let mut runs: Vec<&RunFacts> =
            measurements.runs.iter().filter(|run| names.contains(&run.arm.as_str())).collect();
        runs.sort_by_key(|run| run.seed);
        runs.sort_by_key(|run| names.iter().position(|name| *name == run.arm));
        runs
    };
    let own = of(&[&facts.name]);
    let mut with_pooled = vec![facts.name.as_str()];
    with_pooled.extend(pooled.iter().map(String::as_str));
    let counted = of(&with_pooled);
    let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
    let estimate = |tasks: &[&TaskFacts]| {
        let seeds = scores::of_seeds(&counted, tasks, &context.config.take_off);
        let values: Vec<f64> = seeds.iter().map(|seed| seed.score).collect();
        let runs: Vec<(&str, u64)> = seeds.iter().map(|seed| (seed.arm.as_str(), seed.seed)).collect();
        let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
        let examples = context.resampled.movement(&runs, &names).map(|movement| movement.variance());
        let estimate = scores::estimate_with(&values, examples, level);
        (seeds, estimate)
    };
    let (seeds, score) = estimate(tasks);
    let above_chance: Option<Vec<f64>> = seeds.iter().map(|seed| seed.above_chance).collect();
    let of_task = |task: &&TaskFacts| Some((task.name.clone(), estimate(&[task]).1?));
    ArmFindings {
        facts: facts.clone(),
        score,
        above_chance: above_chance.and_then(|values| scores::estimate(&values, level)),
        tasks: tasks.iter().filter_map(of_task).collect(),
        curve: curve::curve(&own, &names, level),
        take_off: take_off::counted(&seeds, level).filter(|_| facts.role != Role::Scratch),
        seeds,
        pooled,
        runs: own.into_iter().cloned().map(without_gaps).collect(),
    }
}

/// JSON has no word for what is not finite: such a value of a diagnostic is left out.
fn without_gaps(mut run: RunFacts) -> RunFacts {
    for point in &mut run.diagnostics {
        point.values.retain(|_, value| value.is_finite());
    }
    for score in run.checkpoints.iter_mut().flat_map(|checkpoint| &mut checkpoint.scores) {
        score.predictions = None;
    }
    run
}

/// Arms by their objectives, then controls, then the encoder from scratch; else as they came.
fn place(arm: &ArmFacts, objectives: &[ObjectiveFacts]) -> (usize, usize) {
    match &arm.role {
        Role::Arm => (0, objectives.iter().take_while(|objective| objective.name != arm.objective).count()),
        Role::Control { .. } => (1, 0),
        Role::Scratch => (2, 0),
    }
}

/// By arm: the controls that are the same thing under another name and came out so.
fn pooled(controls: &[Control], measurements: &Measurements) -> BTreeMap<String, Vec<String>> {
    let mut pooled: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Control { comparison, passed } in controls {
        let facts = measurements.arms.iter().find(|arm| arm.name == comparison.a);
        let is_same =
            facts.is_some_and(|arm| matches!(arm.role, Role::Control { expects: Expectation::Same, .. }));
        if is_same && *passed == Some(true) {
            pooled.entry(comparison.b.clone()).or_default().push(comparison.a.clone());
        }
    }
    pooled
}

/// What the families of comparisons are made of.
struct Study<'a> {
    runs: Vec<&'a RunFacts>,
    tasks: &'a [&'a TaskFacts],
    context: &'a Context<'a>,
}

impl Study<'_> {
    /// The pairs of arms on each task: one family. Of one task it would be the mean's again.
    fn by_task(&self, arms: &[&ArmFindings]) -> Vec<TaskComparisons> {
        if self.tasks.len() < 2 || arms.len() < 2 {
            return Vec::new();
        }
        let pairs = self.context.family(arms);
        let on_task = |task: &&TaskFacts| {
            let scored = self.scored(arms, &[task]);
            let group = Group::new(&scored, &[task], self.context);
            TaskComparisons {
                task: task.name.clone(),
                noise: group.noise(self.context),
                pairs: group.compare(&pairs, pairs.len() * self.tasks.len(), self.context),
            }
        };
        self.tasks.iter().map(on_task).collect()
    }

    /// Each control with its arm: one family.
    fn controls(&self, arms: &[ArmFindings]) -> Vec<Control> {
        let group: Vec<&ArmFindings> = arms.iter().filter(|arm| arm.facts.role != Role::Scratch).collect();
        let of = |facts: &ArmFacts| match &facts.role {
            Role::Control { arm, .. } => group.iter().position(|other| other.facts.name == *arm),
            _ => None,
        };
        let pairs = (0..group.len()).filter_map(|index| Some((index, of(&group[index].facts)?)));
        let pairs: Vec<(usize, usize)> = pairs.collect();
        let compared = self.compare(&group, &pairs);
        let judged = compared.into_iter().zip(&pairs).map(|(comparison, (control, _))| {
            let expects = match &group[*control].facts.role {
                Role::Control { expects, .. } => *expects,
                _ => Expectation::Open,
            };
            let passed = match (expects, comparison.verdict) {
                (Expectation::Open, _) => None,
                (_, verdict) if !verdict.is_judged() => None,
                (Expectation::Same, verdict) => Some(!verdict.is_apart()),
                (Expectation::Worse, verdict) => Some(verdict == Verdict::Worse),
            };
            Control { comparison, passed }
        });
        judged.collect()
    }

    /// Each arm with the encoder without pre-training: one family.
    fn scratch(&self, arms: &[ArmFindings]) -> Vec<Comparison> {
        let controls = |arm: &&ArmFindings| matches!(arm.facts.role, Role::Control { .. });
        let group: Vec<&ArmFindings> = arms.iter().filter(|arm| !controls(arm)).collect();
        let Some(scratch) = group.iter().position(|arm| arm.facts.role == Role::Scratch) else {
            return Vec::new();
        };
        let pairs: Vec<(usize, usize)> = (0..group.len())
            .filter(|arm| group[*arm].facts.role == Role::Arm)
            .map(|arm| (arm, scratch))
            .collect();
        self.compare(&group, &pairs)
    }

    /// The pairs of one family by the mean of the tasks; the noise is that of the whole group.
    fn compare(&self, group: &[&ArmFindings], pairs: &[(usize, usize)]) -> Vec<Comparison> {
        if pairs.is_empty() {
            return Vec::new();
        }
        let scored = self.scored(group, self.tasks);
        Group::new(&scored, self.tasks, self.context).compare(pairs, pairs.len(), self.context)
    }

    fn scored<'b>(&'b self, arms: &[&'b ArmFindings], tasks: &[&TaskFacts]) -> Vec<Scored<'b>> {
        arms.iter().map(|arm| Scored::new(arm, &self.runs, tasks, self.context)).collect()
    }
}
