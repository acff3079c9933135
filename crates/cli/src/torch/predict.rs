//! `electra predict`.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;
use electra_config::{DeviceChoice, Precision};
use electra_encoder::Compute;
use electra_evaluation::{Prediction, Predictor, Problem, ScoredSet};
use electra_metrics::Metric;
use electra_tasks::{Content, Labels, Split, Task};
use electra_text::from_json;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::hub::{self, Files};
use crate::interrupt;
use crate::stdin::Lines;

/// Predict a label for each line or for a set of a task, with a fine-tuned model, and score the predictions.
///
/// Each line of standard input is one example. It is a text; two texts with a tab between them, for a model of pairs; words
/// separated by spaces, for a model that labels words; question, tab, text, for a model that answers questions; or a text and
/// its choices separated by tabs, for multiple choice. A blank line gives a blank answer. Each line of output is the
/// prediction, a tab and its probability (for an answer, its score); a single number; or a label for each word. A model of
/// several labels gives the labels above one half, a tab and their probabilities, with the task's separator between them.
///
/// With --json each line is an object: {"text", "text_pair"}, {"words"}, {"question", "context"} or {"text", "text_pair",
/// "choices"}. Blank lines are skipped. The answer is an object too: {"label", "probabilities"}, {"labels", "probabilities"},
/// {"value"}, {"words"}, {"answer", "score", "none_margin"} or {"choice", "probabilities"}. A text that is longer than the
/// model's rows is cut; of two texts the longer is cut first. To answer a question, the model reads every part of the text.
///
/// With --task the examples come from a set of that task, whose labels must be the model's. A line has index, prediction,
/// label and a score for each class, and the scores go to standard error. With --json a line is an object that also has
/// "index", and the last one has "scores".
#[derive(Args)]
#[command(after_help = "Examples:
  electra predict --model results/RTE/seed-1/model < pairs.tsv
  echo '{\"text\": \"No cat sleeps.\", \"text_pair\": \"A cat sleeps.\"}' | \\
    electra predict --model results/RTE/seed-1/model --json
  electra predict --model results/MNLI/seed-1/model --task AX --data GLUE > ax.tsv")]
pub(crate) struct Options {
    /// Folder in the Hub's layout, of a fine-tuned model with its tokenizer, or hf:NAME[/FOLDER][@REVISION] of the Hub
    #[arg(long, value_name = "DIR|hf:NAME")]
    model: PathBuf,
    /// Task to read instead of standard input: a known name, or a folder with a task.toml
    #[arg(long, value_name = "NAME|DIR")]
    task: Option<PathBuf>,
    /// Folder that holds the folders of the known tasks
    #[arg(long, value_name = "DIR", requires = "task")]
    data: Option<PathBuf>,
    /// Set of the task [default: dev, or test if there is no dev]
    #[arg(long, value_name = "SET", requires = "task")]
    evaluate: Option<Split>,
    /// Precision of the encoder: fp32, bf16, or auto for the faster one
    #[arg(long, default_value = "fp32", value_name = "KIND", value_parser = super::precision)]
    precision: Precision,
    /// Read one JSON object from each line, and print one
    #[arg(long)]
    json: bool,
    /// Replace bytes that are not UTF-8 by U+FFFD instead of stopping
    #[arg(long)]
    lossy: bool,
    /// Longest line that is accepted, in bytes
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
    let model = hub::folder(&options.model, Files::Model)?;
    let compute = Compute::set_up(DeviceChoice::Cpu, 0, options.precision, false)?;
    let predictor = Predictor::read(&model, compute)?;
    super::note(predictor.note());
    match &options.task {
        Some(task) => set(options, &predictor, task),
        None => lines(options, &predictor),
    }
}

