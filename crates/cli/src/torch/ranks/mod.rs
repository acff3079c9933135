//! The processes that pre-train one run together.

mod environment;
mod launch;

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};
use clap::Args;
use electra_trainer::Ranks;
use serde_json::json;

#[derive(Args)]
pub(super) struct RankOptions {
    /// Start this many processes on this machine to train the run together; on CUDA, one for each GPU. Leave this out
    /// if torchrun, srun or mpirun starts the processes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    ranks: Option<u16>,
    /// How long the processes of a run wait for each other; it must be longer than a checkpoint takes
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rank_timeout: u32,
}

impl RankOptions {
    fn timeout(&self) -> Duration {
        Duration::from_secs(self.rank_timeout.into())
    }

    /// How many processes this one is to start in its own place, if it is.
    pub(super) fn to_launch(&self) -> Result<Option<usize>> {
        if self.ranks.is_some() && self.of_environment()?.is_some() {
            bail!("--ranks: a launcher has started several processes already; expected one of the two");
        }
        Ok(self.ranks.map(usize::from).filter(|ranks| *ranks > 1))
    }

    /// Starts the processes, each with these arguments, and waits for them.
    pub(super) fn launch(&self, ranks: usize, mut arguments: Vec<OsString>) -> Result<()> {
        arguments.push("--rank-timeout".into());
        arguments.push(self.rank_timeout.to_string().into());
        launch::launch(ranks, &arguments, self.timeout())
    }

    /// Meets the other processes of the run, if there are any.
    pub(super) fn meet(&self) -> Result<Ranks> {
        Ok(match self.of_environment()? {
            Some(meeting) => Ranks::meet(&meeting)?,
            None => Ranks::alone(),
        })
    }

    fn of_environment(&self) -> Result<Option<electra_trainer::Meeting>> {
        environment::meeting(|name| std::env::var(name).ok(), self.timeout())
    }
}

/// Lets torchrun know why this rank ends, where that is not another's end: it shows what the first of them says.
pub(super) fn tell_torchrun(error: &anyhow::Error) {
    if error
        .chain()
        .any(|cause| matches!(cause.downcast_ref(), Some(electra_trainer::Error::LostRank { .. })))
    {
        return;
    }
    let Some(path) = std::env::var_os("TORCHELASTIC_ERROR_FILE") else { return };
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let extra = json!({ "timestamp": since.as_secs().to_string() });
    let text = json!({ "message": { "message": format!("Error: {error:#}"), "extraInfo": extra } });
    // The error itself is told in any case.
    let _ = electra_store::write(Path::new(&path), text.to_string());
}
