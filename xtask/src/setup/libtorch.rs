//! What makes a folder a libtorch that this workspace can be built with.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The libtorch that tch of the root `Cargo.toml` binds; both are edited together.
pub(crate) const VERSION: &str = "2.11.0";

/// A checked libtorch.
pub(crate) struct Libtorch {
    pub(crate) folder: PathBuf,
    pub(crate) version: String,
    /// Where it comes from, in a word.
    pub(crate) kind: String,
}

/// Checks a folder: headers, libraries and version.
pub(crate) fn open(folder: &Path) -> Result<Libtorch> {
    let folder = std::path::absolute(folder)?;
    let shown = folder.display();
    if !folder.is_dir() {
        bail!("{shown} is not a folder");
    }
    for part in ["include".into(), Path::new("lib").join(library("torch_cpu"))] {
        if !folder.join(&part).exists() {
            let part = part.display();
            bail!(
                "{shown} has no `{part}`: expected the top folder of libtorch {VERSION}, or `torch` of its Python package"
            );
        }
    }
    let found = version(&folder)?;
    if found != VERSION {
        bail!("{shown} is libtorch {found}: this workspace needs {VERSION}");
    }
    Ok(Libtorch { folder, version: found, kind: "yours".into() })
}

/// A shared library's file name on this platform.
pub(crate) fn library(name: &str) -> String {
    format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// The version from whichever of its files the distribution carries, without a suffix such as `+cu130`.
fn version(folder: &Path) -> Result<String> {
    type Reader = fn(&str) -> Option<String>;
    const SOURCES: &[(&str, Reader)] = &[
        ("build-version", |text| Some(text.trim().into())),
        ("include/torch/headeronly/version.h", from_header),
        ("include/torch/csrc/api/include/torch/version.h", from_header),
        ("version.py", from_python),
    ];
    for (file, read) in SOURCES {
        let path = folder.join(file);
        if !path.exists() {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if let Some(found) = read(&text) {
            return Ok(found.split('+').next().unwrap_or_default().to_owned());
        }
    }
    let names = SOURCES.iter().map(|(file, _)| *file).collect::<Vec<_>>().join(", ");
    bail!("{} does not say its version: looked in {names}", folder.display())
}

/// `#define TORCH_VERSION_MAJOR 2`, and so on for `MINOR` and `PATCH`.
fn from_header(text: &str) -> Option<String> {
    let number = |part: &str| {
        let name = format!("TORCH_VERSION_{part}");
        text.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            let found = words.next() == Some("#define") && words.next() == Some(&name);
            found.then(|| words.next()?.parse::<u32>().ok()).flatten()
        })
    };
    Some(format!("{}.{}.{}", number("MAJOR")?, number("MINOR")?, number("PATCH")?))
}

/// `__version__ = '2.11.0+cu130'`.
fn from_python(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("__version__"))?;
    line.split(['\'', '"']).nth(1).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn every_source_of_the_version_is_read() {
        let header = "#define TORCH_VERSION_MAJOR 2\n# define X\n#define TORCH_VERSION_MINOR 9\n\
                      #define TORCH_VERSION_PATCH 1\n#define TORCH_VERSION \\\n  \"other\"\n";
        for (file, text) in [
            ("build-version", "2.9.1+cpu\n"),
            ("include/torch/headeronly/version.h", header),
            ("include/torch/csrc/api/include/torch/version.h", header),
            ("version.py", "debug = False\n__version__ = '2.9.1+cu130'\n"),
        ] {
            assert_eq!(version(folder(&[(file, text)]).path()).unwrap(), "2.9.1", "{file}");
        }
    }

    #[test]
    fn a_header_that_only_includes_another_is_passed_over() {
        let header = "include/torch/csrc/api/include/torch/version.h";
        let folder = folder(&[(header, "#include <other.h>\n"), ("version.py", "__version__ = \"2.9.0\"\n")]);
        assert_eq!(version(folder.path()).unwrap(), "2.9.0");
    }

    #[test]
    fn what_is_wrong_with_a_folder_is_said() {
        let cpu = format!("lib/{}", library("torch_cpu"));
        let cases: [(&[(&str, &str)], &str); 4] = [
            (&[(&cpu, "")], "has no `include`"),
            (&[("include/a.h", "")], "has no `lib"),
            (&[("include/a.h", ""), (&cpu, "")], "does not say its version"),
            (&[("include/a.h", ""), (&cpu, ""), ("build-version", "2.1.0")], "is libtorch 2.1.0"),
        ];
        for (files, expected) in cases {
            let folder = folder(files);
            let error = open(folder.path()).err().unwrap().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(error.contains(folder.path().to_str().unwrap()), "{error}");
        }
        assert!(open(Path::new("nowhere")).err().unwrap().to_string().contains("is not a folder"));
    }

    #[test]
    fn a_right_folder_is_opened() {
        let cpu = format!("lib/{}", library("torch_cpu"));
        let folder = folder(&[("include/a.h", ""), (&cpu, ""), ("build-version", VERSION)]);
        let libtorch = open(folder.path()).unwrap();
        assert_eq!((libtorch.version.as_str(), libtorch.folder.as_path()), (VERSION, folder.path()));
    }
}
