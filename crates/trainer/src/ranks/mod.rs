//! The processes that train one run together.
//!
//! Each computes its rows of every step. What they say to each other goes two ways: gradients through the group of the
//! run's device, everything else through a group of the CPU's.

mod lost;
mod meeting;
mod sharing;

pub use meeting::{Host, Meeting};
pub(crate) use sharing::Place;

use std::cell::RefCell;
use std::time::Duration;

use electra_config::Config;
use electra_torch::{ProcessGroup, Reduce, Store};
use tch::{Device, Kind, Tensor};

use crate::Error;
use crate::checkpoint::TextHashes;

/// The processes that train one run together, as one of them sees it.
#[derive(Debug, Default)]
pub struct Ranks {
    /// None where one process trains alone.
    meeting: Option<Met>,
}

/// Ranks that have met.
#[derive(Debug)]
struct Met {
    rank: usize,
    size: usize,
    local_rank: usize,
    hosts_store: bool,
    store: Store,
    timeout: Duration,
    groups: RefCell<Groups>,
}

/// Gone once a rank is lost.
#[derive(Debug, Default)]
struct Groups {
    cpu: Option<ProcessGroup>,
    cuda: Option<ProcessGroup>,
}

impl Ranks {
    /// One process that trains alone.
    #[must_use]
    pub fn alone() -> Self {
        Self::default()
    }

    /// The number of this process, from 0. The first writes the run's folder.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.meeting.as_ref().map_or(0, |met| met.rank)
    }

    /// How many there are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.meeting.as_ref().map_or(1, |met| met.size)
    }

    /// The number among those of this machine: that of its GPU.
    pub(crate) fn local_rank(&self) -> usize {
        self.meeting.as_ref().map_or(0, |met| met.local_rank)
    }

    pub(crate) fn is_first(&self) -> bool {
        self.rank() == 0
    }

    pub(crate) fn are_several(&self) -> bool {
        self.size() > 1
    }

    /// From now on tensors on a GPU go through NCCL.
    pub(crate) fn use_device(&self, device: Device) -> Result<(), Error> {
        let (Some(met), Device::Cuda(index)) = (&self.meeting, device) else { return Ok(()) };
        let group = ProcessGroup::nccl(&met.store, met.rank, met.size, index, met.timeout)?;
        met.groups.borrow_mut().cuda = Some(group);
        Ok(())
    }

    /// Calls `body` with the group for a device. What fails in it is a rank that is gone.
    fn with_group(
        &self,
        device: Device,
        body: impl FnOnce(&ProcessGroup) -> Result<(), electra_torch::Error>,
    ) -> Result<(), Error> {
        let Some(met) = &self.meeting else { return Ok(()) };
        let groups = met.groups.borrow();
        let group = if device == Device::Cpu { &groups.cpu } else { &groups.cuda };
        let group = group.as_ref().ok_or_else(|| Error::Lost { said: "the group has ended".to_owned() })?;
        body(group).map_err(|error| Error::Lost { said: error.to_string() })
    }

    /// Makes of a tensor the sum over all ranks: as a binary tree, whose bits are those of other numbers of ranks, or in the
    /// order that is fastest.
    pub(crate) fn sum(&self, tensor: &mut Tensor, as_tree: bool) -> Result<(), Error> {
        self.with_group(tensor.device(), |group| {
            if as_tree { group.tree_sum(tensor) } else { group.all_reduce(tensor, Reduce::Sum) }
        })
    }

    /// Gives every rank the first one's values of a tensor.
    pub(crate) fn share(&self, tensor: &mut Tensor) -> Result<(), Error> {
        self.with_group(tensor.device(), |group| group.broadcast(tensor, 0))
    }

    /// The maximum of each number over all ranks.
    pub(crate) fn max<const COUNT: usize>(&self, numbers: [f64; COUNT]) -> Result<[f64; COUNT], Error> {
        let mut tensor = Tensor::from_slice(&numbers);
        self.with_group(Device::Cpu, |group| group.all_reduce(&mut tensor, Reduce::Max))?;
        let mut given = [0.0; COUNT];
        tensor.f_copy_data(&mut given, COUNT)?;
        Ok(given)
    }

    /// The first rank's text.
    pub(crate) fn shared_text(&self, text: &str) -> Result<String, Error> {
        if !self.are_several() {
            return Ok(text.to_owned());
        }
        let mut length = Tensor::from_slice(&[text.len() as i64]);
        self.share(&mut length)?;
        let mut bytes = if self.is_first() {
            Tensor::from_slice(text.as_bytes())
        } else {
            Tensor::f_zeros([length.f_int64_value(&[0])?], (Kind::Uint8, Device::Cpu))?
        };
        self.share(&mut bytes)?;
        let bytes = Vec::<u8>::try_from(bytes)?;
        String::from_utf8(bytes).map_err(|_| Error::Lost { said: "a text of rank 0 is not UTF-8".to_owned() })
    }

    /// One number of each rank, on all of them.
    fn all_of(&self, number: i64) -> Result<Vec<i64>, Error> {
        let mut numbers = vec![0; self.size()];
        numbers[self.rank()] = number;
        let mut tensor = Tensor::from_slice(&numbers);
        self.sum(&mut tensor, false)?;
        Ok(Vec::try_from(tensor)?)
    }

    /// Whether all ranks were started for the same run: same program, settings and texts.
    pub(crate) fn are_alike(&self, program: &str, texts: &TextHashes, config: &Config) -> Result<(), Error> {
        if !self.are_several() {
            return Ok(());
        }
        let TextHashes { corpus, valid } = texts;
        let valid = valid.as_deref().unwrap_or("not set");
        let own = format!(
            "{program}\ncorpus.json of data.corpus: {corpus}\ncorpus.json of data.valid: {valid}\n{}",
            config.to_toml()
        );
        let first = self.shared_text(&own)?;
        let is_other = own != first;
        let others = self.all_of(i64::from(is_other))?;
        if is_other {
            let (found, expected) = difference(&own, &first);
            return Err(Error::Unlike { rank: self.rank(), found, expected });
        }
        match others.iter().position(|is_other| *is_other != 0) {
            // That rank says what differs.
            Some(rank) => Err(Error::Lost { said: format!("rank {rank} has been started for another run") }),
            None => Ok(()),
        }
    }

    /// Whether all ranks have the same bits in these tensors, after so many steps.
    pub(crate) fn have_same(&self, parameters: &[Tensor], step: u64) -> Result<(), Error> {
        if !self.are_several() {
            return Ok(());
        }
        let sums = self.all_of(checksum(parameters)?)?;
        let others: Vec<usize> = (0..sums.len()).filter(|rank| sums[*rank] != sums[0]).collect();
        if others.is_empty() { Ok(()) } else { Err(Error::Parted { step, others }) }
    }
}

