//! What stood fixed when a study began: its plan by hash, the commit that holds it, whether anything was changed
//! beside it, and the time. It is written once, before the first job, so that a report can tell whether its plan was
//! fixed in writing before its first run.

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use electra_config::ObjectiveInfo;
use electra_store::settings::to_table;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::Value;

use crate::clock;
use crate::files::read_json;
use crate::job::hex;
use crate::{Error, Plan, devices};

/// The file in a study's folder.
pub(crate) const START: &str = "start.json";
/// Digits of a hash or a commit that a sentence has.
const SHOWN: usize = 12;

/// What stood fixed when a study began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Start {
    /// The plan's hash, without what changes no result and no verdict.
    plan_sha256: String,
    /// The commit that holds the plan as it was run; none if no commit does.
    plan_commit: Option<String>,
    /// Whether nothing beside that commit was changed, neither at the plan nor at the program.
    clean: bool,
    /// The program's version and commit.
    program: String,
    /// In UTC.
    time: String,
}

impl Start {
    /// Writes down what is fixed now.
    ///
    /// # Errors
    /// [`Error::Store`] if the file cannot be written.
    pub(crate) fn write(
        folder: &Path,
        plan: &Plan,
        origin: &str,
        objectives: &[&ObjectiveInfo],
    ) -> Result<(), Error> {
        let (plan_commit, clean) = match holder(plan, origin, objectives) {
            Some(Holder { commit, clean }) => (Some(commit), clean),
            None => (None, false),
        };
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
        let start = Self {
            plan_sha256: hash(plan),
            plan_commit,
            clean,
            program: version(),
            time: clock::utc(seconds),
        };
        let json = serde_json::to_string_pretty(&start).expect("strings and flags are JSON") + "\n";
        Ok(electra_store::write(&folder.join(START), json)?)
    }

    /// What a report says of it: that the plan was fixed in writing, or why that is not shown.
    ///
    /// # Errors
    /// [`Error::Result`] if the file is there and is not what was written.
    pub(crate) fn read(folder: &Path, plan: &Plan) -> Result<Result<String, String>, Error> {
        let path = folder.join(START);
        if !path.exists() {
            return Ok(Err("nothing was written down when the study began".into()));
        }
        Ok(read_json::<Self>(&path)?.judge(plan, &version()))
    }

    fn judge(&self, plan: &Plan, program: &str) -> Result<String, String> {
        let (now, time) = (hash(plan), &self.time);
        // Of the file's, which may hold anything.
        let short = |digits: &str| digits.chars().take(SHOWN).collect::<String>();
        let Some(commit) = &self.plan_commit else {
            return Err(format!("no commit held this plan when the study began, {time}"));
        };
        if now != self.plan_sha256 {
            return Err(format!("the plan is another than when the study began, {time}"));
        }
        if !self.clean {
            return Err(format!(
                "files beside commit {} were changed when the study began, {time}",
                short(commit)
            ));
        }
        if program != self.program {
            return Err(format!("the study began with the program {}, {time}", self.program));
        }
        Ok(format!(
            "Commit {} held this plan (SHA-256 {}…) when the study began, {time}, and nothing beside it was changed.",
            short(commit),
            short(&now),
        ))
    }
}

/// The hash of a plan without `[estimate]`, `run.parallel` and the number of `run.devices`, which change neither a result nor a
/// verdict.
fn hash(plan: &Plan) -> String {
    let mut table = to_table(plan);
    table.remove("estimate");
    if let Some(Value::Table(run)) = table.get_mut("run") {
        run.remove("parallel");
        if let Some(kind) = devices::kind(&plan.run.devices) {
            run.insert("devices".into(), Value::String(kind.into()));
        }
    }
    hex(&Sha256::digest(table.to_string()))
}

