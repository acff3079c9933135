//! A model's files, from the Hub into the cache.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use hf_hub::progress::{DownloadEvent, Progress, ProgressEvent, ProgressHandler};
use hf_hub::repository::RepoTreeEntry;
use hf_hub::{HFError, HFRepositorySync, RepoTypeModel};
use indicatif::ProgressBar;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::cache::Cache;
use super::client::{Client, is_offline, is_unreachable};
use super::name::Model;
use super::{Error, Files};
use crate::failure::{FAILED, INPUT};
use crate::{output, progress};

/// What the weights may be in.
pub(super) const WEIGHTS: &[&str] = &["model.safetensors", INDEX];
const INDEX: &str = "model.safetensors.index.json";
const TOKENIZER: &[&str] =
    &["tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];
/// One of which a tokenizer has.
pub(super) const VOCABULARIES: &[&str] = &["tokenizer.json", "vocab.txt"];
const CONFIG: &str = "config.json";

const SHA256_DIGITS: usize = 64;

/// How often a file is asked for whose connection breaks.
const TRIES: usize = 4;

const LOG_IN: &str =
    "look at its name, or set HF_TOKEN to a token that may read it (hf auth login keeps one)";

/// A file of the model's folder as the Hub describes it.
struct Entry {
    /// In the repository.
    path: String,
    bytes: u64,
}

impl Entry {
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// The folder of the cache that has the files, all of one commit.
pub(super) fn fetch(model: &Model, files: Files) -> Result<PathBuf> {
    let (shown, cache) = (model.shown(), Cache::of(model));
    if is_offline() {
        let place = hf_hub::resolve_cache_dir();
        let lacking = || {
            let place = place.display();
            Error::new(
                INPUT,
                format!("{shown}: HF_HUB_OFFLINE is set, and the model is not in the cache, {place}"),
            )
        };
        return Ok(cache.found(files).ok_or_else(lacking)?);
    }
    let client = Client::new()?;
    let repository = client.repository(model);
    let explain = |error| client.explain(&shown, error, LOG_IN);
    let info = repository.info().revision(&*model.revision).send();
    let info = match (info, cache.found(files)) {
        (Err(error), Some(folder)) if is_unreachable(&error) => {
            output::tell(&format!("note: {}; what is in the cache is taken", explain(error)));
            return Ok(folder);
        }
        (info, _) => info.map_err(explain)?,
    };
    let commit = info.sha.ok_or_else(|| Error::new(FAILED, format!("{shown}: the Hub names no commit")))?;
    let folder = cache.folder(&commit);
    let download = Download { repository: &repository, model, commit: &commit, folder: &folder };

    let listed = download.list().map_err(explain)?;
    let mut wanted = TOKENIZER.to_vec();
    if files == Files::Model {
        wanted.push(CONFIG);
        wanted.push(weights(&shown, &listed)?);
    } else if !VOCABULARIES.iter().any(|name| listed.contains_key(*name)) {
        let what = "the model has no tokenizer.json and no vocab.txt there";
        return Err(Error::new(INPUT, format!("{shown}: {what}")).into());
    }
    let named = |names: &[&str]| -> Vec<&Entry> {
        names.iter().filter_map(|name| Some((*name, listed.get(*name)?))).map(|(_, entry)| entry).collect()
    };
    download.get(&named(&wanted)).map_err(|failed| failed.explained(&shown, explain))?;
    if wanted.contains(&INDEX) {
        let shards = shards(&folder.join(INDEX))?;
        let shards: Vec<&str> = shards.iter().map(String::as_str).collect();
        download.get(&named(&shards)).map_err(|failed| failed.explained(&shown, explain))?;
    }
    cache.remember(&commit).with_context(|| format!("{shown}: the Hub's cache"))?;
    Ok(folder)
}

/// Which file says where the weights are.
fn weights(shown: &str, listed: &BTreeMap<String, Entry>) -> Result<&'static str, Error> {
    if let Some(name) = WEIGHTS.iter().find(|name| listed.contains_key(**name)) {
        return Ok(name);
    }
    let pickle = listed.keys().find(|name| name.starts_with("pytorch_model"));
    Err(Error::new(
        INPUT,
        match pickle {
            Some(pickle) => format!(
                "{shown}: the model has {pickle}, a pickle, which is not read here, and no model.safetensors; a pull request \
                 of the model may have one (@refs/pr/N), and https://huggingface.co/spaces/safetensors/convert makes one"
            ),
            None => format!("{shown}: the model has no model.safetensors there"),
        },
    ))
}

/// The files that an index names, without those of other folders, which its reader refuses.
fn shards(index: &Path) -> Result<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let text = electra_store::read(index)?;
    let index: Index = serde_json::from_slice(&text).with_context(|| index.display().to_string())?;
    Ok(index.weight_map.into_values().collect())
}

/// Why a file did not come.
enum Failed {
    Hub(HFError),
    /// It came, and is not the one that was announced.
    Other(String),
}

