//! Scores of entities: names and the like, which labels of words mark by where they begin and end.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::same_length;

/// How labels of words mark entities. A label is `O` for a word outside, or a mark, `-` and the entity's type, such as
/// `B-PER`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Any of the others, read as CoNLL's program (Tjong Kim Sang & Buchholz 2000) and `seqeval` do: a mark that does
    /// not follow from the one before it begins an entity.
    #[default]
    Conll,
    /// `I`; `B` only where an entity of the same type stands before (Ramshaw & Marcus 1995).
    Iob1,
    /// `B` for the first word, `I` for the others. A run of words that does not begin with `B` is not an entity.
    Iob2,
    /// `B`, `I` and `E` for the first word, the inner ones and the last, `S` for one alone. What is not whole is no
    /// entity.
    Bioes,
}

/// Which types two neighbours must have for a rule.
#[derive(Clone, Copy)]
enum Types {
    Any,
    Same,
    Other,
}

/// Marks of two neighbours, `*` for any, and how their types stand to each other.
type Rule = (char, char, Types);

/// When the second of two neighbours begins an entity, goes on with it, or stands behind its end.
struct Rules {
    start: &'static [Rule],
    inside: &'static [Rule],
    end: &'static [Rule],
}

use Types::{Any, Other, Same};

const IOB1: Rules = Rules {
    start: &[('O', 'I', Any), ('I', 'I', Other), ('B', 'I', Any), ('I', 'B', Same), ('B', 'B', Same)],
    inside: &[('B', 'I', Same), ('I', 'I', Same)],
    end: &[
        ('I', 'I', Other),
        ('I', 'O', Any),
        ('I', 'B', Any),
        ('B', 'O', Any),
        ('B', 'I', Other),
        ('B', 'B', Same),
    ],
};
const IOB2: Rules = Rules {
    start: &[('*', 'B', Any)],
    inside: &[('B', 'I', Same), ('I', 'I', Same)],
    end: &[
        ('I', 'O', Any),
        ('I', 'I', Other),
        ('I', 'B', Any),
        ('B', 'O', Any),
        ('B', 'I', Other),
        ('B', 'B', Any),
    ],
};
const BIOES: Rules = Rules {
    start: &[('*', 'B', Any), ('*', 'S', Any)],
    inside: &[('B', 'I', Same), ('B', 'E', Same), ('I', 'I', Same), ('I', 'E', Same)],
    end: &[('S', '*', Any), ('E', '*', Any)],
};

/// A label in its two parts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mark<'a> {
    letter: char,
    kind: &'a str,
}

const OUTSIDE: Mark<'static> = Mark { letter: 'O', kind: "" };

impl<'a> Mark<'a> {
    fn of(label: &'a str) -> Self {
        match label.split_once('-') {
            Some((mark, kind)) => Self { letter: mark.chars().next().unwrap_or('O'), kind },
            None => Self { letter: label.chars().next().unwrap_or('O'), kind: "" },
        }
    }

    fn fits(self, before: Self, rules: &[Rule]) -> bool {
        rules.iter().any(|&(first, second, types)| {
            let letters = [(first, before.letter), (second, self.letter)];
            letters.into_iter().all(|(rule, letter)| rule == '*' || rule == letter)
                && match types {
                    Any => true,
                    Same => before.kind == self.kind,
                    Other => before.kind != self.kind,
                }
        })
    }
}

