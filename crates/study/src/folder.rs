//! A study's folder.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::plan::flat;
use crate::pool::LOGS;
use crate::{Error, Plan, files};

const PLAN: &str = "plan.toml";
const LOCK: &str = ".lock";
/// Folders in which a job that was killed may leave something under a temporary name.
const WRITTEN: [&str; 5] = ["", "exports", "replacements", "done", "settings"];
/// Sections that change no result: a study goes on though they are others than before.
const FREE: [&str; 2] = ["run.parallel", "estimate."];

/// A study's folder that this process alone works in, for as long as it holds this.
#[derive(Debug)]
pub(crate) struct StudyFolder {
    pub(crate) path: PathBuf,
    /// The system gives the lock back when the process ends, however it ends.
    _lock: File,
}

impl StudyFolder {
    /// Makes the folder, or takes one of a study of the same plan.
    pub(crate) fn take(path: &Path, plan: &Plan) -> Result<Self, Error> {
        let path = std::path::absolute(path).map_err(Error::io(path, "finding where it is"))?;
        files::create_dir(&path)?;
        let file = path.join(PLAN);
        if !file.exists() && !is_empty(&path)? {
            return Err(Error::NoStudy { folder: path });
        }
        let lock = lock(&path)?;
        for folder in WRITTEN {
            files::remove_partial(&path.join(folder))?;
        }
        let wanted = plan.to_toml();
        if file.exists() {
            let found = files::read_to_string(&file)?;
            let differences = differences(&file, &found, &wanted)?;
            if !differences.is_empty() {
                if !is_unused(&path)? {
                    return Err(Error::Differs { folder: path, differences });
                }
                files::remove(&path.join(LOGS))?;
                files::write(&file, &wanted)?;
            }
        } else {
            files::write(&file, &wanted)?;
        }
        Ok(Self { path, _lock: lock })
    }
}

fn differences(file: &Path, found: &str, wanted: &str) -> Result<Vec<String>, Error> {
    let table = |text: &str| {
        toml::from_str::<Table>(text)
            .map_err(|error| Error::Toml { origin: file.display().to_string(), message: error.to_string() })
    };
    let (found, wanted) = (table(found)?, table(wanted)?);
    let (found, wanted) = (flat(&with_named_arms(found)), flat(&with_named_arms(wanted)));
    let keys: BTreeSet<&String> = found.keys().chain(wanted.keys()).collect();
    let is_free = |key: &str| FREE.iter().any(|free| key.starts_with(free));
    let show = |value: Option<&String>| value.map_or("not set", |value| value).to_owned();
    let differing = keys.into_iter().filter(|key| found.get(*key) != wanted.get(*key) && !is_free(key));
    Ok(differing
        .map(|key| format!("{key} = {} (wanted: {})", show(found.get(key)), show(wanted.get(key))))
        .collect())
}

/// `arms` by their names, so that a difference in one of them is named by its key.
fn with_named_arms(mut plan: Table) -> Table {
    if let Some(Value::Array(arms)) = plan.remove("arms") {
        let named = arms.into_iter().enumerate().map(|(at, arm)| {
            let name = arm.get("name").and_then(Value::as_str).map_or_else(|| at.to_string(), String::from);
            (name, arm)
        });
        plan.insert("arms".into(), Value::Table(named.collect()));
    }
    plan
}

/// Whether nothing was made by the plan that is there: no job came to an end, and none has left a part of its work.
fn is_unused(folder: &Path) -> Result<bool, Error> {
    let is_empty =
        |entry: &fs::DirEntry| fs::read_dir(entry.path()).is_ok_and(|mut inside| inside.next().is_none());
    let mut entries = fs::read_dir(folder).map_err(Error::io(folder, "listing it"))?;
    Ok(entries.all(|entry| {
        entry.is_ok_and(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with('.') || [PLAN, LOGS].contains(&&*name) || is_empty(&entry)
        })
    }))
}

/// Whether there is nothing but what a start that was killed at once leaves behind.
fn is_empty(folder: &Path) -> Result<bool, Error> {
    let mut entries = fs::read_dir(folder).map_err(Error::io(folder, "listing it"))?;
    Ok(entries.all(|entry| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with('.'))))
}

fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join(LOCK);
    let file = File::create(&path).map_err(Error::io(&path, "creating it"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(Error::io(&path, "locking it")(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_plan_takes_the_place_of_one_that_nothing_was_made_by() {
        let folder = tempfile::tempdir().unwrap();
        let study = folder.path().join("study");
        let text = Plan::text("default").unwrap();
        let plan = |set: &str| Plan::read("default", &text, false, &[set.to_owned()]).unwrap();
        let take = |set: &str| StudyFolder::take(&study, &plan(set)).map(|_| ());
        take("budget.steps=7").unwrap();
        // What jobs that failed leave: empty folders, and what they said.
        for name in ["done", "logs", "exports"] {
            fs::create_dir(study.join(name)).unwrap();
        }
        fs::write(study.join("logs/data.log"), "error: no such file\n").unwrap();
        take("budget.steps=8").unwrap();
        assert_eq!(fs::read_to_string(study.join(PLAN)).unwrap(), plan("budget.steps=8").to_toml());
        assert!(!study.join("logs").exists());

        fs::write(study.join("done/data.json"), "{}").unwrap();
        take("budget.steps=8").unwrap();
        let error = take("budget.steps=9").unwrap_err().to_string();
        assert!(error.ends_with("set:\n  budget.steps = 8 (wanted: 9)"), "{error}");
    }
}
