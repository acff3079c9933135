//! Plans from files, by name, and with `--set`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use electra_trainer::config::Refusal;
use toml::{Table, Value};

use super::Plan;
use crate::Error;

/// The plans that the program has in it.
const SHIPPED: [(&str, &str); 4] = [
    ("default", include_str!("../../plans/default.toml")),
    ("long", include_str!("../../plans/long.toml")),
    ("real", include_str!("../../plans/real.toml")),
    ("evidence", include_str!("../../plans/evidence.toml")),
];
/// The section of a plan's file that makes it quick.
const QUICK: &str = "quick";

impl Plan {
    /// The names of the plans that the program has in it.
    #[must_use]
    pub fn shipped() -> Vec<&'static str> {
        SHIPPED.iter().map(|(name, _)| *name).collect()
    }

    /// The text of a plan: one of [`Plan::shipped`] by its name, or a file.
    ///
    /// # Errors
    /// [`Error::Io`] if there is neither.
    pub fn text(name_or_path: &str) -> Result<String, Error> {
        match SHIPPED.iter().find(|(name, _)| *name == name_or_path) {
            Some((_, text)) => Ok((*text).to_owned()),
            None => {
                let path = Path::new(name_or_path);
                let known =
                    "reading it (it is no file, and no plan of the program: default, long, real, evidence)";
                let doing = if path.exists() { "reading it" } else { known };
                let bytes = fs::read(path).map_err(Error::io(path, doing))?;
                String::from_utf8(bytes).map_err(|error| {
                    let end = error.utf8_error().valid_up_to();
                    let before = &error.as_bytes()[..end];
                    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
                    let what = format!("line {line}: not UTF-8; expected a plan, a text file in TOML");
                    Error::Toml { origin: name_or_path.into(), message: what }
                })
            }
        }
    }

    /// Reads a plan: `[quick]` over the rest if `quick`, then each of `set` (`key=value`) over that. Relative
    /// paths in it are made absolute, as from the folder where the program was started.
    ///
    /// # Errors
    /// [`Error::Toml`], [`Error::Setting`] and others if the plan is none.
    pub fn read(origin: &str, text: &str, quick: bool, set: &[String]) -> Result<Self, Error> {
        let toml =
            |message: &dyn ToString| Error::Toml { origin: origin.into(), message: message.to_string() };
        let mut table: Table = toml::from_str(text).map_err(|error| toml(&error))?;
        match table.remove(QUICK) {
            Some(Value::Table(over)) if quick => merge(&mut table, over),
            None | Some(Value::Table(_)) if !quick => {}
            Some(_) => return Err(toml(&"quick: expected a section of keys")),
            None => return Err(toml(&"there is no section [quick], so there is no quick form of this plan")),
        }
        for assignment in set {
            put(&mut table, assignment)?;
        }
        let mut plan: Self = table.try_into().map_err(|error| {
            // In a quick form a key may stand in two places.
            let text = (!quick).then_some(text);
            let (origin, message) = Refusal::of(&error).placed(origin, text, set);
            Error::Toml { origin, message }
        })?;
        plan.make_absolute()?;
        plan.validate(origin)?;
        Ok(plan)
    }

    /// As TOML, every setting said.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("keys are strings, and no setting is a number that TOML lacks")
    }

    fn make_absolute(&mut self) -> Result<(), Error> {
        let text = self.data.text.iter_mut().flatten();
        for path in text.chain(&mut self.data.tokenizer).chain(&mut self.tasks.folder) {
            *path = absolute(path)?;
        }
        Ok(())
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(Error::io(path, "finding where it is"))
}

/// Puts `key=value` into a plan. The value is TOML, or text that needs no quotes.
fn put(table: &mut Table, assignment: &str) -> Result<(), Error> {
    let Some((key, text)) = assignment.split_once('=') else {
        let message = "expected key=value, such as budget.steps=100".into();
        return Err(Error::Toml { origin: format!("--set {assignment}"), message });
    };
    let (key, text) = (key.trim(), text.trim());
    let parsed = toml::from_str::<Table>(&format!("value = {text}")).ok();
    let value =
        parsed.and_then(|mut one| one.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()));
    // One limit of the budget takes the place of another.
    const LIMITS: [&str; 3] = ["steps", "tokens", "flops"];
    if let (Some(limit), Some(Value::Table(budget))) = (key.strip_prefix("budget."), table.get_mut("budget"))
        && LIMITS.contains(&limit)
    {
        budget.retain(|key, _| !LIMITS.contains(&key));
    }
    merge(table, nested(key, value));
    Ok(())
}

/// A table with one value at a key of several parts.
pub(crate) fn nested(key: &str, value: Value) -> Table {
    let mut parts = key.rsplit('.');
    let last = parts.next().unwrap_or_default();
    let innermost = Table::from_iter([(last.to_owned(), value)]);
    parts.fold(innermost, |table, part| Table::from_iter([(part.to_owned(), Value::Table(table))]))
}

/// Puts `over` over `under`, table into table.
pub(crate) fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// Values in TOML's notation by their full keys.
pub(crate) fn flat(table: &Table) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    flatten("", table, &mut values);
    values
}

fn flatten(prefix: &str, table: &Table, values: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            Value::Table(table) => flatten(&format!("{key}."), table, values),
            value => {
                values.insert(key, value.to_string());
            }
        }
    }
}
