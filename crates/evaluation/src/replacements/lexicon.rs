//! Words with their class and features, from a file.

use std::collections::HashMap;
use std::path::Path;

use super::Kind;
use crate::Error;

/// The first two columns; the others are features.
const COLUMNS: [&str; 2] = ["word", "class"];

/// What is known of the words that are tokens.
#[derive(Clone, Debug)]
pub struct Lexicon {
    features: Vec<String>,
    /// By token: a class and its features, for each line that the word has.
    readings: HashMap<u32, Vec<Vec<String>>>,
}

/// A file as it is read, which messages name.
struct File<'a>(&'a Path);

impl Lexicon {
    /// Reads a file of columns that are separated by tabs: `word`, `class`, then any number of features, named in
    /// its first line. A word may have several lines, if it can be several things.
    ///
    /// `token` gives the token that a word is, none if it is several or unknown: such words are passed over.
    ///
    /// # Errors
    /// [`Error::Store`], or [`Error::Line`] with the first line that is not what it has to be; also if no word is a
    /// token, as then the lexicon is of another language.
    pub fn read(path: &Path, token: impl Fn(&str) -> Option<u32>) -> Result<Self, Error> {
        let file = File(path);
        let bytes = electra_store::read(path)?;
        let text = file.text(&bytes)?;
        let mut lines = (1..).zip(text.lines());
        let (_, header) = lines.next().unwrap_or((1, ""));
        let columns: Vec<&str> = header.split('\t').collect();
        if columns.get(..2) != Some(&COLUMNS[..]) {
            let what = "expected the names of columns, separated by tabs: word, class, then features";
            return Err(file.wrong(1, format!("{header:?}; {what}")));
        }
        if let Some(again) = (1..columns.len()).find(|&column| columns[..column].contains(&columns[column])) {
            return Err(file.wrong(1, format!("the column {:?} is there twice", columns[again])));
        }
        let mut readings: HashMap<u32, Vec<Vec<String>>> = HashMap::new();
        let mut count = 0;
        for (number, line) in lines {
            let cells: Vec<&str> = line.split('\t').collect();
            if cells.len() != columns.len() {
                let cut = if !text.ends_with('\n') && text.lines().count() as u64 == number {
                    "; the file ends within this line, so it may be cut off"
                } else {
                    ""
                };
                let (found, expected) = (cells.len(), columns.len());
                let what = format!("{found} columns; expected {expected}, as in the first line{cut}");
                return Err(file.wrong(number, what));
            }
            if let Some(empty) = COLUMNS.iter().zip(&cells).find(|(_, cell)| cell.trim().is_empty()) {
                return Err(file.wrong(number, format!("the {} is empty", empty.0)));
            }
            count += 1;
            if let Some(token) = token(cells[0]) {
                let reading = cells[1..].iter().map(|&cell| cell.to_owned()).collect();
                readings.entry(token).or_default().push(reading);
            }
        }
        if readings.is_empty() {
            let what = match count {
                0 => "no words after the first line; expected a word a line".to_owned(),
                _ => format!(
                    "none of its {count} words is a token of the vocabulary; is it of another language?"
                ),
            };
            return Err(file.wrong(count + 1, what));
        }
        let features = columns[COLUMNS.len()..].iter().map(|&column| column.to_owned()).collect();
        Ok(Self { features, readings })
    }

    /// The names of the features.
    #[must_use]
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// How many tokens are words of the lexicon.
    #[must_use]
    pub fn words(&self) -> usize {
        self.readings.len()
    }

    /// The class of a token, or all of them if it can be several things; none if it is not a word of the lexicon.
    #[must_use]
    pub fn class(&self, token: u32) -> Option<String> {
        let mut classes: Vec<&str> = self.readings.get(&token)?.iter().map(|reading| &*reading[0]).collect();
        classes.sort_unstable();
        classes.dedup();
        Some(classes.join("/"))
    }

    /// What a sample is to the original. Of words that can be several things the nearest counts.
    #[must_use]
    pub fn kind(&self, original: u32, sample: u32) -> Kind {
        if original == sample {
            return Kind::Right;
        }
        let (Some(originals), Some(samples)) = (self.readings.get(&original), self.readings.get(&sample))
        else {
            return Kind::Unlisted;
        };
        let kind =
            |original: &[String], sample: &[String]| match (original == sample, original[0] == sample[0]) {
                (true, _) => Kind::SameFeatures,
                (_, true) => Kind::SameClass,
                _ => Kind::OtherClass,
            };
        let pairs =
            originals.iter().flat_map(|original| samples.iter().map(move |sample| kind(original, sample)));
        pairs.min().unwrap_or(Kind::Unlisted)
    }
}

