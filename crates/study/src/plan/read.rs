//! Plans from files, by name, and with `--set`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use electra_analysis::Trial;
use electra_config::ObjectiveInfo;
use electra_store::settings::{Assignment, Origin, merge, parse, to_toml};
use electra_store::{Error as StoreError, io, read_to_string, read_whole};
use toml::{Table, Value};

use super::Plan;
use crate::Error;

/// The plans that the program has in it.
const SHIPPED: [(&str, &str); 9] = [
    ("default", include_str!("../../plans/default.toml")),
    ("rates", include_str!("../../plans/rates.toml")),
    ("long", include_str!("../../plans/long.toml")),
    ("real", include_str!("../../plans/real.toml")),
    ("evidence", include_str!("../../plans/evidence.toml")),
    ("sizes", include_str!("../../plans/sizes.toml")),
    ("rates-sizes", include_str!("../../plans/rates-sizes.toml")),
    ("field", include_str!("../../plans/field.toml")),
    ("backbones", include_str!("../../plans/backbones.toml")),
];
/// What searches of these plans tried.
const TRIALS: [(&str, &str); 1] = [("rates", include_str!("../../plans/rates.json"))];
/// The section of a plan's file that makes it quick.
const QUICK: &str = "quick";
/// The key that names the plan which a plan's file is written over.
const EXTENDS: &str = "extends";
/// The keys that list arms.
const OBJECTIVES: &str = "objectives";
const ARMS: &str = "arms";
/// The sections whose keys are arms.
const BY_ARM: [&str; 3] = ["settings", "pilot.scores", "pilot.standard_deviations"];
/// How many plans may extend one another.
const DEEPEST: usize = 8;

impl Plan {
    /// The names of the plans that the program has in it.
    #[must_use]
    pub fn shipped() -> Vec<&'static str> {
        SHIPPED.iter().map(|(name, _)| *name).collect()
    }

    /// The text of a plan: one of [`Plan::shipped`] by its name, or a file.
    ///
    /// # Errors
    /// [`Error::Store`] if there is neither.
    pub fn text(name_or_path: &str) -> Result<String, Error> {
        match SHIPPED.iter().find(|(name, _)| *name == name_or_path) {
            Some((_, text)) => Ok((*text).to_owned()),
            None => {
                let path = Path::new(name_or_path);
                let known = "reading it (it is no file, and no plan of the program: default, rates, long, real, evidence, sizes, rates-sizes, field, backbones)";
                let doing = if path.exists() { "reading it" } else { known };
                let bytes = read_whole(path).map_err(io(path, doing))?;
                String::from_utf8(bytes).map_err(|error| {
                    let end = error.utf8_error().valid_up_to();
                    let before = &error.as_bytes()[..end];
                    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
                    let what = format!("line {line}: not UTF-8; expected a plan, a text file in TOML");
                    StoreError::Toml { origin: name_or_path.into(), message: what }.into()
                })
            }
        }
    }

    /// Reads a plan: the file over the plan that it `extends`, `[quick]` over the rest if `quick`, then each of `set` (`key=value`) over that. Relative
    /// paths in it are made absolute, as from the folder where the program was started.
    ///
    /// # Errors
    /// [`Error::Store`] and others if the plan cannot be.
    pub fn read(
        origin: &str,
        text: &str,
        quick: bool,
        set: &[String],
        objectives: &[&ObjectiveInfo],
    ) -> Result<Self, Error> {
        let refuse = |message: &str| StoreError::Toml { origin: origin.into(), message: message.into() };
        let mut table = extended(origin, text, DEEPEST)?;
        match table.remove(QUICK) {
            Some(Value::Table(over)) if quick => put_over(&mut table, over),
            None | Some(Value::Table(_)) if !quick => {}
            Some(_) => return Err(refuse("quick: expected a section of keys").into()),
            None => {
                let lacks = "there is no section [quick], so there is no quick form of this plan";
                return Err(refuse(lacks).into());
            }
        }
        for assignment in set {
            put(&mut table, assignment)?;
        }
        // In a quick form a key may stand in two places.
        let text = (!quick).then_some(text);
        let mut plan: Self = Origin { name: origin, text, set }.read(table)?;
        plan.make_absolute()?;
        plan.validate(origin, objectives)?;
        Ok(plan)
    }

    /// As TOML, every setting said.
    #[must_use]
    pub fn to_toml(&self) -> String {
        to_toml(self)
    }

    fn make_absolute(&mut self) -> Result<(), Error> {
        let text = self.data.text.iter_mut().flatten();
        for path in
            text.chain(&mut self.data.tokenizer).chain(&mut self.tasks.folder).chain(&mut self.tasks.pairs)
        {
            *path = absolute(path)?;
        }
        if let Some(path) = &mut self.trials
            && shipped_trials(path).is_none()
        {
            *path = absolute(path)?;
        }
        Ok(())
    }

    /// What an earlier search tried for arms of this plan, if the plan names it.
    ///
    /// # Errors
    /// If the file cannot be read, or is not what a search leaves.
    pub(crate) fn trials(&self) -> Result<Vec<Trial>, Error> {
        let Some(path) = &self.trials else { return Ok(Vec::new()) };
        let read = || read_to_string(path).map(Cow::Owned);
        let text = shipped_trials(path).map_or_else(read, |text| Ok(Cow::Borrowed(text)))?;
        let mut trials: Vec<Trial> = serde_json::from_str(&text).map_err(|error| {
            let what = format!("{error}; expected the trials of a search, search.json of its study");
            Error::Result { path: path.clone(), what }
        })?;
        let arms = self.pretrained_arms();
        trials.retain(|trial| arms.iter().any(|arm| arm.name == trial.arm));
        Ok(trials)
    }
}

