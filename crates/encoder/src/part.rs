//! The networks of a run, by the prefixes of their parameters.

use std::collections::BTreeMap;

use tch::{Tensor, nn};

/// What the names of an encoder's tensors begin with, except in files of transformers' headless class.
pub(crate) const ENCODER: &str = "electra.";
/// Where tables that can be tied are, in the Hub's names. (`electra.embeddings_project` is not among them.)
pub(crate) const EMBEDDINGS: &str = "electra.embeddings.";

/// The name of a table that is added to another one of the same path, whose name is [`WEIGHT`].
pub(crate) const DELTA: &str = "delta";
const WEIGHT: &str = "weight";

/// The name of the table that a delta is added to, if the name is a delta's.
pub(crate) fn base_of(name: &str) -> Option<String> {
    Some(format!("{}{WEIGHT}", name.strip_suffix(DELTA).filter(|path| path.ends_with('.'))?))
}

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

    /// Of all tensors of a run, those of this part under the names of the Hub's layout, tied ones included. Tables that are
    /// a sum are added up.
    #[must_use]
    pub fn tensors<'t>(
        &self,
        all: &(impl IntoIterator<Item = (&'t str, &'t Tensor)> + Clone),
    ) -> BTreeMap<String, Tensor> {
        let mut tensors = BTreeMap::new();
        let tied = self.tied.map(|prefix| (prefix, EMBEDDINGS));
        for (prefix, only) in tied.into_iter().chain([(self.prefix, "")]) {
            for (full, tensor) in all.clone() {
                if let Some(name) = full.strip_prefix(prefix).filter(|name| name.starts_with(only)) {
                    tensors.insert(name.to_owned(), tensor.shallow_clone());
                }
            }
        }
        // As they are, deltas belong to a run; outside of it there is nothing that they could be added to.
        if self.tied.is_some() {
            let deltas: Vec<_> =
                tensors.keys().filter_map(|name| Some((name.clone(), base_of(name)?))).collect();
            for (name, base) in deltas {
                let delta = tensors.remove(&name).expect("it was listed");
                if let Some(table) = tensors.get_mut(&base) {
                    *table = tch::no_grad(|| &*table + delta);
                }
            }
        }
        tensors
    }
}
