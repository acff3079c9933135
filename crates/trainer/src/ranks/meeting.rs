//! How ranks meet.

use std::net::{ToSocketAddrs, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use electra_torch::{Network, ProcessGroup, Store};

use super::{Groups, Met, Ranks};
use crate::Error;

/// How often a rank looks whether the others have come.
const INTERVAL: Duration = Duration::from_millis(20);

/// Where the ranks of a run meet, and which of them this process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meeting {
    /// The number of this process, from 0.
    pub rank: usize,
    /// How many there are.
    pub size: usize,
    /// The number among those of this machine.
    pub local_rank: usize,
    /// Whether all are on this machine.
    pub is_local: bool,
    /// The machine that hosts the store.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// Whether this process hosts the store; nobody but rank 0 does, and it does not where a launcher hosts one.
    pub hosts_store: bool,
    /// What a launcher calls this start of the ranks: two that differ do not see each other in its store.
    pub name: String,
    /// How long ranks wait for each other, at the meeting and in each call.
    pub timeout: Duration,
}

impl Meeting {
    /// Of ranks on this machine, whose store another process or thread hosts at a port.
    #[must_use]
    pub fn on_this_machine(rank: usize, size: usize, port: u16, timeout: Duration) -> Self {
        Self {
            rank,
            size,
            local_rank: rank,
            is_local: true,
            address: "localhost".to_owned(),
            port,
            hosts_store: false,
            name: String::new(),
            timeout,
        }
    }
}

/// Hosts the store of ranks that this process starts.
#[derive(Debug)]
pub struct Host(Store);

impl Host {
    /// Hosts it at a free port of this machine, for ranks whose [`Meeting::name`] is `name`.
    ///
    /// # Errors
    /// An exception of libtorch.
    pub fn open(name: &str, timeout: Duration) -> Result<Self, Error> {
        Ok(Self(Store::host(0, &prefix(name), timeout)?))
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// Lets the others know of a rank that has ended, unless it said itself why.
    pub fn tell_end(&self, rank: usize, why: &str) {
        let key = failed(rank);
        if let Ok(None) = self.0.get(&key) {
            // The others find out without it, a little later.
            let _ = self.0.set(&key, why);
        }
    }
}

fn prefix(name: &str) -> String {
    format!("electra/{name}")
}

/// The key under which a rank, or who started it, says why it has ended; empty where another's end was why.
pub(super) fn failed(rank: usize) -> String {
    format!("failed/{rank}")
}

impl Ranks {
    /// Meets the others.
    ///
    /// # Errors
    /// [`Error::Setting`](electra_store::Error::Setting) if there is no such rank; [`Error::Meeting`] if nobody hosts the
    /// store there, or some do not come in time.
    pub fn meet(meeting: &Meeting) -> Result<Self, Error> {
        let Meeting { rank, size, timeout, .. } = *meeting;
        let begin = Instant::now();
        let place = format!("{}:{}", meeting.address, meeting.port);
        let prefix = prefix(&meeting.name);
        let store = if meeting.hosts_store {
            Store::host(meeting.port, &prefix, timeout)
        } else {
            // libtorch tries twice.
            Store::connect(&meeting.address, meeting.port, &prefix, timeout / 2)
        };
        let error = |why: String| Error::Meeting { rank, size, place: place.clone(), why };
        let store = store.map_err(|cause| error(why_no_store(meeting, &cause.to_string())))?;
        let here = |rank: usize| format!("here/{rank}");
        let torch = |cause: electra_torch::Error| error(cause.to_string());
        if store.add(&here(rank), 1).map_err(torch)? > 1 {
            return Err(error(format!(
                "another process has come as rank {rank}; expected one of each number"
            )));
        }
        store.set(&format!("size/{rank}"), &size.to_string()).map_err(torch)?;
        for other in 0..size {
            let told = loop {
                match store.get(&format!("size/{other}")).map_err(torch)? {
                    Some(told) => break told,
                    None if let Ok(Some(why)) = store.get(&failed(other)) => {
                        return Err(error(format!("rank {other} ended: {why}")));
                    }
                    None if begin.elapsed() < timeout => sleep(INTERVAL),
                    None => {
                        let is_missing =
                            |rank: &usize| !matches!(store.get(&format!("size/{rank}")), Ok(Some(_)));
                        let missing = list((0..size).filter(is_missing));
                        let seconds = timeout.as_secs();
                        return Err(error(format!("{missing} did not come within {seconds} s")));
                    }
                }
            };
            if told != size.to_string() {
                return Err(error(format!("rank {other} says that there are {told}")));
            }
        }
        let interface = std::env::var("GLOO_SOCKET_IFNAME").ok().filter(|name| !name.is_empty());
        let own = own_address(meeting);
        let network = match (&interface, &own) {
            (Some(name), _) => Network::Interface(name),
            (None, Some(address)) => Network::Address(address),
            (None, None) => Network::Hostname,
        };
        let group = ProcessGroup::gloo(&store, rank, size, network, timeout).map_err(torch)?;
        let groups = Groups { cpu: Some(group), cuda: None };
        Ok(Self {
            meeting: Some(Met {
                rank,
                size,
                local_rank: meeting.local_rank,
                hosts_store: meeting.hosts_store,
                store,
                timeout,
                groups: groups.into(),
            }),
        })
    }
}

/// `rank 3`, or `ranks 1, 3`.
pub(super) fn list(ranks: impl Iterator<Item = usize>) -> String {
    let ranks: Vec<String> = ranks.map(|rank| rank.to_string()).collect();
    format!("rank{} {}", if ranks.len() == 1 { "" } else { "s" }, ranks.join(", "))
}

fn why_no_store(meeting: &Meeting, error: &str) -> String {
    if meeting.hosts_store {
        return format!("the store cannot be hosted there: {error}");
    }
    let host = if meeting.rank == 0 { "the launcher" } else { "rank 0, or the launcher," };
    format!("nobody answers there within {} s; expected {host} to host a store", meeting.timeout.as_secs())
}

/// The address of this machine that the others reach it by, if that can be told: the one from which it reaches the store.
fn own_address(meeting: &Meeting) -> Option<String> {
    if meeting.is_local {
        return Some("127.0.0.1".to_owned());
    }
    let store = (meeting.address.as_str(), meeting.port).to_socket_addrs().ok()?.next()?;
    let any = if store.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).ok()?;
    // Nothing is sent: the system says which way it would go.
    socket.connect(store).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback()).then(|| own.to_string())
}
