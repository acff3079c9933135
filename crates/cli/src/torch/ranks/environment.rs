//! Which rank of a run this process is, by the variables of the launcher that started it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use electra_trainer::Meeting;

/// Where ranks meet if nobody says it: PyTorch's own default.
const PORT: u16 = 29500;

/// The meeting that a launcher's variables describe: torchrun's (and of whoever sets the same), Open MPI's, or SLURM's
/// `srun`. None if this process was started alone.
pub(super) fn meeting(get: impl Fn(&str) -> Option<String>, timeout: Duration) -> Result<Option<Meeting>> {
    let variables = Variables { get: &get };
    let Some(place) = variables.torch()?.or(variables.open_mpi()?).or(variables.slurm()?) else {
        return Ok(None);
    };
    let Place { rank, size, local_rank, is_local, address, port, name } = place;
    if rank.1 >= size.1 {
        bail!("{}: {}; expected a number below {}, {}", rank.0, rank.1, size.0, size.1);
    }
    if size.1 == 1 {
        return Ok(None);
    }
    let (rank, size) = (rank.1, size.1);
    let by_launcher = get("TORCHELASTIC_USE_AGENT_STORE").is_some_and(|value| value == "True");
    let hosts_store = rank == 0 && !by_launcher;
    Ok(Some(Meeting { rank, size, local_rank, is_local, address, port, hosts_store, name, timeout }))
}

/// Each number comes with the variable that it was read from.
struct Place {
    rank: (&'static str, usize),
    size: (&'static str, usize),
    local_rank: usize,
    is_local: bool,
    address: String,
    port: u16,
    name: String,
}

struct Variables<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
}

impl Variables<'_> {
    fn number(&self, name: &'static str) -> Result<Option<usize>> {
        let Some(text) = (self.get)(name) else { return Ok(None) };
        let number = text.trim().parse();
        number.map(Some).map_err(|_| anyhow::anyhow!("{name}: {text:?}; expected a whole number"))
    }

    fn needed(&self, name: &'static str, beside: &str) -> Result<usize> {
        self.number(name)?.with_context(|| {
            format!("{beside} is set and {name} is not; expected both, as a launcher sets them")
        })
    }

    fn port(&self) -> Result<u16> {
        let Some(text) = (self.get)("MASTER_PORT") else { return Ok(PORT) };
        text.trim().parse().ok().filter(|port| *port > 0).with_context(|| {
            format!("MASTER_PORT: {text:?}; expected the port of the ranks' store, 1 to 65535")
        })
    }

    /// Of a launcher that says nothing of restarts the name is empty.
    fn torch(&self) -> Result<Option<Place>> {
        let Some(rank) = self.number("RANK")? else { return Ok(None) };
        let size = self.needed("WORLD_SIZE", "RANK")?;
        let address = (self.get)("MASTER_ADDR");
        let address = if size == 1 {
            address.unwrap_or_default()
        } else {
            address.context("RANK is set and MASTER_ADDR is not; expected the host of the ranks' store")?
        };
        let restart = (self.get)("TORCHELASTIC_RESTART_COUNT").unwrap_or_default();
        Ok(Some(Place {
            rank: ("RANK", rank),
            size: ("WORLD_SIZE", size),
            local_rank: self.number("LOCAL_RANK")?.unwrap_or(rank),
            is_local: self.number("LOCAL_WORLD_SIZE")? == Some(size),
            address,
            port: self.port()?,
            name: format!("{}/{restart}", (self.get)("TORCHELASTIC_RUN_ID").unwrap_or_default()),
        }))
    }

    fn open_mpi(&self) -> Result<Option<Place>> {
        const RANK: &str = "OMPI_COMM_WORLD_RANK";
        let Some(rank) = self.number(RANK)? else { return Ok(None) };
        let size = self.needed("OMPI_COMM_WORLD_SIZE", RANK)?;
        let is_local = self.number("OMPI_COMM_WORLD_LOCAL_SIZE")? == Some(size);
        let address = (self.get)("MASTER_ADDR").or_else(|| is_local.then(|| "127.0.0.1".to_owned()));
        Ok(Some(Place {
            rank: (RANK, rank),
            size: ("OMPI_COMM_WORLD_SIZE", size),
            local_rank: self.number("OMPI_COMM_WORLD_LOCAL_RANK")?.unwrap_or(rank),
            is_local,
            address: address.context(
                "Open MPI started ranks on several machines and MASTER_ADDR is not set; expected the name of rank 0's \
                 machine, as by: mpirun -x MASTER_ADDR=HOST",
            )?,
            port: self.port()?,
            name: String::new(),
        }))
    }

    /// `srun` sets the variables of a step. Those of the job alone are there in a batch script too, which is one process.
    fn slurm(&self) -> Result<Option<Place>> {
        const SIZE: &str = "SLURM_STEP_NUM_TASKS";
        let Some(size) = self.number(SIZE)? else { return Ok(None) };
        let rank = self.needed("SLURM_PROCID", SIZE)?;
        let nodes = (self.get)("SLURM_STEP_NODELIST").or_else(|| (self.get)("SLURM_JOB_NODELIST"));
        let is_local = self.number("SLURM_STEP_NUM_NODES")? == Some(1);
        let address = (self.get)("MASTER_ADDR")
            .or_else(|| is_local.then(|| "127.0.0.1".to_owned()))
            .or_else(|| nodes.as_deref().and_then(first_host));
        Ok(Some(Place {
            rank: ("SLURM_PROCID", rank),
            size: (SIZE, size),
            local_rank: self.number("SLURM_LOCALID")?.unwrap_or(rank),
            is_local,
            address: address
                .context("SLURM_STEP_NODELIST and MASTER_ADDR are not set; expected one of them")?,
            port: self.port()?,
            name: String::new(),
        }))
    }
}

