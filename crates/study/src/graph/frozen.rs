//! The jobs that score an encoder as it is: probes, embeddings, and minimal pairs by its own head.

use std::path::PathBuf;

use electra_config::ObjectiveInfo;

use super::{PlannedCheckpoint, PlannedRun, Scope};
use crate::job::{Done, Job, Kind};
use crate::{Error, estimate};

/// The id and the output of the job that probes a checkpoint.
pub(crate) fn probe_job(checkpoint: &str) -> (String, PathBuf) {
    (format!("probe-{checkpoint}"), ["probes", checkpoint].iter().collect())
}

/// The id and the output of the job that compares a checkpoint's embeddings.
pub(crate) fn embed_job(checkpoint: &str) -> (String, PathBuf) {
    (format!("embed-{checkpoint}"), ["embeddings", checkpoint].iter().collect())
}

/// The id and the output of the job that asks a checkpoint for minimal pairs.
pub(crate) fn pairs_job(checkpoint: &str) -> (String, PathBuf) {
    (format!("pairs-{checkpoint}"), format!("pairs/{checkpoint}.json").into())
}

/// All of them, as far as the plan wants them.
pub(super) fn jobs(
    scope: &Scope<'_>,
    run: &PlannedRun,
    checkpoint: &PlannedCheckpoint,
    shown: &str,
) -> Result<Vec<Job>, Error> {
    let (plan, tasks, name) = (scope.plan, &scope.plan.tasks, &checkpoint.name);
    let (model, threads) = (format!("exports/{name}"), plan.run.threads.to_string());
    let job =
        |(id, output): (String, PathBuf), what: &str, kind, scores: usize, arguments: Vec<String>| Job {
            id,
            title: format!("{shown}: {what}"),
            kind,
            needs: vec![format!("export-{name}")],
            seconds: estimate::frozen(plan, scores),
            bytes: 0.0,
            arguments,
            settings: None,
            output,
            done: Done::Folder,
        };
    let mut jobs = Vec::new();
    for (names, command, kind, (id, output)) in [
        (&tasks.probes, "probe", Kind::Probe, probe_job(name)),
        (&tasks.embeddings, "embed", Kind::Embed, embed_job(name)),
    ] {
        if names.is_empty() {
            continue;
        }
        let data = scope.tasks_folder(&run.source).display().to_string();
        let to = output.display().to_string();
        let call = [command, "--model", &model, "--data", &data, "--evaluate", scope.split.name()];
        let options = ["--threads", &threads, "--output", &to, "--task"];
        let call = call.into_iter().chain(options).map(String::from).chain(names.iter().cloned());
        jobs.push(job((id, output), kind.name(), kind, names.len(), call.collect()));
    }
    if !tasks.zero_shot.is_empty() {
        let (id, output) = pairs_job(name);
        let pairs = scope.pairs_folder(&run.source).display().to_string();
        let to = output.display().to_string();
        let score = ObjectiveInfo::find(scope.objectives, &run.arm.objective)?.scoring.name();
        let call = ["minimal-pairs", "--model", &model, "--pairs", &pairs, "--score", score];
        let options = ["--threads", &threads, "--output", &to];
        let mut call: Vec<String> = call.into_iter().chain(options).map(String::from).collect();
        for (option, number) in [("--skip", tasks.pair_skip), ("--limit", tasks.pair_limit)] {
            call.extend(number.iter().flat_map(|number| [option.to_owned(), number.to_string()]));
        }
        call.push("--paradigm".into());
        call.extend(tasks.zero_shot.iter().cloned());
        jobs.push(job((id, output), "minimal pairs", Kind::Pairs, tasks.zero_shot.len(), call));
    }
    Ok(jobs)
}
