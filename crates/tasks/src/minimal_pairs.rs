use std::fs;
use std::path::{Path, PathBuf};

use electra_text::from_json;
use serde::Deserialize;

use crate::Error;
use crate::file::File;
use crate::record::Place;

/// An acceptable sentence beside an unacceptable one that differs from it as little as possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinimalPair {
    /// The acceptable sentence.
    pub good: String,
    /// The unacceptable one.
    pub bad: String,
    /// What is tested: `UID` or, without one, the file's name.
    pub paradigm: String,
    /// The field of grammar, if it is named.
    pub field: Option<String>,
    /// The file.
    pub path: PathBuf,
    /// The line in it, from 1.
    pub line: u64,
}

#[derive(Deserialize)]
struct Record {
    sentence_good: String,
    sentence_bad: String,
    #[serde(rename = "UID")]
    uid: Option<String>,
    field: Option<String>,
}

/// Reads minimal pairs in BLiMP's form: one JSON object a line with `sentence_good` and `sentence_bad`, and
/// perhaps `UID` and `field`. The sentences of a pair may be the same, as seven of BLiMP's are. Of a folder, all files that are named `.jsonl`, in the order of their names.
///
/// # Errors
/// If a file cannot be read or is not of that form, or a folder holds none.
pub fn minimal_pairs(path: &Path) -> Result<Vec<MinimalPair>, Error> {
    if !path.is_dir() {
        return read(path);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(Error::io(path))? {
        let file = entry.map_err(Error::io(path))?.path();
        if uncompressed_name(&file).is_some_and(|name| name.ends_with(".jsonl")) && file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(Error::Empty { path: path.to_owned(), expected: "files named .jsonl".to_owned() });
    }
    files.sort();
    let lists: Vec<Vec<MinimalPair>> = files.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
    Ok(lists.concat())
}

/// The file's name without `.gz` and `.zst`; none of hidden files.
fn uncompressed_name(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str().filter(|name| !name.starts_with('.'))?;
    Some(name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(name))
}

fn read(path: &Path) -> Result<Vec<MinimalPair>, Error> {
    let name = uncompressed_name(path).unwrap_or_default();
    let name = name.strip_suffix(".jsonl").unwrap_or(name);
    let file = File::read(path, "minimal pairs")?;
    file.lines_with_text()
        .map(|(line, text)| {
            let expected = "an object with sentence_good and sentence_bad";
            let record: Record =
                from_json(text).map_err(|error| Error::json(&file, line, expected, &error))?;
            let place = Place { path, line };
            let sentences =
                [("sentence_good", &record.sentence_good), ("sentence_bad", &record.sentence_bad)];
            for (field, sentence) in sentences {
                if sentence.trim().is_empty() {
                    return Err(place.empty(&format!("field {field:?}")));
                }
            }
            Ok(MinimalPair {
                good: record.sentence_good,
                bad: record.sentence_bad,
                paradigm: record.uid.unwrap_or_else(|| name.to_owned()),
                field: record.field,
                path: path.to_owned(),
                line,
            })
        })
        .collect()
}
