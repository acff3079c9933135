//! `--ranks N`: this program N times on this machine, with the variables that torchrun sets.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use electra_trainer::Host;
use rustix::process::{Pid, Signal, kill_process};

use crate::failure::{Ended, FAILED, INTERRUPTED};
use crate::{interrupt, output};

/// The name of a start that no launcher named: that of torchrun's variables without a run's id, and the first start.
const NAME: &str = "/0";
const INTERVAL: Duration = Duration::from_millis(50);
/// How long ranks may take to end by themselves once one has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs this program as each of so many ranks, and ends as the first of them that failed.
pub(super) fn launch(ranks: usize, arguments: &[std::ffi::OsString], timeout: Duration) -> Result<()> {
    let host = Host::open(NAME, timeout).context("hosting the ranks' store")?;
    let program = std::env::current_exe().context("finding this program")?;
    let children = Arc::new(Mutex::new(Vec::with_capacity(ranks)));
    let asked = Arc::clone(&children);
    // Ranks of their own process group: an interrupt of the terminal comes to them once, from here.
    let ask = move || {
        asked.lock().unwrap_or_else(PoisonError::into_inner).iter_mut().for_each(Rank::interrupt);
        false
    };
    interrupt::set(ask, "");
    for rank in 0..ranks {
        let mut command = Command::new(&program);
        command.args(arguments).process_group(0).stdin(Stdio::piped());
        if rank > 0 {
            command.stdout(Stdio::null());
        }
        for (name, value) in [
            ("RANK", rank.to_string()),
            ("WORLD_SIZE", ranks.to_string()),
            ("LOCAL_RANK", rank.to_string()),
            ("LOCAL_WORLD_SIZE", ranks.to_string()),
            ("MASTER_ADDR", "localhost".to_owned()),
            ("MASTER_PORT", host.port().to_string()),
            ("TORCHELASTIC_USE_AGENT_STORE", "True".to_owned()),
            ("TORCHELASTIC_RESTART_COUNT", "0".to_owned()),
            // Its standard input ends with this process, however that ends.
            (electra_study::CHILD, "1".to_owned()),
        ] {
            command.env(name, value);
        }
        let child = command.spawn().with_context(|| format!("starting rank {rank}"));
        let mut children = children.lock().unwrap_or_else(PoisonError::into_inner);
        match child {
            Ok(child) => children.push(Rank { child, ended: None }),
            Err(error) => {
                children.iter_mut().for_each(Rank::kill);
                return Err(error);
            }
        }
    }
    match wait(&children, &host) {
        None => Ok(()),
        Some((rank, status)) => match status.code() {
            Some(code) => Err(Ended(code).into()),
            None => {
                let signal = status.signal().unwrap_or_default();
                output::error(&format!("rank {rank} of {ranks} was ended by signal {signal}"));
                Err(Ended(FAILED).into())
            }
        },
    }
}

struct Rank {
    child: Child,
    ended: Option<ExitStatus>,
}

impl Rank {
    /// At first closes what the rank waits for, at which it saves; then asks it to end at once.
    fn interrupt(&mut self) {
        if self.child.stdin.take().is_none() {
            self.signal(Signal::INT);
        }
    }

    fn kill(&mut self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if self.ended.is_none()
            && let Some(pid) = Pid::from_raw(self.child.id() as i32)
        {
            // It may have ended by now.
            let _ = kill_process(pid, signal);
        }
    }

    fn has_ended(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended.is_some()
    }
}

/// Waits for all ranks; gives the first that failed. One that a signal ended comes before those that failed by themselves,
/// which may be because it is gone, and these come before those that were interrupted. Both may end between two looks.
fn wait(ranks: &Mutex<Vec<Rank>>, host: &Host) -> Option<(usize, ExitStatus)> {
    let mut first: Option<(usize, ExitStatus)> = None;
    let (mut since, mut is_over) = (None, false);
    loop {
        sleep(INTERVAL);
        let mut ranks = ranks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running = 0;
        for (number, rank) in ranks.iter_mut().enumerate() {
            if rank.ended.is_some() {
                continue;
            }
            if !rank.has_ended() {
                running += 1;
                continue;
            }
            let status = rank.ended.expect("it has ended");
            // The kills of the end come after a failure that is known.
            let weight = |status: ExitStatus| match status.code() {
                None => u8::from(!is_over) + 1,
                Some(INTERRUPTED) => 0,
                Some(_) => 1,
            };
            if let Some(signal) = status.signal() {
                host.tell_end(number, &format!("killed by signal {signal}"));
            } else if !status.success() {
                host.tell_end(number, "it says why itself");
            }
            if !status.success() && first.is_none_or(|(_, before)| weight(before) < weight(status)) {
                first = Some((number, status));
            }
        }
        if running == 0 {
            return first;
        }
        if first.is_some() {
            let begin = *since.get_or_insert_with(Instant::now);
            if begin.elapsed() > PATIENCE {
                is_over = true;
                ranks.iter_mut().for_each(Rank::kill);
            }
        }
    }
}
