//! Questions with answers in a text, in the form of SQuAD 1.1 and 2.0.

use std::fmt;

use electra_text::from_json;
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

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
    #[serde(deserialize_with = "text_or_number")]
    id: String,
    question: String,
    answers: Option<Vec<Given>>,
    is_impossible: Option<bool>,
}

#[derive(Deserialize)]
#[serde(expecting = "an answer, an object with \"text\" and \"answer_start\"")]
struct Given {
    text: String,
    /// In characters. Converters write −1 where there is no answer.
    answer_start: i64,
}

impl Given {
    /// Whether it says that there is no answer.
    fn is_none(&self) -> bool {
        self.text.is_empty() && self.answer_start <= 0
    }
}

/// An id by its digits, if it is a number.
fn text_or_number<'de, D: Deserializer<'de>>(id: D) -> Result<String, D::Error> {
    struct Id;

    impl Visitor<'_> for Id {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an id, text or a whole number")
        }

        fn visit_str<E>(self, id: &str) -> Result<String, E> {
            Ok(id.to_owned())
        }

        fn visit_u64<E>(self, id: u64) -> Result<String, E> {
            Ok(id.to_string())
        }

        fn visit_i64<E>(self, id: i64) -> Result<String, E> {
            Ok(id.to_string())
        }
    }

    id.deserialize_any(Id)
}

/// Why the answers of a question cannot be used.
enum Refusal {
    /// An answer of a train set stands elsewhere than the file says.
    Misplaced(String),
    Wrong(String),
}

impl From<String> for Refusal {
    fn from(what: String) -> Self {
        Self::Wrong(what)
    }
}

/// The examples, and the questions that were left out.
pub(crate) fn read(task: &Task, split: &Split, file: &File) -> Result<(Vec<Example>, Vec<String>), Error> {
    let squad: Squad = from_json(&file.text).map_err(|error| Error::json(file, 1, "SQuAD's form", &error))?;
    let (mut examples, mut left_out): (Vec<Example>, _) = (Vec::new(), Vec::new());
    for paragraph in squad.data.into_iter().flat_map(|article| article.paragraphs) {
        for question in paragraph.qas {
            let is_labelled = examples.first().map(|example| example.content.is_labelled());
            let answers = match answers(task, split, is_labelled, &question, &paragraph.context) {
                Ok(answers) => answers,
                Err(Refusal::Misplaced(_)) if task.form.skips_broken => {
                    left_out.push(format!("question {:?}", short(&question.id)));
                    continue;
                }
                Err(Refusal::Misplaced(what)) => {
                    let what = format!("{what}; broken = \"skip\" in task.toml leaves such questions out");
                    return Err(refuse(file, &question.id, what));
                }
                Err(Refusal::Wrong(what)) => return Err(refuse(file, &question.id, what)),
            };
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
    Ok((examples, left_out))
}

/// An error with the line where the id is first written.
fn refuse(file: &File, id: &str, what: String) -> Error {
    let offset = file.text.find(&format!("{id:?}")).or_else(|| file.text.find(id)).unwrap_or(0);
    let line = 1 + file.text[..offset].matches('\n').count() as u64;
    Error::Question { path: file.path.clone(), line, id: id.to_owned(), what }
}

fn answers(
    task: &Task,
    split: &Split,
    is_labelled: Option<bool>,
    question: &Question,
    context: &str,
) -> Result<Option<Vec<Answer>>, Refusal> {
    for (name, text) in [("question", question.question.as_str()), ("context", context)] {
        if text.trim().is_empty() {
            return Err(format!("its {name} is empty; expected text").into());
        }
    }
    if is_labelled == Some(false) && (question.answers.is_some() || question.is_impossible == Some(true)) {
        return Err("it says its answers, and the questions before it do not; expected all to, or none"
            .to_owned()
            .into());
    }
    let given = match (&question.answers, question.is_impossible) {
        (Some(given), _) if given.iter().all(Given::is_none) => &[],
        (Some(given), _) => given.as_slice(),
        (None, Some(true)) => &[],
        (None, _) if split.is_test() && is_labelled != Some(true) => return Ok(None),
        (None, _) => return Err(format!("no answers; expected some, as a {split} set needs them").into()),
    };
    let may_lack = matches!(task.kind, Kind::Spans { unanswerable: true });
    match (given.is_empty(), question.is_impossible) {
        (true, _) if !may_lack => {
            return Err("it has no answer; expected one, or a task with unanswerable = true"
                .to_owned()
                .into());
        }
        (true, Some(false)) => {
            return Err("it has no answer, and is_impossible is false; expected an answer".to_owned().into());
        }
        (false, Some(true)) => {
            return Err("it has an answer, and is_impossible is true; expected no answer".to_owned().into());
        }
        _ => {}
    }
    given
        .iter()
        .map(|given| answer(given, context, *split == Split::Train))
        .collect::<Result<_, _>>()
        .map(Some)
}

fn answer(given: &Given, context: &str, is_learned: bool) -> Result<Answer, Refusal> {
    if given.text.trim().is_empty() {
        return Err("an answer is empty; expected text".to_owned().into());
    }
    let Ok(character) = usize::try_from(given.answer_start) else {
        let what = format!("answer_start is {}; expected a character of the context", given.answer_start);
        return Err(what.into());
    };
    let place = context.char_indices().nth(character).map(|(byte, _)| byte);
    let start = place.unwrap_or(context.len());
    if !is_learned {
        return Ok(Answer { text: given.text.clone(), start });
    }
    if let Some((begin, end)) = place.and_then(|start| found(context, start, &given.text)) {
        return Ok(Answer { text: context[begin..end].to_owned(), start: begin });
    }
    let found = match place {
        Some(start) => {
            let text: String = context[start..].chars().take(given.text.chars().count()).collect();
            format!("found {:?}", short(&text))
        }
        None => format!("the context has {} characters", context.chars().count()),
    };
    Err(Refusal::Misplaced(format!(
        "expected the answer {:?} at character {} of the context, {found}",
        short(&given.text),
        given.answer_start,
    )))
}

/// The bytes of the context from `start` on that are the answer, whatever white space is between its words and around
/// them: the reference compares so.
fn found(context: &str, start: usize, text: &str) -> Option<(usize, usize)> {
    let blank = |text: &str| text.len() - text.trim_start().len();
    let begin = start + blank(&context[start..]);
    let mut end = begin;
    for (index, word) in text.split_whitespace().enumerate() {
        let space = blank(&context[end..]);
        if index > 0 && space == 0 {
            return None;
        }
        end += space;
        end += context[end..].strip_prefix(word).map(|_| word.len())?;
    }
    Some((begin, end))
}
