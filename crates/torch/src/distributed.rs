//! Processes that train together, by PyTorch's own means: its TCP store, and Gloo or NCCL.

use std::time::Duration;

use tch::Tensor;

use crate::{Error, ffi};

/// Keys and values that the ranks of a run share: `torch.distributed`'s `TCPStore`, under a prefix.
#[derive(Debug)]
pub struct Store(ffi::distributed::Store);

impl Store {
    /// Hosts a store, at any free port if `port` is 0. It is gone once this is dropped.
    ///
    /// # Errors
    ///
    /// A port that is taken, or another exception of libtorch.
    pub fn host(port: u16, prefix: &str, timeout: Duration) -> Result<Self, Error> {
        Ok(Self(ffi::distributed::Store::open("localhost", port, true, prefix, timeout)?))
    }

    /// Reaches the store that another process hosts. `timeout` is for each of two tries.
    ///
    /// # Errors
    ///
    /// Nobody who answers there.
    pub fn connect(host: &str, port: u16, prefix: &str, timeout: Duration) -> Result<Self, Error> {
        Ok(Self(ffi::distributed::Store::open(host, port, false, prefix, timeout)?))
    }

    /// The port that it is hosted at.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// Sets a value. Nobody waits for it to arrive: another process may not see it yet when this returns, and this one does.
    ///
    /// # Errors
    ///
    /// A host that is gone.
    pub fn set(&self, key: &str, value: &str) -> Result<(), Error> {
        self.0.set(key, value.as_bytes())
    }

    /// A value, if it has been set.
    ///
    /// # Errors
    ///
    /// A host that is gone.
    pub fn get(&self, key: &str) -> Result<Option<String>, Error> {
        if self.0.has(key)? { self.0.get(key).map(Some) } else { Ok(None) }
    }

    /// Adds to a count that begins at 0, and gives the sum.
    ///
    /// # Errors
    ///
    /// A host that is gone.
    pub fn add(&self, key: &str, count: i64) -> Result<i64, Error> {
        self.0.add(key, count)
    }
}

/// What [`ProcessGroup::all_reduce`] makes of the ranks' elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduce {
    /// Their sum.
    Sum,
    /// Their maximum.
    Max,
}

