use crate::{Error, ffi, kernel_level};

/// The version of the libtorch that this program has loaded, such as `2.11.0`.
pub fn version() -> Result<String, Error> {
    Ok(unpacked(ffi::versions()?.0))
}

/// The version of the libtorch whose headers this program was compiled with.
///
/// Another than [`version`] means that the library was exchanged after the build: [`check_environment`]
/// refuses it.
pub fn compiled_version() -> Result<String, Error> {
    Ok(unpacked(ffi::versions()?.1))
}

/// What a program asks before anything else of libtorch: that the library it has loaded is the one that it
/// was compiled against, and that `ELECTRA_KERNELS`, where it is set, names a level of kernels that this
/// machine has.
///
/// # Errors
///
/// Another version, or no such level.
pub fn check_environment() -> Result<(), Error> {
    let (loaded, compiled) = ffi::versions()?;
    same(loaded, compiled)?;
    kernel_level().map(drop)
}

fn same(loaded: u64, compiled: u64) -> Result<(), Error> {
    let (loaded, compiled) = (unpacked(loaded), unpacked(compiled));
    if loaded == compiled { Ok(()) } else { Err(Error::Version { loaded, compiled }) }
}

/// Major, minor and patch are the three highest bytes.
fn unpacked(packed: u64) -> String {
    let [major, minor, patch, ..] = packed.to_be_bytes();
    format!("{major}.{minor}.{patch}")
}

#[cfg(test)]
mod tests {
    use super::{check_environment, same, unpacked};

    #[test]
    fn another_libtorch_than_the_compiled_one_is_named_with_it() {
        check_environment().unwrap();
        assert!(same(0x020B_0000_0000_0001, 0x020B_0000_0000_0000).is_ok());
        let error = same(0x020A_0100_0000_0000, 0x020B_0000_0000_0000).unwrap_err().to_string();
        let expected = "libtorch 2.10.1 is loaded: expected 2.11.0, which this program was compiled against";
        assert_eq!(error, expected);
    }

    #[test]
    fn the_three_highest_bytes_count() {
        assert_eq!(unpacked(0x020B_0100_0000_0007), "2.11.1");
    }
}
