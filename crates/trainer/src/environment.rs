//! What a run was computed by: `environment.json`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use electra_config::{DeviceChoice, DeviceConfig, Precision};
use electra_encoder::Compute;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::Error;
use crate::error::damaged;

const NAME: &str = "environment.json";
/// How long matrix products are timed.
const MEASURED: Duration = Duration::from_millis(300);

/// Program, libraries and machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Environment {
    /// Version of the code, and its commit where that is known.
    pub(crate) code: String,
    pub(crate) libtorch: String,
    /// `cpu`, or `cuda:` and a number.
    pub(crate) device: String,
    /// What that GPU is, where the driver's program tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gpu: Option<String>,
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) threads: usize,
    /// `fp32` or `bf16`: what `auto` became.
    pub(crate) precision: Precision,
    /// What multiplies in bfloat16 on the CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bf16: Option<String>,
    pub(crate) deterministic: bool,
    pub(crate) os: String,
}

impl Environment {
    /// What has to be the same on all ranks. What `auto` is here need not be what it is on another machine.
    pub(crate) fn program(&self) -> String {
        let Self { code, libtorch, .. } = self;
        format!("electra {code}, libtorch {libtorch}, products in {}", self.products())
    }

    /// What matrix products are computed in, in words.
    pub(crate) fn products(&self) -> String {
        match (self.precision, &self.bf16) {
            (Precision::Bf16, Some(unit)) => format!("bfloat16 ({unit})"),
            (Precision::Bf16, None) => "bfloat16".to_owned(),
            _ => "float32".to_owned(),
        }
    }
}

/// An environment, from a step on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    since_step: u64,
    #[serde(flatten)]
    environment: Environment,
    /// Operations a second of matrix products of the run's shapes and precision, measured.
    peak_flops_per_s: f64,
}