/// The network that Gloo uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network<'a> {
    /// Where this address of the machine is.
    Address(&'a str),
    /// The interface of this name.
    Interface(&'a str),
    /// Where the machine's own name points to.
    Hostname,
}

/// The ranks of a run that call the same collectives in the same order. Each call ends once this rank has its result (on a
/// GPU: once that is in the device's queue). After an error the group is of no more use; dropping it lets the others know.
#[derive(Debug)]
pub struct ProcessGroup {
    group: ffi::distributed::Group,
    rank: usize,
    size: usize,
}

impl ProcessGroup {
    /// Ranks on CPUs, by Gloo. Every rank makes it at the same time; `timeout` is for that and for each call.
    ///
    /// # Errors
    ///
    /// A network that is not there, or ranks that do not come in time.
    pub fn gloo(
        store: &Store,
        rank: usize,
        size: usize,
        network: Network<'_>,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let (address, interface) = match network {
            Network::Address(address) => (Some(address), None),
            Network::Interface(name) => (None, Some(name)),
            Network::Hostname => (None, None),
        };
        let group = ffi::distributed::Group::gloo(&store.0, rank, size, address, interface, timeout)?;
        Ok(Self { group, rank, size })
    }

    /// Ranks on GPUs, by NCCL, this one on the CUDA device of that number. To be called after
    /// [`load_cuda`](crate::load_cuda).
    ///
    /// # Errors
    ///
    /// A libtorch without CUDA, or a machine without a GPU.
    pub fn nccl(
        store: &Store,
        rank: usize,
        size: usize,
        device: usize,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let group = ffi::distributed::Group::nccl(&store.0, rank, size, device, timeout)?;
        Ok(Self { group, rank, size })
    }

    /// The number of this rank, from 0.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// How many ranks there are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Makes of a tensor, of the same shape on every rank, what all ranks' come to: on every rank the same bits.
    ///
    /// # Errors
    ///
    /// A rank that is gone or does not answer in time.
    pub fn all_reduce(&self, tensor: &mut Tensor, reduce: Reduce) -> Result<(), Error> {
        self.group.all_reduce(tensor, reduce == Reduce::Max)
    }

    /// The sum as a binary tree over the ranks, whose bits are those of the same tree on fewer ranks: ranks 0 and 1, 2 and 3
    /// and so on are added first, then these pairs. The number of ranks is a power of two.
    ///
    /// # Errors
    ///
    /// As [`all_reduce`](Self::all_reduce).
    ///
    /// # Panics
    ///
    /// If the number of ranks is not a power of two.
    pub fn tree_sum(&self, tensor: &mut Tensor) -> Result<(), Error> {
        assert!(self.size.is_power_of_two(), "{} ranks", self.size);
        let mut received = tensor.f_zeros_like()?;
        let mut distance = 1;
        while distance < self.size {
            self.group.exchange(tensor, &mut received, self.rank ^ distance)?;
            // Of two numbers the sum is the same in either order.
            let _ = tensor.f_add_(&received)?;
            distance *= 2;
        }
        Ok(())
    }

    /// Gives every rank the tensor of rank `root`.
    ///
    /// # Errors
    ///
    /// As [`all_reduce`](Self::all_reduce).
    pub fn broadcast(&self, tensor: &mut Tensor, root: usize) -> Result<(), Error> {
        self.group.broadcast(tensor, root)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tch::{Device, Kind};

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(20);

    /// What each rank gives, each on a thread of its own.
    fn on_ranks<T: Send>(size: usize, body: impl Fn(ProcessGroup) -> T + Sync) -> Vec<T> {
        let host = Store::host(0, "test", TIMEOUT).unwrap();
        let port = host.port();
        std::thread::scope(|scope| {
            let rank = |rank| {
                let body = &body;
                scope.spawn(move || {
                    let store = Store::connect("localhost", port, "test", TIMEOUT).unwrap();
                    let network = Network::Address("127.0.0.1");
                    body(ProcessGroup::gloo(&store, rank, size, network, TIMEOUT).unwrap())
                })
            };
            let threads: Vec<_> = (0..size).map(rank).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    /// Numbers whose sum depends on the order that they are added in.
    fn part(number: usize) -> Tensor {
        let places = Tensor::arange(1001, (Kind::Float, Device::Cpu));
        (places * (number as f64 + 0.37)).sin() * 10_f64.powi(number as i32 % 5)
    }

    fn numbers(tensor: &Tensor) -> Vec<f32> {
        Vec::try_from(tensor).unwrap()
    }

    #[test]
    fn ranks_have_the_sum_the_maximum_and_the_first_ones_tensor() {
        for size in [1, 2, 4] {
            let given = on_ranks(size, |group| {
                let mut sum = part(group.rank());
                group.all_reduce(&mut sum, Reduce::Sum).unwrap();
                let mut maximum = Tensor::from_slice(&[group.rank() as f64, -(group.rank() as f64)]);
                group.all_reduce(&mut maximum, Reduce::Max).unwrap();
                let mut first = part(group.rank());
                group.broadcast(&mut first, 0).unwrap();
                (numbers(&sum), Vec::<f64>::try_from(maximum).unwrap(), numbers(&first))
            });
            let expected = (0..size).map(part).reduce(|sum, part| sum + part).unwrap();
            for (sum, maximum, first) in &given {
                assert_eq!(*sum, given[0].0);
                for (found, expected) in sum.iter().zip(numbers(&expected)) {
                    assert!(
                        (found - expected).abs() <= 1e-3 * expected.abs().max(1.0),
                        "{found}, {expected}"
                    );
                }
                assert_eq!(*maximum, [(size - 1) as f64, 0.0]);
                assert_eq!(*first, numbers(&part(0)));
            }
        }
    }

    #[test]
    fn a_sum_as_a_tree_has_the_same_bits_on_any_number_of_ranks() {
        let tree = |parts: &[Tensor]| -> Tensor {
            let pairs =
                |parts: &[Tensor]| parts.chunks(2).map(|pair| &pair[0] + &pair[1]).collect::<Vec<_>>();
            let mut parts = parts.iter().map(Tensor::shallow_clone).collect::<Vec<_>>();
            while parts.len() > 1 {
                parts = pairs(&parts);
            }
            parts.remove(0)
        };
        let parts: Vec<Tensor> = (0..8).map(part).collect();
        let expected = numbers(&tree(&parts));
        let in_order = parts.iter().map(Tensor::shallow_clone).reduce(|sum, part| sum + part).unwrap();
        assert_ne!(numbers(&in_order), expected, "the order does not matter to these numbers");
        for size in [1, 2, 4, 8] {
            let sums = on_ranks(size, |group| {
                let own: Vec<Tensor> =
                    (0..8 / size).map(|place| part(group.rank() * 8 / size + place)).collect();
                let mut sum = tree(&own);
                group.tree_sum(&mut sum).unwrap();
                numbers(&sum)
            });
            assert!(sums.iter().all(|sum| *sum == expected), "{size} ranks");
        }
    }

    #[test]
    fn a_rank_that_leaves_is_an_error_of_the_others_at_once() {
        let begin = Instant::now();
        let given = on_ranks(2, |group| {
            let mut sum = part(0);
            group.all_reduce(&mut sum, Reduce::Sum).unwrap();
            if group.rank() == 1 {
                return None;
            }
            Some(group.all_reduce(&mut sum, Reduce::Sum).unwrap_err().to_string())
        });
        assert!(given[0].as_ref().is_some_and(|error| error.starts_with("libtorch: ")), "{given:?}");
        assert!(begin.elapsed() < TIMEOUT);
    }

    #[test]
    fn a_store_has_what_was_set_and_counts() {
        let host = Store::host(0, "first", TIMEOUT).unwrap();
        let client = Store::connect("localhost", host.port(), "first", TIMEOUT).unwrap();
        let other = Store::connect("localhost", host.port(), "second", TIMEOUT).unwrap();
        assert_eq!(client.get("key").unwrap(), None);
        host.set("key", "välue").unwrap();
        // Requests of one connection are answered in their order, so that it has arrived now.
        assert_eq!(host.get("key").unwrap().as_deref(), Some("välue"));
        assert_eq!(client.get("key").unwrap().as_deref(), Some("välue"));
        assert_eq!(other.get("key").unwrap(), None);
        assert_eq!((host.add("count", 2).unwrap(), client.add("count", 3).unwrap()), (2, 5));
        assert!(Store::connect("localhost", 1, "first", Duration::from_millis(100)).is_err());
        assert!(Store::host(host.port(), "first", TIMEOUT).is_err());
    }
}
