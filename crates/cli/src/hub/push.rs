//! An export, as one commit on the Hub.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use electra_store::io;
use hf_hub::progress::{Progress, ProgressEvent, ProgressHandler, UploadEvent};
use hf_hub::repository::{CommitOperation, RepoTreeEntry};
use hf_hub::{HFError, RepoTypeModel};
use indicatif::ProgressBar;

use super::client::{Client, is_offline};
use super::{Commit, Error};
use crate::failure::INPUT;
use crate::progress;

/// Folders that are an export's alone: what an export has not is removed there.
const OWN: [&str; 2] = ["encoder/", "generator/"];

const LOG_IN: &str = "set HF_TOKEN to a token that may write there (hf auth login keeps one)";

/// Fails where nothing could be pushed in any case.
pub(crate) fn check() -> Result<()> {
    if is_offline() {
        return Err(Error::new(INPUT, "--push: HF_HUB_OFFLINE is set: unset it to push").into());
    }
    Ok(())
}

/// Commits a folder's files to a branch, making the repository and the branch where they are missing; gives the address. All
/// files come in one commit, so a push that fails leaves the branch as it was.
pub(crate) fn push(commit: &Commit<'_>) -> Result<String> {
    let client = Client::new()?;
    let mut model = commit.destination.0.clone();
    let shown = format!("--push {}@{}", model.id(), model.revision);
    let explain = |error| client.explain(&shown, error, LOG_IN);
    if model.owner.is_empty() {
        model.owner = client.get().whoami().send().map_err(explain)?.username;
    }
    let (id, revision) = (model.id(), &*model.revision);
    let repository = client.repository(&model);

    let make = client.get().create_repository().repo_id(&id).repo_type(RepoTypeModel).exist_ok(true);
    match make.private(commit.private).send() {
        // A token of one repository makes none, and may write to its own.
        Err(HFError::Forbidden { .. }) if repository.exists().send().is_ok_and(|exists| exists) => {}
        made => drop(made.map_err(explain)?),
    }
    if revision != "main" {
        match repository.create_branch().branch(revision).send() {
            Err(HFError::Conflict { .. }) => {}
            made => made.map_err(explain)?,
        }
    }
    let listed = repository.list_tree().revision(revision).recursive(true).send().map_err(explain)?;
    let added = files(commit.folder)?;
    let bytes = added.iter().map(|file| file.bytes).sum();
    let operations = operations(added, listed);

    let bar = progress::bytes("pushing", Some(bytes));
    let progress = Progress::new(Watcher(bar.clone()));
    let make = repository.create_commit().operations(operations).commit_message(commit.message);
    let made = make.revision(revision).progress(progress).send();
    bar.finish_and_clear();
    let unchanged = || format!("{id}@{revision} is as it was, as all files come in one commit, which failed");
    let made = made.map_err(explain).with_context(unchanged)?;
    let known = made.commit_oid.map(|oid| format!(" (commit {oid})")).unwrap_or_default();
    Ok(format!("{}/{id}/tree/{revision}{known}", client.endpoint()))
}

/// A file of an export.
struct Added {
    path: PathBuf,
    /// With slashes, from the export's folder on.
    name: String,
    bytes: u64,
}

/// The files of a folder and of those in it.
fn files(folder: &Path) -> Result<Vec<Added>, electra_store::Error> {
    let mut found = Vec::new();
    let mut left = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = left.pop() {
        for entry in fs::read_dir(&folder).map_err(io(&folder, "listing it"))? {
            let path = entry.map_err(io(&folder, "listing it"))?.path();
            let bytes = fs::metadata(&path).map_err(io(&path, "asking for its length"))?.len();
            let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
            if path.is_dir() {
                left.push((path, format!("{name}/")));
            } else {
                found.push(Added { path, name, bytes });
            }
        }
    }
    found.sort_by(|file, other| file.name.cmp(&other.name));
    Ok(found)
}

/// All files of an export, and of what the branch has what an earlier export had and this one has not.
fn operations(added: Vec<Added>, listed: Vec<RepoTreeEntry>) -> Vec<CommitOperation> {
    let removed = listed.into_iter().filter_map(|entry| match entry {
        RepoTreeEntry::File { path, .. } => Some(path),
        RepoTreeEntry::Directory { .. } => None,
    });
    let is_left = |path: &String| {
        OWN.iter().any(|own| path.starts_with(own)) && added.iter().all(|file| file.name != *path)
    };
    let mut operations: Vec<_> = removed.filter(is_left).map(CommitOperation::delete).collect();
    operations.extend(added.into_iter().map(|file| CommitOperation::add_file(file.name, file.path)));
    operations
}

/// Hears how much of a commit's files the Hub has.
struct Watcher(ProgressBar);

impl ProgressHandler for Watcher {
    fn on_progress(&self, event: &ProgressEvent) {
        if let ProgressEvent::Upload(UploadEvent::Progress { bytes_completed, .. }) = event {
            self.0.set_position(*bytes_completed);
        }
    }
}
