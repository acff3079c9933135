//! Installs libtorch from the Python package index into the cache.
//!
//! Each stage leaves what the next run of the command goes on from: the environment with a recent pip, the
//! parts of the wheels that have come, the installed packages with their record.

use super::cache::{Cache, Record, State, Variant};
use super::libtorch::VERSION;
use super::pip::{self, Runner};
use super::{download, host, python};
use crate::workspace;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The pip that resolves without downloading whole wheels.
const PIP: (u32, u32) = (25, 1);

/// `download.py` exits with this where pip may succeed: a login, a proxy or certificates of pip's own.
pub(super) const TRY_PIP: i32 = 4;

/// Installs a variant unless another set-up has done so in the meantime.
pub(crate) fn run(cache: &Cache, variant: Variant) -> Result<()> {
    let lock = cache.lock()?;
    match cache.state(variant) {
        State::Whole(_) => return Ok(()),
        State::Absent => {}
        State::Damaged(reason) => {
            let place = cache.place(variant);
            crate::output::tell(format_args!(
                "{} is damaged ({reason}); installing it again",
                place.display()
            ));
            remove(&place)?;
        }
    }
    let torch = format!("torch=={VERSION}");
    let install = Install { folder: cache.partial(variant), variant, torch, lock };
    install
        .run()
        .map_err(full_disk)
        .with_context(|| format!("libtorch {VERSION} ({variant}) is not installed"))?;
    fs::rename(&install.folder, cache.place(variant)).context("cannot give the install its name")
}

/// Says what a full disk means where it stopped this program itself.
fn full_disk(error: anyhow::Error) -> anyhow::Error {
    let full = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::StorageFull)
    };
    if error.chain().any(full) { error.context(pip::DISK_FULL) } else { error }
}

struct Install {
    folder: PathBuf,
    variant: Variant,
    /// The package that is asked for.
    torch: String,
    lock: File,
}

impl Install {
    fn run(&self) -> Result<()> {
        if Record::check(&self.folder).is_err() {
            fs::create_dir_all(&self.folder)
                .with_context(|| format!("cannot make {}", self.folder.display()))?;
            let python = self.check_machine()?;
            let place = self.folder.with_extension("");
            crate::output::tell(format_args!(
                "installing libtorch {VERSION} ({}) as {}",
                self.variant,
                place.display()
            ));
            self.environment(&python)?;
            self.download()?;
            self.unpack()?;
        }
        // The list of wheels stays, to tell what the install was made of.
        remove(&self.downloads())?;
        remove(&self.report())?;
        remove(&self.unpacking())
    }

    /// Everything that is missing, said at once and before anything is downloaded.
    fn check_machine(&self) -> Result<python::Python> {
        let (compiler, python) = (host::check_compiler(), python::find(&self.folder));
        let space = python.as_ref().map_or(Ok(()), |python| self.check_space(python.free));
        let problems: Vec<_> =
            [compiler.err(), space.err()].into_iter().flatten().map(|error| error.to_string()).collect();
        match python {
            Ok(python) if problems.is_empty() => Ok(python),
            Ok(_) => bail!(problems.join("\nerror: ")),
            Err(error) => bail!([problems, vec![error.to_string()]].concat().join("\nerror: ")),
        }
    }

    fn check_space(&self, free: u64) -> Result<()> {
        // Measured: the wheels together with what they unpack to, and a tenth more.
        let needed: u64 = match self.variant {
            Variant::Cpu => 2_000_000_000,
            Variant::Cuda => 8_200_000_000,
        };
        let missing = needed.saturating_sub(size(&self.folder));
        if free < missing {
            bail!(
                "not enough disk space for {}: {} free, {} needed; make room, or set ELECTRA_CACHE to a folder \
                 on a larger disk",
                self.folder.with_extension("").display(),
                gigabytes(free),
                gigabytes(missing)
            );
        }
        Ok(())
    }

    /// A virtual environment with a recent pip, made anew where one is not usable.
    fn environment(&self, python: &python::Python) -> Result<()> {
        let half_installed = self.unpacking().exists();
        if !half_installed && self.pip_version().is_some_and(|version| version >= PIP) {
            return Ok(());
        }
        crate::output::tell("making a private Python environment");
        remove(&self.environment_folder())?;
        remove(&self.unpacking())?;
        let host = Runner { python: python.program.clone(), lock: &self.lock };
        let (venv, own) = (self.environment_folder(), self.runner().python);
        let (venv, own) = (utf8(&venv)?, utf8(&own)?);
        let requirement = format!("pip>={}.{}", PIP.0, PIP.1);
        let bare: &[&str] = if python.with_pip { &["--without-pip"] } else { &[] };
        let mut command = host.command(&["-m", "venv"])?;
        pip::succeeded("`python -m venv`", &command.args(bare).arg(venv).output()?)?;
        let install = ["install", "--quiet", "--retries=2", &requirement];
        if python.with_pip {
            host.pip("getting a recent pip", &[&["--python", own], &install[..]].concat())
        } else {
            self.runner().pip("getting a recent pip", &install)
        }
    }

    fn pip_version(&self) -> Option<(u32, u32)> {
        let text = workspace::output(&mut self.runner().command(&["-m", "pip", "--version"]).ok()?).ok()?;
        String::from_utf8(text).ok()?.split_whitespace().nth(1).map(python::numbers)
    }