/// The first line in which two descriptions of a run differ.
fn difference(own: &str, first: &str) -> (String, String) {
    let mut own_lines = own.lines();
    let mut first_lines = first.lines();
    loop {
        match (own_lines.next(), first_lines.next()) {
            (Some(own), Some(first)) if own == first => {}
            (own, first) => {
                let shown = |line: Option<&str>| line.unwrap_or("no such setting").to_owned();
                return (shown(own), shown(first));
            }
        }
    }
}

/// A number that a changed bit of any element changes, and two that change places: the sum of the elements' bits, each
/// times the odd number of its place, in integers that wrap.
fn checksum(tensors: &[Tensor]) -> Result<i64, Error> {
    let mut sum = 0_i64;
    for (index, tensor) in tensors.iter().enumerate() {
        let bits = tensor.detach().f_reshape([-1])?.f_to_kind(Kind::Float)?.f_view_dtype(Kind::Int)?;
        let places = Tensor::f_arange(bits.numel() as i64, (Kind::Int64, bits.device()))?;
        let weights = places.f_mul_scalar(2)?.f_add_scalar(1)?;
        let part = bits.f_to_kind(Kind::Int64)?.f_mul(&weights)?.f_sum(Kind::Int64)?.f_int64_value(&[])?;
        sum = sum.wrapping_add(part.wrapping_mul(2 * index as i64 + 1));
    }
    Ok(sum)
}

#[cfg(test)]
mod tests;
