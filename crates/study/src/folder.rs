//! A study's folder.

use std::fs;
use std::path::Path;

use electra_store::settings::{Difference, differences, to_table};
use electra_store::{FolderKind, OwnedFolder, io, remove, remove_partial};
use toml::{Table, Value};

use crate::pool::LOGS;
use crate::source::LANGUAGES;
use crate::start::START;
use crate::{Error, Plan};

const PLAN: &str = "plan.toml";
const STUDY: FolderKind = FolderKind {
    what: "study",
    settings: PLAN,
    others: "a study of another plan",
    activity: "working on this study",
};
/// Folders in which a job that was killed may leave something under a temporary name.
const WRITTEN: [&str; 7] = ["exports", "replacements", "probes", "embeddings", "pairs", "done", "settings"];
/// Sections that change no run: a study goes on though they are others than before.
const FREE: [&str; 7] =
    ["run.parallel", "run.devices", "estimate.", "analysis", "take_off", "pilot", "sweep"];

/// Makes the folder, or takes one of a study of the same plan.
pub(crate) fn take(path: &Path, plan: &Plan) -> Result<OwnedFolder, Error> {
    let path = std::path::absolute(path).map_err(io(path, "finding where it is"))?;
    let owned = OwnedFolder::lock(&path, STUDY)?;
    for folder in WRITTEN {
        remove_partial(&path.join(folder))?;
    }
    for language in fs::read_dir(path.join(LANGUAGES)).into_iter().flatten().flatten() {
        remove_partial(&language.path())?;
    }
    let Some(found) = owned.settings()? else {
        owned.write_settings(plan)?;
        return Ok(owned);
    };
    let differences = differing(found, to_table(plan));
    if differences.is_empty() {
        return Ok(owned);
    }
    if !is_unused(&path)? {
        return Err(owned.differs(differences).into());
    }
    remove(&path.join(LOGS))?;
    remove(&path.join(START))?;
    owned.write_settings(plan)?;
    Ok(owned)
}

/// The keys that would change a result.
fn differing(found: Table, expected: Table) -> Vec<Difference> {
    let mut differences = differences(&with_named_arms(found), &with_named_arms(expected));
    differences.retain(|difference| !FREE.iter().any(|free| difference.key.starts_with(free)));
    differences
}

/// `arms` by their names, so that a difference in one of them is named by its key.
fn with_named_arms(mut plan: Table) -> Table {
    if let Some(Value::Array(arms)) = plan.remove("arms") {
        let named = arms.into_iter().enumerate().map(|(index, arm)| {
            let name =
                arm.get("name").and_then(Value::as_str).map_or_else(|| index.to_string(), String::from);
            (name, arm)
        });
        plan.insert("arms".into(), Value::Table(named.collect()));
    }
    plan
}

/// Whether nothing was made by the plan that is there: no job came to an end, and none has left a part of its work.
pub(crate) fn is_unused(folder: &Path) -> Result<bool, Error> {
    let is_empty =
        |entry: &fs::DirEntry| fs::read_dir(entry.path()).is_ok_and(|mut inside| inside.next().is_none());
    let mut entries = fs::read_dir(folder).map_err(io(folder, "listing it"))?;
    Ok(entries.all(|entry| {
        entry.is_ok_and(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with('.') || [PLAN, LOGS, START].contains(&&*name) || is_empty(&entry)
        })
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::objectives::OBJECTIVES;

    #[test]
    fn another_plan_takes_the_place_of_one_that_nothing_was_made_by() {
        let folder = tempfile::tempdir().unwrap();
        let study = folder.path().join("study");
        let text = Plan::text("default").unwrap();
        let plan = |set: &str| Plan::read("default", &text, false, &[set.to_owned()], &OBJECTIVES).unwrap();
        let take = |set: &str| super::take(&study, &plan(set)).map(|_| ());
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
        assert!(error.ends_with("set budget.steps = 8 (wanted: 9)"), "{error}");
    }
}