    /// The wheels, each continued from the part that an earlier run has brought.
    fn download(&self) -> Result<()> {
        let wheels = self.resolve()?;
        let list = self.folder.join("wheels.json");
        fs::write(&list, serde_json::to_vec(&wheels)?)?;
        fs::create_dir_all(self.downloads())?;
        let mut command = self.runner().command(&["-c", download::PROGRAM])?;
        let status = command.arg(&list).arg(self.downloads()).status()?;
        match status.code() {
            Some(0) => Ok(()),
            Some(TRY_PIP) => self.download_with_pip(),
            Some(28) => bail!(pip::DISK_FULL),
            _ => bail!(
                "the download did not finish; run the command again, it goes on where it stopped (what has come \
                 is in {})",
                self.downloads().display()
            ),
        }
    }

    /// Addresses and hashes of the wheels, without downloading them.
    fn resolve(&self) -> Result<Vec<Value>> {
        let path = self.report();
        let mut args = vec!["install", "--quiet", "--dry-run", "--ignore-installed", "--retries=2"];
        args.extend(["--use-feature=fast-deps", "--only-binary=:all:", "--report", utf8(&path)?]);
        args.extend(self.requirements());
        self.runner().pip("asking the package index for torch", &args)?;
        let report: Value = serde_json::from_slice(&fs::read(&path)?).context("cannot read pip's report")?;
        wheels(&report).context("pip's report names no wheels")
    }

    fn download_with_pip(&self) -> Result<()> {
        crate::output::tell("downloading with pip instead");
        let downloads = self.downloads();
        let mut args = vec!["download", "--only-binary=:all:", "--retries=2", "--dest", utf8(&downloads)?];
        args.extend(self.requirements());
        self.runner().pip_shown("downloading with pip", &args)
    }

    /// Installs the wheels and writes the record.
    fn unpack(&self) -> Result<()> {
        crate::output::tell("unpacking");
        File::create(self.unpacking())?;
        let downloads = self.downloads();
        let mut args = vec!["install", "--quiet", "--no-index", "--no-compile", "--no-cache-dir"];
        args.extend(["--find-links", utf8(&downloads)?]);
        args.extend(self.requirements());
        self.runner().pip("unpacking the packages", &args)?;
        let mut where_to = self.runner().command(&["-c"])?;
        where_to.arg("import sysconfig; print(sysconfig.get_path('platlib'))");
        let site = String::from_utf8(workspace::output(&mut where_to)?)?;
        let torch = Path::new(site.trim()).join("torch");
        Record::write(&self.folder, self.variant, &torch).context("cannot finish the install")
    }

    /// What pip is asked for: for the CPU, torch and of its dependencies only the two libraries of NVIDIA that
    /// its CPU part is linked to.
    fn requirements(&self) -> Vec<&str> {
        let torch = self.torch.as_str();
        match self.variant {
            Variant::Cuda => vec![torch],
            Variant::Cpu if cfg!(target_os = "macos") => vec!["--no-deps", torch],
            Variant::Cpu => {
                vec!["--no-deps", torch, "nvidia-cuda-runtime==13.0.*", "nvidia-cuda-cupti==13.0.*"]
            }
        }
    }

    fn environment_folder(&self) -> PathBuf {
        self.folder.join("venv")
    }

    /// The environment's Python.
    fn runner(&self) -> Runner<'_> {
        Runner { python: self.environment_folder().join("bin/python"), lock: &self.lock }
    }

    fn downloads(&self) -> PathBuf {
        self.folder.join("downloads")
    }

    /// What pip says that it would install.
    fn report(&self) -> PathBuf {
        self.folder.join("report.json")
    }

    /// There from the beginning of unpacking: packages that are half there would confuse pip.
    fn unpacking(&self) -> PathBuf {
        self.folder.join("unpacking")
    }
}

/// Address and hash of each wheel in pip's installation report.
fn wheels(report: &Value) -> Option<Vec<Value>> {
    let wheels = report["install"].as_array()?.iter().map(|package| {
        let info = &package["download_info"];
        Some(json!({ "url": info["url"].as_str()?, "sha256": info["archive_info"]["hashes"]["sha256"] }))
    });
    wheels.collect::<Option<Vec<_>>>().filter(|wheels| !wheels.is_empty())
}

/// Removes a file or a folder, if it is there.
fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Bytes of all files in a folder, as far as they can be read.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => size(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

fn gigabytes(bytes: u64) -> String {
    format!("{}.{} GB", bytes / 1_000_000_000, bytes / 100_000_000 % 10)
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str()
        .with_context(|| format!("{} is not UTF-8; set ELECTRA_CACHE to a path that is", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheels_come_from_the_report() {
        let package = json!({ "download_info": { "url": "file:///a.whl", "archive_info": { "hashes": { "sha256": "0f" } } } });
        let bare = json!({ "download_info": { "url": "file:///b.whl", "dir_info": {} } });
        let expected =
            json!([{ "url": "file:///a.whl", "sha256": "0f" }, { "url": "file:///b.whl", "sha256": null }]);
        assert_eq!(Value::from(wheels(&json!({ "install": [package, bare] })).unwrap()), expected);
        assert_eq!(wheels(&json!({ "install": [] })), None);
        assert_eq!(wheels(&json!({ "install": [{}] })), None);
    }

    #[test]
    fn sizes_are_summed_and_shown() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/b"), [0; 30]).unwrap();
        fs::write(folder.path().join("c"), [0; 12]).unwrap();
        assert_eq!(size(folder.path()), 42);
        assert_eq!(gigabytes(2_150_000_000), "2.1 GB");
    }

    #[test]
    fn removing_is_for_files_folders_and_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (file, inner) = (folder.path().join("file"), folder.path().join("inner"));
        fs::write(&file, "").unwrap();
        fs::create_dir(&inner).unwrap();
        for path in [&file, &inner, &inner] {
            remove(path).unwrap();
            assert!(!path.exists());
        }
    }
}
