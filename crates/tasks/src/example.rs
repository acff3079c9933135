use std::path::PathBuf;

/// The examples of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The file.
    pub path: PathBuf,
    /// Its examples, in its order. At least one.
    pub examples: Vec<Example>,
    /// What was left out, in words such as `line 3`: lines whose columns are not as many as the header's, questions whose
    /// answer stands elsewhere than the file says. Empty unless the task allows that (QQP does, `broken = "skip"` does).
    pub left_out: Vec<String>,
}

impl Dataset {
    /// What to say of what was left out, on one line; none if nothing was.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let first = self.left_out.first()?;
        let (count, path) = (self.left_out.len(), self.path.display());
        let all = count + self.examples.len();
        Some(format!(
            "{path}: {count} of {all} examples are broken and were left out, the first of them {first}"
        ))
    }

    /// Whether it is known what is right: of all examples or, in a test set, of none.
    #[must_use]
    pub fn is_labelled(&self) -> bool {
        self.examples.first().is_some_and(|example| example.content.is_labelled())
    }
}

/// One thing to be predicted.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Its name in the file's index column or SQuAD's id, or else its number from 0.
    pub index: String,
    /// What it consists of.
    pub content: Content,
}

/// What an example consists of, by [`Kind`](crate::Kind). What is right is `None` where a test set does not say.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// One text or two, and a label for the whole, or several.
    Sequence {
        /// The text, exactly as in the file.
        text: String,
        /// The second text, of a pair.
        pair: Option<String>,
        /// What is right.
        label: Option<Label>,
    },
    /// Words with a label each.
    Tokens {
        /// The words; at least one.
        words: Vec<String>,
        /// What is right: as many as words, each a position in [`Labels::Classes`](crate::Labels::Classes).
        labels: Option<Vec<usize>>,
    },
    /// A question whose answer is a part of a text.
    Spans {
        /// The question.
        question: String,
        /// The text.
        context: String,
        /// What is right: any of these, or that there is no answer if there are none.
        answers: Option<Vec<Answer>>,
    },
    /// A text, and some continuations or answers of which one is right.
    Choice {
        /// The text.
        text: String,
        /// A second text, such as a question about the first or the beginning of every choice.
        pair: Option<String>,
        /// What there is to choose from; at least two.
        choices: Vec<String>,
        /// What is right: a position in `choices`.
        label: Option<usize>,
    },
}

impl Content {
    /// Whether it is known what is right.
    #[must_use]
    pub fn is_labelled(&self) -> bool {
        match self {
            Self::Sequence { label, .. } => label.is_some(),
            Self::Tokens { labels, .. } => labels.is_some(),
            Self::Spans { answers, .. } => answers.is_some(),
            Self::Choice { label, .. } => label.is_some(),
        }
    }
}

/// What is right of a whole text.
#[derive(Clone, Debug, PartialEq)]
pub enum Label {
    /// A position in [`Labels::Classes`](crate::Labels::Classes).
    Class(usize),
    /// Positions in [`Labels::MultiLabel`](crate::Labels::MultiLabel), in ascending order; any number of them.
    MultiLabel(Vec<usize>),
    /// A number within [`Labels::Values`](crate::Labels::Values).
    Value(f64),
}

/// An answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its text.
    pub text: String,
    /// The byte of the context where it begins. In train sets `context[start..]` begins with `text`; in others
    /// nothing depends on it, and it is as near as the file's number allows.
    pub start: usize,
}
