//! PyTorch's own launcher starts the program: `torchrun` of the wheel that libtorch comes from, in the private environment
//! that the benches compare with PyTorch in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::ranks::{bench, children, read};
use crate::support::Bench;

/// torchrun, or why it cannot run here.
struct Torchrun {
    python: PathBuf,
    python_path: OsString,
    /// Empty libraries in the place of those of CUDA's that importing torch asks for and a CPU does not need.
    libraries: PathBuf,
}

impl Torchrun {
    fn find() -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let requirements = root.join("benches/python/requirements.txt");
        let mut xtask = Command::new(env!("CARGO"));
        xtask.args(["xtask", "python", "peers"]).arg(requirements).current_dir(&root);
        let output = xtask.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("the environment cannot be made: {}", last_line(&output.stderr)));
        }
        let python = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        let libtorch = std::env::var_os("LIBTORCH").map_or_else(|| root.join(".libtorch"), PathBuf::from);
        let libtorch = libtorch.canonicalize().map_err(|error| error.to_string())?;
        if !libtorch.join("__init__.py").is_file() {
            return Err(format!("{} has no Python module", libtorch.display()));
        }
        let packages = libtorch.parent().ok_or("libtorch lies in no folder")?;
        let lazily = root.join("benches/python/lazily");
        let python_path = std::env::join_paths([&lazily, packages]).map_err(|error| error.to_string())?;
        let libraries = Path::new(env!("CARGO_TARGET_TMPDIR")).join("torchrun");
        std::fs::create_dir_all(&libraries).map_err(|error| error.to_string())?;
        let torchrun = Self { python, python_path, libraries };
        torchrun.complete()?;
        Ok(torchrun)
    }

    /// As `benches/harness/src/peers/sides.rs` does it.
    fn complete(&self) -> Result<(), String> {
        loop {
            let mut command = self.python();
            let output = command.args(["-c", "import torch.distributed.run"]).output().unwrap();
            if output.status.success() {
                return Ok(());
            }
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            let name = text
                .split_once(": cannot open shared object file")
                .and_then(|(before, _)| before.rsplit(' ').next());
            let name = name.filter(|name| name.starts_with("lib") && !self.libraries.join(name).exists());
            let name =
                name.ok_or_else(|| format!("Python cannot import torch: {}", last_line(text.as_bytes())))?;
            let mut compiler = Command::new(std::env::var_os("CXX").unwrap_or_else(|| "c++".into()));
            compiler.args(["-shared", "-x", "c++", "/dev/null", &format!("-Wl,-soname,{name}"), "-o"]);
            let made = compiler.arg(self.libraries.join(name)).status().map_err(|error| error.to_string())?;
            assert!(made.success(), "{name}");
        }
    }

    fn python(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.env("PYTHONPATH", &self.python_path).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("LD_LIBRARY_PATH", &self.libraries);
        command
    }

    /// torchrun with its own options, of `electra pretrain`. `--` ends them: `--run` looks like the beginning of one.
    fn command(&self, bench: &Bench, options: &str, line: &str) -> Command {
        let inner = bench.command(line);
        let mut command = self.python();
        command.args(["-m", "torch.distributed.run", "--standalone"]).args(options.split_whitespace());
        command.args(["--no-python", "--"]).arg(inner.get_program()).args(inner.get_args());
        command
            .current_dir(bench.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn last_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().lines().last().unwrap_or_default().to_owned()
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn torchrun_starts_ranks_restarts_them_and_shows_their_error() {
    let torchrun = match Torchrun::find() {
        Ok(torchrun) => torchrun,
        Err(why) => {
            println!("skipped: torchrun: {why}");
            return;
        }
    };
    let bench = bench(60);
    let line = |run: &str| format!("pretrain --config run.toml --set device.deterministic=true --run {run}");
    bench.run(&line("alone")).ok();
    let whole = |run: &str| {
        let folder = bench.path(run);
        let model = read(&folder, "checkpoints/step-00000060/model.safetensors");
        (model, read(&folder, "metrics.jsonl"))
    };
    let alone = whole("alone");
    for ranks in [2, 4] {
        let run = format!("ranks-{ranks}");
        let mut command = torchrun.command(&bench, &format!("--nproc-per-node {ranks}"), &line(&run));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", error(&output));
        assert!(String::from_utf8_lossy(&output.stdout).starts_with(&format!("{run}: finished, 60 steps")));
        assert!(whole(&run) == alone, "{ranks} ranks");
    }

    // A rank is killed in the middle; torchrun starts all anew by itself.
    let child = torchrun
        .command(&bench, "--nproc-per-node 2 --max-restarts 3 --monitor-interval 0.1", &line("killed"))
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while !bench.path("killed/checkpoints/step-00000003").exists() {
        assert!(begin.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(1));
    }
    kill_process(Pid::from_raw(*children(child.id()).last().unwrap()).unwrap(), Signal::KILL).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = error(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("\ncontinuing after step ") || text.starts_with("continuing after step "),
        "{text}"
    );
    assert!(whole("killed") == alone, "the bytes after a restart");

    let line = "pretrain --config run.toml --set budget.batch=9 --set budget.accumulation=1 --run wrong";
    let output = torchrun.command(&bench, "--nproc-per-node 2", line).output().unwrap();
    assert!(!output.status.success());
    let expected =
        "traceback : Error: the settings: budget.batch: 9; expected a multiple of 2, the number of ranks";
    assert!(error(&output).contains(expected), "{}", error(&output));
}
