//! One JSON object a line.

use electra_text::from_json;
use serde_json::{Map, Value};

use crate::error::short;
use crate::file::File;
use crate::form::Column;
use crate::record::{Cell, Place, Record};
use crate::{Content, Error, Example, Kind, Labels, Split, Task};

pub(crate) fn read(task: &Task, split: &Split, file: &File) -> Result<Vec<Example>, Error> {
    let mut examples: Vec<Example> = Vec::new();
    for (line, text) in file.lines_with_text() {
        let object: Map<String, Value> =
            from_json(text).map_err(|error| Error::json(file, line, "a JSON object a line", &error))?;
        let row = Row { object: &object, text, place: Place { path: &file.path, line } };
        let label = &task.form.label[..];
        let lacking = label.iter().find(|column| !row.has(column));
        let has_label = lacking.is_none();
        if let Some(column) = lacking
            && (!split.is_test() || label.iter().any(|column| row.has(column)))
        {
            return Err(row.place.unlabelled(column.describe("field"), &split.to_string()));
        }
        if let Some(first) = examples.first()
            && first.content.is_labelled() != has_label
        {
            let [expected, found] = if has_label { ["no label", "one"] } else { ["a label", "none"] };
            let expected = format!("{expected} as in the lines before");
            return Err(row.place.value(&label[0].describe("field"), expected, found));
        }
        let label = has_label.then_some(label);
        let index = match &task.form.index {
            Some(column) => row.scalar(column)?.1,
            None => examples.len().to_string(),
        };
        examples.push(if task.kind == Kind::Tokens {
            Example { index, content: row.tokens(task, label)? }
        } else {
            row.example(task, index, label)?
        });
    }
    Ok(examples)
}

struct Row<'a> {
    object: &'a Map<String, Value>,
    /// The line.
    text: &'a str,
    place: Place<'a>,
}

impl<'a> Row<'a> {
    /// The field under its name, `null` where it is missing.
    fn get(&self, column: &Column) -> &'a Value {
        let Column::Named(names) = column else { unreachable!("fields of JSON are named") };
        names.iter().find_map(|name| self.object.get(name)).unwrap_or(&Value::Null)
    }

    fn has(&self, column: &Column) -> bool {
        !self.get(column).is_null()
    }

    fn wrong(&self, column: &str, expected: &str, found: &Value) -> Error {
        let found = match found {
            Value::Null => "none".to_owned(),
            Value::Object(fields) if fields.is_empty() => self.not_finite().unwrap_or("{}").to_owned(),
            found => short(&found.to_string()),
        };
        self.place.value(column, expected, found)
    }

    /// What an empty object may have been, if the line has a number as Python writes it.
    fn not_finite(&self) -> Option<&'static str> {
        ["NaN", "-Infinity", "Infinity"].into_iter().find(|name| self.text.contains(name))
    }

    fn text(&self, column: &Column) -> Result<(String, &'a str), Error> {
        let (name, value) = (column.describe("field"), self.get(column));
        let text = value.as_str().ok_or_else(|| self.wrong(&name, "text", value))?;
        Ok((name, text))
    }

    fn scalar(&self, column: &Column) -> Result<(String, String), Error> {
        let (name, value) = (column.describe("field"), self.get(column));
        let text = scalar(value).ok_or_else(|| self.wrong(&name, "text or a number", value))?;
        Ok((name, text))
    }

    fn list(&self, column: &Column, expected: &str) -> Result<(String, &'a [Value]), Error> {
        let (name, value) = (column.describe("field"), self.get(column));
        let list = value.as_array().ok_or_else(|| self.wrong(&name, expected, value))?;
        Ok((name, list))
    }

    fn example(&self, task: &Task, index: String, label: Option<&[Column]>) -> Result<Example, Error> {
        let texts: Vec<_> =
            task.form.text.iter().map(|column| self.text(column)).collect::<Result<_, _>>()?;
        let choices = self.choices(&task.form.choices)?;
        let label = label.map(|columns| self.label(task, columns)).transpose()?;
        let record = Record { index, text: cells(&texts), choices: cells(&choices), label };
        task.example(record, self.place)
    }

    /// A cell for each label, from a field each, from one with a list, or from one with all in a text.
    fn label(&self, task: &Task, columns: &[Column]) -> Result<Vec<Cell<'a>>, Error> {
        let owned = |name: String, value: String| Cell { column: name.into(), value: value.into() };
        let ([column], Labels::MultiLabel(_)) = (columns, &task.labels) else {
            let cell = |column| self.scalar(column).map(|(name, value)| owned(name, value));
            return columns.iter().map(cell).collect();
        };
        let (name, value) = (column.describe("field"), self.get(column));
        let one = |value: &Value| {
            let value = scalar(value).ok_or_else(|| self.wrong(&name, "a list of labels", value))?;
            Ok(owned(name.clone(), value))
        };
        match value {
            Value::Array(list) => list.iter().map(one).collect(),
            value => Ok(task.parts(one(value)?)),
        }
    }

    /// The choices, from a field each or from one with a list.
    fn choices(&self, columns: &[Column]) -> Result<Vec<(String, &'a str)>, Error> {
        let [column] = columns else {
            return columns.iter().map(|column| self.text(column)).collect();
        };
        let expected = "a list of two texts or more";
        let (name, list) = self.list(column, expected)?;
        if list.len() < 2 {
            return Err(self.wrong(&name, expected, self.get(column)));
        }
        let text = |choice: &'a Value| {
            choice.as_str().map(|text| (name.clone(), text)).ok_or_else(|| self.wrong(&name, "texts", choice))
        };
        list.iter().map(text).collect()
    }

    fn tokens(&self, task: &Task, label: Option<&[Column]>) -> Result<Content, Error> {
        let Labels::Classes(classes) = &task.labels else { unreachable!("tokens have classes") };
        let (name, list) = self.list(&task.form.text[0], "a list of words")?;
        if list.is_empty() {
            return Err(self.place.empty(&name));
        }
        let mut words = Vec::with_capacity(list.len());
        for word in list {
            let word = word.as_str().ok_or_else(|| self.wrong(&name, "a list of words", word))?;
            if word.trim().is_empty() {
                return Err(self.place.empty(&name));
            }
            words.push(word.to_owned());
        }
        let Some(label) = label else { return Ok(Content::Tokens { words, labels: None }) };
        let (name, list) = self.list(&label[0], "a list of labels")?;
        if list.len() != words.len() {
            let expected = format!("a label for each of the {} words", words.len());
            return Err(self.place.value(&name, expected, list.len().to_string()));
        }
        let mut labels = Vec::with_capacity(list.len());
        for label in list {
            let value = scalar(label).ok_or_else(|| self.wrong(&name, "a list of labels", label))?;
            labels.push(task.class(
                classes,
                &Cell { column: name.as_str().into(), value: value.into() },
                self.place,
            )?);
        }
        Ok(Content::Tokens { words, labels: Some(labels) })
    }
}

fn cells<'a>(fields: &'a [(String, &'a str)]) -> Vec<Cell<'a>> {
    fields.iter().map(|(column, text)| Cell { column: column.into(), value: (*text).into() }).collect()
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}
