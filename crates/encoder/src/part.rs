//! The networks of a run, by the prefixes of their parameters.

use std::collections::BTreeMap;

use tch::{Tensor, nn};

/// What the names of an encoder's tensors begin with, except in files of transformers' headless class.
pub(crate) const ENCODER: &str = "electra.";
/// Where tables that can be tied are, in the Hub's names. (`electra.embeddings_project` is not among them.)
pub(crate) const EMBEDDINGS: &str = "electra.embeddings.";

/// A network among the parameters of a run: those whose names begin with `prefix`, which the Hub's names lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The prefix, with its point.
    pub prefix: &'a str,
    /// The prefix of the network whose embeddings this one uses where it has none of its own.
    pub tied: Option<&'a str>,
}

impl Part<'static> {
    /// Every parameter, under its own name.
    pub const ALL: Self = Self { prefix: "", tied: None };
    /// The generator. Tied tables are its.
    pub const GENERATOR: Self = Self { prefix: "generator.", tied: None };
    /// The encoder that is kept, with its head.
    pub const MAIN: Self = Self { prefix: "main.", tied: Some("generator.") };
}

impl Part<'_> {
    /// The parameters of this part, each with its name in the Hub's layout, tied ones included.
    pub(crate) fn parameters(&self, var_store: &nn::VarStore) -> BTreeMap<String, (String, Tensor)> {
        let variables = var_store.variables();
        let mut parameters = BTreeMap::new();
        // The tied prefix first, so that what the network has itself takes the place of the other's.
        let tied = self.tied.map(|prefix| (prefix, EMBEDDINGS));
        for (prefix, only) in tied.into_iter().chain([(self.prefix, "")]) {
            for (full, variable) in &variables {
                if let Some(name) = full.strip_prefix(prefix).filter(|name| name.starts_with(only)) {
                    parameters.insert(name.to_owned(), (full.clone(), variable.shallow_clone()));
                }
            }
        }
        parameters
    }
}
