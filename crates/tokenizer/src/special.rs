use serde::{Deserialize, Serialize};

/// Ids of the five special tokens of a BERT-shaped model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialTokens {
    /// `[PAD]`: fills a batch's short rows.
    pub pad: u32,
    /// `[UNK]`: stands for a word that the vocabulary cannot spell.
    pub unk: u32,
    /// `[CLS]`: begins every sequence.
    pub cls: u32,
    /// `[SEP]`: ends every segment.
    pub sep: u32,
    /// `[MASK]`: hides a token.
    pub mask: u32,
}

impl SpecialTokens {
    /// The five ids: pad, unk, cls, sep, mask.
    pub fn ids(&self) -> [u32; 5] {
        [self.pad, self.unk, self.cls, self.sep, self.mask]
    }

    /// Whether `id` is one of the five.
    pub fn contains(&self, id: u32) -> bool {
        self.ids().contains(&id)
    }
}

/// What the five are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpecialNames {
    pub(crate) pad: String,
    pub(crate) unk: String,
    pub(crate) cls: String,
    pub(crate) sep: String,
    pub(crate) mask: String,
}

impl SpecialNames {
    pub(crate) fn bert() -> Self {
        Self {
            pad: "[PAD]".to_owned(),
            unk: "[UNK]".to_owned(),
            cls: "[CLS]".to_owned(),
            sep: "[SEP]".to_owned(),
            mask: "[MASK]".to_owned(),
        }
    }

    /// Each with the name of its role in the Hub's files, in the order of a trained vocabulary's first ids.
    pub(crate) fn by_role(&self) -> [(&'static str, &str); 5] {
        [
            ("pad_token", &self.pad),
            ("unk_token", &self.unk),
            ("cls_token", &self.cls),
            ("sep_token", &self.sep),
            ("mask_token", &self.mask),
        ]
    }
}
