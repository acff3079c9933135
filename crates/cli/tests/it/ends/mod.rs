//! How the program ends, and what it leaves: tables over its commands.

#[cfg(target_os = "linux")]
mod faults;
#[cfg(unix)]
mod interrupts;
#[cfg(target_os = "linux")]
mod leftovers;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(all(target_os = "linux", feature = "torch"))]
mod memory;
mod messages;
#[cfg(unix)]
mod outputs;
mod table;
