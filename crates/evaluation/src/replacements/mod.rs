//! What pre-training puts in the place of masked tokens, and which of it the detector finds.
//!
//! A [`Lexicon`] tells how near a sample is to the original ([`Kind`]); a [`Tally`] takes one
//! [`Inspection`](electra_objective::Inspection) after the other, and makes [`Replacements`] of them.

mod kind;
mod lexicon;
mod scores;
mod tally;

pub use kind::Kind;
pub use lexicon::Lexicon;
pub use scores::{Detection, KindScores, Replacements};
pub use tally::Tally;
