//! In how many parts a step is computed, one after another in a process and beside each other on ranks.

use electra_config::{Config, DeviceChoice};
use electra_objective::ObjectiveInfo;
use electra_store::Error;

/// In how many parts each of so many ranks computes its rows: none is larger than it would be on one process. `origin` is
/// what messages name.
///
/// Where the bytes are not to depend on the number of ranks, the parts of all ranks together are those of one process.
pub(crate) fn of_rank(
    config: &Config,
    info: &ObjectiveInfo,
    ranks: usize,
    origin: &str,
) -> Result<usize, Error> {
    let (batch, accumulation) = (config.budget.batch, config.budget.accumulation);
    let setting = |key: &str, found: String, expected: String| {
        Err(Error::Setting { origin: origin.to_owned(), key: key.to_owned(), found, expected })
    };
    if info.couples_rows && accumulation > 1 {
        let expected = format!("1: in {} the rows of a batch enter each other's loss", info.name);
        return setting("budget.accumulation", accumulation.to_string(), expected);
    }
    if ranks == 1 {
        return Ok(accumulation);
    }
    if info.couples_rows {
        let expected = "another objective, or one process: its rows enter each other's loss";
        return setting("objective", format!("{} on {ranks} ranks", info.name), expected.to_owned());
    }
    if !batch.is_multiple_of(ranks) {
        let expected = format!("a multiple of {ranks}, the number of ranks");
        return setting("budget.batch", batch.to_string(), expected);
    }
    if let DeviceChoice::CudaAt(_) = config.device.device {
        let expected = format!("cuda on {ranks} ranks, each of which has its own");
        return setting("device.device", config.device.device.to_string(), expected);
    }
    if config.device.cuda_graphs {
        return setting("device.cuda_graphs", "true".to_owned(), format!("false on {ranks} ranks"));
    }
    if config.device.deterministic && config.device.device != DeviceChoice::Cuda {
        if !accumulation.is_power_of_two() || !accumulation.is_multiple_of(ranks) {
            let expected = format!(
                "a power of two that is a multiple of {ranks}, the number of ranks, as device.deterministic needs: \
                 its parts are what ranks compute, and the bytes depend on it"
            );
            return setting("budget.accumulation", accumulation.to_string(), expected);
        }
        return Ok(accumulation / ranks);
    }
    let parts = accumulation.div_ceil(ranks);
    if !(batch / ranks).is_multiple_of(parts) {
        let expected = format!(
            "a number by which the {} rows of each of {ranks} ranks can be shared out",
            batch / ranks
        );
        return setting("budget.accumulation", accumulation.to_string(), expected);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use electra_config::Preset;

    use super::*;

    /// The parts of each rank, or the message.
    fn parts(batch: usize, accumulation: usize, ranks: usize, deterministic: bool) -> Result<usize, String> {
        let mut config = Config::preset(Preset::Tiny, "mlm", 1, "corpus".into());
        (config.budget.batch, config.budget.accumulation) = (batch, accumulation);
        config.device.device = DeviceChoice::Cpu;
        config.device.deterministic = deterministic;
        let info = &electra_objective::mlm::SPEC.info;
        of_rank(&config, info, ranks, "run.toml").map_err(|error| error.to_string())
    }

    #[test]
    fn no_part_is_larger_than_on_one_process() {
        for (accumulation, ranks, expected) in
            [(1, 1, 1), (4, 1, 4), (1, 4, 1), (2, 4, 1), (4, 2, 2), (8, 4, 2)]
        {
            assert_eq!(parts(16, accumulation, ranks, false), Ok(expected), "{accumulation} on {ranks}");
        }
        assert_eq!(parts(24, 3, 2, false), Ok(2));
        for (accumulation, ranks) in [(8, 1), (8, 2), (8, 4), (8, 8), (1, 1)] {
            assert_eq!(parts(16, accumulation, ranks, true), Ok(accumulation / ranks));
        }
    }

    #[test]
    fn what_ranks_cannot_share_out_is_refused() {
        assert_eq!(
            parts(10, 1, 4, false).unwrap_err(),
            "run.toml: budget.batch: 10; expected a multiple of 4, the number of ranks"
        );
        let message = parts(20, 3, 2, true).unwrap_err();
        assert!(
            message.starts_with("run.toml: budget.accumulation: 3; expected a power of two that"),
            "{message}"
        );
        assert!(parts(16, 1, 2, true).is_err());
        let message = parts(10, 6, 2, false).unwrap_err();
        assert!(message.ends_with("by which the 5 rows of each of 2 ranks can be shared out"), "{message}");
    }
}
