//! The jobs that make text, vocabularies and corpora.

use std::path::Path;

use crate::Plan;
use crate::job::{Done, Job, Kind};
use crate::plan::Family;
use crate::source::{Language, TextSource};

/// Text, vocabulary and corpus of every source that a run learns from.
pub(crate) fn data(plan: &Plan) -> Vec<Job> {
    plan.sources().iter().flat_map(|source| of_source(plan, source)).collect()
}

fn of_source(plan: &Plan, source: &TextSource) -> Vec<Job> {
    let data = &plan.data;
    let text = |path: &Path| path.display().to_string();
    let output = |name: &str| text(&source.folder(name));
    let job = |name: &str, title: &str, needs: &[String], arguments: Vec<String>| Job {
        id: source.job(name),
        title: format!("{}{title}", source.prefix()),
        kind: Kind::Data,
        needs: needs.to_vec(),
        seconds: plan.estimate.job_seconds,
        bytes: 0.0,
        arguments,
        settings: None,
        output: source.folder(name),
        done: Done::Folder,
    };
    let mut jobs = Vec::new();
    let mut needs = Vec::new();
    let files: Vec<String> = match source {
        TextSource::Language(Language { number, family, documents, told_twice, .. }) => {
            let (seed, documents, output) = (number.to_string(), documents.to_string(), output("data"));
            let call =
                ["corpus", "synthesize", "--seed", &seed, "--documents", &documents, "--output", &output];
            let mut call = call.map(String::from).to_vec();
            call.extend((!told_twice).then(|| "--told-once".to_owned()));
            if *family != Family::default() {
                call.extend(["--family", family.name()].map(String::from));
            }
            jobs.push(job("data", "text and tasks", &[], call));
            needs.push(source.job("data"));
            vec![text(&source.folder("data").join("corpus.txt"))]
        }
        TextSource::Files => data.text.iter().flatten().map(|path| text(path)).collect(),
    };
    let mut input = vec!["--input".to_owned()];
    input.extend(files);
    if data.line_documents {
        input.extend(["--documents", "line"].map(String::from));
    }
    let tokenizer = match (&data.tokenizer, data.vocab_size) {
        (Some(folder), _) => text(folder),
        (None, size) => {
            let (size, output) = (size.unwrap_or_default().to_string(), output("tokenizer"));
            let call = ["tokenizer", "train", "--vocab-size", &size, "--output", &output];
            let mut call = call.map(String::from).to_vec();
            call.extend(data.cased.then(|| "--cased".to_owned()));
            call.extend(input.iter().cloned());
            jobs.push(job("tokenizer", "vocabulary", &needs, call));
            needs.push(source.job("tokenizer"));
            output
        }
    };
    let (length, segments) = (data.max_length.to_string(), if data.segments == 1 { "one" } else { "two" });
    let output = output("corpus");
    let call = ["corpus", "build", "--tokenizer", &tokenizer, "--max-length", &length];
    let options = ["--segments", segments, "--output", &output];
    let call = call.into_iter().chain(options).map(String::from).chain(input).collect();
    jobs.push(job("corpus", "corpus", &needs, call));
    jobs
}
