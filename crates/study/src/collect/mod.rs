//! From what jobs have left to the measurements of a report.

mod families;
mod provenance;
mod replacements;
mod scores;
mod tasks;
mod unigram;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use electra_analysis::{
    ArmFacts, CheckpointFacts, DiagnosticPoint, Fact, Matched, Measurements, ObjectiveFacts, PlanFacts, Role,
    RunFacts, TaskFacts,
};
use electra_config::{Config, Head, ObjectiveInfo, Positions, Preset};
use electra_store::read_to_string;
use electra_store::settings::{flat, to_table};
use serde_json::Value as Json;

use crate::arms::{Arm, value_in};
use crate::graph::{Before, Graph, PlannedRun, Scope};
use crate::plan::{Languages, Split, SyntheticPlan};
use crate::progress::Progress;
use crate::search::Choice;
use crate::start::Start;
use crate::{Error, Plan};

pub(crate) use families::{ToScore, check_given};
pub(crate) use scores::scores;
pub(crate) use tasks::{TaskToScore, tasks};

/// Points of a diagnostic that a report gets.
const POINTS: usize = 60;
/// Fields of a log line that are not diagnostics.
const COUNTS: [&str; 4] = ["step", "tokens", "flops", "skipped"];

/// All that was measured.
pub(crate) fn measurements(
    study: &Path,
    scope: &Scope<'_>,
    graph: &Graph,
    chosen: &Choice,
    progress: &Progress,
    command: &str,
) -> Result<Measurements, Error> {
    let plan = scope.plan;
    let sources = plan.reported_sources();
    let (mut to_score, mut keys, mut unigram) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for source in &sources {
        let of_source = ToScore::read(study, scope, source)?;
        keys.insert(source, of_source.key()?);
        unigram.insert(source, unigram::unigram_loss(&study.join(source.folder("corpus")))?);
        to_score.insert(source.clone(), of_source);
    }
    let mut runs: Vec<RunFacts> = Vec::new();
    for run in &graph.runs {
        if !progress.is_done(&format!("pretrain-{}", run.name)) {
            continue;
        }
        let checkpoints = checkpoints(study, plan, run, &to_score[&run.source], progress)?;
        // A run of its own schedule is a point on the curve of the run to the end, which comes before it.
        match runs.iter_mut().find(|facts| facts.arm == run.arm.name && facts.seed == run.seed) {
            Some(whole) => whole.checkpoints.extend(checkpoints),
            None if run.checkpoints.iter().any(|checkpoint| checkpoint.share == 1.0) => {
                let replacements = replacements::replacements(study, run, progress)?;
                runs.push(RunFacts {
                    unigram_loss: Some(unigram[&run.source]),
                    replacements,
                    ..run_facts(study, run, &keys[&run.source], checkpoints)?
                });
            }
            None => {}
        }
    }
    let of_each: Vec<&ToScore> = sources.iter().map(|source| &to_score[source]).collect();
    let (own, families) = families::facts(plan, &of_each);
    let fine_tuned = || {
        let facts =
            |of_source: &&ToScore| of_source.fine_tuned.iter().map(|task| task.facts.clone()).collect();
        let facts: Vec<Vec<TaskFacts>> = of_each.iter().map(facts).collect();
        tasks::common_facts(&facts.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    let arms = plan.pretrained_arms().into_iter().chain(plan.scratch_arm());
    Ok(Measurements {
        title: plan.title.clone(),
        plan: plan_facts(plan, graph, chosen, Start::read(study, plan)?)?,
        tasks: own.unwrap_or_else(fine_tuned),
        families,
        objectives: scope.objectives.iter().map(|info| objective_facts(info)).collect(),
        arms: arms.map(|arm| arm_facts(&arm, scope, graph, chosen)).collect::<Result<_, _>>()?,
        runs,
        language: replacements::language(study, &sources)?,
        failures: progress.failures(),
        provenance: provenance::provenance(study, scope, graph, &to_score, progress, command)?,
    })
}

fn run_facts(
    study: &Path,
    run: &PlannedRun,
    test_sets: &str,
    checkpoints: Vec<CheckpointFacts>,
) -> Result<RunFacts, Error> {
    let folder = study.join("runs").join(&run.name);
    let steps = trained(run, run.steps);
    let elapsed = |run: &str, step: u64| -> Result<f64, Error> {
        let timing = lines(&study.join("runs").join(run).join("timing.jsonl"))?;
        let until = timing.iter().rev().find(|line| line["step"].as_u64().is_none_or(|at| at <= step));
        Ok(until.and_then(|line| line["elapsed_seconds"].as_f64()).unwrap_or(0.0))
    };
    // What a run goes on from counts as its own.
    let before = run.before.as_ref();
    let sum = |value: fn(&Before) -> f64| before.map_or(0.0, value);
    let seconds = elapsed(&run.name, u64::MAX)?
        + before.map(|before| elapsed(&before.run, before.step)).transpose()?.unwrap_or(0.0);
    let mut diagnostics =
        if steps > 0 { diagnostics(&lines(&folder.join("metrics.jsonl"))?) } else { Vec::new() };
    diagnostics.iter_mut().for_each(|point| point.step += steps_before(run));
    Ok(RunFacts {
        arm: run.arm.name.clone(),
        seed: run.seed,
        test_sets: test_sets.into(),
        steps: steps_before(run) + steps,
        tokens: steps * run.cost.tokens + before.map_or(0, Before::tokens),
        flops_paper: steps as f64 * run.cost.paper_flops + sum(Before::flops_paper),
        flops_executed: steps as f64 * run.cost.executed_flops + sum(Before::flops_executed),
        seconds: if steps > 0 { seconds } else { 0.0 },
        checkpoints,
        diagnostics,
        unigram_loss: None,
        replacements: None,
    })
}

/// Steps of the run that this one goes on from.
fn steps_before(run: &PlannedRun) -> u64 {
    run.before.as_ref().map_or(0, |before| before.step)
}

/// Steps that change the encoder: none without pre-training, whose one step has a learning rate of 0.
fn trained(run: &PlannedRun, step: u64) -> u64 {
    if run.arm.role == Role::Scratch { 0 } else { step }
}

fn checkpoints(
    study: &Path,
    plan: &Plan,
    run: &PlannedRun,
    to_score: &ToScore,
    progress: &Progress,
) -> Result<Vec<CheckpointFacts>, Error> {
    let mut found = Vec::new();
    for checkpoint in &run.checkpoints {
        let is_fine_tuned = progress.is_done(&format!("finetune-{}", checkpoint.name));
        let mut of_families = families::scores(study, checkpoint, to_score, progress)?;
        let scores = match families::own(plan) {
            Some(own) => of_families.remove(own).unwrap_or_default(),
            None if is_fine_tuned => scores(study, checkpoint, &to_score.fine_tuned)?,
            None => Vec::new(),
        };
        if scores.is_empty() && of_families.is_empty() {
            continue;
        }
        let step = trained(run, checkpoint.step);
        let before = |value: fn(&Before) -> f64| run.before.as_ref().map_or(0.0, value);
        found.push(CheckpointFacts {
            share: checkpoint.share,
            schedule: checkpoint.schedule,
            step: steps_before(run) + step,
            flops_paper: step as f64 * run.cost.paper_flops + before(Before::flops_paper),
            flops_executed: step as f64 * run.cost.executed_flops + before(Before::flops_executed),
            scores,
            families: of_families,
        });
    }
    Ok(found)
}

/// The lines of a log.
fn lines(path: &Path) -> Result<Vec<Json>, Error> {
    let text = read_to_string(path)?;
    let parse = |(index, line): (usize, &str)| {
        let what = |error| format!("line {}: {error}", index + 1);
        serde_json::from_str(line).map_err(|error| Error::Result { path: path.to_owned(), what: what(error) })
    };
    text.lines().enumerate().map(parse).collect()
}

/// Means over as many consecutive log lines as give about sixty points: single steps of small batches are noise.
fn diagnostics(lines: &[Json]) -> Vec<DiagnosticPoint> {
    let point = |lines: &[Json]| {
        let mut sums: BTreeMap<String, (f64, usize)> = BTreeMap::new();
        for (name, value) in lines.iter().flat_map(|line| line.as_object().into_iter().flatten()) {
            // What is not finite is null in the log, and in none of the means.
            if let (Some(value), false) = (value.as_f64(), COUNTS.contains(&name.as_str())) {
                let sum = sums.entry(name.clone()).or_default();
                *sum = (sum.0 + value, sum.1 + 1);
            }
        }
        let step = lines.last().and_then(|line| line["step"].as_u64()).unwrap_or(0);
        DiagnosticPoint {
            step,
            values: sums.into_iter().map(|(name, (sum, n))| (name, sum / n as f64)).collect(),
        }
    };
    lines.chunks(lines.len().div_ceil(POINTS).max(1)).map(point).collect()
}

fn objective_facts(info: &ObjectiveInfo) -> ObjectiveFacts {
    // Which heads an objective has does not depend on the sizes of its networks.
    let model = Config::preset(Preset::Tiny, info.name, 0, PathBuf::new()).model.model();
    let networks = (info.networks)(&model);
    let mut heads = networks.iter().flat_map(|network| network.heads);
    ObjectiveFacts {
        name: info.name.into(),
        title: info.title.into(),
        paper_glue: info.paper,
        masked_positions_alone: heads.any(|head| *head == Head::Discriminator(Positions::Masked)),
    }
}

fn arm_facts(arm: &Arm, scope: &Scope<'_>, graph: &Graph, chosen: &Choice) -> Result<ArmFacts, Error> {
    let objective = ObjectiveInfo::find(scope.objectives, &arm.objective)?;
    let searched =
        chosen.settings.get(arm.searched_as()).into_iter().flatten().filter(|_| arm.role != Role::Scratch);
    let own = arm.set.iter().filter(|_| arm.role != Role::Scratch);
    let mut settings: BTreeMap<String, String> =
        searched.chain(own).map(|(key, value)| (key.clone(), value.to_string())).collect();
    settings.extend(
        flat(&to_table(&arm.synthetic))
            .into_iter()
            .map(|(key, value)| (format!("data.synthetic.{key}"), value)),
    );
    let run = graph.runs.iter().find(|run| run.arm.name == arm.name);
    if let Some(run) = run {
        settings.insert("steps".into(), trained(run, run.steps).to_string());
        settings.extend(run.before.as_ref().map(|before| {
            let Before { arm, step, steps, .. } = before;
            ("goes on from".to_owned(), format!("{arm} at step {step} of {steps}"))
        }));
    }
    if arm.role != Role::Scratch {
        let over = chosen.settings.get(arm.searched_as()).cloned().unwrap_or_default();
        let vocab_size = scope.vocab_sizes.values().next().copied().unwrap_or(1);
        let config = scope.plan.run_config(scope.origin, scope.objectives, arm, &over, vocab_size)?;
        if let Some(setting) = &scope.plan.sweep {
            settings.extend(value_in(&config, setting).map(|value| (setting.clone(), value.to_string())));
        }
        // Operations are counted with the mean, which is the number of every full row unless the rate changes.
        let length = scope.plan.data.max_length;
        let masked = config.masking.expected_count(length);
        if masked != config.masking.capacity(length) as f64 {
            settings.insert("masked tokens of a row, on average".into(), format!("{masked:.1}"));
        }
    }
    let is_the_papers = arm.role == Role::Arm && arm.name == arm.objective;
    Ok(ArmFacts {
        name: arm.name.clone(),
        objective: arm.objective.clone(),
        title: arm.title.clone().unwrap_or_else(|| objective.title.to_owned()),
        role: arm.role.clone(),
        settings,
        paper_glue: objective.paper.filter(|_| is_the_papers),
        flops_of: arm.flops_of.clone(),
        continues: arm.continues.as_ref().map(|continues| continues.arm.clone()),
    })
}

fn plan_facts(
    plan: &Plan,
    graph: &Graph,
    chosen: &Choice,
    start: Result<String, String>,
) -> Result<PlanFacts, Error> {
    let reference = graph.runs.iter().find(|run| run.arm.name == plan.budget.reference);
    let words = |run: &PlannedRun| {
        let rows = run.cost.tokens / plan.data.max_length as u64;
        let steps = format!(
            "{} steps of {rows} × {} tokens",
            electra_report::count(run.steps as f64),
            plan.data.max_length
        );
        match plan.budget.matched {
            Matched::Steps if plan.arms.iter().any(|arm| arm.flops_of.is_some()) => {
                format!("{steps} for each arm whose FLOPs are not those of another")
            }
            Matched::Steps => format!("{steps} for each arm"),
            Matched::Flops => format!(
                "{:.3e} FLOPs as the paper counts them, which is {steps} of {}",
                run.steps as f64 * run.cost.paper_flops,
                run.arm.name
            ),
        }
    };
    let fact = |name: &str, value: String| Fact { name: name.into(), value };
    let mut facts = vec![fact("data", data_in_words(plan)), fact("tasks", plan.tasks.names.join(", "))];
    facts.push(fact("fine-tuning", finetuning_in_words(plan)));
    for (name, names) in [
        ("probes", &plan.tasks.probes),
        ("embeddings", &plan.tasks.embeddings),
        ("minimal pairs", &plan.tasks.zero_shot),
    ] {
        facts.extend((!names.is_empty()).then(|| fact(name, names.join(", "))));
    }
    // What a plan says of itself is repeated only where it is shown.
    let fixed_in_writing = match start {
        Ok(fixed) => Some(match &plan.fixed_in_writing {
            Some(said) => format!("{fixed} {said}"),
            None => fixed,
        }),
        Err(reason) => {
            facts.push(fact("not shown to be fixed in writing", reason));
            None
        }
    };
    facts
        .extend(flat(&plan.pretrain).into_iter().map(|(key, value)| fact(&format!("pretrain.{key}"), value)));
    Ok(PlanFacts {
        name: plan.name.clone(),
        proves_nothing: plan.proves_nothing.clone(),
        baseline: plan.baseline.clone(),
        matched: plan.budget.matched,
        budget: reference
            .map_or_else(|| format!("that of {}, which has no run", plan.budget.reference), words),
        pretraining_seeds: plan.pretraining_seeds.clone(),
        finetuning_seeds: plan.finetuning_seeds.clone(),
        split: plan.tasks.evaluate.name().into(),
        settings_chosen: settings_in_words(plan),
        sweep: plan.sweep.clone(),
        trials: if plan.search.is_some() { chosen.trials.clone() } else { plan.trials()? },
        fixed_in_writing,
        facts,
        file: Some(plan.to_toml()),
    })
}

fn data_in_words(plan: &Plan) -> String {
    let data = &plan.data;
    let text = match (&data.synthetic, &data.text) {
        (Some(synthetic), _) => languages_in_words(plan, synthetic),
        (None, text) => format!("{} files or folders of text", text.iter().flatten().count()),
    };
    let vocabulary = match data.vocab_size {
        Some(size) => format!("a vocabulary of {size} tokens trained on it"),
        None => "a given tokenizer".into(),
    };
    format!("{text}; {vocabulary}; examples of {} tokens", data.max_length)
}

fn languages_in_words(plan: &Plan, synthetic: &SyntheticPlan) -> String {
    let SyntheticPlan { seed, documents, family, languages, told_twice } = synthetic;
    let family = family.name();
    let told = if *told_twice { "told twice" } else { "told once" };
    match languages {
        Languages::One => {
            format!("{documents} documents of language {seed} of {family}, the same for all runs, {told}")
        }
        Languages::EachSeed => {
            let number = |seed: &u64| synthetic.number(*seed).to_string();
            let numbers: Vec<String> = plan.pretraining_seeds.iter().map(number).collect();
            let numbers = numbers.join(", ");
            format!(
                "{documents} documents of a language of {family} for each seed of pre-training ({numbers}), {told}"
            )
        }
    }
}

fn finetuning_in_words(plan: &Plan) -> String {
    let set: Vec<String> =
        flat(&plan.tasks.set).iter().map(|(key, value)| format!("{key} = {value}")).collect();
    let with = if set.is_empty() { String::new() } else { format!(", with {}", set.join(", ")) };
    format!("the preset {}{with}, the same for every arm", plan.tasks.preset)
}

fn settings_in_words(plan: &Plan) -> String {
    let Some(search) = &plan.search else { return plan.settings_chosen.clone() };
    let grid = search.grid.iter().map(|(key, values)| {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        format!("{key} of {}", values.join(", "))
    });
    let held_out = match plan.tasks.evaluate {
        Split::Test => "the dev sets, which are not reported",
        Split::Dev => "a fifth of each train set, held out of it for the search alone",
    };
    format!(
        "{} Searched for each objective with the same budget: {}; every combination for {} seeds of pre-training \
         and {} of fine-tuning at {} of the budget, scored on {held_out}. Controls have their arm's settings, \
         and an arm for which the plan names another (settings_of) has that one's.",
        plan.settings_chosen,
        grid.collect::<Vec<_>>().join("; "),
        search.pretraining_seeds.len(),
        search.finetuning_seeds.len(),
        search.share,
    )
}