impl Scheme {
    /// The letters that labels of the scheme begin with.
    fn letters(self) -> &'static str {
        match self {
            Self::Conll => "OBIES",
            Self::Iob1 | Self::Iob2 => "OBI",
            Self::Bioes => "OBIES",
        }
    }

    /// Whether a label is one of the scheme.
    #[must_use]
    pub fn knows(self, label: &str) -> bool {
        match label.split_once('-') {
            Some((mark, kind)) => {
                mark.len() == 1 && mark != "O" && self.letters().contains(mark) && !kind.is_empty()
            }
            None => label == "O",
        }
    }

    /// What its labels look like.
    #[must_use]
    pub fn marks(self) -> &'static str {
        match self {
            Self::Iob1 | Self::Iob2 => "O, B-TYPE and I-TYPE",
            Self::Conll | Self::Bioes => "O, B-TYPE, I-TYPE, E-TYPE and S-TYPE",
        }
    }

    /// The entities of a sentence: type, first word, last word.
    fn entities<'a>(self, labels: &[&'a str]) -> BTreeSet<(&'a str, usize, usize)> {
        let mut marks: Vec<Mark<'a>> = labels.iter().map(|label| Mark::of(label)).collect();
        marks.push(OUTSIDE);
        match self {
            Self::Conll => lenient(&marks),
            Self::Iob1 => strict(&marks, &IOB1),
            Self::Iob2 => strict(&marks, &IOB2),
            Self::Bioes => strict(&marks, &BIOES),
        }
    }
}

/// As `conlleval` reads any scheme.
fn lenient<'a>(marks: &[Mark<'a>]) -> BTreeSet<(&'a str, usize, usize)> {
    let mut entities = BTreeSet::new();
    let (mut before, mut begin) = (OUTSIDE, 0);
    for (place, mark) in marks.iter().enumerate() {
        let is_new = mark.kind != before.kind;
        let ends = matches!((before.letter, mark.letter), ('E' | 'S', _) | ('B' | 'I', 'B' | 'S' | 'O'))
            || (before.letter != 'O' && is_new);
        if ends && before.letter != 'O' {
            entities.insert((before.kind, begin, place - 1));
        }
        let starts = matches!((before.letter, mark.letter), (_, 'B' | 'S') | ('E' | 'S' | 'O', 'E' | 'I'))
            || (mark.letter != 'O' && is_new);
        if starts {
            begin = place;
        }
        before = *mark;
    }
    entities
}

/// By the rules of a scheme, which what does not follow them is no entity of.
fn strict<'a>(marks: &[Mark<'a>], rules: &Rules) -> BTreeSet<(&'a str, usize, usize)> {
    let mut entities = BTreeSet::new();
    let (mut before, mut place) = (OUTSIDE, 0);
    while place < marks.len() {
        let mark = marks[place];
        let begins = mark.fits(before, rules.start);
        let begin = place;
        place += 1;
        if begins {
            while place < marks.len() && marks[place].fits(marks[place - 1], rules.inside) {
                place += 1;
            }
            if marks.get(place).is_some_and(|behind| behind.fits(marks[place - 1], rules.end)) {
                entities.insert((mark.kind, begin, place - 1));
            }
        }
        before = marks[place - 1];
    }
    entities
}

/// F1 of entities: 2 TP / (2 TP + FP + FN), where an entity is right if its type, its first and its last word are (Tjong
/// Kim Sang & De Meulder 2003), over all sentences together. 0 if none is right, also where there are none.
///
/// Predictions and labels are one list of labels a sentence. The same as `seqeval` 1.2.2, of the schemes other than
/// [`Scheme::Conll`] in its mode `strict`.
///
/// # Errors
/// [`Error::Empty`], [`Error::Lengths`], also of a sentence.
pub fn entity_f1<S: AsRef<str>>(
    predictions: &[Vec<S>],
    labels: &[Vec<S>],
    scheme: Scheme,
) -> Result<f64, Error> {
    same_length((predictions.len(), "predictions"), (labels.len(), "labels"))?;
    let (mut both, mut either) = (0_usize, 0_usize);
    for (prediction, label) in predictions.iter().zip(labels) {
        same_length((prediction.len(), "predictions of a sentence"), (label.len(), "labels"))?;
        let [predicted, expected] = [prediction, label]
            .map(|labels| scheme.entities(&labels.iter().map(AsRef::as_ref).collect::<Vec<_>>()));
        both += predicted.intersection(&expected).count();
        either += predicted.len() + expected.len();
    }
    Ok(if both == 0 { 0.0 } else { 2.0 * both as f64 / either as f64 })
}
