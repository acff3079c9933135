#![doc = include_str!("../README.md")]

mod error;
mod file;
mod folder;
mod owned;

pub mod settings;

pub use error::{Error, io};
pub use file::{NewFile, create_folder, read, read_to_string, remove, write};
pub use folder::{NewFolder, remove_partial, require_vacant};
pub use owned::{FolderKind, OwnedFolder};
