//! Names of models on the Hub.

use std::path::Path;

use super::Error;
use crate::failure::INPUT;

const PREFIX: &str = "hf:";
const FORM: &str = "expected hf:NAME[/FOLDER][@REVISION], such as hf:google/electra-small-discriminator or hf:you/model/encoder@step-1000";

/// The most characters of a name, as `huggingface_hub` has it.
const LONGEST: usize = 96;

/// A model, or a folder of it, at a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    /// Empty for old names such as `bert-base-uncased`.
    pub(super) owner: String,
    pub(super) name: String,
    /// Folder in the repository, without slashes at its ends; empty for the repository itself.
    pub(super) folder: String,
    pub(super) revision: String,
}

impl Model {
    /// What a path names if it begins with `hf:`; none of another path.
    pub(super) fn of(path: &Path) -> Result<Option<Self>, Error> {
        let text = path.to_string_lossy();
        let Some(named) = text.strip_prefix(PREFIX) else { return Ok(None) };
        let model =
            Self::parse(named).map_err(|what| Error::new(INPUT, format!("{text}: {what}; {FORM}")))?;
        Ok(Some(model))
    }

    fn parse(named: &str) -> Result<Self, String> {
        let (path, revision) = match named.split_once('@') {
            Some((path, revision)) => (path, revision),
            None => (named, "main"),
        };
        check_revision(revision)?;
        let mut parts = path.split('/');
        let (owner, name) = match (parts.next().unwrap_or_default(), parts.next()) {
            (name, None) => ("", name),
            (owner, Some(name)) => (owner, name),
        };
        let folder = parts.collect::<Vec<_>>();
        for part in [owner, name].into_iter().skip(usize::from(owner.is_empty() && !path.contains('/'))) {
            check_name(part)?;
        }
        if let Some(part) = folder.iter().find(|part| matches!(**part, "" | "." | "..") || is_odd(part)) {
            return Err(format!("{part:?} is not the name of a folder"));
        }
        let [owner, name, folder, revision] = [owner, name, &folder.join("/"), revision].map(str::to_owned);
        Ok(Self { owner, name, folder, revision })
    }

    /// `OWNER/NAME`.
    pub(super) fn id(&self) -> String {
        if self.owner.is_empty() { self.name.clone() } else { format!("{}/{}", self.owner, self.name) }
    }

    /// As messages name it.
    pub(super) fn shown(&self) -> String {
        let Self { folder, revision, .. } = self;
        let slash = if folder.is_empty() { "" } else { "/" };
        let revision = if revision == "main" { String::new() } else { format!("@{revision}") };
        format!("{PREFIX}{}{slash}{folder}{revision}", self.id())
    }
}

/// Where an export goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "torch"), allow(dead_code))]
pub(crate) struct Destination(pub(super) Model);

#[cfg_attr(not(feature = "torch"), allow(dead_code))]
impl Destination {
    /// `NAME[@REVISION]`, `revision` in place of the latter, and `main` without either.
    pub(crate) fn parse(named: &str, revision: Option<&str>) -> Result<Self, Error> {
        let refuse = |what: String| {
            Error::new(
                INPUT,
                format!("--push {named}: {what}; expected NAME[@REVISION], such as you/electra-small"),
            )
        };
        let mut model = Model::parse(named.strip_prefix(PREFIX).unwrap_or(named)).map_err(refuse)?;
        if !model.folder.is_empty() {
            return Err(refuse("an export is a whole repository".to_owned()));
        }
        if let Some(revision) = revision {
            if named.contains('@') {
                return Err(refuse(format!("--revision {revision} names another revision")));
            }
            check_revision(revision).map_err(refuse)?;
            revision.clone_into(&mut model.revision);
        }
        Ok(Self(model))
    }

    /// `OWNER/NAME` and the revision.
    pub(crate) fn parts(&self) -> (String, &str) {
        (self.0.id(), &self.0.revision)
    }
}

fn is_odd(text: &str) -> bool {
    text.contains(|c: char| c.is_whitespace() || c.is_control() || "\\?*[]~^:\"<>|".contains(c))
}

