//! `electra predict`.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use electra_evaluation::{Prediction, Predictor, Problem};
use electra_tasks::Content;
use serde::Deserialize;
use serde_json::{Value, json};
use tch::Device;

use crate::stdin::Lines;

/// Say what a fine-tuned model predicts of each line.
///
/// A line of standard input is a text; for a model of pairs two with a tab between them; for one that labels
/// words, words with spaces; for one that answers questions, question, tab, text; for multiple choice, text and
/// choices with tabs. The line of output is the prediction and, after a tab, its probability (of an answer, its
/// score); a number alone; or a label for each word.
///
/// With --json a line is an object: {"text", "text_pair"}, {"words"}, {"question", "context"} or {"text",
/// "text_pair", "choices"}, and so is the answer: {"label", "probabilities"}, {"value"}, {"words"}, {"answer",
/// "score", "none_margin"} or {"choice", "probabilities"}. What is longer than the model's rows is cut, of two
/// texts the longer first; of a text with an answer every part is looked at.
#[derive(Args)]
#[command(after_help = "Examples:
  electra predict --model results/RTE/seed-1/model < pairs.tsv
  echo '{\"text\": \"No cat sleeps.\", \"text_pair\": \"A cat sleeps.\"}' | \\
    electra predict --model results/RTE/seed-1/model --json")]
pub(crate) struct Options {
    /// Folder in the Hub's layout, of a fine-tuned model with its tokenizer
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Read a JSON object a line, and print one
    #[arg(long)]
    json: bool,
    /// Replace bytes that are not UTF-8 by U+FFFD instead of stopping
    #[arg(long)]
    lossy: bool,
    /// Longest line, in bytes, that is taken into memory
    #[arg(long, default_value_t = 256 << 20, value_name = "N")]
    max_line_bytes: usize,
}

