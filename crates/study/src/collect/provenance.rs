//! What is needed to do a study again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use electra_analysis::{Fact, Hash, Provenance};
use electra_store::io;
use electra_text::{Input, Inputs};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::families::ToScore;
use crate::files::read_json;
use crate::graph::{Graph, PlannedRun, Scope};
use crate::job::hex;
use crate::progress::Progress;
use crate::source::TextSource;
use crate::{Error, Plan, clock, start};

/// Files of a folder of text that are listed one by one.
const LISTED: usize = 20;

pub(super) fn provenance(
    study: &Path,
    scope: &Scope<'_>,
    graph: &Graph,
    tasks: &BTreeMap<TextSource, ToScore>,
    progress: &Progress,
    command: &str,
) -> Result<Provenance, Error> {
    let plan = scope.plan;
    let environment = environment(study, graph, progress);
    let field = |key: &str| environment[key].as_str().unwrap_or("unknown").to_owned();
    let number = |key: &str| environment[key].as_f64().unwrap_or(0.0);
    let gpu = environment["gpu"].as_str().map_or_else(String::new, |name| format!(" ({name})"));
    let hardware = format!(
        "{}, {} cores; computed on {}{gpu}; matrix products at {:.1} GFLOP/s for one job alone or beside others",
        field("cpu"),
        number("cores"),
        field("device"),
        number("peak_flops_per_s") / 1e9,
    );
    let side_by_side = plan.slots();
    let threads = format!(
        "{} for each job, {side_by_side} {} side by side",
        plan.run.threads,
        if side_by_side == 1 { "job" } else { "jobs" },
    );
    let fact = |name: &str, value: String| Fact { name: name.into(), value };
    let mut facts = vec![fact("operating system", field("os")), fact("precision", field("precision"))];
    facts.extend(shorter(graph).map(|flops| fact("FLOPs of shorter runs of their own schedule", flops)));
    facts.push(fact("diagnostics", "means over consecutive log lines, about sixty points a run".into()));
    Ok(Provenance {
        command: command.into(),
        code_version: start::version(),
        date: Some(clock::today()),
        hardware,
        threads,
        libtorch: field("libtorch"),
        seconds: progress.seconds(),
        hashes: hashes(study, plan, tasks)?,
        facts,
    })
}

/// The operations of runs that end before the budget does: the report's own sums are over the others.
fn shorter(graph: &Graph) -> Option<String> {
    let ends = |run: &&PlannedRun| run.checkpoints.iter().all(|checkpoint| checkpoint.share < 1.0);
    let runs: Vec<&PlannedRun> = graph.runs.iter().filter(ends).collect();
    let sum =
        |value: fn(&PlannedRun) -> f64| runs.iter().map(|run| run.steps as f64 * value(run)).sum::<f64>();
    let (paper, executed) = (sum(|run| run.cost.paper_flops), sum(|run| run.cost.executed_flops));
    (!runs.is_empty()).then(|| format!("{paper:.3e} (paper), {executed:.3e} (executed)"))
}

/// What the first run that is done was computed by; null if there is none.
fn environment(study: &Path, graph: &Graph, progress: &Progress) -> Json {
    let done = graph.runs.iter().find(|run| progress.is_done(&format!("pretrain-{}", run.name)));
    let read = |path: PathBuf| read_json::<Json>(&path).ok()?.as_array()?.last().cloned();
    done.and_then(|run| read(study.join("runs").join(&run.name).join("environment.json")))
        .unwrap_or(Json::Null)
}

fn hashes(study: &Path, plan: &Plan, tasks: &BTreeMap<TextSource, ToScore>) -> Result<Vec<Hash>, Error> {
    let mut hashes = Vec::new();
    for path in plan.data.text.iter().flatten() {
        hashes.extend(text_hashes(path)?);
    }
    for (source, tasks) in tasks {
        let mut files = Vec::new();
        if source.language().is_some() {
            files.push(("text".to_owned(), source.folder("data").join("corpus.txt")));
        }
        files.push(("corpus".into(), source.folder("corpus/corpus.json")));
        files.push(("vocabulary".into(), source.folder("corpus/tokenizer/vocab.txt")));
        let ToScore { fine_tuned, probes, embeddings, pair_files, .. } = tasks;
        let mut seen = BTreeSet::new();
        let tasks = fine_tuned.iter().chain(probes).chain(embeddings).filter(|task| seen.insert(&task.file));
        files.extend(tasks.flat_map(|task| {
            let name = |set: &str| format!("task {}, {set} set", task.facts.name);
            [(name("train"), task.train.clone()), (name(task.split.name()), task.file.clone())]
        }));
        files.extend(pair_files.iter().map(|file| {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            (format!("minimal pairs, {name}"), file.clone())
        }));
        for (name, path) in files {
            let name = format!("{}{name}", source.prefix());
            hashes.push(Hash { name, sha256: sha256(&study.join(path))? });
        }
    }
    Ok(hashes)
}

/// Of each file that a name of text stands for; of many the hash of the list that `sha256sum` would print of them.
fn text_hashes(named: &Path) -> Result<Vec<Hash>, Error> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let inputs = Inputs::expand(&[named])?;
    let mut hashes = Vec::new();
    for input in inputs.as_slice() {
        // A pipe is empty by now.
        let Input::File { path, bytes: Some(_) } = input else { continue };
        let within = path.strip_prefix(named).ok().filter(|within| !within.as_os_str().is_empty());
        let shown =
            within.map_or_else(|| name(path), |within| format!("{}/{}", name(named), within.display()));
        hashes.push(Hash { name: shown, sha256: sha256(path)? });
    }
    if hashes.len() > LISTED {
        let list: String = hashes.iter().map(|Hash { name, sha256 }| format!("{sha256}  {name}\n")).collect();
        let list_name =
            format!("the list of SHA-256 and names of the {} files of {}", hashes.len(), name(named));
        return Ok(vec![Hash { name: list_name, sha256: hex(&Sha256::digest(list)) }]);
    }
    hashes.iter_mut().for_each(|hash| hash.name = format!("text {}", hash.name));
    Ok(hashes)
}

pub(super) fn sha256(path: &Path) -> Result<String, Error> {
    let mut file = File::open(path).map_err(io(path, "opening it"))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(io(path, "reading it"))? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{LISTED, text_hashes};

    #[test]
    fn the_files_of_a_folder_of_text_are_hashed() {
        let folder = tempfile::tempdir().unwrap();
        let wiki = folder.path().join("wiki");
        fs::create_dir_all(wiki.join("a")).unwrap();
        for name in ["a/1.txt", "2.txt", "left-out.png"] {
            fs::write(wiki.join(name), "abc").unwrap();
        }
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let shown = |named: &str| -> Vec<(String, String)> {
            let hashes = text_hashes(&folder.path().join(named)).unwrap();
            hashes.into_iter().map(|hash| (hash.name, hash.sha256)).collect()
        };
        let hash = |name: &str| (name.to_owned(), abc.to_owned());
        assert_eq!(shown("wiki"), [hash("text wiki/2.txt"), hash("text wiki/a/1.txt")]);
        assert_eq!(shown("wiki/2.txt"), [hash("text 2.txt")]);
        for number in 0..LISTED {
            fs::write(wiki.join(format!("more-{number}.txt")), "abc").unwrap();
        }
        let many = shown("wiki");
        assert_eq!(many.len(), 1);
        assert_eq!(many[0].0, "the list of SHA-256 and names of the 22 files of wiki");
        fs::write(wiki.join("2.txt"), "abd").unwrap();
        assert_ne!(shown("wiki"), many);
    }
}
