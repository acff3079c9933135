//! `cargo xtask setup`: libtorch, found or installed, behind the link that `.cargo/config.toml` names.

mod cache;
mod download;
pub(crate) mod environment;
pub(crate) mod host;
mod install;
mod libtorch;
mod link;
mod pip;
mod python;

use crate::workspace;
use anyhow::{Context, Result, bail};
use cache::{Cache, Variant};
use libtorch::Libtorch;
#[cfg(test)]
pub(crate) use libtorch::VERSION as LIBTORCH_VERSION;
use std::path::Path;

/// Which libtorch is asked for; neither means what the machine calls for.
#[derive(clap::Args, Default)]
#[command(after_help = "Examples:
  cargo xtask setup                          CUDA where an NVIDIA driver answers, else CPU
  cargo xtask setup --cpu                    the small install, a quarter of the other
  ELECTRA_CACHE=/big/disk cargo xtask setup  install elsewhere than in the user's cache folder
  LIBTORCH=/opt/libtorch cargo xtask setup   use a libtorch that is there; nothing is installed

Environment:
  LIBTORCH       folder of a libtorch: `include`, `lib`
  ELECTRA_CACHE  where installs are kept; by default `electra` in the user's cache folder
  PYTHON         the Python that makes the private virtual environment
  CXX            the C++ compiler
pip's own settings (PIP_INDEX_URL, HTTPS_PROXY, pip.conf) are followed.")]
pub(crate) struct Args {
    /// Install with every CUDA library (about 5 GB)
    #[arg(long, conflicts_with = "cpu")]
    cuda: bool,
    /// Install for the CPU even where an NVIDIA driver answers (about 1.3 GB)
    #[arg(long)]
    cpu: bool,
}

/// Makes everything ready for plain cargo, and says with which libtorch.
pub(crate) fn run(args: &Args) -> Result<Libtorch> {
    let libtorch = prepare(args)?;
    let Libtorch { version, kind, folder } = &libtorch;
    crate::output::line(format_args!("libtorch {version} ({kind}) at {}", folder.display()))?;
    Ok(libtorch)
}

/// The same without a word on standard output, which belongs to what is run next.
pub(crate) fn quietly() -> Result<()> {
    prepare(&Args::default()).map(drop)
}

fn prepare(args: &Args) -> Result<Libtorch> {
    host::check_platform(args.cuda)?;
    let libtorch = match given() {
        Some(folder) => {
            host::check_compiler()?;
            libtorch::open(Path::new(&folder)).context(
                "LIBTORCH is set, but not to a libtorch that can be used; unset it to have one installed",
            )?
        }
        None => cached(args)?,
    };
    link::point(&workspace::libtorch_link(), &libtorch.folder)?;
    Ok(libtorch)
}

/// `LIBTORCH` as the user set it. Cargo sets it too, to the workspace's link, which says nothing.
fn given() -> Option<std::ffi::OsString> {
    let value = std::env::var_os("LIBTORCH").filter(|value| !value.is_empty())?;
    (Path::new(&value) != workspace::libtorch_link()).then_some(value)
}

/// The libtorch of the cache, installed first where there is none.
fn cached(args: &Args) -> Result<Libtorch> {
    let cache = Cache::open()?;
    let variant = match (args.cuda, args.cpu) {
        (true, _) => Variant::Cuda,
        (_, true) => Variant::Cpu,
        _ => host::variant(),
    };
    if let Some(libtorch) = cache.find(variant) {
        host::check_compiler()?;
        return Ok(libtorch);
    }
    install::run(&cache, variant)?;
    match cache.find(variant) {
        Some(libtorch) => Ok(libtorch),
        None => bail!("the install in {} is not whole: run the command again", cache.folder().display()),
    }
}