/// Version and commit of this code.
pub(crate) fn code() -> String {
    match option_env!("ELECTRA_COMMIT") {
        Some(commit) => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
        None => env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Sets up libtorch as the settings say.
pub(crate) fn set_up(config: &DeviceConfig, local_rank: usize) -> Result<(Compute, Environment), Error> {
    let DeviceConfig { device, threads, precision, deterministic, .. } = *config;
    let mut compute = Compute::set_up(device, threads, precision, deterministic)?;
    if local_rank > 0 && compute.device.is_cuda() && !matches!(device, DeviceChoice::CudaAt(_)) {
        compute = Compute::set_up(DeviceChoice::CudaAt(local_rank), threads, precision, deterministic)?;
    }
    let Compute { device, threads, precision } = compute;
    let bf16 = (precision == Precision::Bf16 && device == Device::Cpu)
        .then(|| electra_torch::bf16().map(|bf16| bf16.unit.to_string()));
    let environment = Environment {
        code: code(),
        libtorch: electra_torch::version()?,
        device: match device {
            Device::Cuda(index) => format!("cuda:{index}"),
            _ => "cpu".to_owned(),
        },
        gpu: if let Device::Cuda(index) = device { gpu(index) } else { None },
        cpu: cpu(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        threads,
        precision,
        bf16: bf16.transpose()?,
        deterministic: config.deterministic || device == Device::Cpu,
        os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
    };
    Ok((compute, environment))
}

/// The processor's name where the system tells it.
fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}

/// The GPU's name, if there is a program to ask: libtorch's CPU part, which is what is linked, does not know it.
fn gpu(index: usize) -> Option<String> {
    // What is visible is numbered anew for CUDA, and not for the program.
    let visible = std::env::var("CUDA_VISIBLE_DEVICES").unwrap_or_default();
    let which = visible.split(',').nth(index).map(str::trim).filter(|which| !which.is_empty());
    let which = which.map_or_else(|| index.to_string(), str::to_owned);
    let options = ["--query-gpu=name", "--format=csv,noheader", &format!("--id={which}")].map(str::to_owned);
    let output = Command::new("nvidia-smi").args(options).stdin(Stdio::null()).output().ok()?;
    let name = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !name.is_empty()).then_some(name)
}

/// Adds the environment to the run's folder if it is another than the last, and gives the peak of matrix
/// products in it and, if it has changed, a line that says what has.
pub(crate) fn record(
    folder: &Path,
    since_step: u64,
    environment: &Environment,
    measure: impl FnOnce() -> Result<f64, Error>,
) -> Result<(f64, Option<String>), Error> {
    let path = folder.join(NAME);
    let mut entries: Vec<Entry> = if path.exists() {
        serde_json::from_str(&electra_store::read_to_string(&path)?)
            .map_err(|error| damaged(&path, format!("is not a list of environments: {error}")))?
    } else {
        Vec::new()
    };
    // What was recorded for steps that a kill or damage took away is of no run.
    entries.retain(|entry| entry.since_step == 0 || entry.since_step <= since_step);
    let change = match entries.last() {
        Some(last) if last.environment == *environment => return Ok((last.peak_flops_per_s, None)),
        Some(last) => Some(change(&last.environment, environment)),
        None => None,
    };
    let peak_flops_per_s = measure()?;
    entries.push(Entry { since_step, environment: environment.clone(), peak_flops_per_s });
    let text = serde_json::to_string_pretty(&entries).expect("an environment's keys are strings");
    electra_store::write(&path, format!("{text}\n"))?;
    Ok((peak_flops_per_s, change))
}

fn change(last: &Environment, now: &Environment) -> String {
    let fields = |environment| serde_json::to_value(environment).expect("an environment's keys are strings");
    let (last, now) = (fields(last), fields(now));
    let fields = now.as_object().into_iter().flatten();
    let changed = fields
        .filter(|(key, value)| last[key.as_str()] != **value)
        .map(|(key, value)| format!("{key} was {}, is {value}", last[key.as_str()]));
    let changed = changed.collect::<Vec<_>>().join("; ");
    format!("the environment is another than before, so the bytes may be too: {changed}")
}

/// Operations a second of the product of `[rows, width]` and `[width, 4 · width]`, the largest of an encoder's
/// layer: the fastest of those that fit into a third of a second.
pub(crate) fn matmul_peak(compute: Compute, rows: i64, width: i64) -> Result<f64, Error> {
    let device = compute.device;
    let kind = if compute.precision == Precision::Bf16 { Kind::BFloat16 } else { Kind::Float };
    let (left, right) =
        (Tensor::f_ones([rows, width], (kind, device))?, Tensor::f_ones([width, 4 * width], (kind, device))?);
    let flops = 8.0 * rows as f64 * width as f64 * width as f64;
    // On a GPU one product is over before the clock can tell: several are timed as one.
    let repeats = if device == Device::Cpu { 1 } else { 50 };
    let begin = Instant::now();
    let mut best = 0.0_f64;
    // The first product also pays for the libraries' start.
    let mut timed = 0;
    while timed < 3 || begin.elapsed() < MEASURED {
        let start = Instant::now();
        for _ in 0..repeats {
            let _product = left.f_matmul(&right)?;
        }
        electra_torch::synchronize(device)?;
        best = best.max(flops * f64::from(repeats) / start.elapsed().as_secs_f64());
        timed += 1;
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(threads: usize) -> Environment {
        Environment {
            code: code(),
            libtorch: "2".to_owned(),
            device: "cpu".to_owned(),
            gpu: None,
            cpu: cpu(),
            cores: 8,
            threads,
            precision: Precision::Fp32,
            bf16: None,
            deterministic: true,
            os: "an os".to_owned(),
        }
    }

    #[test]
    fn an_environment_is_measured_once_and_a_change_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let record = |step, threads, peak: Option<f64>| {
            let measure = || Ok(peak.expect("this environment was measured before"));
            record(folder.path(), step, &environment(threads), measure).unwrap()
        };
        assert_eq!(record(0, 2, Some(5.0)), (5.0, None));
        assert_eq!(record(4, 2, None), (5.0, None));
        let (peak, change) = record(8, 3, Some(7.0));
        assert_eq!(peak, 7.0);
        assert!(change.unwrap().ends_with("threads was 2, is 3"));
        assert_eq!(record(9, 3, None), (7.0, None));
        // Back before the change: it has not happened.
        assert_eq!(record(6, 2, None), (5.0, None));
    }

    #[test]
    fn a_peak_is_a_rate() {
        let peak = matmul_peak(Compute::cpu(), 64, 64).unwrap();
        assert!(peak > 1e6 && peak.is_finite(), "{peak}");
    }
}