/// A line of --json.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    text: Option<String>,
    text_pair: Option<String>,
    words: Option<Vec<String>>,
    question: Option<String>,
    context: Option<String>,
    choices: Option<Vec<String>>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let predictor = Predictor::read(&options.model, Device::Cpu)?;
    let mut output = BufWriter::new(std::io::stdout().lock());
    let mut lines = Lines::of_stdin(options.lossy, options.max_line_bytes);
    let never = AtomicBool::new(false);
    let mut number = 0;
    loop {
        // What could be read before a bad line is still answered.
        let (chunk, mut outcome) = lines.chunk();
        let mut contents = Vec::with_capacity(chunk.len());
        for line in &chunk {
            number += 1;
            let content = if options.json { of_json(line) } else { of_text(line, predictor.problem()) };
            let content = content.and_then(|content| fitting(content, predictor.problem()));
            match content.with_context(|| format!("standard input: line {number}")) {
                Ok(content) => contents.push(content),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        for (prediction, content) in predictor.predict(contents.clone(), &never)?.iter().zip(&contents) {
            if options.json {
                writeln!(output, "{}", as_json(prediction, content, predictor.problem()))?;
            } else {
                writeln!(output, "{}", as_text(prediction, predictor.problem()))?;
            }
        }
        output.flush()?;
        outcome?;
        if chunk.is_empty() {
            return Ok(());
        }
    }
}

fn of_text(line: &str, problem: &Problem) -> Result<Content> {
    let mut fields = line.split('\t').map(str::to_owned);
    let text = fields.next().unwrap_or_default();
    let content = match problem {
        Problem::Classes(_) | Problem::Value => Content::Sequence { text, pair: fields.next(), label: None },
        Problem::Words(_) => {
            let words = text.split_whitespace().map(str::to_owned).collect();
            Content::Tokens { words, labels: None }
        }
        Problem::Spans => {
            let context = fields.next().context("one field; expected a question, a tab and a text")?;
            Content::Spans { question: text, context, answers: None }
        }
        Problem::Choice => {
            Content::Choice { text, pair: None, choices: fields.by_ref().collect(), label: None }
        }
    };
    let rest = fields.count();
    ensure!(rest == 0, "{rest} fields with tabs between them too many");
    Ok(content)
}

fn of_json(line: &str) -> Result<Content> {
    let line: Line = serde_json::from_str(line)?;
    Ok(match line {
        Line { text: Some(text), text_pair: pair, choices: None, .. } => {
            Content::Sequence { text, pair, label: None }
        }
        Line { text: Some(text), text_pair: pair, choices: Some(choices), .. } => {
            Content::Choice { text, pair, choices, label: None }
        }
        Line { words: Some(words), .. } => Content::Tokens { words, labels: None },
        Line { question: Some(question), context: Some(context), .. } => {
            Content::Spans { question, context, answers: None }
        }
        _ => bail!("expected text, words, or question and context"),
    })
}

/// The content, if it is one that the model can say something of.
fn fitting(content: Content, problem: &Problem) -> Result<Content> {
    let (right, expected) = match (problem, &content) {
        (Problem::Classes(_) | Problem::Value, Content::Sequence { text, .. }) => {
            (!text.trim().is_empty(), "a text")
        }
        (Problem::Words(_), Content::Tokens { words, .. }) => (!words.is_empty(), "words"),
        (Problem::Spans, Content::Spans { context, .. }) => (!context.trim().is_empty(), "a text"),
        (Problem::Choice, Content::Choice { choices, .. }) => (choices.len() > 1, "at least two choices"),
        (Problem::Classes(_) | Problem::Value, _) => (false, "text"),
        (Problem::Words(_), _) => (false, "words, for a model that labels words"),
        (Problem::Spans, _) => (false, "question and context, for a model that answers questions"),
        (Problem::Choice, _) => (false, "text and choices, for a model of multiple choice"),
    };
    ensure!(right, "expected {expected}");
    Ok(content)
}

fn as_text(prediction: &Prediction, problem: &Problem) -> String {
    match prediction {
        Prediction::Class { class, probabilities } => {
            format!("{}\t{:.4}", name(problem, *class), probabilities[*class])
        }
        Prediction::Value(value) => value.to_string(),
        Prediction::Words(words) => {
            words.iter().map(|(class, _)| name(problem, *class)).collect::<Vec<_>>().join(" ")
        }
        Prediction::Span(span) => {
            format!("{}\t{:.4}", span.text.replace(['\t', '\n', '\r'], " "), span.score)
        }
        other => unreachable!("no model predicts {other:?}"),
    }
}

fn as_json(prediction: &Prediction, content: &Content, problem: &Problem) -> Value {
    match prediction {
        Prediction::Class { class, probabilities } => match problem {
            Problem::Classes(labels) => {
                let each: serde_json::Map<_, _> =
                    labels.iter().cloned().zip(probabilities.iter().map(|p| json!(p))).collect();
                json!({ "label": labels[*class], "probabilities": each })
            }
            _ => json!({ "choice": class, "probabilities": probabilities }),
        },
        Prediction::Value(value) => json!({ "value": value }),
        Prediction::Words(found) => {
            let Content::Tokens { words, .. } = content else { unreachable!("words were predicted") };
            let word = |(word, (class, probabilities)): (&String, &(usize, Vec<f32>))| json!({ "word": word, "label": name(problem, *class), "probability": probabilities[*class] });
            json!({ "words": words.iter().zip(found).map(word).collect::<Vec<_>>() })
        }
        Prediction::Span(span) => {
            json!({ "answer": span.text, "score": span.score, "none_margin": span.none_margin })
        }
        other => unreachable!("no model predicts {other:?}"),
    }
}

/// A class's label; of a choice its number.
fn name(problem: &Problem, class: usize) -> String {
    match problem {
        Problem::Classes(labels) | Problem::Words(labels) => labels[class].clone(),
        Problem::Value | Problem::Spans | Problem::Choice => class.to_string(),
    }
}
