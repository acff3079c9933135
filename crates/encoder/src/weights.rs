//! Tensors by name, as safetensors files and parameters hold them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use electra_store::{Foreign, read_regular};
use safetensors::{Dtype, SafeTensors, View};
use tch::{Device, Kind, Tensor, nn};

use crate::error::few;
use crate::{Error, Part};

/// Tensors on the CPU by name, and the file they came from.
#[derive(Debug)]
pub struct Weights {
    tensors: BTreeMap<String, Tensor>,
    path: PathBuf,
    /// Names of what the file holds beside, which nothing here has a use for.
    unused: Vec<String>,
}

impl Weights {
    /// Tensors from anywhere; copied to the CPU if they are elsewhere. Of two with one name the last stays.
    #[must_use]
    pub fn new(tensors: impl IntoIterator<Item = (String, Tensor)>) -> Self {
        let cpu = |tensor: Tensor| tensor.detach().to_device(Device::Cpu);
        let tensors = tensors.into_iter().map(|(name, tensor)| (name, cpu(tensor))).collect();
        Self { tensors, path: PathBuf::from("(memory)"), unused: Vec::new() }
    }

    /// The values of a network's parameters under the Hub's names, tied tables included.
    ///
    /// On the CPU they are not copies, except for tables that are a sum: save them before the next step changes them.
    #[must_use]
    pub fn from_var_store(var_store: &nn::VarStore, part: Part<'_>) -> Self {
        let variables = var_store.variables();
        let all = variables.iter().map(|(name, tensor)| (name.as_str(), tensor));
        Self::new(part.tensors(&all))
    }

    /// Reads a safetensors file.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, or holds a kind of number that no network here has.
    pub fn read(path: &Path) -> Result<Self, Error> {
        // As large as it may be: the tensors are as large as the file.
        let bytes = read_regular(path)?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| {
            let foreign = Foreign::of(&bytes).map(|foreign| foreign.message("a safetensors file"));
            Error::format(path, foreign.unwrap_or_else(|| format!("no whole safetensors file: {error}")))
        })?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            let Some(&(kind, _)) = KINDS.iter().find(|(_, dtype)| *dtype == view.dtype()) else {
                let what = format!("{name}: {:?}; expected one of {}", view.dtype(), dtypes());
                return Err(Error::format(path, what));
            };
            let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
            tensors.insert(name.to_owned(), Tensor::f_from_data_size(view.data(), &shape, kind)?);
        }
        Ok(Self { tensors, path: path.to_owned(), unused: Vec::new() })
    }

    /// Writes a safetensors file that appears whole or not at all: a temporary sibling, made durable, then
    /// renamed. The same tensors give the same bytes.
    ///
    /// # Errors
    /// If the file cannot be written, or a tensor is of a kind that no network here has.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        Ok(electra_store::write(path, self.to_bytes(path)?)?)
    }

    /// What [`save`](Self::save) writes; `path` is what messages name.
    ///
    /// # Errors
    /// If a tensor is of a kind that no network here has.
    pub fn to_bytes(&self, path: &Path) -> Result<Vec<u8>, Error> {
        let mut tensors = Vec::new();
        for (name, tensor) in &self.tensors {
            let Some(&(_, dtype)) = KINDS.iter().find(|(kind, _)| *kind == tensor.kind()) else {
                let what = format!("{name}: {:?}; expected one of {}", tensor.kind(), dtypes());
                return Err(Error::format(path, what));
            };
            tensors.push((name, Contiguous { dtype, shape: shape(tensor), tensor: tensor.f_contiguous()? }));
        }
        // transformers loads no file without it.
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize(tensors, Some(metadata))
            .map_err(|error| Error::format(path, format!("not written: {error}")))
    }

    /// The tensor of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// Names and tensors, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> + Clone {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// What to say of tensors of the file that the network has no use for; none if there are none.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let names = (!self.unused.is_empty()).then(|| few(&self.unused))?;
        Some(format!("{}: left out, as the network has no use for it: {names}", self.path.display()))
    }

    /// Gives tensors other names; those for which there is none keep theirs, as do those whose new name is taken.
    pub(crate) fn rename(&mut self, other: impl Fn(&str) -> Option<String>) {
        let renamed: Vec<(String, String)> = (self.tensors.keys())
            .filter_map(|name| Some((name.clone(), other(name)?)))
            .filter(|(_, name)| !self.tensors.contains_key(name))
            .collect();
        for (from, to) in renamed {
            if let Some(tensor) = self.tensors.remove(&from) {
                self.tensors.insert(to, tensor);
            }
        }
    }

    /// Takes out what is of no use, and remembers its names.
    pub(crate) fn leave_out(&mut self, is_unused: impl Fn(&str) -> bool) {
        self.unused.extend(self.tensors.extract_if(.., |name, _| is_unused(name)).map(|(name, _)| name));
    }

    /// Checks that every value is a number.
    ///
    /// # Errors
    /// [`Error::NotFinite`] with the first tensor that has another.
    pub(crate) fn check_finite(&self) -> Result<(), Error> {
        for (name, tensor) in &self.tensors {
            if tensor.is_floating_point() && tensor.f_isfinite()?.f_all()?.f_int64_value(&[])? == 0 {
                return Err(Error::NotFinite { path: self.path.clone(), name: name.clone() });
            }
        }
        Ok(())
    }

    /// Those whose names begin with `prefix`. The tensors are the same, not copies.
    pub(crate) fn beginning_with(&self, prefix: &str) -> Self {
        let tensors = self.tensors.iter().filter(|(name, _)| name.starts_with(prefix));
        let tensors = tensors.map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
        Self { tensors, path: self.path.clone(), unused: self.unused.clone() }
    }

    /// The file they came from, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Tensor> {
        self.tensors.remove(name)
    }

    /// Those of several files as one; `path` is what messages name.
    pub(crate) fn joined(path: &Path, files: impl IntoIterator<Item = Self>) -> Self {
        let tensors = files.into_iter().flat_map(|file| file.tensors).collect();
        Self { tensors, path: path.to_owned(), unused: Vec::new() }
    }
}

/// The kinds of numbers that come and go, by libtorch's name and by the format's.
const KINDS: [(Kind, Dtype); 8] = [
    (Kind::Float, Dtype::F32),
    (Kind::Half, Dtype::F16),
    (Kind::BFloat16, Dtype::BF16),
    (Kind::Double, Dtype::F64),
    (Kind::Int64, Dtype::I64),
    (Kind::Int, Dtype::I32),
    (Kind::Uint8, Dtype::U8),
    (Kind::Bool, Dtype::BOOL),
];

fn dtypes() -> String {
    KINDS.map(|(_, dtype)| format!("{dtype:?}")).join(", ")
}

/// A tensor as the format wants it. Its bytes are copied when the format asks, one tensor at a time.
struct Contiguous {
    dtype: Dtype,
    shape: Vec<usize>,
    tensor: Tensor,
}

fn shape(tensor: &Tensor) -> Vec<usize> {
    tensor.size().iter().map(|&size| size as usize).collect()
}

impl View for Contiguous {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        let mut bytes = vec![0; self.data_len()];
        self.tensor.copy_data_u8(&mut bytes, self.tensor.numel());
        Cow::Owned(bytes)
    }
    fn data_len(&self) -> usize {
        self.tensor.numel() * self.tensor.kind().elt_size_in_bytes()
    }
}
