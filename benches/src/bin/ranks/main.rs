//! What ranks cost: one process of several threads beside as many processes of one thread, the bytes that they send, and a
//! model on paper of machines with GPUs.

#![allow(clippy::print_stdout)]

mod paper;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use clap::Parser;
use electra_config::{DeviceChoice, Preset};
use electra_torch::{Network, ProcessGroup, Reduce, Store};
use electra_trainer::{Config, Event, Host, Meeting, Ranks, Run, train};
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Time a run as one process and as several, on this machine's CPU.
#[derive(Parser)]
struct Options {
    /// Sizes: tiny, small or base
    #[arg(long, default_value = "small")]
    preset: String,
    /// An objective's name
    #[arg(long, default_value = "electra")]
    objective: String,
    /// Examples of a step
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// Processes, and the threads of the one process beside them
    #[arg(long, default_value_t = 2)]
    ranks: usize,
    /// Steps, of which the first two are not counted
    #[arg(long, default_value_t = 12)]
    steps: u64,
    /// How often each way is timed, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Print the model on paper, and time nothing
    #[arg(long)]
    paper: bool,
    /// For the program itself: it is this rank of so many
    #[arg(long, hide = true, requires_all = ["port", "folder"])]
    rank: Option<usize>,
    #[arg(long, hide = true)]
    port: Option<u16>,
    #[arg(long, hide = true)]
    folder: Option<PathBuf>,
    #[arg(long, hide = true)]
    alone: bool,
}

const LENGTH: usize = 128;
const TIMEOUT: Duration = Duration::from_secs(120);
const REDUCES: usize = 15;

fn main() -> Result<()> {
    let options = Options::parse();
    if options.paper {
        return paper::print();
    }
    match (options.rank, options.port, &options.folder) {
        (Some(rank), Some(port), Some(folder)) => be_rank(&options, rank, port, folder),
        _ => compare(&options),
    }
}

fn preset(name: &str) -> Result<Preset> {
    Ok(serde_json::from_value(json!(name))?)
}

fn config(options: &Options, corpus: PathBuf) -> Result<Config> {
    let mut config = Config::preset(preset(&options.preset)?, &options.objective, 1, corpus);
    config.masking = (electra_ablations::objective(&options.objective)?.info.masking)();
    config.budget.steps = Some(options.steps);
    config.budget.batch = options.batch;
    config.checkpoint.every_steps = options.steps;
    config.log.every_steps = options.steps;
    config.device.device = DeviceChoice::Cpu;
    config.device.precision = electra_config::Precision::Fp32;
    config.device.threads = if options.alone { options.ranks } else { 1 };
    Ok(config)
}