/// The first host of a list of SLURM's: `gpu[03-06,9],big1` begins with `gpu03`.
fn first_host(list: &str) -> Option<String> {
    let end = list.find([',', '[']).unwrap_or(list.len());
    let (name, rest) = list.split_at(end);
    let host = match rest.strip_prefix('[') {
        None => name.to_owned(),
        Some(rest) => {
            let (numbers, behind) = rest.split_once(']')?;
            let first = numbers.split([',', '-']).next()?;
            let behind = behind.split(',').next()?;
            format!("{name}{first}{behind}")
        }
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<Meeting>> {
        let get = |name: &str| {
            variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        };
        meeting(get, Duration::from_secs(7))
    }

    fn message(variables: &[(&str, &str)]) -> String {
        of(variables).unwrap_err().to_string()
    }

    #[test]
    fn nobody_started_a_process_alone() {
        assert_eq!(of(&[]).unwrap(), None);
        assert_eq!(of(&[("RANK", "0"), ("WORLD_SIZE", "1")]).unwrap(), None);
        // A batch script of SLURM's, without srun.
        assert_eq!(of(&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8")]).unwrap(), None);
    }

    #[test]
    fn torchrun() {
        let mut variables = vec![
            ("RANK", "3"),
            ("WORLD_SIZE", "4"),
            ("LOCAL_RANK", "1"),
            ("LOCAL_WORLD_SIZE", "2"),
            ("MASTER_ADDR", "node1"),
            ("MASTER_PORT", "1234"),
            ("TORCHELASTIC_USE_AGENT_STORE", "True"),
            ("TORCHELASTIC_RESTART_COUNT", "2"),
            ("TORCHELASTIC_RUN_ID", "run"),
        ];
        let expected = Meeting {
            rank: 3,
            size: 4,
            local_rank: 1,
            is_local: false,
            address: "node1".to_owned(),
            port: 1234,
            hosts_store: false,
            name: "run/2".to_owned(),
            timeout: Duration::from_secs(7),
        };
        assert_eq!(of(&variables).unwrap().unwrap(), expected);
        variables[0].1 = "0";
        assert!(!of(&variables).unwrap().unwrap().hosts_store);
        variables[6].1 = "False";
        variables[3].1 = "4";
        let meeting = of(&variables).unwrap().unwrap();
        assert!(meeting.hosts_store && meeting.is_local);
    }

    #[test]
    fn slurm_and_open_mpi() {
        let slurm = [
            ("SLURM_PROCID", "0"),
            ("SLURM_STEP_NUM_TASKS", "8"),
            ("SLURM_LOCALID", "0"),
            ("SLURM_STEP_NUM_NODES", "4"),
            ("SLURM_STEP_NODELIST", "gpu[03-06]"),
        ];
        let meeting = of(&slurm).unwrap().unwrap();
        assert_eq!((meeting.address.as_str(), meeting.port, meeting.hosts_store), ("gpu03", 29500, true));
        let mpi = [
            ("OMPI_COMM_WORLD_RANK", "1"),
            ("OMPI_COMM_WORLD_SIZE", "2"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "1"),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
        ];
        let meeting = of(&mpi).unwrap().unwrap();
        assert_eq!((meeting.rank, meeting.size, meeting.local_rank), (1, 2, 1));
        assert_eq!((meeting.address.as_str(), meeting.is_local), ("127.0.0.1", true));
        let apart = [("OMPI_COMM_WORLD_RANK", "1"), ("OMPI_COMM_WORLD_SIZE", "2")];
        assert!(message(&apart).ends_with("mpirun -x MASTER_ADDR=HOST"));
    }

    #[test]
    fn what_a_launcher_left_out_is_named() {
        assert!(message(&[("RANK", "1")]).starts_with("RANK is set and WORLD_SIZE is not"));
        assert!(message(&[("RANK", "1"), ("WORLD_SIZE", "2")]).contains("MASTER_ADDR is not"));
        assert_eq!(message(&[("RANK", "x")]), "RANK: \"x\"; expected a whole number");
        let beyond = [("RANK", "2"), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "a")];
        assert_eq!(message(&beyond), "RANK: 2; expected a number below WORLD_SIZE, 2");
        let port = [("RANK", "1"), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "a"), ("MASTER_PORT", "0")];
        assert!(message(&port).starts_with("MASTER_PORT: \"0\""));
    }

    #[test]
    fn the_first_host_of_a_list() {
        for (list, host) in [
            ("a", "a"),
            ("a,b", "a"),
            ("gpu[03-06,9],big1", "gpu03"),
            ("gpu[7,9]", "gpu7"),
            ("rack[1-2]-gpu,b", "rack1-gpu"),
        ] {
            assert_eq!(first_host(list).as_deref(), Some(host), "{list}");
        }
        assert_eq!(first_host(""), None);
    }
}
