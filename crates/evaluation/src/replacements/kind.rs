//! How near a sample is to the token that it stands for.

use serde::Serialize;

/// What a masked token became, from the nearest to the farthest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The original, which replaces nothing (paper §2).
    Right,
    /// Another word of its class, of which the lexicon says the same in every column.
    SameFeatures,
    /// Another word of its class that differs in a feature.
    SameClass,
    /// A word of another class.
    OtherClass,
    /// One of the two is not a word of the lexicon: a part of a word, or a special token.
    Unlisted,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Right, Self::SameFeatures, Self::SameClass, Self::OtherClass, Self::Unlisted];

    /// As it is shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::SameFeatures => "same features",
            Self::SameClass => "same class",
            Self::OtherClass => "other class",
            Self::Unlisted => "unlisted",
        }
    }
}
