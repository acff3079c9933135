//! What looks like a table or markup and is read as plain text.

use std::io::BufRead;
use std::path::Path;

use electra_text::{Event, Format, Input, Inputs, ReadConfig, Reader, Separator};

/// Names that are seldom running text, by their endings, and what is in such files beside the text.
const ENDINGS: [(&str, &str); 6] = [
    (".csv", "header, quotes and every field of a table become text"),
    (".tsv", "header and every field of a table become text"),
    (".json", "names, marks and every value become text"),
    (".xml", "the markup becomes text"),
    (".html", "the markup becomes text"),
    (".htm", "the markup becomes text"),
];

/// Bytes of a line that are looked at.
const LONGEST: usize = 1 << 20;

/// What to say of an input that is read as plain text though it does not look like it; none if it does. A file that
/// cannot be read is reported elsewhere.
pub(super) fn like_a_table(input: &Input) -> Option<String> {
    let (first, name) = match input {
        Input::File { path, bytes } => {
            // A pipe can be read once only.
            (bytes.and_then(|_| first_line(path)), path.to_str().unwrap_or_default())
        }
        // What is looked at stays in the buffer of standard input.
        _ => (std::io::stdin().lock().fill_buf().ok().and_then(first_of), "-"),
    };
    let found = first.as_deref().and_then(by_line).or_else(|| by_name(name))?;
    Some(format!("{input} is read as plain text, but {found}"))
}

/// By the content.
fn by_line(line: &str) -> Option<String> {
    let line = line.trim();
    let is_object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line).is_ok();
    if is_object {
        return Some("its first line is a JSON object; --format jsonl takes the text out of it".to_owned());
    }
    let in_array = line.strip_prefix('[').map(str::trim_start);
    if in_array.is_some_and(|rest| rest.is_empty() || rest.starts_with('{')) {
        let what = "it begins as a JSON array does; write each of its objects on a line, for --format jsonl";
        return Some(what.to_owned());
    }
    let lower = line.get(..15.min(line.len())).unwrap_or_default().to_ascii_lowercase();
    let is_markup = ["<?xml", "<!doctype html", "<html"].iter().any(|begin| lower.starts_with(begin));
    is_markup.then(|| "its first line is markup, which becomes text: take the text out of it".to_owned())
}

/// By the name, seen through `.gz` and `.zst`.
fn by_name(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let plain = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
    let (ending, what) = ENDINGS.iter().find(|(ending, _)| plain.ends_with(ending))?;
    let advice = "write the text alone into a file, or as JSON Lines for --format jsonl";
    Some(format!("its name ends in {ending}: {what}; {advice}"))
}

fn first_line(path: &Path) -> Option<String> {
    let config = ReadConfig {
        format: Some(Format::Text),
        lossy: true,
        max_line_bytes: LONGEST,
        ..ReadConfig::new(Separator::Line)
    };
    let inputs = Inputs::expand(&[path]).ok()?;
    match Reader::new(inputs, config).ok()?.next()? {
        Ok(Event::Line(line)) => Some(line),
        _ => None,
    }
}

/// The first line with text, of bytes that may end anywhere; none of compressed ones.
fn first_of(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    text.lines().find(|line| !line.trim().is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_look_like_text_is_noticed() {
        for (line, expected) in [
            ("{\"text\": \"a\"}", Some("its first line is a JSON object")),
            ("[", Some("it begins as a JSON array does")),
            (" [{\"text\": \"a\"},", Some("it begins as a JSON array does")),
            ("[{\"text\":", Some("it begins as a JSON array does")),
            ("<!DOCTYPE HTML>", Some("its first line is markup")),
            ("<?xml version=\"1.0\"?>", Some("its first line is markup")),
            ("[citation needed]", None),
            ("{braces}", None),
            ("ümläute, überall", None),
            ("a < b", None),
        ] {
            let found = by_line(line);
            assert_eq!(found.is_some(), expected.is_some(), "{line}: {found:?}");
            assert!(found.unwrap_or_default().starts_with(expected.unwrap_or_default()), "{line}");
        }
        for (name, ending) in [
            ("reviews.csv", Some(".csv")),
            ("reviews.CSV.gz", Some(".csv")),
            ("a.tsv.zst", Some(".tsv")),
            ("dump.xml", Some(".xml")),
            ("page.html", Some(".html")),
            ("array.json", Some(".json")),
            ("a.txt", None),
            ("csv", None),
            ("-", None),
        ] {
            let found = by_name(name).unwrap_or_default();
            assert!(
                found.starts_with(
                    &ending.map_or(String::new(), |ending| format!("its name ends in {ending}:"))
                ),
                "{found}"
            );
            assert_eq!(found.is_empty(), ending.is_none(), "{name}");
        }
        assert_eq!(first_of("\u{feff}\n \n[\n{".as_bytes()).as_deref(), Some("["));
        assert_eq!(first_of(b""), None);
    }
}
