//! The folder of installs, and what makes one of them whole.
//!
//! An install is made as `libtorch-VERSION-VARIANT.partial`, gets a record of its libraries, and is
//! renamed only then: a folder without `.partial` was whole once. The record tells whether it still is.

use super::libtorch::{self, Libtorch, VERSION};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

const RECORD: &str = "complete.json";

/// With the libraries of CUDA or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    Cpu,
    Cuda,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        })
    }
}

/// What is found in the place of an install.
pub(crate) enum State {
    Absent,
    Damaged(String),
    Whole(Libtorch),
}

/// The folder of installs.
pub(crate) struct Cache(PathBuf);

impl Cache {
    /// `ELECTRA_CACHE`, else `electra` in the user's cache folder. Nothing is created yet.
    pub(crate) fn open() -> Result<Self> {
        let chosen = std::env::var_os("ELECTRA_CACHE").filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = chosen
            .or_else(|| Some(dirs::cache_dir()?.join("electra")))
            .context("this user has no cache folder: set ELECTRA_CACHE to one")?;
        Ok(Self(std::path::absolute(folder)?))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// Where a whole install is.
    pub(crate) fn place(&self, variant: Variant) -> PathBuf {
        self.0.join(format!("libtorch-{VERSION}-{variant}"))
    }

    /// Where it is while it is made.
    pub(crate) fn partial(&self, variant: Variant) -> PathBuf {
        self.0.join(format!("libtorch-{VERSION}-{variant}.partial"))
    }

    /// A whole install that serves; one with CUDA runs on the CPU too.
    pub(crate) fn find(&self, variant: Variant) -> Option<Libtorch> {
        let serving: &[Variant] = match variant {
            Variant::Cpu => &[Variant::Cpu, Variant::Cuda],
            Variant::Cuda => &[Variant::Cuda],
        };
        serving.iter().find_map(|variant| match self.state(*variant) {
            State::Whole(libtorch) => Some(libtorch),
            State::Absent | State::Damaged(_) => None,
        })
    }

    /// Looks at one install.
    pub(crate) fn state(&self, variant: Variant) -> State {
        let place = self.place(variant);
        if !place.exists() {
            return State::Absent;
        }
        let opened = Record::check(&place).and_then(|folder| libtorch::open(&folder));
        match opened {
            Ok(libtorch) => State::Whole(Libtorch { kind: variant.to_string(), ..libtorch }),
            Err(error) => State::Damaged(format!("{error:#}")),
        }
    }

    /// Creates the folder and takes its lock, waiting for another set-up to be done.
    pub(crate) fn lock(&self) -> Result<File> {
        let cannot = || {
            let shown = self.0.display();
            format!("cannot write to the cache folder {shown}; set ELECTRA_CACHE to a folder of yours")
        };
        fs::create_dir_all(&self.0).with_context(cannot)?;
        let path = self.0.join("lock");
        let lock = File::options().create(true).append(true).read(true).open(path).with_context(cannot)?;
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                let shown = self.0.display();
                bail!("{shown} cannot be locked ({error}); set ELECTRA_CACHE to a folder on a local disk");
            }
        }
        crate::output::tell("another set-up is installing libtorch; waiting");
        lock.lock().with_context(cannot)?;
        Ok(lock)
    }
}

/// What a whole install holds; its presence says that the install was finished.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    version: String,
    variant: String,
    /// Folder of libtorch, below that of the install.
    folder: PathBuf,
    /// Size in bytes of each library and of two headers, below the folder of the install.
    files: BTreeMap<PathBuf, u64>,
}

impl Record {
    /// Writes the record of an install, last, when everything it names is on the disk.
    pub(crate) fn write(install: &Path, variant: Variant, libtorch: &Path) -> Result<()> {
        let inside = |path: &Path| path.strip_prefix(install).map(PathBuf::from);
        let mut files = BTreeMap::new();
        for path in key_files(libtorch)? {
            let file = File::open(&path)?;
            file.sync_all().with_context(|| format!("cannot write {} to the disk", path.display()))?;
            files.insert(inside(&path)?, file.metadata()?.len());
        }
        let record =
            Self { version: VERSION.into(), variant: variant.to_string(), folder: inside(libtorch)?, files };
        let mut file = File::create(install.join(RECORD))?;
        file.write_all(&serde_json::to_vec_pretty(&record)?)?;
        Ok(file.sync_all()?)
    }

