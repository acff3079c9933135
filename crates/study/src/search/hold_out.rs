//! Examples for a search, held out of the train sets where the report has the dev sets.

use std::path::Path;

use electra_store::{create_folder, read_to_string, write};
use toml::Value;

use crate::Error;
use crate::graph::Scope;
use crate::source::TextSource;

/// One in so many examples is held out.
const HELD_OUT: usize = 5;

/// Writes each task's train set in two parts, one in five examples as its dev set.
pub(super) fn write_tasks(report: &Scope<'_>, source: &TextSource, study: &Path) -> Result<(), Error> {
    let whole = study.join(report.tasks_folder(source));
    for name in &report.plan.tasks.names {
        let task = electra_tasks::find(name, Some(&whole))?;
        let train = task.read(&electra_tasks::Split::Train)?.path;
        let dev = task.read(&electra_tasks::Split::Dev)?.path;
        let folder = study.join(source.folder("search-tasks")).join(name);
        create_folder(&folder)?;
        let text = read_to_string(&train)?;
        let refuse = |what: &str| Error::Result { path: train.clone(), what: what.into() };
        if train.extension().is_none_or(|extension| extension != "tsv") {
            return Err(refuse("a search needs a .tsv to hold examples out of, where tasks.evaluate is dev"));
        }
        let definition = whole.join(name).join("task.toml");
        let definition = definition.exists().then(|| read_to_string(&definition)).transpose()?;
        let bare = match &definition {
            Some(text) => text
                .parse::<toml::Table>()
                .is_ok_and(|table| table.get("header") == Some(&Value::Boolean(false))),
            // CoLA's official file has no header; it is the one of the table that has four columns.
            None => name == "CoLA" && text.lines().next().is_some_and(|line| line.split('\t').count() == 4),
        };
        let (header, rows) = match text.split_once('\n') {
            Some((header, rows)) if !bare => (format!("{header}\n"), rows),
            _ => (String::new(), text.as_str()),
        };
        let (mut training, mut held) = (header.clone(), header);
        for (index, row) in rows.lines().enumerate() {
            let part = if index % HELD_OUT == 0 { &mut held } else { &mut training };
            part.push_str(row);
            part.push('\n');
        }
        for (original, text) in [(&train, &training), (&dev, &held)] {
            let name = original.file_name().expect("it was read, so it is a file");
            write(&folder.join(name), text)?;
        }
        if let Some(text) = definition {
            write(&folder.join("task.toml"), &text)?;
        }
    }
    Ok(())
}