/// The examples of a task's set.
fn set(options: &Options, predictor: &Predictor, task: &Path) -> Result<()> {
    let task = electra_tasks::find(task, options.data.as_deref())?;
    let usual = if task.has(&Split::Dev) { Split::Dev } else { Split::Test };
    let split = options.evaluate.clone().unwrap_or(usual);
    let dataset = task.read(&split)?;
    super::note(dataset.note().as_deref());
    let stop = interrupt::flag("");
    let ScoredSet { predictions, scores, table } = predictor.score(&task, &dataset, &stop)?;
    let mut output = BufWriter::new(std::io::stdout().lock());
    if options.json {
        let names = Names::for_task(&task, predictor);
        for (example, prediction) in dataset.examples.iter().zip(&predictions) {
            let mut line = as_json(prediction, &example.content, &names);
            line["index"] = json!(example.index);
            writeln!(output, "{line}")?;
        }
        let examples = dataset.examples.len();
        let last = json!({
            "task": task.name,
            "set": split.to_string(),
            "examples": examples,
            "left_out": dataset.left_out.len(),
            "scores": scores,
        });
        writeln!(output, "{last}")?;
    } else {
        output.write_all(table.as_bytes())?;
    }
    output.flush()?;
    let scores = match scores {
        Some(scores) => {
            // The task's own order: its score first.
            let shown =
                |metric: &Metric| Some(format!("{} {:.4}", metric.name(), scores.get(metric.name())?));
            task.metrics.iter().filter_map(shown).collect::<Vec<_>>().join(", ")
        }
        None => "no labels, so no score".to_owned(),
    };
    let count = dataset.examples.len();
    let examples = if count == 1 { "example" } else { "examples" };
    crate::output::tell(&format!("{}, {count} {examples} of the {split} set: {scores}", task.name));
    Ok(())
}