/// This program's version, with its commit where that is known.
pub(crate) fn version() -> String {
    match option_env!("ELECTRA_COMMIT") {
        Some(commit) => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
        None => env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// The commit that holds a plan, and whether nothing beside it was changed.
struct Holder {
    commit: String,
    clean: bool,
}

/// Of a plan that is run as it is written, but for the places of its inputs; none of one with other settings.
fn holder(plan: &Plan, origin: &str, objectives: &[&ObjectiveInfo]) -> Option<Holder> {
    let text = Plan::text(origin).ok()?;
    let place = |path: &Path| Value::String(path.display().to_string());
    let mut inputs = Vec::new();
    if let Some(text) = &plan.data.text {
        inputs.push(format!("data.text={}", Value::Array(text.iter().map(|path| place(path)).collect())));
    }
    inputs.extend(plan.tasks.folder.iter().map(|folder| format!("tasks.folder={}", place(folder))));
    let written = Plan::read(origin, &text, false, &inputs, objectives).ok()?;
    if hash(&written) != hash(plan) {
        return None;
    }
    let program = program()?;
    if Plan::shipped().contains(&origin) {
        return Some(program);
    }
    let path = std::path::absolute(origin).ok()?;
    let (folder, name) = (path.parent()?, path.file_name()?.to_str()?);
    let commit =
        git(folder, &["log", "-1", "--format=%H", "--", name]).filter(|commit| !commit.is_empty())?;
    let clean = git(folder, &["status", "--porcelain"])?.is_empty();
    Some(Holder { commit, clean: clean && program.clean })
}

/// The commit that this program is built from. Its tree was clean if it was when the program was built, and still is
/// where the sources are beside it.
fn program() -> Option<Holder> {
    let commit = option_env!("ELECTRA_COMMIT")?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let changed = sources.is_dir()
        && git(sources, &["rev-parse", "HEAD"]).is_some_and(|head| head.starts_with(commit))
        && git(sources, &["status", "--porcelain", "--untracked-files=no"])
            .is_none_or(|changes| !changes.is_empty());
    let clean = option_env!("ELECTRA_TREE_CLEAN").is_some() && !changed;
    Some(Holder { commit: commit.to_owned(), clean })
}

/// What git says, if it says anything.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::objectives::OBJECTIVES;

    fn plan(set: &[&str]) -> Plan {
        let set: Vec<String> = set.iter().map(|set| (*set).to_owned()).collect();
        Plan::read("default", &Plan::text("default").unwrap(), false, &set, &OBJECTIVES).unwrap()
    }

    #[test]
    fn a_plan_is_fixed_where_hash_commit_and_program_agree() {
        let start = Start {
            plan_sha256: hash(&plan(&[])),
            plan_commit: Some("0123456789abcdef".into()),
            clean: true,
            program: "1 (abc)".into(),
            time: "2026-01-31 12:00:00 UTC".into(),
        };
        let fixed = start.judge(&plan(&["run.parallel=3", "estimate.job_seconds=7.0"]), "1 (abc)").unwrap();
        assert!(fixed.starts_with("Commit 0123456789ab held this plan (SHA-256 "), "{fixed}");
        let because = |start: &Start, plan: &Plan, program: &str| start.judge(plan, program).unwrap_err();
        assert!(
            because(&start, &plan(&["analysis.margin=2.0"]), "1 (abc)").starts_with("the plan is another")
        );
        assert!(
            because(&start, &plan(&[]), "1 (abd)").starts_with("the study began with the program 1 (abc)")
        );
        let changed = Start { clean: false, ..start.clone() };
        assert!(because(&changed, &plan(&[]), "1 (abc)").starts_with("files beside commit 0123456789ab"));
        let odd = Start { plan_commit: Some("0123456789aéb".into()), ..changed };
        assert!(because(&odd, &plan(&[]), "1 (abc)").starts_with("files beside commit 0123456789aé were"));
        let uncommitted = Start { plan_commit: None, ..start };
        assert!(because(&uncommitted, &plan(&[]), "1 (abc)").starts_with("no commit held this plan"));
    }

    #[test]
    fn the_commit_of_a_plans_file_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let origin = path.to_str().unwrap();
        let text = Plan::text("default").unwrap();
        fs::write(&path, &text).unwrap();
        let read = |set: &[String]| Plan::read(origin, &text, false, set, &OBJECTIVES).unwrap();
        let found = |set: &[String]| holder(&read(set), origin, &OBJECTIVES).map(|holder| holder.commit);
        let git = |arguments: &[&str]| git(folder.path(), arguments).expect("git is there");
        git(&["init", "-q"]);
        assert_eq!(found(&[]), None);
        git(&["add", "."]);
        git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "A plan"]);
        // A program that knows no commit of its own cannot say what holds a plan.
        let head = option_env!("ELECTRA_COMMIT").map(|_| git(&["rev-parse", "HEAD"]));
        assert_eq!(found(&[]), head);
        assert_eq!(found(&["budget.steps=7".to_owned()]), None);
    }

    #[test]
    fn what_was_written_down_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = Start::read(folder.path(), &plan(&[])).unwrap().unwrap_err();
        assert_eq!(nothing, "nothing was written down when the study began");
        Start::write(folder.path(), &plan(&["budget.steps=7"]), "default", &OBJECTIVES).unwrap();
        let said = Start::read(folder.path(), &plan(&["budget.steps=7"])).unwrap().unwrap_err();
        assert!(said.starts_with("no commit held this plan when the study began, 20"), "{said}");
        fs::write(folder.path().join(START), "{}").unwrap();
        assert!(Start::read(folder.path(), &plan(&[])).is_err());
    }
}
