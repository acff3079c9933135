//! One word a line with its label in another column, and an empty line after each sentence.

use crate::file::File;
use crate::form::Column;
use crate::record::{Cell, Place};
use crate::{Content, Error, Example, Labels, Split, Task};

pub(crate) fn read(
    task: &Task,
    split: &Split,
    file: &File,
    comments: &[String],
) -> Result<Vec<Example>, Error> {
    let Labels::Classes(classes) = &task.labels else { unreachable!("tokens have classes") };
    let word_at = match task.form.text.first() {
        Some(Column::Number(number)) => number - 1,
        _ => 0,
    };
    let mut sentences = Sentences::default();
    // Columns of the first line with a word, its number, and where the label is.
    let mut shape: Option<(usize, u64, Option<usize>)> = None;
    for (line, text) in file.lines() {
        if text.trim().is_empty() {
            sentences.end();
            continue;
        }
        if comments.iter().any(|comment| text.starts_with(comment.as_str())) {
            continue;
        }
        let place = Place { path: &file.path, line };
        let fields: Vec<&str> =
            if text.contains('\t') { text.split('\t').collect() } else { text.split_whitespace().collect() };
        let (columns, first, label_at) = match shape {
            Some(shape) => shape,
            None => {
                let label_at = label_column(task, split, place, word_at, fields.len())?;
                *shape.insert((fields.len(), line, label_at))
            }
        };
        if fields.len() != columns {
            return Err(Error::ColumnCount {
                path: file.path.clone(),
                line,
                first,
                expected: columns,
                found: fields.len(),
                is_cut_off: fields.len() < columns && file.ends_within(line),
            });
        }
        if fields[word_at].trim().is_empty() {
            return Err(place.empty(&format!("column {}", word_at + 1)));
        }
        let label = label_at.map(|index| {
            let column = format!("column {}", index + 1);
            task.class(classes, &Cell { column: column.into(), value: fields[index].into() }, place)
        });
        sentences.words.push(fields[word_at].to_owned());
        sentences.labels.extend(label.transpose()?);
    }
    sentences.end();
    Ok(sentences.examples)
}

/// Where the label is in lines of so many columns.
fn label_column(
    task: &Task,
    split: &Split,
    place: Place<'_>,
    word_at: usize,
    columns: usize,
) -> Result<Option<usize>, Error> {
    if word_at >= columns {
        return Err(Error::FewColumns {
            path: place.path.to_owned(),
            line: place.line,
            expected: word_at + 1,
            found: columns,
        });
    }
    let number = match task.form.label.first() {
        Some(Column::Number(number)) => *number,
        _ => columns.max(word_at + 2),
    };
    if number <= columns {
        return Ok(Some(number - 1));
    }
    if split.is_test() {
        return Ok(None);
    }
    Err(place.unlabelled(format!("column {number}"), &split.to_string()))
}

#[derive(Default)]
struct Sentences {
    words: Vec<String>,
    /// As many as words, or none.
    labels: Vec<usize>,
    examples: Vec<Example>,
}

impl Sentences {
    /// Ends the sentence that has begun, if one has.
    fn end(&mut self) {
        let (words, labels) = (std::mem::take(&mut self.words), std::mem::take(&mut self.labels));
        if !words.is_empty() {
            let labels = (!labels.is_empty()).then_some(labels);
            let index = self.examples.len().to_string();
            self.examples.push(Example { index, content: Content::Tokens { words, labels } });
        }
    }
}