/// The lines of standard input.
fn lines(options: &Options, predictor: &Predictor) -> Result<()> {
    let names = Names::new(predictor);
    let mut output = BufWriter::new(std::io::stdout().lock());
    let mut lines = Lines::of_stdin(options.lossy, options.max_line_bytes);
    let never = AtomicBool::new(false);
    let mut number = 0;
    loop {
        // What could be read before a bad line is still answered.
        let (chunk, mut outcome) = lines.chunk();
        let mut contents = Vec::with_capacity(chunk.len());
        // Whether each line is answered by a prediction, or blank as it is.
        let mut answered = Vec::with_capacity(chunk.len());
        for line in &chunk {
            number += 1;
            if line.trim().is_empty() {
                // In JSON Lines it is nothing; as text it keeps its place, so that answer n is line n's.
                answered.extend((!options.json).then_some(false));
                continue;
            }
            let content =
                if options.json { content_from_json(line) } else { content_from_text(line, predictor) };
            let content = content.and_then(|content| fitting(content, predictor));
            match content.with_context(|| format!("standard input: line {number}")) {
                Ok(content) => {
                    contents.push(content);
                    answered.push(true);
                }
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        let predictions = predictor.predict(contents.clone(), &never)?;
        let mut predictions = predictions.iter().zip(&contents);
        for is_answered in answered {
            let Some((prediction, content)) = is_answered.then(|| predictions.next()).flatten() else {
                writeln!(output)?;
                continue;
            };
            if options.json {
                writeln!(output, "{}", as_json(prediction, content, &names))?;
            } else {
                writeln!(output, "{}", as_text(prediction, &names))?;
            }
        }
        output.flush()?;
        outcome?;
        if chunk.is_empty() {
            return Ok(());
        }
    }
}

fn content_from_text(line: &str, predictor: &Predictor) -> Result<Content> {
    let most = match (predictor.problem(), predictor.takes_pairs()) {
        (Problem::Classes(_) | Problem::MultiLabel(_) | Problem::Value, Some(false)) => "one text",
        (Problem::Classes(_) | Problem::MultiLabel(_) | Problem::Value, _) => {
            "two texts with a tab between them"
        }
        (Problem::Words(_), _) => "words with spaces between them",
        (Problem::Spans, _) => "a question, a tab and a text",
        (Problem::Choice, _) => "a text and choices with tabs between them",
    };
    let mut fields = line.split('\t').map(str::to_owned);
    let text = fields.next().unwrap_or_default();
    let content = match predictor.problem() {
        Problem::Classes(_) | Problem::MultiLabel(_) | Problem::Value => {
            Content::Sequence { text, pair: fields.next(), label: None }
        }
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
    let count = line.split('\t').count();
    ensure!(fields.next().is_none(), "{count} fields with tabs between them; expected {most}");
    Ok(content)
}

fn content_from_json(line: &str) -> Result<Content> {
    // Lines are the caller's: to the parser this is always line 1.
    let line: Line = from_json(line)
        .map_err(|error| anyhow!("{}", error.to_string().replace(" at line 1 column ", " at column ")))?;
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
fn fitting(content: Content, predictor: &Predictor) -> Result<Content> {
    let (right, expected) = match (predictor.problem(), &content) {
        (
            Problem::Classes(_) | Problem::MultiLabel(_) | Problem::Value,
            Content::Sequence { text, pair, .. },
        ) => match (predictor.takes_pairs(), pair) {
            (Some(true), None) => (false, "two texts, as the model was fine-tuned on pairs; found one"),
            (Some(false), Some(_)) => (false, "one text, as the model was fine-tuned on one each; found two"),
            _ => (!text.trim().is_empty(), "a text"),
        },
        (Problem::Words(_), Content::Tokens { words, .. }) => (!words.is_empty(), "words"),
        (Problem::Spans, Content::Spans { context, .. }) => (!context.trim().is_empty(), "a text"),
        (Problem::Choice, Content::Choice { choices, .. }) => (choices.len() > 1, "at least two choices"),
        (Problem::Classes(_) | Problem::MultiLabel(_) | Problem::Value, _) => (false, "text"),
        (Problem::Words(_), _) => (false, "words, for a model that labels words"),
        (Problem::Spans, _) => (false, "question and context, for a model that answers questions"),
        (Problem::Choice, _) => (false, "text and choices, for a model of multiple choice"),
    };
    ensure!(right, "expected {expected}");
    Ok(content)
}

/// What the classes of predictions are called, by position; empty where they are numbers.
struct Names {
    labels: Vec<String>,
    /// Between several labels.
    separator: String,
    is_choice: bool,
}

impl Names {
    fn new(predictor: &Predictor) -> Self {
        let labels = match predictor.problem() {
            Problem::Classes(labels) | Problem::MultiLabel(labels) | Problem::Words(labels) => labels,
            Problem::Value | Problem::Spans | Problem::Choice => predictor.choice_labels(),
        };
        Self {
            labels: labels.to_vec(),
            separator: predictor.label_separator().unwrap_or(",").to_owned(),
            is_choice: *predictor.problem() == Problem::Choice,
        }
    }

    /// A task may have the same labels in another order, and other names of choices.
    fn for_task(task: &Task, predictor: &Predictor) -> Self {
        let labels = match &task.labels {
            Labels::Classes(labels) | Labels::MultiLabel(labels) => labels,
            Labels::Values { .. } | Labels::Within => task.choice_labels(),
        };
        Self { labels: labels.to_vec(), separator: task.separator().to_owned(), ..Self::new(predictor) }
    }

    /// Probabilities under the names of their classes.
    fn with(&self, probabilities: &[f32]) -> serde_json::Map<String, Value> {
        probabilities.iter().enumerate().map(|(class, p)| (self.name(class), json!(p))).collect()
    }

    fn name(&self, class: usize) -> String {
        self.labels.get(class).cloned().unwrap_or_else(|| class.to_string())
    }
}

fn as_text(prediction: &Prediction, names: &Names) -> String {
    match prediction {
        Prediction::Class { class, probabilities } => {
            format!("{}\t{:.4}", names.name(*class), probabilities[*class])
        }
        Prediction::MultiLabel { classes, probabilities } => {
            let joined = |shown: &dyn Fn(usize) -> String| {
                classes.iter().map(|&class| shown(class)).collect::<Vec<_>>().join(&names.separator)
            };
            format!(
                "{}\t{}",
                joined(&|class| names.name(class)),
                joined(&|class| format!("{:.4}", probabilities[class]))
            )
        }
        Prediction::Value(value) => value.to_string(),
        Prediction::Words(words) => {
            words.iter().map(|(class, _)| names.name(*class)).collect::<Vec<_>>().join(" ")
        }
        Prediction::Span(span) => {
            format!("{}\t{:.4}", span.text.replace(['\t', '\n', '\r'], " "), span.score)
        }
        other => unreachable!("no model predicts {other:?}"),
    }
}

fn as_json(prediction: &Prediction, content: &Content, names: &Names) -> Value {
    match prediction {
        Prediction::Class { class, probabilities } if names.is_choice && names.labels.is_empty() => {
            json!({ "choice": class, "probabilities": probabilities })
        }
        Prediction::MultiLabel { classes, probabilities } => {
            let labels: Vec<String> = classes.iter().map(|&class| names.name(class)).collect();
            json!({ "labels": labels, "probabilities": names.with(probabilities) })
        }
        Prediction::Class { class, probabilities } => {
            let key = if names.is_choice { "choice" } else { "label" };
            json!({ key: names.name(*class), "probabilities": names.with(probabilities) })
        }
        Prediction::Value(value) => json!({ "value": value }),
        Prediction::Words(found) => {
            let Content::Tokens { words, .. } = content else { unreachable!("words were predicted") };
            let word = |(word, (class, probabilities)): (&String, &(usize, Vec<f32>))| json!({ "word": word, "label": names.name(*class), "probability": probabilities[*class] });
            json!({ "words": words.iter().zip(found).map(word).collect::<Vec<_>>() })
        }
        Prediction::Span(span) => {
            json!({ "answer": span.text, "score": span.score, "none_margin": span.none_margin })
        }
        other => unreachable!("no model predicts {other:?}"),
    }
}
