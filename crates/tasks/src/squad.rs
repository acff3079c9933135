//! Questions with answers in a text, in the form of SQuAD 1.1 and 2.0.

use serde::Deserialize;

use crate::error::short;
use crate::file::File;
use crate::{Answer, Content, Error, Example, Kind, Split, Task};

#[derive(Deserialize)]
#[serde(expecting = "an object with a list \"data\"")]
struct Squad {
    data: Vec<Article>,
}

#[derive(Deserialize)]
#[serde(expecting = "an article, an object with a list \"paragraphs\"")]
struct Article {
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
#[serde(expecting = "a paragraph, an object with \"context\" and a list \"qas\"")]
struct Paragraph {
    context: String,
    qas: Vec<Question>,
}

#[derive(Deserialize)]
#[serde(expecting = "a question, an object with \"id\", \"question\" and \"answers\"")]
struct Question {
    id: String,
    question: String,
    answers: Option<Vec<Given>>,
    is_impossible: Option<bool>,
}

#[derive(Deserialize)]
#[serde(expecting = "an answer, an object with \"text\" and \"answer_start\"")]
struct Given {
    text: String,
    /// In characters.
    answer_start: usize,
}

pub(crate) fn read(task: &Task, split: &Split, file: &File) -> Result<Vec<Example>, Error> {
    let squad: Squad =
        serde_json::from_str(&file.text).map_err(|error| Error::json(file, 1, "SQuAD's form", &error))?;
    let mut examples: Vec<Example> = Vec::new();
    for paragraph in squad.data.into_iter().flat_map(|article| article.paragraphs) {
        for question in paragraph.qas {
            let is_labelled = examples.first().map(|example| example.content.is_labelled());
            let answers = answers(task, split, is_labelled, &question, &paragraph.context)
                .map_err(|what| refuse(file, &question.id, what))?;
            examples.push(Example {
                index: question.id,
                content: Content::Spans {
                    question: question.question,
                    context: paragraph.context.clone(),
                    answers,
                },
            });
        }
    }
    Ok(examples)
}

/// An error with the line where the id is first written.
fn refuse(file: &File, id: &str, what: String) -> Error {
    let offset = file.text.find(&format!("{id:?}")).unwrap_or(0);
    let line = 1 + file.text[..offset].matches('\n').count() as u64;
    Error::Question { path: file.path.clone(), line, id: id.to_owned(), what }
}

fn answers(
    task: &Task,
    split: &Split,
    is_labelled: Option<bool>,
    question: &Question,
    context: &str,
) -> Result<Option<Vec<Answer>>, String> {
    for (name, text) in [("question", question.question.as_str()), ("context", context)] {
        if text.trim().is_empty() {
            return Err(format!("its {name} is empty; expected text"));
        }
    }
    let given = match (&question.answers, question.is_impossible) {
        (Some(given), _) => given.as_slice(),
        (None, Some(true)) => &[],
        (None, _) if split.is_test() && is_labelled != Some(true) => return Ok(None),
        (None, _) => return Err(format!("no answers; expected some, as a {split} set needs them")),
    };
    let may_lack = matches!(task.kind, Kind::Spans { unanswerable: true });
    match (given.is_empty(), question.is_impossible) {
        (true, _) if !may_lack => {
            return Err("it has no answer; expected one, or a task with unanswerable = true".to_owned());
        }
        (true, Some(false)) => {
            return Err("it has no answer, and is_impossible is false; expected an answer".to_owned());
        }
        (false, Some(true)) => {
            return Err("it has an answer, and is_impossible is true; expected no answer".to_owned());
        }
        _ => {}
    }
    given
        .iter()
        .map(|given| answer(given, context, *split == Split::Train))
        .collect::<Result<_, _>>()
        .map(Some)
}

fn answer(given: &Given, context: &str, is_learned: bool) -> Result<Answer, String> {
    let place = context.char_indices().nth(given.answer_start).map(|(byte, _)| byte);
    let start = place.unwrap_or(context.len());
    if given.text.trim().is_empty() {
        return Err("an answer is empty; expected text".to_owned());
    }
    if is_learned && !context[start..].starts_with(&given.text) {
        let found = match place {
            Some(start) => {
                let text: String = context[start..].chars().take(given.text.chars().count()).collect();
                format!("found {:?}", short(&text))
            }
            None => format!("the context has {} characters", context.chars().count()),
        };
        return Err(format!(
            "expected the answer {:?} at character {} of the context, {found}",
            short(&given.text),
            given.answer_start,
        ));
    }
    Ok(Answer { text: given.text.clone(), start })
}