/// One of the processes: trains, and then times the all-reduce of a vector as long as the gradients.
fn be_rank(options: &Options, rank: usize, port: u16, folder: &Path) -> Result<()> {
    let size = if options.alone { 1 } else { options.ranks };
    let config = config(options, folder.join("corpus"))?;
    let meeting = Meeting::on_this_machine(rank, size, port, TIMEOUT);
    let ranks = if size == 1 { Ranks::alone() } else { Ranks::meet(&meeting)? };
    let (mut times, mut parameters, mut sent) = (vec![Instant::now()], 0, loopback());
    train(Run {
        config: &config,
        folder: &folder.join(format!("run-{}", std::process::id())),
        objective: electra_ablations::objective(&options.objective)?,
        continues_word: &[],
        ranks: &ranks,
        stop: &AtomicBool::new(false),
        observer: &mut |event| match event {
            Event::Started { parameters: count, .. } => parameters = *count,
            Event::Step { step, .. } => {
                times.push(Instant::now());
                if *step == 2 {
                    sent = loopback();
                }
            }
            _ => {}
        },
    })?;
    let sent = loopback().saturating_sub(sent) as f64 / (options.steps - 2) as f64;
    let steps: Vec<f64> = times.windows(2).skip(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    let mut reduce = None;
    if size > 1 {
        let store = Store::connect("localhost", port, "reduce", TIMEOUT)?;
        let group = ProcessGroup::gloo(&store, rank, size, Network::Address("127.0.0.1"), TIMEOUT)?;
        let mut gradients = Tensor::ones([parameters as i64], (Kind::Float, Device::Cpu));
        let mut seconds = Vec::new();
        for _ in 0..REDUCES {
            let begin = Instant::now();
            group.all_reduce(&mut gradients, Reduce::Sum)?;
            seconds.push(begin.elapsed().as_secs_f64());
        }
        reduce = Some(median(seconds));
    }
    if rank == 0 {
        println!(
            "{}",
            json!({
                "step_seconds": median(steps),
                "all_reduce_seconds": reduce,
                "parameters": parameters,
                "sent_bytes_a_step": if size > 1 { Some(sent) } else { None },
            })
        );
    }
    Ok(())
}

/// Times both ways in turn, and prints a line of JSON with the medians.
fn compare(options: &Options) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let small = preset(&options.preset)?;
    let vocab_size = Config::preset(small, &options.objective, 1, PathBuf::new()).model.encoder.vocab_size;
    let examples = 4 * options.batch;
    electra_benches::random_corpus(
        &folder.path().join("corpus"),
        LENGTH,
        u32::try_from(vocab_size)?,
        examples,
    )?;
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        alone.push(run(options, folder.path(), true)?);
        together.push(run(options, folder.path(), false)?);
    }
    let of = |readings: &[Value], key: &str| {
        median(readings.iter().filter_map(|line| line[key].as_f64()).collect())
    };
    let (one, several) = (of(&alone, "step_seconds"), of(&together, "step_seconds"));
    let (reduce, sent) = (of(&together, "all_reduce_seconds"), of(&together, "sent_bytes_a_step"));
    let parameters = of(&alone, "parameters");
    let ranks = options.ranks as f64;
    println!(
        "{}",
        json!({
            "preset": options.preset,
            "objective": options.objective,
            "batch": options.batch,
            "ranks": options.ranks,
            "parameters": parameters,
            "one_process_step_seconds": one,
            "ranks_step_seconds": several,
            "ranks_over_one_process": several / one,
            "all_reduce_seconds": reduce,
            "all_reduce_share_of_step": reduce / several,
            "sent_bytes_a_step": sent,
            // A ring: each of R ranks sends 2 · (R - 1) / R of the vector.
            "ring_bytes_a_step": 2.0 * (ranks - 1.0) * 4.0 * parameters,
            "rounds": { "one_process": alone, "ranks": together },
        })
    );
    Ok(())
}

/// Runs the processes of one way, and gives what the first says.
fn run(options: &Options, folder: &Path, alone: bool) -> Result<Value> {
    let host = Host::open("", TIMEOUT)?;
    let mut children = Vec::new();
    for rank in 0..if alone { 1 } else { options.ranks } {
        let mut command = Command::new(std::env::current_exe()?);
        for (name, value) in [
            ("--preset", options.preset.clone()),
            ("--objective", options.objective.clone()),
            ("--batch", options.batch.to_string()),
            ("--ranks", options.ranks.to_string()),
            ("--steps", options.steps.to_string()),
            ("--rank", rank.to_string()),
            ("--port", host.port().to_string()),
        ] {
            command.args([name, &value]);
        }
        command.arg("--folder").arg(folder).args(alone.then_some("--alone"));
        command.env("OMP_NUM_THREADS", if alone { options.ranks.to_string() } else { "1".to_owned() });
        children.push(command.stdout(Stdio::piped()).spawn()?);
    }
    let mut first = None;
    for child in children {
        let output = child.wait_with_output()?;
        if !output.status.success() {
            return Err("a process failed; it has said why".into());
        }
        let line = String::from_utf8(output.stdout)?;
        first = first.or(serde_json::from_str(line.trim()).ok());
    }
    first.ok_or_else(|| "the first process said nothing".into())
}

/// Bytes that this machine has sent to itself.
fn loopback() -> u64 {
    let table = std::fs::read_to_string("/proc/net/dev").unwrap_or_default();
    let line = table.lines().find_map(|line| line.trim().strip_prefix("lo:"));
    line.and_then(|line| line.split_whitespace().nth(8)?.parse().ok()).unwrap_or_default()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
