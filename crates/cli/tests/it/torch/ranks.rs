//! `electra pretrain` as several processes.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use electra_encoder::Weights;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tch::Tensor;

use crate::support::{Answer, Bench, json_lines};

/// A corpus whose rows have very unequal lengths, and settings of a step in four parts.
pub(super) fn bench(steps: u64) -> Bench {
    let bench = Bench::new();
    bench.write("text.txt", super::trace::text());
    bench.run("tokenizer train --input text.txt --vocab-size 80 --output tokenizer").ok();
    let build = "corpus build --tokenizer tokenizer --input text.txt --documents line --segments one";
    bench.run(&format!("{build} --max-length 32 --output corpus")).ok();
    bench.run(&format!("{build} --max-length 16 --output valid")).ok();
    bench.write(
        "run.toml",
        format!(
            "preset = \"tiny\"\nobjective = \"electra\"\nseed = 7\n\
             data = {{ corpus = \"corpus\", valid = \"valid\", valid_examples = 20 }}\n\
             budget = {{ steps = {steps}, batch = 8, accumulation = 4 }}\n\
             log = {{ every_steps = 1, valid_every_steps = 2 }}\ncheckpoint = {{ every_steps = 1 }}\n\
             device = {{ device = \"cpu\", threads = 1 }}\n"
        ),
    );
    bench
}

pub(super) fn read(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).unwrap()
}

fn weights(folder: &Path, step: u64, name: &str) -> Weights {
    Weights::read(&folder.join(format!("checkpoints/step-{step:08}/{name}.safetensors"))).unwrap()
}

fn norm(tensor: &Tensor) -> f64 {
    tensor.to_kind(tch::Kind::Double).norm().double_value(&[])
}

/// The first step's gradients are 10 times the first moments, whatever the clip is.
#[test]
fn any_number_of_ranks_gives_the_losses_and_gradients_of_one_process() {
    let bench = bench(3);
    let names = electra_ablations::INFOS.iter().map(|info| (info.name, ""));
    let second = " --set model.encoder.architecture=modernbert --set model.encoder.local_attention=6";
    for (objective, backbone) in names.chain([("electra", second)]) {
        let run = |ranks: usize| {
            let name = format!("{objective}{}-{ranks}", backbone.len());
            let set = format!("--set objective={objective} --set checkpoint.keep=9{backbone}");
            bench.run(&format!("pretrain --config run.toml {set} --run {name} --ranks {ranks}")).ok();
            let folder = bench.path(&name);
            let lines = json_lines(&String::from_utf8(read(&folder, "metrics.jsonl")).unwrap());
            (lines, weights(&folder, 1, "optimizer"))
        };
        let (lines, moments) = run(1);
        let moments: Vec<(&str, &Tensor)> =
            moments.iter().filter(|(name, _)| name.ends_with(".exp_avg")).collect();
        assert!(lines.len() == 3 && moments.len() > 10, "{objective}");
        let squares: f64 = moments.iter().map(|(_, moment)| norm(moment).powi(2)).sum();
        for ranks in [2, 4] {
            let (found_lines, found_moments) = run(ranks);
            for (found, expected) in found_lines.iter().zip(&lines) {
                let expected = expected.as_object().unwrap();
                assert_eq!(found.as_object().unwrap().len(), expected.len(), "{objective}: {found}");
                for (key, expected) in expected {
                    // What is not a number there, such as an area under no curve.
                    if expected.is_null() && found[key].is_null() {
                        continue;
                    }
                    let (found, expected) = (found[key].as_f64().unwrap(), expected.as_f64().unwrap());
                    // Sums of few rows, some of them near 0.
                    let error = (found - expected).abs() / expected.abs().max(1e-1);
                    assert!(error < 1e-5, "{objective} on {ranks}: {key} is {found}, not {expected}");
                }
            }
            for (name, expected) in &moments {
                let found = found_moments.get(name).unwrap();
                // A key's bias has a gradient of 0 but for rounding, whose size is the whole gradient's.
                let error = norm(&(found - *expected)) / norm(expected).max(1e-2 * squares.sqrt());
                assert!(error < 1e-5, "{objective} on {ranks}: the gradient of {name} is off by {error:e}");
            }
        }
    }
}