impl File<'_> {
    fn wrong(&self, line: u64, what: String) -> Error {
        Error::Line { origin: self.0.display().to_string(), line, what }
    }

    /// As UTF-8, without a byte order mark.
    fn text<'b>(&self, bytes: &'b [u8]) -> Result<&'b str, Error> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count() as u64;
            self.wrong(line, "is not UTF-8".into())
        })?;
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOUNS: &str = "word\tclass\tgender\tnumber\n\
                         cat\tnoun\tf\tsg\ndog\tnoun\tf\tsg\ncats\tnoun\tf\tpl\nruns\tverb\t\tsg\n\
                         run\tnoun\tf\tsg\nrun\tverb\t\tpl\nwalk\tverb\t\tpl\nzebra crossing\tnoun\tf\tsg\n";
    const TOKENS: [&str; 8] = ["cat", "dog", "cats", "runs", "run", "walk", "##s", "[SEP]"];

    fn token(word: &str) -> Option<u32> {
        TOKENS.iter().position(|token| *token == word).map(|id| id as u32)
    }

    fn read(bytes: &[u8]) -> Result<Lexicon, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.tsv");
        std::fs::write(&path, bytes).unwrap();
        let shown = path.display().to_string();
        Lexicon::read(&path, token).map_err(|error| error.to_string().replace(&shown, "words.tsv"))
    }

    #[test]
    fn kinds_go_by_class_and_features() {
        let lexicon = read(NOUNS.as_bytes()).unwrap();
        let class = |word: &str| lexicon.class(token(word).unwrap());
        let expected = [Some("noun".to_owned()), Some("noun/verb".into()), None];
        assert_eq!(["cat", "run", "##s"].map(class), expected);
        assert_eq!((lexicon.features(), lexicon.words()), (&["gender".to_owned(), "number".into()][..], 6));
        let kind = |original, sample| lexicon.kind(token(original).unwrap(), token(sample).unwrap());
        for (original, sample, expected) in [
            ("cat", "cat", Kind::Right),
            ("cat", "dog", Kind::SameFeatures),
            ("cat", "cats", Kind::SameClass),
            ("cat", "runs", Kind::OtherClass),
            ("runs", "walk", Kind::SameClass),
            // A word that can be a noun or a verb is the one that is nearer.
            ("run", "dog", Kind::SameFeatures),
            ("walk", "run", Kind::SameFeatures),
            ("runs", "run", Kind::SameClass),
            ("cat", "##s", Kind::Unlisted),
            ("[SEP]", "cat", Kind::Unlisted),
            ("##s", "##s", Kind::Right),
        ] {
            assert_eq!(kind(original, sample), expected, "{original} {sample}");
            assert_eq!(kind(sample, original), expected, "{sample} {original}");
        }
    }

    #[test]
    fn a_lexicon_without_features_knows_classes() {
        let lexicon = read(b"\xef\xbb\xbfword\tclass\r\ncat\tnoun\r\ndog\tnoun\r\nwalk\tverb").unwrap();
        assert!(lexicon.features().is_empty());
        assert_eq!((lexicon.kind(0, 1), lexicon.kind(0, 5)), (Kind::SameFeatures, Kind::OtherClass));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (bytes, expected) in [
            (
                &b""[..],
                "words.tsv: line 1: \"\"; expected the names of columns, separated by tabs: word, class, ",
            ),
            (b"cat\tnoun\n", "words.tsv: line 1: \"cat\\tnoun\"; expected the names of columns"),
            (b"word\n", "words.tsv: line 1: \"word\"; expected the names"),
            (b"word\tclass\tcase\tcase\n", "words.tsv: line 1: the column \"case\" is there twice"),
            (b"word\tclass\n", "words.tsv: line 1: no words after the first line"),
            (b"word\tclass\ncat\n", "words.tsv: line 2: 1 columns; expected 2, as in the first line"),
            (b"word\tclass\ncat\tnoun\n\n", "words.tsv: line 3: 1 columns; expected 2"),
            (b"word\tclass\n\tnoun\n", "words.tsv: line 2: the word is empty"),
            (b"word\tclass\ncat\t \n", "words.tsv: line 2: the class is empty"),
            (b"word\tclass\ncat\tnoun\nd\xffg\tnoun\n", "words.tsv: line 3: is not UTF-8"),
            (
                b"word\tclass\nchat\tnom\n",
                "words.tsv: line 2: none of its 1 words is a token of the vocabulary",
            ),
        ] {
            let error = read(bytes).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        // Cut at any byte of the third line it is read or named, never half read.
        let cut = NOUNS.find("dog").unwrap();
        let error = read(&NOUNS.as_bytes()[..cut + 6]).unwrap_err();
        assert!(
            error.starts_with("words.tsv: line 3: 2 columns; expected 4") && error.ends_with("cut off"),
            "{error}"
        );
        let nowhere = Lexicon::read(Path::new("nowhere.tsv"), token).unwrap_err().to_string();
        assert!(nowhere.starts_with("nowhere.tsv: reading it: "), "{nowhere}");
    }
}
