#![doc = include_str!("../README.md")]

mod error;
mod file;
mod folder;
mod owned;
mod partial;

pub mod settings;

pub use error::{Error, io};
pub use file::{NewFile, create_folder, read, read_to_string, remove, write};
pub use folder::{NewFolder, require_vacant};
pub use owned::{FolderKind, OwnedFolder};
pub use partial::{abandon, discard, remove_partial};
