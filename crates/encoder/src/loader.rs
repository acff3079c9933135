//! Checkpoints into parameters.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tch::{Tensor, nn};

use crate::error::Misshapen;
use crate::part::base_of;
use crate::{Error, Part, Weights};

/// Fills the parameters of a run from one or more files, and knows which have been filled.
///
/// Every tensor must find its parameter and every parameter its tensor, but for those that the caller names.
#[derive(Debug)]
pub struct Loader<'a> {
    var_store: &'a nn::VarStore,
    /// The file that filled a parameter.
    filled: BTreeMap<String, PathBuf>,
    paths: Vec<PathBuf>,
}

impl<'a> Loader<'a> {
    /// A loader that has filled nothing yet.
    #[must_use]
    pub fn new(var_store: &'a nn::VarStore) -> Self {
        Self { var_store, filled: BTreeMap::new(), paths: Vec::new() }
    }

    /// Fills the parameters of `part` with the tensors of the same Hub name, converting to the parameter's
    /// kind and device. Tensors whose names begin with one of `without` are left out, such as a head that the
    /// run does not have.
    ///
    /// A parameter that was filled before, as a table that is tied may be, must get the same values again. A table that is
    /// added to another network's gets what is missing there to the tensor, so that network is to be filled before.
    ///
    /// # Errors
    /// If tensors are surplus or misshapen, naming all that are, or one differs from what another file gave
    /// its parameter. No parameter is changed then.
    pub fn fill(&mut self, weights: &Weights, part: Part<'_>, without: &[&str]) -> Result<(), Error> {
        let matched = self.matching(weights, part, without)?;
        for (full, mut parameter, tensor) in matched {
            tch::no_grad(|| parameter.f_copy_(&tensor))?;
            self.filled.entry(full).or_insert_with(|| weights.path().to_owned());
        }
        self.paths.push(weights.path().to_owned());
        Ok(())
    }

    /// The parameters that [`fill`](Self::fill) would fill, by their full names, each with its tensor.
    fn matching(
        &self,
        weights: &Weights,
        part: Part<'_>,
        without: &[&str],
    ) -> Result<Vec<(String, Tensor, Tensor)>, Error> {
        let path = weights.path().to_owned();
        let mut parameters = part.parameters(self.var_store);
        let deltas: BTreeMap<String, (String, Tensor)> = match part.tied {
            Some(_) => {
                let names: Vec<String> = parameters.keys().cloned().collect();
                let deltas = names.into_iter().filter_map(|name| Some((base_of(&name)?, name)));
                deltas.filter_map(|(base, name)| Some((base, parameters.remove(&name)?))).collect()
            }
            None => BTreeMap::new(),
        };
        let (mut matched, mut surplus, mut misshapen) = (Vec::new(), Vec::new(), Vec::new());
        for (name, tensor) in weights.iter() {
            if without.iter().any(|prefix| name.starts_with(prefix)) {
                continue;
            }
            match parameters.remove(name) {
                None => surplus.push(name.to_owned()),
                Some((_, parameter)) if parameter.size() != tensor.size() => misshapen.push(Misshapen {
                    name: name.to_owned(),
                    found: tensor.size(),
                    expected: parameter.size(),
                }),
                Some((_, table)) if deltas.contains_key(name) => {
                    let (full, delta) = &deltas[name];
                    let missing = tch::no_grad(|| tensor.f_to_device(table.device())?.f_sub(&table))?;
                    matched.push((full.clone(), delta.shallow_clone(), missing));
                }
                Some((full, parameter)) => matched.push((full, parameter, tensor.shallow_clone())),
            }
        }
        if !surplus.is_empty() {
            return Err(Error::Surplus { path, names: surplus });
        }
        if !misshapen.is_empty() {
            return Err(Error::Misshapen { path, tensors: misshapen });
        }
        for (full, parameter, tensor) in &matched {
            if let Some(first) = self.filled.get(full)
                && !same(parameter, tensor)?
            {
                return Err(Error::Conflict { name: full.clone(), first: first.clone(), second: path });
            }
        }
        Ok(matched)
    }

    /// Checks that every parameter has been filled, but for those whose full names begin with one of `fresh`.
    ///
    /// # Errors
    /// Naming every parameter that has not.
    pub fn finish(self, fresh: &[&str]) -> Result<(), Error> {
        let mut names: Vec<_> = self.var_store.variables().into_keys().collect();
        names.retain(|name| {
            !self.filled.contains_key(name) && !fresh.iter().any(|prefix| name.starts_with(prefix))
        });
        names.sort();
        if names.is_empty() { Ok(()) } else { Err(Error::Missing { paths: self.paths, names }) }
    }
}

impl Weights {
    /// Fills every parameter of `var_store` with the tensor of its name: [`Loader`] does what this does
    /// not.
    ///
    /// # Errors
    /// If a tensor is missing, surplus or misshapen, naming all that are; no parameter is changed then.
    pub fn load_into(&self, var_store: &nn::VarStore) -> Result<(), Error> {
        let mut loader = Loader::new(var_store);
        let matched = loader.matching(self, Part::ALL, &[])?;
        let mut names: Vec<_> = var_store.variables().into_keys().collect();
        names.retain(|name| !matched.iter().any(|(full, ..)| full == name));
        if !names.is_empty() {
            names.sort();
            return Err(Error::Missing { paths: vec![self.path().to_owned()], names });
        }
        loader.fill(self, Part::ALL, &[])
    }
}

/// Whether `tensor` would leave `parameter` as it is.
fn same(parameter: &Tensor, tensor: &Tensor) -> Result<bool, Error> {
    let tensor = tensor.f_to_device(parameter.device())?.f_to_kind(parameter.kind())?;
    Ok(parameter.f_equal(&tensor)?)
}
