//! Settings: tables of TOML, `key=value` over them, and refusals that name file, line and key.

mod assignment;
mod deserializer;
mod origin;
mod place;
mod schema;
mod table;

pub use assignment::Assignment;
pub use origin::Origin;
pub use schema::Schema;
pub use table::{Difference, differences, find, flat, merge, parse, put, to_table, to_toml};