impl Failed {
    fn explained(self, shown: &str, explain: impl FnOnce(HFError) -> Error) -> Error {
        match self {
            Self::Hub(error) => explain(error),
            Self::Other(what) => {
                Error::new(FAILED, format!("{shown}: {what}; it was removed from the cache: try again"))
            }
        }
    }

    fn is_of_moment(&self) -> bool {
        match self {
            Self::Hub(HFError::Request { source, .. }) => !source.is_connect(),
            Self::Hub(_) => false,
            Self::Other(_) => true,
        }
    }
}

/// Fetching files of one commit.
struct Download<'a> {
    repository: &'a HFRepositorySync<RepoTypeModel>,
    model: &'a Model,
    commit: &'a str,
    folder: &'a Path,
}

impl Download<'_> {
    /// The files of the model's folder, by their names there.
    fn list(&self) -> Result<BTreeMap<String, Entry>, HFError> {
        let folder = &self.model.folder;
        let inside = (!folder.is_empty()).then(|| folder.clone());
        let listed = self.repository.list_tree().revision(self.commit).maybe_path_in_repo(inside).send();
        let listed = listed.map_err(|error| match error {
            HFError::Http { context } if context.status.as_u16() == 404 && !folder.is_empty() => {
                let path = format!("folder {folder}");
                HFError::EntryNotFound { path, repo_id: self.model.id(), context: Some(context) }
            }
            error => error,
        })?;
        let file = |entry| match entry {
            RepoTreeEntry::File { path, size, .. } => Some(Entry { path, bytes: size }),
            RepoTreeEntry::Directory { .. } => None,
        };
        Ok(listed.into_iter().filter_map(file).map(|entry| (entry.name().to_owned(), entry)).collect())
    }

    /// Fetches those that the cache does not have yet.
    fn get(&self, entries: &[&Entry]) -> Result<(), Failed> {
        let missing: Vec<_> =
            entries.iter().filter(|entry| !self.folder.join(entry.name()).exists()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let bar = progress::bytes("fetching", Some(missing.iter().map(|entry| entry.bytes).sum()));
        let mut done = 0;
        let outcome = missing.iter().try_for_each(|entry| {
            bar.set_message(entry.name().to_owned());
            self.get_whole(entry, &bar, done)?;
            done += entry.bytes;
            bar.set_position(done);
            Ok(())
        });
        bar.finish_and_clear();
        outcome
    }

    /// A file whose connection breaks is asked for again; those before it are not.
    fn get_whole(&self, entry: &Entry, bar: &ProgressBar, done: u64) -> Result<(), Failed> {
        let mut tries = 1;
        loop {
            match self.get_once(entry, bar, done) {
                Err(failed) if failed.is_of_moment() && tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    fn get_once(&self, entry: &Entry, bar: &ProgressBar, done: u64) -> Result<(), Failed> {
        let shown = bar.clone();
        let progress = Progress::new(Watcher(move |bytes| shown.set_position(done + bytes)));
        let file =
            self.repository.download_file().filename(&*entry.path).revision(self.commit).progress(progress);
        let path = file.send().map_err(Failed::Hub)?;
        // The library takes whatever the server sends for the file, an error's text too.
        let found = check(&path, entry).map_err(|error| Failed::Hub(HFError::Io(error)))?;
        let Some(what) = found else { return Ok(()) };
        if let Ok(blob) = fs::canonicalize(&path) {
            let _ = fs::remove_file(blob);
        }
        let _ = fs::remove_file(&path);
        Err(Failed::Other(what))
    }
}

/// What is wrong with a file that came; none if it is the one that was announced. A large file is a link to one that is named
/// by its hash.
fn check(path: &Path, entry: &Entry) -> io::Result<Option<String>> {
    let mut file = fs::File::open(path)?;
    let bytes = file.metadata()?.len();
    if bytes != entry.bytes {
        return Ok(Some(format!("{} came with {bytes} bytes, and has {}", entry.path, entry.bytes)));
    }
    let named = fs::canonicalize(path)?;
    let named = named.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if named.len() != SHA256_DIGITS || !named.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            length => hash.update(&chunk[..length]),
        }
    }
    let found: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((found != named).then(|| format!("{} came with the sha256 {found}, and has {named}", entry.path)))
}

/// Hears how many bytes of a file have come.
struct Watcher<F>(F);

impl<F: Fn(u64) + Send + Sync> ProgressHandler for Watcher<F> {
    fn on_progress(&self, event: &ProgressEvent) {
        match event {
            ProgressEvent::Download(DownloadEvent::Progress { files }) => {
                files.iter().for_each(|file| (self.0)(file.bytes_completed));
            }
            ProgressEvent::Download(DownloadEvent::AggregateProgress { bytes_completed, .. }) => {
                (self.0)(*bytes_completed);
            }
            _ => {}
        }
    }
}