/// The Hub's own rule.
fn check_name(name: &str) -> Result<(), String> {
    let is_known = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let ends = |c: char| name.starts_with(c) || name.ends_with(c);
    let what = if name.is_empty() {
        "the name is empty".to_owned()
    } else if let Some(odd) = name.chars().find(|c| !is_known(*c)) {
        format!("{odd:?} is not a character of a name")
    } else if ends('-') || ends('.') || name.contains("--") || name.contains("..") || name.ends_with(".git") {
        format!("{name:?} is not a name that the Hub gives")
    } else if name.len() > LONGEST {
        format!("{name:?} has {} characters, and a name at most {LONGEST}", name.len())
    } else {
        return Ok(());
    };
    Err(what)
}

/// A branch, a tag or a commit, by Git's rules. It becomes a path of the cache.
fn check_revision(revision: &str) -> Result<(), String> {
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    let fits = revision.split('/').all(is_part) && !revision.contains("..") && !revision.ends_with('.');
    if fits && !is_odd(revision) && !revision.starts_with('-') {
        return Ok(());
    }
    Err(format!("{revision:?} is not the name of a revision"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Model, String> {
        Model::of(Path::new(text)).map(|model| model.unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_has_an_owner_a_folder_and_a_revision_or_not() {
        for (text, expected) in [
            ("hf:bert-base-uncased", ("", "bert-base-uncased", "", "main")),
            ("hf:google/electra-small", ("google", "electra-small", "", "main")),
            ("hf:google/electra-small@refs/pr/2", ("google", "electra-small", "", "refs/pr/2")),
            ("hf:me/model/encoder@step-1000", ("me", "model", "encoder", "step-1000")),
            ("hf:me/model/a/b", ("me", "model", "a/b", "main")),
        ] {
            let model = read(text).unwrap();
            assert_eq!((&*model.owner, &*model.name, &*model.folder, &*model.revision), expected, "{text}");
            assert_eq!(model.shown(), text);
        }
        for path in ["export", "./hf:google/x", "a/hf:b", ""] {
            assert_eq!(Model::of(Path::new(path)).unwrap(), None, "{path}");
        }
    }

    #[test]
    fn bad_names_are_refused() {
        for (text, what) in [
            ("hf:", "the name is empty"),
            ("hf:/x", "the name is empty"),
            ("hf:x/", "the name is empty"),
            ("hf:@main", "the name is empty"),
            ("hf:a b", "' ' is not a character of a name"),
            ("hf:../x", "\"..\" is not a name"),
            ("hf:a/..", "\"..\" is not a name"),
            ("hf:a/b/../c", "\"..\" is not the name of a folder"),
            ("hf:a/b//c", "\"\" is not the name of a folder"),
            ("hf:a/b@", "\"\" is not the name of a revision"),
            ("hf:a/b@../../x", "is not the name of a revision"),
            ("hf:a/b@/x", "is not the name of a revision"),
            ("hf:a/b@one two", "is not the name of a revision"),
            ("hf:a/b.git", "is not a name"),
            ("hf:a--b/c", "is not a name"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.starts_with(&format!("{text}: ")) && message.contains(what), "{message}");
        }
    }

    #[test]
    fn a_destination_has_one_revision() {
        let parse = |named, revision| Destination::parse(named, revision).map_err(|error| error.to_string());
        assert_eq!(parse("me/x", None).unwrap().parts(), ("me/x".to_owned(), "main"));
        assert_eq!(parse("hf:me/x@step-0", None).unwrap().parts(), ("me/x".to_owned(), "step-0"));
        assert_eq!(parse("me/x", Some("step-0")).unwrap().parts(), ("me/x".to_owned(), "step-0"));
        for (named, revision, what) in [
            ("me/x@a", Some("b"), "--revision b names another revision"),
            ("me/x", Some("a b"), "is not the name of a revision"),
            ("me/x/encoder", None, "an export is a whole repository"),
        ] {
            let message = parse(named, revision).unwrap_err();
            assert!(message.starts_with(&format!("--push {named}: ")) && message.contains(what), "{message}");
        }
    }
}
