#![doc = include_str!("../README.md")]

mod error;
mod file;
mod folder;
mod foreign;
mod owned;
mod partial;

pub mod settings;

pub use error::{Error, io};
pub use file::{
    LARGEST_FILE, NewFile, create_folder, is_reserving, open_in_place, read, read_regular, read_to_limit,
    read_to_string, read_whole, remove, write,
};
pub use folder::{NewFolder, require_vacant};
pub use foreign::{FOREIGN_HEAD, Foreign};
pub use owned::{FolderKind, OwnedFolder};
pub use partial::{abandon, abandon_if_free, discard, remove_partial};
