//! What can be wrong with the settings of masking.

/// What can be wrong with the settings of masking.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A setting is outside its range, or two settings exclude each other.
    #[error("{field}: {found}; expected {expected}")]
    Config {
        /// The setting's name.
        field: &'static str,
        /// Its value, or what is wrong with it.
        found: String,
        /// What it has to be.
        expected: String,
    },
    /// A special token's id that the vocabulary does not hold.
    #[error("token id {id} is not in a vocabulary of {vocab_size} tokens (ids 0 to {})", vocab_size.saturating_sub(1))]
    TokenId {
        /// The id.
        id: u32,
        /// How many tokens the vocabulary has.
        vocab_size: u32,
    },
}