fn shipped_trials(name: &Path) -> Option<&'static str> {
    TRIALS.iter().find(|(known, _)| Path::new(known) == name).map(|(_, text)| *text)
}

/// A plan's table, over that of the plan which it extends. Lists take each other's place, sections are merged.
fn extended(origin: &str, text: &str, deepest: usize) -> Result<Table, Error> {
    let mut table = parse(origin, text)?;
    let refuse = |found: String, expected: &str| {
        let (origin, key, expected) = (origin.to_owned(), EXTENDS.to_owned(), expected.to_owned());
        Err(StoreError::Setting { origin, key, found, expected }.into())
    };
    let name = match table.remove(EXTENDS) {
        None => return Ok(table),
        Some(Value::String(name)) => name,
        Some(other) => return refuse(other.to_string(), "the name of a plan of the program, or a file"),
    };
    if deepest == 0 {
        return refuse(name, "plans that end: this one goes round in a circle, or is over eight others");
    }
    let mut base = extended(&name, &Plan::text(&name)?, deepest - 1)?;
    put_over(&mut base, table);
    Ok(base)
}

/// Puts keys over those of a plan. What the plan says by arm goes with arms that are no longer there; what is said of
/// such an arm beside the new list stays, to be refused.
fn put_over(plan: &mut Table, over: Table) {
    let before = arms(plan);
    for list in [OBJECTIVES, ARMS] {
        if let Some(value) = over.get(list) {
            plan.insert(list.to_owned(), value.clone());
        }
    }
    let after = arms(plan);
    for gone in before.difference(&after) {
        for section in BY_ARM {
            let mut parts = section.split('.');
            let first = parts.next().and_then(|part| plan.get_mut(part));
            let section = parts.fold(first, |table, part| table.and_then(|table| table.get_mut(part)));
            if let Some(Value::Table(section)) = section {
                section.remove(gone);
            }
        }
        lose_pairs(plan, gone);
    }
    merge(plan, over);
}

/// Takes the pairs of an arm out of those that are compared.
fn lose_pairs(plan: &mut Table, arm: &str) {
    let Some(Value::Table(analysis)) = plan.get_mut("analysis") else { return };
    let Some(Value::Array(pairs)) = analysis.get_mut("pairs") else { return };
    let has =
        |pair: &Value| pair.as_array().is_some_and(|pair| pair.iter().any(|name| name.as_str() == Some(arm)));
    pairs.retain(|pair| !has(pair));
}

/// The names in the lists of a plan's table, whatever else is wrong with them.
fn arms(plan: &Table) -> BTreeSet<String> {
    let list = |key: &str| plan.get(key).and_then(Value::as_array).into_iter().flatten();
    let named = list(ARMS).filter_map(|arm| arm.get("name"));
    list(OBJECTIVES).chain(named).filter_map(Value::as_str).map(str::to_owned).collect()
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    Ok(std::path::absolute(path).map_err(io(path, "finding where it is"))?)
}

/// Puts `key=value` into a plan. One limit of the budget takes the place of another.
fn put(table: &mut Table, assignment: &str) -> Result<(), StoreError> {
    const LIMITS: [&str; 3] = ["steps", "tokens", "flops"];
    let assignment = Assignment::parse(assignment, "budget.steps=100", |_| false)?;
    if assignment.key_in("budget").is_some_and(|limit| LIMITS.contains(&limit))
        && let Some(Value::Table(budget)) = table.get_mut("budget")
    {
        budget.retain(|key, _| !LIMITS.contains(&key));
    }
    put_over(table, assignment.to_table());
    Ok(())
}