#[test]
fn deterministic_ranks_end_with_the_bytes_of_one_process() {
    let bench = bench(5);
    let run = |ranks: usize| {
        let name = format!("run-{ranks}");
        let set = "--set device.deterministic=true";
        let answer =
            bench.run(&format!("pretrain --config run.toml {set} --json --run {name} --ranks {ranks}")).ok();
        // The first rank alone prints.
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((&answer["step"], &answer["finished"]), (&5.into(), &true.into()));
        let folder = bench.path(&name);
        let files = ["model.safetensors", "optimizer.safetensors"];
        let files = files.map(|file| read(&folder, &format!("checkpoints/step-00000005/{file}")));
        (files, read(&folder, "metrics.jsonl"))
    };
    let whole = run(1);
    assert!(run(2) == whole && run(4) == whole);
}

/// The process ids of a process's children.
pub(super) fn children(pid: u32) -> Vec<i32> {
    let list = format!("/proc/{pid}/task/{pid}/children");
    let list = std::fs::read_to_string(list).unwrap_or_default();
    list.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

fn kill(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Whether a checkpoint is being written, or was when its writer was killed.
fn is_writing(checkpoints: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(checkpoints) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().contains(".partial-"))
}

/// Two ranks, of which one is killed at an instant that nobody chose, while they meet or in a step; and every third time the
/// first rank as soon as a checkpoint is seen half-written. The other ends by itself. Where the run was over before, it has
/// the right bytes, and another begins.
#[test]
fn a_rank_that_is_killed_ends_the_others_and_the_run_goes_on_to_the_same_bytes() {
    const KILLS: u32 = 30;
    const STEPS: u64 = 120;
    let bench = bench(STEPS);
    let line = |run: &str| {
        format!(
            "pretrain --config run.toml --set device.deterministic=true --run {run} --ranks 2 --rank-timeout 60"
        )
    };
    bench.run(&line("calm")).ok();
    let (calm, killed) = (bench.path("calm"), bench.path("killed"));
    let assert_same = || {
        let checkpoint = format!("checkpoints/step-{STEPS:08}");
        let weights =
            ["model.safetensors", "optimizer.safetensors"].map(|name| format!("{checkpoint}/{name}"));
        for name in weights.iter().map(String::as_str).chain(["metrics.jsonl"]) {
            assert!(read(&calm, name) == read(&killed, name), "{name}");
        }
    };
    let mut random = electra_masking::Stream::named(b"kills\0\0\0").rng(2, 0, 0);
    let (mut kills, mut named, mut in_a_write) = (0, 0, 0);
    while kills < KILLS {
        let child = bench.command(&line("killed")).spawn().unwrap();
        let begin = Instant::now();
        let ranks = loop {
            let ranks = children(child.id());
            if ranks.len() == 2 {
                break ranks;
            }
            assert!(begin.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(1));
        };
        let checkpoints = killed.join("checkpoints");
        let victim = if kills % 3 == 0 {
            // What an earlier kill left there is removed before the first step.
            for is_awaited in [false, true] {
                while is_writing(&checkpoints) != is_awaited && begin.elapsed() < Duration::from_secs(60) {
                    std::thread::sleep(Duration::from_micros(100));
                }
            }
            0
        } else {
            std::thread::sleep(Duration::from_micros(u64::from(random.below(1_200_000))));
            (kills % 2) as usize
        };
        // It may have ended by now.
        let _ = kill_process(Pid::from_raw(ranks[victim]).unwrap(), Signal::KILL);
        let killed_at = Instant::now();
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        if output.status.success() {
            assert_same();
            std::fs::remove_dir_all(&killed).unwrap();
            continue;
        }
        kills += 1;
        in_a_write += u32::from(is_writing(&checkpoints));
        assert_eq!(output.status.code(), Some(1), "kill {kills}: {error}");
        assert!(killed_at.elapsed() < Duration::from_secs(25), "kill {kills}: {error}");
        assert!(error.contains(&format!("error: rank {victim} of 2 was ended by signal 9\n")), "{error}");
        named += u32::from(error.contains(&format!("rank {victim} ended: killed by signal 9\n")));
    }
    // Those that died while the two connected have met nobody, and at the very end nobody waits for them.
    assert!(named >= KILLS - 8, "{named} of {KILLS} were named by the other rank");
    assert!(in_a_write >= 3, "{in_a_write} of {KILLS} fell into a checkpoint's write");
    bench.run(&line("killed")).ok();
    assert_same();
}

#[test]
fn an_interrupt_is_saved_once() {
    let bench = bench(1_000_000);
    let child = bench.command("pretrain --config run.toml --run run --ranks 2").spawn().unwrap();
    let begin = Instant::now();
    while !bench.path("run/checkpoints/step-00000002").exists() {
        assert!(begin.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    kill(child.id() as i32, Signal::TERM);
    let output = child.wait_with_output().unwrap();
    let (out, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(130), "{error}");
    assert!(out.starts_with("run: interrupted after step "), "{out}");
    assert_eq!(error.matches("finishing the step and saving").count(), 1, "{error}");
}

/// The program as one rank of a launcher's.
fn rank(bench: &Bench, variables: &[(&str, &str)]) -> Answer {
    let mut command: Command = bench.command("pretrain --config run.toml --run run --rank-timeout 2");
    command.envs(variables.iter().copied());
    Answer::of(&mut command, b"")
}

#[test]
fn what_ranks_cannot_do_is_told() {
    let bench = bench(3);
    let refused =
        |set: &str| bench.run(&format!("pretrain --config run.toml {set} --run run --ranks 3")).refused();
    let message = refused("--set budget.accumulation=1");
    assert!(
        message.contains("the settings: budget.batch: 8; expected a multiple of 3, the number of ranks"),
        "{message}"
    );
    let message = refused("--set budget.batch=x");
    assert_eq!(message.matches("error: ").count(), 1, "{message}");
    let alone = [("RANK", "1"), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", "1")];
    let message = rank(&bench, &alone).refused();
    assert!(
        message.contains("rank 1 of 2, which meet at 127.0.0.1:1: nobody answers there within 2 s"),
        "{message}"
    );
    let mut command = bench.command("pretrain --config run.toml --run run --ranks 2");
    let message = Answer::of(command.envs(alone), b"").refused();
    assert!(message.contains("--ranks: a launcher has started several processes already"), "{message}");
    assert!(!bench.path("run").exists());
}

/// Open MPI's and SLURM's variables, as their programs set them for two ranks of one machine.
#[test]
fn launchers_are_known_by_their_variables() {
    let bench = bench(3);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mpi = |rank| {
        vec![
            ("OMPI_COMM_WORLD_RANK", rank),
            ("OMPI_COMM_WORLD_SIZE", "2"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", rank),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
        ]
    };
    let slurm = |rank| {
        vec![
            ("SLURM_PROCID", rank),
            ("SLURM_STEP_NUM_TASKS", "2"),
            ("SLURM_LOCALID", rank),
            ("SLURM_STEP_NUM_NODES", "1"),
            ("SLURM_STEP_NODELIST", "node[07-08]"),
        ]
    };
    for (name, variables) in
        [("mpi", &mpi as &dyn Fn(&'static str) -> Vec<(&'static str, &'static str)>), ("slurm", &slurm)]
    {
        let ranks = ["0", "1"].map(|rank| {
            let mut command =
                bench.command(&format!("pretrain --config run.toml --run {name} --rank-timeout 60"));
            command.envs(variables(rank)).env("MASTER_PORT", &free).spawn().unwrap()
        });
        for rank in ranks {
            let output = rank.wait_with_output().unwrap();
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        }
        assert!(bench.path(name).join("checkpoints/step-00000003").is_dir(), "{name}");
    }
}
