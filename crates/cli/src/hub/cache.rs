//! The cache of `huggingface_hub`: `models--OWNER--NAME/` with `refs/REVISION`, which names a commit, and `snapshots/COMMIT/`,
//! whose files are links into `blobs/`.

use std::path::{Path, PathBuf};

use super::Files;
use super::name::Model;

/// A model's part of the cache.
pub(super) struct Cache<'m> {
    model: &'m Model,
    root: PathBuf,
}

impl<'m> Cache<'m> {
    pub(super) fn of(model: &'m Model) -> Self {
        let folder = format!("models--{}", model.id().replace('/', "--"));
        Self { model, root: hf_hub::resolve_cache_dir().join(folder) }
    }

    /// The model's folder at a commit.
    pub(super) fn folder(&self, commit: &str) -> PathBuf {
        let snapshot = self.root.join("snapshots").join(commit);
        if self.model.folder.is_empty() { snapshot } else { snapshot.join(&self.model.folder) }
    }

    /// What is there of the revision without asking anybody, if a command can read it.
    pub(super) fn found(&self, files: Files) -> Option<PathBuf> {
        let revision = &self.model.revision;
        let commit = match is_commit(revision) {
            true => revision.clone(),
            false => electra_store::read_to_string(&self.reference()).ok()?.trim().to_owned(),
        };
        let folder = self.folder(&commit);
        let has = |names: &[&str]| names.iter().any(|name| folder.join(name).exists());
        let is_whole = match files {
            Files::Model => has(&["config.json"]) && has(super::fetch::WEIGHTS),
            Files::Tokenizer => has(super::fetch::VOCABULARIES),
        };
        is_whole.then_some(folder)
    }

    /// Notes which commit the revision is.
    pub(super) fn remember(&self, commit: &str) -> Result<(), electra_store::Error> {
        if is_commit(&self.model.revision) {
            return Ok(());
        }
        let path = self.reference();
        electra_store::create_folder(path.parent().unwrap_or(Path::new(".")))?;
        electra_store::write(&path, commit)
    }

    fn reference(&self) -> PathBuf {
        self.root.join("refs").join(&self.model.revision)
    }
}

/// Whether a revision is a commit's whole hash.
fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}