    /// The folder of libtorch in an install where everything the record names is there in its size.
    pub(crate) fn check(install: &Path) -> Result<PathBuf> {
        let text = fs::read(install.join(RECORD)).with_context(|| format!("no {RECORD}"))?;
        let record: Self =
            serde_json::from_slice(&text).with_context(|| format!("{RECORD} is not readable"))?;
        for (path, size) in &record.files {
            let shown = path.display();
            match fs::metadata(install.join(path)) {
                Ok(found) if found.len() == *size => {}
                Ok(found) => bail!("{shown} has {} bytes instead of {size}", found.len()),
                Err(_) => bail!("{shown} is missing"),
            }
        }
        Ok(install.join(record.folder))
    }
}

/// The libraries of libtorch and, beside its folder, of NVIDIA; and the headers at either end of `include`.
fn key_files(libtorch: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for header in ["include/torch/headeronly/version.h", "include/torch/csrc/api/include/torch/torch.h"] {
        files.extend(Some(libtorch.join(header)).filter(|path| path.exists()));
    }
    let mut folders = vec![libtorch.join("lib")];
    folders.extend(Some(libtorch.with_file_name("nvidia")).filter(|path| path.exists()));
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.contains(".so") || name.ends_with(".dylib") {
                files.push(path);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An install that is whole.
    fn install(cache: &Cache, variant: Variant) -> PathBuf {
        let place = cache.place(variant);
        let torch = place.join("site/torch");
        for (name, text) in [
            ("include/torch/headeronly/version.h", ""),
            ("lib/libtorch_cpu.so", "cpu"),
            ("lib/libtorch_cpu.dylib", "cpu"),
            ("build-version", VERSION),
            ("../nvidia/cu13/lib/libcudart.so.13", "cudart"),
        ] {
            fs::create_dir_all(torch.join(name).parent().unwrap()).unwrap();
            fs::write(torch.join(name), text).unwrap();
        }
        Record::write(&place, variant, &torch).unwrap();
        torch
    }

    fn damage(cache: &Cache) -> String {
        match cache.state(Variant::Cpu) {
            State::Damaged(reason) => reason,
            State::Absent => "absent".into(),
            State::Whole(_) => "whole".into(),
        }
    }

    #[test]
    fn a_missing_or_shortened_library_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache(folder.path().into());
        assert_eq!(damage(&cache), "absent");
        let torch = install(&cache, Variant::Cpu);
        assert_eq!(damage(&cache), "whole");
        fs::write(torch.join("lib/libtorch_cpu.so"), "c").unwrap();
        assert_eq!(damage(&cache), "site/torch/lib/libtorch_cpu.so has 1 bytes instead of 3");
        fs::write(torch.join("lib/libtorch_cpu.so"), "cpu").unwrap();
        fs::remove_dir_all(torch.with_file_name("nvidia")).unwrap();
        assert_eq!(damage(&cache), "site/nvidia/cu13/lib/libcudart.so.13 is missing");
        fs::remove_file(cache.place(Variant::Cpu).join(RECORD)).unwrap();
        assert!(damage(&cache).starts_with("no complete.json"));
    }

    #[test]
    fn an_unfinished_install_is_not_found() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache(folder.path().into());
        install(&cache, Variant::Cpu);
        fs::rename(cache.place(Variant::Cpu), cache.partial(Variant::Cpu)).unwrap();
        assert!(cache.find(Variant::Cpu).is_none());
    }

    #[test]
    fn cuda_serves_the_cpu_and_not_the_other_way_round() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache(folder.path().into());
        let cpu = install(&cache, Variant::Cpu);
        assert!(cache.find(Variant::Cuda).is_none());
        let cuda = install(&cache, Variant::Cuda);
        assert_eq!(cache.find(Variant::Cpu).unwrap().folder, cpu);
        fs::remove_dir_all(cache.place(Variant::Cpu)).unwrap();
        assert_eq!(cache.find(Variant::Cpu).unwrap().folder, cuda);
    }

    #[test]
    fn one_lock_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache(folder.path().join("new/folder"));
        let first = cache.lock().unwrap();
        let second = File::open(cache.folder().join("lock")).unwrap();
        assert!(matches!(second.try_lock(), Err(TryLockError::WouldBlock)));
        drop(first);
        second.try_lock().unwrap();
    }
}
