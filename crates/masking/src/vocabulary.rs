//! What masking and packing have to know of a vocabulary.

use serde::{Deserialize, Serialize};

use crate::Error;

/// What masking and packing have to know of a vocabulary: its size and its special tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// V, the number of tokens; ids are `0..size`.
    pub size: u32,
    /// `[PAD]`
    pub pad: u32,
    /// `[UNK]`
    pub unk: u32,
    /// `[CLS]`
    pub cls: u32,
    /// `[SEP]`
    pub sep: u32,
    /// `[MASK]`
    pub mask: u32,
}

impl Vocabulary {
    /// The special ids in ascending order.
    #[must_use]
    pub fn special(&self) -> [u32; 5] {
        let mut ids = [self.pad, self.unk, self.cls, self.sep, self.mask];
        ids.sort_unstable();
        ids
    }

    /// Checks that the special ids exist and are distinct, and that there is a token beside them.
    ///
    /// # Errors
    /// [`Error::TokenId`] or [`Error::Config`] names what is wrong.
    pub fn validate(&self) -> Result<(), Error> {
        let special = self.special();
        if let Some(&id) = special.iter().find(|&&id| id >= self.size) {
            return Err(Error::TokenId { id, vocab_size: self.size });
        }
        if let Some(pair) = special.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::Config {
                field: "vocabulary",
                found: format!("two special tokens share the id {}", pair[0]),
                expected: "five different ids".into(),
            });
        }
        if self.size as usize <= special.len() {
            return Err(Error::Config {
                field: "vocabulary.size",
                found: self.size.to_string(),
                expected: "more tokens than the five special ones".into(),
            });
        }
        Ok(())
    }

    /// Whether a position that holds `id` may be masked: `[UNK]` may, the other special tokens may not.
    #[must_use]
    pub fn is_maskable(&self, id: u32) -> bool {
        id != self.pad && id != self.cls && id != self.sep && id != self.mask
    }
}
